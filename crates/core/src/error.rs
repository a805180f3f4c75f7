//! The one error type at the boundary of every crate: what happened, whether to try again, where, and why.

use core::fmt;
use core::time::Duration;

/// Is the result of every fallible boundary call.
pub type Result<T> = core::result::Result<T, Error>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Says what went wrong at a boundary.
///
/// `Display` is one lower-case line without secrets: operation, kind, context, then the cause.
/// Decisions are made on [`Error::kind`] and [`Error::retry`], never on text.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    retry: Retry,
    op: &'static str,
    context: Vec<(&'static str, String)>,
    source: Option<Source>,
}

impl Error {
    /// Makes an error of `kind` in operation `op`; it is not to be retried unless [`Error::with_retry`] says so.
    #[must_use]
    pub fn new(kind: ErrorKind, op: &'static str) -> Self {
        Self { inner: Box::new(Inner { kind, retry: Retry::Never, op, context: Vec::new(), source: None }) }
    }

    /// States whether trying again can help.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.inner.retry = retry;
        self
    }

    /// Adds a fact, such as the input that was refused. Never pass a secret.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.inner.context.push((key, value.to_string()));
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Source>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// Returns what kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns whether trying again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.inner.retry
    }

    /// Returns the operation that failed.
    #[must_use]
    pub fn op(&self) -> &'static str {
        self.inner.op
    }

    /// Returns the facts in the order they were added.
    #[must_use]
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.inner.context
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.inner.op, self.inner.kind)?;
        for (key, value) in &self.inner.context {
            write!(f, ", {key}: {value}")?;
        }
        match &self.inner.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.inner.kind)
            .field("retry", &self.inner.retry)
            .field("op", &self.inner.op)
            .field("context", &self.inner.context)
            .field("source", &self.inner.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

/// Sorts failures by what they mean to an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The node refused the credentials.
    Auth,
    /// The node's work queue is full.
    Busy,
    /// A setting is wrong; the program cannot run with it.
    Config,
    /// Another writer changed the store since it was read.
    Conflict,
    /// The chain's era is not one that this build supports.
    EraUnsupported,
    /// Evidence contradicts a block that was final.
    FinalityViolated,
    /// Facts that must agree do not.
    Inconsistent,
    /// A reply or file is not what its format says.
    InvalidData,
    /// A stated limit on size or count was exceeded.
    Limit,
    /// The thing asked for is not known to the node.
    NotFound,
    /// The height or index asked for is beyond the end.
    OutOfRange,
    /// The node has deleted the block.
    Pruned,
    /// The node or its proxy asks for fewer requests.
    RateLimited,
    /// The node refused the request as it was written.
    Rejected,
    /// The source or checkpoint belongs to another chain, network or shard.
    ScopeMismatch,
    /// The store could not read or write.
    Storage,
    /// No answer came within the stated time.
    Timeout,
    /// The node could not be reached.
    Unreachable,
    /// The node lacks the method or ability.
    Unsupported,
    /// A signature, hash or proof does not hold.
    Unverified,
    /// The node is starting and will answer later.
    WarmingUp,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auth => "credentials refused",
            Self::Busy => "node is overloaded",
            Self::Config => "bad configuration",
            Self::Conflict => "changed by another writer",
            Self::EraUnsupported => "era not supported by this build",
            Self::FinalityViolated => "finality violated",
            Self::Inconsistent => "inconsistent answers",
            Self::InvalidData => "invalid data",
            Self::Limit => "limit exceeded",
            Self::NotFound => "not found",
            Self::OutOfRange => "out of range",
            Self::Pruned => "pruned by the node",
            Self::RateLimited => "rate limited",
            Self::Rejected => "request rejected",
            Self::ScopeMismatch => "wrong chain or network",
            Self::Storage => "storage failed",
            Self::Timeout => "timed out",
            Self::Unreachable => "node unreachable",
            Self::Unsupported => "not supported by the node",
            Self::Unverified => "verification failed",
            Self::WarmingUp => "node is warming up",
        })
    }
}

/// Says whether trying the same thing again can help; set where the fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It may help, after the stated wait if there is one.
    After(Option<Duration>),
    /// It was retried as often as the budget allows and still failed.
    Exhausted,
    /// It cannot help.
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_one_line_with_operation_kind_context_and_cause() {
        let error = Error::new(ErrorKind::InvalidData, "getblock")
            .with("hash", "00ab")
            .because(std::io::Error::other("short body"));
        assert_eq!(error.to_string(), "getblock: invalid data, hash: 00ab: short body");
        assert_eq!(error.retry(), Retry::Never);
    }
}
