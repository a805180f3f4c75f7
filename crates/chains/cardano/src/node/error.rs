//! Why a node gave no answer, sorted by what an operator does about it.

use core::fmt;
use core::time::Duration;
use std::io;
use std::path::PathBuf;

use nodewright_core::{BlockHash, BlockId, BlockTime, Error, ErrorKind, Retry};

use super::{AddressError, BlockError, LedgerEra};

/// Says why a reader has no answer. Nothing is decided by text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The node does not give out its ledger's state; `code` is 0 for a point too old and 1 for one not on its chain.
    #[error("the node refused to open its ledger's state, code {code}")]
    Acquire {
        /// Is the node's code.
        code: u64,
    },
    /// The address is wrong, or of another network.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A block is not what its format or its header says.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The socket takes no more connections for now (EAGAIN).
    #[error("the node's socket {path} is busy")]
    Busy {
        /// Is the socket.
        path: PathBuf,
    },
    /// The node closed the connection.
    #[error("the node closed the connection at {step}")]
    Closed {
        /// Is the step that was under way.
        step: NodeStep,
    },
    /// The ledger changed its era between two questions; the next call asks for the new one.
    #[error("the ledger is no longer in {asked}")]
    EraMismatch {
        /// Is the era that was asked for.
        asked: LedgerEra,
    },
    /// The node refused the handshake.
    #[error("the node refused the handshake: {0}")]
    Handshake(HandshakeRefusal),
    /// The operating system refused the connection or broke it, for none of the reasons that have a name here.
    #[error("{step} failed: {kind}")]
    Io {
        /// Is the step that was under way.
        step: NodeStep,
        /// Is the operating system's reason.
        kind: io::ErrorKind,
    },
    /// The answer is not what its format says.
    #[error("the answer to {step} is malformed: {what}")]
    Malformed {
        /// Is the step that was under way.
        step: NodeStep,
        /// Says what is wrong.
        what: String,
    },
    /// The socket is there and nobody listens: the node is stopped, or has just been.
    #[error("nobody listens at {path}")]
    NoListener {
        /// Is the socket.
        path: PathBuf,
    },
    /// There is no socket, or no program, at the path.
    #[error("there is nothing at {path}")]
    NotThere {
        /// Is the path.
        path: PathBuf,
    },
    /// This user may not use the socket or the program.
    #[error("no permission to use {path}")]
    Permission {
        /// Is the path.
        path: PathBuf,
    },
    /// The node's chain begins with another genesis.
    #[error("the node's chain begins with {}, not {}", .found.to_hex(), .expected.to_hex())]
    OtherGenesis {
        /// Is the genesis that was asked for.
        expected: BlockHash,
        /// Is the parent of the node's first block.
        found: BlockHash,
    },
    /// The node's network began at another time, so it is another network.
    #[error("the node's network began at {}, not {} (Unix seconds)", .found.0, .expected.0)]
    OtherStart {
        /// Is the time that was asked for.
        expected: BlockTime,
        /// Is the node's.
        found: BlockTime,
    },
    /// The program ended with an error.
    #[error("the program ended with {}: {said}", exit(.code))]
    Program {
        /// Is its exit code; `None` if a signal ended it.
        code: Option<i32>,
        /// Is the beginning of what it wrote to its error stream.
        said: String,
    },
    /// No answer came within the limit.
    #[error("{step} took longer than {} ms", .limit.as_millis())]
    TimedOut {
        /// Is the step that was under way.
        step: NodeStep,
        /// Is the limit.
        limit: Duration,
    },
    /// The answer is larger than the limit.
    #[error("the answer to {step} has more than {limit} bytes")]
    TooLarge {
        /// Is the step that was under way.
        step: NodeStep,
        /// Is the limit in bytes.
        limit: usize,
    },
    /// The node's chain left every point that was agreed on, again and again within one call.
    #[error("the node's chain changed too often in one call")]
    Unsteady,
    /// A block does not follow the one before it.
    #[error("block {} at height {} follows {}, not {}", .block.hash.to_hex(), .block.height, .parent.to_hex(), .below.to_hex())]
    Unlinked {
        /// Is the block that was before it in the node's answers.
        below: BlockHash,
        /// Names the block.
        block: BlockId,
        /// Is the parent in its header.
        parent: BlockHash,
    },
    /// The node names a block by another hash than its header has.
    #[error("the node calls block {} at height {} {}", .computed.hash.to_hex(), .computed.height, .stated.to_hex())]
    WrongId {
        /// Names the block by the hash that was computed here.
        computed: BlockId,
        /// Is the node's hash for it.
        stated: BlockHash,
    },
    /// This source cannot say.
    #[error("this source does not say {what}")]
    Unavailable {
        /// Names what was asked.
        what: &'static str,
    },
}

