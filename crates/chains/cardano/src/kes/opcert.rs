//! Operational certificates: a pool's cold key names the evolving key that works for it.

use ed25519_dalek::{Signature, VerifyingKey};
use pallas_codec::minicbor::Decoder;
use pallas_codec::minicbor::decode::Error as CborError;
use serde::Deserialize;

use crate::kes::decode::{exactly, from_hex, from_json};
use crate::kes::{KesError, KesPeriod, PoolId};

/// Is an operational certificate with the cold key that signed it. Being read does not mean that it holds:
/// [`OpCert::verify`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpCert {
    kes_key: [u8; 32],
    issue: u64,
    start: KesPeriod,
    signature: [u8; 64],
    cold_key: [u8; 32],
}

impl OpCert {
    /// Reads the text that an aggregator sends as `operational_certificate`: json-hex, or hex of the CBOR.
    ///
    /// # Errors
    /// [`KesError::TooLong`], [`KesError::Hex`], [`KesError::Json`], [`KesError::Cbor`] or [`KesError::Length`].
    pub fn from_text(text: &str) -> Result<Self, KesError> {
        let bytes = from_hex(WHAT, text, MAX_TEXT)?;
        if !bytes.starts_with(b"[") {
            return Self::from_cbor(&bytes);
        }
        let ((kes, issue, start, signature), cold): Json = from_json(WHAT, &bytes)?;
        Self::from_parts(&kes, issue, start, &signature, &cold)
    }

    /// Reads the file that `cardano-cli node issue-op-cert` writes: a text envelope whose `cborHex` is the certificate.
    ///
    /// # Errors
    /// As [`OpCert::from_text`].
    pub fn from_envelope(json: &str) -> Result<Self, KesError> {
        if json.len() > MAX_TEXT {
            return Err(KesError::TooLong { what: WHAT, max: MAX_TEXT, found: json.len() });
        }
        let envelope: Envelope = from_json(WHAT, json.as_bytes())?;
        Self::from_cbor(&from_hex(WHAT, &envelope.cbor, MAX_TEXT)?)
    }

    /// Reads the CBOR form: an array of the certificate (KES key, issue number, start period, signature) and the cold
    /// key, all of definite length, with nothing after it.
    ///
    /// # Errors
    /// [`KesError::Cbor`] or [`KesError::Length`].
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, KesError> {
        let bad = |reason: String| KesError::Cbor { reason };
        let cbor = |error: CborError| bad(error.to_string());
        let mut decoder = Decoder::new(bytes);
        let array = |decoder: &mut Decoder<'_>, expected| match decoder.array().map_err(cbor)? {
            Some(found) if found == expected => Ok(()),
            found => Err(bad(format!("an array of {found:?} instead of {expected}"))),
        };
        array(&mut decoder, 2)?;
        array(&mut decoder, 4)?;
        let kes = decoder.bytes().map_err(cbor)?;
        let issue = decoder.u64().map_err(cbor)?;
        let start = decoder.u64().map_err(cbor)?;
        let signature = decoder.bytes().map_err(cbor)?;
        let cold = decoder.bytes().map_err(cbor)?;
        if decoder.position() != bytes.len() {
            return Err(bad(format!("bytes after the first {}", decoder.position())));
        }
        Self::from_parts(kes, issue, start, signature, cold)
    }

    /// Verifies that the cold key signed the certificate, and returns the pool that the key names.
    ///
    /// The signature is checked by the strict rules. Mithril's own check lets keys of small order pass, but
    /// Cardano's node does not, so no pool on chain has one.
    ///
    /// # Errors
    /// [`KesError::ColdKey`] or [`KesError::ColdSignature`].
    pub fn verify(&self) -> Result<PoolId, KesError> {
        let key = VerifyingKey::from_bytes(&self.cold_key).map_err(|_| KesError::ColdKey { key: self.cold_key })?;
        let pool = self.pool();
        key.verify_strict(&self.signed_bytes(), &Signature::from_bytes(&self.signature))
            .map(|()| pool)
            .map_err(|_| KesError::ColdSignature { pool, issue: self.issue })
    }

    /// Returns the pool that the cold key in the certificate names, verified or not.
    #[must_use]
    pub fn pool(&self) -> PoolId {
        PoolId::of_cold_key(&self.cold_key)
    }

    /// Returns the root of the evolving key.
    #[must_use]
    pub fn kes_key(&self) -> &[u8; 32] {
        &self.kes_key
    }

    /// Returns the issue number, which grows with each certificate of a pool.
    #[must_use]
    pub fn issue(&self) -> u64 {
        self.issue
    }

    /// Returns the period from which the evolving key works.
    #[must_use]
    pub fn start(&self) -> KesPeriod {
        self.start
    }

    fn from_parts(kes: &[u8], issue: u64, start: u64, signature: &[u8], cold: &[u8]) -> Result<Self, KesError> {
        Ok(Self {
            kes_key: exactly("KES key", kes)?,
            issue,
            start: KesPeriod(start),
            signature: exactly("signature of the cold key", signature)?,
            cold_key: exactly("cold key", cold)?,
        })
    }

    /// Returns what the cold key signs: KES key, issue number and start period, the numbers in big-endian order.
    fn signed_bytes(&self) -> [u8; 48] {
        let mut bytes = [0; 48];
        let (kes, numbers) = bytes.split_at_mut(32);
        kes.copy_from_slice(&self.kes_key);
        let (issue, start) = numbers.split_at_mut(8);
        issue.copy_from_slice(&self.issue.to_be_bytes());
        start.copy_from_slice(&self.start.0.to_be_bytes());
        bytes
    }
}

