//! The hash of a certificate, in the two generations that Mithril had.
//!
//! Both are SHA-256 over, in this order (text as its characters, numbers as 8 bytes big-endian):
//!
//! | # | 2024 and later ([`HashGeneration::Entity`]) | until 2024 ([`HashGeneration::Beacon`]) |
//! |---|---|---|
//! | 1 | hash of the previous certificate; nothing in a genesis certificate | the same |
//! | 2 | epoch, as a number | hex of SHA-256(network, epoch, immutable file number) of the beacon |
//! | 3 | hex of the metadata's hash, network included | hex of the metadata's hash, without network |
//! | 4 | hex of the protocol message's hash | the same |
//! | 5 | the signed message, as stated | the same |
//! | 6 | the aggregate verification key, as stated | the same |
//! | 7 | with a multi-signature: the numbers of the signed entity (and a type index, 2 bytes, before that of `CardanoBlocksTransactions`) | nothing |
//! | 8 | the multi-signature as stated, or the genesis signature in bytes-hex | the same |
//! | 9 | bytes of the ancillary data of prover and verifier, where present | nothing |
//!
//! Sources: `mithril-common` 0.8 and its public history (the change of 2024-03-28); recomputed here on 43 certificates
//! of a devnet and one of preprod (later generation), and on three of preprod of 2023-12 (earlier generation).
//!
//! No signature covers the hash of a certificate. It names the certificate and fixes its content; what is proven is
//! proven by the signed message.

use sha2::{Digest as _, Sha256};

use super::digest::CertificateHash;
use super::entity::{DatabaseBeacon, SignedEntity};
use super::message::MessageHashError;
use super::signature::CertificateSignature;
use super::types::Certificate;
use crate::text::hex_bytes;

/// Says by which rule a certificate is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HashGeneration {
    /// The rule until 2024: a beacon stands for the epoch and the entity.
    Beacon,
    /// The rule since 2024.
    Entity,
    /// A rule that this version does not know, since it does not know the entity. Such a certificate is neither valid
    /// nor invalid.
    Unknown,
}

/// Says why the hash of a certificate cannot be computed. It is then not understood; that does not make it invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// Ancillary data is not hex.
    #[error("ancillary data is not hex")]
    Ancillary,
    /// The protocol message cannot be hashed.
    #[error(transparent)]
    Message(#[from] MessageHashError),
    /// The rule for this entity is not known.
    #[error("unknown hash generation: signed entity {json}")]
    UnknownEntity {
        /// Holds the entity's JSON.
        json: String,
    },
}

impl Certificate {
    /// Says by which rule this certificate is hashed.
    #[must_use]
    pub fn hash_generation(&self) -> HashGeneration {
        match (&self.beacon, &self.signed_entity) {
            (Some(_), _) => HashGeneration::Beacon,
            (None, SignedEntity::Unknown(_)) => HashGeneration::Unknown,
            (None, _) => HashGeneration::Entity,
        }
    }

    /// Computes the hash from the content, by the rule of the certificate's generation.
    ///
    /// # Errors
    /// [`HashError`] if this version does not know the rule.
    pub fn compute_hash(&self) -> Result<CertificateHash, HashError> {
        let mut hasher = Sha256::new();
        if let Some(previous) = self.previous_hash {
            hasher.update(previous.to_string());
        }
        match &self.beacon {
            Some(beacon) => hasher.update(hex::encode(hash_of_beacon(beacon))),
            None => hasher.update(self.epoch.0.to_be_bytes()),
        }
        hasher.update(hex::encode(self.metadata.compute_hash(self.beacon.is_none())));
        hasher.update(self.protocol_message.compute_hash()?.to_string());
        hasher.update(self.signed_message.to_string());
        hasher.update(self.aggregate_verification_key.as_str());
        match &self.signature {
            CertificateSignature::Genesis(signature) => hasher.update(signature.to_bytes_hex()),
            CertificateSignature::Multi(signature) => {
                if self.beacon.is_none() {
                    feed_entity(&self.signed_entity, &mut hasher)?;
                }
                hasher.update(signature.as_str());
            }
        }
        for data in [&self.extras.ancillary_prover_data, &self.extras.ancillary_verifier_data].into_iter().flatten() {
            hasher.update(hex_bytes(data, usize::MAX).map_err(|_| HashError::Ancillary)?);
        }
        Ok(CertificateHash(hasher.finalize().into()))
    }
}

fn hash_of_beacon(beacon: &DatabaseBeacon) -> [u8; 32] {
    let mut hasher = Sha256::new();
    feed_beacon(beacon, &mut hasher);
    hasher.finalize().into()
}

fn feed_beacon(beacon: &DatabaseBeacon, hasher: &mut Sha256) {
    if let Some(network) = &beacon.network {
        hasher.update(network);
    }
    hasher.update(beacon.epoch.0.to_be_bytes());
    hasher.update(beacon.immutable_file_number.0.to_be_bytes());
}

fn feed_entity(entity: &SignedEntity, hasher: &mut Sha256) -> Result<(), HashError> {
    match entity {
        SignedEntity::MithrilStakeDistribution(epoch) | SignedEntity::CardanoStakeDistribution(epoch) => {
            hasher.update(epoch.0.to_be_bytes());
        }
        SignedEntity::CardanoDatabase(beacon) | SignedEntity::CardanoImmutableFilesFull(beacon) => {
            feed_beacon(beacon, hasher);
        }
        SignedEntity::CardanoTransactions { epoch, block } => {
            hasher.update(epoch.0.to_be_bytes());
            hasher.update(block.0.to_be_bytes());
        }
        SignedEntity::CardanoBlocksTransactions { epoch, block, offset } => {
            hasher.update(BLOCKS_TRANSACTIONS_INDEX.to_be_bytes());
            hasher.update(epoch.0.to_be_bytes());
            hasher.update(block.0.to_be_bytes());
            hasher.update(offset.to_be_bytes());
        }
        SignedEntity::Unknown(unknown) => return Err(HashError::UnknownEntity { json: unknown.json() }),
    }
    Ok(())
}

/// The type index of `CardanoBlocksTransactions` (`mithril-common` 0.8).
const BLOCKS_TRANSACTIONS_INDEX: u16 = 5;
