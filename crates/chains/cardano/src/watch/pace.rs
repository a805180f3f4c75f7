//! Whether certificates come as often, and with as many signers, as they used to.

use core::fmt;
use std::collections::BTreeMap;

use nodewright_core::Epoch;

use crate::watch::epoch::EpochTime;
use crate::watch::fact::CertificateFact;
use crate::watch::finding::{Finding, Severity};

/// Says how much slower is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaceLimits {
    /// Is the part of the usual number of certificates, in percent, below which the pace has fallen. Default 50.
    pub least: u8,
}

impl Default for PaceLimits {
    fn default() -> Self {
        Self { least: 50 }
    }
}

/// Compares the certificates of the last epoch that is over with the median of the epochs before it.
///
/// `facts` must hold every certificate of those epochs: a list of the newest 20 is cut within its oldest epoch, which is
/// therefore left out.
#[must_use]
pub fn certificate_pace(facts: &[CertificateFact], now: &EpochTime, limits: &PaceLimits) -> PaceFinding {
    let mut counts: BTreeMap<Epoch, u64> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.epoch < now.epoch()) {
        let count = counts.entry(fact.epoch).or_default();
        *count = count.saturating_add(1);
    }
    counts.pop_first();
    let Some(last) = now.epoch().0.checked_sub(1).map(Epoch) else { return PaceFinding::Unknown };
    let found = counts.remove(&last).unwrap_or(0);
    let mut earlier: Vec<u64> = counts.into_values().collect();
    earlier.sort_unstable();
    let Some(usual) = earlier.get(earlier.len() / 2).copied() else { return PaceFinding::Unknown };
    if u128::from(found) * 100 < u128::from(usual) * u128::from(limits.least) {
        PaceFinding::Slower { epoch: last, found, usual }
    } else {
        PaceFinding::Steady { epoch: last, found, usual }
    }
}

/// Is how often certificates come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaceFinding {
    /// Fewer than before.
    Slower {
        /// Is the last epoch that is over.
        epoch: Epoch,
        /// Counts its certificates.
        found: u64,
        /// Is the median of the epochs before it.
        usual: u64,
    },
    /// As often as before.
    Steady {
        /// Is the last epoch that is over.
        epoch: Epoch,
        /// Counts its certificates.
        found: u64,
        /// Is the median of the epochs before it.
        usual: u64,
    },
    /// The list does not reach back far enough.
    Unknown,
}

impl Finding for PaceFinding {
    fn severity(&self) -> Severity {
        match self {
            Self::Steady { .. } => Severity::Fine,
            Self::Unknown => Severity::Notice,
            Self::Slower { .. } => Severity::Warning,
        }
    }
}

impl fmt::Display for PaceFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steady { epoch, found, usual } => {
                write!(f, "epoch {epoch} has {found} certificates, usual are {usual}")
            }
            Self::Slower { epoch, found, usual } => write!(
                f,
                "epoch {epoch} has only {found} certificates, usual are {usual}; see which kinds are missing and which \
                 signers do not answer"
            ),
            Self::Unknown => {
                f.write_str("the certificates known do not reach back over three whole epochs; keep more of them")
            }
        }
    }
}

/// Says how many signers fewer are too few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareLimits {
    /// Is how many of the newest certificates are compared with those before them. Default 5.
    pub recent: usize,
    /// Is the part of the earlier number of signers, in percent, below which the share falls. Default 75: KES keys that
    /// run out silently show as a slow decline.
    pub falling: u8,
    /// Is the part below which the quorum is in danger. Default 50.
    pub low: u8,
}

impl Default for ShareLimits {
    fn default() -> Self {
        Self { recent: 5, falling: 75, low: 50 }
    }
}

/// Compares the number of signers of the newest certificates with those before them.
///
/// `facts` come in any order; genesis certificates have no signers and are left out.
#[must_use]
pub fn signer_share(facts: &[CertificateFact], limits: &ShareLimits) -> ShareFinding {
    let mut facts: Vec<_> = facts.iter().filter(|fact| fact.signers > 0).collect();
    facts.sort_by_key(|fact| core::cmp::Reverse(fact.sealed_at));
    let (recent, earlier) = facts.split_at(limits.recent.min(facts.len()));
    if recent.len() < limits.recent || earlier.len() < limits.recent || recent.is_empty() {
        return ShareFinding::Unknown;
    }
    let (now, before) = (hundredths(recent), hundredths(earlier));
    let below = |percent: u8| u128::from(now) * 100 < u128::from(before) * u128::from(percent);
    if below(limits.low) {
        ShareFinding::Low { now, before }
    } else if below(limits.falling) {
        ShareFinding::Falling { now, before }
    } else {
        ShareFinding::Steady { now, before }
    }
}

/// Is how many signers take part. Numbers of signers are means, in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareFinding {
    /// Fewer sign than before.
    Falling {
        /// Is the mean of the newest certificates, in hundredths.
        now: u64,
        /// Is the mean of those before them, in hundredths.
        before: u64,
    },
    /// So few sign that the quorum is in danger.
    Low {
        /// Is the mean of the newest certificates, in hundredths.
        now: u64,
        /// Is the mean of those before them, in hundredths.
        before: u64,
    },
    /// As many sign as before.
    Steady {
        /// Is the mean of the newest certificates, in hundredths.
        now: u64,
        /// Is the mean of those before them, in hundredths.
        before: u64,
    },
    /// The list is too short to compare.
    Unknown,
}

impl Finding for ShareFinding {
    fn severity(&self) -> Severity {
        match self {
            Self::Steady { .. } => Severity::Fine,
            Self::Unknown => Severity::Notice,
            Self::Falling { .. } => Severity::Warning,
            Self::Low { .. } => Severity::Critical,
        }
    }
}

impl fmt::Display for ShareFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steady { now, before } => {
                write!(f, "{} signers a certificate, {} before", Mean(*now), Mean(*before))
            }
            Self::Falling { now, before } => write!(
                f,
                "only {} signers a certificate, {} before; ask the pools that fell silent about their KES keys",
                Mean(*now),
                Mean(*before)
            ),
            Self::Low { now, before } => write!(
                f,
                "only {} signers a certificate, {} before: the quorum is in danger; call the pools that fell silent",
                Mean(*now),
                Mean(*before)
            ),
            Self::Unknown => f.write_str("too few certificates are known to compare their signers; keep more of them"),
        }
    }
}

/// Writes hundredths with a point.
struct Mean(u64);

impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// Returns the mean number of signers in hundredths.
fn hundredths(facts: &[&CertificateFact]) -> u64 {
    let sum: u128 = facts.iter().map(|fact| u128::from(fact.signers)).sum();
    let count = u128::try_from(facts.len()).unwrap_or(u128::MAX).max(1);
    u64::try_from(sum.saturating_mul(100) / count).unwrap_or(u64::MAX)
}
