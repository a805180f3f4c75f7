//! A gate at every await point: it counts them, and at the chosen one it stays shut and says so.

use std::future::{Future, pending};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use nodewright_core::{
    BlockPoint, BlockReport, ChainAdapter, Evidence, EvidenceClaim, EvidenceSource, Extension, HeaderSource,
    Membership, ObservationSource, Result, Revision, ScanBatch, ScanSink, Scope, Stored, WatchItem, WatchSet,
};
use tokio::sync::Notify;

/// Counts the awaits that pass it.
#[derive(Debug, Default)]
pub struct Gate {
    passed: AtomicU64,
    shut_at: AtomicU64,
    reached: Notify,
}

impl Gate {
    /// Stays shut at the `n`-th pass from now; never if `n` is 0.
    pub fn shut_at(&self, n: u64) {
        self.passed.store(0, Ordering::SeqCst);
        self.shut_at.store(n, Ordering::SeqCst);
    }

    /// Passes, after giving others a turn.
    pub async fn pass(&self) {
        tokio::task::yield_now().await;
        let passed = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if passed == self.shut_at.load(Ordering::SeqCst) {
            self.reached.notify_one();
            pending::<()>().await;
        }
    }

    /// Runs `future` until it ends, or until the gate shuts, and then drops it.
    pub async fn cut_off<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.reached.notified() => None,
            output = future => Some(output),
        }
    }
}

/// Puts a gate before and after each call of what it wraps.
#[derive(Debug)]
pub struct Gated<T: ?Sized> {
    pub gate: Arc<Gate>,
    pub inner: Arc<T>,
}

/// Puts `gate` around every part of `adapter` that a scan needs.
pub fn gated(adapter: ChainAdapter, gate: &Arc<Gate>) -> ChainAdapter {
    fn wrap<T: ?Sized>(inner: Arc<T>, gate: &Arc<Gate>) -> Arc<Gated<T>> {
        Arc::new(Gated { gate: Arc::clone(gate), inner })
    }
    ChainAdapter {
        headers: wrap(adapter.headers, gate),
        observations: adapter.observations.map(|part| wrap(part, gate) as Arc<dyn ObservationSource>),
        evidence: adapter.evidence.map(|part| wrap(part, gate) as Arc<dyn EvidenceSource>),
        ..adapter
    }
}

#[async_trait]
impl HeaderSource for Gated<dyn HeaderSource> {
    async fn scope(&self) -> Result<Scope> {
        self.gate.pass().await;
        let answer = self.inner.scope().await;
        self.gate.pass().await;
        answer
    }

    async fn extend(&self, locator: &[BlockPoint], max: NonZeroU32) -> Result<Extension> {
        self.gate.pass().await;
        let answer = self.inner.extend(locator, max).await;
        self.gate.pass().await;
        answer
    }

    async fn membership(&self, point: &BlockPoint) -> Result<Membership> {
        self.gate.pass().await;
        let answer = self.inner.membership(point).await;
        self.gate.pass().await;
        answer
    }
}

#[async_trait]
impl ObservationSource for Gated<dyn ObservationSource> {
    fn watch(&self, text: &str) -> Result<WatchItem> {
        self.inner.watch(text)
    }

    async fn observe(&self, points: &[BlockPoint], watch: &WatchSet) -> Result<Vec<BlockReport>> {
        self.gate.pass().await;
        let answer = self.inner.observe(points, watch).await;
        self.gate.pass().await;
        answer
    }
}

#[async_trait]
impl EvidenceSource for Gated<dyn EvidenceSource> {
    async fn evidence(&self, window: &[BlockPoint]) -> Result<Vec<Evidence>> {
        self.gate.pass().await;
        let answer = self.inner.evidence(window).await;
        self.gate.pass().await;
        answer
    }

    async fn verify(&self, claim: &EvidenceClaim) -> Result<Evidence> {
        self.gate.pass().await;
        let answer = self.inner.verify(claim).await;
        self.gate.pass().await;
        answer
    }
}

#[async_trait]
impl ScanSink for Gated<dyn ScanSink> {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        self.gate.pass().await;
        let answer = self.inner.load(scope).await;
        self.gate.pass().await;
        answer
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        self.gate.pass().await;
        let answer = self.inner.commit(expected, batch).await;
        self.gate.pass().await;
        answer
    }
}
