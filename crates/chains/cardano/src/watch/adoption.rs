//! How much of the registered stake runs which version of the signer.

use core::fmt;
use std::collections::BTreeMap;

use nodewright_core::Epoch;
use serde::Deserialize;
use thiserror::Error;

use crate::watch::finding::{Finding, Severity};

/// Is one registration as an aggregator's event store keeps it. A party may register several times in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationEvent {
    /// Names the party.
    pub party: String,
    /// Is the epoch that the registration states.
    pub epoch: Epoch,
    /// Is the party's stake in lovelace.
    pub stake: u64,
    /// Is the header `signer-node-version`, if one came.
    pub version: Option<String>,
}

impl RegistrationEvent {
    /// Reads the `content` of an event `register_signer` of the aggregator's `monitoring.sqlite3`:
    /// `{"content":{"party_id":…,"stake":…},"headers":{"signer-node-version":…,"epoch":"…"}}`.
    ///
    /// # Errors
    /// [`EventError`] if it is not that.
    pub fn from_event(content: &str) -> Result<Self, EventError> {
        let event: Event = serde_json::from_str(content).map_err(EventError::Json)?;
        let epoch = event.headers.epoch.parse().map_err(|_| EventError::Epoch(event.headers.epoch))?;
        Ok(Self {
            party: event.content.party_id,
            epoch: Epoch(epoch),
            stake: event.content.stake,
            version: event.headers.version,
        })
    }
}

/// Says why an event cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EventError {
    /// Its epoch is no number.
    #[error("registration event states epoch {0:?}, which is no number")]
    Epoch(String),
    /// It is not the JSON expected.
    #[error("registration event is not the expected JSON: {0}")]
    Json(serde_json::Error),
}

/// Is how the registered stake of one epoch is spread over versions. The whole is the stake that registered, not all
/// stake of Cardano.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adoption {
    /// Is the epoch of the registrations.
    pub epoch: Epoch,
    /// Is the sum of all stake that registered, in lovelace.
    pub total: u128,
    /// Holds the share of each version, by its text up to the first `+`, in the order of the text.
    pub versions: BTreeMap<String, VersionShare>,
    /// Is the share of those whose version did not arrive: it may be any.
    pub unknown: VersionShare,
}

/// Is the part of the stake that runs one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionShare {
    /// Is the stake in lovelace.
    pub stake: u128,
    /// Counts the pools.
    pub pools: u64,
}

impl VersionShare {
    /// Returns the share of `total` as Mithril's runbook prints it: whole percents, rounded half up, at least two digits.
    #[must_use]
    pub fn ratio_text(&self, total: u128) -> String {
        let percent = match total {
            0 => 0,
            total => (self.stake.saturating_mul(200).saturating_add(total)) / total.saturating_mul(2),
        };
        format!("{percent:02} %")
    }

    fn add(&mut self, stake: u64) {
        self.stake = self.stake.saturating_add(u128::from(stake));
        self.pools = self.pools.saturating_add(1);
    }
}

/// Computes the adoption of each epoch. `events` come in the order in which they happened; of each party's
/// registrations in an epoch the latest counts.
#[must_use]
pub fn adoption<'a>(events: impl IntoIterator<Item = &'a RegistrationEvent>) -> BTreeMap<Epoch, Adoption> {
    let mut latest = BTreeMap::new();
    for event in events {
        latest.insert((event.epoch, event.party.as_str()), event);
    }
    let mut epochs = BTreeMap::new();
    for ((epoch, _), event) in latest {
        let adoption = epochs.entry(epoch).or_insert_with(|| Adoption {
            epoch,
            total: 0,
            versions: BTreeMap::new(),
            unknown: VersionShare::default(),
        });
        adoption.total = adoption.total.saturating_add(u128::from(event.stake));
        match event.version.as_deref().map(cut).filter(|version| !version.is_empty()) {
            Some(version) => adoption.versions.entry(version.to_owned()).or_default().add(event.stake),
            None => adoption.unknown.add(event.stake),
        }
    }
    epochs
}

impl Adoption {
    /// Answers whether the versions that `accepts` names hold at least `threshold` percent of the stake: 95 before
    /// Mithril's team schedules an era.
    pub fn answer(&self, threshold: u8, accepts: impl Fn(&str) -> bool) -> AdoptionAnswer {
        let known = self.versions.iter().filter(|(version, _)| accepts(version));
        let compatible = known.map(|(_, share)| share.stake).fold(0, u128::saturating_add);
        let reaches = |stake: u128| {
            self.total > 0 && stake.saturating_mul(100) >= self.total.saturating_mul(u128::from(threshold))
        };
        let verdict = if reaches(compatible) {
            AdoptionVerdict::Reached
        } else if self.total == 0 || reaches(compatible.saturating_add(self.unknown.stake)) {
            AdoptionVerdict::CannotKnow
        } else {
            AdoptionVerdict::NotReached
        };
        let (total, unknown) = (self.total, self.unknown.stake);
        AdoptionAnswer { epoch: self.epoch, threshold, verdict, compatible, unknown, total }
    }
}

/// Is the answer to whether enough stake runs versions that will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdoptionAnswer {
    /// Is the epoch of the registrations.
    pub epoch: Epoch,
    /// Is the share asked for, in percent.
    pub threshold: u8,
    /// Is the answer.
    pub verdict: AdoptionVerdict,
    /// Is the stake of the versions that will do, in lovelace.
    pub compatible: u128,
    /// Is the stake whose version is not known, in lovelace.
    pub unknown: u128,
    /// Is all registered stake, in lovelace.
    pub total: u128,
}

