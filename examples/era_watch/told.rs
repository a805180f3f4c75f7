//! One thing that an observer was told, as a fact that can be compared.

use core::fmt;

use nodewright::core::{Activation, EraDistance, EraMarker};
use nodewright::ops::era::{EdgeAhead, EraEvent};

/// Is one thing that was told, without the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Announced { era: String, supported: bool },
    Approaching { era: String, epochs: u64 },
    Entered { era: String, epoch: u64 },
    HookCalled { era: String, epochs: u64 },
    HookDone { era: String },
    Halted { era: String, epoch: u64 },
    List { markers: String },
    NotSigned,
    Readable,
    Replayed,
    Scheduled { era: String, epoch: u64, epochs: u64, supported: bool },
    Unreadable,
    Other { text: String },
}

impl Told {
    /// Takes what an event says; `None` for one that only says again that something lasts.
    pub(crate) fn of(event: &EraEvent) -> Option<Self> {
        Some(match event {
            EraEvent::Announced { era, supported } => Self::Announced { era: era.to_string(), supported: *supported },
            EraEvent::ApproachingUnsupported { next, left } => {
                Self::Approaching { era: next.era.to_string(), epochs: epochs(&left.distance) }
            }
            EraEvent::Entered { to, .. } => Self::Entered { era: to.era.to_string(), epoch: epoch(to) },
            EraEvent::HookDone { next } => Self::HookDone { era: next.era.to_string() },
            EraEvent::Readable { .. } => Self::Readable,
            EraEvent::Scheduled { next, supported, left } => Self::Scheduled {
                era: next.era.to_string(),
                epoch: epoch(next),
                epochs: epochs(&left.distance),
                supported: *supported,
            },
            EraEvent::Unreadable { attempt: 1, .. } => Self::Unreadable,
            EraEvent::Unreadable { .. } => return None,
            EraEvent::UnsupportedNow { era } => Self::Halted { era: era.era.to_string(), epoch: epoch(era) },
            other => Self::Other { text: other.to_string() },
        })
    }

    /// Says that the hook was called for `edge`.
    pub(crate) fn hook(edge: &EdgeAhead) -> Self {
        Self::HookCalled { era: edge.next.era.to_string(), epochs: epochs(&edge.left.distance) }
    }

    /// Names the kind of the fact.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Announced { .. } => "announced",
            Self::Approaching { .. } => "approaching_unsupported",
            Self::Entered { .. } => "entered",
            Self::HookCalled { .. } => "hook_called",
            Self::HookDone { .. } => "hook_done",
            Self::Halted { .. } => "unsupported_now",
            Self::List { .. } => "markers",
            Self::NotSigned => "not_signed",
            Self::Readable => "readable",
            Self::Replayed => "replayed",
            Self::Scheduled { .. } => "scheduled",
            Self::Unreadable => "unreadable",
            Self::Other { .. } => "other",
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Announced { era, supported } => write!(f, "{era} announced, {}", support(*supported)),
            Self::Approaching { era, epochs: 0 } => write!(f, "{era} unsupported, edge reached"),
            Self::Approaching { era, epochs } => write!(f, "{era} unsupported, {} left", counted(*epochs)),
            Self::Entered { era, epoch } => write!(f, "{era} entered, epoch {epoch}"),
            Self::HookCalled { era, epochs } => write!(f, "hook called for {era}, {} left", counted(*epochs)),
            Self::HookDone { era } => write!(f, "hook done for {era}"),
            Self::Halted { era, epoch } => write!(f, "halted: {era} holds, epoch {epoch}"),
            Self::List { markers } => write!(f, "markers believed: {markers}"),
            Self::NotSigned => f.write_str("a stranger's markers refused"),
            Self::Readable => f.write_str("node back"),
            Self::Replayed => f.write_str("a replayed payload refused"),
            Self::Scheduled { era, epoch, epochs, supported } => {
                write!(f, "{era} at epoch {epoch}, {} left, {}", counted(*epochs), support(*supported))
            }
            Self::Unreadable => f.write_str("node gone"),
            Self::Other { text } => f.write_str(text),
        }
    }
}

fn counted(epochs: u64) -> String {
    format!("{epochs} epoch{}", if epochs == 1 { "" } else { "s" })
}

fn support(supported: bool) -> &'static str {
    if supported { "supported" } else { "not supported" }
}

fn epoch(marker: &EraMarker) -> u64 {
    match marker.activation {
        Activation::Epoch(epoch) => epoch.0,
        _ => 0,
    }
}

fn epochs(distance: &EraDistance) -> u64 {
    match distance {
        EraDistance::Epochs(epochs) => epochs.0,
        _ => u64::MAX,
    }
}
