//! Every way in which a call to an aggregator fails. What a status and a label mean, and which of core's kinds it is, is
//! decided here and nowhere else.

use core::fmt;

use nodewright_core::api::{Exhausted, NegotiateError, VersionHeaderError};
use nodewright_core::{Error, ErrorKind, Retry};
use nodewright_rpc::{HttpReply, http_status};
use serde::Deserialize;

use crate::watch::RegistrationAnswer;

/// Says why a call to an aggregator failed. Texts of the aggregator are cut to one line and are for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AggregatorError {
    /// No aggregator of several answered.
    #[error("no aggregator answered: {}", List(.attempts))]
    AllFailed {
        /// What came of each, in the order in which they were asked.
        attempts: Vec<Attempted>,
    },
    /// The aggregator refused every version of the API (status 412).
    #[error(transparent)]
    ApiVersion {
        /// Says which.
        exhausted: Exhausted,
    },
    /// The aggregator's store is overloaded (status 503).
    #[error("{op}: the aggregator is busy")]
    Busy {
        /// Names the call.
        op: &'static str,
        /// Is the last answer.
        #[source]
        error: Error,
    },
    /// The aggregator failed (status 5xx).
    #[error("{op}: the aggregator failed with status {status}: {message:?}")]
    Failed {
        /// Names the call.
        op: &'static str,
        /// Is the status.
        status: u16,
        /// Holds what the aggregator says.
        message: String,
    },
    /// The reply is not what the route's format says.
    #[error("{op}: not the reply of this route: {reason}")]
    Format {
        /// Names the call.
        op: &'static str,
        /// Says what is wrong.
        reason: String,
    },
    /// It is too late for the signature (status 410).
    #[error("{op}: too late: {reason}: {message:?}")]
    Gone {
        /// Names the call.
        op: &'static str,
        /// Says why.
        reason: GoneReason,
        /// Holds what the aggregator says.
        message: String,
    },
    /// The aggregator does not have it (status 404).
    #[error("{op}: the aggregator does not have it")]
    NotFound {
        /// Names the call.
        op: &'static str,
    },
    /// The aggregator refused the request (status 4xx).
    #[error("{op}: refused with status {status}, {label:?}: {message:?}")]
    Refused {
        /// Names the call.
        op: &'static str,
        /// Is the status.
        status: u16,
        /// Holds the aggregator's word for the reason, such as `invalid_epoch`; empty if it gives none.
        label: String,
        /// Holds what the aggregator says.
        message: String,
    },
    /// The round of registrations is not open yet (status 550).
    #[error("{op}: the round of registrations is not open yet: {message:?}")]
    RegistrationRoundNotOpen {
        /// Names the call.
        op: &'static str,
        /// Holds what the aggregator says.
        message: String,
    },
    /// The aggregator was not reached, or its reply did not come or was too long.
    #[error(transparent)]
    Transport(Error),
    /// A status that no route has.
    #[error("{op}: unexpected status {status}")]
    UnexpectedStatus {
        /// Names the call.
        op: &'static str,
        /// Is the status.
        status: u16,
    },
    /// The versions of this program cannot be used.
    #[error(transparent)]
    Versions(#[from] NegotiateError),
    /// The version that the aggregator states cannot be used.
    #[error(transparent)]
    VersionHeader(#[from] VersionHeaderError),
}

impl AggregatorError {
    /// Makes the error for a reply that is no success.
    pub(super) fn of_reply(op: &'static str, reply: &HttpReply) -> Self {
        let status = reply.status();
        let ErrorBody { label, message } = serde_json::from_slice(reply.body()).unwrap_or_default();
        let (label, message) = (one_line(&label), one_line(&message));
        match status {
            404 => Self::NotFound { op },
            410 => Self::Gone { op, reason: GoneReason::of(label), message },
            400..=499 => Self::Refused { op, status, label, message },
            550 => Self::RegistrationRoundNotOpen { op, message },
            500..=599 => Self::Failed { op, status, message },
            _ => Self::UnexpectedStatus { op, status },
        }
    }

    /// Makes the error for a call without a reply.
    pub(super) fn of_transport(op: &'static str, error: Error) -> Self {
        if http_status(&error) == Some(503) { Self::Busy { op, error } } else { Self::Transport(error) }
    }

    /// Says whether another aggregator may answer what this one did not: it was not reached, was overloaded, or failed.
    ///
    /// What an aggregator *says* (that it does not have something, that it refuses, a format or version of its own) is no
    /// such failure, nor is anything that does not verify.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::AllFailed { .. } | Self::Busy { .. } | Self::Failed { .. } => true,
            Self::Transport(error) => matches!(
                error.kind(),
                ErrorKind::Busy | ErrorKind::RateLimited | ErrorKind::Timeout | ErrorKind::Unreachable
            ),
            _ => false,
        }
    }

    /// Returns what came of an attempt to register, for a [`crate::watch::RegistrationTracker`].
    #[must_use]
    pub fn registration_answer(outcome: &Result<(), Self>) -> RegistrationAnswer {
        match outcome {
            Ok(()) => RegistrationAnswer::Accepted,
            Err(Self::RegistrationRoundNotOpen { .. }) => RegistrationAnswer::RoundNotOpen,
            Err(Self::Refused { .. }) => RegistrationAnswer::Refused,
            Err(_) => RegistrationAnswer::Failed,
        }
    }
}

