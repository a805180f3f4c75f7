//! Luffa-512 v2, the SHA-3 second round version.
//!
//! De Cannière, Sato, Watanabe: "Hash Function Luffa", specification version 2.0.

use super::words::{be_u32, digest, padded};

/// Hashes `input` with Luffa-512.
pub(crate) fn hash(input: &[u8]) -> [u8; 64] {
    let mut chains = INITIAL;
    let (blocks, tail) = input.as_chunks::<BLOCK>();
    for block in blocks {
        absorb(&mut chains, block);
    }
    absorb(&mut chains, &padded(tail));

    absorb(&mut chains, &[0; BLOCK]);
    let first = sum(&chains);
    absorb(&mut chains, &[0; BLOCK]);
    let second = sum(&chains);
    digest(first.into_iter().chain(second).map(u32::to_be_bytes))
}

/// One 256-bit chaining value.
type Chain = [u32; 8];

fn absorb(chains: &mut [Chain; 5], block: &[u8; BLOCK]) {
    inject(chains, be_u32(block));
    for (j, chain) in (0..5).zip(chains.iter_mut()) {
        for word in &mut chain[4..] {
            *word = word.rotate_left(j);
        }
    }
    let [a, b, c, d, e] = *chains;
    let four: [[u32; 4]; 8] = std::array::from_fn(|i| [a[i], b[i], c[i], d[i]]);
    let four = permute(four, &CONSTANTS_0_TO_3);
    let one = permute(e.map(|word| [word]), &CONSTANTS_4);
    for (j, chain) in chains.iter_mut().enumerate().take(4) {
        *chain = four.map(|words| words[j]);
    }
    chains[4] = one.map(|[word]| word);
}

/// The message injection function MI for five chains.
#[inline(always)]
fn inject(chains: &mut [Chain; 5], mut message: Chain) {
    let all = double(sum(chains));
    let v = chains.map(|chain| xor(chain, all));
    let u: [Chain; 5] = std::array::from_fn(|j| xor(double(v[j]), v[(j + 1) % 5]));
    for j in 0..5 {
        chains[j] = xor(xor(double(u[j]), u[(j + 4) % 5]), message);
        message = double(message);
    }
}

/// The eight steps of permutation Q on `N` chains side by side.
#[inline(always)]
fn permute<const N: usize>(mut a: [[u32; N]; 8], constants: &[[[u32; N]; 2]; 8]) -> [[u32; N]; 8] {
    for constant in constants {
        for n in 0..N {
            let [x0, x1, x2, x3] = sub_crumb(a[0][n], a[1][n], a[2][n], a[3][n]);
            let [x5, x6, x7, x4] = sub_crumb(a[5][n], a[6][n], a[7][n], a[4][n]);
            let [x0, x4] = mix_word(x0, x4);
            let [x1, x5] = mix_word(x1, x5);
            let [x2, x6] = mix_word(x2, x6);
            let [x3, x7] = mix_word(x3, x7);
            let words = [x0 ^ constant[0][n], x1, x2, x3, x4 ^ constant[1][n], x5, x6, x7];
            for i in 0..8 {
                a[i][n] = words[i];
            }
        }
    }
    a
}

/// The 4-bit S-box on 32 crumbs at once.
#[inline(always)]
fn sub_crumb(mut a: u32, mut b: u32, mut c: u32, mut d: u32) -> [u32; 4] {
    let mut first = a;
    a |= b;
    c ^= d;
    b = !b;
    a ^= d;
    d &= first;
    b ^= d;
    d ^= c;
    c &= a;
    a = !a;
    c ^= b;
    b |= d;
    first ^= b;
    d ^= c;
    c &= b;
    b ^= a;
    [first, b, c, d]
}

#[inline(always)]
fn mix_word(mut u: u32, mut v: u32) -> [u32; 2] {
    v ^= u;
    u = u.rotate_left(2) ^ v;
    v = v.rotate_left(14) ^ u;
    u = u.rotate_left(10) ^ v;
    [u, v.rotate_left(1)]
}

/// Multiplies by x in GF(2^8)^32 modulo x^8 + x^4 + x^3 + x + 1.
#[inline(always)]
fn double([a, b, c, d, e, f, g, h]: Chain) -> Chain {
    [h, a ^ h, b, c ^ h, d ^ h, e, f, g]
}

