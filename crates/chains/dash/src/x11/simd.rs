//! SIMD-512, the tweaked version of the SHA-3 second round.
//!
//! Leurent, Bouillaguet, Fouque: "SIMD is a Message Digest", second round.
//!
//! The message expansion is a number-theoretic transform over GF(257). Since 41^16 = 2 there, the 256 points are
//! split into 16 by 16: both halves are transforms of size 16 whose factors are powers of two, sixteen of
//! them side by side, with one multiplication per point in between.

use super::words::{bit_length, digest, le_u32};

/// Hashes `input` with SIMD-512.
pub(crate) fn hash(input: &[u8]) -> [u8; 64] {
    let mut state = INITIAL;
    let (blocks, tail) = input.as_chunks::<BLOCK>();
    for block in blocks {
        compress(&mut state, block, &OFFSETS);
    }
    if !tail.is_empty() {
        let mut block = [0; BLOCK];
        block[..tail.len()].copy_from_slice(tail);
        compress(&mut state, &block, &OFFSETS);
    }
    let mut length = [0; BLOCK];
    length[..8].copy_from_slice(&bit_length(input).to_le_bytes());
    compress(&mut state, &length, &LAST_OFFSETS);
    let [a, b, ..] = state;
    digest(a.into_iter().chain(b).map(u32::to_le_bytes))
}

/// Eight parallel lanes of a 32-bit word.
type Lanes = [u32; 8];

/// A 16 by 16 matrix over GF(257); numbers are kept small enough for 16 bits but are not fully reduced.
type Matrix = [[i16; 16]; 16];

fn compress(state: &mut [Lanes; 4], block: &[u8; BLOCK], offsets: &Matrix) {
    let words = expand(block, offsets);
    let previous = *state;
    for (lanes, bytes) in state.iter_mut().zip(block.as_chunks::<32>().0) {
        let message: Lanes = le_u32(bytes);
        *lanes = std::array::from_fn(|j| lanes[j] ^ message[j]);
    }
    round::<0>(state, &words);
    round::<1>(state, &words);
    round::<2>(state, &words);
    round::<3>(state, &words);
    step(state, &previous[0], choose, 4, 13, PERMUTATIONS[4]);
    step(state, &previous[1], choose, 13, 10, PERMUTATIONS[5]);
    step(state, &previous[2], choose, 10, 25, PERMUTATIONS[6]);
    step(state, &previous[3], choose, 25, 4, PERMUTATIONS[0]);
}

/// Eight steps of the Feistel ladder.
#[inline(always)]
fn round<const R: usize>(s: &mut [Lanes; 4], words: &[Lanes; 32]) {
    let [p, q, r, t] = SHIFTS[R];
    let order = ORDER[R];
    step(s, &words[order[0]], choose, p, q, PERMUTATIONS[R % 7]);
    step(s, &words[order[1]], choose, q, r, PERMUTATIONS[(R + 1) % 7]);
    step(s, &words[order[2]], choose, r, t, PERMUTATIONS[(R + 2) % 7]);
    step(s, &words[order[3]], choose, t, p, PERMUTATIONS[(R + 3) % 7]);
    step(s, &words[order[4]], majority, p, q, PERMUTATIONS[(R + 4) % 7]);
    step(s, &words[order[5]], majority, q, r, PERMUTATIONS[(R + 5) % 7]);
    step(s, &words[order[6]], majority, r, t, PERMUTATIONS[(R + 6) % 7]);
    step(s, &words[order[7]], majority, t, p, PERMUTATIONS[R % 7]);
}

#[inline(always)]
fn step(
    [a, b, c, d]: &mut [Lanes; 4],
    words: &Lanes,
    select: impl Fn(u32, u32, u32) -> u32,
    first: u32,
    second: u32,
    permutation: usize,
) {
    let mut rotated = *a;
    for word in &mut rotated {
        *word = word.rotate_left(first);
    }
    let mut sum = *d;
    for (sum, word) in sum.iter_mut().zip(words) {
        *sum = sum.wrapping_add(*word);
    }
    for (j, sum) in sum.iter_mut().enumerate() {
        *sum = sum.wrapping_add(select(a[j], b[j], c[j])).rotate_left(second);
    }
    let mut permuted = rotated;
    for j in 0..8 {
        permuted[j] = rotated[j ^ permutation];
    }
    for (sum, word) in sum.iter_mut().zip(permuted) {
        *sum = sum.wrapping_add(word);
    }
    (*a, *b, *c, *d) = (sum, rotated, *b, *c);
}

