//! What an operator is told about eras.

use core::fmt;
use core::time::Duration;

use nodewright_core::{Activation, EraDistance, EraError, EraId, EraMarker, Error};

use crate::era::ladder;
use crate::era::left::EraLeft;

/// Says one thing about eras. Its text is one line: what is the matter, and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum EraEvent {
    /// An era is announced, and nobody has said when it begins.
    Announced {
        /// Names the era.
        era: EraId,
        /// Says whether this build supports it.
        supported: bool,
    },
    /// An era that this build does not support has come nearer by a rung of the ladder.
    ApproachingUnsupported {
        /// Is the era, with its edge.
        next: EraMarker,
        /// Says how far the edge is.
        left: EraLeft,
    },
    /// An era holds for good.
    Entered {
        /// Names the era before it; `None` for the first that was observed.
        from: Option<EraId>,
        /// Is the era, with its edge.
        to: EraMarker,
    },
    /// What runs before an edge has completed.
    HookDone {
        /// Is the era of the edge.
        next: EraMarker,
    },
    /// What runs before an edge has failed. It is not run again for this edge.
    HookFailed {
        /// Is the era of the edge.
        next: EraMarker,
        /// Says why.
        error: Error,
    },
    /// The head has reached an edge, and what runs before it has not completed.
    HookLate {
        /// Is the era of the edge.
        next: EraMarker,
    },
    /// Eras can be read again.
    Readable {
        /// Counts the attempts that failed.
        failed: u32,
    },
    /// Schedule or positions cannot be; nothing was decided.
    Refused {
        /// Says why.
        error: EraError,
    },
    /// An era ahead has another edge than before, or was taken back.
    Rescheduled {
        /// Names the era.
        era: EraId,
        /// Is its edge as it was last told.
        from: Activation,
        /// Is its edge now; `None` if it is no longer listed.
        to: Option<Activation>,
        /// Says whether this build supports it.
        supported: bool,
        /// Says how far the edge is now; `None` if it is no longer listed.
        left: Option<EraLeft>,
    },
    /// An era has an edge.
    Scheduled {
        /// Is the era, with its edge.
        next: EraMarker,
        /// Says whether this build supports it.
        supported: bool,
        /// Says how far the edge is.
        left: EraLeft,
    },
    /// Schedule and positions could not be read.
    Unreadable {
        /// Says why.
        error: Error,
        /// Counts the failures in a row, this one included.
        attempt: u32,
        /// Is the time since the last reading; `None` if there was none.
        last: Option<Duration>,
    },
    /// What the watch remembers could not be stored.
    Unstored {
        /// Says why.
        error: Error,
    },
    /// The era that holds is not supported by this build.
    UnsupportedNow {
        /// Is the era, with its edge.
        era: EraMarker,
    },
}

impl EraEvent {
    /// Says how much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::ApproachingUnsupported { left, .. }
            | Self::Scheduled { supported: false, left, .. }
            | Self::Rescheduled { supported: false, left: Some(left), .. } => ladder::severity(left),
            Self::Announced { supported: false, .. } | Self::Unreadable { .. } | Self::Unstored { .. } => {
                Severity::Warning
            }
            Self::HookFailed { .. } | Self::HookLate { .. } | Self::Refused { .. } | Self::UnsupportedNow { .. } => {
                Severity::Critical
            }
            Self::Announced { .. }
            | Self::Entered { .. }
            | Self::HookDone { .. }
            | Self::Readable { .. }
            | Self::Rescheduled { .. }
            | Self::Scheduled { .. } => Severity::Info,
        }
    }
}

/// Says how much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// There is nothing to do.
    Info,
    /// There is something to do, and time to do it.
    Warning,
    /// It must be done now.
    Critical,
}

impl fmt::Display for EraEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Announced { era, supported: true } => {
                write!(f, "era {era} is announced without a date; this build supports it: nothing to do")
            }
            Self::Announced { era, supported: false } => write!(
                f,
                "era {era} is announced without a date and not supported by this build: look for a build that supports it"
            ),
            Self::ApproachingUnsupported { next, left } if left.distance.is_zero() => {
                write!(f, "the head has reached the edge of era {next}, which this build does not support: update now")
            }
            Self::ApproachingUnsupported { next, left } => {
                write!(f, "era {next} begins in {left} and is not supported by this build: update before it does")
            }
            Self::Entered { from: Some(from), to } => {
                write!(f, "era {to} holds now, {from} has ended: nothing to do")
            }
            Self::Entered { from: None, to } => write!(f, "era {to} holds: nothing to do"),
            Self::HookDone { next } => write!(f, "preparations for era {next} are complete: nothing to do"),
            Self::HookFailed { next, error } => {
                write!(f, "preparations for era {next} failed and are not repeated: prepare by hand ({error})")
            }
            Self::HookLate { next } => write!(
                f,
                "the head has reached the edge of era {next} and preparations for it are not complete: see to them now"
            ),
            Self::Readable { failed } => {
                write!(f, "eras can be read again after {failed} failed attempts: nothing to do")
            }
            Self::Refused { error } => {
                write!(
                    f,
                    "eras as they were read cannot be, and nothing was decided: check where they come from ({error})"
                )
            }
            Self::Rescheduled { era, from, to, supported, left } => {
                write_move(f, era, from, to.as_ref(), *supported, left.as_ref())
            }
            Self::Scheduled { next, supported, left } => {
                write!(f, "era {next} begins in {left}; {}", advice(*supported))
            }
            Self::Unreadable { error, attempt, last: Some(last) } => {
                let age = EraDistance::Time(*last);
                write!(
                    f,
                    "eras cannot be read, {attempt} times in a row, last read {age} ago: check the node ({error})"
                )
            }
            Self::Unreadable { error, attempt, last: None } => {
                write!(f, "eras cannot be read, {attempt} times in a row, never read yet: check the node ({error})")
            }
            Self::Unstored { error } => {
                write!(f, "what the era watch remembers cannot be stored: check the store ({error})")
            }
            Self::UnsupportedNow { era } => {
                write!(
                    f,
                    "era {era} holds and is not supported by this build: stop, and install a build that supports it"
                )
            }
        }
    }
}

fn write_move(
    f: &mut fmt::Formatter<'_>,
    era: &EraId,
    from: &Activation,
    to: Option<&Activation>,
    supported: bool,
    left: Option<&EraLeft>,
) -> fmt::Result {
    match (to, left) {
        (Some(Activation::Unscheduled), _) => write!(f, "era {era} has lost its date ({from}): wait for another"),
        (Some(to), Some(left)) => write!(f, "era {era} moves from {from} to {to}, in {left}; {}", advice(supported)),
        (Some(to), None) => write!(f, "era {era} moves from {from} to {to}; {}", advice(supported)),
        (None, _) => write!(f, "era {era} ({from}) is no longer listed: nothing to do"),
    }
}

fn advice(supported: bool) -> &'static str {
    match supported {
        true => "this build supports it: nothing to do",
        false => "this build does not support it: update before then",
    }
}
