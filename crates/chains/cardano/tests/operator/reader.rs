//! The watches of one signer of the recorded devnet, read through the traits, with each reading failing in turn.

use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use nodewright_cardano::certificate::{CertificateSummary, EntityKind, Timestamp};
use nodewright_cardano::kes::{KesPeriod, StmKey};
use nodewright_cardano::watch::{
    AggregatorView, CertificateFact, EpochTime, Finding, KesReading, NodeView, RegistrationAnswer, RegistrationTracker,
    SettingsReading, Severity, SignerKey, SignerWatch,
};
use nodewright_core::{
    Activation, Epoch, EraId, EraMarker, EraPositions, EraReader, EraSchedule, Error, ErrorKind, Result, Slot,
    SupportedEras,
};
use serde_json::Value;

/// Answers from the recording, but for the reading that is named.
#[derive(Debug)]
struct Recording {
    fails: &'static str,
    facts: Vec<CertificateFact>,
    settings: SettingsReading,
    tip: Option<Slot>,
}

impl Recording {
    fn answer<T>(&self, name: &'static str, value: T) -> Result<T> {
        if self.fails == name { Err(Error::new(ErrorKind::Unreachable, name)) } else { Ok(value) }
    }
}

#[async_trait]
impl AggregatorView for Recording {
    async fn certificates(&self) -> Result<Vec<CertificateFact>> {
        self.answer("certificates", self.facts.clone())
    }

    async fn expected_kinds(&self) -> Result<Vec<EntityKind>> {
        self.answer("kinds", EntityKind::KNOWN.to_vec())
    }

    async fn registered(&self, _: Epoch) -> Result<Vec<String>> {
        self.answer("registered", self.settings.next.iter().map(|signer| signer.party.clone()).collect())
    }

    async fn settings(&self) -> Result<SettingsReading> {
        self.answer("settings", self.settings.clone())
    }
}

#[async_trait]
impl NodeView for Recording {
    async fn epoch_time(&self) -> Result<EpochTime> {
        let day = Duration::from_secs(86_400);
        self.answer("epoch", EpochTime::new(Epoch(24), day, 5 * day))
    }

    async fn kes(&self) -> Result<KesReading> {
        self.answer("kes", KesReading::mainnet(self.tip))
    }
}

#[async_trait]
impl EraReader for Recording {
    async fn schedule(&self) -> Result<EraSchedule> {
        let marker = |name, epoch| EraMarker::new(EraId::try_new(name).unwrap(), Activation::Epoch(Epoch(epoch)));
        self.answer("eras", EraSchedule::try_new([marker("pythagoras", 0), marker("lagrange", 30)]).unwrap())
    }

    async fn positions(&self) -> Result<EraPositions> {
        Ok(EraPositions::default())
    }
}

/// Returns a watch over the recording and the tracker of its first signer, which knows its real keys.
fn subject(fails: &'static str, tip: Option<Slot>) -> Option<(SignerWatch, RegistrationTracker, Timestamp)> {
    let read = |name: &str| std::fs::read(nodewright_testkit::corpus(&format!("mithril/devnet-2026/{name}"))?).ok();
    let list: Vec<CertificateSummary> = serde_json::from_slice(&read("certificates-list.json")?).unwrap();
    let facts: Vec<_> = list.iter().map(CertificateFact::from).filter(|fact| fact.epoch <= Epoch(24)).collect();
    let json: Value = serde_json::from_slice(&read("epoch-settings.json")?).unwrap();
    let signers = |name: &str| {
        let signer = |signer: &Value| SignerKey {
            party: signer["party_id"].as_str().unwrap().to_owned(),
            key: StmKey::from_text(signer["verification_key"].as_str().unwrap()).unwrap(),
        };
        json[name].as_array().unwrap().iter().map(signer).collect::<Vec<_>>()
    };
    let settings = SettingsReading {
        epoch: Epoch(json["epoch"].as_u64().unwrap()),
        current: signers("current_signers"),
        next: signers("next_signers"),
    };
    let mut tracker = RegistrationTracker::new(settings.current[0].party.clone());
    let next = settings.next.iter().find(|signer| signer.party == settings.current[0].party).unwrap();
    for (epoch, key) in [(22, settings.current[0].key), (23, next.key)] {
        tracker.store_key(Epoch(epoch), key);
        tracker.answer(Epoch(epoch), RegistrationAnswer::Accepted);
    }
    let now = facts.iter().map(|fact| fact.sealed_at).max().unwrap();
    let view = Arc::new(Recording { fails, facts, settings, tip });
    let supported = SupportedEras::try_new([EraId::try_new("pythagoras").unwrap()]).unwrap();
    let eras = Some((view.clone() as Arc<dyn EraReader>, supported));
    let watch = SignerWatch { node: view.clone(), aggregator: view, kes_start: Some(KesPeriod(300)), eras };
    Some((watch, tracker, now))
}

async fn look(fails: &'static str, tip: Option<Slot>) -> Option<Vec<Box<dyn Finding>>> {
    let (watch, tracker, now) = subject(fails, tip)?;
    Some(watch.look(&tracker, now).await)
}

const MIDWAY: Option<Slot> = Some(Slot(330 * 129_600));

#[tokio::test]
async fn a_healthy_signer_is_fine_but_for_the_era_that_its_binary_does_not_know() {
    let Some(findings) = look("", MIDWAY).await else { return };
    assert_eq!(findings.len(), 11);
    for finding in &findings {
        let expected = match finding.to_string() {
            // Nothing but the era that the binary lacks is wrong; the recording holds too few epochs for the pace.
            text if text.contains("lagrange") => Severity::Warning,
            text if text.contains("do not reach back") => Severity::Notice,
            _ => Severity::Fine,
        };
        assert_eq!(finding.severity(), expected, "{finding}");
        assert_eq!(finding.to_string().lines().count(), 1);
    }
}

#[tokio::test]
async fn whatever_cannot_be_read_is_named_and_the_other_watches_go_on() {
    let Some(all) = look("", MIDWAY).await else { return };
    let readings = [
        ("certificates", "the aggregator's certificates", 5),
        ("kinds", "the aggregator's abilities", 0),
        ("registered", "the aggregator's registrations", 0),
        ("settings", "the aggregator's epoch settings", 3),
        ("epoch", "the node's epoch", 8),
        ("kes", "the node's KES period", 1),
        ("eras", "the era markers", 2),
    ];
    for (fails, what, lost) in readings {
        let findings = look(fails, MIDWAY).await.unwrap();
        let named: Vec<_> = findings.iter().filter(|finding| finding.to_string().starts_with(what)).collect();
        assert_eq!(named.len(), 1, "{fails}");
        assert_eq!(named[0].severity(), Severity::Warning);
        assert_eq!(findings.len(), all.len() - lost + 1, "{fails}");
    }
}

#[tokio::test]
async fn a_node_that_does_not_say_its_slot_is_critical_and_not_period_zero() {
    let Some(findings) = look("", None).await else { return };
    assert_eq!(findings[0].severity(), Severity::Critical);
    assert!(findings[0].to_string().contains("does not say in which KES period"), "{}", findings[0]);
}
