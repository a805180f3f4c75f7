//! What a real block of Bitcoin's main network has to say: block 702861, 2,500 transactions.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use bitcoin::consensus::deserialize;
use bitcoin::hashes::Hash as _;
use bitcoin::{Address, Block, Network, Script};
use nodewright_core::{
    Amount, BlockHash, BlockHeight, BlockId, BlockPoint, NearMissReason, WatchItem, WatchRules, WatchSet,
};
use nodewright_utxo::observe::{BlockObserver, spend_key};
use nodewright_utxo::tx::OutPoint;
use nodewright_utxo::walker::Dialect;

fn raw() -> &'static [u8] {
    bitcoin_test_data::blocks::mainnet_702861()
}

fn address(script: &[u8]) -> Option<String> {
    Address::from_script(Script::from_bytes(script), Network::Bitcoin).ok().map(|address| address.to_string())
}

fn point(block: &Block) -> BlockPoint {
    BlockId { height: BlockHeight(702_861), hash: BlockHash(block.block_hash().to_byte_array()) }.into()
}

fn watch(keys: impl IntoIterator<Item = Vec<u8>>, rules: WatchRules) -> WatchSet {
    WatchSet::new(keys.into_iter().map(|key| WatchItem { label: hex::encode(&key), key }), rules)
}

#[test]
fn every_output_of_a_real_block_is_found_as_the_bitcoin_crate_finds_it() {
    let block: Block = deserialize(raw()).unwrap();
    // Everything is watched: each output must be reported, once, with its value.
    let mut expected: BTreeMap<(String, u32), (u64, Vec<u8>)> = BTreeMap::new();
    for tx in &block.txdata {
        for (index, output) in tx.output.iter().enumerate() {
            let key = (tx.compute_txid().to_string(), u32::try_from(index).unwrap());
            expected.insert(key, (output.value.to_sat(), output.script_pubkey.to_bytes()));
        }
    }
    assert!(expected.len() > 5_000);
    let scripts = expected.values().map(|(_, script)| script.clone());
    let all = watch(scripts, WatchRules { max_memo: usize::MAX, text_memo: false, ..WatchRules::default() });
    let report = BlockObserver::new(&all, Dialect::Bitcoin, address).report(point(&block), raw()).unwrap();

    let mut found = BTreeMap::new();
    let missed = report.near_misses.iter().map(|miss| &miss.observation);
    for seen in report.observations.iter().chain(missed) {
        let value = u64::try_from(seen.value.0).unwrap();
        let old = found.insert((seen.txid.0.clone(), seen.output), (value, hex::decode(&seen.to).unwrap()));
        assert_eq!(old, None, "reported once");
    }
    assert_eq!(found, expected);
    let reward: u64 = block.txdata[0].output.iter().map(|output| output.value.to_sat()).sum();
    assert_eq!(report.reward, Some(Amount(reward.into())));
    assert!(report.near_misses.iter().all(|miss| miss.reason == NearMissReason::Coinbase), "{:?}", report.near_misses);

    // Inputs, memos and senders of each transaction, again as the bitcoin crate has them.
    let by_id: BTreeMap<_, _> = block.txdata.iter().map(|tx| (tx.compute_txid().to_string(), tx)).collect();
    let mut senders = 0;
    for seen in &report.observations {
        let tx = by_id[&seen.txid.0];
        let spends: Vec<_> = (tx.input.iter())
            .map(|input| {
                let txid = input.previous_output.txid.to_byte_array().into();
                spend_key(&OutPoint { txid, index: input.previous_output.vout })
            })
            .collect();
        assert_eq!(seen.spends, spends);
        let mut memo = Vec::new();
        for output in tx.output.iter().filter(|output| output.script_pubkey.is_op_return()) {
            for instruction in output.script_pubkey.instructions().skip(1) {
                memo.extend_from_slice(instruction.unwrap().push_bytes().unwrap().as_bytes());
            }
        }
        assert_eq!(seen.memo.clone().unwrap_or_default(), memo, "{}", seen.txid);
        senders += usize::from(seen.sender.is_some());
    }
    assert!(senders * 100 > report.observations.len() * 95, "{senders} of {}", report.observations.len());
}

#[test]
fn a_spend_within_a_real_block_names_both_ends() {
    let block: Block = deserialize(raw()).unwrap();
    // Somebody spends, in this block, what was paid in this block: then the payer's output tells who the sender is.
    let paid: BTreeMap<_, _> = (block.txdata.iter())
        .flat_map(|tx| {
            let txid = tx.compute_txid();
            (tx.output.iter().zip(0_u32..)).map(move |(output, vout)| (bitcoin::OutPoint { txid, vout }, output))
        })
        .collect();
    let mut checked = 0;
    for tx in block.txdata.iter().filter(|tx| !tx.is_coinbase()) {
        let Some(spent) = paid.get(&tx.input[0].previous_output) else { continue };
        let first = tx.output[0].script_pubkey.to_bytes();
        let mut watch = watch([first.clone()], WatchRules::default());
        let previous = tx.input[0].previous_output;
        let key = spend_key(&OutPoint { txid: previous.txid.to_byte_array().into(), index: previous.vout });
        watch.watch_spend(key.clone());
        let report = BlockObserver::new(&watch, Dialect::Bitcoin, address).report(point(&block), raw()).unwrap();
        let txid = tx.compute_txid().to_string();
        assert_eq!(report.spends.len(), 1);
        assert_eq!((&report.spends[0].key, &report.spends[0].by.0), (&key, &txid));
        let mut mine = report.observations.iter().filter(|seen| seen.txid.0 == txid);
        if let Some(seen) = mine.next()
            && seen.sender.is_some()
        {
            assert_eq!(seen.sender, address(spent.script_pubkey.as_bytes()), "{txid}");
            checked += 1;
        }
        if checked >= 60 {
            break;
        }
    }
    assert!(checked >= 20, "{checked} senders were compared with the output they spend");
}
