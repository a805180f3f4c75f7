//! The two stake distributions that Mithril certifies: its own signers, and all pools of Cardano.

use std::collections::BTreeMap;

use nodewright_core::Epoch;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::avk::{self, AvkComputeError};
use super::bind::{BindError, Binding};
use super::mmr::{MmrAccumulator, MmrNode};
use crate::certificate::{AggregateVerificationKey, Certificate, CertificateHash, ProtocolParameters};
use crate::units::Stake;

/// Holds the stake of every pool of Cardano at the end of an epoch, as its route serves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardanoStakeDistribution {
    /// The epoch. It is certified one epoch later.
    pub epoch: Epoch,
    /// The artifact's own name, in hex.
    pub hash: String,
    /// The certificate that signs it.
    pub certificate_hash: CertificateHash,
    /// The stake of each pool by its bech32 id.
    pub stake_distribution: BTreeMap<String, Stake>,
}

impl CardanoStakeDistribution {
    /// Computes the root over all pools; `None` without a pool. A leaf is the pool's id and its stake in digits, without
    /// a mark between them.
    #[must_use]
    pub fn root(&self) -> Option<MmrNode> {
        let leaves = self.stake_distribution.iter().map(|(pool, stake)| format!("{pool}{stake}"));
        leaves.collect::<MmrAccumulator>().root()
    }

    /// Computes the artifact's name: SHA-256 of the epoch and each pool's id and stake, numbers big-endian.
    #[must_use]
    pub fn compute_hash(&self) -> String {
        let mut hasher = Sha256::new().chain_update(self.epoch.0.to_be_bytes());
        for (pool, stake) in &self.stake_distribution {
            hasher.update(pool);
            hasher.update(stake.0.to_be_bytes());
        }
        hex::encode(hasher.finalize())
    }

    /// Checks that `certificate`, which must have been verified, signs this distribution.
    ///
    /// # Errors
    /// [`StakeError`] if a pool's id could be read with another stake, the name is another, or the certificate signs
    /// something else.
    pub fn check(&self, certificate: &Certificate) -> Result<(), StakeError> {
        // The leaf joins id and stake, so an id must be known to end where it does: all bech32 pool ids have 56 characters.
        if let Some(pool) = self.stake_distribution.keys().find(|pool| !is_pool_id(pool)) {
            return Err(StakeError::PoolId { pool: pool.chars().take(80).collect() });
        }
        check_hash(&self.hash, self.compute_hash())?;
        let root = self.root().ok_or(StakeError::Empty)?;
        Ok(Binding::new(certificate, self.certificate_hash)?.stake(self.epoch, &root)?)
    }
}

/// Holds the signers of Mithril of an epoch with their stake, as its route serves them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MithrilStakeDistribution {
    /// The epoch in which it is certified; these signers sign in the next one.
    pub epoch: Epoch,
    /// The signers.
    pub signers: Vec<StakedSigner>,
    /// The artifact's own name, in hex.
    pub hash: String,
    /// The certificate that signs it.
    pub certificate_hash: CertificateHash,
    /// The parameters under which they sign.
    pub protocol_parameters: ProtocolParameters,
}

impl MithrilStakeDistribution {
    /// Computes the key of all signers together. It takes some milliseconds for each signer: two pairings check that the
    /// signer holds its key.
    ///
    /// # Errors
    /// [`AvkComputeError`] names the signer whose key is refused.
    pub fn aggregate_verification_key(&self) -> Result<AggregateVerificationKey, AvkComputeError> {
        avk::compute(&self.signers, &self.protocol_parameters)
    }

    /// Computes the artifact's name: SHA-256 of the epoch and of each signer's hash in hex, in the order of the party ids.
    #[must_use]
    pub fn compute_hash(&self) -> String {
        let mut signers: Vec<&StakedSigner> = self.signers.iter().collect();
        signers.sort_by(|a, b| a.party_id.cmp(&b.party_id));
        let mut hasher = Sha256::new().chain_update(self.epoch.0.to_be_bytes());
        for signer in signers {
            hasher.update(signer.compute_hash());
        }
        hex::encode(hasher.finalize())
    }

    /// Checks that `certificate`, which must have been verified, signs the key of these signers.
    ///
    /// # Errors
    /// [`StakeError`] if the name is another, a key is refused, or the certificate signs something else.
    pub fn check(&self, certificate: &Certificate) -> Result<AggregateVerificationKey, StakeError> {
        check_hash(&self.hash, self.compute_hash())?;
        let binding = Binding::new(certificate, self.certificate_hash)?;
        let key = self.aggregate_verification_key()?;
        binding.signers(self.epoch, &key)?;
        Ok(key)
    }
}

/// Is one signer of Mithril with its stake. Keys and signatures are in the text in which they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StakedSigner {
    /// The bech32 id of the pool.
    pub party_id: String,
    /// The key for multi-signatures with its proof of possession, in json-hex.
    pub verification_key: String,
    /// The KES signature over that key, in json-hex; absent only in tests of Mithril.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_key_signature: Option<String>,
    /// The operational certificate, in json-hex; absent only in tests of Mithril.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operational_certificate: Option<String>,
    /// How often the KES key had evolved when it signed; the field has the wrong name upstream.
    #[serde(default, rename = "kes_period", skip_serializing_if = "Option::is_none")]
    pub kes_evolutions: Option<u32>,
    /// The stake.
    pub stake: Stake,
}

impl StakedSigner {
    /// Computes the signer's hash in hex: SHA-256 of id, key, signature, certificate and stake (big-endian). The number of
    /// KES evolutions is not part of it.
    #[must_use]
    pub fn compute_hash(&self) -> String {
        let mut hasher = Sha256::new().chain_update(&self.party_id).chain_update(&self.verification_key);
        for text in [&self.verification_key_signature, &self.operational_certificate].into_iter().flatten() {
            hasher.update(text);
        }
        hex::encode(hasher.chain_update(self.stake.0.to_be_bytes()).finalize())
    }
}

/// Says why a stake distribution is not what its certificate signs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StakeError {
    /// The certificate signs something else.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// There is no pool.
    #[error("the stake distribution has no pool")]
    Empty,
    /// The artifact's name is not that of its content.
    #[error("the artifact is named {stated}, its content {computed}")]
    Hash {
        /// What was computed.
        computed: String,
        /// What the artifact states, cut to 80 characters.
        stated: String,
    },
    /// The signers give no key.
    #[error(transparent)]
    Key(#[from] AvkComputeError),
    /// The id is not that of a pool.
    #[error("not the id of a pool: {pool:?}")]
    PoolId {
        /// The id, cut to 80 characters.
        pool: String,
    },
}

pub(super) fn check_hash(stated: &str, computed: String) -> Result<(), StakeError> {
    if stated == computed {
        return Ok(());
    }
    Err(StakeError::Hash { computed, stated: stated.chars().take(80).collect() })
}

fn is_pool_id(text: &str) -> bool {
    text.len() == 56 && text.starts_with("pool1") && bech32::decode(text).is_ok()
}
