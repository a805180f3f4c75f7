//! Hex and decimal text, bounded before anything is allocated.

/// Says that a text is not the hex of at most so many bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the hex of at most {limit} bytes: {length} characters")]
pub(crate) struct HexError {
    /// Holds the length of the text in bytes.
    pub(crate) length: usize,
    /// Holds how many bytes were allowed.
    pub(crate) limit: usize,
}

/// Decodes hex of at most `limit` bytes; digits of either case.
pub(crate) fn hex_bytes(text: &str, limit: usize) -> Result<Vec<u8>, HexError> {
    let refused = HexError { length: text.len(), limit };
    if text.len() / 2 > limit {
        return Err(refused);
    }
    hex::decode(text).map_err(|_| refused)
}

/// Decodes exactly 64 lower-case hex digits, the only form in which Mithril writes a hash.
pub(crate) fn hash_bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// Writes bytes as a compact JSON array of decimal numbers.
pub(crate) fn decimal_json(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(4 * bytes.len() + 2);
    text.push('[');
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&byte.to_string());
    }
    text.push(']');
    text
}

/// Reads a number as Rust prints it: digits alone, no sign, no leading zero.
pub(crate) fn canonical_u64(text: &str) -> Option<u64> {
    let number = text.parse::<u64>().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_text() {
        assert_eq!(canonical_u64("0"), Some(0));
        assert_eq!(canonical_u64("294"), Some(294));
        for text in ["", "+1", "01", " 1", "1 ", "-1", "18446744073709551616", "1e3"] {
            assert_eq!(canonical_u64(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_hash_is_64_lower_case_digits() {
        assert_eq!(hash_bytes(&"0a".repeat(32)), Some([10; 32]));
        for text in ["", "0a", &"0A".repeat(32), &"0a".repeat(33), &"zz".repeat(32)] {
            assert_eq!(hash_bytes(text), None, "{text:?}");
        }
    }

    #[test]
    fn long_hex_is_refused_before_it_is_decoded() {
        assert_eq!(hex_bytes("0011", 2), Ok(vec![0, 17]));
        assert_eq!(hex_bytes("001122", 2), Err(HexError { length: 6, limit: 2 }));
        assert_eq!(hex_bytes("001", 2), Err(HexError { length: 3, limit: 2 }));
        assert_eq!(hex_bytes("é1", 2), Err(HexError { length: 3, limit: 2 }));
    }
}
