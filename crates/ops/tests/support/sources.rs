//! Sources that misbehave, measure, or give hints.

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use nodewright_core::{
    BlockPoint, BlockReport, Error, ErrorKind, Extension, HeaderSource, Membership, ObservationSource, Result, Retry,
    Revision, ScanBatch, ScanSink, Scope, Stored, WakeSource, WatchItem, WatchSet,
};
use nodewright_stores::MemorySink;
use nodewright_testkit::sim::SimSource;
use tokio::sync::Notify;

use crate::support::best;

/// Fails the test when it is used.
#[derive(Debug)]
pub struct Untouchable;

#[async_trait]
impl ScanSink for Untouchable {
    async fn load(&self, _scope: &Scope) -> Result<Option<Stored>> {
        panic!("the sink was read");
    }

    async fn commit(&self, _expected: Revision, _batch: ScanBatch) -> Result<Revision> {
        panic!("the sink was written");
    }
}

#[derive(Debug)]
pub struct Refusing;

#[async_trait]
impl HeaderSource for Refusing {
    async fn scope(&self) -> Result<Scope> {
        Err(Error::new(ErrorKind::Auth, "scope").with_retry(Retry::Exhausted))
    }

    async fn extend(&self, _locator: &[BlockPoint], _max: NonZeroU32) -> Result<Extension> {
        self.scope().await.map(|_| Extension::default())
    }

    async fn membership(&self, _point: &BlockPoint) -> Result<Membership> {
        self.scope().await.map(|_| Membership::Unknown)
    }
}

#[derive(Debug, Default)]
pub struct Hint(pub Notify);

#[async_trait]
impl WakeSource for Hint {
    async fn wake(&self) {
        self.0.notified().await;
    }
}

/// Measures how far headers and blocks are fetched ahead of what is committed.
#[derive(Debug)]
pub struct Ahead {
    pub inner: SimSource,
    pub kept: MemorySink,
    pub headers: AtomicU64,
    pub blocks: AtomicU64,
}

impl Ahead {
    fn note(&self, counter: &AtomicU64, highest: Option<BlockPoint>) {
        let stored = self.kept.stored().map(|stored| stored.checkpoint);
        let tip = stored.map_or(0, |at| at.unfinal.last().unwrap_or(&at.finalized).id.height.0);
        counter.fetch_max(highest.map_or(0, |point| point.id.height.0 - tip), Ordering::SeqCst);
    }
}

#[async_trait]
impl HeaderSource for Ahead {
    async fn scope(&self) -> Result<Scope> {
        self.inner.scope().await
    }

    async fn extend(&self, locator: &[BlockPoint], max: NonZeroU32) -> Result<Extension> {
        let answer = self.inner.extend(locator, max).await?;
        self.note(&self.headers, answer.headers.last().map(|header| header.point));
        Ok(answer)
    }

    async fn membership(&self, point: &BlockPoint) -> Result<Membership> {
        self.inner.membership(point).await
    }
}

#[async_trait]
impl ObservationSource for Ahead {
    fn watch(&self, text: &str) -> Result<WatchItem> {
        self.inner.watch(text)
    }

    async fn observe(&self, points: &[BlockPoint], watch: &WatchSet) -> Result<Vec<BlockReport>> {
        self.note(&self.blocks, points.last().copied());
        self.inner.observe(points, watch).await
    }
}

/// Reorganises the chain while it is asked for a block of the old branch, and then does not have it.
#[derive(Debug)]
pub struct Vanishing {
    pub inner: SimSource,
    pub calls: AtomicU64,
    pub gone: Mutex<Vec<BlockPoint>>,
    pub forever: bool,
}

#[async_trait]
impl ObservationSource for Vanishing {
    fn watch(&self, text: &str) -> Result<WatchItem> {
        self.inner.watch(text)
    }

    async fn observe(&self, points: &[BlockPoint], watch: &WatchSet) -> Result<Vec<BlockReport>> {
        if self.calls.fetch_add(1, Ordering::SeqCst) == 4 {
            let old = best(&self.inner);
            self.gone.lock().unwrap().extend(&old[14..]);
            if !self.forever {
                self.inner.chain().reorg(6, 8);
            }
        }
        if points.iter().any(|point| self.gone.lock().unwrap().contains(point)) {
            return Err(Error::new(ErrorKind::NotFound, "observe"));
        }
        self.inner.observe(points, watch).await
    }
}

#[derive(Debug)]
pub struct Shuffling(pub SimSource);

#[async_trait]
impl ObservationSource for Shuffling {
    fn watch(&self, text: &str) -> Result<WatchItem> {
        self.0.watch(text)
    }

    async fn observe(&self, points: &[BlockPoint], watch: &WatchSet) -> Result<Vec<BlockReport>> {
        let mut reports = self.0.observe(points, watch).await?;
        reports.reverse();
        Ok(reports)
    }
}
