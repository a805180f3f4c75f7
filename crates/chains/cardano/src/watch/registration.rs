//! Whether a signer is registered, in time, and with the key that it holds.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use nodewright_core::{Epoch, EpochDelta};

use crate::kes::StmKey;
use crate::watch::epoch::EpochTime;
use crate::watch::registration_finding::{KeyPlace, RegistrationFinding};

/// Is how many epochs after its registration a key signs (Mithril's signer signing offset).
pub const SIGNING_OFFSET: EpochDelta = EpochDelta(2);

/// Is a party with its key, as epoch settings list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerKey {
    /// Names the party.
    pub party: String,
    /// Is its key.
    pub key: StmKey,
}

/// Holds what an aggregator says about registrations.
#[derive(Clone, Copy, Debug)]
pub struct RegistrationView<'a> {
    /// Is the aggregator's epoch, from its epoch settings.
    pub epoch: Epoch,
    /// Holds `current_signers`: they sign in this epoch, and registered two epochs ago.
    pub current: &'a [SignerKey],
    /// Holds `next_signers`: they sign in the next epoch, and registered in the last one.
    pub next: &'a [SignerKey],
    /// Holds the parties that have registered in this epoch, from `/signers/registered/{epoch}`; `None` if it was not
    /// asked, or did not answer.
    pub registered: Option<&'a [String]>,
}

/// Is what came of an attempt to register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegistrationAnswer {
    /// Status 201, whether the registration is new or known.
    Accepted,
    /// The aggregator was not reached, or failed (5xx but for 550).
    Failed,
    /// Status 400: the registration itself is wrong.
    Refused,
    /// Status 550: the aggregator has not opened the round of this epoch yet. It does so once it has the stake
    /// distribution, which took Mainnet an hour at times.
    RoundNotOpen,
}

/// Remembers what a signer registered, and compares it with what its aggregator says.
///
/// It holds the last [`RegistrationTracker::EPOCHS_KEPT`] epochs.
#[derive(Clone, Debug)]
pub struct RegistrationTracker {
    party: String,
    /// Holds the stored keys by the epoch of their registration.
    keys: BTreeMap<Epoch, StmKey>,
    accepted: BTreeSet<Epoch>,
    last: Option<(Epoch, RegistrationAnswer)>,
    attempts: u32,
}

impl RegistrationTracker {
    /// Is how many epochs are remembered: those whose keys may still be asked for, and some more to recognise a key that
    /// is off by an epoch.
    pub const EPOCHS_KEPT: usize = 8;

    /// Makes a tracker that remembers nothing of `party`.
    #[must_use]
    pub fn new(party: impl Into<String>) -> Self {
        Self { party: party.into(), keys: BTreeMap::new(), accepted: BTreeSet::new(), last: None, attempts: 0 }
    }

    /// Takes word of the key that the signer has stored for its registration in `registered_at`.
    pub fn store_key(&mut self, registered_at: Epoch, key: StmKey) {
        self.keys.insert(registered_at, key);
        while self.keys.len() > Self::EPOCHS_KEPT {
            self.keys.pop_first();
        }
    }

    /// Takes what came of an attempt to register in `epoch`, and returns how long to wait before the next; `None` if
    /// there is to be none: it was accepted, or refused for what it says.
    ///
    /// The wait doubles from the signer's cycle of 20 s up to 10 min, and starts again with every epoch.
    pub fn answer(&mut self, epoch: Epoch, answer: RegistrationAnswer) -> Option<Duration> {
        if self.last.is_none_or(|(last, _)| last != epoch) {
            self.attempts = 0;
        }
        self.last = Some((epoch, answer));
        match answer {
            RegistrationAnswer::Accepted => {
                self.accepted.insert(epoch);
                while self.accepted.len() > Self::EPOCHS_KEPT {
                    self.accepted.pop_first();
                }
                None
            }
            RegistrationAnswer::Refused => None,
            RegistrationAnswer::Failed | RegistrationAnswer::RoundNotOpen => {
                let wait = FIRST_WAIT.saturating_mul(1 << self.attempts.min(10)).min(LONGEST_WAIT);
                self.attempts = self.attempts.saturating_add(1);
                Some(wait)
            }
        }
    }

