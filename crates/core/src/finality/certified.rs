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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finality::fixture::judge;
    use crate::fixture::{certificate, id, points};

    fn after(depth: u64) -> Certified {
        Certified::try_new(Fallback::After(BlockDelta(depth))).unwrap()
    }

    #[test]
    fn a_fallback_after_zero_confirmations_is_refused() {
        assert_eq!(Certified::try_new(Fallback::After(BlockDelta(0))), Err(PolicyError::ZeroDepth));
    }

    #[test]
    fn the_newest_certified_block_of_the_view_is_final() {
        let policy = Certified::try_new(Fallback::Never).unwrap();
        let view = points(11..=15, 0);
        let verdict = judge(&policy, &view, &[certificate(12, 0), certificate(14, 0)]);
        assert_eq!(verdict.finalize.map(|evidence| evidence.block()), Some(id(14, 0)));
        assert_eq!(verdict.follow, None);
        assert_eq!(judge(&policy, &view, &[]), Verdict::default());
    }

    #[test]
    fn a_certificate_outside_the_view_is_to_be_followed_and_rules_the_fallback_out() {
        let view = points(11..=15, 0);
        for outside in [certificate(90, 0), certificate(13, 1)] {
            let verdict = judge(&after(2), &view, std::slice::from_ref(&outside));
            assert_eq!(verdict, Verdict { finalize: None, follow: Some(outside) });
        }
    }

    #[test]
    fn the_fallback_counts_confirmations_where_there_is_no_certificate() {
        let view = points(11..=15, 0);
        let evidence = judge(&after(2), &view, &[]).finalize.unwrap();
        assert_eq!((evidence.block(), evidence.is_certificate()), (id(14, 0), false));
        let evidence = judge(&after(2), &view, &[certificate(12, 0)]).finalize.unwrap();
        assert_eq!((evidence.block(), evidence.is_certificate()), (id(12, 0), true));
    }
}