#[inline(always)]
fn sum(chains: &[Chain; 5]) -> Chain {
    chains.iter().fold([0; 8], |all, chain| xor(all, *chain))
}

#[inline(always)]
fn xor(a: Chain, b: Chain) -> Chain {
    std::array::from_fn(|i| a[i] ^ b[i])
}

const BLOCK: usize = 32;

/// The initial values V_0 to V_4.
const INITIAL: [Chain; 5] = [
    [0x6d25_1e69, 0x44b0_51e0, 0x4eaa_6fb4, 0xdbf7_8465, 0x6e29_2011, 0x9015_2df4, 0xee05_8139, 0xdef6_10bb],
    [0xc3b4_4b95, 0xd9d2_f256, 0x70ee_e9a0, 0xde09_9fa3, 0x5d9b_0557, 0x8fc9_44b3, 0xcf1c_cf0e, 0x746c_d581],
    [0xf7ef_c89d, 0x5dba_5781, 0x0401_6ce5, 0xad65_9c05, 0x0306_194f, 0x666d_1836, 0x24aa_230a, 0x8b26_4ae7],
    [0x8580_75d5, 0x36d7_9cce, 0xe571_f7d7, 0x204b_1f67, 0x3587_0c6a, 0x57e9_e923, 0x14bc_b808, 0x7cde_72ce],
    [0x6c68_e9be, 0x5ec4_1e22, 0xc825_b7c7, 0xaffb_4363, 0xf5df_3999, 0x0fc6_88f1, 0xb072_24cc, 0x03e8_6cea],
];

/// The step constants of chains 0 to 3 for words 0 and 4, side by side.
const CONSTANTS_0_TO_3: [[[u32; 4]; 2]; 8] = [
    [[0x3039_94a6, 0xb6de_10ed, 0xfc20_d9d2, 0xb213_afa5], [0xe033_7818, 0x0168_5f3d, 0xe25e_72c1, 0xe028_c9bf]],
    [[0xc0e6_5299, 0x70f4_7aae, 0x3455_2e25, 0xc84e_be95], [0x441b_a90d, 0x05a1_7cf4, 0xe623_bb72, 0x4475_6f91]],
    [[0x6cc3_3a12, 0x0707_a3d4, 0x7ad8_818f, 0x4e60_8a22], [0x7f34_d442, 0xbd09_caca, 0x5c58_a4a4, 0x7e8f_ce32]],
    [[0xdc56_983e, 0x1c1e_8f51, 0x8438_764a, 0x56d8_58fe], [0x9389_217f, 0xf427_2b28, 0x1e38_e2e7, 0x9565_48be]],
    [[0x1e00_108f, 0x707a_3d45, 0xbb6d_e032, 0x343b_138f], [0xe5a8_bce6, 0x144a_e5cc, 0x78e3_8b9d, 0xfe19_1be2]],
    [[0x7800_423d, 0xaeb2_8562, 0xedb7_80c8, 0xd0ec_4e3d], [0x5274_baf4, 0xfaa7_ae2b, 0x2758_6719, 0x3cb2_26e5]],
    [[0x8f5b_7882, 0xbaca_1589, 0xd984_7356, 0x2ceb_4882], [0x2688_9ba7, 0x2e48_f1c1, 0x36ed_a57f, 0x5944_a28e]],
    [[0x96e1_db12, 0x40a4_6f3e, 0xa2c7_8434, 0xb3ad_2208], [0x9a22_6e9d, 0xb923_c704, 0x703a_ace7, 0xa1c4_c355]],
];

/// The step constants of chain 4 for words 0 and 4.
const CONSTANTS_4: [[[u32; 1]; 2]; 8] = [
    [[0xf0d2_e9e3], [0x5090_d577]],
    [[0xac11_d7fa], [0x2d19_25ab]],
    [[0x1bcb_66f2], [0xb464_96ac]],
    [[0x6f2d_9bc9], [0xd192_5ab0]],
    [[0x7860_2649], [0x2913_1ab6]],
    [[0x8eda_e952], [0x0fc0_53c3]],
    [[0x3b6b_a548], [0x3f01_4f0c]],
    [[0xedae_9520], [0xfc05_3c31]],
];
