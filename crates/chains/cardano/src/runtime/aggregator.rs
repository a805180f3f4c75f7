//! An aggregator: it checks the chain once an epoch, and then collects signatures for one message after the other.

use core::fmt;

use nodewright_core::policy::{Action, ErrorPolicy, Failure, Stage};
use nodewright_core::{Epoch, ErrorKind};
use thiserror::Error;

use crate::certificate::EntityKind;
use crate::runtime::fault::{Fault, FaultClass};
use crate::runtime::step::{OutOfPlace, Step};

/// Is where an aggregator stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AggregatorState {
    /// It cannot certify before the epoch has changed.
    Blocked {
        /// Is the epoch.
        epoch: Epoch,
        /// Says why.
        reason: BlockedReason,
    },
    /// It has started, or the epoch has changed, and the chain of certificates is to be checked.
    Idle {
        /// Is the epoch; `None` before the node was asked.
        epoch: Option<Epoch>,
    },
    /// It looks for what is to be signed next.
    Ready {
        /// Is the epoch.
        epoch: Epoch,
    },
    /// It collects signatures.
    Signing {
        /// Is the epoch.
        epoch: Epoch,
        /// Is the kind of the open message.
        kind: EntityKind,
    },
    /// It has exited, or a policy has stopped it.
    Stopped,
}

/// Says why an aggregator is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockedReason {
    /// The last certificate is of an epoch more than one away: only a new genesis helps.
    EpochGap {
        /// Is the epoch of the last certificate.
        last: Epoch,
    },
    /// The genesis certificate is of this epoch: the next may be certified.
    GenesisEpoch,
    /// There is no genesis certificate.
    NoGenesis,
}

impl AggregatorState {
    /// Returns the epoch, where the state has one.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::Blocked { epoch, .. } | Self::Ready { epoch } | Self::Signing { epoch, .. } => Some(*epoch),
            Self::Idle { epoch } => *epoch,
            Self::Stopped => None,
        }
    }

    /// Returns the label that Mithril gives the state; `stopped` where it has none.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Blocked { reason: BlockedReason::EpochGap { .. }, .. } => "blocked-epoch-gap",
            Self::Blocked { reason: BlockedReason::GenesisEpoch, .. } => "blocked-genesis-epoch",
            Self::Blocked { reason: BlockedReason::NoGenesis, .. } => "blocked-no-genesis",
            Self::Idle { .. } => "idle",
            Self::Ready { .. } => "ready",
            Self::Signing { .. } => "signing",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for AggregatorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())?;
        self.epoch().map_or(Ok(()), |epoch| write!(f, " (epoch {epoch})"))
    }
}

/// Is what an aggregator observes in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AggregatorEvent {
    /// Enough signatures are in, and the certificate and its artifact are made.
    Certified,
    /// The chain was checked.
    ChainChecked(ChainVerdict),
    /// The open message has been open for too long.
    Expired,
    /// A later message of the same kind replaces the open one.
    NewerBeacon,
    /// The node is in this epoch, and the era that holds in it is supported.
    NodeEpoch(Epoch),
    /// Nothing is to be signed now.
    NothingToSign,
    /// A message was opened.
    Opened(EntityKind),
}

/// Is what a check of the chain says at the beginning of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChainVerdict {
    /// The last certificate is more than one epoch away.
    EpochGap {
        /// Is its epoch.
        last: Epoch,
    },
    /// The genesis certificate is of this epoch.
    GenesisEpoch,
    /// There is no genesis certificate.
    NoGenesis,
    /// It holds, and reaches to this epoch or the last.
    Valid,
}

/// Is what keeps an aggregator from its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum AggregatorFault {
    /// The artifact of a certificate could not be made.
    #[error("the artifact could not be made")]
    Artifact,
    /// The chain of certificates could not be checked.
    #[error("the chain of certificates could not be checked")]
    Chain,
    /// The era markers could not be read, or name no era that holds.
    #[error("the era is not known")]
    EraUnreadable,
    /// The era that holds is not supported.
    #[error("the era is not supported")]
    EraUnsupported,
    /// The node was not reached, or failed.
    #[error("the node does not answer")]
    Node,
    /// Too few signatures are in.
    #[error("the quorum is missing")]
    QuorumMissing,
    /// The aggregator's own store failed.
    #[error("the aggregator's store failed")]
    Store,
}

