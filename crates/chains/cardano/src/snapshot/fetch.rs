//! How files are fetched: a small trait, so that this crate needs no HTTP client of its own.

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

/// Opens files at URIs, from the start or from where an earlier attempt ended.
///
/// - F-1: `start` of what is opened is 0 or the offset that was asked for, and says which; never another.
/// - F-2: the chunks are the bytes from `start` on; `None` comes only after the last byte that the server announced.
/// - F-3: redirects to another host are an error or followed without credentials.
#[async_trait]
pub trait ArtifactFetcher: Send + Sync {
    /// Opens the file at `uri`.
    ///
    /// With `resume` the server is asked for the rest from there, on the condition that the file is still the same; it may
    /// send the whole file instead, and then `start` is 0.
    ///
    /// # Errors
    /// [`FetchError`]; [`FetchError::Range`] if the server has nothing from that offset on.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; nothing else is lost.
    async fn open(&self, uri: &str, resume: Option<&Resume>) -> Result<OpenArtifact, FetchError>;
}

/// Says from where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// How many bytes are there already.
    pub offset: u64,
    /// What the server said of the file's version then: its `ETag`, or else `Last-Modified`. It is sent as `If-Range`.
    pub validator: Option<String>,
}

/// Is a file that is being received.
pub struct OpenArtifact {
    /// The offset of the first byte that comes.
    pub start: u64,
    /// The length of the whole file, if the server says.
    pub total: Option<u64>,
    /// The file's version, if the server says: a strong `ETag`, or else `Last-Modified`.
    pub validator: Option<String>,
    /// The bytes.
    pub body: Box<dyn ArtifactBody>,
}

impl core::fmt::Debug for OpenArtifact {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { start, total, validator, .. } = self;
        f.debug_struct("OpenArtifact")
            .field("start", start)
            .field("total", total)
            .field("validator", validator)
            .finish_non_exhaustive()
    }
}

/// Gives the bytes of a file in chunks.
#[async_trait]
pub trait ArtifactBody: Send {
    /// Returns the next bytes; `None` at the end of the file.
    ///
    /// # Errors
    /// [`FetchError::Transport`] if the connection breaks, also when it ends before the announced length.
    ///
    /// # Cancel safety
    /// After a drop the body may have lost bytes; it is not to be used again.
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError>;
}

/// Says why a file could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The file has more bytes than it may have.
    #[error("more than {limit} bytes")]
    Long {
        /// The limit.
        limit: u64,
    },
    /// The answer contradicts the request, such as a range that was not asked for.
    #[error("a wrong answer: {reason}")]
    Protocol {
        /// What is wrong.
        reason: String,
    },
    /// The server has nothing from the offset on (status 416).
    #[error("nothing from that offset on")]
    Range {
        /// The length of the file, if the server says.
        total: Option<u64>,
    },
    /// The server refused.
    #[error("refused with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The connection failed or broke.
    #[error("{reason}")]
    Transport {
        /// What is known of it, without secrets.
        reason: String,
    },
    /// The URI cannot be fetched from.
    #[error("unusable URI: {reason}")]
    Uri {
        /// What is wrong with it.
        reason: String,
    },
}

impl FetchError {
    /// Says whether the same request may succeed later: after a broken connection, and after 408, 429 and 5xx.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Transport { .. } => true,
            Self::Status { status } => matches!(status, 408 | 429 | 500..=599),
            Self::Long { .. } | Self::Protocol { .. } | Self::Range { .. } | Self::Uri { .. } => false,
        }
    }
}
