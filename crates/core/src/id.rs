//! What blocks, chains and networks are called.

use core::fmt;

use crate::units::{BlockHeight, Slot};

/// Holds a block's 32-byte id in wire byte order.
///
/// Each chain owns its text form: Bitcoin, Litecoin and Dash print the bytes reversed
/// ([`BlockHash::to_reversed_hex`]), most others print them as they are ([`BlockHash::to_hex`]).
/// `Debug` prints wire order, marked `wire:`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockHash(pub [u8; 32]);

impl BlockHash {
    /// Prints the bytes in wire order.
    #[must_use]
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Prints the bytes reversed, as the Bitcoin family does.
    #[must_use]
    pub fn to_reversed_hex(self) -> String {
        let mut bytes = self.0;
        bytes.reverse();
        hex::encode(bytes)
    }

    /// Reads 64 hexadecimal digits in wire order.
    ///
    /// # Errors
    /// [`HashTextError`] with the text, if it is anything else.
    pub fn from_hex(text: &str) -> Result<Self, HashTextError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| HashTextError::new(text))?;
        Ok(Self(bytes))
    }

    /// Reads 64 hexadecimal digits in the Bitcoin family's reversed order.
    ///
    /// # Errors
    /// [`HashTextError`] with the text, if it is anything else.
    pub fn from_reversed_hex(text: &str) -> Result<Self, HashTextError> {
        let mut hash = Self::from_hex(text)?;
        hash.0.reverse();
        Ok(hash)
    }
}

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wire:{}", self.to_hex())
    }
}

/// Says that a text is not a 32-byte hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 64 hexadecimal digits: {text:?}")]
pub struct HashTextError {
    text: String,
}

impl HashTextError {
    fn new(text: &str) -> Self {
        Self { text: text.chars().take(80).collect() }
    }
}

/// Names one block: a height alone names nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BlockId {
    /// Says where on its branch the block stands.
    pub height: BlockHeight,
    /// Says which block it is.
    pub hash: BlockHash,
}

/// Locates one block the way the chain's own protocol does: its id, and the slot where the chain has slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BlockPoint {
    /// Names the block.
    pub id: BlockId,
    /// Holds the slot on chains that intersect by slot and hash.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub slot: Option<Slot>,
}

impl From<BlockId> for BlockPoint {
    fn from(id: BlockId) -> Self {
        Self { id, slot: None }
    }
}

/// Names a chain by its lower-case word, such as `dash`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ChainId(String);

impl ChainId {
    /// Makes the name from a chain's word.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Returns the word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a network by the word its nodes use and, decisively, by its genesis block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NetworkId {
    /// Holds the network's word, such as `main` or `regtest`.
    pub name: String,
    /// Holds the id of the block at height 0.
    pub genesis: BlockHash,
}

/// Names one shard of a sharded chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ShardId(pub u32);

/// Says which ledger a source reads and a checkpoint belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Scope {
    /// Names the chain.
    pub chain: ChainId,
    /// Names the network.
    pub network: NetworkId,
    /// Names the shard, where the chain has shards.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub shard: Option<ShardId>,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (genesis {})", self.chain, self.network.name, self.network.genesis.to_reversed_hex())?;
        match self.shard {
            Some(ShardId(shard)) => write!(f, " shard {shard}"),
            None => Ok(()),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for BlockHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for BlockHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::from_hex(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_text_round_trips_in_both_orders_and_names_bad_text() {
        let mut bytes = [0; 32];
        bytes[0] = 0xab;
        let hash = BlockHash(bytes);
        assert!(hash.to_hex().starts_with("ab00"));
        assert!(hash.to_reversed_hex().ends_with("00ab"));
        assert_eq!(BlockHash::from_hex(&hash.to_hex()), Ok(hash));
        assert_eq!(BlockHash::from_reversed_hex(&hash.to_reversed_hex()), Ok(hash));
        let error = BlockHash::from_hex("abc").unwrap_err();
        assert_eq!(error.to_string(), "not 64 hexadecimal digits: \"abc\"");
    }
}
