//! Finality by the node's word.

use crate::evidence::Evidence;
use crate::finality::{ChainView, EvidencePool, FinalityPolicy, Verdict};

/// Calls a block final when the node names it, or a linked descendant, as its final block.
///
/// The name is the block's id: a height that a second backend reports cannot seal another block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reported;

impl FinalityPolicy for Reported {
    fn judge(&self, view: &ChainView<'_>, _pool: &EvidencePool) -> Verdict {
        let Some(reported) = view.tips.and_then(|tips| tips.reported_final) else {
            return Verdict::default();
        };
        if view.holds(reported) {
            return Verdict { finalize: Some(Evidence::reported(reported)), follow: None };
        }
        let ahead = reported.height >= view.tip().id.height && reported != view.finalized.id;
        Verdict { finalize: None, follow: ahead.then(|| Evidence::reported(reported)) }
    }

    fn wants_evidence(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finality::fixture::judge_reported;
    use crate::fixture::{id, points};

    #[test]
    fn a_reported_block_is_final_by_its_id() {
        let view = points(11..=15, 0);
        let verdict = judge_reported(&Reported, &view, Some(id(13, 0)));
        assert_eq!(verdict.finalize.map(|evidence| evidence.block()), Some(id(13, 0)));
        assert_eq!(verdict.follow, None);
        assert_eq!(judge_reported(&Reported, &view, None), Verdict::default());
    }

    #[test]
    fn another_block_at_a_reported_height_is_not_final() {
        assert_eq!(judge_reported(&Reported, &points(11..=15, 0), Some(id(13, 1))), Verdict::default());
    }

    #[test]
    fn a_reported_block_ahead_is_to_be_followed_and_the_final_one_is_not() {
        let follow = |reported| judge_reported(&Reported, &points(11..=15, 0), Some(reported)).follow;
        assert_eq!(follow(id(90, 0)).map(|evidence| evidence.block()), Some(id(90, 0)));
        assert_eq!(follow(id(15, 1)).map(|evidence| evidence.block()), Some(id(15, 1)));
        assert_eq!(follow(id(10, 0)), None);
        assert_eq!(judge_reported(&Reported, &[], Some(id(10, 0))), Verdict::default());
    }
}
