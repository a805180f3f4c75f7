//! Whether the chain of certificates is about to tear: an epoch without a certificate, and only a new genesis helps.

use core::fmt;
use core::time::Duration;

use nodewright_core::Epoch;

use crate::watch::epoch::EpochTime;
use crate::watch::finding::{Finding, Severity, Span};

/// Says when an epoch without a certificate becomes worrying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapLimits {
    /// Is how long the first certificate of an epoch may take. Default 1 h 30 min: the hour for which Mithril keeps the
    /// first message of an epoch open, and half of it for the epoch's start.
    pub settle: Duration,
    /// Is the time to the epoch's end below which it is urgent. Default 12 h; of short epochs, a quarter.
    pub urgent: Duration,
}

impl Default for GapLimits {
    fn default() -> Self {
        Self { settle: Duration::from_secs(5_400), urgent: Duration::from_secs(12 * 3_600) }
    }
}

/// Compares the epoch of the newest certificate with the node's, and says how long there is until they are two apart.
#[must_use]
pub fn epoch_gap(newest: Option<Epoch>, now: &EpochTime, limits: &GapLimits) -> GapFinding {
    let epoch = now.epoch();
    let Some(certified) = newest else { return GapFinding::NoCertificate { epoch } };
    let Some(behind) = epoch.since(certified) else { return GapFinding::NodeBehind { certified, epoch } };
    let left = now.left();
    match behind.0 {
        // The next epoch may still certify, so the edge that counts is the one after it.
        0 => GapFinding::Linked { certified, left: left.saturating_add(now.length()) },
        1 if left <= limits.urgent.min(now.length() / 4) => GapFinding::Imminent { certified, epoch, left },
        1 if now.elapsed() >= limits.settle => GapFinding::Ahead { certified, epoch, left },
        1 => GapFinding::Settling { certified, epoch, left },
        _ => GapFinding::Torn { certified, epoch },
    }
}

/// Is how the newest certificate stands to the node's epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapFinding {
    /// This epoch has no certificate yet, and should.
    Ahead {
        /// Is the epoch of the newest certificate.
        certified: Epoch,
        /// Is the node's epoch.
        epoch: Epoch,
        /// Is the time until the gap.
        left: Duration,
    },
    /// This epoch has no certificate, and is nearly over.
    Imminent {
        /// Is the epoch of the newest certificate.
        certified: Epoch,
        /// Is the node's epoch.
        epoch: Epoch,
        /// Is the time until the gap.
        left: Duration,
    },
    /// This epoch has a certificate.
    Linked {
        /// Is the epoch of the newest certificate.
        certified: Epoch,
        /// Is the time until a gap, if no other certificate comes.
        left: Duration,
    },
    /// There is no certificate at all.
    NoCertificate {
        /// Is the node's epoch.
        epoch: Epoch,
    },
    /// The newest certificate is of an epoch that the node has not reached.
    NodeBehind {
        /// Is the epoch of the newest certificate.
        certified: Epoch,
        /// Is the node's epoch.
        epoch: Epoch,
    },
    /// This epoch has no certificate yet, and is young.
    Settling {
        /// Is the epoch of the newest certificate.
        certified: Epoch,
        /// Is the node's epoch.
        epoch: Epoch,
        /// Is the time until the gap.
        left: Duration,
    },
    /// A whole epoch has no certificate.
    Torn {
        /// Is the epoch of the newest certificate.
        certified: Epoch,
        /// Is the node's epoch.
        epoch: Epoch,
    },
}

impl GapFinding {
    /// Returns the time until the chain tears if nothing is certified; `None` if it has, or if that cannot be said.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        match self {
            Self::Ahead { left, .. }
            | Self::Imminent { left, .. }
            | Self::Linked { left, .. }
            | Self::Settling { left, .. } => Some(*left),
            Self::NoCertificate { .. } | Self::NodeBehind { .. } | Self::Torn { .. } => None,
        }
    }
}

impl Finding for GapFinding {
    fn severity(&self) -> Severity {
        match self {
            Self::Linked { .. } => Severity::Fine,
            Self::Settling { .. } => Severity::Notice,
            Self::Ahead { .. } | Self::NodeBehind { .. } => Severity::Warning,
            Self::Imminent { .. } | Self::NoCertificate { .. } | Self::Torn { .. } => Severity::Critical,
        }
    }
}

impl fmt::Display for GapFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linked { certified, left } => {
                write!(
                    f,
                    "epoch {certified} is certified; without another certificate the chain tears in {}",
                    Span(*left)
                )
            }
            Self::Settling { epoch, left, .. } => {
                write!(f, "epoch {epoch} has just begun and has no certificate yet; {} until it must", Span(*left))
            }
            Self::Ahead { certified, epoch, left } => write!(
                f,
                "epoch {epoch} has no certificate, the last is of {certified}; in {} the chain tears: \
                 look for missing signers and a stuck message",
                Span(*left)
            ),
            Self::Imminent { certified, epoch, left } => write!(
                f,
                "epoch {epoch} has no certificate, the last is of {certified}, and only {} are left before a new genesis is \
                 the only way on: restart the aggregator and call its signers now",
                Span(*left)
            ),
            Self::Torn { certified, epoch } => write!(
                f,
                "the last certificate is of epoch {certified} and the node is in {epoch}: the chain is torn, \
                 bootstrap a new genesis certificate (it certifies from the next epoch)"
            ),
            Self::NodeBehind { certified, epoch } => write!(
                f,
                "the last certificate is of epoch {certified} and the node is still in {epoch}: check that the node is in sync"
            ),
            Self::NoCertificate { epoch } => write!(
                f,
                "there is no certificate in epoch {epoch}: bootstrap a genesis certificate, or check the aggregator's address"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn at(newest: u64, epoch: u64, elapsed: u64) -> GapFinding {
        let now = EpochTime::new(Epoch(epoch), Duration::from_secs(elapsed), Duration::from_secs(5 * DAY));
        epoch_gap(Some(Epoch(newest)), &now, &GapLimits::default())
    }

    #[test]
    fn the_warning_comes_epochs_before_the_gap_and_grows_as_time_runs_out() {
        assert_eq!(at(10, 10, 0).left(), Some(Duration::from_secs(10 * DAY)));
        let severity = |newest, epoch, elapsed| at(newest, epoch, elapsed).severity();
        assert_eq!(severity(10, 10, 5 * DAY), Severity::Fine);
        assert_eq!(severity(10, 11, 0), Severity::Notice);
        assert_eq!(severity(10, 11, 5_399), Severity::Notice);
        assert_eq!(severity(10, 11, 5_400), Severity::Warning);
        assert_eq!(severity(10, 11, 5 * DAY - 43_201), Severity::Warning);
        assert_eq!(severity(10, 11, 5 * DAY - 43_200), Severity::Critical);
        assert!(matches!(at(10, 12, 0), GapFinding::Torn { .. }));
        assert!(matches!(at(11, 10, 0), GapFinding::NodeBehind { .. }));
        assert_eq!(at(11, 10, 0).left(), None);
    }

    #[test]
    fn a_chain_without_certificates_is_named_so() {
        let now = EpochTime::new(Epoch(3), Duration::ZERO, Duration::from_secs(DAY));
        assert_eq!(epoch_gap(None, &now, &GapLimits::default()), GapFinding::NoCertificate { epoch: Epoch(3) });
    }
}
