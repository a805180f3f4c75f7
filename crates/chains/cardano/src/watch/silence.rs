//! What is missing from the list of certificates: one kind of entity, or everything.

use core::fmt;
use core::time::Duration;

use nodewright_core::Epoch;

use crate::certificate::{EntityKind, Timestamp};
use crate::watch::epoch::EpochTime;
use crate::watch::fact::{CertificateFact, since};
use crate::watch::finding::{Finding, Severity, Span};
use crate::watch::open_message::{Kinds, open_message_timeout};

/// Looks for kinds that an aggregator says it signs (`expected`) and that its list lacks.
///
/// `facts` is the list of the newest certificates, in any order. The stake distributions come once an epoch, so they are
/// looked for in the node's epoch, from when the time-outs of all kinds up to them have passed. The others come many
/// times an epoch; they are looked for in the whole list, which says something only if it holds certificates of two
/// epochs that are over.
#[must_use]
pub fn missing_entities(facts: &[CertificateFact], expected: &[EntityKind], now: &EpochTime) -> EntityFinding {
    let epoch = now.epoch();
    let whole_epochs = {
        let mut epochs: Vec<Epoch> = facts.iter().map(|fact| fact.epoch).filter(|it| *it < epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        epochs.len()
    };
    let mut allowed = Duration::ZERO;
    let mut missing = Vec::new();
    for kind in EntityKind::KNOWN.into_iter().filter(|kind| expected.contains(kind)) {
        let Some(timeout) = open_message_timeout(kind) else { continue };
        allowed = allowed.saturating_add(timeout);
        let once_an_epoch = matches!(kind, EntityKind::MithrilStakeDistribution | EntityKind::CardanoStakeDistribution);
        let listed = |fact: &CertificateFact| fact.kind == kind && (!once_an_epoch || fact.epoch == epoch);
        let due = if once_an_epoch { now.elapsed() > allowed } else { whole_epochs >= 2 };
        if due && !facts.iter().any(listed) {
            missing.push(kind);
        }
    }
    if missing.is_empty() { EntityFinding::Complete } else { EntityFinding::Missing { epoch, kinds: missing } }
}

/// Is what the list of certificates lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntityFinding {
    /// All kinds are there that should be.
    Complete,
    /// These kinds should be there.
    Missing {
        /// Is the node's epoch.
        epoch: Epoch,
        /// Holds the kinds, in the order in which an aggregator works on them.
        kinds: Vec<EntityKind>,
    },
}

impl Finding for EntityFinding {
    fn severity(&self) -> Severity {
        match self {
            Self::Complete => Severity::Fine,
            // The first certificate of an epoch carries the chain on.
            Self::Missing { kinds, .. } if kinds.contains(&EntityKind::MithrilStakeDistribution) => Severity::Critical,
            Self::Missing { .. } => Severity::Warning,
        }
    }
}

impl fmt::Display for EntityFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("certificates of all kinds come"),
            Self::Missing { epoch, kinds } => write!(
                f,
                "in epoch {epoch} no recent certificate is of kind {}; see whether enough signers support it",
                Kinds(kinds)
            ),
        }
    }
}

/// Asks whether the aggregator certifies at all: nothing was sealed for longer than `patience`, which must be more than
/// the usual distance between two certificates. [`SilenceFinding::patience`] derives one from the list.
#[must_use]
pub fn aggregator_silence(facts: &[CertificateFact], now: Timestamp, patience: Duration) -> SilenceFinding {
    let Some(newest) = facts.iter().max_by_key(|fact| fact.sealed_at) else { return SilenceFinding::NoCertificate };
    let (last, silent) = (newest.kind, since(now, newest.sealed_at));
    if silent > patience {
        SilenceFinding::Silent { last, silent, patience }
    } else {
        SilenceFinding::Working { last, silent }
    }
}

/// Is whether an aggregator certifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SilenceFinding {
    /// The list is empty.
    NoCertificate,
    /// Nothing was sealed for longer than can be explained.
    Silent {
        /// Is the kind of the newest certificate.
        last: EntityKind,
        /// Is how long ago it was sealed.
        silent: Duration,
        /// Is how long was allowed.
        patience: Duration,
    },
    /// Something was sealed lately.
    Working {
        /// Is the kind of the newest certificate.
        last: EntityKind,
        /// Is how long ago it was sealed.
        silent: Duration,
    },
}

impl SilenceFinding {
    /// Derives how long an aggregator may be silent: the longest distance between two certificates of `facts`, and the
    /// time-outs of all `expected` kinds one after the other, during which it may wait for signers that do not come.
    #[must_use]
    pub fn patience(facts: &[CertificateFact], expected: &[EntityKind]) -> Duration {
        let mut sealed: Vec<Timestamp> = facts.iter().map(|fact| fact.sealed_at).collect();
        sealed.sort_unstable();
        let distances = sealed.iter().zip(sealed.iter().skip(1)).map(|(earlier, later)| since(*later, *earlier));
        let timeouts = expected.iter().filter_map(|kind| open_message_timeout(*kind));
        timeouts.fold(distances.max().unwrap_or_default(), Duration::saturating_add)
    }
}

impl Finding for SilenceFinding {
    fn severity(&self) -> Severity {
        match self {
            Self::Working { .. } => Severity::Fine,
            Self::NoCertificate => Severity::Warning,
            Self::Silent { .. } => Severity::Critical,
        }
    }
}

impl fmt::Display for SilenceFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Working { last, silent } => {
                write!(f, "the aggregator certifies: {last}, {} ago", Span(*silent))
            }
            Self::Silent { last, silent, patience } => write!(
                f,
                "the aggregator has certified nothing for {} (since {last}), more than the {} that time-outs explain; \
                 look at its state and its node, and restart it",
                Span(*silent),
                Span(*patience)
            ),
            Self::NoCertificate => f.write_str(
                "the aggregator lists no certificate; check its address, and that it has a genesis certificate",
            ),
        }
    }
}
