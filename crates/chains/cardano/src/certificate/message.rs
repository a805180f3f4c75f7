//! The protocol message: what the signers of a certificate really signed, part by part.

use core::fmt;
use std::collections::BTreeMap;

use nodewright_core::Epoch;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::digest::MessageHash;
use crate::text::canonical_u64;

/// Holds the parts of a message by key, and the scheme by which they are hashed.
///
/// Parts that this version does not know are kept, but a message that has any cannot be hashed: the place of a part
/// in the hash is fixed by the release that introduced it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtocolMessage {
    parts: BTreeMap<MessagePartKey, String>,
    unknown: BTreeMap<String, Value>,
    hash_scheme: HashScheme,
}

impl ProtocolMessage {
    /// Makes a message without parts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a part.
    #[must_use]
    pub fn with_part(mut self, key: MessagePartKey, value: impl Into<String>) -> Self {
        self.parts.insert(key, value.into());
        self
    }

    /// Returns a part.
    #[must_use]
    pub fn part(&self, key: MessagePartKey) -> Option<&str> {
        self.parts.get(&key).map(String::as_str)
    }

    /// Returns the known parts, in the order in which they are hashed.
    pub fn parts(&self) -> impl Iterator<Item = (MessagePartKey, &str)> {
        self.parts.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// Returns the keys of the parts that this version does not know, with their JSON.
    pub fn unknown_parts(&self) -> impl Iterator<Item = (&str, String)> {
        self.unknown.iter().map(|(key, value)| (key.as_str(), value.to_string()))
    }

    /// Returns the scheme by which the message is hashed.
    #[must_use]
    pub fn hash_scheme(&self) -> &HashScheme {
        &self.hash_scheme
    }

    /// Returns the epoch that was signed; `None` if the part is missing or no number.
    #[must_use]
    pub fn current_epoch(&self) -> Option<Epoch> {
        self.part(MessagePartKey::CurrentEpoch).and_then(canonical_u64).map(Epoch)
    }

    /// Hashes the message: SHA-256 over key and value of each part, in the order of [`MessagePartKey`].
    ///
    /// # Errors
    /// [`MessageHashError`] if the scheme or a part is not known to this version.
    pub fn compute_hash(&self) -> Result<MessageHash, MessageHashError> {
        if let HashScheme::Other(scheme) = &self.hash_scheme {
            return Err(MessageHashError::UnsupportedScheme { scheme: scheme.clone() });
        }
        if let Some(key) = self.unknown.keys().next() {
            return Err(MessageHashError::UnknownPart { key: key.clone() });
        }
        let mut hasher = Sha256::new();
        for (key, value) in &self.parts {
            hasher.update(key.as_str());
            hasher.update(value);
        }
        Ok(MessageHash(hasher.finalize().into()))
    }

    /// Returns the first part whose value has not the form of its kind: a number decimal digits, a key hex digits, a
    /// digest or root letters, digits and hyphens.
    ///
    /// The hash joins keys and values without a mark between them, so a value that contained the name of another part
    /// would hash like two parts. Every name has an underscore; no value of the right form has one.
    #[must_use]
    pub fn malformed_part(&self) -> Option<MessagePartKey> {
        self.parts.iter().find(|(key, value)| !key.form().fits(value)).map(|(key, _)| *key)
    }
}

impl Serialize for ProtocolMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Parts<'a>(&'a ProtocolMessage);
        impl Serialize for Parts<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.parts.len() + self.0.unknown.len()))?;
                for (key, value) in &self.0.parts {
                    map.serialize_entry(key.as_str(), value)?;
                }
                for (key, value) in &self.0.unknown {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message_parts", &Parts(self))?;
        if let HashScheme::Other(scheme) = &self.hash_scheme {
            map.serialize_entry("hash_scheme", scheme)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ProtocolMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            message_parts: WireParts,
            hash_scheme: Option<String>,
        }
        let Wire { message_parts: WireParts { parts, unknown }, hash_scheme } = Wire::deserialize(deserializer)?;
        let hash_scheme = match hash_scheme {
            Some(scheme) if scheme != LEGACY_SCHEME => HashScheme::Other(scheme),
            _ => HashScheme::Legacy,
        };
        Ok(Self { parts, unknown, hash_scheme })
    }
}

