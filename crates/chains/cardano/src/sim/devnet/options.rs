//! How large and how fast a simulated network is.

use core::num::{NonZeroU32, NonZeroU64};

use nodewright_core::Epoch;

use crate::certificate::{PhiF, PhiFError, ProtocolParameters};
use crate::network::CardanoNetwork;

/// States how a simulated network is made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DevnetOptions {
    /// Counts the signers. Default 3.
    pub signers: NonZeroU32,
    /// Are the parameters of the lottery, of all epochs. Default k 5, m 20, phi_f 0.9: small, and a quorum is certain but
    /// for one time in 10¹⁰.
    pub parameters: ProtocolParameters,
    /// Names the network of Cardano in certificates. Default `devnet`.
    pub network: CardanoNetwork,
    /// Is the epoch of the genesis. Default 10.
    pub first_epoch: Epoch,
    /// Says after how many epochs the signers have new keys and other stake. Default 1, as in the real network; more is
    /// faster.
    pub epochs_per_key: NonZeroU64,
}

impl DevnetOptions {
    /// Makes the default options.
    ///
    /// # Errors
    /// Never: the default chance is one.
    fn try_default() -> Result<Self, PhiFError> {
        Ok(Self {
            signers: NonZeroU32::MIN.saturating_add(2),
            parameters: ProtocolParameters { k: 5, m: 20, phi_f: PhiF::try_new(0.9)? },
            network: CardanoNetwork::devnet(),
            first_epoch: Epoch(10),
            epochs_per_key: NonZeroU64::MIN,
        })
    }

    /// Sets how many signers there are.
    #[must_use]
    pub fn with_signers(self, signers: NonZeroU32) -> Self {
        Self { signers, ..self }
    }

    /// Sets the parameters of the lottery.
    #[must_use]
    pub fn with_parameters(self, parameters: ProtocolParameters) -> Self {
        Self { parameters, ..self }
    }

    /// Sets the network of Cardano.
    #[must_use]
    pub fn with_network(self, network: CardanoNetwork) -> Self {
        Self { network, ..self }
    }

    /// Sets the epoch of the genesis.
    #[must_use]
    pub fn with_first_epoch(self, first_epoch: Epoch) -> Self {
        Self { first_epoch, ..self }
    }

    /// Sets after how many epochs the signers have new keys.
    #[must_use]
    pub fn with_epochs_per_key(self, epochs_per_key: NonZeroU64) -> Self {
        Self { epochs_per_key, ..self }
    }
}

impl Default for DevnetOptions {
    #[expect(clippy::expect_used, reason = "0.9 is a chance")]
    fn default() -> Self {
        Self::try_default().expect("0.9 is a chance")
    }
}
