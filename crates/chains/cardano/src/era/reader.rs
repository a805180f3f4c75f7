//! Core's reader of eras over any adapter, behind the guard.

use core::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use nodewright_core::{Epoch, EraPositions, EraReader, EraSchedule, Error, ErrorKind, Result, Retry};

use super::{
    Finding, GuardError, GuardFile, GuardState, GuardStateError, Judgement, MarkerOrigin, MarkerReading, MarkerSource,
    MarkerSourceError, Markers, MarkersChange, Pin, Rejected,
};
use crate::node::ChainReader;

/// Reads the eras of a Mithril network from any adapter, and lets through only what the guard believes.
///
/// With a [`GuardFile`] it remembers across restarts what it has accepted; without one it trusts its first reading anew
/// after each start, within the [`Pin`]s that it was given.
#[derive(Debug)]
pub struct MithrilEraReader {
    source: Arc<dyn MarkerSource>,
    positions: Arc<dyn PositionSource>,
    pins: Vec<Pin>,
    guard: Arc<Guarded>,
    last: Mutex<Option<EraReading>>,
}

impl MithrilEraReader {
    /// Makes a reader of the markers of `source`, with positions of the chain from `positions`.
    #[must_use]
    pub fn new(source: Arc<dyn MarkerSource>, positions: Arc<dyn PositionSource>) -> Self {
        let guard = Arc::new(Guarded { state: Mutex::new(GuardState::new("")), file: None });
        Self { source, positions, pins: Vec::new(), guard, last: Mutex::new(None) }
    }

    /// Adds published facts about the network, see [`Pin::known`].
    #[must_use]
    pub fn with_pins(mut self, pins: Vec<Pin>) -> Self {
        self.pins = pins;
        self
    }

    /// Starts from the state in `file` and keeps it there. It blocks while the file is read.
    ///
    /// # Errors
    /// [`GuardStateError`] when the file is there and cannot be believed.
    pub fn with_file(mut self, file: GuardFile) -> core::result::Result<Self, GuardStateError> {
        let state = Mutex::new(file.load()?);
        self.guard = Arc::new(Guarded { state, file: Some(file) });
        Ok(self)
    }

    /// Returns what the last successful reading showed; `None` before the first.
    #[must_use]
    pub fn last(&self) -> Option<EraReading> {
        lock(&self.last).clone()
    }

    /// Reads the markers and says all there is to say about them.
    ///
    /// # Errors
    /// When they cannot be read, or the guard believes none of them.
    ///
    /// # Cancel safety
    /// What the guard accepted stays accepted, though the answer is lost.
    pub async fn read(&self) -> Result<EraReading> {
        let reading = self.source.read().await?;
        let epoch = match reading.tip {
            Some(tip) => tip.epoch,
            None => head_epoch(&self.positions.positions().await?)?,
        };
        let (guard, pins) = (Arc::clone(&self.guard), self.pins.clone());
        let judged = tokio::task::spawn_blocking(move || guard.judge(reading, &pins, epoch)).await;
        let reading = judged.map_err(|error| Error::new(ErrorKind::Storage, OP).because(error))??;
        for finding in &reading.findings {
            tracing::debug!(%finding, "era markers");
        }
        *lock(&self.last) = Some(reading.clone());
        Ok(reading)
    }
}

#[async_trait]
impl EraReader for MithrilEraReader {
    async fn schedule(&self) -> Result<EraSchedule> {
        Ok(self.read().await?.schedule)
    }

    async fn positions(&self) -> Result<EraPositions> {
        let positions = self.positions.positions().await?;
        head_epoch(&positions)?;
        Ok(positions)
    }
}

/// Is what a reading showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EraReading {
    /// Is the schedule.
    pub schedule: EraSchedule,
    /// Is the list that states it, in its own order.
    pub markers: Markers,
    /// Is where the list was read.
    pub origin: MarkerOrigin,
    /// Is the epoch in which it was read.
    pub epoch: Epoch,
    /// Says how it relates to the list before.
    pub change: MarkersChange,
    /// Holds what an operator should know.
    pub findings: Vec<Finding>,
    /// Holds what was there and was not valid.
    pub rejected: Vec<Rejected>,
}

/// Says where the chain stands, for adapters that read no chain.
///
/// Dropping the future loses nothing but the answer.
#[async_trait]
pub trait PositionSource: Debug + Send + Sync + 'static {
    /// Returns where the chain stands; every position has an epoch.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    async fn positions(&self) -> Result<EraPositions>;
}