#[inline(always)]
fn choose(x: u32, y: u32, z: u32) -> u32 {
    ((y ^ z) & x) ^ z
}

#[inline(always)]
fn majority(x: u32, y: u32, z: u32) -> u32 {
    (x & y) | ((x | y) & z)
}

/// The message expansion: 32 groups of eight words, numbered as in the specification.
fn expand(block: &[u8; BLOCK], offsets: &Matrix) -> [Lanes; 32] {
    let y = points(block, offsets);
    let mut words = [[0; 8]; 32];
    let (adjacent, apart) = words.split_at_mut(16);
    for (group, row) in adjacent.iter_mut().zip(&y) {
        *group = pack(row, 185);
    }
    // The other half pairs points 128 apart: first the even ones, then the odd ones.
    let (even, odd) = apart.split_at_mut(8);
    for i in 0..8 {
        let low = pack(&y[i], 233);
        let high = pack(&y[i + 8], 233);
        for j in 0..8 {
            even[i][j] = (low[j] & 0xffff) | (high[j] << 16);
            odd[i][j] = (low[j] >> 16) | (high[j] & 0xffff_0000);
        }
    }
    words
}

/// Multiplies sixteen points and packs neighbours into words.
fn pack(row: &[i16; 16], factor: i16) -> Lanes {
    let mut scaled = *row;
    for point in &mut scaled {
        *point *= factor;
    }
    let word = |i: usize| u32::from(scaled[i].cast_unsigned());
    std::array::from_fn(|j| word(2 * j) | (word(2 * j + 1) << 16))
}

/// Transforms the block, adds the offsets and reduces every point to -128..=128.
fn points(block: &[u8; BLOCK], offsets: &Matrix) -> Matrix {
    let mut x = [[0; 16]; 16];
    for (point, byte) in x.as_flattened_mut().iter_mut().zip(block) {
        *point = i16::from(*byte);
    }
    transform(&mut x);
    // Over the flat matrix: nested loops get vectorized along the columns, which is far slower.
    for (point, factor) in x.as_flattened_mut().iter_mut().zip(TWIDDLES.as_flattened()) {
        *point = fold(center(fold(*point)) * factor);
    }
    let mut y = shuffle(&shuffle(&shuffle(&shuffle(&x))));
    transform(&mut y);
    for (point, offset) in y.as_flattened_mut().iter_mut().zip(offsets.as_flattened()) {
        *point = center(fold(fold(*point + offset)));
    }
    y
}

/// A quarter of a transposition: interleaves each row with the one eight rows on.
fn shuffle(x: &Matrix) -> Matrix {
    let mut y = [[0; 16]; 16];
    let (upper, lower) = x.split_at(8);
    for ([first, second], (upper, lower)) in y.as_chunks_mut::<2>().0.iter_mut().zip(upper.iter().zip(lower)) {
        for j in 0..8 {
            first[2 * j] = upper[j];
            first[2 * j + 1] = lower[j];
            second[2 * j] = upper[j + 8];
            second[2 * j + 1] = lower[j + 8];
        }
    }
    y
}

/// Sixteen transforms of size 16 with root 2, one per column. Points grow by a factor of 16 at most: the 319 that
/// [`fold`] may leave of a product becomes 5,104, far from overflow.
fn transform(x: &mut Matrix) {
    for (i, j) in [(1, 8), (2, 4), (3, 12), (5, 10), (7, 14), (11, 13)] {
        x.swap(i, j);
    }
    stage::<1>(x);
    stage::<2>(x);
    stage::<4>(x);
    stage::<8>(x);
}

