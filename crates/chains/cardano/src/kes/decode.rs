//! Reads the two text forms of keys that aggregators use: hex of JSON, and hex of bytes.

use serde::de::DeserializeOwned;

use crate::kes::KesError;

/// Returns the bytes behind `text`, whose spaces at both ends do not count; refuses more than `max` characters before
/// anything is allocated.
pub(super) fn from_hex(what: &'static str, text: &str, max: usize) -> Result<Vec<u8>, KesError> {
    let text = text.trim();
    if text.len() > max {
        return Err(KesError::TooLong { what, max, found: text.len() });
    }
    hex::decode(text).map_err(|source| KesError::Hex { what, source })
}

/// Reads the JSON in `bytes`.
pub(super) fn from_json<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, KesError> {
    serde_json::from_slice(bytes).map_err(|source| KesError::Json { what, source })
}

/// Returns `bytes` as an array, if there are `N` of them.
pub(super) fn exactly<const N: usize>(what: &'static str, bytes: &[u8]) -> Result<[u8; N], KesError> {
    bytes.try_into().map_err(|_| KesError::Length { what, expected: N, found: bytes.len() })
}
