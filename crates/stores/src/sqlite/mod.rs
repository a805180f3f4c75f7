//! A sink in one SQLite database: events, payments with their state, the checkpoint and the user's own writes, all in
//! one transaction.

mod error;
mod read;
mod row;
mod schema;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nodewright_core::{EventSeq, NearMiss, Observation, Result, Revision, ScanBatch, ScanSink, Scope, Spend, Stored};
use rusqlite::{Connection, OpenFlags, Transaction};

use crate::blocking::{self, Exclusive};
use crate::record::LoggedRecord;

pub use error::{EffectError, SqliteError};
pub use row::{Held, RowKey, RowState, StateFilter};

/// Is what a user writes in the transaction of a batch. See [`SqliteSink::with_effects`].
pub type Effects = Arc<dyn Fn(&Transaction<'_>, &ScanBatch) -> core::result::Result<(), EffectError> + Send + Sync>;

/// Stores a scan in one SQLite database.
///
/// Several sinks, of several processes, may have one database open: a commit on an outdated revision fails with
/// `Conflict`. Heights, slots, event numbers and revisions must be below 2^63.
///
/// The state of payments follows the events: `Apply` stores them as seen, `RollBack` marks them gone, `Finalize` marks
/// them final with the evidence.
#[derive(Clone)]
pub struct SqliteSink {
    path: Arc<Path>,
    connection: Exclusive<Connection>,
    effects: Option<Effects>,
}

impl SqliteSink {
    /// Opens or makes the database at `path`.
    ///
    /// `application_id` and `user_version` of the database belong to the sink, and so do tables whose names begin with
    /// `nw_`; all other names are free for the user's tables. The journal is a write-ahead log, so that readers of other
    /// processes do not stop a commit; `synchronous` is FULL, because a write-ahead log under NORMAL loses the last
    /// commits with the power, and a commit that was acknowledged must survive (SK-1).
    ///
    /// # Errors
    /// `InvalidData` if the file is no database, is damaged, belongs to another program or to a later version; `Storage`
    /// if it cannot be opened; `Config` outside a Tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future may leave an empty store behind.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path: Arc<Path> = Arc::from(path.as_ref());
        let at = Arc::clone(&path);
        let connection = blocking::open("open", move || connect(&at).map_err(|error| error.at("open", &at))).await?;
        Ok(Self { path, connection: Exclusive::new(connection), effects: None })
    }

    /// Makes `effects` write in the transaction of every batch, after the sink's own writes: both are stored, or neither,
    /// so that the effect of each event happens exactly once.
    ///
    /// The batch that it sees holds only records that were not stored before. If it fails, nothing of the batch is
    /// stored and the commit fails with `Storage`; if it ends the transaction, the commit fails with `Inconsistent`. It
    /// runs on a blocking thread. Tables may be made with `CREATE TABLE IF NOT EXISTS` in it.
    #[must_use]
    pub fn with_effects<F>(mut self, effects: F) -> Self
    where
        F: Fn(&Transaction<'_>, &ScanBatch) -> core::result::Result<(), EffectError> + Send + Sync + 'static,
    {
        self.effects = Some(Arc::new(effects));
        self
    }

    /// Returns the path of the database.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns up to `limit` records, at most [`MAX_PAGE`](crate::MAX_PAGE): those with number `from` and after, in order.
    ///
    /// # Errors
    /// `InvalidData` if the database is damaged; `Storage` if it cannot be read; `Config` outside a Tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn records(&self, from: EventSeq, limit: usize) -> Result<Vec<LoggedRecord>> {
        self.run("read events", move |connection| read::records(connection, from, limit)).await
    }

    /// Returns up to `limit` payments in one of the states that `states` lets pass, at most
    /// [`MAX_PAGE`](crate::MAX_PAGE): those behind `after`, in the order of the events.
    ///
    /// # Errors
    /// As [`SqliteSink::records`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn observations(
        &self,
        states: StateFilter,
        after: Option<RowKey>,
        limit: usize,
    ) -> Result<Vec<Held<Observation>>> {
        self.run("read observations", move |connection| read::page(connection, states, after, limit)).await
    }

    /// Returns payments that did not count; otherwise like [`SqliteSink::observations`].
    ///
    /// # Errors
    /// As [`SqliteSink::records`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn near_misses(
        &self,
        states: StateFilter,
        after: Option<RowKey>,
        limit: usize,
    ) -> Result<Vec<Held<NearMiss>>> {
        self.run("read near misses", move |connection| read::page(connection, states, after, limit)).await
    }

    /// Returns who consumed what was looked for; otherwise like [`SqliteSink::observations`].
    ///
    /// # Errors
    /// As [`SqliteSink::records`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn spends(&self, states: StateFilter, after: Option<RowKey>, limit: usize) -> Result<Vec<Held<Spend>>> {
        self.run("read spends", move |connection| read::page(connection, states, after, limit)).await
    }

    async fn run<R, F>(&self, op: &'static str, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(&mut Connection) -> core::result::Result<R, SqliteError> + Send + 'static,
    {
        let path = Arc::clone(&self.path);
        self.connection.run(op, move |connection| work(connection).map_err(|error| error.at(op, &path))).await
    }
}

impl fmt::Debug for SqliteSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSink")
            .field("path", &self.path)
            .field("effects", &self.effects.is_some())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ScanSink for SqliteSink {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        let stored = self.run("load", read::stored).await?;
        if let Some(stored) = &stored {
            stored.checkpoint.check(scope)?;
        }
        Ok(stored)
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        let effects = self.effects.clone();
        self.run("commit", move |connection| write::commit(connection, expected, batch, effects.as_ref())).await
    }
}

fn connect(path: &Path) -> core::result::Result<Connection, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(plain(path), flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    schema::check(&connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    schema::prepare(&mut connection)?;
    Ok(connection)
}

/// Makes SQLite take every path as that of a file: `:memory:` and the empty path are names to it, not files.
fn plain(path: &Path) -> PathBuf {
    if path.is_absolute() { path.to_path_buf() } else { Path::new(".").join(path) }
}

/// Is how long a statement waits for another process's transaction. A batch of 2,000 blocks takes well under a second.
const BUSY: Duration = Duration::from_secs(5);

/// Counts the prepared statements that are kept; more than the sink has.
const STATEMENTS: usize = 64;
