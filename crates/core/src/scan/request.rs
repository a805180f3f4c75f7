//! What a scan asks for, and the answers it takes.

use core::num::NonZeroU32;

use crate::evidence::Evidence;
use crate::id::BlockPoint;
use crate::source::{Extension, Membership};

/// Names one request; a reply to a request that the scan has forgotten is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// Says what the scan needs next. Exhaustive: a driver must carry out each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanRequest<'a> {
    /// To be answered by [`HeaderSource::extend`](crate::HeaderSource::extend).
    Extend {
        /// Holds known points, newest first.
        locator: &'a [BlockPoint],
        /// Is the most headers to return.
        max: NonZeroU32,
    },
    /// To be answered by [`HeaderSource::membership`](crate::HeaderSource::membership).
    Membership {
        /// Locates the block in question.
        point: BlockPoint,
    },
    /// To be answered by [`EvidenceSource::evidence`](crate::EvidenceSource::evidence).
    Evidence {
        /// Holds the blocks that wait for finality, oldest first.
        window: &'a [BlockPoint],
    },
}

/// Answers a [`ScanRequest`] of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Answers [`ScanRequest::Extend`].
    Extend(&'a Extension),
    /// Answers [`ScanRequest::Membership`].
    Membership(Membership),
    /// Answers [`ScanRequest::Evidence`].
    Evidence(&'a [Evidence]),
}
