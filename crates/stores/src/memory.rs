//! A sink that forgets everything when it is dropped.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use nodewright_core::{EventSeq, Result, Revision, ScanBatch, ScanRecord, ScanSink, Scope, Stored};

use crate::plan::{self, Standing};

/// Keeps a scan's records and checkpoint in memory, for tests and short runs.
///
/// Clones share what is stored. It needs no runtime, and its calls never wait.
#[derive(Clone)]
pub struct MemorySink {
    kept: Arc<Mutex<Kept>>,
    limit: usize,
}

#[derive(Default)]
struct Kept {
    stored: Option<Stored>,
    records: VecDeque<ScanRecord>,
}

impl MemorySink {
    /// Makes an empty sink that keeps every record: memory grows with the scan.
    #[must_use]
    pub fn new() -> Self {
        Self::keeping(usize::MAX)
    }

    /// Makes an empty sink that keeps the newest `limit` records, so that memory stays bounded.
    #[must_use]
    pub fn keeping(limit: usize) -> Self {
        Self { kept: Arc::default(), limit }
    }

    /// Returns up to `limit` kept records, those with number `from` and after, in order.
    #[must_use]
    pub fn records(&self, from: EventSeq, limit: usize) -> Vec<ScanRecord> {
        self.kept().records.iter().skip_while(|record| record.seq < from).take(limit).cloned().collect()
    }

    /// Returns the stored checkpoint with its revision, whatever its scope; `None` if nothing was stored yet.
    #[must_use]
    pub fn stored(&self) -> Option<Stored> {
        self.kept().stored.clone()
    }

    /// Locks; a panic elsewhere cannot leave half a batch behind, because storing is the last step and cannot fail.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemorySink {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemorySink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept();
        let revision = kept.stored.as_ref().map(|stored| stored.revision);
        f.debug_struct("MemorySink")
            .field("revision", &revision)
            .field("records", &kept.records.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ScanSink for MemorySink {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        let stored = self.stored();
        if let Some(stored) = &stored {
            stored.checkpoint.check(scope)?;
        }
        Ok(stored)
    }

    async fn commit(&self, expected: Revision, mut batch: ScanBatch) -> Result<Revision> {
        let mut kept = self.kept();
        let standing = kept.stored.as_ref().map(Standing::from);
        plan::admit(standing.as_ref(), expected, &mut batch)?;
        let revision = expected.next();
        kept.records.extend(batch.records);
        let excess = kept.records.len().saturating_sub(self.limit);
        kept.records.drain(..excess);
        kept.stored = Some(Stored { checkpoint: batch.checkpoint, revision });
        Ok(revision)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::future::Future;
    use std::ops::Range;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use nodewright_core::{
        BlockHash, BlockHeight, BlockId, BlockTime, ChainId, Checkpoint, Evidence, EvidenceClaim, Header, NetworkId,
        ScanEvent,
    };

    use super::*;

    pub(crate) fn scope() -> Scope {
        let network = NetworkId { name: "regtest".to_owned(), genesis: BlockHash([3; 32]) };
        Scope { chain: ChainId::new("dash"), network, shard: None }
    }

    pub(crate) fn header(height: u64) -> Header {
        let hash = |height: u64| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&height.to_le_bytes());
            BlockHash(bytes)
        };
        let id = BlockId { height: BlockHeight(height), hash: hash(height) };
        Header { point: id.into(), parent: hash(height.wrapping_sub(1)), time: BlockTime(height) }
    }

    /// Applies block `n` as event `n`.
    pub(crate) fn batch(seqs: Range<u64>) -> ScanBatch {
        let finalized = header(0).point;
        let checkpoint = Checkpoint {
            format: Checkpoint::FORMAT,
            scope: scope(),
            next_seq: EventSeq(seqs.end),
            finalized,
            finality: EvidenceClaim::from(Evidence::anchor(finalized.id)),
            unfinal: (seqs.end.saturating_sub(5)..seqs.end).map(|height| header(height).point).collect(),
            history: Vec::new(),
            pending: Vec::new(),
            notes: None,
        };
        let apply = |n| ScanRecord { seq: EventSeq(n), event: ScanEvent::Apply(header(n)), report: None };
        ScanBatch { records: seqs.map(apply).collect(), checkpoint }
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("the memory sink waited"),
        }
    }

    #[test]
    fn it_keeps_no_more_records_than_its_limit() {
        let sink = MemorySink::keeping(3);
        let mut revision = Revision(0);
        for from in [0, 2, 4] {
            revision = now(sink.commit(revision, batch(from..from + 2))).unwrap();
        }
        let seqs: Vec<_> = sink.records(EventSeq(0), 99).iter().map(|record| record.seq.0).collect();
        assert_eq!(seqs, [3, 4, 5]);
        assert_eq!(sink.records(EventSeq(4), 1).len(), 1);
        assert_eq!(now(sink.load(&scope())).unwrap().unwrap().checkpoint.next_seq, EventSeq(6));
    }
}
