//! The default answer to a failure; the question, and who may answer it, are the core's.

use nodewright_core::policy::{Action, ErrorPolicy, Failure, Stage};
use nodewright_core::{ErrorKind, Retry};

/// Is the default policy: stops at once where a person is needed, waits where waiting was said to help, and escalates
/// whatever else goes on failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandardPolicy {
    /// Is how many failures in a row of one stage are retried before they escalate, where nothing says that waiting
    /// helps. Default 10: with the default waits, which double from 2 s to 60 s, about five minutes.
    pub budget: u32,
    /// Is how many failures in a row of one stage are retried before they escalate even where waiting was said to help;
    /// `None`, the default, waits without end, as a service does. A command that a person watches sets a few.
    pub patience: Option<u32>,
}

impl Default for StandardPolicy {
    fn default() -> Self {
        Self { budget: 10, patience: None }
    }
}

impl ErrorPolicy for StandardPolicy {
    fn decide(&self, failure: &Failure<'_>) -> Action {
        if needs_a_person(failure.error.kind(), failure.stage) {
            return Action::Halt;
        }
        match failure.error.retry() {
            Retry::After(_) if self.patience.is_some_and(|patience| failure.attempt > patience) => Action::Escalate,
            Retry::After(_) => Action::Retry,
            Retry::Exhausted | Retry::Never if failure.attempt > self.budget => Action::Escalate,
            Retry::Exhausted | Retry::Never => Action::Retry,
        }
    }
}

/// Returns whether `kind` stays as it is however often the driver tries.
fn needs_a_person(kind: ErrorKind, stage: Stage) -> bool {
    match kind {
        ErrorKind::Auth
        | ErrorKind::Config
        | ErrorKind::Conflict
        | ErrorKind::EraUnsupported
        | ErrorKind::FinalityViolated
        | ErrorKind::Inconsistent
        | ErrorKind::Pruned
        | ErrorKind::Rejected
        | ErrorKind::ScopeMismatch
        | ErrorKind::Unsupported => true,
        // An unreadable or unproven checkpoint, or a start that the node does not have, will be the same next time.
        ErrorKind::InvalidData | ErrorKind::NotFound | ErrorKind::OutOfRange | ErrorKind::Unverified => {
            stage == Stage::Open
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nodewright_core::Error;

    fn decide(kind: ErrorKind, retry: Retry, stage: Stage, attempt: u32) -> Action {
        let error = Error::new(kind, "test").with_retry(retry);
        StandardPolicy { budget: 3, patience: None }.decide(&Failure { error: &error, stage, attempt })
    }

    #[test]
    fn what_needs_a_person_halts_at_once_even_if_a_retry_was_promised() {
        use ErrorKind as K;
        for kind in [
            K::Auth,
            K::Config,
            K::Conflict,
            K::FinalityViolated,
            K::Inconsistent,
            K::Pruned,
            K::Rejected,
            K::ScopeMismatch,
            K::Unsupported,
        ] {
            assert_eq!(decide(kind, Retry::After(None), Stage::Headers, 1), Action::Halt, "{kind:?}");
        }
    }

    #[test]
    fn a_promised_retry_is_taken_without_end_and_an_unpromised_one_escalates_after_the_budget() {
        assert_eq!(decide(ErrorKind::Busy, Retry::After(None), Stage::Observe, 1_000), Action::Retry);
        assert_eq!(decide(ErrorKind::Unreachable, Retry::Exhausted, Stage::Headers, 3), Action::Retry);
        assert_eq!(decide(ErrorKind::Unreachable, Retry::Exhausted, Stage::Headers, 4), Action::Escalate);
        assert_eq!(decide(ErrorKind::InvalidData, Retry::Never, Stage::Headers, 4), Action::Escalate);
    }

    #[test]
    fn patience_ends_where_it_was_given_an_end() {
        let error = Error::new(ErrorKind::WarmingUp, "test").with_retry(Retry::After(None));
        let policy = StandardPolicy { patience: Some(2), ..StandardPolicy::default() };
        let decide = |attempt| policy.decide(&Failure { error: &error, stage: Stage::Open, attempt });
        assert_eq!([decide(1), decide(2), decide(3)], [Action::Retry, Action::Retry, Action::Escalate]);
    }

    #[test]
    fn a_checkpoint_that_cannot_be_used_halts_while_the_same_kind_from_a_node_is_tried_again() {
        for kind in [ErrorKind::InvalidData, ErrorKind::Unverified, ErrorKind::OutOfRange, ErrorKind::NotFound] {
            assert_eq!(decide(kind, Retry::Never, Stage::Open, 1), Action::Halt, "{kind:?}");
            assert_eq!(decide(kind, Retry::Never, Stage::Evidence, 1), Action::Retry, "{kind:?}");
        }
    }
}
