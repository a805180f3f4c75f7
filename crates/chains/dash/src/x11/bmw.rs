//! BMW-512 (Blue Midnight Wish), the tweaked version of the SHA-3 second round.
//!
//! Gligoroski et al.: "Cryptographic Hash Function Blue Midnight Wish", second round.

use std::num::Wrapping;

use super::words::{bit_length, digest, le_u64, padded};

/// Hashes `input` with BMW-512.
pub(crate) fn hash(input: &[u8]) -> [u8; 64] {
    let mut state = INITIAL;
    let (blocks, tail) = input.as_chunks::<BLOCK>();
    for block in blocks {
        state = compress(&state, &words(block));
    }
    let mut last = padded::<BLOCK>(tail);
    if tail.len() >= LENGTH_AT {
        state = compress(&state, &words(&last));
        last = [0; BLOCK];
    }
    last[LENGTH_AT..].copy_from_slice(&bit_length(input).to_le_bytes());
    state = compress(&state, &words(&last));

    let state = compress(&FINAL, &state);
    digest(state.into_iter().skip(8).map(|word| word.0.to_le_bytes()))
}

type Word = Wrapping<u64>;

fn words(block: &[u8; BLOCK]) -> [Word; 16] {
    le_u64(block).map(Wrapping)
}

/// Mixes message `m` into chaining value `h` (functions f0, f1 and f2).
fn compress(h: &[Word; 16], m: &[Word; 16]) -> [Word; 16] {
    let mut q = [Wrapping(0); 32];
    spread(&mut q, h, m);
    for i in 16..32 {
        q[i] = if i < 18 { expand_thoroughly(&q, i) } else { expand(&q, i) } + element(h, m, i - 16);
    }
    fold(&q, m)
}

/// Function f0: the first half of the quadrupled pipe.
#[inline(always)]
fn spread(q: &mut [Word; 32], h: &[Word; 16], m: &[Word; 16]) {
    let x: [Word; 16] = std::array::from_fn(|i| m[i] ^ h[i]);
    let w = [
        x[5] - x[7] + x[10] + x[13] + x[14],
        x[6] - x[8] + x[11] + x[14] - x[15],
        x[0] + x[7] + x[9] - x[12] + x[15],
        x[0] - x[1] + x[8] - x[10] + x[13],
        x[1] + x[2] + x[9] - x[11] - x[14],
        x[3] - x[2] + x[10] - x[12] + x[15],
        x[4] - x[0] - x[3] - x[11] + x[13],
        x[1] - x[4] - x[5] - x[12] - x[14],
        x[2] - x[5] - x[6] + x[13] - x[15],
        x[0] - x[3] + x[6] - x[7] + x[14],
        x[8] - x[1] - x[4] - x[7] + x[15],
        x[8] - x[0] - x[2] - x[5] + x[9],
        x[1] + x[3] - x[6] - x[9] + x[10],
        x[2] + x[4] + x[7] + x[10] + x[11],
        x[3] - x[5] + x[8] - x[11] - x[12],
        x[12] - x[4] - x[6] - x[9] + x[13],
    ];
    for i in 0..16 {
        q[i] = match i % 5 {
            0 => s0(w[i]),
            1 => s1(w[i]),
            2 => s2(w[i]),
            3 => s3(w[i]),
            _ => s4(w[i]),
        } + h[(i + 1) % 16];
    }
}

/// The first expansion of function f1: every earlier word goes through an s function.
#[inline(always)]
fn expand_thoroughly(q: &[Word; 32], i: usize) -> Word {
    let mut sum = Wrapping(0);
    for j in (i - 16..i).step_by(4) {
        sum += s1(q[j]) + s2(q[j + 1]) + s3(q[j + 2]) + s0(q[j + 3]);
    }
    sum
}

/// The second expansion of function f1: every other earlier word is only rotated.
#[inline(always)]
fn expand(q: &[Word; 32], i: usize) -> Word {
    let j = i - 16;
    q[j] + q[j + 2]
        + q[j + 4]
        + q[j + 6]
        + q[j + 8]
        + q[j + 10]
        + q[j + 12]
        + rotate(q[j + 1], 5)
        + rotate(q[j + 3], 11)
        + rotate(q[j + 5], 27)
        + rotate(q[j + 7], 32)
        + rotate(q[j + 9], 37)
        + rotate(q[j + 11], 43)
        + rotate(q[j + 13], 53)
        + s4(q[j + 14])
        + s5(q[j + 15])
}

