//! No damage to a block makes a parser panic, and none that matters goes unnoticed.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, unreachable_pub)]

mod corpus;

use std::hint::black_box;

use nodewright_utxo::merkle::PartialTree;
use nodewright_utxo::script::{OpReturn, classify};
use nodewright_utxo::special::Special;
use nodewright_utxo::tx::TxView;
use nodewright_utxo::walker::{BlockWalker, Dialect};

const MWEB: &str = include_str!("data/litecoin-mweb/block-434.hex");

#[test]
fn refuses_a_block_truncated_at_any_byte() {
    for (raw, dialect, extension) in small_blocks() {
        // Within an extension block that is not decoded, a shorter block cannot be told from a whole one.
        for len in 0..raw.len() - extension {
            assert!(walk(&raw[..len], dialect).is_none(), "{dialect:?}, {len} of {} bytes", raw.len());
        }
        assert!(walk(&raw, dialect).is_some());
    }
}

#[test]
fn refuses_a_large_block_truncated_near_either_end_and_in_between() {
    let raw = bitcoin_test_data::blocks::mainnet_702861();
    let between = (300..raw.len() - 300).step_by(9_973);
    for len in (0..300).chain(between).chain(raw.len() - 300..raw.len()) {
        assert!(walk(&raw[..len], Dialect::Bitcoin).is_none(), "{len} bytes");
    }
}

#[test]
fn never_panics_on_damaged_blocks() {
    let blocks = small_blocks();
    let mut random = fastrand::Rng::with_seed(20_000);
    let mut whole = 0;
    for _ in 0..20_000 {
        let (raw, dialect, _) = random.choice(&blocks).unwrap();
        let mut raw = raw.clone();
        for _ in 0..random.usize(1..4) {
            damage(&mut raw, &mut random);
        }
        let dialect = if random.u8(0..8) == 0 { random.choice(DIALECTS).unwrap() } else { *dialect };
        whole += u32::from(walk(&raw, dialect).is_some());
    }
    // Otherwise the damage would only ever test the first few bytes.
    assert!((1_000..19_000).contains(&whole), "{whole} still parse");
}

#[test]
fn never_panics_on_noise() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let noise: Vec<u8> = (0..random.usize(0..300)).map(|_| random.u8(..) >> random.u8(0..8)).collect();
        for dialect in DIALECTS {
            walk(&noise, dialect);
            black_box(TxView::parse(&noise, dialect)).ok();
        }
        for kind in 0..11 {
            black_box(Special::parse(kind, &noise)).ok();
        }
        black_box(PartialTree::parse(&noise).map(|tree| tree.matches())).ok();
        black_box(OpReturn::parse(&noise)).ok();
        black_box(classify(&noise));
    }
}

#[test]
fn reserves_no_memory_and_no_time_by_a_count_that_lies() {
    // A header and a count of 2^64 - 1 transactions; then a transaction with as many inputs, outputs, witness items.
    let huge = [0xff; 9];
    assert!(walk(&[&[0; 80][..], &huge].concat(), Dialect::Bitcoin).is_none());
    let version = [1, 0, 0, 0];
    let input = [[0; 36].as_slice(), &[0], &[0; 4]].concat();
    for dialect in DIALECTS {
        assert!(TxView::parse(&[&version[..], &huge].concat(), dialect).is_err());
        assert!(TxView::parse(&[&version[..], &[1], &input, &huge].concat(), dialect).is_err());
        assert!(TxView::parse(&[&version[..], &[1], &[0; 36], &huge].concat(), dialect).is_err());
    }
    let with_witness = [&version[..], &[0, 1, 1], &input, &[0], &huge].concat();
    assert!(TxView::parse(&with_witness, Dialect::Bitcoin).is_err());
}

/// Walks everything there is to walk, and returns how many outputs there were if the block is whole.
fn walk(raw: &[u8], dialect: Dialect) -> Option<u64> {
    let mut walker = BlockWalker::new(raw, dialect).ok()?;
    black_box(walker.verify_merkle()).ok();
    let mut outputs = 0;
    while let Some(tx) = walker.next_tx().ok()? {
        assert_eq!(tx.inputs().count(), tx.inputs().len());
        assert_eq!(tx.outputs().count(), tx.outputs().len());
        for output in tx.outputs() {
            assert!(i64::try_from(output.value).is_ok());
            black_box(classify(output.script));
            if let Ok(Some(data)) = OpReturn::parse(output.script) {
                assert_eq!(data.pushes().map(<[u8]>::len).sum::<usize>(), data.data_len());
            }
            outputs += 1;
        }
        if let Some((kind, payload)) = tx.special() {
            black_box(Special::parse(kind, payload)).ok();
        }
        assert_eq!(TxView::parse(tx.raw(), dialect).unwrap().txid(), tx.txid());
    }
    walker.finish().ok().map(|_| outputs)
}

fn damage(raw: &mut Vec<u8>, random: &mut fastrand::Rng) {
    let at = random.usize(0..raw.len().max(1));
    match random.u8(0..10) {
        0 => raw.truncate(at),
        1 => raw.insert(at.min(raw.len()), random.u8(..)),
        2 if at < raw.len() => drop(raw.remove(at)),
        3 => {
            let copy = raw[at..(at + random.usize(0..50)).min(raw.len())].to_vec();
            raw.splice(at..at, copy);
        }
        _ if at < raw.len() => {
            raw[at] = if random.bool() { random.u8(..) } else { random.choice([0, 0xfd, 0xfe, 0xff]).unwrap() }
        }
        _ => {}
    }
}

/// Returns blocks of some kilobytes, each with its dialect and the bytes at its end that are not decoded.
fn small_blocks() -> Vec<(Vec<u8>, Dialect, usize)> {
    let mweb = hex::decode(MWEB.trim()).unwrap();
    let mut walker = BlockWalker::new(&mweb, Dialect::Litecoin).unwrap();
    assert!(walker.by_ref().all(|tx| tx.is_ok()));
    let extension = mweb.len() - walker.position() - 2;
    let mut blocks = vec![(mweb, Dialect::Litecoin, extension), (bitcoin_block(), Dialect::Bitcoin, 0)];
    if let Some(text) = corpus::file("dash-regtest/vectors.json") {
        let vectors: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let raw = vectors["blocks"].as_array().unwrap().iter().map(|block| block["raw"].as_str().unwrap());
        let mut dash: Vec<_> = raw.map(|raw| hex::decode(raw).unwrap()).collect();
        // The largest hold quorum commitments beside the coinbase.
        dash.sort_by_key(Vec::len);
        blocks.extend(dash.into_iter().rev().take(3).map(|raw| (raw, Dialect::Dash, 0)));
    }
    let name = "dash/testnet_block_000000000000045e0b1660b6445b5e5c5ab63c9a4f956be7e1e69be04fa4497b.raw";
    blocks.extend(corpus::file(name).map(|raw| (raw, Dialect::Bitcoin, 0)));
    blocks
}

/// Cuts the first ten transactions of the large block into a block of their own.
fn bitcoin_block() -> Vec<u8> {
    let raw = bitcoin_test_data::blocks::mainnet_702861();
    let mut walker = BlockWalker::new(raw, Dialect::Bitcoin).unwrap();
    let txs: Vec<_> = walker.by_ref().take(10).map(|tx| tx.unwrap().raw()).collect();
    [&raw[..80], &[10], &txs.concat()].concat()
}

const DIALECTS: [Dialect; 3] = [Dialect::Bitcoin, Dialect::Dash, Dialect::Litecoin];
