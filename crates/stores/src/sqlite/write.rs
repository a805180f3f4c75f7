//! Stores one batch in one transaction.

use core::fmt::Write as _;

use nodewright_core::{
    BlockPoint, BlockReport, Checkpoint, EventSeq, EvidenceClaim, Finality, NearMiss, Observation, Revision, ScanBatch,
    ScanEvent, ScanRecord, Spend,
};
use rusqlite::{Connection, OptionalExtension as _, ToSql, Transaction, TransactionBehavior, params};

use super::Effects;
use super::error::SqliteError;
use super::row::{Item, json, word};
use super::{read, schema};
use crate::plan;

/// Stores `batch`, what follows from it and the user's own writes, or nothing.
pub(super) fn commit(
    connection: &mut Connection,
    expected: Revision,
    mut batch: ScanBatch,
    effects: Option<&Effects>,
) -> Result<Revision, SqliteError> {
    // Immediate, so that nobody commits between the check of the revision and our first write.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another program may have replaced or migrated the file since it was opened.
    schema::check(&transaction)?;
    let standing = read::standing(&transaction)?;
    plan::admit(standing.as_ref(), expected, &mut batch)?;
    for record in &batch.records {
        insert_event(&transaction, record)?;
        follow(&transaction, record)?;
    }
    let revision = expected.next();
    store_checkpoint(&transaction, revision, &batch.checkpoint)?;
    if let Some(effects) = effects {
        effects(&transaction, &batch).map_err(SqliteError::Effects)?;
        if transaction.is_autocommit() {
            return Err(SqliteError::EffectsEndedTransaction);
        }
    }
    transaction.commit()?;
    Ok(revision)
}

fn insert_event(transaction: &Transaction<'_>, record: &ScanRecord) -> Result<(), SqliteError> {
    let (kind, point) = match &record.event {
        ScanEvent::Apply(header) => ("apply", Some(header.point)),
        ScanEvent::RollBack { to, .. } => ("roll_back", Some(*to)),
        ScanEvent::Finalize(finality) => ("finalize", Some(finality.point)),
        ScanEvent::Hold(_) => ("hold", None),
        ScanEvent::Resume => ("resume", None),
    };
    let reward = record.report.as_ref().and_then(|report| report.reward);
    let mut insert = transaction.prepare_cached(
        "INSERT INTO nw_events (seq, kind, height, hash, reported, reward, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    insert.execute(params![
        record.seq.0,
        kind,
        point.map(|point| point.id.height.0),
        point.map(|point| point.id.hash.0),
        record.report.is_some(),
        reward.map(|reward| reward.0.to_string()),
        json(&record.event)?,
    ])?;
    Ok(())
}

/// Stores what the event's block had to say, and lets the state of what is stored follow the event.
fn follow(transaction: &Transaction<'_>, record: &ScanRecord) -> Result<(), SqliteError> {
    let seq = record.seq;
    match &record.event {
        ScanEvent::Apply(_) => match &record.report {
            Some(BlockReport { observations, near_misses, spends, .. }) => {
                insert_items(transaction, seq, observations)?;
                insert_items(transaction, seq, near_misses)?;
                insert_items(transaction, seq, spends)
            }
            None => Ok(()),
        },
        ScanEvent::RollBack { dropped, .. } => {
            for point in dropped {
                if let Some(applied) = find_apply(transaction, point)? {
                    roll_back(transaction, seq, applied)?;
                }
            }
            Ok(())
        }
        ScanEvent::Finalize(finality) => match find_apply(transaction, &finality.point)? {
            Some(applied) => finalize(transaction, seq, applied, finality),
            // It was applied before this store began, and so was everything below it.
            None => Ok(()),
        },
        ScanEvent::Hold(_) | ScanEvent::Resume => Ok(()),
    }
}

