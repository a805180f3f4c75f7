//! Finality by linked blocks.

use crate::evidence::Evidence;
use crate::finality::{ChainView, EvidencePool, FinalityPolicy, PolicyError, Verdict};
use crate::units::BlockDelta;

/// Calls a block final when it has a stated number of confirmations: itself and the blocks linked on top of it.
///
/// Blocks are counted, not heights: chains skip heights, and some repeat them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    confirmations: BlockDelta,
}

impl Depth {
    /// Makes the policy; 1 calls the tip final at once.
    ///
    /// # Errors
    /// [`PolicyError::ZeroDepth`] for 0.
    pub fn try_new(confirmations: BlockDelta) -> Result<Self, PolicyError> {
        if confirmations.0 == 0 {
            return Err(PolicyError::ZeroDepth);
        }
        Ok(Self { confirmations })
    }
}

impl FinalityPolicy for Depth {
    fn judge(&self, view: &ChainView<'_>, _pool: &EvidencePool) -> Verdict {
        Verdict { finalize: deep_enough(view, self.confirmations), follow: None }
    }

    fn wants_evidence(&self) -> bool {
        false
    }
}

/// Returns the newest block of `view` with `confirmations`, itself included.
pub(crate) fn deep_enough(view: &ChainView<'_>, confirmations: BlockDelta) -> Option<Evidence> {
    let above = usize::try_from(confirmations.0).ok()?;
    let point = view.unfinal.get(view.unfinal.len().checked_sub(above)?)?;
    Some(Evidence::depth(point.id, BlockDelta(confirmations.0.saturating_sub(1))))
}