    /// Returns whether the registration of `epoch` was accepted.
    #[must_use]
    pub fn is_accepted(&self, epoch: Epoch) -> bool {
        self.accepted.contains(&epoch)
    }

    /// Compares what is remembered with what the aggregator says: the key that signs now, the key that signs next, and
    /// the round of this epoch. Keys are looked up by the aggregator's epoch, so that one that lags behind the node does
    /// not look like a wrong key.
    #[must_use]
    pub fn judge(&self, view: &RegistrationView<'_>, now: &EpochTime) -> Vec<RegistrationFinding> {
        let mut findings = Vec::new();
        for (place, ago, signers) in
            [(KeyPlace::Current, SIGNING_OFFSET, view.current), (KeyPlace::Next, EpochDelta(1), view.next)]
        {
            if let Some(registered_at) = view.epoch.checked_sub(ago) {
                findings.extend(self.judge_key(place, registered_at, signers));
            }
        }
        if view.epoch == now.epoch() {
            findings.extend(self.judge_round(view.registered, now));
        } else {
            findings.push(RegistrationFinding::EpochsDiffer { aggregator: view.epoch, node: now.epoch() });
        }
        findings
    }

    fn judge_key(&self, place: KeyPlace, registered_at: Epoch, signers: &[SignerKey]) -> Option<RegistrationFinding> {
        let theirs = signers.iter().find(|signer| signer.party == self.party).map(|signer| signer.key);
        Some(match (self.keys.get(&registered_at).copied(), theirs) {
            (Some(ours), Some(theirs)) if ours == theirs => RegistrationFinding::Listed { place, registered_at },
            (Some(ours), Some(theirs)) => {
                let registered_then = self.keys.iter().find(|(_, key)| **key == theirs).map(|(epoch, _)| *epoch);
                let (ours, theirs) = (Box::new(ours), Box::new(theirs));
                RegistrationFinding::KeyMismatch { place, registered_at, ours, theirs, registered_then }
            }
            (Some(_), None) if self.is_accepted(registered_at) => RegistrationFinding::Lost { place, registered_at },
            (Some(_), None) => RegistrationFinding::Missed { place, registered_at },
            (None, Some(_)) => RegistrationFinding::KeyNotStored { place, registered_at },
            // A signer that is new has nothing to miss.
            (None, None) if self.keys.keys().next().is_none_or(|first| *first > registered_at) => return None,
            (None, None) => RegistrationFinding::Missed { place, registered_at },
        })
    }

    fn judge_round(&self, registered: Option<&[String]>, now: &EpochTime) -> Option<RegistrationFinding> {
        let epoch = now.epoch();
        let signs_at = epoch.checked_add(SIGNING_OFFSET)?;
        let listed = registered.map(|parties| parties.contains(&self.party));
        let left = now.left();
        let answer = self.last.filter(|(at, _)| *at == epoch).map(|(_, answer)| answer);
        Some(match (listed, answer) {
            (Some(true), _) => RegistrationFinding::Registered { epoch, signs_at },
            (None, _) if self.is_accepted(epoch) => RegistrationFinding::Registered { epoch, signs_at },
            (Some(false), _) if self.is_accepted(epoch) => RegistrationFinding::NotListed { epoch },
            (_, Some(RegistrationAnswer::Refused)) => RegistrationFinding::Refused { epoch, left },
            _ if now.elapsed() > LATE.min(now.length() / 4) => RegistrationFinding::Late { epoch, signs_at, left },
            (_, Some(RegistrationAnswer::RoundNotOpen)) => RegistrationFinding::RoundNotOpen { epoch, left },
            _ => RegistrationFinding::Due { epoch, left },
        })
    }
}