/// Takes positions from a node.
///
/// As Mithril's own nodes do, it takes the epoch of the node's tip for the one that holds. In the first hours of an epoch
/// the chain may still go back behind its edge, by `k` blocks at most; whoever must not decide before that gives a
/// [`PositionSource`] of their own, whose finalized position lags.
#[derive(Debug)]
pub struct NodePositions {
    node: Arc<dyn ChainReader>,
}

impl NodePositions {
    /// Makes a source over `node`.
    #[must_use]
    pub fn new(node: Arc<dyn ChainReader>) -> Self {
        Self { node }
    }
}

#[async_trait]
impl PositionSource for NodePositions {
    async fn positions(&self) -> Result<EraPositions> {
        let head = self.node.tip().await?.position();
        Ok(EraPositions { head, finalized: Some(head) })
    }
}

/// Holds positions that the program sets: what an aggregator reports, or the clock of a test.
#[derive(Debug, Default)]
pub struct SetPositions {
    positions: Mutex<EraPositions>,
}

impl SetPositions {
    /// Takes the first positions.
    #[must_use]
    pub fn new(positions: EraPositions) -> Self {
        Self { positions: Mutex::new(positions) }
    }

    /// Takes other positions.
    pub fn set(&self, positions: EraPositions) {
        *lock(&self.positions) = positions;
    }
}

#[async_trait]
impl PositionSource for SetPositions {
    async fn positions(&self) -> Result<EraPositions> {
        Ok(*lock(&self.positions))
    }
}

#[derive(Debug)]
struct Guarded {
    state: Mutex<GuardState>,
    file: Option<GuardFile>,
}

impl Guarded {
    /// Judges a reading, stores what follows, and only then goes on from it. It blocks.
    fn judge(&self, reading: MarkerReading, pins: &[Pin], epoch: Epoch) -> Result<EraReading> {
        let mut state = lock(&self.state);
        let Judgement { markers, origin, change, findings, state: next } = state.judge(&reading, pins, epoch)?;
        let schedule = markers.schedule()?;
        if let Some(file) = self.file.as_ref().filter(|_| next != *state) {
            file.save(&next)?;
        }
        *state = next;
        Ok(EraReading { schedule, markers, origin, epoch, change, findings, rejected: reading.rejected })
    }
}

impl From<MarkerSourceError> for Error {
    fn from(error: MarkerSourceError) -> Self {
        match error {
            MarkerSourceError::Node(error) => error.into(),
            MarkerSourceError::Schedule(error) => error.into(),
            MarkerSourceError::File { .. } => {
                Self::new(ErrorKind::Storage, OP).with_retry(Retry::After(None)).because(error)
            }
            // A file is not written at one stroke by everyone.
            MarkerSourceError::Markers { .. } => {
                Self::new(ErrorKind::InvalidData, OP).with_retry(Retry::After(None)).because(error)
            }
        }
    }
}

impl From<GuardError> for Error {
    fn from(error: GuardError) -> Self {
        let (kind, retry) = match &error {
            GuardError::Behind { .. } => (ErrorKind::WarmingUp, Retry::After(None)),
            GuardError::NoneValid { .. } | GuardError::AllRefused { .. } => (ErrorKind::Unverified, Retry::Never),
            GuardError::Ambiguous { .. } => (ErrorKind::Inconsistent, Retry::Never),
        };
        Self::new(kind, OP).with_retry(retry).because(error)
    }
}

impl From<GuardStateError> for Error {
    fn from(error: GuardStateError) -> Self {
        let kind = match &error {
            GuardStateError::Io { .. } => ErrorKind::Storage,
            GuardStateError::Scope { .. } => ErrorKind::ScopeMismatch,
            GuardStateError::Signature(_) => ErrorKind::Unverified,
            GuardStateError::Format(_) | GuardStateError::Json(_) | GuardStateError::TooLarge { .. } => {
                ErrorKind::InvalidData
            }
        };
        Self::new(kind, OP).because(error)
    }
}

fn head_epoch(positions: &EraPositions) -> Result<Epoch> {
    positions.head.epoch.ok_or_else(|| Error::new(ErrorKind::Inconsistent, OP).with("missing", "epoch of the head"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What the locks guard is replaced as a whole, so a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const OP: &str = "read era markers";