/// Names a known part. The order is the order of the hash (`mithril-common` 0.8): not that of the alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MessagePartKey {
    /// The digest of a database as one archive.
    SnapshotDigest,
    /// The root over transactions.
    CardanoTransactionsMerkleRoot,
    /// The root over blocks and transactions.
    CardanoBlocksTransactionsMerkleRoot,
    /// The key that verifies the multi-signatures of the next epoch, in json-hex.
    NextAggregateVerificationKey,
    /// The hash of the parameters of the next epoch.
    NextProtocolParameters,
    /// The epoch in which the message is signed.
    CurrentEpoch,
    /// The last block that the roots cover.
    LatestBlockNumber,
    /// How many blocks the signers stayed behind their tip.
    CardanoBlocksTransactionsBlockNumberOffset,
    /// The epoch whose stake distribution is signed.
    CardanoStakeDistributionEpoch,
    /// The root over the stake of all pools.
    CardanoStakeDistributionMerkleRoot,
    /// The root over the digests of immutable files.
    CardanoDatabaseMerkleRoot,
    /// The key that verifies the SNARK multi-signatures of the next epoch.
    NextAggregateVerificationKeySnark,
}

impl MessagePartKey {
    /// Returns the key as it stands on the wire and in the hash.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SnapshotDigest => "snapshot_digest",
            Self::CardanoTransactionsMerkleRoot => "cardano_transactions_merkle_root",
            Self::CardanoBlocksTransactionsMerkleRoot => "cardano_blocks_transactions_merkle_root",
            Self::NextAggregateVerificationKey => "next_aggregate_verification_key",
            Self::NextProtocolParameters => "next_protocol_parameters",
            Self::CurrentEpoch => "current_epoch",
            Self::LatestBlockNumber => "latest_block_number",
            Self::CardanoBlocksTransactionsBlockNumberOffset => "cardano_blocks_transactions_block_number_offset",
            Self::CardanoStakeDistributionEpoch => "cardano_stake_distribution_epoch",
            Self::CardanoStakeDistributionMerkleRoot => "cardano_stake_distribution_merkle_root",
            Self::CardanoDatabaseMerkleRoot => "cardano_database_merkle_root",
            Self::NextAggregateVerificationKeySnark => "next_aggregate_verification_key_snark",
        }
    }

    fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == text)
    }

    fn form(self) -> Form {
        match self {
            Self::CurrentEpoch
            | Self::LatestBlockNumber
            | Self::CardanoBlocksTransactionsBlockNumberOffset
            | Self::CardanoStakeDistributionEpoch => Form::Number,
            Self::NextAggregateVerificationKey | Self::NextAggregateVerificationKeySnark => Form::Hex,
            Self::SnapshotDigest
            | Self::CardanoTransactionsMerkleRoot
            | Self::CardanoBlocksTransactionsMerkleRoot
            | Self::NextProtocolParameters
            | Self::CardanoStakeDistributionMerkleRoot
            | Self::CardanoDatabaseMerkleRoot => Form::Word,
        }
    }

    /// Lists every known part, in the order of the hash.
    pub const ALL: [Self; 12] = [
        Self::SnapshotDigest,
        Self::CardanoTransactionsMerkleRoot,
        Self::CardanoBlocksTransactionsMerkleRoot,
        Self::NextAggregateVerificationKey,
        Self::NextProtocolParameters,
        Self::CurrentEpoch,
        Self::LatestBlockNumber,
        Self::CardanoBlocksTransactionsBlockNumberOffset,
        Self::CardanoStakeDistributionEpoch,
        Self::CardanoStakeDistributionMerkleRoot,
        Self::CardanoDatabaseMerkleRoot,
        Self::NextAggregateVerificationKeySnark,
    ];
}

impl fmt::Display for MessagePartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Says how a message is hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashScheme {
    /// Key and value of each part in turn; the only scheme before the Lagrange era.
    #[default]
    Legacy,
    /// Another scheme, by its name on the wire, such as `rigid` of the Lagrange era.
    Other(String),
}

/// Says why a message cannot be hashed. The certificate is then not understood; that does not make it invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageHashError {
    /// The message has a part that this version does not know.
    #[error("unknown part {key:?} in the protocol message")]
    UnknownPart {
        /// Holds the key of the part.
        key: String,
    },
    /// The message is hashed by a scheme that this version does not know.
    #[error("unsupported hash scheme {scheme:?} of the protocol message")]
    UnsupportedScheme {
        /// Holds the name of the scheme.
        scheme: String,
    },
}

/// The form that a part's value must have.
enum Form {
    Hex,
    Number,
    Word,
}

impl Form {
    fn fits(&self, value: &str) -> bool {
        let all = |fits: fn(u8) -> bool| !value.is_empty() && value.bytes().all(fits);
        match self {
            Self::Hex => all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
            Self::Word => all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            Self::Number => canonical_u64(value).is_some(),
        }
    }
}

#[derive(Default)]
struct WireParts {
    parts: BTreeMap<MessagePartKey, String>,
    unknown: BTreeMap<String, Value>,
}

