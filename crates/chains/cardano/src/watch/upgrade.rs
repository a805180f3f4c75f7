//! Whether this is a good moment to restart a signer with a new version.

use core::fmt;
use core::time::Duration;

use nodewright_core::EraId;

use crate::watch::epoch::EpochTime;
use crate::watch::era::EraFinding;
use crate::watch::finding::{Finding, Severity, Span};

/// Says how much room a restart needs. Of short epochs an eighth is taken, if that is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpgradeLimits {
    /// Is the time before the end of an epoch in which nothing is restarted. Default 6 h: a first import of transactions
    /// may take a night.
    pub before_edge: Duration,
    /// Is the time after the start of an epoch in which nothing is restarted, unless the registration is in. Default 2 h:
    /// longer than stake distributions have kept rounds from opening.
    pub after_edge: Duration,
    /// Is the time before an era begins in which a binary that supports it is left alone. Default 24 h.
    pub before_era: Duration,
}

impl Default for UpgradeLimits {
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        Self { before_edge: hours(6), after_edge: hours(2), before_era: hours(24) }
    }
}

/// Says whether to restart a signer now. `registered` says whether the registration of this epoch is in.
#[must_use]
pub fn upgrade_advice(now: &EpochTime, registered: bool, era: &EraFinding, limits: &UpgradeLimits) -> UpgradeAdvice {
    let room = |limit: Duration| limit.min(now.length() / 8);
    match era {
        EraFinding::Unsupported { era } => return UpgradeAdvice::Must { era: era.clone(), left: Duration::ZERO },
        // An unsupported era stops the node for certain; a missed registration costs two epochs.
        EraFinding::NextUnsupported { next, left, .. } if *left <= now.left() => {
            return UpgradeAdvice::Must { era: next.era.clone(), left: *left };
        }
        EraFinding::Ready { next: Some((next, left)), .. } if *left <= limits.before_era.min(now.length()) => {
            return UpgradeAdvice::Wait { left: *left, reason: UpgradeReason::EraEdge { era: next.era.clone() } };
        }
        _ => {}
    }
    let wait = |left, reason| UpgradeAdvice::Wait { left, reason };
    if now.left() <= room(limits.before_edge) {
        return wait(now.left(), UpgradeReason::EpochEdge);
    }
    let settling = room(limits.after_edge).saturating_sub(now.elapsed());
    if !registered && !settling.is_zero() {
        return wait(settling, UpgradeReason::RegistrationOpen);
    }
    UpgradeAdvice::Go { left: now.left().saturating_sub(room(limits.before_edge)) }
}

/// Is an advice on when to restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpgradeAdvice {
    /// This is a good moment.
    Go {
        /// Is how long it stays one.
        left: Duration,
    },
    /// It has to be now, good moment or not.
    Must {
        /// Names the era that the binary does not support.
        era: EraId,
        /// Is the time until it begins; zero if it has.
        left: Duration,
    },
    /// It is better to wait.
    Wait {
        /// Is for how long.
        left: Duration,
        /// Says why.
        reason: UpgradeReason,
    },
}

/// Says why to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpgradeReason {
    /// The epoch is nearly over, and the registration of the next may be missed.
    EpochEdge,
    /// An era begins, which the running binary supports.
    EraEdge {
        /// Names the era.
        era: EraId,
    },
    /// The epoch is young, and its registration not in.
    RegistrationOpen,
}

impl Finding for UpgradeAdvice {
    fn severity(&self) -> Severity {
        match self {
            Self::Go { .. } => Severity::Fine,
            Self::Wait { .. } => Severity::Notice,
            Self::Must { .. } => Severity::Critical,
        }
    }
}

impl fmt::Display for UpgradeAdvice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Go { left } => write!(f, "a good time to upgrade, for another {}", Span(*left)),
            Self::Must { era, left } if left.is_zero() => {
                write!(f, "era {era} holds and is not supported; upgrade now")
            }
            Self::Must { era, left } => {
                write!(f, "era {era} begins in {} and is not supported; upgrade now", Span(*left))
            }
            Self::Wait { left, reason } => {
                let left = Span(*left);
                match reason {
                    UpgradeReason::EpochEdge => {
                        write!(
                            f,
                            "do not upgrade now: the epoch ends in {left}; wait until the next registration is in"
                        )
                    }
                    UpgradeReason::EraEdge { era } => write!(
                        f,
                        "do not upgrade now: era {era}, which is supported, begins in {left}; wait until it holds"
                    ),
                    UpgradeReason::RegistrationOpen => {
                        write!(f, "do not upgrade now: this epoch's registration is not in; wait for it, or for {left}")
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nodewright_core::{Activation, Epoch, EpochDelta, EraMarker};

    fn hours(hours: u64) -> Duration {
        Duration::from_secs(hours * 3_600)
    }

    fn ready(next: Option<Duration>) -> EraFinding {
        let era = |name| EraId::try_new(name).unwrap();
        let next = next.map(|left| (EraMarker::new(era("lagrange"), Activation::Epoch(Epoch(8))), left));
        EraFinding::Ready { current: era("pythagoras"), next }
    }

    fn advice(elapsed: u64, registered: bool, era: &EraFinding) -> UpgradeAdvice {
        let now = EpochTime::new(Epoch(7), hours(elapsed), hours(120));
        upgrade_advice(&now, registered, era, &UpgradeLimits::default())
    }

    #[test]
    fn an_upgrade_waits_near_an_edge_and_while_the_registration_is_not_in() {
        let none = ready(None);
        let wait = |hours_left, reason| UpgradeAdvice::Wait { left: hours(hours_left), reason };
        assert_eq!(advice(0, false, &none), wait(2, UpgradeReason::RegistrationOpen));
        assert_eq!(advice(0, true, &none), UpgradeAdvice::Go { left: hours(114) });
        assert_eq!(advice(2, false, &none), UpgradeAdvice::Go { left: hours(112) });
        assert_eq!(advice(113, true, &none), UpgradeAdvice::Go { left: hours(1) });
        assert_eq!(advice(114, true, &none), wait(6, UpgradeReason::EpochEdge));
        let era = EraId::try_new("lagrange").unwrap();
        assert_eq!(advice(100, true, &ready(Some(hours(20)))), wait(20, UpgradeReason::EraEdge { era }));
        assert_eq!(advice(10, true, &ready(Some(hours(110)))), UpgradeAdvice::Go { left: hours(104) });
    }

    #[test]
    fn an_era_that_is_not_supported_and_begins_with_the_next_epoch_does_not_wait() {
        let era = EraId::try_new("lagrange").unwrap();
        let next = EraMarker::new(era.clone(), Activation::Epoch(Epoch(8)));
        let soon = EraFinding::NextUnsupported { next, epochs: EpochDelta(1), left: hours(3) };
        assert_eq!(advice(117, false, &soon), UpgradeAdvice::Must { era: era.clone(), left: hours(3) });
        let now = EraFinding::Unsupported { era };
        assert_eq!(advice(117, false, &now).severity(), Severity::Critical);
    }
}
