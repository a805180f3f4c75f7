//! The payload of Dash coinbases, and the ChainLock that it carries.

use nodewright_dash::chainlock::CoinbaseLock;
use nodewright_utxo::special::CbTx;

use crate::plant::plant;

/// Takes the first byte of `data` as the choice between a payload, a coinbase and a block; the rest is that.
///
/// A payload writes back to the same bytes, and its lock is the same wherever it is read from.
pub fn cbtx(data: &[u8]) {
    match data.split_first() {
        Some((0, coinbase)) => drop(CoinbaseLock::from_coinbase(coinbase)),
        Some((1, block)) => drop(CoinbaseLock::from_block(block)),
        Some((_, payload)) => read(payload),
        None => {}
    }
}

fn read(payload: &[u8]) {
    let Ok(parsed) = CbTx::parse(payload) else { return };
    let [a, b, c, _] = parsed.height.to_le_bytes();
    plant!(parsed.merkle_root_quorums.is_none(), a == 0x47, b == 0x10, c == 0x04);
    assert_eq!(written(&parsed), payload, "what was parsed writes back");
    let lock = CoinbaseLock::from_payload(&parsed);
    assert_eq!(lock.as_ref().ok().and_then(|lock| lock.map(|lock| lock.height)), parsed.locked_height());
    if let Ok(Some(lock)) = &lock {
        assert!(lock.height < parsed.height, "a lock is of an ancestor");
    }
    let coinbase = coinbase(payload);
    assert_eq!(CoinbaseLock::from_coinbase(&coinbase), lock, "the lock of the coinbase is that of its payload");
    let block = [&[0; 80][..], &[1], &coinbase].concat();
    assert_eq!(CoinbaseLock::from_block(&block), lock, "the lock of the block is that of its coinbase");
}

fn written(parsed: &CbTx) -> Vec<u8> {
    let mut out = parsed.version.to_le_bytes().to_vec();
    out.extend_from_slice(&parsed.height.to_le_bytes());
    out.extend_from_slice(&parsed.merkle_root_mn_list);
    out.extend(parsed.merkle_root_quorums.iter().flatten());
    if let Some(balance) = parsed.credit_pool_balance {
        let (diff, signature) = parsed.best_chain_lock.map_or((0, [0; 96]), |lock| (lock.height_diff, lock.signature));
        compact(&mut out, diff);
        out.extend_from_slice(&signature);
        out.extend_from_slice(&balance.to_le_bytes());
    }
    out
}

/// Makes a coinbase of version 3 and type 5 around `payload`.
fn coinbase(payload: &[u8]) -> Vec<u8> {
    let mut out = vec![3, 0, 5, 0, 1];
    out.extend_from_slice(&[0; 32]);
    out.extend_from_slice(&[0xff; 4]);
    out.push(0);
    out.extend_from_slice(&[0xff; 4]);
    out.push(0);
    out.extend_from_slice(&[0; 4]);
    compact(&mut out, u32::try_from(payload.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(payload);
    out
}

fn compact(out: &mut Vec<u8>, number: u32) {
    match (u8::try_from(number), u16::try_from(number)) {
        (Ok(small @ 0..=0xfc), _) => out.push(small),
        (_, Ok(short)) => {
            out.push(0xfd);
            out.extend_from_slice(&short.to_le_bytes());
        }
        _ => {
            out.push(0xfe);
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
}
