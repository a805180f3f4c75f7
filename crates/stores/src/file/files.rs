//! The few operations that a store's folder needs, so that tests can stop at each of them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::error::FileError;

/// Names a file of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    Checkpoint,
    Log,
    Temporary,
}

impl Name {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Log => "events.log",
            Self::Temporary => "checkpoint.tmp",
        }
    }
}

/// Reads and changes the files of one folder. Nothing survives a loss of power unless it was synced.
pub(super) trait Files: fmt::Debug + Send {
    /// Returns the path of a file, for messages.
    fn path(&self, name: Name) -> PathBuf;

    /// Returns the length in bytes; `None` if there is no such file.
    fn len(&mut self, name: Name) -> io::Result<Option<u64>>;

    /// Reads from byte `from` on; `None` if there is no such file.
    fn read(&mut self, name: Name, from: u64) -> io::Result<Option<Box<dyn BufRead>>>;

    /// Adds `bytes` to the end; makes the file if need be.
    fn append(&mut self, name: Name, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to `len` bytes.
    fn cut(&mut self, name: Name, len: u64) -> io::Result<()>;

    /// Takes the name away, and the file with it if it has no other.
    fn remove(&mut self, name: Name) -> io::Result<()>;

    /// Waits until the content of the file is on the medium.
    fn sync(&mut self, name: Name) -> io::Result<()>;

    /// Gives a file another name, in place of the file that had it.
    fn rename(&mut self, from: Name, to: Name) -> io::Result<()>;

    /// Waits until the names of the folder are on the medium.
    fn sync_folder(&mut self) -> io::Result<()>;
}

/// Is a folder on the disk, locked while this value lives.
#[derive(Debug)]
pub(super) struct DiskFiles {
    folder: PathBuf,
    /// Holds the files that were written to: the handle that wrote is the one that is told of a failed write-back.
    open: BTreeMap<Name, File>,
    _lock: File,
}

impl DiskFiles {
    pub(super) fn open(folder: &Path) -> Result<Self, FileError> {
        let error = |path: &Path, action| {
            let path = path.to_path_buf();
            move |source| FileError::Io { path, action, source }
        };
        make_folder(folder).map_err(error(folder, "make the folder"))?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(error(&path, "open"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_path_buf(), open: BTreeMap::new(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FileError::Locked { path }),
            Err(TryLockError::Error(source)) => Err(error(&path, "lock")(source)),
        }
    }

    fn writable(&mut self, name: Name) -> io::Result<&mut File> {
        use std::collections::btree_map::Entry;
        match self.open.entry(name) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let path = self.folder.join(name.as_str());
                Ok(entry.insert(OpenOptions::new().create(true).append(true).open(path)?))
            }
        }
    }
}

impl Files for DiskFiles {
    fn path(&self, name: Name) -> PathBuf {
        self.folder.join(name.as_str())
    }

    fn len(&mut self, name: Name) -> io::Result<Option<u64>> {
        Ok(found(fs::metadata(self.path(name)))?.map(|metadata| metadata.len()))
    }

    fn read(&mut self, name: Name, from: u64) -> io::Result<Option<Box<dyn BufRead>>> {
        let Some(mut file) = found(File::open(self.path(name)))? else {
            return Ok(None);
        };
        file.seek(SeekFrom::Start(from))?;
        Ok(Some(Box::new(BufReader::new(file))))
    }

    fn append(&mut self, name: Name, bytes: &[u8]) -> io::Result<()> {
        self.writable(name)?.write_all(bytes)
    }

    fn cut(&mut self, name: Name, len: u64) -> io::Result<()> {
        self.writable(name)?.set_len(len)
    }

    fn remove(&mut self, name: Name) -> io::Result<()> {
        self.open.remove(&name);
        fs::remove_file(self.path(name))
    }

    fn sync(&mut self, name: Name) -> io::Result<()> {
        self.writable(name)?.sync_all()
    }

    fn rename(&mut self, from: Name, to: Name) -> io::Result<()> {
        self.open.remove(&from);
        self.open.remove(&to);
        fs::rename(self.path(from), self.path(to))
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        sync_folder(&self.folder)
    }
}

/// Makes `folder` and the folders above it, each of them durable.
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    fs::create_dir_all(folder)?;
    for path in missing {
        match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => sync_folder(Path::new("."))?,
            Some(parent) => sync_folder(parent)?,
            None => {}
        }
    }
    Ok(())
}

/// Waits until the names of `folder` are on the medium.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Does nothing: elsewhere a folder cannot be opened to be synced, and the file system journals its names itself.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Turns "there is no such file" into `None`.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
