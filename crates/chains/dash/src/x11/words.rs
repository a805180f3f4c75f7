//! Blocks to words, words to digests, and the padding start that most of the eleven hashes share.

/// Reads little-endian 32-bit words from the start of `bytes`; words past its end are zero.
#[inline(always)]
pub(super) fn le_u32<const N: usize>(bytes: &[u8]) -> [u32; N] {
    read(bytes, u32::from_le_bytes)
}

/// Reads big-endian 32-bit words from the start of `bytes`; words past its end are zero.
#[inline(always)]
pub(super) fn be_u32<const N: usize>(bytes: &[u8]) -> [u32; N] {
    read(bytes, u32::from_be_bytes)
}

/// Reads little-endian 64-bit words from the start of `bytes`; words past its end are zero.
#[inline(always)]
pub(super) fn le_u64<const N: usize>(bytes: &[u8]) -> [u64; N] {
    read(bytes, u64::from_le_bytes)
}

/// Reads big-endian 64-bit words from the start of `bytes`; words past its end are zero.
#[inline(always)]
pub(super) fn be_u64<const N: usize>(bytes: &[u8]) -> [u64; N] {
    read(bytes, u64::from_be_bytes)
}

/// Writes encoded words one after the other until the digest is full.
#[inline(always)]
pub(super) fn digest<const W: usize>(words: impl IntoIterator<Item = [u8; W]>) -> [u8; 64] {
    let mut out = [0; 64];
    for (to, word) in out.as_chunks_mut::<W>().0.iter_mut().zip(words) {
        *to = word;
    }
    out
}

/// Starts a block with the message bytes left over after the full blocks and the single padding bit
/// that follows them; the remainder is zero.
#[inline(always)]
pub(super) fn padded<const B: usize>(tail: &[u8]) -> [u8; B] {
    let mut block = [0; B];
    for (to, from) in block.iter_mut().zip(tail.iter().chain(&[0x80])) {
        *to = *from;
    }
    block
}

/// Returns the length of `input` in bits, as every padding rule here wants it. No slice in memory is
/// long enough to overflow it.
#[inline(always)]
pub(super) fn bit_length(input: &[u8]) -> u64 {
    (input.len() as u64).wrapping_mul(8)
}

#[inline(always)]
fn read<T: Copy + Default, const W: usize, const N: usize>(bytes: &[u8], decode: fn([u8; W]) -> T) -> [T; N] {
    let mut out = [T::default(); N];
    for (to, word) in out.iter_mut().zip(bytes.as_chunks::<W>().0) {
        *to = decode(*word);
    }
    out
}
