//! Reads what the watches need, and runs those that need nothing else.

use core::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;
use nodewright_core::{Epoch, EraReader, Error, Result, SupportedEras};

use crate::certificate::{EntityKind, Timestamp};
use crate::kes::KesPeriod;
use crate::watch::epoch::EpochTime;
use crate::watch::era::era_readiness;
use crate::watch::fact::CertificateFact;
use crate::watch::finding::{Finding, Severity};
use crate::watch::gap::{GapLimits, epoch_gap};
use crate::watch::kes::{KesLimits, KesReading, kes_countdown};
use crate::watch::pace::{PaceLimits, ShareLimits, certificate_pace, signer_share};
use crate::watch::registration::{RegistrationTracker, RegistrationView, SignerKey};
use crate::watch::silence::{SilenceFinding, aggregator_silence, missing_entities};
use crate::watch::upgrade::{UpgradeLimits, upgrade_advice};

/// Reads from an aggregator what the watches need.
///
/// Dropping a future of any of these methods loses nothing but the answer.
#[async_trait]
pub trait AggregatorView: Debug + Send + Sync + 'static {
    /// Returns the newest certificates that are known, in any order: the route lists 20, and whoever keeps older ones may
    /// add them.
    ///
    /// # Errors
    /// When the aggregator does not answer, or not as it should.
    async fn certificates(&self) -> Result<Vec<CertificateFact>>;

    /// Returns the kinds that the aggregator says it signs.
    ///
    /// # Errors
    /// As above.
    async fn expected_kinds(&self) -> Result<Vec<EntityKind>>;

    /// Returns the parties that have registered in `epoch`.
    ///
    /// # Errors
    /// As above.
    async fn registered(&self, epoch: Epoch) -> Result<Vec<String>>;

    /// Returns the aggregator's epoch, and who signs in it and in the next.
    ///
    /// # Errors
    /// As above.
    async fn settings(&self) -> Result<SettingsReading>;
}

/// Reads from a node what the watches need.
///
/// Dropping a future of any of these methods loses nothing but the answer.
#[async_trait]
pub trait NodeView: Debug + Send + Sync + 'static {
    /// Returns where in its epoch the node is.
    ///
    /// # Errors
    /// When the node does not answer.
    async fn epoch_time(&self) -> Result<EpochTime>;

    /// Returns by what KES periods are counted, and the tip if the node says it.
    ///
    /// # Errors
    /// When the node does not answer.
    async fn kes(&self) -> Result<KesReading>;
}

/// Is what an aggregator's epoch settings say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsReading {
    /// Is the aggregator's epoch.
    pub epoch: Epoch,
    /// Holds those who sign in it.
    pub current: Vec<SignerKey>,
    /// Holds those who sign in the next.
    pub next: Vec<SignerKey>,
}

/// Runs the watches of one signer, each with its default limits.
#[derive(Clone, Debug)]
pub struct SignerWatch {
    /// Is the signer's node.
    pub node: Arc<dyn NodeView>,
    /// Is its aggregator.
    pub aggregator: Arc<dyn AggregatorView>,
    /// Is the start period of its operational certificate; without it the KES key is not watched.
    pub kes_start: Option<KesPeriod>,
    /// Are the eras of the network and those of the signer's binary; without them eras are not watched.
    pub eras: Option<(Arc<dyn EraReader>, SupportedEras)>,
}

impl SignerWatch {
    /// Reads, and returns what every watch finds; what could not be read is a finding as well. `now` is the time by the
    /// aggregator's clock.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing but the answer.
    pub async fn look(&self, tracker: &RegistrationTracker, now: Timestamp) -> Vec<Box<dyn Finding>> {
        let mut findings = Findings(Vec::new());
        if let Some(start) = self.kes_start
            && let Some(reading) = findings.take("the node's KES period", self.node.kes().await)
        {
            match kes_countdown(start, &reading, &KesLimits::default()) {
                Ok(countdown) => findings.push(countdown),
                Err(error) => findings.push(error),
            }
        }
        let epoch = findings.take("the node's epoch", self.node.epoch_time().await);
        self.look_at_certificates(epoch.as_ref(), now, &mut findings).await;
        if let Some(epoch) = epoch {
            self.look_at_registration(tracker, &epoch, &mut findings).await;
            self.look_at_eras(tracker, &epoch, &mut findings).await;
        }
        findings.0
    }

    async fn look_at_certificates(&self, epoch: Option<&EpochTime>, now: Timestamp, findings: &mut Findings) {
        let Some(facts) = findings.take("the aggregator's certificates", self.aggregator.certificates().await) else {
            return;
        };
        let kinds = findings.take("the aggregator's abilities", self.aggregator.expected_kinds().await);
        let kinds = kinds.unwrap_or_default();
        findings.push(aggregator_silence(&facts, now, SilenceFinding::patience(&facts, &kinds)));
        findings.push(signer_share(&facts, &ShareLimits::default()));
        if let Some(epoch) = epoch {
            let newest = facts.iter().map(|fact| fact.epoch).max();
            findings.push(epoch_gap(newest, epoch, &GapLimits::default()));
            findings.push(certificate_pace(&facts, epoch, &PaceLimits::default()));
            findings.push(missing_entities(&facts, &kinds, epoch));
        }
    }

    async fn look_at_registration(&self, tracker: &RegistrationTracker, epoch: &EpochTime, findings: &mut Findings) {
        let Some(settings) = findings.take("the aggregator's epoch settings", self.aggregator.settings().await) else {
            return;
        };
        let registered = self.aggregator.registered(epoch.epoch()).await;
        let registered = findings.take("the aggregator's registrations", registered);
        let view = RegistrationView {
            epoch: settings.epoch,
            current: &settings.current,
            next: &settings.next,
            registered: registered.as_deref(),
        };
        for finding in tracker.judge(&view, epoch) {
            findings.push(finding);
        }
    }

    async fn look_at_eras(&self, tracker: &RegistrationTracker, epoch: &EpochTime, findings: &mut Findings) {
        let Some((reader, supported)) = &self.eras else { return };
        let Some(schedule) = findings.take("the era markers", reader.schedule().await) else { return };
        let readiness = era_readiness(&schedule, supported, epoch);
        let registered = tracker.is_accepted(epoch.epoch());
        findings.push(upgrade_advice(epoch, registered, &readiness, &UpgradeLimits::default()));
        findings.push(readiness);
    }
}

/// Says that something could not be read, so that what depends on it is not known.
#[derive(Debug)]
pub struct ReadFailure {
    what: &'static str,
    error: Error,
}

impl ReadFailure {
    /// Names what was to be read.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Returns why it could not.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl Finding for ReadFailure {
    fn severity(&self) -> Severity {
        Severity::Warning
    }
}

impl fmt::Display for ReadFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} could not be read, so nothing is known of it: {}; check the connection", self.what, self.error)
    }
}

/// Collects findings.
struct Findings(Vec<Box<dyn Finding>>);

impl Findings {
    fn push(&mut self, finding: impl Finding + 'static) {
        self.0.push(Box::new(finding));
    }

    /// Returns what was read; what was not becomes a finding.
    fn take<T>(&mut self, what: &'static str, read: Result<T>) -> Option<T> {
        read.map_err(|error| self.push(ReadFailure { what, error })).ok()
    }
}
