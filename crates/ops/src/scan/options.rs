//! What a scan is to do.

use core::num::NonZeroUsize;
use std::sync::Arc;

use nodewright_core::policy::ErrorPolicy;
use nodewright_core::{BlockHeight, BlockPoint, EraGate, FinalityPolicy, ScanLimits, WatchSet};

use crate::scan::listener::ScanListener;
use crate::scan::policy::StandardPolicy;

/// States what a [`ScanDriver`](crate::scan::ScanDriver) is to do.
///
/// Users build it by literal on top of `Default`.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// Says where a scan begins whose sink holds nothing yet. Default [`StartAt::Head`].
    pub start: StartAt,
    /// Says how far a stored checkpoint is trusted. Default [`ResumeTrust::AnchorFinalized`].
    pub resume: ResumeTrust,
    /// Holds what to look for. While it holds no item, headers alone are followed and no block is fetched. Default
    /// empty.
    pub watch: WatchSet,
    /// Bounds the scan core, and states its waits.
    pub limits: ScanLimits,
    /// Decides finality; `None`, the default, takes the policy that the adapter recommends.
    pub policy: Option<Arc<dyn FinalityPolicy>>,
    /// Is the most blocks that one `observe` call takes; two calls are under way at a time. Default 256: far more than a
    /// chain crate fetches at once, so that its requests overlap for most of a call, and a twelfth of a second at
    /// 3,000 blocks/s, so that progress shows.
    pub observe_batch: NonZeroUsize,
    /// Is how many events make a commit worthwhile while more blocks are being observed; at the head, where nothing is,
    /// whatever is there is committed at once. Default 1,024: one write to disk for about a third of a second of
    /// catching up at 3,000 blocks/s, the rate of a local node of the Bitcoin family.
    pub commit_events: NonZeroUsize,
    /// Keeps the scan from decoding blocks of eras that this build does not support: it holds before the first of them.
    /// A driver with another gate goes on from there. Default `None`: every block is decoded.
    pub gate: Option<EraGate>,
    /// Ends the run when the block at this height, or one above it, is final and committed. Default `None`.
    pub until: Option<BlockHeight>,
    /// Decides what to do about failures. Default [`StandardPolicy`].
    pub errors: Arc<dyn ErrorPolicy>,
    /// Is told what happens. Default `None`.
    pub listener: Option<Arc<dyn ScanListener>>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            start: StartAt::Head,
            resume: ResumeTrust::AnchorFinalized,
            watch: WatchSet::default(),
            limits: ScanLimits::default(),
            policy: None,
            observe_batch: NonZeroUsize::MIN.saturating_add(255),
            commit_events: NonZeroUsize::MIN.saturating_add(1_023),
            gate: None,
            until: None,
            errors: Arc::new(StandardPolicy::default()),
            listener: None,
        }
    }
}

/// Says where a scan begins. The block that it names or finds is taken as final, by the operator's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// Begins after this block: its child is the first one applied.
    Anchor(BlockPoint),
    /// Begins after the source's newest block that is final in the source's eyes, or, where a source says nothing of
    /// that, 6 blocks below its newest, so that an ordinary reorganisation does not contradict the anchor. Needs a
    /// height index in the latter case. The point is stored before anything is observed.
    Head,
    /// Begins with the block at this height. The block before it on the source's best chain becomes the anchor; genesis
    /// has none, so 0 begins with height 1. Needs a height index.
    Height(BlockHeight),
}

/// Says how far a stored checkpoint is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResumeTrust {
    /// Takes the stored final block as the operator's anchor.
    AnchorFinalized,
    /// Verifies the certificate of the stored final block again. A block that was final as the scan's own anchor passes
    /// if [`ScanOptions::start`] names it; one that was final by depth or by the node's word does not pass.
    Verify,
}
