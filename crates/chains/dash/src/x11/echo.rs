//! ECHO-512, the SHA-3 second round version.
//!
//! Benadjila et al.: "SHA-3 proposal: ECHO", second round.

use super::aes::{Block, round, round_without_key};
use super::words::{bit_length, digest, le_u32, padded};

/// Hashes `input` with ECHO-512, without a salt.
pub(crate) fn hash(input: &[u8]) -> [u8; 64] {
    let mut state = [[512, 0, 0, 0]; 8];
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
    if tail.len() >= SIZE_AT {
        compress(&mut state, &last, counter);
        last = [0; BLOCK];
        counter = 0;
    }
    last[SIZE_AT..SIZE_AT + 2].copy_from_slice(&512u16.to_le_bytes());
    last[SIZE_AT + 2..SIZE_AT + 10].copy_from_slice(&bits.to_le_bytes());
    compress(&mut state, &last, counter);
    digest(state.into_iter().flatten().map(u32::to_le_bytes))
}

fn compress(state: &mut [Block; 8], block: &[u8; BLOCK], mut counter: u64) {
    let mut message = [[0; 4]; 8];
    for (word, bytes) in message.iter_mut().zip(block.as_chunks::<16>().0) {
        *word = le_u32(bytes);
    }
    let mut words = [[0; 4]; 16];
    words[..8].copy_from_slice(state);
    words[8..].copy_from_slice(&message);
    for _ in 0..10 {
        for word in &mut words {
            // The key is the 128-bit counter, whose upper half is always zero here; the salt is zero too.
            let [low, high] = le_u32(&counter.to_le_bytes());
            *word = round_without_key(round(*word, [low, high, 0, 0]));
            counter = counter.wrapping_add(1);
        }
        words = mix_columns(&words);
    }
    for i in 0..8 {
        state[i] = xor(xor(state[i], message[i]), xor(words[i], words[i + 8]));
    }
}

/// BIG.ShiftRows and BIG.MixColumns: AES's own, on a matrix of 128-bit words stored by columns.
#[inline(always)]
fn mix_columns(words: &[Block; 16]) -> [Block; 16] {
    let mut mixed = [[0; 4]; 16];
    for column in 0..4 {
        let at = 4 * column;
        let [a, b, c, d] = [words[at], words[(at + 5) % 16], words[(at + 10) % 16], words[(at + 15) % 16]];
        let all = xor(xor(a, b), xor(c, d));
        mixed[at] = xor(xor(a, all), double(xor(a, b)));
        mixed[at + 1] = xor(xor(b, all), double(xor(b, c)));
        mixed[at + 2] = xor(xor(c, all), double(xor(c, d)));
        mixed[at + 3] = xor(xor(d, all), double(xor(d, a)));
    }
    mixed
}

/// Doubles each byte in the AES field.
#[inline(always)]
fn double(x: Block) -> Block {
    x.map(|word| {
        let top = word & 0x8080_8080;
        ((word ^ top) << 1) ^ ((top - (top >> 7)) & 0x1b1b_1b1b)
    })
}

#[inline(always)]
fn xor(a: Block, b: Block) -> Block {
    [a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3]]
}

const BLOCK: usize = 128;

/// Where the 16-bit digest length starts in the last block; the 128-bit message length follows it.
const SIZE_AT: usize = 110;