fn insert_items<T: Item>(transaction: &Transaction<'_>, seq: EventSeq, items: &[T]) -> Result<(), SqliteError> {
    for (index, item) in items.iter().enumerate() {
        let BlockPoint { id, slot } = *item.block();
        let values = item.values()?;
        let mut sql = format!("INSERT INTO {} (seq, pos, state, changed, height, hash, slot", T::TABLE);
        sql.push_str(T::COLUMNS);
        sql.push_str(") VALUES (?1, ?2, 'seen', ?1, ?3, ?4, ?5");
        for place in 0..values.len() {
            // Writing to a string cannot fail.
            write!(sql, ", ?{}", place + 6).unwrap_or_default();
        }
        sql.push(')');
        let (height, hash, slot) = (id.height.0, id.hash.0, slot.map(|slot| slot.0));
        let front: [&dyn ToSql; 5] = [&seq.0, &index, &height, &hash, &slot];
        let all: Vec<&dyn ToSql> = front.into_iter().chain(values.iter().map(|value| value.as_ref())).collect();
        transaction.prepare_cached(&sql)?.execute(all.as_slice())?;
    }
    Ok(())
}

/// Returns the number of the newest event that applied the block at `point`; by id, never by height alone.
fn find_apply(transaction: &Transaction<'_>, point: &BlockPoint) -> Result<Option<EventSeq>, SqliteError> {
    let mut select = transaction.prepare_cached(
        "SELECT seq FROM nw_events WHERE kind = 'apply' AND height = ?1 AND hash = ?2 ORDER BY seq DESC LIMIT 1",
    )?;
    let seq = select.query_row(params![point.id.height.0, point.id.hash.0], |row| row.get(0)).optional()?;
    Ok(seq.map(EventSeq))
}

fn roll_back(transaction: &Transaction<'_>, seq: EventSeq, applied: EventSeq) -> Result<(), SqliteError> {
    for table in TABLES {
        let select = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE seq = ?1 AND state = 'final')");
        if transaction.prepare_cached(&select)?.query_row([applied.0], |row| row.get(0))? {
            return Err(SqliteError::FinalRolledBack { seq });
        }
        let update = format!("UPDATE {table} SET state = 'gone', changed = ?1 WHERE seq = ?2 AND state = 'seen'");
        transaction.prepare_cached(&update)?.execute([seq.0, applied.0])?;
    }
    Ok(())
}

/// Marks everything final that was applied up to the event `applied` and is still on the chain.
fn finalize(
    transaction: &Transaction<'_>,
    seq: EventSeq,
    applied: EventSeq,
    finality: &Finality,
) -> Result<(), SqliteError> {
    let mut touched = 0;
    for table in TABLES {
        let update = format!("UPDATE {table} SET state = 'final', changed = ?1 WHERE seq <= ?2 AND state = 'seen'");
        touched += transaction.prepare_cached(&update)?.execute([seq.0, applied.0])?;
    }
    if touched == 0 {
        return Ok(());
    }
    let claim = EvidenceClaim::from(&finality.evidence);
    let mut insert = transaction.prepare_cached(
        "INSERT INTO nw_evidence (seq, height, hash, block_height, block_hash, kind, trust, bytes)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    insert.execute(params![
        seq.0,
        finality.point.id.height.0,
        finality.point.id.hash.0,
        claim.block.height.0,
        claim.block.hash.0,
        word(&claim.kind)?,
        word(&claim.trust)?,
        claim.bytes,
    ])?;
    Ok(())
}

fn store_checkpoint(
    transaction: &Transaction<'_>,
    revision: Revision,
    checkpoint: &Checkpoint,
) -> Result<(), SqliteError> {
    let scope = &checkpoint.scope;
    let mut meta = transaction.prepare_cached(
        "INSERT INTO nw_meta (id, chain, network, genesis, shard, revision, next_seq) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, next_seq = excluded.next_seq",
    )?;
    meta.execute(params![
        scope.chain.as_str(),
        scope.network.name,
        scope.network.genesis.0,
        scope.shard.map(|shard| shard.0),
        revision.0,
        checkpoint.next_seq.0,
    ])?;
    let mut insert =
        transaction.prepare_cached("INSERT OR REPLACE INTO nw_checkpoint (id, format, json) VALUES (1, ?1, ?2)")?;
    insert.execute(params![checkpoint.format, json(checkpoint)?])?;
    Ok(())
}

const TABLES: [&str; 3] = [Observation::TABLE, NearMiss::TABLE, Spend::TABLE];
