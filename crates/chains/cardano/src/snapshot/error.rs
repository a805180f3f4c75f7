//! What a restore tells while it works, and why it fails.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::ancillary::AncillaryError;
use super::fetch::FetchError;
use super::unpack::UnpackError;
use crate::artifact::{BindError, CertifiedDigestsError, DigestError, FileFault, FolderError};
use crate::units::ImmutableFileNumber;

/// Names one thing that a restore fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestorePart {
    /// The ledger state with the newest, unfinished trio.
    Ancillary,
    /// The list of digests.
    Digests,
    /// A trio of immutable files.
    Immutable(ImmutableFileNumber),
}

impl fmt::Display for RestorePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ancillary => f.write_str("ancillary"),
            Self::Digests => f.write_str("digests"),
            Self::Immutable(number) => write!(f, "{:05}", number.0),
        }
    }
}

/// Is what a restore tells while it works.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreEvent {
    /// A step that outlasts the program is about to be taken: a file or folder is renamed, written or removed.
    Durable {
        /// Which step.
        step: &'static str,
    },
    /// A part is in its place in the working folder, and is what was certified.
    Done {
        /// The part.
        part: RestorePart,
    },
    /// Some bytes of a part came.
    Download {
        /// The part.
        part: RestorePart,
        /// How many bytes of its archive are there.
        bytes: u64,
        /// How many it has, if the server says.
        of: Option<u64>,
    },
    /// A location failed; the next one is tried.
    Failover {
        /// The part.
        part: RestorePart,
        /// What happened.
        failure: LocationFailure,
    },
    /// An earlier run left this; what was certified and is still intact will not be fetched again.
    Resume {
        /// How many trios are there.
        trios: u64,
        /// How many trios there will be.
        of: u64,
    },
}

/// Says why a part could not be had from a location.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{uri}: {fault}")]
pub struct LocationFailure {
    /// The location.
    pub uri: String,
    /// What is wrong with it.
    #[source]
    pub fault: LocationFault,
}

/// Says what is wrong with a location.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocationFault {
    /// Its ancillary files are not what the ancillary key signs.
    #[error(transparent)]
    Ancillary(#[from] AncillaryError),
    /// Its digests are not what the certificate signs.
    #[error(transparent)]
    Digests(#[from] CertifiedDigestsError),
    /// The file could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A file is not what the certificate signs.
    #[error(transparent)]
    File(#[from] FileFault),
    /// This version does not know the kind of location.
    #[error("unknown kind of location {kind:?}")]
    Kind {
        /// Its tag.
        kind: String,
    },
    /// The archive was refused.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
}

impl From<DigestError> for LocationFault {
    fn from(error: DigestError) -> Self {
        Self::Digests(error.into())
    }
}

/// Says why a snapshot cannot be restored as planned.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The certificate signs something else.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The snapshot's name is not that of its content.
    #[error("the snapshot is named {stated:?}, its content {computed}")]
    Hash {
        /// What was computed.
        computed: String,
        /// What the snapshot states, cut to 80 characters.
        stated: String,
    },
    /// The snapshot or the certificate belongs to another network.
    #[error("the snapshot is of network {found:?}, not {wanted:?}")]
    Network {
        /// What it states.
        found: String,
        /// What is wanted.
        wanted: String,
    },
    /// The root is not one.
    #[error("not a root: {root:?}")]
    Root {
        /// The text, cut to 80 characters.
        root: String,
    },
}

/// Says why a restore ended. Whatever it is, the same call again goes on where it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// Another restore works in the folder.
    #[error("another restore works in {}", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The disk has too little room.
    #[error("the disk has room for {available} bytes, {needed} are needed")]
    DiskFull {
        /// How much room there is, in bytes.
        available: u64,
        /// How much is needed, in bytes.
        needed: u64,
    },
    /// The disk refused something.
    #[error("{}: {reason}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The journal of an earlier run cannot be read; the working folder has to be deleted by hand.
    #[error("unreadable journal {}: {reason}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No location gave the part.
    #[error("no location gave {part}; the last: {}", failures.last().map(ToString::to_string).unwrap_or_default())]
    NoLocation {
        /// The part.
        part: RestorePart,
        /// What happened at each location, in order.
        failures: Vec<LocationFailure>,
    },
    /// The folder holds something that is not this restore's.
    #[error("{} is not empty", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// An earlier run in this folder restored something else.
    #[error("{} holds an unfinished restore of snapshot {found}, not {wanted}", path.display())]
    OtherRestore {
        /// The folder.
        path: PathBuf,
        /// The snapshot of the earlier run.
        found: String,
        /// The snapshot of this one.
        wanted: String,
    },
    /// The listener stopped the work, or the runtime ended.
    #[error("stopped")]
    Stopped,
}

impl RestoreError {
    pub(super) fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io { path: path.to_owned(), reason: error.to_string() }
    }
}

/// Tells apart what the next location may heal from what it cannot.
pub(super) enum PartError {
    Fatal(RestoreError),
    Location(LocationFault),
}

impl From<RestoreError> for PartError {
    fn from(error: RestoreError) -> Self {
        Self::Fatal(error)
    }
}

impl From<UnpackError> for PartError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::Write { path, reason } => Self::Fatal(RestoreError::Io { path, reason }),
            UnpackError::Stopped => Self::Fatal(RestoreError::Stopped),
            other => Self::Location(other.into()),
        }
    }
}

impl From<FolderError> for RestoreError {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Io { path, reason } => Self::Io { path, reason },
            other => Self::Io { path: PathBuf::new(), reason: other.to_string() },
        }
    }
}
