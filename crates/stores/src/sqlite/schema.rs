//! The tables, and how an older database gets them.

use rusqlite::{Connection, TransactionBehavior};

use super::error::SqliteError;

/// Refuses a database that is neither empty nor a store of a known version; writes nothing.
pub(super) fn check(connection: &Connection) -> Result<(), SqliteError> {
    is_current(connection).map(drop)
}

/// Brings the database behind `connection`, which [`check`] let pass, to the current schema.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), SqliteError> {
    if is_current(connection)? {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster; the transaction now keeps it out.
    if !is_current(&transaction)? {
        let version: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        for sql in MIGRATIONS.iter().skip(version) {
            transaction.execute_batch(sql)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    }
    transaction.commit()?;
    Ok(())
}

fn is_current(connection: &Connection) -> Result<bool, SqliteError> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let supported = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    match (application, version) {
        (0, 0) if tables == 0 => Ok(false),
        (APPLICATION_ID, found) if found > supported => Err(SqliteError::NewerSchema { found, supported }),
        (APPLICATION_ID, found) if found < 1 => Err(SqliteError::NotAStore { application }),
        (APPLICATION_ID, found) => Ok(found == supported),
        _ => Err(SqliteError::NotAStore { application }),
    }
}

/// Marks a database as a store in its header, where `file` and other tools see it: "NodW" in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x4e6f_6457;

/// Holds the statements that lead from each version to the next; `user_version` counts those that were carried out.
///
/// The prefix `nw_` leaves every other table name to the user. A value is TEXT, because SQLite's integers end at 2^63
/// and those of some chains do not; decimal digits can be read by every tool. A row of `nw_observations`,
/// `nw_near_misses` and `nw_spends` belongs to the Apply event `seq` and stands at place `pos` of its report; `changed`
/// numbers the event that gave it its `state`. `nw_evidence` holds why the rows that a Finalize event touched are final.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE nw_meta (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        chain TEXT NOT NULL,
        network TEXT NOT NULL,
        genesis BLOB NOT NULL CHECK (length(genesis) = 32),
        shard INTEGER,
        revision INTEGER NOT NULL,
        next_seq INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE nw_checkpoint (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        format INTEGER NOT NULL,
        json TEXT NOT NULL
    ) STRICT;

    CREATE TABLE nw_events (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('apply', 'roll_back', 'finalize', 'hold', 'resume')),
        height INTEGER,
        hash BLOB,
        reported INTEGER NOT NULL CHECK (reported IN (0, 1)),
        reward TEXT,
        json TEXT NOT NULL
    ) STRICT;
    CREATE INDEX nw_events_height ON nw_events (height) WHERE kind = 'apply';

    CREATE TABLE nw_observations (
        seq INTEGER NOT NULL,
        pos INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('seen', 'final', 'gone')),
        changed INTEGER NOT NULL,
        height INTEGER NOT NULL,
        hash BLOB NOT NULL,
        slot INTEGER,
        txid TEXT NOT NULL,
        output INTEGER NOT NULL,
        recipient TEXT NOT NULL,
        value TEXT NOT NULL,
        memo BLOB,
        sender TEXT,
        spends TEXT NOT NULL,
        PRIMARY KEY (seq, pos)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX nw_observations_seen ON nw_observations (seq) WHERE state = 'seen';
    CREATE INDEX nw_observations_txid ON nw_observations (txid);

    CREATE TABLE nw_near_misses (
        seq INTEGER NOT NULL,
        pos INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('seen', 'final', 'gone')),
        changed INTEGER NOT NULL,
        height INTEGER NOT NULL,
        hash BLOB NOT NULL,
        slot INTEGER,
        txid TEXT NOT NULL,
        output INTEGER NOT NULL,
        recipient TEXT NOT NULL,
        value TEXT NOT NULL,
        memo BLOB,
        sender TEXT,
        spends TEXT NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (seq, pos)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX nw_near_misses_seen ON nw_near_misses (seq) WHERE state = 'seen';

    CREATE TABLE nw_spends (
        seq INTEGER NOT NULL,
        pos INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('seen', 'final', 'gone')),
        changed INTEGER NOT NULL,
        height INTEGER NOT NULL,
        hash BLOB NOT NULL,
        slot INTEGER,
        spent BLOB NOT NULL,
        txid TEXT NOT NULL,
        PRIMARY KEY (seq, pos)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX nw_spends_seen ON nw_spends (seq) WHERE state = 'seen';

    CREATE TABLE nw_evidence (
        seq INTEGER PRIMARY KEY,
        height INTEGER NOT NULL,
        hash BLOB NOT NULL,
        block_height INTEGER NOT NULL,
        block_hash BLOB NOT NULL,
        kind TEXT NOT NULL,
        trust TEXT NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
"];
