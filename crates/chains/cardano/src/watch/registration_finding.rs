//! What the tracker of registrations finds.

use core::fmt;
use core::time::Duration;

use nodewright_core::Epoch;

use crate::kes::StmKey;
use crate::watch::finding::{Finding, Severity, Span};

/// Says which list of the epoch settings a key stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPlace {
    /// `current_signers`, who sign in this epoch.
    Current,
    /// `next_signers`, who sign in the next.
    Next,
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "in this epoch",
            Self::Next => "in the next epoch",
        })
    }
}

/// Is how a registration stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationFinding {
    /// The signer has not registered in this epoch, and there is time.
    Due {
        /// Is the epoch.
        epoch: Epoch,
        /// Is the time until it ends.
        left: Duration,
    },
    /// Aggregator and node are in different epochs, so the round of this epoch cannot be judged.
    EpochsDiffer {
        /// Is the aggregator's epoch.
        aggregator: Epoch,
        /// Is the node's epoch.
        node: Epoch,
    },
    /// The aggregator lists another key than the one that is stored: nothing signed with it will be accepted.
    KeyMismatch {
        /// Says in which list.
        place: KeyPlace,
        /// Is the epoch in which the key was registered.
        registered_at: Epoch,
        /// Is the stored key.
        ours: Box<StmKey>,
        /// Is the aggregator's key.
        theirs: Box<StmKey>,
        /// Is the epoch for which the aggregator's key is stored, if it is: the two are off by that much.
        registered_then: Option<Epoch>,
    },
    /// The aggregator lists the signer, whose key of that epoch is not stored.
    KeyNotStored {
        /// Says in which list.
        place: KeyPlace,
        /// Is the epoch in which the key was registered.
        registered_at: Epoch,
    },
    /// The signer has not registered in this epoch, and should have.
    Late {
        /// Is the epoch.
        epoch: Epoch,
        /// Is the epoch in which it could not sign.
        signs_at: Epoch,
        /// Is the time until this epoch ends.
        left: Duration,
    },
    /// The aggregator lists the stored key.
    Listed {
        /// Says in which list.
        place: KeyPlace,
        /// Is the epoch in which the key was registered.
        registered_at: Epoch,
    },
    /// The aggregator had accepted the registration, and does not list the signer.
    Lost {
        /// Says in which list it should be.
        place: KeyPlace,
        /// Is the epoch in which the key was registered.
        registered_at: Epoch,
    },
    /// The signer did not register in time.
    Missed {
        /// Says in which list it is absent.
        place: KeyPlace,
        /// Is the epoch whose round was missed.
        registered_at: Epoch,
    },
    /// The aggregator has accepted the registration of this epoch, and does not list it.
    NotListed {
        /// Is the epoch.
        epoch: Epoch,
    },
    /// The aggregator refused the registration of this epoch.
    Refused {
        /// Is the epoch.
        epoch: Epoch,
        /// Is the time until it ends.
        left: Duration,
    },
    /// The signer is registered.
    Registered {
        /// Is the epoch of the registration.
        epoch: Epoch,
        /// Is the epoch in which it will sign.
        signs_at: Epoch,
    },
    /// The aggregator has not opened the round of this epoch yet.
    RoundNotOpen {
        /// Is the epoch.
        epoch: Epoch,
        /// Is the time until it ends.
        left: Duration,
    },
}

impl Finding for RegistrationFinding {
    fn severity(&self) -> Severity {
        match self {
            Self::Listed { .. } | Self::Registered { .. } => Severity::Fine,
            Self::Due { .. } | Self::EpochsDiffer { .. } | Self::RoundNotOpen { .. } => Severity::Notice,
            Self::Late { left, .. } if *left <= URGENT => Severity::Critical,
            Self::Late { .. } | Self::Missed { .. } => Severity::Warning,
            Self::KeyMismatch { .. }
            | Self::KeyNotStored { .. }
            | Self::Lost { .. }
            | Self::NotListed { .. }
            | Self::Refused { .. } => Severity::Critical,
        }
    }
}

impl fmt::Display for RegistrationFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed { place, registered_at } => {
                write!(f, "the key registered in epoch {registered_at} is the one that signs {place}")
            }
            Self::Registered { epoch, signs_at } => {
                write!(f, "registered in epoch {epoch}, signs in epoch {signs_at}")
            }
            Self::Due { epoch, left } => {
                write!(f, "not registered in epoch {epoch} yet; {} left", Span(*left))
            }
            Self::RoundNotOpen { epoch, left } => write!(
                f,
                "the aggregator has not opened the round of epoch {epoch} yet; keep asking, {} left",
                Span(*left)
            ),
            Self::EpochsDiffer { aggregator, node } => write!(
                f,
                "the aggregator is in epoch {aggregator} and the node in {node}; wait, and look at the one that is behind"
            ),
            Self::Late { epoch, signs_at, left } => write!(
                f,
                "not registered in epoch {epoch}, and without that nothing is signed in {signs_at}; {} left: \
                 look at the signer's log and its connection to the aggregator",
                Span(*left)
            ),
            Self::Refused { epoch, left } => write!(
                f,
                "the aggregator refused the registration of epoch {epoch}; check KES key, operational certificate and \
                 node, {} left",
                Span(*left)
            ),
            Self::NotListed { epoch } => write!(
                f,
                "the aggregator accepted the registration of epoch {epoch} and does not list it; register again"
            ),
            Self::Missed { place, registered_at } => write!(
                f,
                "nothing can be signed {place}: the round of epoch {registered_at} was missed; keep the signer registered \
                 from now on"
            ),
            Self::Lost { place, registered_at } => write!(
                f,
                "nothing can be signed {place}: the aggregator accepted the registration of epoch {registered_at} and lost \
                 it; tell its operator, and register again"
            ),
            Self::KeyNotStored { place, registered_at } => write!(
                f,
                "nothing can be signed {place}: the key registered in epoch {registered_at} is not stored here; \
                 restore the signer's store, or look for a second signer of this pool"
            ),
            Self::KeyMismatch { place, registered_at, ours, theirs, registered_then } => {
                write!(
                    f,
                    "nothing can be signed {place}: the aggregator has key {theirs} for the registration of epoch \
                     {registered_at}, stored is {ours}; "
                )?;
                match registered_then {
                    Some(epoch) => {
                        write!(f, "that is the key of epoch {epoch}: signer and aggregator are off by an epoch")
                    }
                    None => f.write_str("that key was never stored here: look for a second signer of this pool"),
                }
            }
        }
    }
}

/// Is the time to the end of an epoch below which a registration that is late is urgent.
const URGENT: Duration = Duration::from_secs(12 * 3_600);
