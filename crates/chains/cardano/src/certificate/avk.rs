//! The aggregate verification key: what a multi-signature is checked against.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::{decimal_json, hex_bytes};
use crate::units::Stake;

/// Holds an aggregate verification key: the commitment to all signers of an epoch, and their stake together.
///
/// It keeps the text it came in, which is what certificates hash, and decodes it only when asked: a key of a later
/// format does not make the certificate around it unreadable.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AggregateVerificationKey(String);

impl AggregateVerificationKey {
    /// Keeps a key in its text form, json-hex.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Makes the text of a key, exactly as Mithril writes it.
    #[must_use]
    pub fn from_parts(parts: &AvkParts) -> Self {
        let AvkParts { root, leaves, total_stake } = parts;
        let root = decimal_json(root);
        let json = format!(
            r#"{{"mt_commitment":{{"root":{root},"nr_leaves":{leaves},"hasher":null}},"total_stake":{total_stake}}}"#
        );
        Self(hex::encode(json))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Decodes the key.
    ///
    /// # Errors
    /// [`AvkError`] if the text is not json-hex of this format.
    pub fn parts(&self) -> Result<AvkParts, AvkError> {
        let refused = |reason| AvkError { reason, text: self.0.chars().take(80).collect() };
        let json = hex_bytes(&self.0, MAX_BYTES).map_err(|_| refused("not hex, or too long"))?;
        let wire: Wire = serde_json::from_slice(&json).map_err(|_| refused("not the JSON of a key"))?;
        let root = wire.mt_commitment.root.try_into().map_err(|_| refused("the root is not 32 bytes"))?;
        let parts = AvkParts { root, leaves: wire.mt_commitment.nr_leaves, total_stake: wire.total_stake };
        if parts.leaves == 0 || parts.total_stake == Stake(0) {
            return Err(refused("no signers"));
        }
        Ok(parts)
    }
}

impl fmt::Debug for AggregateVerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            Ok(parts) => parts.fmt(f),
            Err(error) => write!(f, "AggregateVerificationKey({error})"),
        }
    }
}

impl Serialize for AggregateVerificationKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AggregateVerificationKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// Holds what an aggregate verification key states.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AvkParts {
    /// Holds the root over the signers' keys and stake.
    pub root: [u8; 32],
    /// Counts the signers.
    pub leaves: u64,
    /// Holds the stake of all signers.
    pub total_stake: Stake,
}

impl fmt::Debug for AvkParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AvkParts")
            .field("root", &hex::encode(self.root))
            .field("leaves", &self.leaves)
            .field("total_stake", &self.total_stake)
            .finish()
    }
}

/// Says why an aggregate verification key cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unreadable aggregate verification key: {reason}: {text:?}")]
pub struct AvkError {
    /// Says what is wrong.
    pub reason: &'static str,
    /// Holds the text, cut to 80 characters.
    pub text: String,
}

#[derive(Deserialize)]
struct Wire {
    mt_commitment: WireCommitment,
    total_stake: Stake,
}

#[derive(Deserialize)]
struct WireCommitment {
    root: Vec<u8>,
    nr_leaves: u64,
}

/// Bounds a key's JSON: ten times the longest of the corpus (205 bytes).
const MAX_BYTES: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: AvkParts = AvkParts { root: [7; 32], leaves: 2, total_stake: Stake(40_000_000_002) };

    #[test]
    fn a_key_reads_back() {
        let key = AggregateVerificationKey::from_parts(&PARTS);
        assert_eq!(key.parts(), Ok(PARTS));
        assert!(key.as_str().starts_with("7b226d745f636f6d6d69746d656e74223a7b22726f6f74223a5b"));
    }

    #[test]
    fn what_is_no_key_is_refused_by_reason() {
        let reason = |text: &str| AggregateVerificationKey::from_text(text).parts().unwrap_err().reason;
        let json = |json: &str| hex::encode(json);
        assert_eq!(reason("xy"), "not hex, or too long");
        assert_eq!(reason(&"00".repeat(MAX_BYTES + 1)), "not hex, or too long");
        assert_eq!(reason(&json("{}")), "not the JSON of a key");
        let short = r#"{"mt_commitment":{"root":[1],"nr_leaves":2,"hasher":null},"total_stake":1}"#;
        assert_eq!(reason(&json(short)), "the root is not 32 bytes");
        for empty in [AvkParts { leaves: 0, ..PARTS }, AvkParts { total_stake: Stake(0), ..PARTS }] {
            assert_eq!(reason(AggregateVerificationKey::from_parts(&empty).as_str()), "no signers");
        }
    }
}
