//! Ed25519 keys and signatures in the two text forms that Mithril uses.
//!
//! - **bytes-hex** is the hex of the raw bytes: 64 digits for a key, 128 for a signature.
//! - **json-hex** is the hex of a JSON array of the bytes as decimal numbers, such as the hex of `[127,73,…]`. The key
//!   files of Mithril's networks (`genesis.vkey`, `era.vkey`, `ancillary.vkey`) hold this form.
//!
//! [`FromStr`] takes either form: their lengths never overlap. Verification is strict (it refuses keys of small order
//! and signatures that are not in canonical form), as Mithril's own is.

use core::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::text::{decimal_json, hex_bytes};

/// Verifies Ed25519 signatures: the public key of a genesis, of era markers, of ancillary files or of a cold key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerificationKey(ed25519_dalek::VerifyingKey);

impl VerificationKey {
    /// Makes a key of its 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::Point`] if the bytes are no point of the curve.
    pub fn try_from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| KeyError::Point { hex: hex::encode(bytes) })
    }

    /// Returns the 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Returns the bytes-hex form: 64 digits.
    #[must_use]
    pub fn to_bytes_hex(&self) -> String {
        hex::encode(self.to_bytes())
    }

    /// Returns the json-hex form, as Mithril's key files hold it.
    #[must_use]
    pub fn to_json_hex(&self) -> String {
        hex::encode(decimal_json(&self.to_bytes()))
    }

    /// Returns the fingerprint by which Mithril names a genesis key: SHA-256 of a tag and the key
    /// (`mithril-common` 0.8).
    #[must_use]
    pub fn genesis_fingerprint(&self) -> [u8; 32] {
        Sha256::new().chain_update(GENESIS_FINGERPRINT_TAG).chain_update(self.to_bytes()).finalize().into()
    }

    /// Checks strictly that `signature` is this key's over `message`.
    ///
    /// # Errors
    /// [`KeyError::Signature`] if it is not.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), KeyError> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(message, &signature).map_err(|_| KeyError::Signature { key: self.to_bytes_hex() })
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerificationKey({self})")
    }
}

/// Prints the bytes-hex form.
impl fmt::Display for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_bytes_hex())
    }
}

impl FromStr for VerificationKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::try_from_bytes(&read_either(text)?)
    }
}

/// Serializes as json-hex, which every release of Mithril reads.
impl Serialize for VerificationKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_json_hex())
    }
}

impl<'de> Deserialize<'de> for VerificationKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Holds an Ed25519 signature: 64 bytes, not yet checked by any key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Makes a signature of its 64 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Returns the 64 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        self.0
    }

    /// Returns the bytes-hex form: 128 digits.
    #[must_use]
    pub fn to_bytes_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Returns the json-hex form.
    #[must_use]
    pub fn to_json_hex(&self) -> String {
        hex::encode(decimal_json(&self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

/// Prints the bytes-hex form.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_bytes_hex())
    }
}

impl FromStr for Signature {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        read_either(text).map(Self)
    }
}

/// Serializes as bytes-hex, as Mithril does with signatures.
impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_bytes_hex())
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Signs with Ed25519. It is never printed and never serialized.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Makes a key of its 32 secret bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(bytes))
    }

    /// Signs `message`; the same message gives the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }

    /// Returns the key that verifies what this one signs.
    #[must_use]
    pub fn verification_key(&self) -> VerificationKey {
        VerificationKey(self.0.verifying_key())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey([secret] of {})", self.verification_key())
    }
}

/// Reads json-hex or bytes-hex. The error never holds the text.
impl FromStr for SigningKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        read_either(text).map(|bytes| Self::from_bytes(&bytes)).map_err(|error| match error {
            KeyError::Text { expected, .. } => KeyError::Text { expected, text: "[secret]".to_owned() },
            other => other,
        })
    }
}

/// Says why a key or signature was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are no point of the curve.
    #[error("no ed25519 key: {hex}")]
    Point {
        /// Holds the bytes in hex.
        hex: String,
    },
    /// The key did not make the signature.
    #[error("the signature does not verify with key {key}")]
    Signature {
        /// Holds the key in bytes-hex.
        key: String,
    },
    /// The text is in neither form, or of another length.
    #[error("neither json-hex nor bytes-hex of {expected} bytes: {text:?}")]
    Text {
        /// Says how many bytes were expected.
        expected: usize,
        /// Holds the text, cut to 80 characters.
        text: String,
    },
}

