//! Why a simulated network cannot go on.

use core::fmt;

use crate::certificate::EntityKind;

/// Says why something was not done. The network is as it was before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DevnetError {
    /// In the epoch of the genesis nothing is certified: its signers sign from the next epoch on.
    #[error("nothing is certified in the epoch of the genesis: advance first")]
    GenesisEpoch,
    /// This kind is not certified here.
    #[error("the devnet does not certify {kind}")]
    Kind {
        /// Names the kind.
        kind: EntityKind,
    },
    /// The era markers would be no list.
    #[error("era markers: {reason}")]
    Markers {
        /// Says why.
        reason: String,
    },
    /// An archive could not be made.
    #[error("archive: {reason}")]
    Archive {
        /// Says why.
        reason: String,
    },
    /// The multi-signature scheme failed; with parameters as they are by default, never.
    #[error("multi-signature scheme: {reason}")]
    Stm {
        /// Says why.
        reason: String,
    },
}

impl DevnetError {
    pub(super) fn markers(error: impl fmt::Display) -> Self {
        Self::Markers { reason: error.to_string() }
    }

    pub(super) fn stm(error: impl fmt::Display) -> Self {
        Self::Stm { reason: error.to_string() }
    }

    pub(super) fn archive(error: impl fmt::Display) -> Self {
        Self::Archive { reason: error.to_string() }
    }
}
