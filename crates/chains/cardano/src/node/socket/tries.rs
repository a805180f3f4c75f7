//! The attempts of one call and their limits, and how calls went so far.

use core::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::NodeSocketOptions;
use crate::node::{NodeError, NodeStep};

/// Counts the attempts of one call.
#[derive(Debug)]
pub(in crate::node) struct Tries {
    deadline: Instant,
    limit: Duration,
    wait: Duration,
    max_wait: Duration,
    left: u32,
}

impl Tries {
    pub(in crate::node) fn new(options: &NodeSocketOptions) -> Self {
        let start = Instant::now();
        Self {
            deadline: start.checked_add(options.total_limit).unwrap_or(start + FAR),
            limit: options.total_limit,
            wait: options.base_delay,
            max_wait: options.max_delay,
            left: options.attempts,
        }
    }

    /// Makes one attempt, within what is left of the call's time.
    pub(in crate::node) async fn within<T>(
        &mut self,
        attempt: impl Future<Output = Result<T, NodeError>>,
    ) -> Result<T, NodeError> {
        self.left = self.left.saturating_sub(1);
        match timeout_at(self.deadline, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.left = 0;
                Err(NodeError::TimedOut { step: NodeStep::Call, limit: self.limit })
            }
        }
    }

    /// Waits for the next attempt, or gives `error` back if there is none.
    pub(in crate::node) async fn again(&mut self, error: NodeError) -> Result<(), NodeError> {
        let again = Instant::now() + self.wait;
        if self.left == 0 || !error.is_transient() || again >= self.deadline {
            return Err(error);
        }
        tracing::debug!(%error, wait_ms = self.wait.as_millis(), "try the node again");
        sleep(self.wait).await;
        self.wait = self.wait.saturating_mul(2).min(self.max_wait);
        Ok(())
    }
}

/// Remembers how calls went.
#[derive(Debug, Default)]
pub(in crate::node) struct Health {
    success: Option<Instant>,
    failures: u32,
    error: Option<NodeError>,
}

impl Health {
    pub(in crate::node) fn note<T>(&mut self, outcome: &Result<T, NodeError>) {
        match outcome {
            Ok(_) => *self = Self { success: Some(Instant::now()), failures: 0, error: None },
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                self.error = Some(error.clone());
            }
        }
    }

    pub(in crate::node) fn report(&self) -> ReaderHealth {
        ReaderHealth {
            since_success: self.success.map(|at| Instant::now().saturating_duration_since(at)),
            failures: self.failures,
            last_error: self.error.clone(),
        }
    }
}

/// Says how a reader is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderHealth {
    /// Is the time since the last answer; `None` before the first.
    pub since_success: Option<Duration>,
    /// Counts the calls that failed since the last answer.
    pub failures: u32,
    /// Is why the last call failed; `None` if it did not.
    pub last_error: Option<NodeError>,
}

/// Stands for a time limit too large to add to the clock: thirty years, as in tokio.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);
