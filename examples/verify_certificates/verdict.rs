//! What an error of a verification means: which rule broke, what to do, and the exit status.

use std::process::ExitCode;

use nodewright::cardano::certificate::{AnchorError, BrokenRule, ChainError};
use nodewright::core::{Error, ErrorKind};

use crate::rules::Rule;

/// Is the answer of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Verified,
    Broken,
    Undecided,
}

impl Verdict {
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Verified => 0,
            Self::Broken => 1,
            Self::Undecided => 2,
        })
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Broken => "broken",
            Self::Undecided => "undecided",
        }
    }
}

/// Says why a chain was not verified.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    /// Names the rule that broke, if one did.
    pub(crate) rule: Option<&'static str>,
    pub(crate) text: String,
    pub(crate) advice: &'static str,
}

impl Finding {
    pub(crate) fn of(error: &ChainError) -> Self {
        let (verdict, rule, advice) = match error {
            ChainError::Rule { rule: BrokenRule::NotUnderstood(_), .. } => (
                Verdict::Undecided,
                None,
                "update this program: the certificate is later than it, and neither right nor wrong",
            ),
            ChainError::Rule { rule, .. } => match Rule::of(rule) {
                Some(rule) => (Verdict::Broken, Some(rule.name), rule.advice),
                None => (Verdict::Broken, Some("other"), "do not use what it serves; report the aggregator"),
            },
            ChainError::Substituted { .. } => {
                (Verdict::Broken, Some("substitution"), "do not use what it serves; report the aggregator")
            }
            ChainError::AnchorMismatch { .. } => (
                Verdict::Broken,
                Some("anchor"),
                "find out who edited the file of anchors; without that file the whole chain is verified anew",
            ),
            ChainError::Anchor(AnchorError::OtherNetwork { .. }) => {
                (Verdict::Undecided, None, "use another file of anchors for each network and genesis key")
            }
            ChainError::Anchor(_) => {
                (Verdict::Undecided, None, "check --anchors; without that file the whole chain is verified anew")
            }
            ChainError::Format { .. } => (
                Verdict::Undecided,
                None,
                "check that this is an aggregator; if it is, update this program or ask another aggregator",
            ),
            ChainError::Missing { .. } => (Verdict::Undecided, None, "check --certificate, or ask another aggregator"),
            ChainError::Source(error) => (Verdict::Undecided, None, advice(error)),
            _ => (Verdict::Undecided, None, "ask another aggregator"),
        };
        Self { verdict, rule, text: error.to_string(), advice }
    }
}

/// Says in one line why the aggregator could not be asked, and what to do.
pub(crate) fn explain(error: &Error) -> String {
    format!("{error} ({})", advice(error))
}

fn advice(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::Config => "check --aggregator; for https, build with --features tls",
        ErrorKind::Unreachable | ErrorKind::Timeout => "check --aggregator and that it runs",
        ErrorKind::Busy | ErrorKind::RateLimited | ErrorKind::WarmingUp => "try again later, or ask another aggregator",
        ErrorKind::Auth => "put the user and password into the URL",
        ErrorKind::NotFound | ErrorKind::InvalidData => "check that --aggregator is the base address of an aggregator",
        ErrorKind::Unsupported => "update this program: the aggregator speaks other versions",
        _ => "ask another aggregator",
    }
}
