//! What one answer of a server says about versions.
//!
//! Servers do it in three ways, and Mithril's aggregators did each of them at some time:
//!
//! - **enforced** (until the middle of 2025): a version that does not fit is refused with status 412 and an empty body,
//!   and the server states its own in a header;
//! - **warn only** (since then): every version is answered, the header states the server's, and the client is to compare;
//! - **silent**: no header at all, as behind a proxy that drops it.

use semver::Version;

use super::ranges::Silence;
use super::rule::VersionRule;
use crate::error::{Error, ErrorKind};

/// Holds what of an answer bears on versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionAnswer<'a> {
    /// Is the HTTP status.
    pub status: u16,
    /// Says whether the body has no bytes.
    pub is_empty: bool,
    /// Holds the value of the version header, as it came; `None` if there was none.
    pub header: Option<&'a [u8]>,
}

/// Says what an answer means for the version that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionVerdict {
    /// The server answered, and states a version that is not newer than ours and works with it.
    Agreed {
        /// Is the server's version.
        theirs: Version,
    },
    /// The server answered although it states another version.
    Accepted {
        /// Is the server's version.
        theirs: Version,
        /// Says whether ours is older than the server's, so that operators should be told to upgrade: Mithril's rule,
        /// which takes a newer patch for a reason to warn too.
        warn: bool,
    },
    /// The server answered and states no version, and that is accepted.
    Silent,
    /// The server refuses our version: send another one, see [`TryList`](super::TryList).
    TryOther {
        /// Is the server's version; `None` if it does not say.
        theirs: Option<Version>,
    },
}

impl VersionVerdict {
    /// Judges an answer to a request that was sent with the version of `rule`. Status 412 with a body is an answer like
    /// any other: a route's own precondition, not the server's refusal of a version.
    ///
    /// # Errors
    /// `Malformed` if the header is no version, whatever the status; `Unreported` if an answer states none and `silence`
    /// is refused.
    pub fn of(rule: &VersionRule, answer: VersionAnswer<'_>, silence: Silence) -> Result<Self, VersionHeaderError> {
        let theirs = answer.header.map(parse_version_header).transpose()?;
        if answer.status == PRECONDITION_FAILED && answer.is_empty {
            return Ok(Self::TryOther { theirs });
        }
        match (theirs, silence) {
            (None, Silence::Accept) => Ok(Self::Silent),
            (None, Silence::Refuse) => Err(VersionHeaderError::Unreported),
            (Some(theirs), _) => {
                let warn = rule.own().cmp_precedence(&theirs).is_lt();
                let agreed = !warn && rule.accepts(&theirs);
                Ok(if agreed { Self::Agreed { theirs } } else { Self::Accepted { theirs, warn } })
            }
        }
    }

    /// Returns what the server states.
    #[must_use]
    pub fn theirs(&self) -> Option<&Version> {
        match self {
            Self::Agreed { theirs } | Self::Accepted { theirs, .. } => Some(theirs),
            Self::Silent => None,
            Self::TryOther { theirs } => theirs.as_ref(),
        }
    }
}

/// Reads the value of a version header: a semantic version, with blanks around it at most.
///
/// # Errors
/// `Malformed` with the beginning of the value.
pub fn parse_version_header(value: &[u8]) -> Result<Version, VersionHeaderError> {
    let text = value.get(..MAX_HEADER).unwrap_or(value);
    let malformed = || VersionHeaderError::Malformed { text: String::from_utf8_lossy(text).into_owned() };
    if value.len() > MAX_HEADER {
        return Err(malformed());
    }
    let text = core::str::from_utf8(value).map_err(|_| malformed())?;
    Version::parse(text.trim_matches([' ', '\t'])).map_err(|_| malformed())
}

/// Says what is wrong with a version header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionHeaderError {
    /// Its value is no semantic version.
    #[error("version header is no semantic version: {text:?}")]
    Malformed {
        /// Is the beginning of the value.
        text: String,
    },
    /// It is absent, and silence is refused.
    #[error("answer states no version: let proxies pass the version header on, or accept silence")]
    Unreported,
}

impl From<VersionHeaderError> for Error {
    fn from(error: VersionHeaderError) -> Self {
        let kind = match error {
            VersionHeaderError::Malformed { .. } => ErrorKind::InvalidData,
            VersionHeaderError::Unreported => ErrorKind::Unsupported,
        };
        Self::new(kind, "read the version header").because(error)
    }
}

/// Is the status of a refused version: RFC 9110, 15.5.13.
const PRECONDITION_FAILED: u16 = 412;

/// Is the longest header value that is read, in bytes: three numbers of 20 digits with a long build name, twice over.
const MAX_HEADER: usize = 256;
