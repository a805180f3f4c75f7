//! What an aggregator says of itself, of epochs and of signers. Fields that are not known are passed over.

use nodewright_core::Epoch;
use serde::{Deserialize, Serialize};

use crate::certificate::{EntityKind, ProtocolParameters, StakeParty};
use crate::units::Stake;

/// Is the answer of `/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AggregatorStatus {
    /// Is the aggregator's epoch.
    pub epoch: Epoch,
    /// Names the era of Cardano, such as `Conway`.
    pub cardano_era: String,
    /// Names the network of Cardano.
    pub cardano_network: String,
    /// Names the era of Mithril, such as `pythagoras`.
    pub mithril_era: String,
    /// Is the version of the aggregator's node.
    pub cardano_node_version: String,
    /// Is the version of the aggregator.
    pub aggregator_node_version: String,
    /// Holds the parameters of this epoch.
    pub protocol: ProtocolParameters,
    /// Holds the parameters of the next epoch.
    pub next_protocol: ProtocolParameters,
    /// Counts those who sign in this epoch.
    pub total_signers: u64,
    /// Counts those who sign in the next epoch.
    pub total_next_signers: u64,
    /// Is their stake.
    pub total_stakes_signers: Stake,
    /// Is the stake of those who sign in the next epoch.
    pub total_next_stakes_signers: Stake,
    /// Counts the pools of Cardano.
    pub total_cardano_spo: u64,
    /// Is the stake of all pools.
    pub total_cardano_stake: Stake,
    /// Is where the leading aggregator is, if this one follows (since API 0.1.71).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader_aggregator_endpoint: Option<String>,
    /// Is where the chain of certificates comes from, if from another aggregator (since API 0.1.71).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_chain_aggregator_endpoint: Option<String>,
}

/// Is the answer of `/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Features {
    /// Is the version of the API.
    pub open_api_version: String,
    /// Is where the documentation is.
    pub documentation_url: String,
    /// Says what the aggregator does.
    pub capabilities: Capabilities,
}

/// Says what an aggregator does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Capabilities {
    /// Holds the tags of what it signs.
    pub signed_entity_types: Vec<String>,
    /// Names the kind of its multi-signatures; absent in older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate_signature_type: Option<String>,
    /// Says how many transactions it proves at once; `None` if it proves none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cardano_transactions_prover: Option<ProverLimits>,
}

impl Capabilities {
    /// Returns the kinds that it signs; those that this version does not know are [`EntityKind::Unknown`].
    #[must_use]
    pub fn kinds(&self) -> Vec<EntityKind> {
        self.signed_entity_types.iter().map(|tag| EntityKind::from_tag(tag)).collect()
    }
}

/// Bounds what an aggregator proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProverLimits {
    /// How many hashes a request may have.
    pub max_hashes_allowed_by_request: u64,
}

/// Is the answer of `/epoch-settings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EpochSettings {
    /// Is the aggregator's epoch.
    pub epoch: Epoch,
    /// Holds those who sign in it; they registered two epochs ago.
    pub current_signers: Vec<RegisteredSigner>,
    /// Holds those who sign in the next; they registered one epoch ago.
    pub next_signers: Vec<RegisteredSigner>,
    /// Holds the parameters for registrations; deprecated upstream, and absent in later versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer_registration_protocol: Option<ProtocolParameters>,
}

/// Is a signer with its keys, without its stake. Keys and signatures are in the text in which they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredSigner {
    /// Is the bech32 id of the pool.
    pub party_id: String,
    /// Is the key for multi-signatures with its proof of possession.
    pub verification_key: String,
    /// Is the KES signature over that key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_key_signature: Option<String>,
    /// Is the operational certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operational_certificate: Option<String>,
    /// Says how often the KES key had evolved when it signed; the field has the wrong name upstream.
    #[serde(default, rename = "kes_period", skip_serializing_if = "Option::is_none")]
    pub kes_evolutions: Option<u32>,
}

/// Is the answer of `/protocol-configuration/{epoch}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProtocolConfiguration {
    /// Holds the parameters.
    pub protocol_parameters: ProtocolParameters,
    /// Says when transactions are signed; `None` if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cardano_transactions_signing_config: Option<SigningPace>,
    /// Says when blocks and transactions are signed; `None` if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cardano_blocks_transactions_signing_config: Option<SigningPace>,
    /// Holds the tags of what is signed.
    pub available_signed_entity_types: Vec<String>,
}

/// Says up to which blocks is signed, and how often. Both are counts of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningPace {
    /// How far behind the tip.
    pub security_parameter: u64,
    /// How many blocks lie between two signed ones.
    pub step: u64,
}

/// Is the answer of `/signers/registered/{epoch}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SignerRegistrations {
    /// Is the epoch of the registrations.
    pub registered_at: Epoch,
    /// Is the epoch in which they sign, two later.
    pub signing_at: Epoch,
    /// Holds who registered.
    pub registrations: Vec<StakeParty>,
}

/// Is the answer of `/signers/tickers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SignerTickers {
    /// Names the network of Cardano.
    pub network: String,
    /// Holds the known signers.
    pub signers: Vec<PoolTicker>,
}

/// Is a known signer with its ticker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PoolTicker {
    /// Is the bech32 id of the pool.
    pub party_id: String,
    /// Is the pool's ticker, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_ticker: Option<String>,
    /// Says whether it registered at least once.
    pub has_registered: bool,
}
