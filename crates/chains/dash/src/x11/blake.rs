//! BLAKE-512, the 16-round version of the SHA-3 final round.
//!
//! Aumasson, Henzen, Meier, Phan: "SHA-3 proposal BLAKE".

use super::words::{be_u64, bit_length, digest, padded};

/// Hashes `input` with BLAKE-512, without a salt.
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
    last[LENGTH_AT - 1] |= 1;
    last[LENGTH_AT + 8..].copy_from_slice(&bits.to_be_bytes());
    compress(&mut state, &last, counter);
    digest(state.map(u64::to_be_bytes))
}

fn compress(state: &mut [u64; 8], block: &[u8; BLOCK], counter: u64) {
    let m: [u64; 16] = be_u64(block);
    let [h0, h1, h2, h3, h4, h5, h6, h7] = *state;
    let [c0, c1, c2, c3, c4, c5, c6, c7, ..] = PI;
    // The upper half of the 128-bit counter is always zero here, the salt too.
    let mut v = [h0, h1, h2, h3, h4, h5, h6, h7, c0, c1, c2, c3, counter ^ c4, counter ^ c5, c6, c7];
    round::<0>(&mut v, &m);
    round::<1>(&mut v, &m);
    round::<2>(&mut v, &m);
    round::<3>(&mut v, &m);
    round::<4>(&mut v, &m);
    round::<5>(&mut v, &m);
    round::<6>(&mut v, &m);
    round::<7>(&mut v, &m);
    round::<8>(&mut v, &m);
    round::<9>(&mut v, &m);
    round::<0>(&mut v, &m);
    round::<1>(&mut v, &m);
    round::<2>(&mut v, &m);
    round::<3>(&mut v, &m);
    round::<4>(&mut v, &m);
    round::<5>(&mut v, &m);
    for i in 0..8 {
        state[i] ^= v[i] ^ v[i + 8];
    }
}

#[inline(always)]
fn round<const R: usize>(v: &mut [u64; 16], m: &[u64; 16]) {
    mix(v, m, [0, 4, 8, 12], SIGMA[R][0], SIGMA[R][1]);
    mix(v, m, [1, 5, 9, 13], SIGMA[R][2], SIGMA[R][3]);
    mix(v, m, [2, 6, 10, 14], SIGMA[R][4], SIGMA[R][5]);
    mix(v, m, [3, 7, 11, 15], SIGMA[R][6], SIGMA[R][7]);
    mix(v, m, [0, 5, 10, 15], SIGMA[R][8], SIGMA[R][9]);
    mix(v, m, [1, 6, 11, 12], SIGMA[R][10], SIGMA[R][11]);
    mix(v, m, [2, 7, 8, 13], SIGMA[R][12], SIGMA[R][13]);
    mix(v, m, [3, 4, 9, 14], SIGMA[R][14], SIGMA[R][15]);
}

/// The G function on the four words of `v` at the given positions.
#[inline(always)]
fn mix(v: &mut [u64; 16], m: &[u64; 16], [a, b, c, d]: [usize; 4], first: usize, second: usize) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(m[first] ^ PI[second]);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(25);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(m[second] ^ PI[first]);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(11);
}

const BLOCK: usize = 128;

/// Where the 128-bit message length starts in the last block; the byte before it ends the padding.
const LENGTH_AT: usize = 112;

/// The initial value of SHA-512 (FIPS 180-4, section 5.3.5), which BLAKE-512 adopts.
const INITIAL: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The leading digits of the fraction of pi.
const PI: [u64; 16] = [
    0x243f_6a88_85a3_08d3,
    0x1319_8a2e_0370_7344,
    0xa409_3822_299f_31d0,
    0x082e_fa98_ec4e_6c89,
    0x4528_21e6_38d0_1377,
    0xbe54_66cf_34e9_0c6c,
    0xc0ac_29b7_c97c_50dd,
    0x3f84_d5b5_b547_0917,
    0x9216_d5d9_8979_fb1b,
    0xd131_0ba6_98df_b5ac,
    0x2ffd_72db_d01a_dfb7,
    0xb8e1_afed_6a26_7e96,
    0xba7c_9045_f12c_7f99,
    0x24a1_9947_b391_6cf7,
    0x0801_f2e2_858e_fc16,
    0x6369_20d8_7157_4e69,
];

/// The message word permutations; rounds 10 to 15 start over.
const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