/// Answers a question of adoption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AdoptionVerdict {
    /// It depends on the stake whose version is not known, or nobody registered.
    CannotKnow,
    /// It is not, whatever the stake of unknown version runs.
    NotReached,
    /// It is, whatever the stake of unknown version runs.
    Reached,
}

impl Finding for AdoptionAnswer {
    fn severity(&self) -> Severity {
        match self.verdict {
            AdoptionVerdict::Reached => Severity::Fine,
            AdoptionVerdict::NotReached => Severity::Notice,
            AdoptionVerdict::CannotKnow => Severity::Warning,
        }
    }
}

impl fmt::Display for AdoptionAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, threshold, total, .. } = *self;
        let share = |stake| VersionShare { stake, pools: 0 }.ratio_text(total);
        let compatible = share(self.compatible);
        match self.verdict {
            AdoptionVerdict::Reached => {
                write!(f, "epoch {epoch}: {compatible} of the registered stake will do, {threshold} % are needed")
            }
            AdoptionVerdict::NotReached => write!(
                f,
                "epoch {epoch}: only {compatible} of the registered stake will do, {threshold} % are needed; \
                 ask the pools with other versions to update"
            ),
            AdoptionVerdict::CannotKnow if total == 0 => {
                write!(f, "epoch {epoch}: no stake has registered; check the aggregator's event store")
            }
            AdoptionVerdict::CannotKnow => write!(
                f,
                "epoch {epoch}: {compatible} of the registered stake will do and {} came without a version, so {threshold} % \
                 can be neither claimed nor denied; check that the header signer-node-version arrives",
                share(self.unknown)
            ),
        }
    }
}

/// Cuts a version at the build's commit: `0.2.276+5d5571e` is `0.2.276`.
fn cut(version: &str) -> &str {
    version.split('+').next().unwrap_or_default()
}

#[derive(Deserialize)]
struct Event {
    content: Signer,
    headers: Headers,
}

#[derive(Deserialize)]
struct Signer {
    party_id: String,
    stake: u64,
}

#[derive(Deserialize)]
struct Headers {
    #[serde(rename = "signer-node-version")]
    version: Option<String>,
    epoch: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(party: &str, stake: u64, version: Option<&str>) -> RegistrationEvent {
        RegistrationEvent { party: party.to_owned(), epoch: Epoch(7), stake, version: version.map(str::to_owned) }
    }

    fn verdict(events: &[RegistrationEvent]) -> AdoptionVerdict {
        adoption(events)[&Epoch(7)].answer(95, |version| version == "0.3.0").verdict
    }

    #[test]
    fn the_95_percent_question_has_three_answers() {
        let (new, old) = (Some("0.3.0+abc"), Some("0.2.9"));
        assert_eq!(verdict(&[event("a", 95, new), event("b", 5, old)]), AdoptionVerdict::Reached);
        assert_eq!(verdict(&[event("a", 94, new), event("b", 6, old)]), AdoptionVerdict::NotReached);
        assert_eq!(
            verdict(&[event("a", 94, new), event("b", 1, None), event("c", 5, old)]),
            AdoptionVerdict::CannotKnow
        );
        assert_eq!(
            verdict(&[event("a", 93, new), event("b", 1, None), event("c", 6, old)]),
            AdoptionVerdict::NotReached
        );
        assert_eq!(verdict(&[event("a", 95, new), event("b", 5, None)]), AdoptionVerdict::Reached);
        assert_eq!(verdict(&[event("a", 0, new)]), AdoptionVerdict::CannotKnow);
        let most = u64::MAX;
        assert_eq!(verdict(&[event("a", most, new), event("b", most, old)]), AdoptionVerdict::NotReached);
    }

    #[test]
    fn of_several_registrations_of_a_party_the_latest_counts_and_an_empty_version_is_unknown() {
        let events = [event("a", 10, Some("0.2.9")), event("a", 12, Some("0.3.0+x")), event("b", 5, Some("+x"))];
        let adoption = &adoption(&events)[&Epoch(7)];
        assert_eq!(adoption.total, 17);
        assert_eq!(
            adoption.versions.iter().collect::<Vec<_>>(),
            [(&"0.3.0".to_owned(), &VersionShare { stake: 12, pools: 1 })]
        );
        assert_eq!(adoption.unknown, VersionShare { stake: 5, pools: 1 });
    }

    #[test]
    fn an_event_of_the_store_is_read_with_and_without_its_version() {
        let read = RegistrationEvent::from_event(
            r#"{"content":{"party_id":"pool1x","stake":12,"verification_key":"…"},"headers":{"signer-node-version":"0.2.276+5d5571e","epoch":"1185"}}"#,
        );
        assert_eq!(read.unwrap().version.as_deref(), Some("0.2.276+5d5571e"));
        let silent =
            RegistrationEvent::from_event(r#"{"content":{"party_id":"pool1x","stake":12},"headers":{"epoch":"1185"}}"#);
        assert_eq!(silent.unwrap().version, None);
        let odd =
            RegistrationEvent::from_event(r#"{"content":{"party_id":"pool1x","stake":12},"headers":{"epoch":"-1"}}"#);
        assert!(matches!(odd, Err(EventError::Epoch(epoch)) if epoch == "-1"));
    }
}