/// AddElement: the message and chaining words that enter expansion step `j`.
#[inline(always)]
fn element(h: &[Word; 16], m: &[Word; 16], j: usize) -> Word {
    let message = |offset: usize| {
        let at = (j + offset) % 16;
        rotate(m[at], ROTATIONS[at])
    };
    (message(0) + message(3) - message(10) + CONSTANTS[j]) ^ h[(j + 7) % 16]
}

/// Function f2: folds the quadrupled pipe into the next chaining value.
#[inline(always)]
fn fold(q: &[Word; 32], m: &[Word; 16]) -> [Word; 16] {
    let low = q[16] ^ q[17] ^ q[18] ^ q[19] ^ q[20] ^ q[21] ^ q[22] ^ q[23];
    let high = low ^ q[24] ^ q[25] ^ q[26] ^ q[27] ^ q[28] ^ q[29] ^ q[30] ^ q[31];
    let mut h = [
        (high << 5) ^ (q[16] >> 5),
        (high >> 7) ^ (q[17] << 8),
        (high >> 5) ^ (q[18] << 5),
        (high >> 1) ^ (q[19] << 5),
        (high >> 3) ^ q[20],
        (high << 6) ^ (q[21] >> 6),
        (high >> 4) ^ (q[22] << 6),
        (high >> 11) ^ (q[23] << 2),
        (low << 8) ^ q[23],
        (low >> 6) ^ q[16],
        (low << 6) ^ q[17],
        (low << 4) ^ q[18],
        (low >> 3) ^ q[19],
        (low >> 4) ^ q[20],
        (low >> 7) ^ q[21],
        (low >> 2) ^ q[22],
    ];
    for i in 0..8 {
        h[i] = (h[i] ^ m[i]) + (low ^ q[24 + i] ^ q[i]);
    }
    for (i, amount) in (8..16).zip(9..) {
        h[i] = rotate(h[(i + 4) % 8], amount) + (high ^ q[16 + i] ^ m[i]) + (h[i] ^ q[i]);
    }
    h
}

#[inline(always)]
fn rotate(x: Word, by: u32) -> Word {
    Wrapping(x.0.rotate_left(by))
}

#[inline(always)]
fn s0(x: Word) -> Word {
    (x >> 1) ^ (x << 3) ^ rotate(x, 4) ^ rotate(x, 37)
}

#[inline(always)]
fn s1(x: Word) -> Word {
    (x >> 1) ^ (x << 2) ^ rotate(x, 13) ^ rotate(x, 43)
}

#[inline(always)]
fn s2(x: Word) -> Word {
    (x >> 2) ^ (x << 1) ^ rotate(x, 19) ^ rotate(x, 53)
}

#[inline(always)]
fn s3(x: Word) -> Word {
    (x >> 2) ^ (x << 2) ^ rotate(x, 28) ^ rotate(x, 59)
}

#[inline(always)]
fn s4(x: Word) -> Word {
    (x >> 1) ^ x
}

#[inline(always)]
fn s5(x: Word) -> Word {
    (x >> 2) ^ x
}

const BLOCK: usize = 128;

/// Where the 64-bit message length starts in the last block.
const LENGTH_AT: usize = 120;

/// Message word `i` is rotated by `i + 1`.
const ROTATIONS: [u32; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// The bytes 0x80 to 0xff in order.
const INITIAL: [Word; 16] = ascending(0x8081_8283_8485_8687, 0x0808_0808_0808_0808);

/// The chaining value of the closing compression: 0xaa in every byte but for the index in the last nibble.
const FINAL: [Word; 16] = ascending(0xaaaa_aaaa_aaaa_aaa0, 1);

/// K_j = j * 0x0555555555555555 for j from 16 on.
const CONSTANTS: [Word; 16] = ascending(0x5555_5555_5555_5550, 0x0555_5555_5555_5555);

const fn ascending(first: u64, step: u64) -> [Word; 16] {
    let mut words = [Wrapping(first); 16];
    let mut i = 1;
    while i < 16 {
        words[i] = Wrapping(words[i - 1].0.wrapping_add(step));
        i += 1;
    }
    words
}
