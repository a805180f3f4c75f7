//! What can go wrong in a database.

use std::path::Path;

use nodewright_core::api::UnknownFormat;
use nodewright_core::{Error, ErrorKind, EventSeq, Retry};
use rusqlite::ErrorCode;

use crate::plan::PlanError;

/// Is what a user's own writes may fail with.
pub type EffectError = Box<dyn std::error::Error + Send + Sync>;

/// Says what is wrong with a [`SqliteSink`](crate::SqliteSink)'s database; the error at the boundary names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// SQLite refused, or the file is damaged.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// The user's own writes failed; nothing of the batch was stored.
    #[error("effects failed: {0}")]
    Effects(#[source] EffectError),
    /// The user's own writes ended the transaction that they were given.
    #[error("effects ended the transaction")]
    EffectsEndedTransaction,
    /// An event takes back a block that was final.
    #[error("event {seq} rolls back a block with final payments")]
    FinalRolledBack {
        /// Numbers the event.
        seq: EventSeq,
    },
    /// The events do not end where the checkpoint says.
    #[error("events end at {found:?}, the checkpoint continues with {next}")]
    LogMismatch {
        /// Numbers the last event, if there is any.
        found: Option<EventSeq>,
        /// Numbers the event that the checkpoint waits for.
        next: EventSeq,
    },
    /// A later version made the tables.
    #[error("tables have version {found}, this build knows {supported}")]
    NewerSchema {
        /// Is the version that was found.
        found: i64,
        /// Is the newest version that this build knows.
        supported: i64,
    },
    /// The database belongs to another program.
    #[error("not a store: application id {application:#x}")]
    NotAStore {
        /// Is the application id that was found; 0 if the other program sets none.
        application: i32,
    },
    /// The batch is refused.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The stored checkpoint is of another format.
    #[error(transparent)]
    UnknownCheckpoint(#[from] UnknownFormat),
    /// Something cannot be written as JSON.
    #[error("cannot write: {0}")]
    Unwritable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SqliteError {
    /// Makes the boundary's error of operation `op` on the database at `path`.
    pub(super) fn at(self, op: &'static str, path: &Path) -> Error {
        let (kind, retry) = match self {
            Self::Plan(error) => return Error::from(error),
            Self::Database(ref error) => sort(error),
            Self::Effects(_) => (ErrorKind::Storage, Retry::Never),
            Self::EffectsEndedTransaction | Self::FinalRolledBack { .. } => (ErrorKind::Inconsistent, Retry::Never),
            Self::LogMismatch { .. }
            | Self::NewerSchema { .. }
            | Self::NotAStore { .. }
            | Self::UnknownCheckpoint(_) => (ErrorKind::InvalidData, Retry::Never),
            Self::Unwritable(_) => (ErrorKind::Limit, Retry::Never),
        };
        Error::new(kind, op).with_retry(retry).with("file", path.display()).because(self)
    }
}

fn sort(error: &rusqlite::Error) -> (ErrorKind, Retry) {
    match error {
        rusqlite::Error::ToSqlConversionFailure(_) => (ErrorKind::Limit, Retry::Never),
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::QueryReturnedNoRows
        | rusqlite::Error::Utf8Error(..) => (ErrorKind::InvalidData, Retry::Never),
        _ => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull) => {
                (ErrorKind::Storage, Retry::After(None))
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (ErrorKind::InvalidData, Retry::Never),
            _ => (ErrorKind::Storage, Retry::Never),
        },
    }
}
