//! What every sink checks before it stores a batch.

use nodewright_core::{
    BlockPoint, Checkpoint, CheckpointError, Error, ErrorKind, EventSeq, Revision, ScanBatch, ScanEvent, ScanRecord,
    Scope, Stored,
};

/// Holds what a store must know of itself to accept or refuse a batch.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) scope: Scope,
    pub(crate) revision: Revision,
    pub(crate) next_seq: EventSeq,
}

impl From<&Stored> for Standing {
    fn from(stored: &Stored) -> Self {
        let Checkpoint { scope, next_seq, .. } = &stored.checkpoint;
        Self { scope: scope.clone(), revision: stored.revision, next_seq: *next_seq }
    }
}

/// Removes from `batch` the records that the store holds already; what remains is to be stored with the checkpoint.
///
/// # Errors
/// One [`PlanError`] for each reason to refuse; then nothing may be stored.
pub(crate) fn admit(standing: Option<&Standing>, expected: Revision, batch: &mut ScanBatch) -> Result<(), PlanError> {
    let scope = standing.map_or(&batch.checkpoint.scope, |standing| &standing.scope);
    batch.checkpoint.check(scope)?;
    let stored = standing.map_or(Revision(0), |standing| standing.revision);
    if stored != expected {
        return Err(PlanError::Conflict { expected, stored });
    }

    let first = batch.records.first().map_or(batch.checkpoint.next_seq, |record| record.seq);
    let mut next = first;
    for record in &batch.records {
        if record.seq != next {
            return Err(PlanError::OutOfSequence { expected: next, found: record.seq });
        }
        check_report(record)?;
        next = next.next();
    }
    if batch.checkpoint.next_seq != next {
        return Err(PlanError::OutOfSequence { expected: next, found: batch.checkpoint.next_seq });
    }
    let Some(standing) = standing else {
        return Ok(());
    };
    if first > standing.next_seq {
        return Err(PlanError::OutOfSequence { expected: standing.next_seq, found: first });
    }
    if next < standing.next_seq {
        return Err(PlanError::GoesBack { stored: standing.next_seq, found: next });
    }
    batch.records.retain(|record| record.seq >= standing.next_seq);
    Ok(())
}

/// Checks that everything in a report is of the block that the event applies.
fn check_report(record: &ScanRecord) -> Result<(), PlanError> {
    let Some(report) = &record.report else {
        return Ok(());
    };
    let misplaced = |found| Err(PlanError::Misplaced { seq: record.seq, found });
    let ScanEvent::Apply(header) = &record.event else {
        return misplaced(report.point);
    };
    let payments = report.observations.iter().chain(report.near_misses.iter().map(|miss| &miss.observation));
    let blocks = payments.map(|payment| payment.block).chain(report.spends.iter().map(|spend| spend.block));
    match core::iter::once(report.point).chain(blocks).find(|point| *point != header.point) {
        Some(found) => misplaced(found),
        None => Ok(()),
    }
}

/// Says why a batch is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Its checkpoint cannot be stored here.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Another writer was faster.
    #[error("store is at revision {stored}, the batch expects {expected}")]
    Conflict {
        /// Is the revision that the batch builds on.
        expected: Revision,
        /// Is the revision that is stored.
        stored: Revision,
    },
    /// Its checkpoint is older than the stored one.
    #[error("store continues at event {stored}, the batch ends before {found}")]
    GoesBack {
        /// Numbers the event that the store waits for.
        stored: EventSeq,
        /// Numbers the event that the batch's checkpoint waits for.
        found: EventSeq,
    },
    /// A report belongs to another block than its event, or to an event that applies none.
    #[error("report of event {seq} speaks of another block: {found:?}")]
    Misplaced {
        /// Numbers the event.
        seq: EventSeq,
        /// Locates the block that the report speaks of.
        found: BlockPoint,
    },
    /// Its numbers leave a gap or repeat.
    #[error("event {expected} was to come, not {found}")]
    OutOfSequence {
        /// Numbers the event that was to come.
        expected: EventSeq,
        /// Numbers the event that came.
        found: EventSeq,
    },
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        let kind = match error {
            PlanError::Checkpoint(error) => return error.into(),
            PlanError::Conflict { .. } => ErrorKind::Conflict,
            PlanError::GoesBack { .. } | PlanError::Misplaced { .. } | PlanError::OutOfSequence { .. } => {
                ErrorKind::Inconsistent
            }
        };
        Self::new(kind, "commit").because(error)
    }
}

