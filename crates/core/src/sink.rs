//! Where a scan's results go: events, their effects and the checkpoint commit together.

use core::fmt;

use async_trait::async_trait;

use crate::error::Result;
use crate::id::Scope;
use crate::observation::BlockReport;
use crate::scan::{Checkpoint, EventSeq, ScanEvent};

/// Stores what a scan found, and where it stands, in one step.
///
/// # Behaviour
/// - SK-1: after `commit` returns, its batch and checkpoint survive a crash (as far as the sink's medium does).
/// - SK-2: a batch is stored whole or not at all.
/// - SK-3: `commit` with an `expected` revision that is not the stored one changes nothing and fails with `Conflict`.
/// - SK-4: a scope that differs from the stored one is refused with `ScopeMismatch`; what is stored stays untouched.
/// - SK-5: records whose sequence numbers the store already holds are never stored twice.
#[async_trait]
pub trait ScanSink: fmt::Debug + Send + Sync + 'static {
    /// Returns the stored checkpoint of `scope`; `None` if nothing was stored yet.
    ///
    /// # Errors
    /// `ScopeMismatch` if the store belongs to another chain, network or shard; `InvalidData` if it cannot be read;
    /// `Storage` if the medium fails.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>>;

    /// Stores `batch` on top of the revision `expected` and returns the new revision.
    ///
    /// # Errors
    /// `Conflict`, `ScopeMismatch` and `Storage`, as above; `Inconsistent` if the batch's numbers leave a gap or go back.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the batch stored. [`ScanSink::load`] tells: the stored revision is then the one
    /// after `expected`. Reload before sending again.
    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision>;
}

/// Counts the commits of a store; 0 is a store that holds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Revision(pub u64);

impl Revision {
    /// Returns the revision that a commit on top of this one makes.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Holds what a store knew when it was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Says where the scan stands.
    pub checkpoint: Checkpoint,
    /// Is to be passed to the next commit.
    pub revision: Revision,
}

/// Holds what one commit stores.
#[derive(Clone, Debug)]
pub struct ScanBatch {
    /// Holds the events in order, with what their blocks had to say.
    pub records: Vec<ScanRecord>,
    /// Says where the scan stands after them.
    pub checkpoint: Checkpoint,
}

/// Holds one event and, for an applied block, what it had to say.
#[derive(Clone, Debug)]
pub struct ScanRecord {
    /// Numbers the event; grows by one with each event, never reused after a commit.
    pub seq: EventSeq,
    /// Says what happened.
    pub event: ScanEvent,
    /// Holds the report of the block, for an applied block of a scan that observes.
    pub report: Option<BlockReport>,
}
