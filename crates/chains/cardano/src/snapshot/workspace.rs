//! The working folder of a restore: its lock, its journal, and what is written in it.
//!
//! It lies inside the target folder, so that the last step is a rename on one disk. Every step that outlasts the program is
//! announced to the listener first; a listener that says `Break` there stops the work as a crash would.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{RestoreError, RestoreEvent};
use crate::artifact::IMMUTABLE;

/// Is told what happens; `Break` stops the work. It is called from several threads and must not block for long.
pub(super) type Listener = Arc<dyn Fn(&RestoreEvent) -> ControlFlow<()> + Send + Sync>;

/// Is the locked working folder. Whoever works in it holds it, threads that cannot be interrupted included, so the lock is
/// free only when nobody writes any more.
pub(super) struct Workspace {
    target: PathBuf,
    root: PathBuf,
    /// Held, never read.
    _lock: File,
    stop: AtomicBool,
    listener: Listener,
}

/// Says how an earlier run left the folder.
pub(super) enum Found {
    /// Nothing is there.
    Fresh,
    /// All is in place, only the working folder remained.
    Finished,
    /// This run was interrupted.
    Unfinished(Journal),
}

/// Is what must be known to go on. What has been fetched is seen from the files themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    pub(super) format: u32,
    pub(super) snapshot: String,
    pub(super) certificate: String,
    pub(super) root: String,
    pub(super) network: String,
    pub(super) ancillary: bool,
    pub(super) phase: Phase,
}

impl Journal {
    fn write(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Reads the bytes of a journal. The format is looked at first, since a later one may have other fields.
    fn read(json: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let Version { format } = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if format != FORMAT {
            return Err(format!("format {format}, and this program knows {FORMAT}"));
        }
        serde_json::from_slice(json).map_err(|error| error.to_string())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// Parts are being fetched.
    Fetch,
    /// Everything is there and checked, and is being moved into the target folder.
    Place,
}

impl Workspace {
    /// Opens the working folder of `target`, creating both, and waits for threads of an earlier run in this program.
    pub(super) async fn open(target: &Path, listener: Listener) -> Result<(Arc<Self>, Found), RestoreError> {
        let mut waited = Duration::ZERO;
        loop {
            let (target, listener) = (target.to_owned(), Arc::clone(&listener));
            let path = target.clone();
            let opened = tokio::task::spawn_blocking(move || Self::try_open(target, listener)).await;
            if let Some(opened) = opened.map_err(|_| RestoreError::Stopped)?? {
                return Ok(opened);
            }
            if waited >= LOCK_PATIENCE {
                return Err(RestoreError::Busy { path });
            }
            tokio::time::sleep(LOCK_PAUSE).await;
            waited += LOCK_PAUSE;
        }
    }

    fn try_open(target: PathBuf, listener: Listener) -> Result<Option<(Arc<Self>, Found)>, RestoreError> {
        let root = target.join(FOLDER);
        let on_root = |error: io::Error| RestoreError::io(&root, &error);
        fs::create_dir_all(&target).map_err(|error| RestoreError::io(&target, &error))?;
        let occupied = is_occupied(&target)?;
        if occupied && !root.is_dir() {
            return Err(RestoreError::NotEmpty { path: target });
        }
        fs::create_dir_all(&root).map_err(on_root)?;
        let lock_path = root.join(LOCK);
        let lock = File::create(&lock_path).map_err(on_root)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(on_root(error)),
        }
        // Whoever held the lock before may have finished and removed the folder.
        if !lock_path.exists() {
            return Ok(None);
        }
        let workspace = Self { target, root, _lock: lock, stop: AtomicBool::new(false), listener };
        let found = match workspace.read_journal()? {
            Some(journal) => Found::Unfinished(journal),
            None if occupied => Found::Finished,
            None => Found::Fresh,
        };
        Ok(Some((Arc::new(workspace), found)))
    }

    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Returns the database that grows in the working folder.
    pub(super) fn database(&self) -> PathBuf {
        self.path("db")
    }

    pub(super) fn immutable(&self) -> PathBuf {
        self.database().join(IMMUTABLE)
    }

    pub(super) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// Tells the listener; fails if it says so, or if the work was stopped elsewhere.
    pub(super) fn tell(&self, event: &RestoreEvent) -> Result<(), RestoreError> {
        if self.stop.load(Ordering::Relaxed) || (self.listener)(event).is_break() {
            self.stop.store(true, Ordering::Relaxed);
            return Err(RestoreError::Stopped);
        }
        Ok(())
    }

    /// Runs `work` where blocking is allowed. Dropping the future does not interrupt it; it holds the lock until it ends.
    pub(super) async fn blocking<T, E>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<RestoreError> + Send + 'static,
    {
        let workspace = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || work(&workspace));
        task.await.unwrap_or_else(|_| Err(RestoreError::Stopped.into()))
    }

