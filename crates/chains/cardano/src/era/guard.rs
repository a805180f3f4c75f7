//! What Mithril's nodes do not check: replays, regressions, lists of other networks, several valid datums. Pure.

use core::cmp::Ordering;
use core::fmt;

use nodewright_core::{Epoch, EraId};

use super::order::compare;
use super::{Accepted, Candidate, GuardState, Marker, MarkerOrigin, MarkerReading, Markers};

impl GuardState {
    /// Judges what was read in `epoch`, and returns which list holds with the state that follows.
    ///
    /// The state itself does not change: whoever keeps it stores [`Judgement::state`] first.
    ///
    /// # Errors
    /// [`GuardError`] when no list is valid, none is a lawful step, or nothing tells which of several is the newer.
    pub fn judge(&self, reading: &MarkerReading, pins: &[Pin], epoch: Epoch) -> Result<Judgement, GuardError> {
        if let Some(accepted) = self.accepted().filter(|accepted| epoch < accepted.epoch) {
            return Err(GuardError::Behind { epoch, seen: accepted.epoch });
        }
        let candidates = &reading.candidates;
        if candidates.is_empty() {
            return Err(GuardError::NoneValid { rejected: reading.rejected.len() });
        }
        let mut findings = Vec::new();
        let mut lawful = Vec::new();
        for candidate in candidates {
            match self.check(&candidate.markers, pins, epoch) {
                Ok(()) => lawful.push(candidate),
                Err(refusal) => findings.push(Finding::Refused { origin: candidate.origin.clone(), refusal }),
            }
        }
        let chosen = self.newest(&lawful, epoch, &mut findings)?;
        if candidates.len() > 1 {
            let origins = candidates.iter().map(|candidate| candidate.origin.clone()).collect();
            findings.push(Finding::SeveralValid { origins });
        }
        if let Some(first) = candidates.first().filter(|first| first.markers != chosen.markers) {
            findings.push(Finding::UpstreamDiffers { origin: first.origin.clone() });
        }
        let change = match self.accepted() {
            None => MarkersChange::First,
            Some(accepted) if accepted.markers == chosen.markers => MarkersChange::Same,
            Some(_) => MarkersChange::Replaced,
        };
        let mut state = self.clone();
        state.accept(chosen.markers.clone(), chosen.signature, epoch);
        Ok(Judgement { markers: chosen.markers.clone(), origin: chosen.origin.clone(), change, findings, state })
    }

    /// Checks that a list is what was accepted, or a lawful step from it.
    fn check(&self, markers: &Markers, pins: &[Pin], epoch: Epoch) -> Result<(), Refusal> {
        for pin in pins {
            pin.check(markers, epoch)?;
        }
        let Some(accepted) = self.accepted() else { return Ok(()) };
        if accepted.markers == *markers {
            return Ok(());
        }
        if self.was_replaced(markers) {
            return Err(Refusal::Replayed);
        }
        check_kept(accepted, markers, epoch)?;
        check_new(accepted, markers)
    }

    /// Finds the newest of the lawful lists.
    fn newest<'a>(
        &self,
        lawful: &[&'a Candidate],
        epoch: Epoch,
        findings: &mut Vec<Finding>,
    ) -> Result<&'a Candidate, GuardError> {
        let beats_all = |one: &&&Candidate| {
            lawful.iter().all(|other| {
                matches!(compare(&one.markers, &other.markers, epoch), Some(Ordering::Greater | Ordering::Equal))
            })
        };
        if let Some(newest) = lawful.iter().find(beats_all) {
            return Ok(newest);
        }
        // The operator spends the old output with each change, so while it is there nothing else comes from them.
        let accepted = self.accepted().map(|accepted| &accepted.markers);
        let Some(kept) = lawful.iter().find(|one| Some(&one.markers) == accepted) else {
            return Err(match lawful.is_empty() {
                true => GuardError::AllRefused { findings: core::mem::take(findings) },
                false => GuardError::Ambiguous { origins: lawful.iter().map(|one| one.origin.clone()).collect() },
            });
        };
        for other in lawful.iter().filter(|other| other.markers != kept.markers) {
            findings.push(Finding::Refused { origin: other.origin.clone(), refusal: Refusal::Beside });
        }
        Ok(kept)
    }
}

