//! The typed causes inside a [`nodewright_core::Error`] of this crate.

use core::fmt;
use std::error::Error as StdError;

use nodewright_core::Error;

/// Is the error a node answered in its JSON-RPC reply.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RpcFault {
    /// The code, which decides; see `src/rpc/protocol.h` of Bitcoin Core for the Bitcoin family's.
    pub code: i64,
    /// The node's words for a person: one line without control characters, at most 160 characters, never to be
    /// matched on.
    pub message: String,
    pub(crate) status: u16,
}

impl RpcFault {
    pub(crate) fn new(status: u16, code: i64, message: String) -> Self {
        Self { code, message, status }
    }
}

impl fmt::Display for RpcFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {}: {}", self.code, self.message)
    }
}

impl StdError for RpcFault {}

/// Returns the JSON-RPC error behind `error`, if a node answered one.
#[must_use]
pub fn rpc_fault(error: &Error) -> Option<&RpcFault> {
    cause(error)
}

/// Returns the HTTP status behind `error`, if a server refused with one.
#[must_use]
pub fn http_status(error: &Error) -> Option<u16> {
    cause::<RpcFault>(error).map(|fault| fault.status).or_else(|| cause::<StatusFault>(error).map(|fault| fault.status))
}

/// Says what is wrong with a reply that should have been JSON-RPC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyFault {
    /// Two answers carry the same id.
    #[error("two answers to request {id}")]
    DuplicateId {
        /// The id.
        id: u64,
    },
    /// An answer carries an id that was not asked, or one that is not the number sent.
    #[error("answer to a request that was not made: id {id}")]
    ForeignId {
        /// The id as it stands in the reply, cut to a readable length.
        id: String,
    },
    /// A request of a batch was not answered.
    #[error("no answer to request {id}")]
    MissingId {
        /// The id.
        id: u64,
    },
    /// An answer holds neither a result nor an error.
    #[error("neither result nor error")]
    MissingOutcome,
    /// The body is not a JSON-RPC reply.
    #[error("not a JSON-RPC reply ({reason}), begins: {start}")]
    NotJsonRpc {
        /// What the parser said.
        reason: String,
        /// The first characters of the body.
        start: String,
    },
}

/// Says how the connection to a node failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportFault {
    /// No connection came about; the node has not seen the request.
    #[error("cannot connect: {cause}")]
    Connect {
        /// The innermost cause.
        cause: String,
    },
    /// The connection broke before an answer came; the node may have done what was asked.
    #[error("connection lost: {cause}")]
    Lost {
        /// The innermost cause.
        cause: String,
    },
    /// The answer broke off.
    #[error("answer broke off after {received} bytes: {cause}")]
    Truncated {
        /// The bytes of the body that came.
        received: usize,
        /// The innermost cause.
        cause: String,
    },
}

/// Is a refusal by HTTP status alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatusFault {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl fmt::Display for StatusFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http status {}", self.status)?;
        if self.body.is_empty() { Ok(()) } else { write!(f, ", body begins: {}", self.body) }
    }
}

impl StdError for StatusFault {}

/// Walks the causes of `error` for one of type `T`; an error that ran out of time keeps the one before as its cause.
pub(crate) fn cause<T: StdError + 'static>(error: &Error) -> Option<&T> {
    let mut next = StdError::source(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref() {
            return Some(found);
        }
        next = current.source();
    }
    None
}
