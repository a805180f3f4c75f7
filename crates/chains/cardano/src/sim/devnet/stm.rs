//! Signers that really sign: keys, registration and aggregation by `mithril-stm`. No other file of the simulation names
//! that crate.

use mithril_stm::{
    AggregateSignatureType, AncillaryGenesisData, AncillaryProofInput, Clerk, Initializer, KeyRegistration,
    MithrilMembershipDigest, Parameters, Signer,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use super::error::DevnetError;
use crate::artifact::StakedSigner;
use crate::certificate::{AggregateVerificationKey, MultiSignature, ProtocolParameters, StakeParty};

type Digest = MithrilMembershipDigest;

/// Holds the signers of an epoch, with their secret keys.
pub(super) struct SignerSet {
    pub(super) public: Vec<StakedSigner>,
    pub(super) key: AggregateVerificationKey,
    signers: Vec<Signer<Digest>>,
    clerk: Clerk<Digest>,
}

impl SignerSet {
    /// Makes keys from `seed` for the parties and registers them.
    pub(super) fn try_new(
        seed: [u8; 32],
        parties: Vec<StakeParty>,
        parameters: &ProtocolParameters,
    ) -> Result<Self, DevnetError> {
        let parameters = Parameters { m: parameters.m, k: parameters.k, phi_f: parameters.phi_f.get() };
        let mut random = ChaCha20Rng::from_seed(seed);
        let mut registration = KeyRegistration::initialize();
        let (mut initializers, mut public) = (Vec::new(), Vec::new());
        for StakeParty { party_id, stake } in parties {
            let initializer = Initializer::new(parameters, stake.0, &mut random);
            let key = initializer.get_verification_key_proof_of_possession_for_concatenation();
            registration.register(stake.0, &key).map_err(DevnetError::stm)?;
            let verification_key = hex::encode(serde_json::to_vec(&key).map_err(DevnetError::stm)?);
            public.push(StakedSigner {
                party_id,
                verification_key,
                verification_key_signature: None,
                operational_certificate: None,
                kes_evolutions: None,
                stake,
            });
            initializers.push(initializer);
        }
        let closed = registration.close_registration(&parameters).map_err(DevnetError::stm)?;
        let signers = initializers.into_iter().map(|initializer| initializer.try_create_signer(&closed));
        let signers: Vec<_> = signers.collect::<Result<_, _>>().map_err(DevnetError::stm)?;
        let clerk = Clerk::new_clerk_from_closed_key_registration(&parameters, &closed);
        let key = clerk.compute_aggregate_verification_key();
        let json = serde_json::to_vec(key.to_concatenation_aggregate_verification_key()).map_err(DevnetError::stm)?;
        Ok(Self { public, key: AggregateVerificationKey::from_text(hex::encode(json)), signers, clerk })
    }

    /// Signs `message`; also returns who took part.
    pub(super) fn sign(&self, message: &[u8]) -> Result<(MultiSignature, Vec<StakeParty>), DevnetError> {
        // Whoever wins no lottery makes no signature.
        let drawn: Vec<_> =
            self.signers.par_iter().map(|signer| signer.create_single_signature(message).ok()).collect();
        let won = drawn.iter().zip(&self.public).filter(|(signature, _)| signature.is_some());
        let parties =
            won.map(|(_, signer)| StakeParty { party_id: signer.party_id.clone(), stake: signer.stake }).collect();
        let signatures: Vec<_> = drawn.into_iter().flatten().collect();
        let ancillary = AncillaryProofInput::new(None, AncillaryGenesisData::new());
        let kind = AggregateSignatureType::Concatenation;
        let aggregate = self.clerk.aggregate_signatures_with_type(&signatures, message, kind, ancillary);
        let (aggregate, _) = aggregate.map_err(DevnetError::stm)?;
        let json = serde_json::to_vec(&aggregate).map_err(DevnetError::stm)?;
        Ok((MultiSignature::from_text(hex::encode(json)), parties))
    }
}

impl core::fmt::Debug for SignerSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SignerSet").field("signers", &self.public.len()).field("key", &self.key).finish_non_exhaustive()
    }
}
