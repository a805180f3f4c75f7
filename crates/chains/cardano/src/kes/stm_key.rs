//! The key that a signer registers with Mithril, as far as its registration is concerned: bytes to be compared and signed.

use core::fmt;

use serde::Deserialize;

use crate::kes::KesError;
use crate::kes::decode::{exactly, from_hex, from_json};

/// Holds a signer's BLS verification key (96 bytes) followed by its proof of possession (96 bytes), which is what the
/// KES key signs. Two are equal if the bytes are, whichever text form they came in.
///
/// That the bytes are points of the curve, and that the proof holds, is not checked here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StmKey([u8; Self::LEN]);

impl StmKey {
    /// Is the length of key and proof in bytes (`mithril-stm` 0.13, `to_canonical_bytes`).
    pub const LEN: usize = 192;

    /// Takes key and proof.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Reads a json-hex or bytes-hex text.
    ///
    /// # Errors
    /// [`KesError::TooLong`], [`KesError::Hex`], [`KesError::Json`] or [`KesError::Length`].
    pub fn from_text(text: &str) -> Result<Self, KesError> {
        let bytes = from_hex(WHAT, text, MAX_TEXT)?;
        if let Ok(raw) = bytes.as_slice().try_into() {
            return Ok(Self(raw));
        }
        let Json { vk, pop } = from_json(WHAT, &bytes)?;
        exactly::<96>("signer's verification key", &vk)?;
        exactly::<96>("proof of possession", &pop)?;
        exactly(WHAT, &[vk, pop].concat()).map(Self)
    }

    /// Returns key and proof, one after the other.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Display for StmKey {
    /// Writes the first 8 bytes in hexadecimal: enough to tell two keys apart in a line of text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StmKey({self}…)")
    }
}

#[derive(Deserialize)]
struct Json {
    vk: Vec<u8>,
    pop: Vec<u8>,
}

const WHAT: &str = "signer's key with its proof of possession";
/// Is twice the length, in characters, of the longest compact JSON of 192 bytes.
const MAX_TEXT: usize = 4_096;
