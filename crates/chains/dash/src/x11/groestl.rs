//! Grøstl-512, the tweaked version of the SHA-3 final round, by table lookup.
//!
//! Gauravaram et al.: "Grøstl - a SHA-3 candidate", final round, section 3.

use super::aes::{SBOX, multiply};
use super::words::{digest, le_u64, padded};

/// Hashes `input` with Grøstl-512.
pub(crate) fn hash(input: &[u8]) -> [u8; 64] {
    let mut state = INITIAL;
    let (blocks, tail) = input.as_chunks::<BLOCK>();
    for block in blocks {
        compress(&mut state, block);
    }
    let mut count = blocks.len() as u64 + 1;
    let mut last = padded::<BLOCK>(tail);
    if tail.len() >= COUNT_AT {
        compress(&mut state, &last);
        count += 1;
        last = [0; BLOCK];
    }
    last[COUNT_AT..].copy_from_slice(&count.to_be_bytes());
    compress(&mut state, &last);

    let output = permute::<P>(state);
    digest((8..16).map(|i| (output[i] ^ state[i]).to_le_bytes()))
}

/// Sixteen columns of eight bytes, row 0 in the low byte.
type State = [u64; 16];

fn compress(state: &mut State, block: &[u8; BLOCK]) {
    let message: State = le_u64(block);
    let p = permute::<P>(std::array::from_fn(|i| state[i] ^ message[i]));
    let q = permute::<Q>(message);
    for i in 0..16 {
        state[i] ^= p[i] ^ q[i];
    }
}

/// The 14 rounds of permutation P or Q.
fn permute<const KIND: bool>(mut x: State) -> State {
    for round in 0..14 {
        for (column, position) in x.iter_mut().zip(0..16u64) {
            let constant = (position << 4) ^ round;
            *column ^= if KIND == P { constant } else { !(constant << 56) };
        }
        let bytes = x.map(u64::to_le_bytes);
        let shift = if KIND == P { [0, 1, 2, 3, 4, 5, 6, 11] } else { [1, 3, 5, 11, 0, 2, 4, 6] };
        x = std::array::from_fn(|i| {
            let look = |row: usize| TABLES[row][usize::from(bytes[(i + shift[row]) % 16][row])];
            look(0) ^ look(1) ^ look(2) ^ look(3) ^ look(4) ^ look(5) ^ look(6) ^ look(7)
        });
    }
    x
}

const P: bool = true;
const Q: bool = false;

const BLOCK: usize = 128;

/// Where the 64-bit number of blocks starts in the last one.
const COUNT_AT: usize = 120;

/// The digest length in bits, 512, big-endian in the last column.
const INITIAL: State = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 512u64.swap_bytes()];

/// `TABLES[row][x]`: what byte `x` in that row adds to its column after SubBytes and MixBytes.
static TABLES: [[u64; 256]; 8] = {
    // The first column of the circulant matrix (02, 02, 03, 04, 05, 03, 05, 07).
    let coefficients = [2, 7, 5, 3, 5, 4, 3, 2];
    let mut tables = [[0; 256]; 8];
    let mut x = 0;
    while x < 256 {
        let mut column = [0; 8];
        let mut row = 0;
        while row < 8 {
            column[row] = multiply(SBOX[x], coefficients[row]);
            row += 1;
        }
        let mut word = u64::from_le_bytes(column);
        row = 0;
        while row < 8 {
            tables[row][x] = word;
            word = word.rotate_left(8);
            row += 1;
        }
        x += 1;
    }
    tables
};
