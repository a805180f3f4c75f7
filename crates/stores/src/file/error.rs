//! What can be wrong with a store's folder.

use std::io;
use std::path::PathBuf;

use nodewright_core::api::UnknownFormat;
use nodewright_core::{Error, ErrorKind, EventSeq, Retry};

/// Says what is wrong with a file of a [`FileSink`](crate::FileSink), and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A line is not the one that was written, or not in its place.
    #[error("{}: checksum of the line at byte {offset} does not hold", path.display())]
    Checksum {
        /// Names the file.
        path: PathBuf,
        /// Counts the bytes before the line.
        offset: u64,
    },
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// Names the file.
        path: PathBuf,
        /// Says what was tried.
        action: &'static str,
        /// Says why it failed.
        source: io::Error,
    },
    /// Another sink has the folder open.
    #[error("{}: held by another sink", path.display())]
    Locked {
        /// Names the lock file.
        path: PathBuf,
    },
    /// A line has no checksum in front, or no line feed at its end.
    #[error("{}: no whole line at byte {offset}", path.display())]
    Malformed {
        /// Names the file.
        path: PathBuf,
        /// Counts the bytes before the line.
        offset: u64,
    },
    /// The log belongs to another checkpoint.
    #[error("{}: its first {bytes} bytes are not the log of the checkpoint", path.display())]
    Mismatch {
        /// Names the file.
        path: PathBuf,
        /// Counts the bytes that the checkpoint states.
        bytes: u64,
    },
    /// There is a log without a checkpoint.
    #[error("{}: is missing although there is a log", path.display())]
    MissingCheckpoint {
        /// Names the file that should be there.
        path: PathBuf,
    },
    /// A record has another number than its place in the log gives it.
    #[error("{}: event {found} stands at byte {offset} in place of {expected}", path.display())]
    OutOfOrder {
        /// Names the file.
        path: PathBuf,
        /// Counts the bytes before the line.
        offset: u64,
        /// Numbers the event that belongs there.
        expected: EventSeq,
        /// Numbers the event that stands there.
        found: EventSeq,
    },
    /// A line is longer than any that is written.
    #[error("{}: line at byte {offset} is longer than {limit} bytes", path.display())]
    TooLong {
        /// Names the file.
        path: PathBuf,
        /// Counts the bytes before the line.
        offset: u64,
        /// Is the longest line, in bytes.
        limit: u64,
    },
    /// Bytes follow where the file should end.
    #[error("{}: something follows its end at byte {offset}", path.display())]
    Trailing {
        /// Names the file.
        path: PathBuf,
        /// Counts the bytes up to the end that was expected.
        offset: u64,
    },
    /// The log is shorter than the checkpoint states.
    #[error("{}: has {len} bytes of {expected}", path.display())]
    Truncated {
        /// Names the file.
        path: PathBuf,
        /// Counts the bytes that are there.
        len: u64,
        /// Counts the bytes that the checkpoint states.
        expected: u64,
    },
    /// The checkpoint in the file is of another format.
    #[error("{}: {source}", path.display())]
    UnknownCheckpoint {
        /// Names the file.
        path: PathBuf,
        /// Says which format was found, and which are read.
        source: UnknownFormat,
    },
    /// A later version wrote it.
    #[error("{}: has format {found}, this build reads format {supported}", path.display())]
    UnknownFormat {
        /// Names the file.
        path: PathBuf,
        /// Is the version that was found.
        found: u32,
        /// Is the version that this build reads and writes.
        supported: u32,
    },
    /// The checksum of a line holds, but it is not JSON of the expected form.
    #[error("{}: cannot read the line at byte {offset}: {source}", path.display())]
    Unreadable {
        /// Names the file.
        path: PathBuf,
        /// Counts the bytes before the line.
        offset: u64,
        /// Says why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A record to be written cannot become a line.
    #[error("{}: cannot hold event {seq}: {source}", path.display())]
    Unwritable {
        /// Names the file.
        path: PathBuf,
        /// Numbers the event.
        seq: EventSeq,
        /// Says why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        let (kind, retry) = match &error {
            FileError::Io { source, .. } => (ErrorKind::Storage, retry(source.kind())),
            FileError::Locked { .. } => (ErrorKind::Conflict, Retry::Never),
            FileError::Unwritable { .. } => (ErrorKind::Limit, Retry::Never),
            _ => (ErrorKind::InvalidData, Retry::Never),
        };
        Self::new(kind, "file store").with_retry(retry).because(error)
    }
}

/// A full medium may be given room; anything else needs a person.
fn retry(kind: io::ErrorKind) -> Retry {
    match kind {
        io::ErrorKind::Interrupted | io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull => Retry::After(None),
        _ => Retry::Never,
    }
}