/// Joins transforms of size `HALF` to transforms of twice that size.
#[inline(always)]
fn stage<const HALF: usize>(x: &mut Matrix) {
    for [upper, lower] in x.as_chunks_mut::<HALF>().0.as_chunks_mut::<2>().0 {
        for (k, (upper, lower)) in upper.iter_mut().zip(lower).enumerate() {
            let exponent = k * (8 / HALF);
            for (a, b) in upper.iter_mut().zip(lower) {
                let turned = if exponent == 0 { *b } else { fold(center(fold(*b)) << exponent) };
                (*a, *b) = (*a + turned, *a - turned);
            }
        }
    }
}

/// Brings a number nearer to 0..257, by 256 = -1.
#[inline(always)]
fn fold(x: i16) -> i16 {
    (x & 0xff) - (x >> 8)
}

/// Brings a number of -128..=385 into -128..=128.
#[inline(always)]
fn center(x: i16) -> i16 {
    if x > 128 { x - 257 } else { x }
}

const BLOCK: usize = 128;

/// Rotation amounts per round.
const SHIFTS: [[u32; 4]; 4] = [[3, 23, 17, 27], [28, 19, 22, 7], [29, 9, 15, 5], [4, 13, 10, 25]];

/// Lane permutations, as what to XOR the lane number with; they repeat every seven steps.
const PERMUTATIONS: [usize; 7] = [1, 6, 2, 3, 5, 7, 4];

/// Which group of the expanded message each step takes.
const ORDER: [[usize; 8]; 4] = [
    [4, 6, 0, 2, 7, 5, 3, 1],
    [15, 11, 12, 8, 9, 13, 10, 14],
    [17, 18, 23, 20, 22, 21, 16, 19],
    [30, 24, 25, 31, 27, 29, 28, 26],
];

/// `POWERS[i]` is 41^i modulo 257; 41 has order 256.
const POWERS: [i16; 256] = {
    let mut powers = [1; 256];
    let mut i = 1;
    while i < 256 {
        powers[i] = powers[i - 1] * 41 % 257;
        i += 1;
    }
    powers
};

/// 41^(row * column), from -128 to 128.
static TWIDDLES: Matrix = {
    let mut matrix = [[0; 16]; 16];
    let mut i = 0;
    while i < 256 {
        let power = POWERS[(i / 16) * (i % 16)];
        matrix[i / 16][i % 16] = if power > 128 { power - 257 } else { power };
        i += 1;
    }
    matrix
};

/// What is added to point `i`: 41^-i, which makes the code affine.
static OFFSETS: Matrix = {
    let mut matrix = [[0; 16]; 16];
    let mut i = 0;
    while i < 256 {
        matrix[i / 16][i % 16] = POWERS[(256 - i) % 256];
        i += 1;
    }
    matrix
};

/// What is added to point `i` of the length block: 41^-i + 41^-3i, so that it is never taken for a message.
static LAST_OFFSETS: Matrix = {
    let mut matrix = [[0; 16]; 16];
    let mut i = 0;
    while i < 256 {
        matrix[i / 16][i % 16] = POWERS[(256 - i) % 256] + POWERS[(3 * (256 - i)) % 256];
        i += 1;
    }
    matrix
};

/// The initial value for 512-bit digests.
const INITIAL: [Lanes; 4] = [
    [0x0ba1_6b95, 0x72f9_99ad, 0x9fec_c2ae, 0xba32_64fc, 0x5e89_4929, 0x8e9f_30e5, 0x2f1d_aa37, 0xf0f2_c558],
    [0xac50_6643, 0xa906_35a5, 0xe25b_878b, 0xaab7_878f, 0x8881_7f7a, 0x0a02_892b, 0x559a_7550, 0x598f_657e],
    [0x7eef_60a1, 0x6b70_e3e8, 0x9c17_14d1, 0xb958_e2a8, 0xab02_675e, 0xed1c_014f, 0xcd8d_65bb, 0xfdb7_a257],
    [0x0925_4899, 0xd699_c7bc, 0x9019_b6dc, 0x2b90_22e4, 0x8fa1_4956, 0x21bf_9bd3, 0xb94d_0943, 0x6ffd_dc22],
];
