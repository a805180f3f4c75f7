//! The public face of a driven scan.

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::time::Duration;
use std::sync::Arc;

use nodewright_core::policy::{Action, Stage};
use nodewright_core::{ChainAdapter, Error, ScanSink};

use crate::scan::clock::Clock;
use crate::scan::failures::{Failures, wait_after};
use crate::scan::listener::Notice;
use crate::scan::open::{Parts, Session};
use crate::scan::options::ScanOptions;
use crate::scan::pace::Pace;
use crate::scan::pipeline::{End, Goal, Pipeline, Shutdown};

/// Follows one chain into one sink.
///
/// Headers of what comes next, observing, and committing go on at the same time, on the caller's task. Must be used
/// inside a tokio runtime with its timer enabled.
///
/// # Cancel safety
/// Each `run…` future may be dropped at any await: whatever was not committed is fetched again. The next run on the same
/// driver, or on another one, loads the sink's checkpoint and goes on from there; a commit that was under way either
/// landed, and is found, or did not, and is made again.
#[derive(Debug)]
pub struct ScanDriver {
    pub(crate) parts: Parts,
    session: Option<Session>,
    failures: Failures,
    pace: Pace,
    /// Set while a run is under way: found set at the start of a run, the one before was dropped.
    running: bool,
}

impl ScanDriver {
    /// Makes a driver. Nothing is asked or read yet.
    #[must_use]
    pub fn new(adapter: ChainAdapter, sink: Arc<dyn ScanSink>, options: ScanOptions) -> Self {
        let clock = Clock::start();
        Self {
            parts: Parts { adapter, sink, options, clock },
            session: None,
            failures: Failures::default(),
            pace: Pace::new(clock.now()),
            running: false,
        }
    }

    /// Follows the chain until [`ScanOptions::until`] is reached; without it, until an error ends the run.
    ///
    /// # Errors
    /// What the error policy does not retry, and every contradiction of finality. The sink then holds all that was
    /// committed; a source of another network is found before the sink is touched.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: see [`ScanDriver`].
    pub async fn run(&mut self) -> Result<Stop, ScanError> {
        self.follow(Goal::Forever, pin!(core::future::pending())).await
    }

    /// Follows the chain as [`ScanDriver::run`] does, until `shutdown` completes; a commit that is under way then is
    /// awaited.
    ///
    /// # Errors
    /// As [`ScanDriver::run`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: see [`ScanDriver`].
    pub async fn run_until(&mut self, shutdown: impl Future<Output = ()> + Send) -> Result<Stop, ScanError> {
        self.follow(Goal::Forever, pin!(shutdown)).await
    }

    /// Follows the chain up to where the source has nothing more to tell, and everything is committed. A scan that holds
    /// is idle too. The source was then asked once where a few of the removed transactions are, and the next run asks
    /// after the next few.
    ///
    /// # Errors
    /// As [`ScanDriver::run`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: see [`ScanDriver`].
    pub async fn run_to_idle(&mut self) -> Result<Stop, ScanError> {
        self.follow(Goal::Idle, pin!(core::future::pending())).await
    }

    async fn follow(&mut self, goal: Goal, mut shutdown: Shutdown<'_>) -> Result<Stop, ScanError> {
        let mut dropped_before = core::mem::replace(&mut self.running, true);
        let outcome = self.follow_to_end(goal, &mut dropped_before, &mut shutdown).await;
        self.running = false;
        outcome
    }

    async fn follow_to_end(
        &mut self,
        goal: Goal,
        dropped_before: &mut bool,
        shutdown: &mut Shutdown<'_>,
    ) -> Result<Stop, ScanError> {
        loop {
            let session = match self.session.take() {
                Some(mut session) => {
                    session.core.wake();
                    session
                }
                None => tokio::select! {
                    biased;
                    () = shutdown.as_mut() => return Ok(Stop::Shutdown),
                    opened = open(&self.parts, &mut self.failures) => opened?,
                },
            };
            let mut pipeline = Pipeline::new(&self.parts, session, &mut self.failures, &mut self.pace, dropped_before);
            match pipeline.run(goal, shutdown.as_mut()).await? {
                End::Stop(stop) => {
                    self.session = Some(pipeline.into_session());
                    return Ok(stop);
                }
                End::Reopen(wait) => {
                    tracing::info!(seconds = wait.as_secs(), "scan loads its checkpoint again");
                    drop(pipeline);
                    tokio::select! {
                        biased;
                        () = shutdown.as_mut() => return Ok(Stop::Shutdown),
                        () = tokio::time::sleep(wait) => {}
                    }
                }
            }
        }
    }
}

/// Opens a session, trying again as the policy says.
async fn open(parts: &Parts, failures: &mut Failures) -> Result<Session, ScanError> {
    loop {
        let error = match parts.open().await {
            Ok(session) => {
                if failures.clear(Stage::Open) {
                    parts.notice(Notice::Recovered(Stage::Open));
                }
                return Ok(session);
            }
            Err(error) => error,
        };
        let wait = retry_wait(parts, failures, Stage::Open, error)?;
        tokio::time::sleep(wait).await;
    }
}

/// Counts a failure of something that has no session yet; returns how long to wait before the next try.
pub(crate) fn retry_wait(
    parts: &Parts,
    failures: &mut Failures,
    stage: Stage,
    error: Error,
) -> Result<Duration, ScanError> {
    let attempt = failures.count(stage);
    match parts.decide(stage, &error, attempt) {
        Action::Escalate => Err(ScanError::Escalated(error)),
        Action::Halt => Err(ScanError::Halted(error)),
        Action::Reinit | Action::Retry => Ok(wait_after(&error, attempt, &parts.options.limits)),
    }
}

/// Says why a run ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The source has nothing more to tell.
    Idle,
    /// The height of [`ScanOptions::until`] is final.
    Reached,
    /// The shutdown future completed.
    Shutdown,
}

/// Says that a run ended because of a failure.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScanError {
    /// It went on for longer than the budget; another try later, or another node, may help.
    Escalated(Error),
    /// Nothing helps until a person has changed something.
    Halted(Error),
}

impl ScanError {
    /// Returns what failed.
    #[must_use]
    pub fn error(&self) -> &Error {
        match self {
            Self::Escalated(error) | Self::Halted(error) => error,
        }
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error().fmt(f)
    }
}

impl std::error::Error for ScanError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error().source()
    }
}

impl From<ScanError> for Error {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Escalated(error) | ScanError::Halted(error) => error,
        }
    }
}