impl From<AggregatorError> for Error {
    fn from(error: AggregatorError) -> Self {
        use AggregatorError as From;
        let later = Retry::After(None);
        let (kind, retry) = match error {
            From::ApiVersion { exhausted } => return exhausted.into(),
            From::Transport(error) => return error,
            From::Versions(error) => return error.into(),
            From::VersionHeader(error) => return error.into(),
            From::AllFailed { .. } => (ErrorKind::Unreachable, later),
            From::Busy { .. } | From::Failed { .. } => (ErrorKind::Busy, later),
            From::Format { .. } | From::UnexpectedStatus { .. } => (ErrorKind::InvalidData, Retry::Never),
            From::NotFound { .. } => (ErrorKind::NotFound, Retry::Never),
            From::Refused { status: 401 | 403 | 407, .. } => (ErrorKind::Auth, Retry::Never),
            From::Gone { .. } | From::Refused { .. } => (ErrorKind::Rejected, Retry::Never),
            From::RegistrationRoundNotOpen { .. } => (ErrorKind::WarmingUp, later),
        };
        Self::new(kind, "ask the aggregator").with_retry(retry).because(error)
    }
}

/// Says why it is too late for a signature, by the labels of `mithril-aggregator` 0.8.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GoneReason {
    /// The certificate is there already.
    AlreadyCertified,
    /// This kind of entity is not signed any more: the signer is to be upgraded.
    Discontinued,
    /// The time for signatures ran out.
    Expired,
    /// Another reason, by its label.
    Other(String),
}

impl GoneReason {
    fn of(label: String) -> Self {
        match label.as_str() {
            "already_certified" => Self::AlreadyCertified,
            "Discontinued signed entity type" => Self::Discontinued,
            "expired" => Self::Expired,
            _ => Self::Other(label),
        }
    }
}

impl fmt::Display for GoneReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyCertified => f.write_str("already certified"),
            Self::Discontinued => f.write_str("the kind of entity is discontinued"),
            Self::Expired => f.write_str("expired"),
            Self::Other(label) => write!(f, "{label:?}"),
        }
    }
}

/// Is what came of asking one aggregator of several.
#[derive(Debug)]
pub struct Attempted {
    /// Names the aggregator, without secrets.
    pub endpoint: String,
    /// Says why it did not answer.
    pub error: AggregatorError,
}

struct List<'a>(&'a [Attempted]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Attempted { endpoint, error }) in self.0.iter().enumerate() {
            write!(f, "{}{endpoint}: {error}", if index == 0 { "" } else { "; " })?;
        }
        if self.0.is_empty() { f.write_str("there is none") } else { Ok(()) }
    }
}

/// Is the body of a refusal: `{"label","message"}` under 4xx, `{"message"}` under 5xx, often nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    label: String,
    message: String,
}

/// Cuts a text of the aggregator to what a line of an operator's log holds.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(SHOWN).collect()
}

/// How many characters of the aggregator's text are kept.
const SHOWN: usize = 200;