/// Is the interval of the signer's loop in Mithril's shipped configurations.
const FIRST_WAIT: Duration = Duration::from_secs(20);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// Is how long after the start of an epoch a registration counts as late; of short epochs, a quarter. Rounds open within
/// two hours by the longest stake distributions on record.
const LATE: Duration = Duration::from_secs(12 * 3_600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::{Finding as _, Severity};

    fn key(seed: u8) -> StmKey {
        StmKey::from_bytes([seed; 192])
    }

    fn listed(seed: u8) -> [SignerKey; 2] {
        [("pool_other", 99), ("pool_me", seed)]
            .map(|(party, seed)| SignerKey { party: party.to_owned(), key: key(seed) })
    }

    fn time(epoch: u64, hours: u64) -> EpochTime {
        EpochTime::new(Epoch(epoch), Duration::from_secs(hours * 3_600), Duration::from_secs(5 * 86_400))
    }

    /// Plays a signer that registers the key `n` in epoch `n`, from epoch 10 to 12.
    fn tracker() -> RegistrationTracker {
        let mut tracker = RegistrationTracker::new("pool_me");
        for epoch in 10..=12 {
            tracker.store_key(Epoch(epoch), key(u8::try_from(epoch).unwrap()));
            assert_eq!(tracker.answer(Epoch(epoch), RegistrationAnswer::Accepted), None);
        }
        tracker
    }

    #[test]
    fn what_was_registered_at_an_epoch_signs_two_epochs_later() {
        let (current, next) = (listed(10), listed(11));
        let registered = ["pool_me".to_owned()];
        let view = RegistrationView { epoch: Epoch(12), current: &current, next: &next, registered: Some(&registered) };
        let findings = tracker().judge(&view, &time(12, 1));
        let expected = [
            RegistrationFinding::Listed { place: KeyPlace::Current, registered_at: Epoch(10) },
            RegistrationFinding::Listed { place: KeyPlace::Next, registered_at: Epoch(11) },
            RegistrationFinding::Registered { epoch: Epoch(12), signs_at: Epoch(14) },
        ];
        assert_eq!(findings, expected);
        assert!(findings.iter().all(|finding| finding.severity() == Severity::Fine));
    }

    #[test]
    fn a_key_that_is_off_by_an_epoch_is_a_mismatch_that_says_so() {
        let (current, next) = (listed(11), listed(55));
        let view = RegistrationView { epoch: Epoch(12), current: &current, next: &next, registered: None };
        let findings = tracker().judge(&view, &time(12, 1));
        let mismatch = |place, at: u64, theirs, then: Option<u64>| RegistrationFinding::KeyMismatch {
            place,
            registered_at: Epoch(at),
            ours: Box::new(key(u8::try_from(at).unwrap())),
            theirs: Box::new(key(theirs)),
            registered_then: then.map(Epoch),
        };
        assert_eq!(findings[0], mismatch(KeyPlace::Current, 10, 11, Some(11)));
        assert_eq!(findings[1], mismatch(KeyPlace::Next, 11, 55, None));
        assert_eq!(findings[0].severity(), Severity::Critical);
        assert!(findings[0].to_string().contains("that is the key of epoch 11"), "{}", findings[0]);
    }

    #[test]
    fn an_aggregator_that_lags_an_epoch_is_named_and_its_keys_are_held_against_its_own_epoch() {
        let (current, next) = (listed(10), listed(11));
        let view = RegistrationView { epoch: Epoch(12), current: &current, next: &next, registered: None };
        let findings = tracker().judge(&view, &time(13, 0));
        assert_eq!(findings[0], RegistrationFinding::Listed { place: KeyPlace::Current, registered_at: Epoch(10) });
        assert_eq!(findings[2], RegistrationFinding::EpochsDiffer { aggregator: Epoch(12), node: Epoch(13) });
    }

    #[test]
    fn a_missed_round_a_lost_registration_and_a_lost_key_are_told_apart() {
        let others = [listed(1)[0].clone()];
        let mut tracker = tracker();
        tracker.store_key(Epoch(14), key(14));
        let judge = |epoch, current: &[SignerKey], next: &[SignerKey]| {
            let view = RegistrationView { epoch: Epoch(epoch), current, next, registered: None };
            tracker.judge(&view, &time(epoch, 1))
        };
        assert_eq!(
            judge(12, &others, &listed(11))[0],
            RegistrationFinding::Lost { place: KeyPlace::Current, registered_at: Epoch(10) }
        );
        let at_15 = judge(15, &others, &others);
        assert_eq!(at_15[0], RegistrationFinding::Missed { place: KeyPlace::Current, registered_at: Epoch(13) });
        assert_eq!(at_15[1], RegistrationFinding::Missed { place: KeyPlace::Next, registered_at: Epoch(14) });
        assert_eq!(
            judge(15, &listed(13), &others)[0],
            RegistrationFinding::KeyNotStored { place: KeyPlace::Current, registered_at: Epoch(13) }
        );
        let newcomer = RegistrationTracker::new("pool_me");
        let view = RegistrationView { epoch: Epoch(12), current: &others, next: &others, registered: None };
        assert_eq!(
            newcomer.judge(&view, &time(12, 0)),
            [RegistrationFinding::Due { epoch: Epoch(12), left: time(12, 0).left() }]
        );
    }

    #[test]
    fn a_round_that_is_not_open_is_waited_for_longer_each_time_and_anew_each_epoch() {
        let mut tracker = RegistrationTracker::new("pool_me");
        let mut wait = |epoch, answer| tracker.answer(Epoch(epoch), answer).map(|wait| wait.as_secs());
        let waits: Vec<_> = (0..7).map(|_| wait(7, RegistrationAnswer::RoundNotOpen).unwrap()).collect();
        assert_eq!(waits, [20, 40, 80, 160, 320, 600, 600]);
        assert_eq!(wait(8, RegistrationAnswer::Failed), Some(20));
        assert_eq!(wait(8, RegistrationAnswer::RoundNotOpen), Some(40));
        assert_eq!(wait(8, RegistrationAnswer::Accepted), None);
        assert_eq!(wait(9, RegistrationAnswer::Refused), None);
    }

    #[test]
    fn the_round_of_this_epoch_goes_from_due_over_late_to_missed() {
        let mut tracker = RegistrationTracker::new("pool_me");
        let judge = |tracker: &RegistrationTracker, hours, registered: Option<&[String]>| {
            let view = RegistrationView { epoch: Epoch(12), current: &[], next: &[], registered };
            tracker.judge(&view, &time(12, hours)).pop().unwrap()
        };
        assert_eq!(judge(&tracker, 1, Some(&[])).severity(), Severity::Notice);
        tracker.answer(Epoch(12), RegistrationAnswer::RoundNotOpen);
        assert!(matches!(judge(&tracker, 1, Some(&[])), RegistrationFinding::RoundNotOpen { .. }));
        assert!(matches!(judge(&tracker, 13, Some(&[])), RegistrationFinding::Late { .. }));
        assert_eq!(judge(&tracker, 13, None).severity(), Severity::Warning);
        assert_eq!(judge(&tracker, 110, None).severity(), Severity::Critical);
        tracker.answer(Epoch(12), RegistrationAnswer::Refused);
        assert!(matches!(judge(&tracker, 1, None), RegistrationFinding::Refused { .. }));
        tracker.answer(Epoch(12), RegistrationAnswer::Accepted);
        assert!(matches!(judge(&tracker, 13, None), RegistrationFinding::Registered { .. }));
        assert_eq!(judge(&tracker, 13, Some(&[])), RegistrationFinding::NotListed { epoch: Epoch(12) });
    }
}
