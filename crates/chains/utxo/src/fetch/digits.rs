//! Hex decoding, straight from a reply's body into a buffer that is used again.

/// Decodes `text` into `bytes`, replacing what was there; `false` if it is not pairs of hex digits.
///
/// One look-up a digit and one check a chunk: a raw block is one long string of digits.
pub(super) fn decode(text: &[u8], bytes: &mut Vec<u8>) -> bool {
    let (pairs, odd) = text.as_chunks::<2>();
    bytes.clear();
    bytes.reserve_exact(pairs.len());
    let mut seen = 0;
    bytes.extend(pairs.iter().map(|[high, low]| {
        let (high, low) = (VALUES[usize::from(*high)], VALUES[usize::from(*low)]);
        seen |= high | low;
        high << 4 | low & 0x0f
    }));
    seen & INVALID == 0 && odd.is_empty()
}

/// Marks what is no hex digit.
const INVALID: u8 = 0x80;

/// Holds the value of every character.
const VALUES: [u8; 256] = {
    let mut values = [INVALID; 256];
    let mut value: u8 = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_the_hex_crate_decodes_and_refuses_what_it_refuses() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut bytes = vec![9; 7];
        for _ in 0..20_000 {
            let mut text: Vec<u8> =
                (0..random.usize(0..40)).map(|_| *random.choice(b"0123456789abcdefABCDEF").unwrap()).collect();
            if random.u8(0..4) == 0 && !text.is_empty() {
                let at = random.usize(0..text.len());
                text[at] = random.u8(..);
            }
            match hex::decode(&text) {
                Ok(expected) => {
                    assert!(decode(&text, &mut bytes));
                    assert_eq!(bytes, expected);
                }
                Err(_) => assert!(!decode(&text, &mut bytes), "{text:?}"),
            }
        }
    }
}
