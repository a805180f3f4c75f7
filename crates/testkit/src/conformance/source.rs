//! The suite for sources: every case carries the id of the behaviour or promise in the core's documentation that it
//! checks.
//!
//! A chain crate implements [`Builder`] and [`Control`] once, over a simulator or a real node, and calls [`run_all`]. A
//! case that needs an ability which the subject lacks is reported as skipped, with the reason.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use std::any::Any;

use async_trait::async_trait;
use nodewright_core::{BlockPoint, ChainAdapter};

use crate::skip_allowed;

mod abilities;
mod headers;
mod read;
mod scan;
mod sim;

pub use sim::SimBuilder;

/// Makes subjects, each of its own.
#[async_trait]
pub trait Builder: Send + Sync {
    /// Makes a node as `scenario` says and the adapter that is under test.
    ///
    /// # Errors
    /// [`ControlError::Unsupported`] when the subject cannot be in that scenario.
    ///
    /// # Cancel safety
    /// Dropping the future drops the node.
    async fn build(&self, scenario: Scenario) -> Result<Subject, ControlError>;
}

/// Says what a node shall be like when a case begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Counts the blocks above genesis. No case wants more than [`Scenario::MOST`], and none is locked.
    pub blocks: usize,
}

impl Scenario {
    /// Is the most blocks that a case asks for at the beginning.
    pub const MOST: usize = 150;
}

/// Holds a node under test.
pub struct Subject {
    /// Is what is under test.
    pub adapter: ChainAdapter,
    /// Makes things happen on the node.
    pub control: Box<dyn Control>,
    /// Keeps the node alive.
    pub guard: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("adapter", &self.adapter).finish_non_exhaustive()
    }
}

/// Makes things happen on a node.
///
/// Every method returns when the node serves the change, and fails with [`ControlError::Unsupported`] when the node
/// cannot do it. Dropping a future may leave the change done or not.
#[async_trait]
pub trait Control: Send + Sync {
    /// Adds `count` blocks to the best chain.
    async fn grow(&self, count: usize) -> Result<(), ControlError>;

    /// Replaces the newest `depth` blocks of the best chain by `count` others, `count` being less or more than `depth`,
    /// and at least 1.
    async fn reorg(&self, depth: usize, count: usize) -> Result<(), ControlError>;

    /// Issues a certificate of a block of the best chain, which the node may not have shown yet: see [`Control::lag`].
    async fn lock(&self, point: &BlockPoint) -> Result<(), ControlError>;

    /// Returns the newest block of the best chain, which the node may not have shown yet.
    async fn head(&self) -> Result<BlockPoint, ControlError>;

    /// Restarts the node; what it keeps in memory alone is lost.
    async fn restart(&self) -> Result<(), ControlError>;

    /// Lets the node be `blocks` behind the best chain from now on; 0 lets it catch up.
    async fn lag(&self, blocks: usize) -> Result<(), ControlError>;

    /// Lets each call be answered by one of two nodes from now on, of which one is on a branch of `count` blocks that
    /// left the best chain `depth` blocks below its head.
    async fn split(&self, depth: usize, count: usize) -> Result<(), ControlError>;

    /// Ends what [`Control::split`] began.
    async fn heal(&self) -> Result<(), ControlError>;

    /// Lets the next `calls` requests fail in a way that may be retried, beyond what the source itself retries.
    async fn fail_next(&self, calls: u32) -> Result<(), ControlError>;

    /// Lets the node serve headers that were edited, so that they no longer hash to what they are asked for by, until
    /// [`Control::heal`].
    async fn edit_headers(&self) -> Result<(), ControlError>;
}

/// Says why the subject did not do what a case wants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// It tried and failed.
    #[error("the subject failed: {0}")]
    Failed(String),
    /// It lacks this ability.
    #[error("the subject cannot {0}")]
    Unsupported(&'static str),
}

/// Says how a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The subject behaves as it should.
    Passed,
    /// The subject lacks the ability that the case needs.
    Skipped(String),
    /// The subject does not behave as it should, in this way.
    Failed(String),
}

/// Holds how one case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Is the id of the behaviour or promise, such as `HS-1`.
    pub id: &'static str,
    /// Says what is expected.
    pub name: &'static str,
    /// Says how it ended.
    pub outcome: Outcome,
}

/// Runs every case, each on a subject of its own, and returns how they ended.
///
/// # Cancel safety
/// Dropping the future ends the suite.
pub async fn run(builder: &dyn Builder) -> Vec<Case> {
    let mut cases = Vec::new();
    for Entry { id, name, run } in headers::ALL.iter().chain(abilities::ALL).chain(scan::ALL) {
        let outcome = match run(builder).await {
            Ok(()) => Outcome::Passed,
            Err(Stop::Skip(reason)) => Outcome::Skipped(reason),
            Err(Stop::Fail(message)) => Outcome::Failed(message),
        };
        cases.push(Case { id, name, outcome });
    }
    cases
}

/// Runs every case and reports those that were skipped.
///
/// # Panics
/// When a case fails, after all have run: with the id, the name and the message of each that failed.
///
/// # Cancel safety
/// Dropping the future ends the suite.
pub async fn run_all(builder: &dyn Builder) {
    let cases = run(builder).await;
    let mut failures = Vec::new();
    for Case { id, name, outcome } in &cases {
        match outcome {
            Outcome::Passed => {}
            Outcome::Skipped(reason) => skip_allowed(&format!("{id} {name}: {reason}")),
            Outcome::Failed(message) => failures.push(format!("{id} {name}: {message}")),
        }
    }
    assert!(failures.is_empty(), "{} of {} cases failed:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

struct Entry {
    id: &'static str,
    name: &'static str,
    run: fn(&dyn Builder) -> Running<'_>,
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'a>>;

/// Ends a case early.
#[derive(Debug)]
enum Stop {
    Skip(String),
    Fail(String),
}

impl From<ControlError> for Stop {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Failed(_) => Self::Fail(error.to_string()),
            ControlError::Unsupported(_) => Self::Skip(error.to_string()),
        }
    }
}

impl From<nodewright_core::Error> for Stop {
    fn from(error: nodewright_core::Error) -> Self {
        Self::Fail(error.to_string())
    }
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), Stop> {
    if holds { Ok(()) } else { Err(Stop::Fail(message())) }
}

fn ability<T>(part: Option<T>, what: &str) -> Result<T, Stop> {
    part.ok_or_else(|| Stop::Skip(format!("the adapter has no {what}")))
}
