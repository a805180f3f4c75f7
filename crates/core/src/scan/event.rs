//! What a scan tells its user, in order.

use core::fmt;

use crate::evidence::Finality;
use crate::header::Header;
use crate::id::BlockPoint;

/// Numbers the events of a scan from 0, without gaps among those that were committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct EventSeq(pub u64);

impl EventSeq {
    /// Returns the number after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for EventSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Says what happened to the chain.
///
/// Exhaustive on purpose: whoever keeps state must handle each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum ScanEvent {
    /// A block was added on top of the one before.
    Apply(Header),
    /// The blocks in `dropped`, newest first, left the chain; `to` is its end now.
    RollBack {
        /// Locates the last block that both branches share.
        to: BlockPoint,
        /// Holds the removed blocks, newest first.
        dropped: Vec<BlockPoint>,
    },
    /// A block and all its ancestors are final.
    Finalize(Finality),
    /// The scan waits, for a reason that an operator may want to see.
    Hold(HoldReason),
    /// The scan goes on after a `Hold`.
    Resume,
}

/// Says why a scan waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum HoldReason {
    /// The next block is in an era that this build does not support.
    EraAhead,
    /// The source has not yet reached the block that the scan already knows.
    SourceBehind,
    /// The source is on a branch that the scan may not follow: shorter, or against a certificate.
    SourceForked,
    /// So many blocks wait for finality that the stated limit is reached.
    WindowFull,
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EraAhead => "the next block is in an era that this build does not support",
            Self::SourceBehind => "the source is behind",
            Self::SourceForked => "the source is on another branch",
            Self::WindowFull => "too many blocks wait for finality",
        })
    }
}