/// Refuses a key that comes twice, since readers would disagree about which one counts.
impl<'de> Deserialize<'de> for WireParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartsVisitor;
        impl<'de> Visitor<'de> for PartsVisitor {
            type Value = WireParts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of message parts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireParts, A::Error> {
                let mut wire = WireParts::default();
                while let Some(name) = map.next_key::<String>()? {
                    if wire.parts.len() + wire.unknown.len() >= MAX_PARTS {
                        return Err(de::Error::custom(format!("more than {MAX_PARTS} message parts")));
                    }
                    let twice = match MessagePartKey::from_wire(&name) {
                        Some(key) => wire.parts.insert(key, map.next_value()?).is_some(),
                        None => wire.unknown.insert(name.clone(), map.next_value()?).is_some(),
                    };
                    if twice {
                        return Err(de::Error::custom(format!("message part {name:?} comes twice")));
                    }
                }
                Ok(wire)
            }
        }
        deserializer.deserialize_map(PartsVisitor)
    }
}

/// The name of [`HashScheme::Legacy`] on the wire.
const LEGACY_SCHEME: &str = "legacy";
/// Bounds the parts of one message: five times what exists.
const MAX_PARTS: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_listed_in_the_order_of_their_hash() {
        let mut sorted = MessagePartKey::ALL;
        sorted.sort_unstable();
        assert_eq!(sorted, MessagePartKey::ALL);
        for key in MessagePartKey::ALL {
            assert_eq!(MessagePartKey::from_wire(key.as_str()), Some(key));
        }
    }

    #[test]
    fn unknown_parts_are_kept_and_stop_the_hash() {
        let json = json!({"message_parts": {"current_epoch": "7", "leios_root": "ab", "odd": {"x": 1}}});
        let message: ProtocolMessage = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(message.current_epoch(), Some(Epoch(7)));
        assert_eq!(message.unknown_parts().count(), 2);
        assert_eq!(serde_json::to_value(&message).unwrap(), json);
        assert_eq!(message.compute_hash(), Err(MessageHashError::UnknownPart { key: "leios_root".to_owned() }));
    }

    #[test]
    fn another_hash_scheme_is_kept_and_stops_the_hash() {
        let json = json!({"message_parts": {"current_epoch": "7"}, "hash_scheme": "rigid"});
        let message: ProtocolMessage = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&message).unwrap(), json);
        assert_eq!(message.compute_hash(), Err(MessageHashError::UnsupportedScheme { scheme: "rigid".to_owned() }));
        let named = json!({"message_parts": {"current_epoch": "7"}, "hash_scheme": "legacy"});
        let named: ProtocolMessage = serde_json::from_value(named).unwrap();
        assert_eq!(named, ProtocolMessage::new().with_part(MessagePartKey::CurrentEpoch, "7"));
    }

    #[test]
    fn a_part_that_comes_twice_is_refused() {
        let text = r#"{"message_parts":{"current_epoch":"7","current_epoch":"8"}}"#;
        assert!(serde_json::from_str::<ProtocolMessage>(text).unwrap_err().to_string().contains("twice"));
        let text = r#"{"message_parts":{"new":"7","new":"8"}}"#;
        assert!(serde_json::from_str::<ProtocolMessage>(text).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn a_message_of_too_many_parts_is_refused() {
        let parts: BTreeMap<String, u32> = (0..65).map(|part| (format!("p{part}"), part)).collect();
        let refused = serde_json::from_value::<ProtocolMessage>(json!({ "message_parts": parts }));
        assert!(refused.unwrap_err().to_string().contains("more than 64"));
    }

    #[test]
    fn a_value_cannot_swallow_the_next_part() {
        let honest = ProtocolMessage::new()
            .with_part(MessagePartKey::CurrentEpoch, "7")
            .with_part(MessagePartKey::LatestBlockNumber, "8");
        let swallowed = ProtocolMessage::new().with_part(MessagePartKey::CurrentEpoch, "7latest_block_number8");
        assert_eq!(honest.compute_hash(), swallowed.compute_hash(), "the weakness that the check is for");
        assert_eq!(honest.malformed_part(), None);
        assert_eq!(swallowed.malformed_part(), Some(MessagePartKey::CurrentEpoch));
        for (key, value) in [
            (MessagePartKey::SnapshotDigest, "abcurrent_epoch7"),
            (MessagePartKey::SnapshotDigest, ""),
            (MessagePartKey::NextAggregateVerificationKey, "7bnext"),
            (MessagePartKey::NextProtocolParameters, "ab current_epoch"),
            (MessagePartKey::CurrentEpoch, "07"),
        ] {
            assert_eq!(ProtocolMessage::new().with_part(key, value).malformed_part(), Some(key), "{value}");
        }
    }
}
