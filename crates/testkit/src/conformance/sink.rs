//! The suite for sinks: every case carries the id of the behaviour in [`ScanSink`]'s documentation that it checks.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::Poll;
use std::sync::Arc;

use async_trait::async_trait;
use nodewright_core::{BlockReport, ErrorKind, EventSeq, Result, Revision, ScanBatch, ScanRecord, ScanSink, Stored};
use tokio::task::JoinError;

use crate::skip_allowed;

mod cases;
mod play;

pub use play::Play;

/// Is what a store is kept on, such as a temporary folder, which goes away with this value.
#[async_trait]
pub trait SinkMedium: Send + Sync + 'static {
    /// Opens a sink on this medium; what earlier sinks stored is there.
    async fn open(&self) -> Result<Arc<dyn ScanSink>>;

    /// Says how many sinks may be open at once.
    fn sharing(&self) -> Sharing;

    /// Returns everything that is stored, in the order in which the store gives it; `None` if the sink keeps no records.
    /// No sink is open meanwhile.
    async fn log(&self) -> Result<Option<Vec<KeptRecord>>>;
}

/// Says how many sinks may be open on one medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Only one: the next is refused with `Conflict`.
    Exclusive,
    /// Several; they see each other's commits.
    Shared,
}

/// Holds a stored record in the form that every sink can give it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRecord {
    /// Numbers the event.
    pub seq: EventSeq,
    /// Is the JSON of the event, as its `Serialize` makes it.
    pub event: String,
    /// Is the report of the block.
    pub report: Option<BlockReport>,
}

impl From<&ScanRecord> for KeptRecord {
    fn from(record: &ScanRecord) -> Self {
        let event = serde_json::to_string(&record.event).unwrap_or_else(|error| error.to_string());
        Self { seq: record.seq, event, report: record.report.clone() }
    }
}

/// Runs all cases, each on a fresh medium from `build`.
///
/// # Panics
/// When a case fails, after all have run: with the id and the message of each that failed.
///
/// # Cancel safety
/// Dropping the future ends the suite.
pub async fn run_all<M: SinkMedium>(build: impl Fn() -> M) {
    let mut failures = Vec::new();
    for case in cases::ALL {
        let subject = Subject { medium: Arc::new(build()), case: case.id };
        // A task of its own, so that one failure does not hide the next.
        let outcome = tokio::spawn((case.run)(subject)).await;
        if let Err(error) = outcome {
            failures.push(format!("{}: {}", case.id, message(error)));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases failed:\n{}", failures.len(), cases::ALL.len(), failures.join("\n"));
}

/// Returns the ids of all cases, in the order in which they run.
pub fn ids() -> impl Iterator<Item = &'static str> {
    cases::ALL.iter().map(|case| case.id)
}

struct Case {
    id: &'static str,
    run: fn(Subject) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Is the medium under test, with the steps that cases share.
#[derive(Clone)]
struct Subject {
    medium: Arc<dyn SinkMedium>,
    case: &'static str,
}

impl Subject {
    #[track_caller]
    fn ok<T>(&self, result: Result<T>) -> T {
        match result {
            Ok(value) => value,
            Err(error) => self.fail(&format!("{error}")),
        }
    }

    #[track_caller]
    fn refused<T>(&self, result: Result<T>, kind: ErrorKind) {
        match result {
            Ok(_) => self.fail(&format!("expected {kind:?}, but it was accepted")),
            Err(error) => assert_eq!(error.kind(), kind, "{}: {error}", self.case),
        }
    }

    #[track_caller]
    #[expect(clippy::panic, reason = "a suite's way to fail")]
    fn fail(&self, message: &str) -> ! {
        panic!("{message}")
    }

    async fn open(&self) -> Arc<dyn ScanSink> {
        self.ok(self.medium.open().await)
    }

    /// Opens the store anew and checks that it holds what `play` had to say up to event `next`, once each and in order.
    async fn holds(&self, play: &Play, stored: &Stored) {
        let sink = self.open().await;
        let loaded = self.ok(sink.load(&play.scope()).await);
        drop(sink);
        assert_eq!(loaded.as_ref(), Some(stored), "{}: the checkpoint after reopening", self.case);
        self.has_log(play, stored.checkpoint.next_seq).await;
    }

    /// Checks the log alone.
    async fn has_log(&self, play: &Play, next: EventSeq) {
        let Some(log) = self.ok(self.medium.log().await) else {
            skip_allowed(&format!("{}: the sink keeps no records to compare", self.case));
            return;
        };
        let expected: Vec<_> = play.records(play.first().0..next.0).iter().map(KeptRecord::from).collect();
        let seqs = |log: &[KeptRecord]| log.iter().map(|record| record.seq.0).collect::<Vec<_>>();
        assert_eq!(seqs(&log), seqs(&expected), "{}: the numbers of the stored events", self.case);
        for (kept, expected) in log.iter().zip(&expected) {
            assert_eq!(kept, expected, "{}: event {}", self.case, kept.seq);
        }
    }

    /// Checks that nothing is stored.
    async fn is_empty(&self, play: &Play) {
        let sink = self.open().await;
        assert_eq!(self.ok(sink.load(&play.scope()).await), None, "{}: nothing is stored", self.case);
        drop(sink);
        assert_eq!(self.ok(self.medium.log().await).unwrap_or_default(), [], "{}: no record is stored", self.case);
    }
}

/// Commits and returns what is stored then.
async fn commit(subject: &Subject, sink: &dyn ScanSink, expected: Revision, batch: ScanBatch) -> Stored {
    let checkpoint = batch.checkpoint.clone();
    let revision = subject.ok(sink.commit(expected, batch).await);
    assert_eq!(revision, expected.next(), "{}: a commit makes the next revision", subject.case);
    Stored { checkpoint, revision }
}

/// Polls `future` up to `polls` times, then drops it.
async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    core::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn message(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "cancelled".to_owned();
    };
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked").to_owned()
}
