//! Stops the program at a chosen instant, so that a test can kill it there.
//!
//! In debug builds only: `OBSERVE_FAILPOINT=STAGE:N` makes the N-th passage of a stage say so on standard error and then
//! stand still for ever. `OBSERVE_SWAP_COMMIT=1` breaks the order of the commit on purpose: the position is stored before
//! what was found up to it. A test that kills must notice that.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use async_trait::async_trait;
use nodewright::core::{
    BlockPoint, BlockReport, ChainAdapter, ObservationSource, Result, Revision, ScanBatch, ScanEvent, ScanSink, Scope,
    Stored, WatchItem, WatchSet,
};
use nodewright::stores::SqliteSink;

/// Names an instant and counts down to it.
#[derive(Clone, Debug)]
pub(crate) struct Failpoint {
    stage: Stage,
    left: Arc<AtomicU32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// After a commit, before the driver knows of it.
    Commit,
    /// Before blocks are fetched.
    Fetch,
    /// Before a batch with a rollback is committed.
    Rollback,
    /// Inside the transaction of a commit, after everything was written.
    Write,
}

impl Failpoint {
    /// Reads the environment; `None` in release builds and where nothing is asked for.
    pub(crate) fn from_env() -> std::result::Result<Option<Self>, String> {
        let Some(text) = env::var("OBSERVE_FAILPOINT").ok().filter(|_| cfg!(debug_assertions)) else { return Ok(None) };
        let refused = || format!("OBSERVE_FAILPOINT is {text:?}, not commit:N, fetch:N, rollback:N or write:N");
        let (stage, count) = text.split_once(':').ok_or_else(refused)?;
        let stage = match stage {
            "commit" => Stage::Commit,
            "fetch" => Stage::Fetch,
            "rollback" => Stage::Rollback,
            "write" => Stage::Write,
            _ => return Err(refused()),
        };
        let left = count.parse().map_err(|_| refused())?;
        Ok(Some(Self { stage, left: Arc::new(AtomicU32::new(left)) }))
    }

    /// Puts the fetch stage in front of the adapter's observations.
    pub(crate) fn guard_adapter(&self, adapter: ChainAdapter) -> ChainAdapter {
        let observations = adapter.observations.clone().map(|inner| {
            let guarded: Arc<dyn ObservationSource> = Arc::new(Guarded { inner, failpoint: self.clone() });
            guarded
        });
        ChainAdapter { observations, ..adapter }
    }

    /// Puts the write stage into the sink's transaction, and the other stages around its commit.
    pub(crate) fn guard_sink(&self, sink: SqliteSink) -> Arc<dyn ScanSink> {
        let failpoint = self.clone();
        let inner = sink.with_effects(move |_, _| {
            failpoint.pass(Stage::Write);
            Ok(())
        });
        Arc::new(Guarded { inner: Arc::new(inner) as Arc<dyn ScanSink>, failpoint: self.clone() })
    }

    fn pass(&self, stage: Stage) {
        if stage != self.stage || self.left.fetch_sub(1, Ordering::SeqCst) != 1 {
            return;
        }
        eprintln!("failpoint reached");
        loop {
            thread::park();
        }
    }
}

/// Returns the sink with its commit broken on purpose, if the environment asks for that.
pub(crate) fn swapped(sink: Arc<dyn ScanSink>) -> Arc<dyn ScanSink> {
    if cfg!(debug_assertions) && env::var_os("OBSERVE_SWAP_COMMIT").is_some() { Arc::new(Swapped(sink)) } else { sink }
}

#[derive(Debug)]
struct Guarded<T: ?Sized> {
    inner: Arc<T>,
    failpoint: Failpoint,
}

#[async_trait]
impl ObservationSource for Guarded<dyn ObservationSource> {
    fn watch(&self, text: &str) -> Result<WatchItem> {
        self.inner.watch(text)
    }

    async fn observe(&self, points: &[BlockPoint], watch: &WatchSet) -> Result<Vec<BlockReport>> {
        self.failpoint.pass(Stage::Fetch);
        self.inner.observe(points, watch).await
    }
}

#[async_trait]
impl ScanSink for Guarded<dyn ScanSink> {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        self.inner.load(scope).await
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        if batch.records.iter().any(|record| matches!(record.event, ScanEvent::RollBack { .. })) {
            self.failpoint.pass(Stage::Rollback);
        }
        let revision = self.inner.commit(expected, batch).await?;
        self.failpoint.pass(Stage::Commit);
        Ok(revision)
    }
}

/// Stores the checkpoint first and the records in a second commit.
#[derive(Debug)]
struct Swapped(Arc<dyn ScanSink>);

#[async_trait]
impl ScanSink for Swapped {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        self.0.load(scope).await
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        let position = ScanBatch { records: Vec::new(), checkpoint: batch.checkpoint.clone() };
        let between = self.0.commit(expected, position).await?;
        self.0.commit(between, batch).await
    }
}
