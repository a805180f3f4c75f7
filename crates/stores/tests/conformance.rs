//! Every sink passes the suite.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use nodewright_core::{Error, ErrorKind, EventSeq, Result, Revision, ScanBatch, ScanRecord, ScanSink, Scope, Stored};
#[cfg(feature = "sqlite")]
use nodewright_stores::SqliteSink;
use nodewright_stores::{FileSink, LoggedRecord, MAX_PAGE, MemorySink};
use nodewright_testkit::conformance::sink::{KeptRecord, Sharing, SinkMedium, ids, run_all};
use tempfile::TempDir;

struct Memory(MemorySink);

#[async_trait]
impl SinkMedium for Memory {
    async fn open(&self) -> Result<Arc<dyn ScanSink>> {
        Ok(Arc::new(self.0.clone()))
    }

    fn sharing(&self) -> Sharing {
        Sharing::Shared
    }

    async fn log(&self) -> Result<Option<Vec<KeptRecord>>> {
        let records: Vec<ScanRecord> = self.0.records(EventSeq(0), usize::MAX);
        Ok(Some(records.iter().map(KeptRecord::from).collect()))
    }
}

struct Folder(TempDir);

#[async_trait]
impl SinkMedium for Folder {
    async fn open(&self) -> Result<Arc<dyn ScanSink>> {
        Ok(Arc::new(FileSink::open(self.0.path().join("store")).await?))
    }

    fn sharing(&self) -> Sharing {
        Sharing::Exclusive
    }

    async fn log(&self) -> Result<Option<Vec<KeptRecord>>> {
        let sink = FileSink::open(self.0.path().join("store")).await?;
        Ok(Some(sink.records(EventSeq(0), MAX_PAGE).await?.into_iter().map(kept).collect()))
    }
}

#[cfg(feature = "sqlite")]
struct Database(TempDir);

#[cfg(feature = "sqlite")]
#[async_trait]
impl SinkMedium for Database {
    async fn open(&self) -> Result<Arc<dyn ScanSink>> {
        Ok(Arc::new(SqliteSink::open(self.0.path().join("store.db")).await?))
    }

    fn sharing(&self) -> Sharing {
        Sharing::Shared
    }

    async fn log(&self) -> Result<Option<Vec<KeptRecord>>> {
        let sink = SqliteSink::open(self.0.path().join("store.db")).await?;
        Ok(Some(sink.records(EventSeq(0), MAX_PAGE).await?.into_iter().map(kept).collect()))
    }
}

fn kept(record: LoggedRecord) -> KeptRecord {
    let event = serde_json::to_string(&record.event).unwrap();
    KeptRecord { seq: record.seq, event, report: record.report }
}

#[tokio::test]
async fn the_memory_sink_passes_the_suite() {
    run_all(|| Memory(MemorySink::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_sink_passes_the_suite() {
    run_all(|| Folder(tempfile::tempdir().unwrap())).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_sink_passes_the_suite() {
    run_all(|| Database(tempfile::tempdir().unwrap())).await;
}

#[test]
fn the_suite_has_cases_for_every_behaviour_of_the_contract() {
    for behaviour in 1..=5 {
        assert!(ids().any(|id| id.starts_with(&format!("SK-{behaviour}/"))), "SK-{behaviour}");
    }
}

/// Breaks one promise.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    ForgetsEverything,
    IgnoresRevision,
    IgnoresScope,
    LosesRecordsOfLargeBatches,
    StoresLate,
    StoresTwice,
}

/// Is a sink that keeps every promise but one.
#[derive(Clone, Debug)]
struct Broken {
    flaw: Flaw,
    kept: Arc<Mutex<(Option<Stored>, Vec<ScanRecord>)>>,
}

#[async_trait]
impl ScanSink for Broken {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        let stored = self.kept.lock().unwrap().0.clone();
        if let (Some(stored), false) = (&stored, matches!(self.flaw, Flaw::IgnoresScope)) {
            stored.checkpoint.check(scope)?;
        }
        Ok(stored)
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        let refuse = |kind| Err(Error::new(kind, "commit"));
        let revision = {
            let mut kept = self.kept.lock().unwrap();
            let stored = kept.0.as_ref().map_or(Revision(0), |stored| stored.revision);
            let next = kept.0.as_ref().map(|stored| stored.checkpoint.next_seq);
            if let (Some(stored), false) = (&kept.0, matches!(self.flaw, Flaw::IgnoresScope)) {
                stored.checkpoint.check(&batch.checkpoint.scope)?;
            }
            if stored != expected && !matches!(self.flaw, Flaw::IgnoresRevision) {
                return refuse(ErrorKind::Conflict);
            }
            let first = batch.records.first().map_or(batch.checkpoint.next_seq, |record| record.seq);
            let mut seqs = first.0..;
            let is_gapless = batch.records.iter().all(|record| seqs.next() == Some(record.seq.0))
                && seqs.start == batch.checkpoint.next_seq.0;
            if !is_gapless || next.is_some_and(|next| next < first || batch.checkpoint.next_seq < next) {
                return refuse(ErrorKind::Inconsistent);
            }
            let keeps = if matches!(self.flaw, Flaw::LosesRecordsOfLargeBatches) { 1_000 } else { usize::MAX };
            let is_new = |record: &ScanRecord| {
                matches!(self.flaw, Flaw::StoresTwice) || next.is_none_or(|next| record.seq >= next)
            };
            kept.1.extend(batch.records.into_iter().filter(is_new).take(keeps));
            kept.0 = Some(Stored { checkpoint: batch.checkpoint, revision: stored.next() });
            stored.next()
        };
        if matches!(self.flaw, Flaw::StoresLate) {
            // The checkpoint is there, and the records follow when the future is polled again.
            let tail = self.kept.lock().unwrap().1.pop();
            tokio::task::yield_now().await;
            self.kept.lock().unwrap().1.extend(tail);
        }
        Ok(revision)
    }
}

#[async_trait]
impl SinkMedium for Broken {
    async fn open(&self) -> Result<Arc<dyn ScanSink>> {
        match self.flaw {
            Flaw::ForgetsEverything => Ok(Arc::new(Self { flaw: self.flaw, kept: Arc::default() })),
            _ => Ok(Arc::new(self.clone())),
        }
    }

    fn sharing(&self) -> Sharing {
        Sharing::Shared
    }

    async fn log(&self) -> Result<Option<Vec<KeptRecord>>> {
        Ok(Some(self.kept.lock().unwrap().1.iter().map(KeptRecord::from).collect()))
    }
}

#[tokio::test]
async fn a_sink_that_breaks_one_promise_fails_the_case_of_that_promise() {
    let flaws = [
        (Flaw::ForgetsEverything, "SK-1/survives-reopening"),
        (Flaw::IgnoresRevision, "SK-3/other-revision"),
        (Flaw::IgnoresScope, "SK-4/other-scope"),
        (Flaw::LosesRecordsOfLargeBatches, "SK-2/large-batch"),
        (Flaw::StoresLate, "SK-2/dropped-commit-is-whole-or-nothing"),
        (Flaw::StoresTwice, "SK-5/batch-sent-again"),
    ];
    for (flaw, id) in flaws {
        let outcome = tokio::spawn(run_all(move || Broken { flaw, kept: Arc::default() })).await;
        let panic = outcome.unwrap_err().into_panic();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains(&format!("\n{id}: ")), "{flaw:?} gave: {message}");
    }
}