impl NodeError {
    /// Returns whether the same call can succeed later with nothing changed but the node's state.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Acquire { .. }
            | Self::Busy { .. }
            | Self::Closed { .. }
            | Self::EraMismatch { .. }
            | Self::Io { .. }
            | Self::NoListener { .. }
            | Self::NotThere { .. }
            | Self::Program { .. }
            | Self::TimedOut { .. }
            | Self::Unsteady => true,
            Self::Address(_)
            | Self::Block(_)
            | Self::Handshake(_)
            | Self::Malformed { .. }
            | Self::OtherGenesis { .. }
            | Self::OtherStart { .. }
            | Self::Permission { .. }
            | Self::TooLarge { .. }
            | Self::Unavailable { .. }
            | Self::Unlinked { .. }
            | Self::WrongId { .. } => false,
        }
    }

    /// Sorts what the operating system said while `path` was being opened.
    pub(super) fn from_open(path: &std::path::Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotThere { path },
            io::ErrorKind::ConnectionRefused => Self::NoListener { path },
            io::ErrorKind::PermissionDenied => Self::Permission { path },
            io::ErrorKind::WouldBlock => Self::Busy { path },
            kind => Self::Io { step: NodeStep::Connect, kind },
        }
    }
}

impl From<NodeError> for Error {
    fn from(error: NodeError) -> Self {
        let kind = match &error {
            NodeError::Address(AddressError::WrongNetwork { .. }) => ErrorKind::ScopeMismatch,
            NodeError::Handshake(HandshakeRefusal::NoCommonVersion { .. }) => ErrorKind::Unsupported,
            NodeError::Handshake(HandshakeRefusal::Refused { .. })
            | NodeError::OtherGenesis { .. }
            | NodeError::OtherStart { .. } => ErrorKind::ScopeMismatch,
            NodeError::Block(BlockError::Body { .. }) | NodeError::WrongId { .. } => ErrorKind::Unverified,
            NodeError::Block(BlockError::Era { .. }) => ErrorKind::EraUnsupported,
            NodeError::Unlinked { .. } => ErrorKind::Inconsistent,
            NodeError::Address(_) | NodeError::Permission { .. } => ErrorKind::Config,
            NodeError::Acquire { .. } | NodeError::EraMismatch { .. } => ErrorKind::WarmingUp,
            NodeError::Busy { .. } | NodeError::Unsteady => ErrorKind::Busy,
            NodeError::Closed { .. }
            | NodeError::Io { .. }
            | NodeError::NoListener { .. }
            | NodeError::NotThere { .. } => ErrorKind::Unreachable,
            NodeError::Block(_) | NodeError::Handshake(_) | NodeError::Malformed { .. } => ErrorKind::InvalidData,
            NodeError::Program { .. } => ErrorKind::Rejected,
            NodeError::TimedOut { .. } => ErrorKind::Timeout,
            NodeError::TooLarge { .. } => ErrorKind::Limit,
            NodeError::Unavailable { .. } => ErrorKind::Unsupported,
        };
        let retry = if error.is_transient() { Retry::After(None) } else { Retry::Never };
        Self::new(kind, "read the node").with_retry(retry).because(error)
    }
}

/// Says why a node refused the handshake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeRefusal {
    /// The node could not read what was proposed for a version.
    #[error("it could not read the proposal for version {version}: {reason}")]
    Decode {
        /// Is the version.
        version: u64,
        /// Is the node's text.
        reason: String,
    },
    /// The node speaks none of the versions that were proposed.
    #[error("it speaks versions {node:?} only")]
    NoCommonVersion {
        /// Lists the node's versions.
        node: Vec<u64>,
    },
    /// The node refused what was proposed for a version: in practice, its network has another magic.
    #[error("it refused the network of version {version}: {reason}")]
    Refused {
        /// Is the version.
        version: u64,
        /// Is the node's text.
        reason: String,
    },
}

/// Names a step of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeStep {
    /// Opens the ledger's state at the tip.
    Acquire,
    /// Takes all attempts together.
    Call,
    /// Connects to the socket.
    Connect,
    /// Asks for the tip's height.
    Height,
    /// Asks for the ledger's era.
    Era,
    /// Asks for the epoch.
    Epoch,
    /// Asks for the genesis parameters.
    Genesis,
    /// Agrees on a version and the network.
    Handshake,
    /// Looks for the newest common block.
    Intersect,
    /// Asks for the next block.
    NextBlock,
    /// Asks for the tip's slot and hash.
    Point,
    /// Lets go of the ledger's state.
    Release,
    /// Runs a program.
    Run,
    /// Asks when the network began.
    SystemStart,
    /// Asks for the outputs at an address.
    Utxo,
}

impl fmt::Display for NodeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Acquire => "opening the ledger's state",
            Self::Call => "the call",
            Self::Connect => "connecting",
            Self::Height => "the query for the height",
            Self::Era => "the query for the era",
            Self::Epoch => "the query for the epoch",
            Self::Genesis => "the query for the genesis parameters",
            Self::Handshake => "the handshake",
            Self::Intersect => "the search for a common block",
            Self::NextBlock => "the request for the next block",
            Self::Point => "the query for the tip",
            Self::Release => "letting go of the ledger's state",
            Self::Run => "running the program",
            Self::SystemStart => "the query for the start of the network",
            Self::Utxo => "the query for outputs",
        })
    }
}

fn exit(code: &Option<i32>) -> String {
    code.map_or_else(|| "a signal".to_owned(), |code| format!("code {code}"))
}
