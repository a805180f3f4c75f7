//! SHAvite-3-512 as specified for the SHA-3 second round.
//!
//! Biham, Dunkelman: "The SHAvite-3 Hash Function", tweaked version (23 November 2009). This follows the
//! text of the specification, as X11 does; the authors' reference code of that round disagrees with it
//! on the byte order of the AES rounds.

use super::aes::{Block, round, round_without_key};
use super::words::{bit_length, digest, le_u32, padded};

/// Hashes `input` with SHAvite-3-512, without a salt.
pub(crate) fn hash(input: &[u8]) -> [u8; 64] {
    let mut state = INITIAL;
    let (blocks, tail) = input.as_chunks::<BLOCK>();
    let mut hashed = 0;
    for block in blocks {
        hashed += 1024;
        compress(&mut state, block, hashed);
    }

    let bits = bit_length(input);
    // The counter holds message bits only; a block of pure padding counts as zero.
    let mut counter = if tail.is_empty() { 0 } else { bits };
    let mut last = padded::<BLOCK>(tail);
    if tail.len() >= LENGTH_AT {
        compress(&mut state, &last, counter);
        last = [0; BLOCK];
        counter = 0;
    }
    last[LENGTH_AT..LENGTH_AT + 8].copy_from_slice(&bits.to_le_bytes());
    last[BLOCK - 2..].copy_from_slice(&512u16.to_le_bytes());
    compress(&mut state, &last, counter);
    digest(state.into_iter().flatten().map(u32::to_le_bytes))
}

fn compress(state: &mut [Block; 4], block: &[u8; BLOCK], counter: u64) {
    let keys = schedule(block, counter);
    let [mut a, mut b, mut c, mut d] = *state;
    for [left, right] in keys.as_chunks::<4>().0.as_chunks::<2>().0 {
        a = xor(a, four_rounds(b, left));
        c = xor(c, four_rounds(d, right));
        [a, b, c, d] = [d, a, b, c];
    }
    for (to, from) in state.iter_mut().zip([a, b, c, d]) {
        *to = xor(*to, from);
    }
}

#[inline(always)]
fn four_rounds(x: Block, keys: &[Block; 4]) -> Block {
    let x = round(xor(x, keys[0]), keys[1]);
    let x = round(x, keys[2]);
    let x = round(x, keys[3]);
    round_without_key(x)
}

/// The 112 round keys: the message, then eight keys by AES rounds and eight by a linear recurrence in turn.
fn schedule(block: &[u8; BLOCK], counter: u64) -> [Block; KEYS] {
    let mut keys = [[0; 4]; KEYS];
    for (key, bytes) in keys.iter_mut().zip(block.as_chunks::<16>().0) {
        *key = le_u32(bytes);
    }
    // The upper 64 bits of the 128-bit counter are always zero here.
    let [low, high]: [u32; 2] = le_u32(&counter.to_le_bytes());
    for n in 8..KEYS {
        let previous = keys[n - 1];
        let old = keys[n - 8];
        keys[n] = if n / 8 % 2 == 1 {
            xor(round_without_key([old[1], old[2], old[3], old[0]]), previous)
        } else {
            let [_, p, q, r] = keys[n - 2];
            xor(old, [p, q, r, previous[0]])
        };
        match n {
            8 => keys[n] = xor(keys[n], [low, high, 0, !0]),
            41 => keys[n] = xor(keys[n], [0, 0, high, !low]),
            79 => keys[n] = xor(keys[n], [0, 0, low, !high]),
            110 => keys[n] = xor(keys[n], [high, low, 0, !0]),
            _ => {}
        }
    }
    keys
}

#[inline(always)]
fn xor(a: Block, b: Block) -> Block {
    [a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3]]
}

const BLOCK: usize = 128;

/// Where the 128-bit message length starts in the last block; the 16-bit digest length follows it.
const LENGTH_AT: usize = 110;

/// Fourteen rounds with two halves of four keys.
const KEYS: usize = 112;

/// The initial value for 512-bit digests.
const INITIAL: [Block; 4] = [
    [0x72fc_cdd8, 0x79ca_4727, 0x128a_077b, 0x40d5_5aec],
    [0xd190_1a06, 0x430a_e307, 0xb29f_5cd1, 0xdf07_fbfc],
    [0x8e45_d73d, 0x681a_b538, 0xbde8_6578, 0xdd57_7e47],
    [0xe275_eade, 0x502d_9fcd, 0xb935_7178, 0x022a_4b9a],
];
