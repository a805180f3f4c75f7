//! Skein-512-512, version 1.3, the SHA-3 final round.
//!
//! Ferguson et al.: "The Skein Hash Function Family", version 1.3, section 3.

use super::words::{digest, le_u64};

/// Hashes `input` with Skein-512-512.
pub(crate) fn hash(input: &[u8]) -> [u8; 64] {
    // The last block is never empty, unless the message is.
    let full = input.len().saturating_sub(1) / BLOCK;
    let (blocks, tail) = input.split_at(full * BLOCK);
    let mut state = INITIAL;
    let mut flags = MESSAGE | FIRST;
    let mut position = 0;
    for block in blocks.as_chunks::<BLOCK>().0 {
        position += 64;
        state = chain(state, le_u64(block), [position, flags]);
        flags = MESSAGE;
    }
    let mut last = [0; BLOCK];
    last[..tail.len()].copy_from_slice(tail);
    state = chain(state, le_u64(&last), [input.len() as u64, flags | LAST]);

    // The output transform hashes the 8-byte output block number, zero.
    let output = chain(state, [0; 8], [8, OUTPUT | FIRST | LAST]);
    digest(output.map(u64::to_le_bytes))
}

/// One UBI step: Threefish-512 of `message` under the chaining value and the tweak, then feed-forward.
fn chain(state: [u64; 8], message: [u64; 8], tweak: [u64; 2]) -> [u64; 8] {
    let mut keys = [0; 9];
    keys[..8].copy_from_slice(&state);
    keys[8] = state.iter().fold(PARITY, |all, word| all ^ word);
    let tweaks = [tweak[0], tweak[1], tweak[0] ^ tweak[1]];

    let mut x = message;
    for pair in 0..9 {
        let subkey = 2 * pair;
        add_subkey(&mut x, &keys, &tweaks, subkey);
        four_rounds(&mut x, &ROTATIONS[0]);
        add_subkey(&mut x, &keys, &tweaks, subkey + 1);
        four_rounds(&mut x, &ROTATIONS[1]);
    }
    add_subkey(&mut x, &keys, &tweaks, 18);
    std::array::from_fn(|i| x[i] ^ message[i])
}

#[inline(always)]
fn add_subkey(x: &mut [u64; 8], keys: &[u64; 9], tweaks: &[u64; 3], subkey: usize) {
    for i in 0..8 {
        x[i] = x[i].wrapping_add(keys[(subkey + i) % 9]);
    }
    x[5] = x[5].wrapping_add(tweaks[subkey % 3]);
    x[6] = x[6].wrapping_add(tweaks[(subkey + 1) % 3]);
    x[7] = x[7].wrapping_add(subkey as u64);
}

#[inline(always)]
fn four_rounds(x: &mut [u64; 8], rotations: &[[u32; 4]; 4]) {
    for amounts in rotations {
        for i in 0..4 {
            x[2 * i] = x[2 * i].wrapping_add(x[2 * i + 1]);
            x[2 * i + 1] = x[2 * i + 1].rotate_left(amounts[i]) ^ x[2 * i];
        }
        *x = [x[2], x[1], x[4], x[7], x[6], x[5], x[0], x[3]];
    }
}

const BLOCK: usize = 64;

/// Tweak fields: the block type in bits 120 to 125, first and last block in 126 and 127.
const MESSAGE: u64 = 48 << 56;
const OUTPUT: u64 = 63 << 56;
const FIRST: u64 = 1 << 62;
const LAST: u64 = 1 << 63;

/// C_240, the key schedule parity constant.
const PARITY: u64 = 0x1bd1_1bda_a9fc_1a22;

/// The rotation amounts of rounds 0 to 3 and 4 to 7.
const ROTATIONS: [[[u32; 4]; 4]; 2] = [
    [[46, 36, 19, 37], [33, 27, 14, 42], [17, 49, 36, 39], [44, 9, 54, 56]],
    [[39, 30, 34, 24], [13, 50, 10, 17], [25, 29, 39, 43], [8, 35, 56, 22]],
];

/// The chaining value after the configuration block for 512-bit output.
const INITIAL: [u64; 8] = [
    0x4903_adff_749c_51ce,
    0x0d95_de39_9746_df03,
    0x8fd1_9341_27c7_9bce,
    0x9a25_5629_ff35_2cb1,
    0x5db6_2599_df6c_a7b0,
    0xeabe_394c_a9d5_c3f4,
    0x9911_12c7_1a75_b523,
    0xae18_a40b_660f_cc33,
];
