//! Sends a failed request again while the budget and the call's time allow it.

use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use nodewright_core::{Error, ErrorKind, Result, Retry};
use tokio::time::{Instant, sleep, timeout_at};

use crate::fault::{TransportFault, cause};
use crate::options::RetryOptions;

/// Says whether a request may reach the node more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It reads; asking twice does no harm.
    Freely,
    /// It changes something.
    Once,
}

/// Runs calls against one retry budget.
#[derive(Debug)]
pub(crate) struct Retrier {
    options: RetryOptions,
    budget: Mutex<Budget>,
}

impl Retrier {
    pub(crate) fn new(options: RetryOptions) -> Self {
        Self { options, budget: Mutex::new(Budget::new(&options)) }
    }

    /// Runs `attempt` until it succeeds, its failure is final, the budget is spent, or `limit` has passed in all.
    pub(crate) async fn run<T, F, A>(&self, op: &'static str, limit: Duration, repeat: Repeat, attempt: F) -> Result<T>
    where
        F: Fn() -> A,
        A: Future<Output = Result<T>>,
    {
        let start = Instant::now();
        let deadline = start.checked_add(limit).unwrap_or(start + FAR);
        self.with_budget(|budget| budget.deposit(start));
        let mut last = None;
        for attempts in 1_u32.. {
            let error = match timeout_at(deadline, attempt()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
                Err(_) => return Err(timed_out(op, limit, repeat, attempts, last)),
            };
            let asked = match error.retry() {
                Retry::After(_) if repeat == Repeat::Once => return Err(certain(error)),
                Retry::After(asked) => asked,
                Retry::Exhausted | Retry::Never => return Err(error),
            };
            let jitter = fastrand::u32(0..=JITTER_STEPS);
            let wait = self.backoff(attempts, jitter).max(asked.unwrap_or_default());
            let now = Instant::now();
            if now.checked_add(wait).is_none_or(|end| end >= deadline) {
                // Waiting would end in a timeout and hide the reason; whoever called may have the time to wait.
                return Err(error.with_retry(Retry::After(Some(wait))).with("attempts", attempts));
            }
            if !self.with_budget(|budget| budget.withdraw(now)) {
                return Err(error.with_retry(Retry::Exhausted).with("attempts", attempts));
            }
            tracing::debug!(op, attempts, kind = ?error.kind(), wait_ms = wait.as_millis(), "try again");
            last = Some(error);
            sleep(wait).await;
        }
        Err(timed_out(op, limit, repeat, u32::MAX, last))
    }

    /// Returns the wait after `attempts` failures: doubled each time, the upper half of it drawn by `jitter`.
    fn backoff(&self, attempts: u32, jitter: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        let whole = self.options.base_delay.saturating_mul(factor).min(self.options.max_delay);
        whole / 2 + whole / 2 / JITTER_STEPS * jitter
    }

    fn with_budget<R>(&self, act: impl FnOnce(&mut Budget) -> R) -> R {
        act(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Is a bucket of retries, counted in hundredths.
#[derive(Debug)]
struct Budget {
    hundredths: u64,
    most: u64,
    percent: u64,
    per_second: u64,
    /// Up to when time has been paid for.
    paid: Option<Instant>,
}

impl Budget {
    fn new(options: &RetryOptions) -> Self {
        let most = u64::from(options.burst) * 100;
        let (percent, per_second) = (u64::from(options.percent), u64::from(options.per_second));
        Self { hundredths: most, most, percent, per_second, paid: None }
    }

    /// Adds what one call earns.
    fn deposit(&mut self, now: Instant) {
        self.earn(now);
        self.hundredths = self.hundredths.saturating_add(self.percent).min(self.most);
    }

    /// Takes one retry, if there is one.
    fn withdraw(&mut self, now: Instant) -> bool {
        self.earn(now);
        let left = self.hundredths.checked_sub(100);
        self.hundredths = left.unwrap_or(self.hundredths);
        left.is_some()
    }

    /// Adds what the time since the last call of this has earned.
    fn earn(&mut self, now: Instant) {
        let since = now.saturating_duration_since(*self.paid.get_or_insert(now));
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let earned = millis.saturating_mul(self.per_second) / 10;
        if earned > 0 {
            // What is below a hundredth of a retry is kept for the next time, by leaving `paid` behind.
            self.hundredths = self.hundredths.saturating_add(earned).min(self.most);
            self.paid = Some(now);
        }
    }
}

fn timed_out(op: &'static str, limit: Duration, repeat: Repeat, attempts: u32, last: Option<Error>) -> Error {
    // A request that changes something may have got through; whether to send it again is not decided here.
    let retry = if repeat == Repeat::Once { Retry::Never } else { Retry::After(None) };
    let error = Error::new(ErrorKind::Timeout, op)
        .with_retry(retry)
        .with("limit", format_args!("{} ms", limit.as_millis()))
        .with("attempts", attempts);
    match last {
        Some(last) => error.because(last),
        None => error,
    }
}

/// Takes the advice to retry away from a failure that leaves open whether the node did what was asked.
fn certain(error: Error) -> Error {
    let open = match cause::<TransportFault>(&error) {
        Some(TransportFault::Connect { .. }) => false,
        Some(_) => true,
        None => matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unreachable),
    };
    if open { error.with_retry(Retry::Never) } else { error }
}

/// Steps of the random part of a wait; enough that two callers rarely meet.
const JITTER_STEPS: u32 = 1000;

/// Stands for a time limit too large to add to the clock: thirty years, as in tokio.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn options() -> RetryOptions {
        RetryOptions::default().with_budget(3, 0, 0)
    }

    fn busy(wait: Option<Duration>) -> Error {
        Error::new(ErrorKind::Busy, "test").with_retry(Retry::After(wait))
    }

    /// Fails `failures` times, then answers how many attempts it took.
    async fn run(
        retrier: &Retrier,
        repeat: Repeat,
        limit: Duration,
        failures: u32,
        error: fn() -> Error,
    ) -> Result<u32> {
        let count = Cell::new(0);
        let attempt = async || {
            count.set(count.get() + 1);
            if count.get() <= failures { Err(error()) } else { Ok(count.get()) }
        };
        retrier.run("test", limit, repeat, attempt).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_is_retried_with_growing_waits() {
        let retrier = Retrier::new(options());
        let start = Instant::now();
        assert_eq!(run(&retrier, Repeat::Freely, MINUTE, 3, || busy(None)).await.unwrap(), 4);
        let waited = start.elapsed();
        assert!((350..=705).contains(&waited.as_millis()), "100, 200 and 400 ms, at least half of each: {waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_budget_ends_in_exhausted_with_the_last_kind() {
        let retrier = Retrier::new(options());
        let error = run(&retrier, Repeat::Freely, MINUTE, 99, || busy(None)).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::Exhausted));
        assert_eq!(error.context(), [("attempts", "4".to_owned())]);
        let error = run(&retrier, Repeat::Freely, MINUTE, 99, || busy(None)).await.unwrap_err();
        assert_eq!(error.context(), [("attempts", "1".to_owned())], "the budget is shared by all calls");
    }

    #[tokio::test(start_paused = true)]
    async fn the_budget_grows_with_calls_and_with_time() {
        let retrier = Retrier::new(RetryOptions::default().with_budget(1, 50, 0));
        assert_eq!(run(&retrier, Repeat::Freely, MINUTE, 1, || busy(None)).await.unwrap(), 2);
        assert!(run(&retrier, Repeat::Freely, MINUTE, 1, || busy(None)).await.is_err(), "half a retry is none");
        assert_eq!(run(&retrier, Repeat::Freely, MINUTE, 1, || busy(None)).await.unwrap(), 2, "two halves are one");

        let retrier = Retrier::new(RetryOptions::default().with_budget(1, 0, 2));
        assert_eq!(run(&retrier, Repeat::Freely, MINUTE, 1, || busy(None)).await.unwrap(), 2);
        assert!(run(&retrier, Repeat::Freely, MINUTE, 1, || busy(None)).await.is_err());
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(run(&retrier, Repeat::Freely, MINUTE, 1, || busy(None)).await.unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_burst_is_saved_up() {
        let retrier = Retrier::new(RetryOptions::default().with_budget(2, 100, 100));
        tokio::time::advance(MINUTE).await;
        for _ in 0..50 {
            run(&retrier, Repeat::Freely, MINUTE, 0, || busy(None)).await.unwrap();
        }
        let now = Instant::now();
        let taken = retrier.with_budget(|budget| (0..9).filter(|_| budget.withdraw(now)).count());
        assert_eq!(taken, 2);
    }

    #[test]
    fn small_steps_of_time_add_up() {
        let start = Instant::now();
        let mut budget = Budget::new(&RetryOptions::default().with_budget(1, 0, 1));
        assert!(budget.withdraw(start));
        let late = (1..=1000).map(|ms| start + Duration::from_millis(ms)).find(|now| budget.withdraw(*now));
        assert_eq!(late, Some(start + Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lasting_failure_is_not_retried() {
        let retrier = Retrier::new(options());
        let error = run(&retrier, Repeat::Freely, MINUTE, 1, || Error::new(ErrorKind::Auth, "test")).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Auth, Retry::Never));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_asked_for_is_kept() {
        let retrier = Retrier::new(options());
        let start = Instant::now();
        run(&retrier, Repeat::Freely, MINUTE, 1, || busy(Some(Duration::from_secs(20)))).await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_time_limit_returns_the_reason_at_once_and_spends_nothing() {
        let retrier = Retrier::new(options());
        let start = Instant::now();
        let wait = Some(Duration::from_secs(90));
        let error = run(&retrier, Repeat::Freely, MINUTE, 1, || busy(Some(Duration::from_secs(90)))).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::After(wait)));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(run(&retrier, Repeat::Freely, MINUTE, 3, || busy(None)).await.unwrap(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_ends_in_timeout_and_keeps_the_failure_before() {
        let retrier = Retrier::new(options());
        let count = Cell::new(0);
        let attempt = async || {
            count.set(count.get() + 1);
            if count.get() == 1 { Err::<(), _>(busy(None)) } else { core::future::pending().await }
        };
        let start = Instant::now();
        let error = retrier.run("test", MINUTE, Repeat::Freely, attempt).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::After(None)));
        assert_eq!(error.to_string(), "test: timed out, limit: 60000 ms, attempts: 2: test: node is overloaded");
        assert_eq!(start.elapsed(), MINUTE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_changes_something_is_never_sent_twice() {
        let retrier = Retrier::new(options());
        let error = run(&retrier, Repeat::Once, MINUTE, 1, || busy(None)).await.unwrap_err();
        assert_eq!(error.retry(), Retry::After(None), "the node refused to begin, so the caller may ask again");

        let lost = || {
            let fault = TransportFault::Lost { cause: String::new() };
            Error::new(ErrorKind::Unreachable, "test").with_retry(Retry::After(None)).because(fault)
        };
        let error = run(&retrier, Repeat::Once, MINUTE, 1, lost).await.unwrap_err();
        assert_eq!(error.retry(), Retry::Never, "the node may have done it");

        let refused = || {
            let fault = TransportFault::Connect { cause: String::new() };
            Error::new(ErrorKind::Unreachable, "test").with_retry(Retry::After(None)).because(fault)
        };
        assert_eq!(run(&retrier, Repeat::Once, MINUTE, 1, refused).await.unwrap_err().retry(), Retry::After(None));

        let hang = async || core::future::pending::<Result<()>>().await;
        let error = retrier.run("test", MINUTE, Repeat::Once, hang).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::Never));
    }

    #[test]
    fn the_wait_doubles_up_to_its_bound_and_keeps_its_lower_half() {
        let retrier = Retrier::new(RetryOptions::default());
        let waits: Vec<_> = [1, 2, 3, 6, 7, 40, u32::MAX].map(|n| retrier.backoff(n, JITTER_STEPS).as_millis()).into();
        assert_eq!(waits, [100, 200, 400, 3200, 5000, 5000, 5000]);
        assert_eq!(retrier.backoff(1, 0).as_millis(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_time_limit_does_not_overflow_the_clock() {
        let retrier = Retrier::new(options());
        assert_eq!(run(&retrier, Repeat::Freely, Duration::MAX, 1, || busy(None)).await.unwrap(), 2);
    }
}