impl Fault for AggregatorFault {
    fn class(self) -> FaultClass {
        match self {
            Self::EraUnreadable | Self::EraUnsupported => FaultClass::Critical,
            Self::Artifact => FaultClass::ReInit,
            Self::Chain | Self::Node | Self::QuorumMissing | Self::Store => FaultClass::KeepState,
        }
    }

    fn kind(self) -> ErrorKind {
        match self {
            Self::Artifact | Self::Store => ErrorKind::Storage,
            Self::Chain => ErrorKind::Unverified,
            Self::EraUnreadable => ErrorKind::Inconsistent,
            Self::EraUnsupported => ErrorKind::EraUnsupported,
            Self::Node => ErrorKind::Unreachable,
            Self::QuorumMissing => ErrorKind::NotFound,
        }
    }
}

/// Follows an aggregator through its states.
#[derive(Clone, Debug)]
pub struct AggregatorModel {
    state: AggregatorState,
    faults: u32,
}

impl Default for AggregatorModel {
    fn default() -> Self {
        Self::new()
    }
}

impl AggregatorModel {
    /// Makes the model of an aggregator that has just started.
    #[must_use]
    pub fn new() -> Self {
        Self { state: AggregatorState::Idle { epoch: None }, faults: 0 }
    }

    /// Returns where the aggregator stands.
    #[must_use]
    pub fn state(&self) -> AggregatorState {
        self.state
    }

    /// Counts the faults in a row.
    #[must_use]
    pub fn faults(&self) -> u32 {
        self.faults
    }

    /// Takes an observation. An epoch that is behind the one known changes nothing.
    ///
    /// # Errors
    /// [`OutOfPlace`] if that cannot happen here; nothing has changed then.
    pub fn observe(
        &mut self,
        event: AggregatorEvent,
    ) -> Result<Step<AggregatorState>, OutOfPlace<AggregatorState, AggregatorEvent>> {
        use AggregatorEvent as Event;
        use AggregatorState as State;
        let from = self.state;
        self.state = match (from, event) {
            (State::Stopped, _) => return Err(OutOfPlace { state: from, event }),
            (known, Event::NodeEpoch(epoch)) if known.epoch().is_none_or(|known| epoch > known) => {
                State::Idle { epoch: Some(epoch) }
            }
            (_, Event::NodeEpoch(_)) => from,
            (State::Idle { epoch: Some(epoch) }, Event::ChainChecked(verdict)) => {
                let blocked = |reason| State::Blocked { epoch, reason };
                match verdict {
                    ChainVerdict::EpochGap { last } => blocked(BlockedReason::EpochGap { last }),
                    ChainVerdict::GenesisEpoch => blocked(BlockedReason::GenesisEpoch),
                    ChainVerdict::NoGenesis => blocked(BlockedReason::NoGenesis),
                    ChainVerdict::Valid => State::Ready { epoch },
                }
            }
            (State::Ready { epoch }, Event::Opened(kind)) => State::Signing { epoch, kind },
            (State::Ready { .. }, Event::NothingToSign) => from,
            (State::Signing { epoch, .. }, Event::Certified | Event::Expired | Event::NewerBeacon) => {
                State::Ready { epoch }
            }
            (state, event) => return Err(OutOfPlace { state, event }),
        };
        self.faults = 0;
        Ok(Step::between(from, self.state))
    }

    /// Takes a fault, and does with the aggregator what `policy` decides: `Retry` keeps the state, `Reinit` goes back to
    /// [`AggregatorState::Idle`], `Escalate` and `Halt` stop it. An aggregator that has stopped stays so.
    pub fn fail(&mut self, fault: AggregatorFault, policy: &dyn ErrorPolicy) -> Action {
        self.faults = self.faults.saturating_add(1);
        let error = fault.to_error();
        let action = policy.decide(&Failure { error: &error, stage: Stage::Cycle, attempt: self.faults });
        match action {
            Action::Escalate | Action::Halt => self.state = AggregatorState::Stopped,
            Action::Reinit if self.state != AggregatorState::Stopped => {
                self.state = AggregatorState::Idle { epoch: self.state.epoch() };
            }
            Action::Reinit | Action::Retry => {}
        }
        action
    }
}