/// Is what the guard made of a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Is the list that holds.
    pub markers: Markers,
    /// Is where it was read.
    pub origin: MarkerOrigin,
    /// Says how it relates to the list before.
    pub change: MarkersChange,
    /// Holds what an operator should know.
    pub findings: Vec<Finding>,
    /// Is the state that follows.
    pub state: GuardState,
}

/// Says how a list relates to the one accepted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkersChange {
    /// There was none before.
    First,
    /// It replaces it.
    Replaced,
    /// It is the same.
    Same,
}

/// Is something that an operator should know, though there is an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A validly signed list was refused.
    Refused {
        /// Is where it was read.
        origin: MarkerOrigin,
        /// Says why.
        refusal: Refusal,
    },
    /// More than one list is validly signed.
    SeveralValid {
        /// Says where they were read, in the order of the node.
        origins: Vec<MarkerOrigin>,
    },
    /// Mithril's own nodes take the first valid list, and that is another one.
    UpstreamDiffers {
        /// Is where that one was read.
        origin: MarkerOrigin,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { origin, refusal } => write!(f, "refused the era markers of {origin}: {refusal}"),
            Self::SeveralValid { origins } => write!(f, "{} valid lists of era markers", origins.len()),
            Self::UpstreamDiffers { origin } => write!(f, "mithril's own nodes take the era markers of {origin}"),
        }
    }
}

/// Says why a validly signed list is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The era that holds begins at another epoch, or at none.
    #[error("{era} holds since epoch {since} and would begin {}", at_epoch(.to))]
    ActiveMoved {
        /// Names the era.
        era: EraId,
        /// Is the epoch that it began with.
        since: Epoch,
        /// Is the epoch that the list states.
        to: Option<Epoch>,
    },
    /// The era that holds is missing.
    #[error("{era}, which holds since epoch {since}, is missing and no later one has begun")]
    ActiveRemoved {
        /// Names the era.
        era: EraId,
        /// Is the epoch that it began with.
        since: Epoch,
    },
    /// It gives an epoch another date than the list that was accepted, which is still there.
    #[error("it stands beside the accepted list, which its sender would have spent")]
    Beside,
    /// An era would have begun in an epoch that was seen without it.
    #[error("{era} would have begun with epoch {epoch}, and epoch {seen} was seen without it")]
    PastRewritten {
        /// Names the era.
        era: EraId,
        /// Is the epoch that the list states.
        epoch: Epoch,
        /// Is the latest epoch in which the accepted list was read.
        seen: Epoch,
    },
    /// It contradicts a published fact about the network: it is older than the fact, or of another network.
    #[error("on this network {era} began with epoch {epoch}, which the list does not say")]
    Pinned {
        /// Names the era of the fact.
        era: EraId,
        /// Is the epoch of the fact.
        epoch: Epoch,
    },
    /// It was accepted once, and replaced.
    #[error("it was replaced by a later one already")]
    Replayed,
    /// An announcement or a date was taken back.
    #[error("what was said about {era} is taken back")]
    Withdrawn {
        /// Names the era.
        era: EraId,
    },
}

/// Is a published fact about one network: an era and the epoch that it began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Names the era.
    pub era: EraId,
    /// Is its first epoch.
    pub epoch: Epoch,
}

impl Pin {
    /// Returns the facts about one of Mithril's networks; none if it is not known.
    ///
    /// Mithril moved to Pythagoras at epoch 539 of mainnet, 186 of preprod and 759 of preview (its development blog and
    /// the transactions of its runbook).
    #[must_use]
    pub fn known(mithril_network: &str) -> Vec<Self> {
        let epoch = match mithril_network {
            "release-mainnet" => 539,
            "release-preprod" => 186,
            "pre-release-preview" => 759,
            _ => return Vec::new(),
        };
        EraId::try_new("pythagoras").map(|era| Self { era, epoch: Epoch(epoch) }).into_iter().collect()
    }

