//! What nodes answer, as far as a scan reads it. Unknown fields are ignored: every version adds some.

use core::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Is the answer to `getblockchaininfo`, and to `/rest/chaininfo.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChainInfo {
    /// The network's word, such as `main`, `test`, `signet` or `regtest`.
    pub chain: String,
    /// The height of the newest block of the best chain; it can go down.
    pub blocks: u64,
    /// The height of the newest header of the best header chain.
    pub headers: u64,
    /// The id of the newest block, as the node prints it.
    #[serde(rename = "bestblockhash")]
    pub best_block_hash: String,
    /// Whether the node still catches up with its own network; false where the node does not say.
    #[serde(default, rename = "initialblockdownload")]
    pub initial_block_download: bool,
    /// Whether the node deletes old blocks.
    #[serde(default)]
    pub pruned: bool,
    /// The lowest height whose block is still there, if the node deletes old blocks.
    #[serde(default, rename = "pruneheight")]
    pub prune_height: Option<u64>,
}

/// Is the answer to `getnetworkinfo`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NetworkInfo {
    /// The version as a number, such as `210201` for 0.21.2.1.
    pub version: u64,
    /// The software's name and version, such as `/LitecoinCore:0.21.2.1/`.
    pub subversion: String,
    /// The version of the peer-to-peer protocol.
    #[serde(rename = "protocolversion")]
    pub protocol_version: u64,
}

/// Is the answer to `getblockheader` with verbosity true.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HeaderInfo {
    /// The id, as the node prints it.
    pub hash: String,
    /// How many blocks of the best chain stand on it, itself included; −1 if it is not on the best chain.
    pub confirmations: i64,
    /// The height on its branch.
    pub height: u64,
    /// The id of its parent, as the node prints it; absent for genesis.
    #[serde(default, rename = "previousblockhash")]
    pub previous: Option<String>,
}

impl HeaderInfo {
    /// Returns whether the block is on the node's best chain.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.confirmations >= 1
    }
}

/// Is one entry of the answer to `getchaintips`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ChainTip {
    /// The height of the branch's newest block.
    pub height: u64,
    /// Its id, as the node prints it.
    pub hash: String,
    /// How many blocks of the branch are not on the best chain.
    #[serde(rename = "branchlen")]
    pub branch_len: u64,
    /// What the node thinks of the branch.
    pub status: TipStatus,
}

/// Says what a node thinks of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TipStatus {
    /// It is the best chain.
    Active,
    /// It contradicts a ChainLock (Dash).
    Conflicting,
    /// Its blocks are not all here.
    HeadersOnly,
    /// It holds an invalid block.
    Invalid,
    /// Its blocks are here and were never fully checked.
    ValidHeaders,
    /// It was checked and is not the best chain.
    ValidFork,
    /// A word that this crate does not know.
    #[serde(other)]
    Other,
}

/// Is the answer to `getrawtransaction` with verbosity true.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TxInfo {
    /// The transaction's bytes in hex.
    pub hex: String,
    /// The id of the block that holds it, as the node prints it; absent in the memory pool.
    #[serde(default, rename = "blockhash")]
    pub block_hash: Option<String>,
    /// How many blocks of the best chain stand on that block; 0 if it is not on the best chain.
    #[serde(default)]
    pub confirmations: Option<i64>,
}

/// Is the answer to `gettxout`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct UnspentOutput {
    /// The id of the best block when the node looked, as the node prints it.
    #[serde(rename = "bestblock")]
    pub best_block: String,
    /// How many blocks stand on the transaction's; 0 in the memory pool.
    pub confirmations: u64,
    /// The value.
    pub value: Sats,
}

/// Is the answer to `getmempoolentry`, as far as every version has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct MempoolEntry {
    /// When the transaction entered the pool, in seconds since the Unix epoch.
    pub time: u64,
    /// The height of the best block then.
    pub height: u64,
}

/// Is one entry of the answer to `getindexinfo`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct IndexInfo {
    /// Whether it covers the whole best chain.
    pub synced: bool,
    /// The height up to which it was built.
    pub best_block_height: u64,
}

/// Is one entry of the answer to `getzmqnotifications`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ZmqNotification {
    /// The topic with `pub` in front, such as `pubhashblock`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is published, such as `tcp://127.0.0.1:28332`.
    pub address: String,
}

/// An amount in satoshi (duff, litoshi), read from a node's decimal text without a binary fraction on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sats(pub u64);

impl Sats {
    /// Reads a decimal number of coins with at most eight digits after the point, as nodes print amounts.
    ///
    /// `None` for anything else: a sign, an exponent, more digits, or a number beyond `u64`.
    #[must_use]
    pub fn from_coins(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 8 {
            return None;
        }
        let fraction: u64 = format!("{fraction:0<8}").parse().ok()?;
        let whole: u64 = whole.parse().ok()?;
        whole.checked_mul(100_000_000)?.checked_add(fraction).map(Self)
    }
}

impl fmt::Display for Sats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Sats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue as Deserialize>::deserialize(deserializer)?;
        Self::from_coins(raw.get())
            .ok_or_else(|| serde::de::Error::custom(format_args!("not an amount of coins: {:.40}", raw.get())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_digit_by_digit() {
        let cases = [
            ("0.10000000", Some(10_000_000)),
            ("0.20000000", Some(20_000_000)),
            ("0.30000000", Some(30_000_000)),
            ("0.00000001", Some(1)),
            ("20999999.97690000", Some(2_099_999_997_690_000)),
            ("21000000.00000000", Some(2_100_000_000_000_000)),
            ("84000000", Some(8_400_000_000_000_000)),
            ("0.1", Some(10_000_000)),
            ("50.", Some(5_000_000_000)),
            ("184467440737.09551615", Some(u64::MAX)),
            ("184467440737.09551616", None),
            ("-1.0", None),
            ("1e-8", None),
            ("0.000000001", None),
            (".5", None),
            ("", None),
            ("1.0.0", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Sats::from_coins(text), expected.map(Sats), "{text}");
        }
        let [a, b, sum] = ["0.1", "0.2", "0.3"].map(|text| Sats::from_coins(text).unwrap().0);
        assert_eq!(a + b, sum);
    }

    #[test]
    fn an_answer_with_an_amount_parses_from_text() {
        let text =
            r#"{"bestblock":"00","confirmations":3,"value":0.30000000,"scriptPubKey":{"hex":"51"},"coinbase":true}"#;
        let output: UnspentOutput = serde_json::from_str(text).unwrap();
        assert_eq!((output.value, output.confirmations), (Sats(30_000_000), 3));
        assert!(serde_json::from_str::<UnspentOutput>(&text.replace("0.30000000", "3e-1")).is_err());
    }

    #[test]
    fn tip_states_are_known_and_new_ones_are_other() {
        let status = |word: &str| serde_json::from_str::<TipStatus>(&format!("\"{word}\"")).unwrap();
        let words = ["active", "conflicting", "headers-only", "invalid", "valid-headers", "valid-fork", "unheard-of"];
        let known = [
            TipStatus::Active,
            TipStatus::Conflicting,
            TipStatus::HeadersOnly,
            TipStatus::Invalid,
            TipStatus::ValidHeaders,
            TipStatus::ValidFork,
            TipStatus::Other,
        ];
        assert_eq!(words.map(status), known);
    }
}
