//! The third lane: commits batches, and finds out about a commit whose answer was a failure.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use nodewright_core::{
    BlockHeight, Checkpoint, Error, ErrorKind, EventSeq, Revision, ScanBatch, ScanEvent, ScanRecord, ScanSink, Stored,
};

use crate::observer::FollowUps;

/// Is a commit under way, with what is to be done when it has landed.
pub(crate) struct Commit<'a> {
    pub(crate) outcome: BoxFuture<'a, Outcome>,
    pub(crate) sent: Sent,
}

/// Remembers what a batch held.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Counts its records.
    pub(crate) events: usize,
    /// Counts its blocks.
    pub(crate) blocks: u64,
    /// Is the number of its last record, if it has one.
    pub(crate) last_seq: Option<EventSeq>,
    /// Is the height of the newest final block after it.
    pub(crate) finalized: BlockHeight,
    /// Holds what is followed after it.
    pub(crate) followed: Arc<FollowUps>,
    /// Holds the records for the listener; empty if there is none.
    pub(crate) told: Vec<ScanRecord>,
    /// Holds the rollbacks and holds for the log.
    pub(crate) turns: Vec<ScanEvent>,
}

/// Says how a commit ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The batch is stored, whatever the first answer was.
    Landed(Revision),
    /// The batch is not stored, or it cannot be told.
    Failed(Error),
}

impl<'a> Commit<'a> {
    pub(crate) fn send(
        sink: &'a dyn ScanSink,
        expected: Revision,
        batch: ScanBatch,
        followed: Arc<FollowUps>,
        tell: bool,
    ) -> Self {
        let turn = |event: &&ScanEvent| !matches!(event, ScanEvent::Apply(_) | ScanEvent::Finalize(_));
        let blocks = batch.records.iter().filter(|record| matches!(record.event, ScanEvent::Apply(_))).count();
        let sent = Sent {
            events: batch.records.len(),
            blocks: u64::try_from(blocks).unwrap_or(u64::MAX),
            last_seq: batch.records.last().map(|record| record.seq),
            finalized: batch.checkpoint.finalized.id.height,
            followed,
            told: if tell { batch.records.clone() } else { Vec::new() },
            turns: batch.records.iter().map(|record| &record.event).filter(turn).cloned().collect(),
        };
        Self { outcome: Box::pin(commit(sink, expected, batch)), sent }
    }
}

/// Commits, and if that fails looks whether it landed all the same.
async fn commit(sink: &dyn ScanSink, expected: Revision, batch: ScanBatch) -> Outcome {
    let ours = batch.checkpoint.clone();
    let error = match sink.commit(expected, batch).await {
        Ok(revision) => return Outcome::Landed(revision),
        Err(error) => error,
    };
    match sink.load(&ours.scope).await {
        Ok(Some(Stored { checkpoint, revision })) if revision == expected.next() && is_same(&checkpoint, &ours) => {
            tracing::info!(%revision, %error, "a commit that was reported as failed had landed");
            Outcome::Landed(revision)
        }
        Ok(stored) => {
            let found = stored.map_or(Revision::default(), |stored| stored.revision);
            if found == expected {
                return Outcome::Failed(error);
            }
            Outcome::Failed(
                Error::new(ErrorKind::Conflict, "commit")
                    .with("expected revision", expected)
                    .with("found", found)
                    .with("hint", "another scan writes to this store")
                    .because(error),
            )
        }
        Err(_) => Outcome::Failed(error),
    }
}

/// Returns whether two checkpoints describe the same place. Another scan's may have the same number of events.
fn is_same(stored: &Checkpoint, ours: &Checkpoint) -> bool {
    stored.next_seq == ours.next_seq && stored.finalized == ours.finalized && stored.unfinal == ours.unfinal
}