/// Is the JSON form: `[[kes key, issue number, start period, signature], cold key]`, the keys as arrays of numbers.
type Json = ((Vec<u8>, u64, u64, Vec<u8>), Vec<u8>);

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "cborHex")]
    cbor: String,
}

const WHAT: &str = "operational certificate";
/// Is twice the length, in characters, of the longest compact JSON of a certificate.
const MAX_TEXT: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate for the KES key `[9; 32]`, signed by the key whose secret is 32 zero bytes.
    fn certificate() -> OpCert {
        use ed25519_dalek::Signer;

        let cold = ed25519_dalek::SigningKey::from_bytes(&[0; 32]);
        let mut certificate = OpCert {
            kes_key: [9; 32],
            issue: 3,
            start: KesPeriod(300),
            signature: [0; 64],
            cold_key: cold.verifying_key().to_bytes(),
        };
        certificate.signature = cold.sign(&certificate.signed_bytes()).to_bytes();
        certificate
    }

    fn cbor(it: &OpCert) -> Vec<u8> {
        let mut bytes = vec![0x82, 0x84, 0x58, 32];
        bytes.extend(it.kes_key);
        bytes.extend([0x03, 0x19, 0x01, 0x2c, 0x58, 64]);
        bytes.extend(it.signature);
        bytes.extend([0x58, 32]);
        bytes.extend(it.cold_key);
        bytes
    }

    #[test]
    fn the_same_certificate_is_read_from_json_from_cbor_and_from_the_file_of_the_cli() {
        let it = certificate();
        let json = serde_json::to_string(&(
            (it.kes_key.to_vec(), it.issue, it.start.0, it.signature.to_vec()),
            it.cold_key.to_vec(),
        ));
        assert_eq!(OpCert::from_text(&hex::encode(json.unwrap())).unwrap(), it);
        assert_eq!(OpCert::from_text(&hex::encode(cbor(&it))).unwrap(), it);
        let file = format!(
            r#"{{"type":"NodeOperationalCertificate","description":"","cborHex":"{}"}}"#,
            hex::encode(cbor(&it))
        );
        assert_eq!(OpCert::from_envelope(&file).unwrap(), it);
        assert_eq!(it.verify().unwrap(), it.pool());
    }

    #[test]
    fn a_certificate_that_was_edited_in_any_field_does_not_verify() {
        let it = certificate();
        let edited = [
            OpCert { kes_key: [8; 32], ..it },
            OpCert { issue: 4, ..it },
            OpCert { start: KesPeriod(301), ..it },
            OpCert { signature: [1; 64], ..it },
        ];
        for edited in edited {
            assert!(matches!(edited.verify(), Err(KesError::ColdSignature { issue, .. }) if issue == edited.issue));
        }
        // Keys of small order: for these any message can be "signed".
        let mut one = [0; 32];
        one[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        let small = OpCert { cold_key: one, signature, ..it };
        assert!(matches!(small.verify(), Err(KesError::ColdSignature { .. })));
    }

    #[test]
    fn cbor_that_is_cut_lengthened_or_of_another_shape_is_refused() {
        let whole = cbor(&certificate());
        for len in 0..whole.len() {
            assert!(OpCert::from_cbor(&whole[..len]).is_err(), "cut to {len}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(matches!(OpCert::from_cbor(&longer), Err(KesError::Cbor { .. })));
        // A byte string that claims 2^63 bytes allocates nothing.
        let claim = [&[0x82, 0x84, 0x5b][..], &(1_u64 << 63).to_be_bytes()].concat();
        assert!(matches!(OpCert::from_cbor(&claim), Err(KesError::Cbor { .. })));
    }
}
