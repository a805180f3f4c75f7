//! Hashing the immutable files of a folder, on several threads, with progress.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::digest::{DigestError, DigestList, ImmutableFile, check_complete};
use crate::units::ImmutableFileNumber;

/// Is a folder `immutable` of a node's database, with what was found in it.
#[derive(Clone, Debug)]
pub struct ImmutableFolder {
    path: PathBuf,
    files: BTreeMap<ImmutableFile, u64>,
}

impl ImmutableFolder {
    /// Lists `database/immutable`. Files of other names are ignored; links and folders count as missing.
    ///
    /// # Errors
    /// [`FolderError::Io`] if the folder cannot be read.
    pub fn read(database: &Path) -> Result<Self, FolderError> {
        let path = database.join(IMMUTABLE);
        let io = |source: io::Error| FolderError::io(&path, &source);
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(&path).map_err(io)? {
            let entry = entry.map_err(io)?;
            let parsed = entry.file_name().to_str().and_then(|name| name.parse::<ImmutableFile>().ok());
            let Some(file) = parsed else { continue };
            // `DirEntry::metadata` does not follow links.
            let metadata = entry.metadata().map_err(io)?;
            if metadata.is_file() {
                files.insert(file, metadata.len());
            }
        }
        Ok(Self { path, files })
    }

    /// Returns the highest trio that is surely complete. A node still writes to its highest one, so that never counts.
    #[must_use]
    pub fn last_complete(&self) -> Option<ImmutableFileNumber> {
        self.files.last_key_value().and_then(|(file, _)| file.number.0.checked_sub(1)).map(ImmutableFileNumber)
    }

    /// Returns the bytes of all immutable files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.values().sum()
    }

    /// Checks that trio `last` is there.
    pub(super) fn require(&self, last: ImmutableFileNumber) -> Result<(), DigestError> {
        let highest = self.files.last_key_value().map(|(file, _)| file.number);
        if highest.is_some_and(|highest| highest >= last) {
            return Ok(());
        }
        Err(DigestError::NotEnoughImmutable { highest, wanted: last })
    }

    /// Returns the path of the folder `immutable`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hashes all files of the trios up to and including `last`.
    ///
    /// It holds one buffer of 256 KiB for each thread. It blocks; call it where blocking is allowed.
    ///
    /// # Errors
    /// - [`FolderError::Digest`] if the files end before that trio or one is missing on the way;
    /// - [`FolderError::Io`] if a file cannot be read;
    /// - [`FolderError::Stopped`] if `progress` said so.
    pub fn digests(&self, last: ImmutableFileNumber, options: HashOptions<'_>) -> Result<DigestList, FolderError> {
        check_complete(self.files.keys(), last)?;
        let wanted: Vec<ImmutableFile> = self.files.keys().copied().take_while(|file| file.number <= last).collect();
        let mut list = DigestList::default();
        for (file, outcome) in self.hash(&wanted, options)? {
            let digest = outcome.map_err(|source| FolderError::io(&self.path.join(file.to_string()), &source))?;
            list.insert(file, digest);
        }
        Ok(list)
    }

    /// Compares every file of `expected` with its digest and names each one that differs.
    ///
    /// It holds one buffer of 256 KiB for each thread. It blocks; call it where blocking is allowed.
    ///
    /// # Errors
    /// - [`FolderError::Faults`] with every file that is missing, differs or cannot be read;
    /// - [`FolderError::Stopped`] if `progress` said so.
    pub fn compare(&self, expected: &DigestList, options: HashOptions<'_>) -> Result<HashProgress, FolderError> {
        let (present, absent): (Vec<_>, Vec<_>) =
            expected.iter().map(|(file, _)| file).partition(|file| self.files.contains_key(file));
        let mut faults: Vec<FileFault> =
            absent.into_iter().map(|file| FileFault { file, kind: FaultKind::Missing }).collect();
        for (file, outcome) in self.hash(&present, options)? {
            let kind = match outcome {
                Ok(found) if expected.digest(file) == Some(&found) => continue,
                Ok(found) => FaultKind::Content { found: hex::encode(found) },
                Err(source) => FaultKind::Unreadable { reason: source.to_string() },
            };
            faults.push(FileFault { file, kind });
        }
        faults.sort_by_key(|fault| fault.file);
        if faults.is_empty() { Ok(self.total(&present)) } else { Err(FolderError::Faults { faults }) }
    }

    fn total(&self, files: &[ImmutableFile]) -> HashProgress {
        let bytes = files.iter().filter_map(|file| self.files.get(file)).sum();
        HashProgress { files: files.len(), bytes, of_files: files.len(), of_bytes: bytes }
    }

    fn hash(&self, files: &[ImmutableFile], options: HashOptions<'_>) -> Result<Vec<Hashed>, FolderError> {
        let all = self.total(files);
        let done = Mutex::new((HashProgress { files: 0, bytes: 0, ..all }, Vec::with_capacity(files.len())));
        let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || {
            let mut buffer = vec![0; BUFFER];
            while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = digest_file(&self.path.join(file.to_string()), &mut buffer, &stopped);
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(mut done) = done.lock() else { return };
                done.0.files += 1;
                done.0.bytes += self.files.get(file).copied().unwrap_or_default();
                done.1.push((*file, outcome));
                if (options.progress)(done.0).is_break() {
                    stopped.store(true, Ordering::Relaxed);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..options.threads.get().min(files.len()) {
                scope.spawn(work);
            }
            work();
        });
        let (_, hashed) = done.into_inner().map_err(|_| FolderError::Stopped)?;
        if stopped.into_inner() { Err(FolderError::Stopped) } else { Ok(hashed) }
    }
}

