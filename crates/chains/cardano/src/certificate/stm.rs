//! Multi-signatures, checked by `mithril-stm` behind a trait of our own. No other file names that crate.
//!
//! The scheme is stake-based threshold multi-signatures: each signer plays `m` lotteries, winning by stake, and tickets
//! for `k` of them make a quorum. `mithril-stm` decodes and verifies; what is done here is to bound the work before it
//! (a signature says itself how many lotteries are to be evaluated) and to tell three answers apart: valid, invalid,
//! and of a kind that this version does not check.

use core::fmt;

use mithril_stm::{
    AggregateSignature, AggregateVerificationKey as StmKey, AggregateVerificationKeyForConcatenation as StmKeyParts,
    MithrilMembershipDigest, Parameters,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::avk::{AggregateVerificationKey, AvkError, AvkParts};
use super::parameters::ProtocolParameters;
use super::signature::MultiSignature;
use super::types::MAX_CERTIFICATE_BYTES;
use crate::text::hex_bytes;

/// Checks multi-signatures.
///
/// | id | behaviour |
/// |---|---|
/// | MSV-1 | `Ok` means that a quorum of the stake behind `key` signed exactly `message`, under `parameters`. |
/// | MSV-2 | A kind of signature that cannot be checked is [`MultiSignatureError::UnsupportedSignature`], never `Invalid`. |
/// | MSV-3 | Time and memory are bounded by the length of the texts and by stated limits; nothing panics. |
pub trait MultiSignatureVerifier: fmt::Debug + Send + Sync {
    /// Checks that `signature` is a quorum's over `message`.
    ///
    /// # Errors
    /// [`MultiSignatureError`], see there.
    fn verify(
        &self,
        message: &[u8],
        signature: &MultiSignature,
        key: &AggregateVerificationKey,
        parameters: &ProtocolParameters,
    ) -> Result<(), MultiSignatureError>;

    /// Returns the signature in json-hex, the form that certificates hash, if it came in another form.
    ///
    /// # Errors
    /// [`MultiSignatureError`] if it cannot be decoded.
    fn to_json_hex(&self, signature: &MultiSignature) -> Result<Option<MultiSignature>, MultiSignatureError>;
}

/// Says why a multi-signature was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MultiSignatureError {
    /// It was checked and does not hold.
    #[error("invalid multi-signature: {reason}")]
    Invalid {
        /// Says which check failed.
        reason: String,
    },
    /// The aggregate verification key cannot be read.
    #[error(transparent)]
    Key(#[from] AvkError),
    /// It cannot be decoded.
    #[error("malformed multi-signature: {reason}")]
    Malformed {
        /// Says what is wrong.
        reason: String,
    },
    /// Its parameters are outside what this version checks.
    #[error("unsupported parameters of a multi-signature: {parameters}")]
    UnsupportedParameters {
        /// Holds the parameters.
        parameters: ProtocolParameters,
    },
    /// It is of a kind that this version does not check, such as a SNARK. It may well be valid.
    #[error("unsupported kind of multi-signature: {kind}")]
    UnsupportedSignature {
        /// Names the kind.
        kind: String,
    },
}

/// Verifies multi-signatures of the concatenation kind with `mithril-stm`.
#[derive(Clone, Copy, Debug, Default)]
pub struct StmVerifier;

impl MultiSignatureVerifier for StmVerifier {
    fn verify(
        &self,
        message: &[u8],
        signature: &MultiSignature,
        key: &AggregateVerificationKey,
        parameters: &ProtocolParameters,
    ) -> Result<(), MultiSignatureError> {
        let supported = parameters.m <= MAX_LOTTERIES
            && parameters.k <= parameters.m
            && parameters.k > 0
            && (parameters.phi_f.get() <= MAX_PHI_F || parameters.phi_f.get() >= 1.0);
        if !supported {
            return Err(MultiSignatureError::UnsupportedParameters { parameters: *parameters });
        }
        let key = key.parts()?;
        let proof = match self.to_json_hex(signature)? {
            Some(other) => json_of(&other)?,
            None => json_of(signature)?,
        };
        check_bounds(&proof, &key, parameters)?;
        let proof: Proof = serde_json::from_slice(&proof).map_err(malformed)?;
        let key = StmKey::new(stm_key(&key)?);
        let parameters = Parameters { m: parameters.m, k: parameters.k, phi_f: parameters.phi_f.get() };
        proof
            .verify(message, &key, &parameters, None, None)
            .map_err(|error| MultiSignatureError::Invalid { reason: format!("{error:#}") })
    }

    fn to_json_hex(&self, signature: &MultiSignature) -> Result<Option<MultiSignature>, MultiSignatureError> {
        let bytes = json_of(signature)?;
        match bytes.first() {
            Some(b'{') => Ok(None),
            None => Err(malformed("empty")),
            Some(kind) => {
                if let Some(kind) = unsupported_kind(*kind, &bytes) {
                    return Err(MultiSignatureError::UnsupportedSignature { kind });
                }
                let proof = Proof::from_bytes(&bytes).map_err(|error| malformed(format!("{error:#}")))?;
                let json = serde_json::to_vec(&proof).map_err(malformed)?;
                Ok(Some(MultiSignature::from_text(hex::encode(json))))
            }
        }
    }
}

type Proof = AggregateSignature<MithrilMembershipDigest>;

fn json_of(signature: &MultiSignature) -> Result<Vec<u8>, MultiSignatureError> {
    hex_bytes(signature.as_str(), MAX_CERTIFICATE_BYTES / 2).map_err(malformed)
}

fn malformed(reason: impl fmt::Display) -> MultiSignatureError {
    MultiSignatureError::Malformed { reason: reason.to_string() }
}

/// Names the kind of a signature in bytes-hex if it is not the concatenation kind.
///
/// The first byte is a kind (0 concatenation, 1 SNARK, 2 recursive SNARK), or 1 for an envelope in CBOR: a map of two
/// members whose first, `signature_type`, is the kind (`mithril-stm` 0.13). The concatenation kind without an envelope is
/// left alone too: `mithril-stm` 0.13 adds up its lengths unchecked, and panics where overflow checks are on.
fn unsupported_kind(first: u8, bytes: &[u8]) -> Option<String> {
    let (kind, enveloped) = match bytes.strip_prefix(CBOR_ENVELOPE) {
        Some(envelope) => (envelope.first().copied().unwrap_or(u8::MAX), true),
        None => (first, false),
    };
    match kind {
        0 if enveloped => None,
        0 => Some("packed bytes".to_owned()),
        1 => Some("Snark".to_owned()),
        2 => Some("IvcSnark".to_owned()),
        other => Some(format!("type {other}")),
    }
}

/// Refuses what would cost much to verify and cannot be valid, and what is of another kind.
fn check_bounds(json: &[u8], key: &AvkParts, parameters: &ProtocolParameters) -> Result<(), MultiSignatureError> {
    let invalid = |reason: &str| Err(MultiSignatureError::Invalid { reason: reason.to_owned() });
    let outline: Outline = match serde_json::from_slice(json) {
        Ok(outline) => outline,
        Err(error) => return Err(other_kind(json).unwrap_or_else(|| malformed(error))),
    };
    if outline.batch_proof.indices.iter().any(|index| *index >= key.leaves) {
        return invalid("a signer beyond the number of signers");
    }
    let mut lotteries = 0_u64;
    for (single, registered) in &outline.signatures {
        if registered.1 > key.total_stake.0 {
            return invalid("a signer with more stake than all");
        }
        lotteries = lotteries.saturating_add(u64::try_from(single.indexes.len()).unwrap_or(u64::MAX));
    }
    // Indexes are unique and at most `m`, which counts from 0.
    if lotteries > parameters.m.saturating_add(1) {
        return invalid("more tickets than lotteries");
    }
    Ok(())
}

/// Names the kind of a signature in JSON if it is a well-formed object of one member, as other kinds are.
fn other_kind(json: &[u8]) -> Option<MultiSignatureError> {
    let value: Value = serde_json::from_slice(json).ok()?;
    let members = value.as_object()?;
    let (kind, _) = members.iter().next().filter(|(kind, _)| members.len() == 1 && *kind != "signatures")?;
    Some(MultiSignatureError::UnsupportedSignature { kind: kind.clone() })
}

fn stm_key(key: &AvkParts) -> Result<StmKeyParts<MithrilMembershipDigest>, MultiSignatureError> {
    let text = AggregateVerificationKey::from_parts(key);
    let json = hex_bytes(text.as_str(), MAX_CERTIFICATE_BYTES).map_err(malformed)?;
    serde_json::from_slice(&json).map_err(malformed)
}

/// The outline of a signature: what bounds the work, without decoding a point of a curve.
#[derive(Deserialize)]
struct Outline {
    signatures: Vec<(OutlineSingle, (IgnoredAny, u64))>,
    batch_proof: OutlineProof,
}

#[derive(Deserialize)]
struct OutlineSingle {
    indexes: Vec<u64>,
}

#[derive(Deserialize)]
struct OutlineProof {
    indices: Vec<u64>,
}

/// Begins a signature in CBOR: the mark of version 1, a map of two members, the text `signature_type`.
const CBOR_ENVELOPE: &[u8] = b"\x01\xa2\x6esignature_type";
/// Bounds the lotteries that one signature may make us evaluate: five times what mainnet ever had (20,973).
const MAX_LOTTERIES: u64 = 100_000;
/// Bounds the chance for which the lottery's approximation is made, and the largest that Mithril uses
/// (`mithril-stm` 0.13). A chance of 1 needs no approximation.
const MAX_PHI_F: f64 = 0.95;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::PhiF;
    use crate::units::Stake;

    const PARTS: AvkParts = AvkParts { root: [7; 32], leaves: 2, total_stake: Stake(100) };

    fn verify(signature: &str, parameters: ProtocolParameters) -> MultiSignatureError {
        let signature = MultiSignature::from_text(signature);
        let key = AggregateVerificationKey::from_parts(&PARTS);
        StmVerifier.verify(b"message", &signature, &key, &parameters).unwrap_err()
    }

    fn parameters() -> ProtocolParameters {
        ProtocolParameters { k: 1, m: 5, phi_f: PhiF::try_new(0.5).unwrap() }
    }

    #[test]
    fn kinds_that_cannot_be_checked_are_unsupported_and_not_invalid() {
        for (bytes, kind) in [
            (br#"{"Snark":{"proof":[1,2]}}"#.to_vec(), "Snark"),
            (br#"{"IvcSnark":[]}"#.to_vec(), "IvcSnark"),
            (br#"{"Rigid":0}"#.to_vec(), "Rigid"),
            (vec![1, 2, 3], "Snark"),
            (vec![2, 2, 3], "IvcSnark"),
            (vec![9], "type 9"),
            ([CBOR_ENVELOPE, &[1, 0]].concat(), "Snark"),
            ([CBOR_ENVELOPE, &[2, 0]].concat(), "IvcSnark"),
            ([CBOR_ENVELOPE, &[7, 0]].concat(), "type 7"),
        ] {
            let error = verify(&hex::encode(bytes), parameters());
            assert_eq!(error, MultiSignatureError::UnsupportedSignature { kind: kind.to_owned() });
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_malformed() {
        let cbor = [CBOR_ENVELOPE, &[0, 0]].concat();
        for bytes in [&b"{"[..], b"{}", br#"{"signatures":[]}"#, br#"{"signatures":1}"#, &cbor] {
            assert!(matches!(verify(&hex::encode(bytes), parameters()), MultiSignatureError::Malformed { .. }));
        }
        // A length that overflows what stands before it.
        let packed = [&[0][..], &[0, 0, 0, 0, 0, 0, 0, 1], &[255; 16]].concat();
        assert!(matches!(verify(&hex::encode(packed), parameters()), MultiSignatureError::UnsupportedSignature { .. }));
        for text in ["", "xy", "abc"] {
            assert!(matches!(verify(text, parameters()), MultiSignatureError::Malformed { .. }), "{text}");
        }
        let long = "00".repeat(MAX_CERTIFICATE_BYTES / 2 + 1);
        assert!(matches!(verify(&long, parameters()), MultiSignatureError::Malformed { .. }));
    }

    #[test]
    fn work_is_bounded_before_any_lottery() {
        let proof = |indexes: &str, stake: u64, index: u64| {
            let json = format!(
                r#"{{"signatures":[[{{"sigma":[],"indexes":{indexes},"signer_index":0}},[[],{stake}]]],"batch_proof":{{"values":[],"indices":[{index}],"hasher":null}}}}"#
            );
            match verify(&hex::encode(json), parameters()) {
                MultiSignatureError::Invalid { reason } => reason,
                other => other.to_string(),
            }
        };
        assert_eq!(proof("[0,1,2,3,4,5,6]", 1, 0), "more tickets than lotteries");
        assert_eq!(proof("[0]", 101, 0), "a signer with more stake than all");
        assert_eq!(proof("[0]", 1, 2), "a signer beyond the number of signers");
        assert!(proof("[0]", 1, 1).starts_with("malformed"), "the empty sigma");
        for (k, m, phi_f) in [(1, MAX_LOTTERIES + 1, 0.5), (6, 5, 0.5), (0, 5, 0.5), (1, 5, 0.951)] {
            let parameters = ProtocolParameters { k, m, phi_f: PhiF::try_new(phi_f).unwrap() };
            assert_eq!(verify("7b7d", parameters), MultiSignatureError::UnsupportedParameters { parameters });
        }
    }

    #[test]
    fn a_key_that_cannot_be_read_is_told_as_such() {
        let signature = MultiSignature::from_text("7b7d");
        let key = AggregateVerificationKey::from_text("00");
        let refused = StmVerifier.verify(b"", &signature, &key, &parameters());
        assert!(matches!(refused, Err(MultiSignatureError::Key(_))));
    }
}
