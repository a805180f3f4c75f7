//! Whether the operator's binary will outlive the next era.

use core::fmt;
use core::time::Duration;

use nodewright_core::{
    Activation, BlockHeight, ChainPosition, EpochDelta, EraError, EraId, EraMarker, EraSchedule, SupportedEras,
};

use crate::watch::epoch::EpochTime;
use crate::watch::finding::{Finding, Severity, Span, plural};

/// Compares the eras that a binary supports with those that are scheduled. Mithril's eras begin with epochs, so the epoch
/// is all that is needed of a position.
#[must_use]
pub fn era_readiness(schedule: &EraSchedule, supported: &SupportedEras, now: &EpochTime) -> EraFinding {
    let position = ChainPosition { epoch: Some(now.epoch()), ..ChainPosition::at(BlockHeight(0)) };
    let unreadable = |error| EraFinding::Unreadable { error };
    let current = match schedule.at(&position) {
        Ok(current) => current,
        Err(error) => return unreadable(error),
    };
    if !supported.supports(&current.era) {
        return EraFinding::Unsupported { era: current.era.clone() };
    }
    let ahead = match schedule.ahead(&position) {
        Ok(ahead) => ahead,
        Err(error) => return unreadable(error),
    };
    if let Some(next) = ahead.iter().find(|marker| !supported.supports(&marker.era)) {
        let (epochs, left) = distance(next, now);
        return EraFinding::NextUnsupported { next: next.clone(), epochs, left };
    }
    if let Some(next) = schedule.announced().iter().find(|marker| !supported.supports(&marker.era)) {
        return EraFinding::AnnouncedUnsupported { era: next.era.clone() };
    }
    EraFinding::Ready {
        current: current.era.clone(),
        next: ahead.first().map(|next| (next.clone(), distance(next, now).1)),
    }
}

/// Is how a binary stands to the eras.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EraFinding {
    /// An era without a date is announced, which the binary does not support.
    AnnouncedUnsupported {
        /// Names the era.
        era: EraId,
    },
    /// An era is scheduled that the binary does not support.
    NextUnsupported {
        /// Is the era, with its edge.
        next: EraMarker,
        /// Counts the epochs until then, this one included.
        epochs: EpochDelta,
        /// Is the time until then.
        left: Duration,
    },
    /// All eras known are supported.
    Ready {
        /// Names the era that holds.
        current: EraId,
        /// Is the next era with the time until it begins, if one is scheduled.
        next: Option<(EraMarker, Duration)>,
    },
    /// The schedule gives no answer.
    Unreadable {
        /// Says why.
        error: EraError,
    },
    /// The era that holds is not supported: Mithril's nodes exit.
    Unsupported {
        /// Names the era.
        era: EraId,
    },
}

impl Finding for EraFinding {
    fn severity(&self) -> Severity {
        match self {
            Self::Ready { .. } => Severity::Fine,
            Self::NextUnsupported { epochs, .. } if *epochs <= URGENT => Severity::Critical,
            Self::AnnouncedUnsupported { .. } | Self::NextUnsupported { .. } => Severity::Warning,
            Self::Unreadable { .. } | Self::Unsupported { .. } => Severity::Critical,
        }
    }
}

impl fmt::Display for EraFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { current, next: None } => write!(f, "era {current} is supported, and no other is scheduled"),
            Self::Ready { current, next: Some((next, left)) } => {
                write!(f, "era {current} is supported, and so is {next}, which begins in {}", Span(*left))
            }
            Self::AnnouncedUnsupported { era } => {
                write!(f, "era {era} is announced, without a date, and not supported; update before it is scheduled")
            }
            Self::NextUnsupported { next, epochs, left } => write!(
                f,
                "era {} begins in {epochs} epoch{} ({}) and is not supported; update before {}",
                next.era,
                plural(epochs.0),
                Span(*left),
                next.activation
            ),
            Self::Unsupported { era } => write!(f, "era {era} holds and is not supported; update now"),
            Self::Unreadable { error } => {
                write!(f, "the era is not known: {error}; check the era markers and the reader's settings")
            }
        }
    }
}

/// Returns how far `next` is. Edges that are not epochs do not occur in Mithril's schedules, and count as being here.
fn distance(next: &EraMarker, now: &EpochTime) -> (EpochDelta, Duration) {
    match next.activation {
        Activation::Epoch(edge) => (edge.since(now.epoch()).unwrap_or_default(), now.until(edge)),
        _ => (EpochDelta(0), Duration::ZERO),
    }
}

/// Is how many epochs before an era its lack is urgent: registrations made now sign only after two.
const URGENT: EpochDelta = EpochDelta(2);

#[cfg(test)]
mod tests {
    use super::*;
    use nodewright_core::Epoch;

    fn era(name: &str) -> EraId {
        EraId::try_new(name).unwrap()
    }

    fn finding(markers: &[(&str, Option<u64>)], supported: &[&str], epoch: u64) -> EraFinding {
        let marker = |(name, epoch): &(&str, Option<u64>)| {
            EraMarker::new(era(name), epoch.map_or(Activation::Unscheduled, |epoch| Activation::Epoch(Epoch(epoch))))
        };
        let schedule = EraSchedule::try_new(markers.iter().map(marker)).unwrap();
        let supported = SupportedEras::try_new(supported.iter().map(|name| era(name))).unwrap();
        let day = Duration::from_secs(86_400);
        era_readiness(&schedule, &supported, &EpochTime::new(Epoch(epoch), day, 5 * day))
    }

    #[test]
    fn the_steps_of_a_switch_are_told_to_a_binary_that_does_not_know_the_next_era() {
        let old = ["pythagoras"];
        let announced = [("pythagoras", Some(539)), ("lagrange", None)];
        let scheduled = [("lagrange", Some(620)), ("pythagoras", Some(539))];
        assert_eq!(finding(&announced, &old, 600), EraFinding::AnnouncedUnsupported { era: era("lagrange") });
        let far = finding(&scheduled, &old, 617);
        assert_eq!(far.severity(), Severity::Warning);
        assert_eq!(
            far.to_string(),
            "era lagrange begins in 3 epochs (14 d 0 h) and is not supported; update before epoch 620"
        );
        assert_eq!(finding(&scheduled, &old, 618).severity(), Severity::Critical);
        assert_eq!(finding(&scheduled, &old, 620), EraFinding::Unsupported { era: era("lagrange") });
        assert!(matches!(finding(&scheduled, &old, 538), EraFinding::Unreadable { .. }));
    }

    #[test]
    fn a_binary_that_knows_both_is_ready_before_and_after() {
        let both = ["pythagoras", "lagrange"];
        let scheduled = [("pythagoras", Some(539)), ("lagrange", Some(620))];
        let before = finding(&scheduled, &both, 619);
        assert_eq!(before.severity(), Severity::Fine);
        assert!(before.to_string().ends_with("which begins in 4 d 0 h"), "{before}");
        assert_eq!(finding(&scheduled, &both, 620), EraFinding::Ready { current: era("lagrange"), next: None });
    }
}
