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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finality::fixture::judge;
    use crate::fixture::{id, points};

    #[test]
    fn a_depth_of_zero_is_refused() {
        assert_eq!(Depth::try_new(BlockDelta(0)), Err(PolicyError::ZeroDepth));
    }

    #[test]
    fn the_block_itself_is_the_first_confirmation() {
        let policy = |depth| Depth::try_new(BlockDelta(depth)).unwrap();
        let view = points(11..=15, 0);
        let newest = |depth| judge(&policy(depth), &view, &[]).finalize.map(|evidence| evidence.block());
        assert_eq!(newest(1), Some(id(15, 0)));
        assert_eq!(newest(2), Some(id(14, 0)));
        assert_eq!(newest(5), Some(id(11, 0)));
        assert_eq!(newest(6), None);
        assert_eq!(newest(u64::MAX), None);
    }

    #[test]
    fn blocks_are_counted_and_not_heights() {
        let policy = Depth::try_new(BlockDelta(2)).unwrap();
        let verdict = judge(&policy, &points([11, 40], 0), &[]);
        assert_eq!(verdict.finalize.map(|evidence| evidence.block()), Some(id(11, 0)));
        assert_eq!(judge(&policy, &points([40], 0), &[]).finalize, None);
    }
}
