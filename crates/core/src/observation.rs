//! What an operator watches for, and what was seen.

use std::collections::{BTreeMap, BTreeSet};

use core::fmt;

use crate::id::BlockPoint;

/// Counts a chain's smallest unit (satoshi, duff, wei); never a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Amount(pub u128);

impl Amount {
    /// Adds; `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names a transaction in the chain's own text form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct TxId(pub String);

impl fmt::Display for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names something that only one transaction can consume: a transaction output, or a sender's nonce, as bytes of the
/// chain's own encoding. Two transactions with a key in common exclude each other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct SpendKey(#[cfg_attr(feature = "serde", serde(with = "crate::observation::hex_bytes"))] pub Vec<u8>);

impl fmt::Debug for SpendKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpendKey({})", hex::encode(&self.0))
    }
}

/// Holds one thing to watch: the operator's text, and the bytes that the chain compares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchItem {
    /// Holds the address as the operator wrote it.
    pub label: String,
    /// Holds what the chain crate compares, such as an output script.
    pub key: Vec<u8>,
}

/// Holds everything that a scan watches for.
#[derive(Clone, Debug, Default)]
pub struct WatchSet {
    items: BTreeMap<Vec<u8>, String>,
    spends: BTreeSet<SpendKey>,
    rules: WatchRules,
}

impl WatchSet {
    /// Makes a set of `items` under `rules`.
    #[must_use]
    pub fn new(items: impl IntoIterator<Item = WatchItem>, rules: WatchRules) -> Self {
        let items = items.into_iter().map(|item| (item.key, item.label)).collect();
        Self { items, spends: BTreeSet::new(), rules }
    }

    /// Returns the label of the item with `key`.
    #[must_use]
    pub fn label(&self, key: &[u8]) -> Option<&str> {
        self.items.get(key).map(String::as_str)
    }

    /// Returns the keys and labels.
    pub fn items(&self) -> impl Iterator<Item = (&[u8], &str)> {
        self.items.iter().map(|(key, label)| (key.as_slice(), label.as_str()))
    }

    /// Returns what makes a payment count.
    #[must_use]
    pub fn rules(&self) -> &WatchRules {
        &self.rules
    }

    /// Starts to look for whoever consumes `key`.
    pub fn watch_spend(&mut self, key: SpendKey) {
        self.spends.insert(key);
    }

    /// Stops looking for whoever consumes `key`.
    pub fn forget_spend(&mut self, key: &SpendKey) {
        self.spends.remove(key);
    }

    /// Returns whether somebody looks for who consumes `key`.
    #[must_use]
    pub fn wants_spend(&self, key: &SpendKey) -> bool {
        self.spends.contains(key)
    }

    /// Returns whether any spend is looked for; lets a walk skip its inputs.
    #[must_use]
    pub fn wants_spends(&self) -> bool {
        !self.spends.is_empty()
    }
}

/// Says what makes a payment to a watched script count; what falls short becomes a [`NearMiss`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchRules {
    /// Is the least value that counts, in base units. Default 0.
    pub min_value: Amount,
    /// Says whether a memo must be there. Default false.
    pub require_memo: bool,
    /// Is the longest memo that counts, in bytes. Default 250, the bound of THORChain's memos.
    pub max_memo: usize,
    /// Says whether a memo must be printable ASCII (0x20 to 0x7e). Default true, as THORChain reads memos.
    pub text_memo: bool,
}

impl Default for WatchRules {
    fn default() -> Self {
        Self { min_value: Amount(0), require_memo: false, max_memo: 250, text_memo: true }
    }
}

/// Holds what one block has to say to a [`WatchSet`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BlockReport {
    /// Locates the block.
    pub point: BlockPoint,
    /// Holds the payments that count, in the order of the block.
    pub observations: Vec<Observation>,
    /// Holds the payments that do not count, with the reason.
    pub near_misses: Vec<NearMiss>,
    /// Holds who consumed what was looked for.
    pub spends: Vec<Spend>,
    /// Is what the block's producer was paid, in base units, where the chain has such a thing; weighs deposits.
    pub reward: Option<Amount>,
}

/// Says that a watched script was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Observation {
    /// Locates the block that holds the transaction.
    pub block: BlockPoint,
    /// Names the transaction.
    pub txid: TxId,
    /// Is the index of the output that pays.
    pub output: u32,
    /// Holds the watched address as the operator wrote it.
    pub to: String,
    /// Is the value in base units.
    pub value: Amount,
    /// Holds the memo of the transaction.
    #[cfg_attr(feature = "serde", serde(with = "hex_option"))]
    pub memo: Option<Vec<u8>>,
    /// Holds the address that paid, where it can be told.
    pub sender: Option<String>,
    /// Holds what the transaction consumes; lets a removed transaction be followed.
    pub spends: Vec<SpendKey>,
}

/// Says that a transaction paid a watched script and does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NearMiss {
    /// Holds the payment as it would have been observed.
    pub observation: Observation,
    /// Says why it does not count.
    pub reason: NearMissReason,
}

/// Says why a payment does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum NearMissReason {
    /// The value is below the rule's least value.
    BelowMinimum,
    /// The payment is newly minted and cannot be spent yet.
    Coinbase,
    /// The memo's script is broken: a truncated push, or bytes after the last one.
    MemoMalformed,
    /// No memo is there and the rule wants one.
    MemoMissing,
    /// The memo has bytes outside printable ASCII and the rule wants text.
    MemoNotText,
    /// The memo is longer than the rule allows.
    MemoTooLong,
}

impl fmt::Display for NearMissReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BelowMinimum => "value is below the minimum",
            Self::Coinbase => "payment is newly minted",
            Self::MemoMalformed => "memo script is malformed",
            Self::MemoMissing => "memo is missing",
            Self::MemoNotText => "memo is not printable text",
            Self::MemoTooLong => "memo is too long",
        })
    }
}

/// Says who consumed a key that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Spend {
    /// Locates the block that holds the consuming transaction.
    pub block: BlockPoint,
    /// Names what was consumed.
    pub key: SpendKey,
    /// Names the consuming transaction.
    pub by: TxId,
}

/// Says what became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum TxFate {
    /// It waits in the node's memory pool.
    Mempool,
    /// It is in a block of the best chain.
    Mined(BlockPoint),
    /// Another transaction consumed what it needs.
    Replaced(TxId),
    /// The node does not know it.
    Unknown,
}

#[cfg(feature = "serde")]
pub(crate) mod hex_bytes {
    pub(crate) fn serialize<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        hex::decode(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "serde")]
mod hex_option {
    pub(super) fn serialize<S: serde::Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        serde::Serialize::serialize(&bytes.as_ref().map(hex::encode), serializer)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = <Option<String> as serde::Deserialize>::deserialize(deserializer)?;
        text.map(|text| hex::decode(text).map_err(serde::de::Error::custom)).transpose()
    }
}
