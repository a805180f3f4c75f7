//! A wrapper whose futures are never ready at once, so that a test can drop them half-way.

use core::future::poll_fn;
use core::num::NonZeroU32;
use core::task::Poll;

use async_trait::async_trait;
use nodewright_core::{
    BlockPoint, Evidence, EvidenceClaim, EvidenceSource, Extension, HeaderSource, Membership, Result, Revision,
    ScanBatch, ScanSink, Scope, Stored,
};

/// Makes every call of the wrapped source or sink wait once before it begins and once after its work is done.
#[derive(Clone, Debug)]
pub struct Slow<T>(pub T);

#[async_trait]
impl<T: HeaderSource> HeaderSource for Slow<T> {
    async fn scope(&self) -> Result<Scope> {
        between(self.0.scope()).await
    }

    async fn extend(&self, locator: &[BlockPoint], max: NonZeroU32) -> Result<Extension> {
        between(self.0.extend(locator, max)).await
    }

    async fn membership(&self, point: &BlockPoint) -> Result<Membership> {
        between(self.0.membership(point)).await
    }
}

#[async_trait]
impl<T: EvidenceSource> EvidenceSource for Slow<T> {
    async fn evidence(&self, window: &[BlockPoint]) -> Result<Vec<Evidence>> {
        between(self.0.evidence(window)).await
    }

    async fn verify(&self, claim: &EvidenceClaim) -> Result<Evidence> {
        between(self.0.verify(claim)).await
    }
}

#[async_trait]
impl<T: ScanSink> ScanSink for Slow<T> {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        between(self.0.load(scope)).await
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        between(self.0.commit(expected, batch)).await
    }
}

async fn between<T>(work: impl Future<Output = T>) -> T {
    wait_once().await;
    let output = work.await;
    wait_once().await;
    output
}

/// Is ready when it is polled for the second time.
async fn wait_once() {
    let mut waited = false;
    poll_fn(|context| {
        if core::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
