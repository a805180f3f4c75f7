//! Double SHA-256 over slices, and the transaction id.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};

/// A transaction's id: the double SHA-256 of its serialization without witness, in wire byte order.
///
/// Its text form is the reversed hex that nodes and block explorers print.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Txid(pub [u8; 32]);

impl Txid {
    /// Returns the bytes in wire order.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Borrows the bytes in wire order.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Txid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Txid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Txid({self})")
    }
}

impl FromStr for Txid {
    type Err = HashTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_reversed(text).map(Self)
    }
}

impl From<[u8; 32]> for Txid {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Txid {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Parses 64 hex digits in display order (reversed) into 32 bytes in wire order.
///
/// # Errors
/// [`HashTextError`] if the text is anything else.
pub fn parse_reversed(text: &str) -> Result<[u8; 32], HashTextError> {
    let mut bytes = [0_u8; 32];
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) => {
            bytes.reverse();
            Ok(bytes)
        }
        Err(hex::FromHexError::InvalidHexCharacter { c, index }) => Err(HashTextError::Digit { digit: c, at: index }),
        Err(_) => Err(HashTextError::Length { len: text.len() }),
    }
}

/// Hashes `data` twice with SHA-256.
#[must_use]
#[inline]
pub fn sha256d(data: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(data)).into()
}

/// Hashes the concatenation of `parts` twice with SHA-256, without joining them.
#[must_use]
#[inline]
pub fn sha256d_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Sha256::digest(hasher.finalize()).into()
}

/// Hashes `left` followed by `right` twice with SHA-256: one node of a merkle tree.
#[must_use]
#[inline]
pub fn sha256d_pair(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut joined = [0_u8; 64];
    let (front, back) = joined.split_at_mut(32);
    front.copy_from_slice(left);
    back.copy_from_slice(right);
    sha256d(&joined)
}

/// Says why a text is not a 32-byte hash in hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashTextError {
    /// A character is not a hex digit.
    #[error("{digit:?} at position {at} is not a hex digit")]
    Digit {
        /// The character.
        digit: char,
        /// Its position in the text, in bytes.
        at: usize,
    },
    /// The text does not have 64 digits.
    #[error("a hash has 64 hex digits, not {len}")]
    Length {
        /// The length of the text in bytes.
        len: usize,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn prints_and_parses_ids_in_reversed_hex() {
        let text = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b";
        let txid: Txid = text.parse().unwrap();
        assert_eq!(txid.0[..4], [0x3b, 0xa3, 0xed, 0xfd]);
        assert_eq!(txid.to_string(), text);
        assert_eq!(format!("{txid:?}"), format!("Txid({text})"));
    }

    #[test]
    fn says_what_is_wrong_with_a_text() {
        let text = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33";
        assert_eq!(text.parse::<Txid>(), Err(HashTextError::Length { len: 63 }));
        assert_eq!(format!("{text}bb").parse::<Txid>(), Err(HashTextError::Length { len: 65 }));
        assert_eq!(format!("{text}x").parse::<Txid>(), Err(HashTextError::Digit { digit: 'x', at: 63 }));
    }

    #[test]
    fn hashes_parts_as_their_concatenation() {
        let bytes: Vec<u8> = (0..=255).collect();
        for at in 0..bytes.len() {
            let (front, back) = bytes.split_at(at);
            assert_eq!(sha256d_parts(&[front, &[], back]), sha256d(&bytes));
        }
        let (left, right) = ([1; 32], [2; 32]);
        assert_eq!(sha256d_pair(&left, &right), sha256d_parts(&[&left, &right]));
        // The double hash of nothing, as the field's documents print it.
        assert_eq!(hex::encode(sha256d(&[])), "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456");
    }
}