    fn check(&self, markers: &Markers, epoch: Epoch) -> Result<(), Refusal> {
        let agrees = match markers.find(&self.era) {
            Some(marker) => marker.epoch == Some(self.epoch),
            // It may be left out before it was announced, and after a later one has begun.
            None if epoch < self.epoch => true,
            None => markers.current(epoch).is_some_and(|current| current.epoch > Some(self.epoch)),
        };
        if agrees { Ok(()) } else { Err(Refusal::Pinned { era: self.era.clone(), epoch: self.epoch }) }
    }
}

/// Says why a reading has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// Every valid list was refused.
    #[error("all {} valid lists of era markers are refused{}", .findings.len(), first(.findings))]
    AllRefused {
        /// Holds the refusals.
        findings: Vec<Finding>,
    },
    /// Nothing tells which of several lists is the newer.
    #[error("nothing tells which of {} valid lists of era markers is the newer", .origins.len())]
    Ambiguous {
        /// Says where they were read.
        origins: Vec<MarkerOrigin>,
    },
    /// The node is in an epoch before one that was already seen: its chain is being read anew, or a block was taken back.
    #[error("the node is in epoch {epoch}, and era markers were already read in epoch {seen}")]
    Behind {
        /// Is the node's epoch.
        epoch: Epoch,
        /// Is the latest epoch of a reading.
        seen: Epoch,
    },
    /// No list is valid.
    #[error("no valid era markers, {rejected} rejected")]
    NoneValid {
        /// Counts what was there and was not valid.
        rejected: usize,
    },
}

/// Checks that what `accepted` says about the past and the future is still said.
fn check_kept(accepted: &Accepted, markers: &Markers, epoch: Epoch) -> Result<(), Refusal> {
    let seen = accepted.epoch;
    let current = accepted.markers.current(seen);
    for old in accepted.markers.as_slice() {
        let era = old.name.clone();
        let new = markers.find(&old.name);
        match (old.epoch.filter(|at| *at <= seen), new) {
            (Some(since), Some(new)) if new.epoch != Some(since) => {
                return Err(Refusal::ActiveMoved { era, since, to: new.epoch });
            }
            (Some(since), None)
                if Some(old) == current && markers.current(epoch).is_none_or(|later| later.epoch <= Some(since)) =>
            {
                return Err(Refusal::ActiveRemoved { era, since });
            }
            (None, None) if !passed(old, markers, seen, epoch) => return Err(Refusal::Withdrawn { era }),
            (None, Some(new)) if old.epoch.is_some() && new.epoch.is_none() => {
                return Err(Refusal::Withdrawn { era });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Returns whether an era that was ahead may have begun and been left out since: a later one began after the list was seen.
fn passed(old: &Marker, markers: &Markers, seen: Epoch, epoch: Epoch) -> bool {
    let later = markers.current(epoch).is_some_and(|current| current.epoch > Some(seen));
    later && old.epoch.is_none_or(|at| at <= epoch)
}

/// Checks that nothing new lies in the past.
fn check_new(accepted: &Accepted, markers: &Markers) -> Result<(), Refusal> {
    let seen = accepted.epoch;
    for new in markers.as_slice() {
        let Some(epoch) = new.epoch.filter(|at| *at <= seen) else { continue };
        if accepted.markers.find(&new.name).and_then(|old| old.epoch) != Some(epoch) {
            return Err(Refusal::PastRewritten { era: new.name.clone(), epoch, seen });
        }
    }
    Ok(())
}

fn at_epoch(epoch: &Option<Epoch>) -> String {
    epoch.map_or_else(|| "at no date".to_owned(), |epoch| format!("with epoch {epoch}"))
}

fn first(findings: &[Finding]) -> String {
    findings.first().map_or_else(String::new, |finding| format!(", first: {finding}"))
}
