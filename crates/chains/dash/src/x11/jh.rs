//! JH-512, the 42-round version of the SHA-3 final round, bit-sliced over 64-bit words.
//!
//! Wu: "The Hash Function JH" (16 January 2011).

use super::words::{bit_length, digest, le_u64, padded};

/// Hashes `input` with JH-512.
pub(crate) fn hash(input: &[u8]) -> [u8; 64] {
    let mut state = INITIAL;
    let (blocks, tail) = input.as_chunks::<BLOCK>();
    for block in blocks {
        compress(&mut state, block);
    }
    // The length always stands in a block that has no message bytes.
    let mut last = padded::<BLOCK>(tail);
    if !tail.is_empty() {
        compress(&mut state, &last);
        last = [0; BLOCK];
    }
    last[BLOCK - 8..].copy_from_slice(&bit_length(input).to_be_bytes());
    compress(&mut state, &last);
    digest(state.into_iter().skip(4).flatten().map(u64::to_le_bytes))
}

/// One bit of each of 128 four-bit elements.
type Row = [u64; 2];

fn compress(state: &mut [Row; 8], block: &[u8; BLOCK]) {
    let message: [Row; 4] = {
        let [a, b, c, d, e, f, g, h] = le_u64(block);
        [[a, b], [c, d], [e, f], [g, h]]
    };
    for i in 0..4 {
        state[i] = xor(state[i], message[i]);
    }
    // The seven bit permutations repeat every seven rounds.
    for constants in ROUND_CONSTANTS.as_chunks::<7>().0 {
        round(state, &constants[0], |row| swap::<1>(row, 0x5555_5555_5555_5555));
        round(state, &constants[1], |row| swap::<2>(row, 0x3333_3333_3333_3333));
        round(state, &constants[2], |row| swap::<4>(row, 0x0f0f_0f0f_0f0f_0f0f));
        round(state, &constants[3], |row| swap::<8>(row, 0x00ff_00ff_00ff_00ff));
        round(state, &constants[4], |row| swap::<16>(row, 0x0000_ffff_0000_ffff));
        round(state, &constants[5], |row| swap::<32>(row, 0x0000_0000_ffff_ffff));
        round(state, &constants[6], |[a, b]| [b, a]);
    }
    for i in 0..4 {
        state[i + 4] = xor(state[i + 4], message[i]);
    }
}

/// S-boxes on the even and odd rows, the linear transform between them, the bit permutation of the odd rows.
#[inline(always)]
fn round(state: &mut [Row; 8], constants: &[Row; 2], permute: impl Fn(Row) -> Row) {
    let [h0, h1, h2, h3, h4, h5, h6, h7] = *state;
    let mut even = [h0, h2, h4, h6];
    let mut odd = [h1, h3, h5, h7];
    substitute(&mut even, constants[0]);
    substitute(&mut odd, constants[1]);
    transform(&mut even, &mut odd);
    let odd = odd.map(permute);
    *state = [even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3]];
}

/// Both S-boxes at once: the round constant bit selects which one an element goes through.
#[inline(always)]
fn substitute(x: &mut [Row; 4], constant: Row) {
    for lane in 0..2 {
        let [mut a, mut b, mut c, mut d] = x.map(|row| row[lane]);
        let constant = constant[lane];
        d = !d;
        a ^= constant & !c;
        let kept = constant ^ (a & b);
        a ^= c & d;
        d ^= !b & c;
        b ^= a & c;
        c ^= a & !d;
        a ^= b | d;
        d ^= b & c;
        b ^= kept & a;
        c ^= kept;
        for (row, value) in x.iter_mut().zip([a, b, c, d]) {
            row[lane] = value;
        }
    }
}

/// The (4, 2, 3) maximum distance separable code over GF(2^4).
#[inline(always)]
fn transform([a, b, c, d]: &mut [Row; 4], [e, f, g, h]: &mut [Row; 4]) {
    *e = xor(*e, *b);
    *f = xor(*f, *c);
    *g = xor(*g, xor(*d, *a));
    *h = xor(*h, *a);
    *a = xor(*a, *f);
    *b = xor(*b, *g);
    *c = xor(*c, xor(*h, *e));
    *d = xor(*d, *e);
}