/// Says how to hash.
#[derive(Clone, Copy)]
pub struct HashOptions<'a> {
    /// How many threads hash, the caller's included.
    pub threads: NonZeroUsize,
    /// Is told after each file how far it got; `Break` stops the work.
    pub progress: &'a (dyn Fn(HashProgress) -> ControlFlow<()> + Sync),
}

impl core::fmt::Debug for HashOptions<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HashOptions").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// One thread for each processor, and nobody is told.
impl Default for HashOptions<'_> {
    fn default() -> Self {
        Self {
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            progress: &|_| ControlFlow::Continue(()),
        }
    }
}

/// Says how many files and bytes are hashed, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashProgress {
    /// The files that are done.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// All files.
    pub of_files: usize,
    /// All bytes.
    pub of_bytes: u64,
}

/// Names an immutable file that is not what was certified.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file} {kind}")]
pub struct FileFault {
    /// The file.
    pub file: ImmutableFile,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// Says what is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// Its content has another digest.
    Content {
        /// The digest that it has, in hex.
        found: String,
    },
    /// It is not there, or not a regular file.
    Missing,
    /// It cannot be read.
    Unreadable {
        /// What the system says.
        reason: String,
    },
}

impl core::fmt::Display for FaultKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Content { found } => write!(f, "has the digest {found}, which is not the certified one"),
            Self::Missing => f.write_str("is missing"),
            Self::Unreadable { reason } => write!(f, "cannot be read: {reason}"),
        }
    }
}

/// Says why the files of a folder could not be hashed, or are not what was certified.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The files give no root.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// Files are not what was certified; in the order of the files, at least one.
    #[error("{} bad files, the first: {}", faults.len(), faults.first().map(ToString::to_string).unwrap_or_default())]
    Faults {
        /// All of them.
        faults: Vec<FileFault>,
    },
    /// A file or the folder cannot be read.
    #[error("{}: {reason}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The caller stopped the work.
    #[error("stopped before all files were hashed")]
    Stopped,
}

impl FolderError {
    fn io(path: &Path, source: &io::Error) -> Self {
        Self::Io { path: path.to_owned(), reason: source.to_string() }
    }
}

type Hashed = (ImmutableFile, io::Result<[u8; 32]>);

/// Hashes one file; blocks.
pub(crate) fn hash_file(path: &Path) -> io::Result<[u8; 32]> {
    digest_file(path, &mut vec![0; BUFFER], &AtomicBool::new(false))
}

