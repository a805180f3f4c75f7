//! Counts failures in a row, stage by stage, and says how long to wait after the last one.

use core::time::Duration;

use nodewright_core::policy::Stage;
use nodewright_core::{Error, Retry, ScanLimits};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failures {
    in_a_row: [u32; Stage::COUNT],
}

impl Failures {
    /// Counts one more failure of `stage` and returns how many there were in a row.
    pub(crate) fn count(&mut self, stage: Stage) -> u32 {
        match self.in_a_row.get_mut(stage.index()) {
            Some(count) => {
                *count = count.saturating_add(1);
                *count
            }
            None => 1,
        }
    }

    /// Takes word that `stage` went well; returns whether it had failed before.
    pub(crate) fn clear(&mut self, stage: Stage) -> bool {
        self.in_a_row.get_mut(stage.index()).is_some_and(|count| core::mem::take(count) > 0)
    }

    /// Returns whether the last request to a source failed, so that the core's wait is one after a failure.
    pub(crate) fn of_requests(&self) -> bool {
        [Stage::Evidence, Stage::Headers].iter().any(|stage| self.in_a_row.get(stage.index()).is_some_and(|it| *it > 0))
    }
}

/// Returns how long to wait after the `attempt`-th failure in a row: doubling from the limits' poll interval up to
/// their longest, and at least as long as `error` asks for.
pub(crate) fn wait_after(error: &Error, attempt: u32, limits: &ScanLimits) -> Duration {
    let doubled = limits.poll.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    doubled.min(limits.poll_max).max(asked_wait(error).unwrap_or_default())
}

/// Returns the wait that `error` itself asks for.
pub(crate) fn asked_wait(error: &Error) -> Option<Duration> {
    match error.retry() {
        Retry::After(wait) => wait,
        Retry::Exhausted | Retry::Never => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nodewright_core::ErrorKind;

    #[test]
    fn waits_double_up_to_the_longest_and_never_undercut_what_was_asked_for() {
        let limits = ScanLimits::default();
        let error = Error::new(ErrorKind::Busy, "test");
        let seconds: Vec<_> = (1..=7).map(|attempt| wait_after(&error, attempt, &limits).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 60, 60]);
        let error = error.with_retry(Retry::After(Some(Duration::from_secs(90))));
        assert_eq!(wait_after(&error, 1, &limits).as_secs(), 90);
    }

    #[test]
    fn stages_are_counted_apart() {
        let mut failures = Failures::default();
        assert_eq!(failures.count(Stage::Evidence), 1);
        assert_eq!(failures.count(Stage::Evidence), 2);
        assert_eq!(failures.count(Stage::Headers), 1);
        assert!(failures.clear(Stage::Headers));
        assert!(!failures.clear(Stage::Headers));
        assert!(failures.of_requests());
        assert_eq!(failures.count(Stage::Evidence), 3);
    }
}
