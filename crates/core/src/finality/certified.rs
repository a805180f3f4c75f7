//! Finality by the chain's own certificates.

use crate::evidence::Evidence;
use crate::finality::depth::deep_enough;
use crate::finality::{ChainView, EvidencePool, FinalityPolicy, PolicyError, Verdict};
use crate::units::BlockDelta;

/// Calls a block final when it or a linked descendant has a verified certificate.
///
/// A certificate for a block outside the view is to be followed: the certified branch wins, longer or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certified {
    fallback: Fallback,
}

/// Says what happens when no certificate comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Calls a block final after so many confirmations without a certificate. Counted in blocks, not in seconds, so
    /// that a replay decides the same.
    After(BlockDelta),
    /// Waits for a certificate however long it takes.
    Never,
}

impl Certified {
    /// Makes the policy.
    ///
    /// # Errors
    /// [`PolicyError::ZeroDepth`] for a fallback after 0 confirmations.
    pub fn try_new(fallback: Fallback) -> Result<Self, PolicyError> {
        match fallback {
            Fallback::After(BlockDelta(0)) => Err(PolicyError::ZeroDepth),
            _ => Ok(Self { fallback }),
        }
    }
}

impl FinalityPolicy for Certified {
    fn judge(&self, view: &ChainView<'_>, pool: &EvidencePool) -> Verdict {
        let certified = pool.iter().rev().find(|held| view.holds(held.block())).cloned();
        let outside = |held: &&Evidence| held.block().height > view.finalized.id.height && !view.holds(held.block());
        let follow = pool.iter().rev().find(outside).cloned();
        let finalize = match (certified, self.fallback, &follow) {
            (Some(evidence), _, _) => Some(evidence),
            (None, Fallback::After(confirmations), None) => deep_enough(view, confirmations),
            (None, _, _) => None,
        };
        Verdict { finalize, follow }
    }

    fn wants_evidence(&self) -> bool {
        true
    }
}