fn digest_file(path: &Path, buffer: &mut [u8], stopped: &AtomicBool) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    loop {
        let read = match file.read(buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if read == 0 || stopped.load(Ordering::Relaxed) {
            return Ok(hasher.finalize().into());
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

/// The name of the folder with the immutable files, in a node's database.
pub(crate) const IMMUTABLE: &str = "immutable";

/// The buffer of a thread: large enough that reading costs little beside hashing.
const BUFFER: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(trios: u64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(IMMUTABLE)).unwrap();
        for file in (0..trios).map(ImmutableFileNumber).flat_map(ImmutableFile::trio) {
            fs::write(folder.path().join(IMMUTABLE).join(file.to_string()), format!("content of {file}")).unwrap();
        }
        fs::write(folder.path().join(IMMUTABLE).join("lock"), "").unwrap();
        folder
    }

    #[test]
    fn the_highest_trio_never_counts_as_complete() {
        let (three, one) = (folder(3), folder(1));
        assert_eq!(ImmutableFolder::read(three.path()).unwrap().last_complete(), Some(ImmutableFileNumber(1)));
        assert_eq!(ImmutableFolder::read(one.path()).unwrap().last_complete(), None);
    }

    #[test]
    fn digests_of_a_folder_compare_with_themselves_and_report_progress() {
        let folder = folder(4);
        let read = ImmutableFolder::read(folder.path()).unwrap();
        let seen = Mutex::new(Vec::new());
        let progress = |progress: HashProgress| {
            seen.lock().unwrap().push(progress.files);
            ControlFlow::Continue(())
        };
        let options = HashOptions { threads: NonZeroUsize::new(3).unwrap(), progress: &progress };
        let digests = read.digests(ImmutableFileNumber(2), options).unwrap();
        assert_eq!(digests.len(), 9);
        assert_eq!(seen.into_inner().unwrap(), (1..=9).collect::<Vec<_>>());
        assert_eq!(read.compare(&digests, HashOptions::default()).unwrap().files, 9);
    }

    #[test]
    fn every_bad_file_is_named() {
        let folder = folder(3);
        let digests = ImmutableFolder::read(folder.path())
            .unwrap()
            .digests(ImmutableFileNumber(2), HashOptions::default())
            .unwrap();
        let path = |name: &str| folder.path().join(IMMUTABLE).join(name);
        fs::write(path("00001.chunk"), "other content").unwrap();
        fs::remove_file(path("00002.primary")).unwrap();
        let read = ImmutableFolder::read(folder.path()).unwrap();
        let Err(FolderError::Faults { faults }) = read.compare(&digests, HashOptions::default()) else {
            panic!("two files are bad");
        };
        let named: Vec<String> = faults.iter().map(|fault| fault.file.to_string()).collect();
        assert_eq!(named, ["00001.chunk", "00002.primary"]);
        assert!(matches!(faults[0].kind, FaultKind::Content { .. }));
        assert_eq!(faults[1].kind, FaultKind::Missing);
    }

    #[test]
    fn a_missing_beacon_is_not_enough_and_a_hole_is_named() {
        let folder = folder(3);
        let read = ImmutableFolder::read(folder.path()).unwrap();
        let short = read.digests(ImmutableFileNumber(3), HashOptions::default());
        let expected =
            DigestError::NotEnoughImmutable { highest: Some(ImmutableFileNumber(2)), wanted: ImmutableFileNumber(3) };
        assert_eq!(short, Err(FolderError::Digest(expected)));
        fs::remove_file(folder.path().join(IMMUTABLE).join("00001.secondary")).unwrap();
        let holed =
            ImmutableFolder::read(folder.path()).unwrap().digests(ImmutableFileNumber(2), HashOptions::default());
        assert!(matches!(holed, Err(FolderError::Digest(DigestError::Missing { .. }))));
    }

    #[test]
    fn work_stops_when_the_caller_says_so() {
        let folder = folder(4);
        let read = ImmutableFolder::read(folder.path()).unwrap();
        let options = HashOptions { progress: &|_| ControlFlow::Break(()), ..HashOptions::default() };
        assert_eq!(read.digests(ImmutableFileNumber(3), options), Err(FolderError::Stopped));
    }
}