/// Reads `N` bytes in either form, white space around them allowed (files end with a new line).
fn read_either<const N: usize>(text: &str) -> Result<[u8; N], KeyError> {
    let refused = || KeyError::Text { expected: N, text: text.chars().take(80).collect() };
    let text = text.trim_ascii();
    // json-hex takes at most "255," per byte, and a bracket; twice that in hex.
    let raw = hex_bytes(text, 4 * N + 2).map_err(|_| refused())?;
    let bytes = if raw.len() == N { raw } else { serde_json::from_slice(&raw).map_err(|_| refused())? };
    bytes.try_into().map_err(|_| refused())
}

/// The tag of [`VerificationKey::genesis_fingerprint`] (`mithril-common` 0.8).
const GENESIS_FINGERPRINT_TAG: &[u8] = b"mithril-genesis-verification-key-fingerprint-v1";

#[cfg(test)]
mod tests {
    use super::*;

    /// The first test vector of RFC 8032, section 7.1.
    const RFC8032_SECRET: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const RFC8032_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const RFC8032_SIGNATURE: &str = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

    #[test]
    fn both_text_forms_of_a_key_read_back() {
        let key: VerificationKey = RFC8032_KEY.parse().unwrap();
        assert_eq!(key.to_bytes_hex(), RFC8032_KEY);
        assert!(key.to_json_hex().starts_with("5b3231352c39302c"));
        assert_eq!(key.to_json_hex().parse(), Ok(key));
        assert_eq!(format!("{}\n", key.to_json_hex()).parse(), Ok(key));
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<VerificationKey>(&text).unwrap(), key);
    }

    #[test]
    fn both_text_forms_of_a_signature_read_back() {
        let signature: Signature = RFC8032_SIGNATURE.parse().unwrap();
        assert_eq!(signature.to_json_hex().parse(), Ok(signature));
        assert_eq!(serde_json::to_string(&signature).unwrap(), format!("\"{RFC8032_SIGNATURE}\""));
    }

    #[test]
    fn signs_and_verifies_the_vector_of_the_rfc() {
        let signing: SigningKey = RFC8032_SECRET.parse().unwrap();
        assert_eq!(signing.verification_key().to_bytes_hex(), RFC8032_KEY);
        let signature = signing.sign(b"");
        assert_eq!(signature.to_bytes_hex(), RFC8032_SIGNATURE);
        let key = signing.verification_key();
        assert_eq!(key.verify(b"", &signature), Ok(()));
        assert_eq!(key.verify(b"x", &signature), Err(KeyError::Signature { key: RFC8032_KEY.to_owned() }));
        for bit in 0..512_usize {
            let mut bytes = signature.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(key.verify(b"", &Signature::from_bytes(bytes)).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_key_of_small_order_verifies_nothing() {
        // The neutral element: for it, without strictness, R = 0 and s = 0 would sign every message.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let key = VerificationKey::try_from_bytes(&neutral).unwrap();
        let mut forged = [0; 64];
        forged[0] = 1;
        assert!(key.verify(b"anything", &Signature::from_bytes(forged)).is_err());
    }

    #[test]
    fn other_texts_are_refused() {
        let array = |text: &str| hex::encode(text);
        let long = "00".repeat(1000);
        let short_json = array("[1,2,3]");
        let too_many = array(&format!("[{}]", vec!["1"; 33].join(",")));
        let out_of_range = array(&format!("[{}]", vec!["256"; 32].join(",")));
        let not_an_array = array("{\"k\":1}");
        for text in ["", "zz", &RFC8032_KEY[1..], &long, &short_json, &too_many, &out_of_range, &not_an_array] {
            let refused = text.parse::<VerificationKey>().unwrap_err();
            assert!(matches!(refused, KeyError::Text { expected: 32, .. }), "{text}: {refused}");
        }
        assert!(matches!("02".repeat(32).parse::<VerificationKey>(), Err(KeyError::Point { .. })));
    }

    #[test]
    fn a_secret_is_never_printed() {
        let signing: SigningKey = RFC8032_SECRET.parse().unwrap();
        assert!(!format!("{signing:?}").contains(&RFC8032_SECRET[..8]));
        let refused = RFC8032_SECRET[..62].parse::<SigningKey>().unwrap_err();
        assert!(!format!("{refused:?} {refused}").contains(&RFC8032_SECRET[..8]));
    }
}
