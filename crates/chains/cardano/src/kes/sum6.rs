//! Verification of Sum6KES signatures: Ed25519 keys at the 64 leaves of a hash tree, one for each evolution.

use core::fmt;

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;

use crate::kes::KesError;
use crate::kes::decode::{exactly, from_hex, from_json};

/// Is a signature of a key that evolves at most 63 times (the sum composition of Malkin, Micciancio and Miner, six
/// levels deep, with Blake2b-256 and Ed25519, as Cardano has it).
///
/// It holds the Ed25519 signature of one leaf, and for each level the pair of keys that hashes to the key above it.
/// The leaf is checked by the strict rules, as Cardano's node and `kes-summed-ed25519` do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sum6Signature {
    leaf: [u8; 64],
    /// From the root down.
    pairs: [Pair; LEVELS],
}

impl Sum6Signature {
    /// Is the length in bytes: a leaf signature of 64, and six pairs of 64.
    pub const LEN: usize = 64 + LEVELS * 64;
    /// Is the last evolution that a key of six levels has.
    pub const LAST_EVOLUTION: u8 = 63;

    /// Reads the raw form: the leaf's signature, then the pairs from the leaf up.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let (leaf, rest) = bytes.split_at(64);
        let mut signature = Self { leaf: [0; 64], pairs: [Pair::default(); LEVELS] };
        signature.leaf.copy_from_slice(leaf);
        for (pair, both) in signature.pairs.iter_mut().rev().zip(rest.chunks_exact(64)) {
            let (left, right) = both.split_at(32);
            pair.left.copy_from_slice(left);
            pair.right.copy_from_slice(right);
        }
        signature
    }

    /// Reads a json-hex or bytes-hex text.
    ///
    /// # Errors
    /// [`KesError::TooLong`], [`KesError::Hex`], [`KesError::Json`] or [`KesError::Length`].
    pub fn from_text(text: &str) -> Result<Self, KesError> {
        let bytes = from_hex(WHAT, text, MAX_TEXT)?;
        if let Ok(raw) = <&[u8; Self::LEN]>::try_from(bytes.as_slice()) {
            return Ok(Self::from_bytes(raw));
        }
        let mut pairs = [Pair::default(); LEVELS];
        let leaf = from_json::<Tree>(WHAT, &bytes)?.open(&mut pairs);
        Ok(Self { leaf: exactly("signature of a KES leaf", &leaf)?, pairs })
    }

    /// Verifies that the key with the root `key` signed `message` at `evolution`, from 0 to 63.
    ///
    /// # Errors
    /// [`KesError::KeyPair`] if the tree does not lead to `key`, [`KesError::Signature`] if the leaf did not sign.
    pub fn verify(&self, evolution: u8, key: &[u8; 32], message: &[u8]) -> Result<(), KesError> {
        let wrong = KesError::Signature { evolution };
        if evolution > Self::LAST_EVOLUTION {
            return Err(wrong);
        }
        let mut key = *key;
        for (level, pair) in self.pairs.iter().enumerate() {
            if pair.hash() != key {
                return Err(KesError::KeyPair { level });
            }
            let right = evolution & (HALF >> level) != 0;
            key = if right { pair.right } else { pair.left };
        }
        let Ok(leaf) = VerifyingKey::from_bytes(&key) else { return Err(wrong) };
        leaf.verify_strict(message, &Signature::from_bytes(&self.leaf)).map_err(|_| wrong)
    }
}

impl fmt::Debug for Sum6Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sum6Signature({}…)", hex::encode(self.leaf.get(..8).unwrap_or_default()))
    }
}

/// Holds two sibling keys of the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pair {
    left: [u8; 32],
    right: [u8; 32],
}

impl Pair {
    fn hash(&self) -> [u8; 32] {
        Blake2b::<U32>::new().chain_update(self.left).chain_update(self.right).finalize().into()
    }
}

/// Is the JSON of one level; what it is nested in is one level further up.
#[derive(Deserialize)]
struct Level<S> {
    sigma: S,
    lhs_pk: [u8; 32],
    rhs_pk: [u8; 32],
}

type Tree = Level<Level<Level<Level<Level<Level<Vec<u8>>>>>>>;

/// Takes the levels apart, from the root down, and returns the leaf's signature.
trait Open {
    fn open(self, pairs: &mut [Pair]) -> Vec<u8>;
}

impl Open for Vec<u8> {
    fn open(self, _: &mut [Pair]) -> Vec<u8> {
        self
    }
}

impl<S: Open> Open for Level<S> {
    fn open(self, pairs: &mut [Pair]) -> Vec<u8> {
        match pairs.split_first_mut() {
            Some((pair, below)) => {
                *pair = Pair { left: self.lhs_pk, right: self.rhs_pk };
                self.sigma.open(below)
            }
            None => self.sigma.open(&mut []),
        }
    }
}

const LEVELS: usize = 6;
/// Is half the number of leaves: from here on the right half of the tree signs.
const HALF: u8 = 32;
const WHAT: &str = "KES signature";
/// Is twice the length, in characters, of the longest compact JSON of a signature.
const MAX_TEXT: usize = 8_192;
