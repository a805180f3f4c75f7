//! Keccak-512 as submitted to the SHA-3 contest: like SHA3-512 but for the padding, which has no domain bits.
//!
//! Bertoni et al.: "The Keccak reference", version 3.0.

use super::words::{digest, le_u64};

/// Hashes `input` with Keccak-512.
pub(crate) fn hash(input: &[u8]) -> [u8; 64] {
    let mut state = [0; 25];
    let (blocks, tail) = input.as_chunks::<RATE>();
    for block in blocks {
        absorb(&mut state, block);
    }
    let mut last = [0; RATE];
    last[..tail.len()].copy_from_slice(tail);
    last[tail.len()] = 0x01;
    last[RATE - 1] |= 0x80;
    absorb(&mut state, &last);
    digest(state.map(u64::to_le_bytes))
}

fn absorb(state: &mut [u64; 25], block: &[u8; RATE]) {
    let words: [u64; RATE / 8] = le_u64(block);
    for (lane, word) in state.iter_mut().zip(words) {
        *lane ^= word;
    }
    permute(state);
}

/// The permutation `Keccak-f[1600]`; lane (x, y) is at `x + 5 * y`.
fn permute(a: &mut [u64; 25]) {
    for constant in ROUND_CONSTANTS {
        let parity: [u64; 5] = std::array::from_fn(|x| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
        let theta: [u64; 5] = std::array::from_fn(|x| parity[(x + 4) % 5] ^ parity[(x + 1) % 5].rotate_left(1));

        let mut b = [0; 25];
        for y in 0..5 {
            for x in 0..5 {
                b[y + 5 * ((2 * x + 3 * y) % 5)] = (a[x + 5 * y] ^ theta[x]).rotate_left(OFFSETS[y][x]);
            }
        }
        for y in 0..5 {
            for x in 0..5 {
                a[x + 5 * y] = b[x + 5 * y] ^ (!b[(x + 1) % 5 + 5 * y] & b[(x + 2) % 5 + 5 * y]);
            }
        }
        a[0] ^= constant;
    }
}

/// Bytes absorbed per permutation: 1600 bits less twice the digest length.
const RATE: usize = 72;

/// `OFFSETS[y][x]`: how far the rho step rotates lane (x, y).
const OFFSETS: [[u32; 5]; 5] =
    [[0, 1, 62, 28, 27], [36, 44, 6, 55, 20], [3, 10, 43, 25, 39], [41, 45, 15, 21, 8], [18, 2, 61, 56, 14]];

/// The constants of the iota step: bit `2^j - 1` of round `i` is output bit `7 * i + j` of a shift register
/// with feedback x^8 + x^6 + x^5 + x^4 + 1.
const ROUND_CONSTANTS: [u64; 24] = {
    let mut constants = [0; 24];
    let mut register = 1u8;
    let mut round = 0;
    while round < 24 {
        let mut j = 0;
        while j < 7 {
            constants[round] |= ((register & 1) as u64) << ((1 << j) - 1);
            register = (register << 1) ^ (0x71 * (register >> 7));
            j += 1;
        }
        round += 1;
    }
    constants
};
