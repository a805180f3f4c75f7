//! A signer: it registers once an epoch, and signs what an earlier registration entitles it to.

use core::fmt;

use nodewright_core::policy::{Action, ErrorPolicy, Failure, Stage};
use nodewright_core::{Epoch, ErrorKind};
use thiserror::Error;

use crate::runtime::fault::{Fault, FaultClass};
use crate::runtime::step::{OutOfPlace, Step};

/// Is where a signer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignerState {
    /// It has started and knows no epoch.
    Init,
    /// It is registered for a later epoch, and signs in this one.
    ReadyToSign {
        /// Is the epoch.
        epoch: Epoch,
    },
    /// It is registered for a later epoch, and has no registration that lets it sign in this one.
    RegisteredNotAbleToSign {
        /// Is the epoch.
        epoch: Epoch,
    },
    /// It has exited, or a policy has stopped it.
    Stopped,
    /// It has not registered in this epoch.
    Unregistered {
        /// Is the epoch.
        epoch: Epoch,
    },
}

impl SignerState {
    /// Returns the epoch, where the state has one.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        match self {
            Self::ReadyToSign { epoch } | Self::RegisteredNotAbleToSign { epoch } | Self::Unregistered { epoch } => {
                Some(*epoch)
            }
            Self::Init | Self::Stopped => None,
        }
    }
}

impl fmt::Display for SignerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "init",
            Self::ReadyToSign { .. } => "ready-to-sign",
            Self::RegisteredNotAbleToSign { .. } => "registered-not-able-to-sign",
            Self::Stopped => "stopped",
            Self::Unregistered { .. } => "unregistered",
        })?;
        self.epoch().map_or(Ok(()), |epoch| write!(f, " (epoch {epoch})"))
    }
}

/// Is what a signer observes in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignerEvent {
    /// The aggregator's epoch settings are of this epoch. One that is behind the node's is waited for.
    AggregatorEpoch(Epoch),
    /// The node is in this epoch, and the era that holds in it is supported.
    NodeEpoch(Epoch),
    /// There is nothing to sign, or the lottery was lost.
    NothingToSign,
    /// The aggregator took the registration.
    Registered {
        /// Says whether the registration of two epochs ago is stored, and the aggregator lists its key.
        able: bool,
    },
    /// The aggregator has not opened the round yet (status 550).
    RoundNotOpen,
    /// A signature was published.
    Signed,
}

/// Is what keeps a signer from its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SignerFault {
    /// The aggregator speaks another version of the API (status 412, of aggregators before June 2025).
    #[error("the aggregator speaks another version of the API")]
    ApiVersion,
    /// The aggregator was not reached, or answered with a failure.
    #[error("the aggregator does not answer")]
    Aggregator,
    /// The era markers could not be read, or name no era that holds.
    #[error("the era is not known")]
    EraUnreadable,
    /// The era that holds is not supported.
    #[error("the era is not supported")]
    EraUnsupported,
    /// The keys of the registration could not be made, which most often is the KES key.
    #[error("the keys for the registration could not be made")]
    Initializer,
    /// The node was not reached, or failed.
    #[error("the node does not answer")]
    Node,
    /// The aggregator refused the registration (status 400).
    #[error("the aggregator refused the registration")]
    RegistrationRefused,
    /// The signature was not taken.
    #[error("the signature was not taken")]
    Signature,
    /// The signer's own store failed.
    #[error("the signer's store failed")]
    Store,
}

impl Fault for SignerFault {
    fn class(self) -> FaultClass {
        match self {
            Self::EraUnreadable | Self::EraUnsupported | Self::Initializer => FaultClass::Critical,
            Self::Aggregator
            | Self::ApiVersion
            | Self::Node
            | Self::RegistrationRefused
            | Self::Signature
            | Self::Store => FaultClass::KeepState,
        }
    }

    fn kind(self) -> ErrorKind {
        match self {
            Self::Aggregator | Self::Node => ErrorKind::Unreachable,
            Self::ApiVersion => ErrorKind::Unsupported,
            Self::EraUnreadable => ErrorKind::Inconsistent,
            Self::EraUnsupported => ErrorKind::EraUnsupported,
            Self::Initializer => ErrorKind::Config,
            Self::RegistrationRefused | Self::Signature => ErrorKind::Rejected,
            Self::Store => ErrorKind::Storage,
        }
    }
}

/// Follows a signer through its states.
#[derive(Clone, Debug)]
pub struct SignerModel {
    state: SignerState,
    faults: u32,
}

impl Default for SignerModel {
    fn default() -> Self {
        Self::new()
    }
}

impl SignerModel {
    /// Makes the model of a signer that has just started.
    #[must_use]
    pub fn new() -> Self {
        Self { state: SignerState::Init, faults: 0 }
    }

    /// Returns where the signer stands.
    #[must_use]
    pub fn state(&self) -> SignerState {
        self.state
    }

    /// Counts the faults in a row.
    #[must_use]
    pub fn faults(&self) -> u32 {
        self.faults
    }

    /// Takes an observation. An epoch that is behind the one known, as of a node that was switched, changes nothing.
    ///
    /// # Errors
    /// [`OutOfPlace`] if that cannot happen here; nothing has changed then.
    pub fn observe(&mut self, event: SignerEvent) -> Result<Step<SignerState>, OutOfPlace<SignerState, SignerEvent>> {
        use SignerEvent as Event;
        use SignerState as State;
        let from = self.state;
        self.state = match (from, event) {
            (State::Init, Event::NodeEpoch(epoch)) => State::Unregistered { epoch },
            (
                State::Unregistered { epoch: known }
                | State::ReadyToSign { epoch: known }
                | State::RegisteredNotAbleToSign { epoch: known },
                Event::NodeEpoch(epoch),
            ) if epoch > known => State::Unregistered { epoch },
            (State::Unregistered { epoch }, Event::Registered { able: true }) => State::ReadyToSign { epoch },
            (State::Unregistered { epoch }, Event::Registered { able: false }) => {
                State::RegisteredNotAbleToSign { epoch }
            }
            (
                State::Unregistered { .. } | State::ReadyToSign { .. } | State::RegisteredNotAbleToSign { .. },
                Event::NodeEpoch(_),
            )
            | (State::Unregistered { .. }, Event::AggregatorEpoch(_) | Event::RoundNotOpen)
            | (State::ReadyToSign { .. }, Event::Signed | Event::NothingToSign) => from,
            (state, event) => return Err(OutOfPlace { state, event }),
        };
        self.faults = 0;
        Ok(Step::between(from, self.state))
    }

    /// Takes a fault, and does with the signer what `policy` decides: `Retry` keeps the state, `Reinit` goes back to
    /// [`SignerState::Init`], `Escalate` and `Halt` stop it. A signer that has stopped stays so.
    pub fn fail(&mut self, fault: SignerFault, policy: &dyn ErrorPolicy) -> Action {
        self.faults = self.faults.saturating_add(1);
        let error = fault.to_error();
        let action = policy.decide(&Failure { error: &error, stage: Stage::Cycle, attempt: self.faults });
        match action {
            Action::Escalate | Action::Halt => self.state = SignerState::Stopped,
            Action::Reinit if self.state != SignerState::Stopped => self.state = SignerState::Init,
            Action::Reinit | Action::Retry => {}
        }
        action
    }
}
