//! CubeHash16/32-512, the SHA-3 second round version: 16 rounds per 32-byte block.
//!
//! Bernstein: "CubeHash specification (2.B.1)".

use super::words::{digest, le_u32, padded};

/// Hashes `input` with CubeHash16/32-512.
pub(crate) fn hash(input: &[u8]) -> [u8; 64] {
    let mut state = INITIAL;
    let (blocks, tail) = input.as_chunks::<BLOCK>();
    for block in blocks {
        absorb(&mut state, block);
    }
    absorb(&mut state, &padded(tail));
    state.high[3][3] ^= 1;
    rounds(&mut state, 10 * ROUNDS);
    digest(state.low.into_iter().flatten().map(u32::to_le_bytes))
}

/// The 32 words: those whose index starts with bit 0 (`low`) and bit 1 (`high`), by the next two index bits.
struct State {
    low: [[u32; 4]; 4],
    high: [[u32; 4]; 4],
}

fn absorb(state: &mut State, block: &[u8; BLOCK]) {
    let words: [u32; 8] = le_u32(block);
    for (word, to) in words.into_iter().zip(state.low.as_flattened_mut()) {
        *to ^= word;
    }
    rounds(state, ROUNDS);
}

fn rounds(state: &mut State, count: usize) {
    for _ in 0..count {
        half_round::<7>(state);
        let [a, b, c, d] = state.low;
        state.low = xor([c, d, a, b], state.high);
        state.high = state.high.map(|[a, b, c, d]| [c, d, a, b]);
        half_round::<11>(state);
        let [a, b, c, d] = state.low;
        state.low = xor([b, a, d, c], state.high);
        state.high = state.high.map(|[a, b, c, d]| [b, a, d, c]);
    }
}

/// Adds the low words into the high ones, then rotates the low ones.
#[inline(always)]
fn half_round<const ROTATION: u32>(state: &mut State) {
    for (high, low) in state.high.iter_mut().zip(&mut state.low) {
        for i in 0..4 {
            high[i] = high[i].wrapping_add(low[i]);
            low[i] = low[i].rotate_left(ROTATION);
        }
    }
}

#[inline(always)]
fn xor(a: [[u32; 4]; 4], b: [[u32; 4]; 4]) -> [[u32; 4]; 4] {
    std::array::from_fn(|j| std::array::from_fn(|i| a[j][i] ^ b[j][i]))
}

const BLOCK: usize = 32;
const ROUNDS: usize = 16;

/// The state after 160 rounds on (64, 32, 16, 0, ...): digest bytes, block bytes, rounds per block.
const INITIAL: State = State {
    low: [
        [0x2aea_2a61, 0x50f4_94d4, 0x2d53_8b8b, 0x4167_d83e],
        [0x3fee_2313, 0xc701_cf8c, 0xcc39_968e, 0x50ac_5695],
        [0x4d42_c787, 0xa647_a8b3, 0x97cf_0bef, 0x825b_4537],
        [0xeef8_64d2, 0xf220_90c4, 0xd0e5_cd33, 0xa239_11ae],
    ],
    high: [
        [0xfcd3_98d9, 0x148f_e485, 0x1b01_7bef, 0xb644_4532],
        [0x6a53_6159, 0x2ff5_781c, 0x91fa_7934, 0x0dba_dea9],
        [0xd65c_8a2b, 0xa5a7_0e75, 0xb1c6_2456, 0xbc79_6576],
        [0x1921_c8f7, 0xe798_9af1, 0x7795_d246, 0xd43e_3b44],
    ],
};
