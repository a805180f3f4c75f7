//! From signers and their stake to the aggregate verification key that a certificate signs.
//!
//! The registration of `mithril-stm` does the work: it checks each key's proof of possession, orders the signers by stake
//! and key, and commits to them in a tree.

use mithril_stm::{
    AggregateVerificationKey as StmKey, KeyRegistration, MithrilMembershipDigest, Parameters,
    VerificationKeyProofOfPossessionForConcatenation,
};
use thiserror::Error;

use super::stake::StakedSigner;
use crate::certificate::{AggregateVerificationKey, ProtocolParameters};
use crate::text::hex_bytes;

/// Says why signers give no aggregate verification key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AvkComputeError {
    /// The signers together are refused, such as a total stake of zero or beyond 64 bits.
    #[error("the signers give no key: {reason}")]
    Closing {
        /// What the library says.
        reason: String,
    },
    /// The key's text is not json-hex of a key with its proof of possession.
    #[error("signer {party_id}: unreadable verification key: {reason}")]
    Key {
        /// The signer.
        party_id: String,
        /// What is wrong.
        reason: String,
    },
    /// The key is refused: its proof of possession does not hold, or it is registered already.
    #[error("signer {party_id}: refused verification key: {reason}")]
    Registration {
        /// The signer.
        party_id: String,
        /// What the library says.
        reason: String,
    },
}

/// Computes the key of `signers`, in any order.
pub(super) fn compute(
    signers: &[StakedSigner],
    parameters: &ProtocolParameters,
) -> Result<AggregateVerificationKey, AvkComputeError> {
    let mut registration = KeyRegistration::initialize();
    for signer in signers {
        let party_id = || signer.party_id.chars().take(80).collect();
        let unreadable = |reason| AvkComputeError::Key { party_id: party_id(), reason };
        let json = hex_bytes(&signer.verification_key, MAX_KEY).map_err(|error| unreadable(error.to_string()))?;
        let key: VerificationKeyProofOfPossessionForConcatenation =
            serde_json::from_slice(&json).map_err(|error| unreadable(error.to_string()))?;
        registration
            .register(signer.stake.0, &key)
            .map_err(|error| AvkComputeError::Registration { party_id: party_id(), reason: error.to_string() })?;
    }
    let closing = |reason| AvkComputeError::Closing { reason };
    let parameters = Parameters { m: parameters.m, k: parameters.k, phi_f: parameters.phi_f.get() };
    let closed = registration.close_registration(&parameters).map_err(|error| closing(error.to_string()))?;
    let key = StmKey::<MithrilMembershipDigest>::from(&closed);
    let json = serde_json::to_vec(key.to_concatenation_aggregate_verification_key());
    Ok(AggregateVerificationKey::from_text(hex::encode(json.map_err(|error| closing(error.to_string()))?)))
}

/// Bounds the JSON of a key: twice the longest possible, 192 bytes of at most four characters.
const MAX_KEY: usize = 2048;
