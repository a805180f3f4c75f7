//! A sink in one folder: an append-only log, and a checkpoint that says how much of the log counts.
//!
//! # Format
//! Both files hold lines: eight hexadecimal digits of CRC-32, a space, JSON, a line feed. In `events.log` each line is
//! one [`LoggedRecord`], and its checksum covers the JSON of all lines up to it, so that a lost, doubled or moved line
//! is noticed where it stands. `checkpoint` is one line: format, revision, length and checksum of the log, checkpoint.
//!
//! # Commit
//! Append to the log and sync it; write `checkpoint.tmp` and sync it; rename it to `checkpoint`; sync the folder. The
//! rename is the commit: before it, what was appended lies beyond the length that `checkpoint` states and is cut off by
//! the next commit; after it, everything that it states was synced.

#[cfg(test)]
mod crash;
mod error;
mod files;
mod folder;
mod line;
#[cfg(test)]
mod simulated;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use nodewright_core::{EventSeq, Result, Revision, ScanBatch, ScanSink, Scope, Stored};

use crate::blocking::{self, Exclusive};
use crate::record::LoggedRecord;
use files::DiskFiles;
use folder::Folder;

pub use error::FileError;

/// Stores a scan's records and checkpoint in one folder, which it locks against other processes.
///
/// The folder holds `events.log`, which can be read with ordinary tools, `checkpoint` and `lock`. The log is never
/// shortened below what was committed; whoever wants the past gone moves the folder away.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    folder: Exclusive<Folder>,
}

impl FileSink {
    /// Opens or makes the folder at `path`, locks it until the sink is dropped, and reads its log once to check it.
    ///
    /// # Errors
    /// `Conflict` if another sink has it open; `InvalidData` with a [`FileError`] that names the file and the byte, if
    /// something in it is damaged or of another format; `Storage` if the medium fails; `Config` outside a Tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future may leave an empty folder behind, and the lock held for a moment.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        let at = path.clone();
        let folder = blocking::open("open", move || Ok(Folder::open(Box::new(DiskFiles::open(&at)?))?)).await?;
        Ok(Self { path, folder: Exclusive::new(folder) })
    }

    /// Returns the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns up to `limit` records, at most [`MAX_PAGE`](crate::MAX_PAGE): those with number `from` and after, in order.
    ///
    /// # Errors
    /// As [`FileSink::open`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn records(&self, from: EventSeq, limit: usize) -> Result<Vec<LoggedRecord>> {
        self.folder.run("read log", move |folder| folder.records(from, limit)).await
    }
}

#[async_trait]
impl ScanSink for FileSink {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        let scope = scope.clone();
        self.folder.run("load", move |folder| folder.load(&scope)).await
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        self.folder.run("commit", move |folder| folder.commit(expected, batch)).await
    }
}