/// Exchanges neighbouring groups of `N` bits; `mask` selects the lower group of each pair.
#[inline(always)]
fn swap<const N: u32>(row: Row, mask: u64) -> Row {
    row.map(|x| ((x & mask) << N) | ((x >> N) & mask))
}

#[inline(always)]
fn xor(a: Row, b: Row) -> Row {
    [a[0] ^ b[0], a[1] ^ b[1]]
}

const BLOCK: usize = 64;

/// The chaining value after compressing a zero block from the digest length, as the
/// specification prints it.
const INITIAL: [Row; 8] = [
    row(0x6fd14b96_3e00aa17_636a2e05_7a15d543),
    row(0x8a225e8d_0c97ef0b_e9341259_f2b3c361),
    row(0x891da0c1_536f801e_2aa9056b_ea2b6d80),
    row(0x588eccdb_2075baa6_a90f3a76_baf83bf7),
    row(0x0169e605_41e34a69_46b58a8e_2e6fe65a),
    row(0x1047a7d0_c1843c24_3b6e71b1_2d5ac199),
    row(0xcf57f6ec_9db1f856_a706887c_5716b156),
    row(0xe3c2fcdf_e68517fb_545a4678_cc8cdd4b),
];

/// The round constants in bit-sliced order, as the specification prints them: for the even rows,
/// then for the odd rows of each round.
const ROUND_CONSTANTS: [[Row; 2]; 42] = [
    [row(0x72d5dea2_df15f867_7b84150a_b7231557), row(0x81abd690_4d5a87f6_4e9f4fc5_c3d12b40)],
    [row(0xea983ae0_5c45fa9c_03c5d299_66b2999a), row(0x660296b4_f2bb538a_b556141a_88dba231)],
    [row(0x03a35a5c_9a190edb_403fb20a_87c14410), row(0x1c051980_849e951d_6f33ebad_5ee7cddc)],
    [row(0x10ba1392_02bf6b41_dc786515_f7bb27d0), row(0x0a2c8139_37aa7850_3f1abfd2_410091d3)],
    [row(0x422d5a0d_f6cc7e90_dd629f9c_92c097ce), row(0x185ca70b_c72b44ac_d1df65d6_63c6fc23)],
    [row(0x976e6c03_9ee0b81a_2105457e_446ceca8), row(0xeef103bb_5d8e61fa_fd9697b2_94838197)],
    [row(0x4a8e8537_db03302f_2a678d2d_fb9f6a95), row(0x8afe7381_f8b8696c_8ac77246_c07f4214)],
    [row(0xc5f4158f_bdc75ec4_75446fa7_8f11bb80), row(0x52de75b7_aee488bc_82b8001e_98a6a3f4)],
    [row(0x8ef48f33_a9a36315_aa5f5624_d5b7f989), row(0xb6f1ed20_7c5ae0fd_36cae95a_06422c36)],
    [row(0xce293543_4efe983d_533af974_739a4ba7), row(0xd0f51f59_6f4e8186_0e9dad81_afd85a9f)],
    [row(0xa7050667_ee34626a_8b0b28be_6eb91727), row(0x47740726_c680103f_e0a07e6f_c67e487b)],
    [row(0x0d550aa5_4af8a4c0_91e3e79f_978ef19e), row(0x86767281_50608dd4_7e9e5a41_f3e5b062)],
    [row(0xfc9f1fec_4054207a_e3e41a00_cef4c984), row(0x4fd794f5_9dfa95d8_552e7e11_24c354a5)],
    [row(0x5bdf7228_bdfe6e28_78f57fe2_0fa5c4b2), row(0x05897cef_ee49d32e_447e9385_eb28597f)],
    [row(0x705f6937_b324314a_5e8628f1_1dd6e465), row(0xc71b7704_51b920e7_74fe43e8_23d4878a)],
    [row(0x7d29e8a3_927694f2_ddcb7a09_9b30d9c1), row(0x1d1b30fb_5bdc1be0_da24494f_f29c82bf)],
    [row(0xa4e7ba31_b470bfff_0d324405_def8bc48), row(0x3baefc32_53bbd339_459fc3c1_e0298ba0)],
    [row(0xe5c905fd_f7ae090f_94703412_4290f134), row(0xa271b701_e344ed95_e93b8e36_4f2f984a)],
    [row(0x88401d63_a06cf615_47c1444b_8752afff), row(0x7ebb4af1_e20ac630_4670b6c5_cc6e8ce6)],
    [row(0xa4d5a456_bd4fca00_da9d844b_c83e18ae), row(0x7357ce45_3064d1ad_e8a6ce68_145c2567)],
    [row(0xa3da8cf2_cb0ee116_33e90658_9a94999a), row(0x1f60b220_c26f847b_d1ceac7f_a0d18518)],
    [row(0x32595ba1_8ddd19d3_509a1cc0_aaa5b446), row(0x9f3d6367_e4046bba_f6ca19ab_0b56ee7e)],
    [row(0x1fb179ea_a9282174_e9bdf735_3b3651ee), row(0x1d57ac5a_7550d376_3a46c2fe_a37d7001)],
    [row(0xf735c1af_98a4d842_78edec20_9e6b6779), row(0x41836315_ea3adba8_fac33b4d_32832c83)],
    [row(0xa7403b1f_1c2747f3_5940f034_b72d769a), row(0xe73e4e6c_d2214ffd_b8fd8d39_dc5759ef)],
    [row(0x8d9b0c49_2b49ebda_5ba2d749_68f3700d), row(0x7d3baed0_7a8d5584_f5a5e9f0_e4f88e65)],
    [row(0xa0b8a2f4_36103b53_0ca8079e_753eec5a), row(0x91689492_56e8884f_5bb05c55_f8babc4c)],
    [row(0xe3bb3b99_f387947b_75daf4d6_726b1c5d), row(0x64aeac28_dc34b36d_6c34a550_b828db71)],
    [row(0xf861e2f2_108d512a_e3db6433_59dd75fc), row(0x1cacbcf1_43ce3fa2_67bbd13c_02e843b0)],
    [row(0x330a5bca_8829a175_7f34194d_b416535c), row(0x923b94c3_0e794d1e_797475d7_b6eeaf3f)],
    [row(0xeaa8d4f7_be1a3921_5cf47e09_4c232751), row(0x26a32453_ba323cd2_44a3174a_6da6d5ad)],
    [row(0xb51d3ea6_aff2c908_83593d98_916b3c56), row(0x4cf87ca1_7286604d_46e23ecc_086ec7f6)],
    [row(0x2f9833b3_b1bc765e_2bd666a5_efc4e62a), row(0x06f4b6e8_bec1d436_74ee8215_bcef2163)],
    [row(0xfdc14e0d_f453c969_a77d5ac4_06585826), row(0x7ec11416_06e0fa16_7e90af3d_28639d3f)],
    [row(0xd2c9f2e3_009bd20c_5faace30_b7d40c30), row(0x742a5116_f2e03298_0deb30d8_e3cef89a)],
    [row(0x4bc59e7b_b5f17992_ff51e66e_048668d3), row(0x9b234d57_e6966731_cce6a6f3_170a7505)],
    [row(0xb17681d9_13326cce_3c175284_f805a262), row(0xf42bcbb3_78471547_ff465482_23936a48)],
    [row(0x38df5807_4e5e6565_f2fc7c89_fc86508e), row(0x31702e44_d00bca86_f04009a2_3078474e)],
    [row(0x65a0ee39_d1f73883_f75ee937_e42c3abd), row(0x2197b226_0113f86f_a344edd1_ef9fdee7)],
    [row(0x8ba0df15_762592d9_3c85f7f6_12dc42be), row(0xd8a7ec7c_ab27b07e_538d7dda_aa3ea8de)],
    [row(0xaa25ce93_bd0269d8_5af643fd_1a7308f9), row(0xc05fefda_174a19a5_974d6633_4cfd216a)],
    [row(0x35b49831_db411570_ea1e0fbb_edcd549b), row(0x9ad063a1_51974072_f6759dbf_91476fe2)],
];

/// Loads 16 printed bytes the way [`le_u64`] loads message bytes.
const fn row(printed: u128) -> Row {
    let [a, b, c, d, e, f, g, h, rest @ ..] = printed.to_be_bytes();
    [u64::from_le_bytes([a, b, c, d, e, f, g, h]), u64::from_le_bytes(rest)]
}
