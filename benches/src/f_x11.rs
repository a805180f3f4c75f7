//! Naming Dash headers: X11 of 80 bytes. There is no peer to measure beside; `README.md` says why.

use std::hint::black_box;

use nodewright_dash::x11;

use crate::measure::{Scale, rate};
use crate::report::Row;

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, String> {
    let genesis = genesis();
    let mut shown = x11(&genesis);
    shown.reverse();
    if hex::encode(shown) != GENESIS_HASH {
        return Err(format!("the genesis header hashes to {}", hex::encode(shown)));
    }
    // Headers that differ, so that nothing can be hoisted out of the loop.
    let headers: Vec<[u8; 80]> = (0..scale.pick(1_000_u32, 10))
        .map(|nonce| {
            let mut header = genesis;
            header[76..].copy_from_slice(&nonce.to_le_bytes());
            header
        })
        .collect();
    let work = || headers.iter().for_each(|header| _ = black_box(x11(black_box(header))));
    Ok(vec![Row::alone("f_x11", "headers/s", rate(scale, headers.len() as u64, work))])
}

/// The header of Dash's genesis block, by the fields in Dash Core `src/chainparams.cpp`.
fn genesis() -> [u8; 80] {
    let mut header = [0; 80];
    header[..4].copy_from_slice(&1_u32.to_le_bytes());
    hex::decode_to_slice(GENESIS_MERKLE_ROOT, &mut header[36..68]).expect("64 hex digits");
    header[36..68].reverse();
    header[68..72].copy_from_slice(&1_390_095_618_u32.to_le_bytes());
    header[72..76].copy_from_slice(&0x1e0f_fff0_u32.to_le_bytes());
    header[76..].copy_from_slice(&28_917_698_u32.to_le_bytes());
    header
}

const GENESIS_HASH: &str = "00000ffd590b1485b3caadc19b22e6379c733355108f107a430458cdf3407ab6";
const GENESIS_MERKLE_ROOT: &str = "e0028eb9648db56b1ac77cf090b99048a8007e2bb64b68f092c03c7f56a662c7";
