//! The AES round function by table lookup, shared by SHAvite-512 and ECHO-512, and the AES S-box, which
//! Grøstl-512 uses as well.
//!
//! Everything is derived at compile time from FIPS 197 sections 4.2 and 5.1; nothing is typed in.

/// One 128-bit AES state or round key: four columns, row 0 in the low byte of each.
pub(super) type Block = [u32; 4];

/// Applies SubBytes, ShiftRows, MixColumns and AddRoundKey.
#[inline(always)]
pub(super) fn round(state: Block, key: Block) -> Block {
    let [a, b, c, d] = state.map(u32::to_le_bytes);
    [column(a, b, c, d) ^ key[0], column(b, c, d, a) ^ key[1], column(c, d, a, b) ^ key[2], column(d, a, b, c) ^ key[3]]
}

/// Applies SubBytes, ShiftRows and MixColumns: a round with a zero key.
#[inline(always)]
pub(super) fn round_without_key(state: Block) -> Block {
    round(state, [0; 4])
}

/// Multiplies in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
pub(super) const fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 == 1 {
            product ^= a;
        }
        a = (a << 1) ^ (0x1b * (a >> 7));
        b >>= 1;
    }
    product
}

/// The AES S-box: the inverse in GF(2^8), then an affine map.
pub(super) const SBOX: [u8; 256] = {
    // 3 generates the multiplicative group, so the inverse of 3^i is 3^(255 - i).
    let mut powers = [1u8; 256];
    let mut i = 1;
    while i < 256 {
        powers[i] = multiply(powers[i - 1], 3);
        i += 1;
    }
    let mut sbox = [0x63; 256];
    i = 0;
    while i < 255 {
        let inverse = powers[255 - i];
        sbox[powers[i] as usize] = 0x63
            ^ inverse
            ^ inverse.rotate_left(1)
            ^ inverse.rotate_left(2)
            ^ inverse.rotate_left(3)
            ^ inverse.rotate_left(4);
        i += 1;
    }
    sbox
};

#[inline(always)]
fn column(a: [u8; 4], b: [u8; 4], c: [u8; 4], d: [u8; 4]) -> u32 {
    TABLES[0][usize::from(a[0])]
        ^ TABLES[1][usize::from(b[1])]
        ^ TABLES[2][usize::from(c[2])]
        ^ TABLES[3][usize::from(d[3])]
}

/// `TABLES[row][x]`: what byte `x` in that row adds to its column after SubBytes and MixColumns.
static TABLES: [[u32; 256]; 4] = {
    let mut tables = [[0; 256]; 4];
    let mut x = 0;
    while x < 256 {
        let s = SBOX[x];
        let mut word = u32::from_le_bytes([multiply(s, 2), s, s, multiply(s, 3)]);
        let mut row = 0;
        while row < 4 {
            tables[row][x] = word;
            word = word.rotate_left(8);
            row += 1;
        }
        x += 1;
    }
    tables
};
