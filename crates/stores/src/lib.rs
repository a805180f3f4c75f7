//! Scan sinks of Nodewright: memory, file and SQLite.
//!
//! | sink | survives | holds | a user's own writes |
//! |---|---|---|---|
//! | [`MemorySink`] | nothing | records, checkpoint | – |
//! | [`FileSink`] | crash and power loss | a log of records, checkpoint | – |
//! | `SqliteSink` (feature `sqlite`, on by default) | crash and power loss | records, checkpoint, payments with their state | in the same transaction |
//!
//! Each keeps the behaviours SK-1 to SK-5 of [`ScanSink`](nodewright_core::ScanSink) and passes the same suite,
//! `nodewright_testkit::conformance::sink`.
//!
//! What is read back is data, never trust: a checkpoint becomes a
//! [`TrustedCheckpoint`](nodewright_core::TrustedCheckpoint) only by verifying its evidence again or by an explicit
//! anchor, and the evidence of a stored event is an [`EvidenceClaim`](nodewright_core::EvidenceClaim).
//!
//! The file and SQLite sinks do their blocking work on Tokio's blocking threads; outside a Tokio runtime they answer
//! with an error of kind `Config`. Calls on one sink are served in the order in which they were first polled, so a
//! `load` after a dropped `commit` waits until that commit has landed or failed.

#![forbid(unsafe_code)]

mod blocking;
mod file;
mod memory;
mod plan;
mod record;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use file::{FileError, FileSink};
pub use memory::MemorySink;
pub use plan::PlanError;
pub use record::{LoggedEvent, LoggedRecord, MAX_PAGE};
#[cfg(feature = "sqlite")]
pub use rusqlite;
#[cfg(feature = "sqlite")]
pub use sqlite::{EffectError, Effects, Held, RowKey, RowState, SqliteError, SqliteSink, StateFilter};

#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../README.md")]
mod readme {}
