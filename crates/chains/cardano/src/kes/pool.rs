//! The name of a stake pool: the hash of its cold key.

use core::fmt;
use core::str::FromStr;

use bech32::{Bech32, Hrp};
use blake2::digest::consts::U28;
use blake2::{Blake2b, Digest};
use thiserror::Error;

/// Names a stake pool by the Blake2b-224 hash of its cold verification key; the text form is Bech32 with the prefix
/// `pool` (CIP-5), as Mithril's `party_id`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId([u8; Self::LEN]);

impl PoolId {
    /// Is the length of the hash in bytes.
    pub const LEN: usize = 28;

    /// Takes the hash itself.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Returns the pool of a cold verification key.
    #[must_use]
    pub fn of_cold_key(key: &[u8; 32]) -> Self {
        Self(Blake2b::<U28>::digest(key).into())
    }

    /// Returns the hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<Bech32, _>(f, PREFIX, &self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PoolId {
    type Err = PoolIdError;

    /// Reads the Bech32 form, or the hash in hexadecimal.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |reason| PoolIdError { text: text.chars().take(MAX_SHOWN).collect(), reason };
        if text.len() == Self::LEN * 2
            && let Ok(bytes) = hex::decode(text)
            && let Ok(hash) = bytes.try_into()
        {
            return Ok(Self(hash));
        }
        if text.len() > MAX_TEXT {
            return Err(bad(Reason::Length));
        }
        let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32>(text);
        let checked = checked.map_err(|_| bad(Reason::Checksum))?;
        if checked.hrp() != PREFIX {
            return Err(bad(Reason::Prefix));
        }
        let bytes: Vec<u8> = checked.byte_iter().collect();
        bytes.try_into().map(Self).map_err(|_| bad(Reason::Length))
    }
}

/// Says why a text names no pool.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} names no stake pool: {reason}")]
pub struct PoolIdError {
    text: String,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
enum Reason {
    #[error("its checksum does not hold")]
    Checksum,
    #[error("it does not hold 28 bytes")]
    Length,
    #[error("its prefix is not pool")]
    Prefix,
}

const PREFIX: Hrp = Hrp::parse_unchecked("pool");
/// Is longer than the 56 characters of any pool's name.
const MAX_TEXT: usize = 90;
const MAX_SHOWN: usize = 90;

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of Mithril's deterministic test signer, and the name that Mithril's own tests expect of it.
    const TEST_KEY: &str = "20fdbac9b10b7587bba7b5bc163bce69e796d71e4ed44c10fcb4488689f7a144";
    const TEST_POOL: &str = "pool1mxyec46067n3querj9cxkk0g0zlag93pf3ya9vuyr3wgkq2e6t7";
    const TEST_POOL_HEX: &str = "d9899c574fd7a710732391706b59e878bfd416214c49d2b3841c5c8b";

    #[test]
    fn the_name_of_a_key_is_the_one_that_mithril_computes_and_reads_back_in_both_forms() {
        let key: [u8; 32] = hex::decode(TEST_KEY).unwrap().try_into().unwrap();
        let pool = PoolId::of_cold_key(&key);
        assert_eq!(pool.to_string(), TEST_POOL);
        assert_eq!(TEST_POOL.parse(), Ok(pool));
        assert_eq!(TEST_POOL_HEX.parse(), Ok(pool));
    }

    #[test]
    fn texts_that_name_no_pool_are_refused_with_the_reason() {
        let refusal = |text: &str| text.parse::<PoolId>().unwrap_err().reason;
        assert_eq!(refusal("pool1mxyec46067n3querj9cxkk0g0zlag93pf3ya9vuyr3wgkq2e6t8"), Reason::Checksum);
        assert_eq!(refusal(&"p".repeat(1_000_000)), Reason::Length);
        let stake = bech32::encode::<Bech32>(Hrp::parse_unchecked("stake"), &[7; 28]).unwrap();
        assert_eq!(refusal(&stake), Reason::Prefix);
        let short = bech32::encode::<Bech32>(PREFIX, &[7; 27]).unwrap();
        assert_eq!(refusal(&short), Reason::Length);
    }
}
