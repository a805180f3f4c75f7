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
        let ahead = reported.height > view.tip().id.height;
        Verdict { finalize: None, follow: ahead.then(|| Evidence::reported(reported)) }
    }

    fn wants_evidence(&self) -> bool {
        false
    }
}
