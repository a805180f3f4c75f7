//! What a certificate says about how it came about. None of it is signed, except where a rule of the chain says so.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::parameters::ProtocolParameters;
use super::timestamp::Timestamp;
use crate::units::Stake;

/// Holds the metadata of a certificate.
///
/// Of these, only the parameters are bound by signatures (through the previous epoch's `next_protocol_parameters`).
/// The dates and the list of signers are the aggregator's word, fixed by the certificate's hash alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateMetadata {
    /// Names the network of Cardano, such as `preprod`.
    pub network: String,
    /// Holds the version of the protocol, such as `0.1.0`.
    pub version: String,
    /// Holds the parameters by which the multi-signature is checked.
    pub parameters: ProtocolParameters,
    /// Says when the collecting of signatures began.
    pub initiated_at: Timestamp,
    /// Says when the quorum was reached.
    pub sealed_at: Timestamp,
    /// Lists the pools whose signatures are in, with their stake.
    pub signers: Vec<StakeParty>,
}

impl CertificateMetadata {
    /// Hashes the metadata; `network` only if the generation of the certificate's hash covers it.
    pub(super) fn compute_hash(&self, with_network: bool) -> [u8; 32] {
        let mut hasher = Sha256::new();
        if with_network {
            hasher.update(&self.network);
        }
        hasher.update(&self.version);
        hasher.update(hex::encode(self.parameters.compute_hash()));
        hasher.update(self.initiated_at.nanos().to_be_bytes());
        hasher.update(self.sealed_at.nanos().to_be_bytes());
        for signer in &self.signers {
            hasher.update(hex::encode(signer.compute_hash()));
        }
        hasher.finalize().into()
    }
}

/// Holds the metadata of a certificate in an aggregator's list: a count stands for the signers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryMetadata {
    /// Names the network of Cardano.
    pub network: String,
    /// Holds the version of the protocol.
    pub version: String,
    /// Holds the parameters by which the multi-signature is checked.
    pub parameters: ProtocolParameters,
    /// Says when the collecting of signatures began.
    pub initiated_at: Timestamp,
    /// Says when the quorum was reached.
    pub sealed_at: Timestamp,
    /// Counts the pools whose signatures are in.
    pub total_signers: u64,
}

/// Names a pool and its stake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StakeParty {
    /// Holds the pool's id in bech32.
    pub party_id: String,
    /// Holds its stake.
    pub stake: Stake,
}

impl StakeParty {
    fn compute_hash(&self) -> [u8; 32] {
        Sha256::new().chain_update(&self.party_id).chain_update(self.stake.0.to_be_bytes()).finalize().into()
    }
}