#[cfg(test)]
mod tests {
    use nodewright_core::{BlockHash, BlockId, BlockReport, ErrorKind, ScanRecord};

    use super::*;
    use crate::memory::tests::{batch, header, scope};

    fn standing(next: u64) -> Standing {
        Standing { scope: scope(), revision: Revision(3), next_seq: EventSeq(next) }
    }

    fn kept(next: u64, batch: &ScanBatch) -> Result<Vec<u64>, PlanError> {
        let mut batch = batch.clone();
        admit(Some(&standing(next)), Revision(3), &mut batch)?;
        Ok(batch.records.iter().map(|record| record.seq.0).collect())
    }

    #[test]
    fn only_records_that_are_not_held_remain() {
        assert_eq!(kept(5, &batch(5..8)), Ok(vec![5, 6, 7]));
        assert_eq!(kept(7, &batch(5..8)), Ok(vec![7]));
        assert_eq!(kept(8, &batch(5..8)), Ok(vec![]));
        assert_eq!(kept(8, &batch(8..8)), Ok(vec![]));
    }

    #[test]
    fn gaps_repeats_and_steps_back_are_refused() {
        let out = |expected, found| PlanError::OutOfSequence { expected: EventSeq(expected), found: EventSeq(found) };
        assert_eq!(kept(4, &batch(5..8)), Err(out(4, 5)));
        assert_eq!(kept(4, &batch(5..5)), Err(out(4, 5)));
        assert_eq!(kept(9, &batch(5..8)), Err(PlanError::GoesBack { stored: EventSeq(9), found: EventSeq(8) }));
        let mut holed = batch(5..8);
        holed.records.remove(1);
        assert_eq!(kept(5, &holed), Err(out(6, 7)));
        let mut short = batch(5..8);
        short.checkpoint.next_seq = EventSeq(7);
        assert_eq!(kept(5, &short), Err(out(8, 7)));
    }

    #[test]
    fn a_scope_is_refused_before_a_revision() {
        let mut other = batch(0..1);
        other.checkpoint.scope.network.genesis = BlockHash([9; 32]);
        let error = admit(Some(&standing(0)), Revision(77), &mut other).unwrap_err();
        assert_eq!(Error::from(error).kind(), ErrorKind::ScopeMismatch);
    }

    #[test]
    fn an_empty_store_takes_any_first_number_but_only_revision_zero() {
        assert_eq!(admit(None, Revision(0), &mut batch(500..502)), Ok(()));
        let conflict = PlanError::Conflict { expected: Revision(1), stored: Revision(0) };
        assert_eq!(admit(None, Revision(1), &mut batch(0..2)), Err(conflict));
    }

    #[test]
    fn a_report_of_another_block_is_refused() {
        let mut wrong = batch(5..6);
        let point = BlockPoint::from(BlockId { hash: BlockHash([7; 32]), ..header(5).point.id });
        wrong.records[0].report = Some(BlockReport { point, ..BlockReport::default() });
        assert_eq!(kept(5, &wrong), Err(PlanError::Misplaced { seq: EventSeq(5), found: point }));
        let seq = EventSeq(5);
        wrong.records[0] = ScanRecord { seq, event: ScanEvent::Resume, report: Some(BlockReport::default()) };
        assert_eq!(kept(5, &wrong), Err(PlanError::Misplaced { seq, found: BlockPoint::default() }));
    }
}