    fn read_journal(&self) -> Result<Option<Journal>, RestoreError> {
        let path = self.path(JOURNAL);
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RestoreError::io(&path, &error)),
        };
        Journal::read(&json).map(Some).map_err(|reason| RestoreError::Journal { path, reason })
    }

    pub(super) fn write_journal(&self, journal: &Journal) -> Result<(), RestoreError> {
        self.write_whole(&self.path(JOURNAL), journal.write().as_bytes(), "write journal")
    }

    /// Writes a file so that it is there whole or not at all.
    pub(super) fn write_whole(&self, path: &Path, bytes: &[u8], step: &'static str) -> Result<(), RestoreError> {
        let draft = self.path("draft");
        let write = || {
            let mut file = File::create(&draft)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|error| RestoreError::io(&draft, &error))?;
        self.rename(&draft, path, step)
    }

    pub(super) fn rename(&self, from: &Path, to: &Path, step: &'static str) -> Result<(), RestoreError> {
        self.tell(&RestoreEvent::Durable { step })?;
        fs::rename(from, to).map_err(|error| RestoreError::io(to, &error))?;
        to.parent().map_or(Ok(()), sync_folder)
    }

    /// Removes a file or a folder with all in it; what is not there is fine.
    pub(super) fn remove(&self, path: &Path, step: &'static str) -> Result<(), RestoreError> {
        let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
        self.tell(&RestoreEvent::Durable { step })?;
        let removed = if metadata.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RestoreError::io(path, &error)),
            _ => Ok(()),
        }
    }

    /// Removes everything in the working folder but the lock: the journal after everything it speaks of.
    pub(super) fn clear(&self) -> Result<(), RestoreError> {
        for entry in list(&self.root)? {
            if entry != self.path(JOURNAL) && entry != self.path(LOCK) {
                self.remove(&entry, "clean up")?;
            }
        }
        self.remove(&self.path(JOURNAL), "remove journal")
    }

    /// Removes the cleared working folder. Two short calls of the system: the caller makes them without an await before it
    /// returns, so that a run whose future is dropped never has gone unnoticed all the way.
    pub(super) fn vanish(&self) -> Result<(), RestoreError> {
        self.tell(&RestoreEvent::Durable { step: "remove working folder" })?;
        let removed = fs::remove_file(self.path(LOCK)).and_then(|()| fs::remove_dir(&self.root));
        removed.map_err(|error| RestoreError::io(&self.root, &error))
    }
}

/// Lists a folder in the order of the names; a missing one is empty.
pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>, RestoreError> {
    let on_folder = |error: io::Error| RestoreError::io(folder, &error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(on_folder(error)),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(on_folder)?;
    paths.sort();
    Ok(paths)
}

/// Says whether there is anything beside the working folder and what a file system makes by itself.
fn is_occupied(target: &Path) -> Result<bool, RestoreError> {
    let own = [target.join(FOLDER), target.join("lost+found")];
    Ok(list(target)?.iter().any(|path| !own.contains(path)))
}

/// Makes renames in a folder outlast a loss of power.
pub(super) fn sync_folder(folder: &Path) -> Result<(), RestoreError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| RestoreError::io(folder, &error))
}

/// The name of the working folder in the target folder.
const FOLDER: &str = ".restore";

const JOURNAL: &str = "journal.json";
const LOCK: &str = "lock";

/// The format of the journal.
pub(super) const FORMAT: u32 = 1;

/// How long threads of a run that was dropped may take to notice: one write or one file to unpack is some seconds at most.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

const LOCK_PAUSE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_the_golden_one_and_a_later_format_is_refused_by_its_number() {
        let journal = Journal {
            format: FORMAT,
            snapshot: "5a".to_owned(),
            certificate: "c0".to_owned(),
            root: "70".to_owned(),
            network: "preprod".to_owned(),
            ancillary: true,
            phase: Phase::Place,
        };
        let golden = concat!(
            r#"{"ancillary":true,"certificate":"c0","format":1,"network":"preprod","phase":"place","root":"70","#,
            r#""snapshot":"5a"}"#
        );
        assert_eq!(journal.write(), golden);
        assert_eq!(Journal::read(golden.as_bytes()), Ok(journal));
        let later = Journal::read(br#"{"format":2,"parts":[]}"#);
        assert_eq!(later, Err("format 2, and this program knows 1".to_owned()));
        assert!(Journal::read(&golden.as_bytes()[..20]).is_err());
    }
}
