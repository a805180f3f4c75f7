//! Reads what is stored, in pages.

use nodewright_core::api::{self, FormatError};
use nodewright_core::{
    BlockHash, BlockPoint, BlockReport, ChainId, Checkpoint, EventSeq, EvidenceClaim, NetworkId, Revision, Scope,
    ShardId, Stored,
};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::error::SqliteError;
use super::row::{
    Held, Item, RowKey, RowState, StateFilter, amount, block_id, from_json, from_word, point, unreadable,
};
use crate::plan::Standing;
use crate::record::{LoggedEvent, LoggedRecord, MAX_PAGE};

/// Returns the checkpoint and its revision.
pub(super) fn stored(connection: &mut Connection) -> Result<Option<Stored>, SqliteError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    let Some(standing) = standing(&transaction)? else {
        return Ok(None);
    };
    let checkpoint = transaction
        .query_row("SELECT format, json FROM nw_checkpoint WHERE id = 1", [], |row| Ok(checkpoint(row)))??;
    let last: Option<u64> = transaction.query_row("SELECT max(seq) FROM nw_events", [], |row| row.get(0))?;
    let (found, next) = (last.map(EventSeq), standing.next_seq);
    if checkpoint.next_seq != next || found.is_some_and(|found| found.next() != next) {
        return Err(SqliteError::LogMismatch { found, next });
    }
    Ok(Some(Stored { checkpoint, revision: standing.revision }))
}

/// Reads a checkpoint of any format that this build knows; its format and its JSON are the columns of `row`.
fn checkpoint(row: &Row<'_>) -> Result<Checkpoint, SqliteError> {
    let json = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
    let decoded = api::decode(row.get(0)?, &mut serde_json::Deserializer::from_str(json));
    decoded.map_err(|error| match error {
        FormatError::Unknown(unknown) => SqliteError::UnknownCheckpoint(unknown),
        FormatError::Unreadable { source, .. } => SqliteError::Database(unreadable(1, source)),
    })
}

/// Returns what the store knows of itself; `None` if nothing was stored yet.
pub(super) fn standing(connection: &Connection) -> Result<Option<Standing>, SqliteError> {
    let mut select = connection
        .prepare_cached("SELECT chain, network, genesis, shard, revision, next_seq FROM nw_meta WHERE id = 1")?;
    let standing = select.query_row([], |row| {
        let network = NetworkId { name: row.get(1)?, genesis: BlockHash(row.get(2)?) };
        let shard = row.get::<_, Option<u32>>(3)?.map(ShardId);
        let scope = Scope { chain: ChainId::new(row.get::<_, String>(0)?), network, shard };
        Ok(Standing { scope, revision: Revision(row.get(4)?), next_seq: EventSeq(row.get(5)?) })
    });
    Ok(standing.optional()?)
}

/// Returns a page of events with the reports of their blocks.
pub(super) fn records(
    connection: &mut Connection,
    from: EventSeq,
    limit: usize,
) -> Result<Vec<LoggedRecord>, SqliteError> {
    let Some(from) = sql_seq(from) else {
        return Ok(Vec::new());
    };
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    let mut page = Vec::new();
    let mut select = transaction
        .prepare_cached("SELECT seq, json, reported, reward FROM nw_events WHERE seq >= ?1 ORDER BY seq LIMIT ?2")?;
    let mut rows = select.query(params![from, limit.min(MAX_PAGE)])?;
    while let Some(row) = rows.next()? {
        let (seq, event) = (EventSeq(row.get(0)?), from_json::<LoggedEvent>(row, 1)?);
        let report = match &event {
            LoggedEvent::Apply(header) if row.get(2)? => Some(report(&transaction, seq, header.point, row)?),
            _ => None,
        };
        page.push(LoggedRecord { seq, event, report });
    }
    Ok(page)
}

fn report(
    connection: &Connection,
    seq: EventSeq,
    point: BlockPoint,
    event: &Row<'_>,
) -> Result<BlockReport, SqliteError> {
    let reward = match event.get_ref(3)? {
        ValueRef::Null => None,
        _ => Some(amount(event, 3)?),
    };
    Ok(BlockReport {
        point,
        observations: items(connection, seq)?,
        near_misses: items(connection, seq)?,
        spends: items(connection, seq)?,
        reward,
    })
}

/// Returns what the block of one event had to say.
fn items<T: Item>(connection: &Connection, seq: EventSeq) -> Result<Vec<T>, SqliteError> {
    let sql = format!("SELECT height, hash, slot{} FROM {} WHERE seq = ?1 ORDER BY pos", T::COLUMNS, T::TABLE);
    let mut select = connection.prepare_cached(&sql)?;
    let items = select.query_map([seq.0], |row| T::read(row, 3, point(row, 0)?))?;
    Ok(items.collect::<rusqlite::Result<_>>()?)
}

/// Returns a page of rows with their state.
pub(super) fn page<T: Item>(
    connection: &mut Connection,
    states: StateFilter,
    after: Option<RowKey>,
    limit: usize,
) -> Result<Vec<Held<T>>, SqliteError> {
    // Before the first row, or behind the given one; SQLite compares the pair column by column.
    let (seq, pos) = match after {
        None => (-1, -1),
        Some(key) => match sql_seq(key.seq) {
            Some(seq) => (seq, i64::from(key.index)),
            None => return Ok(Vec::new()),
        },
    };
    let state = if states.pattern().is_some() { "item.state = ?4" } else { "?4 IS NULL" };
    let columns = T::COLUMNS.replace(", ", ", item.");
    let sql = format!(
        "SELECT item.seq, item.pos, item.state, item.changed, item.height, item.hash, item.slot,
            evidence.block_height, evidence.block_hash, evidence.kind, evidence.trust, evidence.bytes{columns}
        FROM {} AS item
        LEFT JOIN nw_evidence AS evidence ON evidence.seq = item.changed AND item.state = 'final'
        WHERE (item.seq, item.pos) > (?1, ?2) AND {state}
        ORDER BY item.seq, item.pos LIMIT ?3",
        T::TABLE,
    );
    let mut select = connection.prepare_cached(&sql)?;
    let rows = select.query_map(params![seq, pos, limit.min(MAX_PAGE), states.pattern()], |row| {
        let key = RowKey { seq: EventSeq(row.get(0)?), index: row.get(1)? };
        Ok(Held { key, state: state_of(row)?, item: T::read(row, 12, point(row, 4)?)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn state_of(row: &Row<'_>) -> rusqlite::Result<RowState> {
    let by = EventSeq(row.get(3)?);
    match row.get_ref(2)?.as_str()? {
        "final" => {
            let (block, kind, trust) = (block_id(row, 7)?, from_word(row, 9)?, from_word(row, 10)?);
            let evidence = Box::new(EvidenceClaim { block, kind, trust, bytes: row.get(11)? });
            Ok(RowState::Final { by, evidence })
        }
        "gone" => Ok(RowState::Gone { by }),
        "seen" => Ok(RowState::Seen),
        _ => Err(rusqlite::Error::InvalidColumnType(2, "state".to_owned(), Type::Text)),
    }
}

/// Returns the number as SQLite has it; `None` if it is beyond every stored one.
fn sql_seq(seq: EventSeq) -> Option<i64> {
    i64::try_from(seq.0).ok()
}
