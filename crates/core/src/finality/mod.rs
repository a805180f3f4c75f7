//! Finality policies: pure functions from what is known to what is final.

mod certified;
mod depth;
mod pool;
mod reported;
mod view;

use core::fmt::Debug;
use std::sync::Arc;

use crate::evidence::Evidence;

pub use certified::{Certified, Fallback};
pub use depth::Depth;
pub use pool::EvidencePool;
pub use reported::Reported;
pub use view::ChainView;

/// Decides which block is final.
///
/// # Behaviour
/// - FP-1: the answer depends on the arguments alone: no clock, no memory.
/// - FP-2: `finalize` names a block of the view; `follow` names one that is not on it.
pub trait FinalityPolicy: Debug + Send + Sync + 'static {
    /// Judges the unfinal blocks of `view` by what `pool` holds.
    fn judge(&self, view: &ChainView<'_>, pool: &EvidencePool) -> Verdict;

    /// Says whether the policy wants certificates to be fetched.
    fn wants_evidence(&self) -> bool;
}

impl FinalityPolicy for Arc<dyn FinalityPolicy> {
    fn judge(&self, view: &ChainView<'_>, pool: &EvidencePool) -> Verdict {
        (**self).judge(view, pool)
    }

    fn wants_evidence(&self) -> bool {
        (**self).wants_evidence()
    }
}

/// Is a policy's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Names the newest block of the view that is final, and why; its ancestors are final with it.
    pub finalize: Option<Evidence>,
    /// Names a block outside the view that is final: further ahead, or on another branch that must be followed,
    /// longer or not.
    pub follow: Option<Evidence>,
}

/// Says that a policy's numbers make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A depth of 0 would call a block final that was not mined.
    #[error("finality depth is 0; the least is 1 confirmation")]
    ZeroDepth,
}

#[cfg(test)]
mod fixture {
    use super::*;
    use crate::fixture::point;
    use crate::id::{BlockId, BlockPoint};
    use crate::source::Tips;

    /// Asks `policy` about the blocks of `unfinal` on top of a final one at height 10.
    pub(super) fn judge(policy: &dyn FinalityPolicy, unfinal: &[BlockPoint], certificates: &[Evidence]) -> Verdict {
        let mut pool = EvidencePool::new(8);
        for certificate in certificates {
            pool.insert(certificate.clone());
        }
        let unfinal = unfinal.to_vec().into();
        policy.judge(&ChainView { finalized: point(10, 0), unfinal: &unfinal, tips: None }, &pool)
    }

    pub(super) fn judge_reported(
        policy: &dyn FinalityPolicy,
        unfinal: &[BlockPoint],
        reported_final: Option<BlockId>,
    ) -> Verdict {
        let unfinal = unfinal.to_vec().into();
        let tips = Some(Tips { reported_final, ..Tips::default() });
        policy.judge(&ChainView { finalized: point(10, 0), unfinal: &unfinal, tips }, &EvidencePool::new(8))
    }
}
