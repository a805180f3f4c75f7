//! Tests of the observer on blocks built by hand, and on a real one.

use std::sync::Arc;

use nodewright_core::{BlockHash, BlockHeight, BlockId, WatchItem};

use super::fixture::{Built, block, id};
use super::*;

const VAULT: [u8; 22] = [0, 20, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7];
const OTHER: [u8; 22] = [0, 20, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8];
const MEMO: &[u8] = b"=:b:bc1q:0";

fn watch(rules: WatchRules) -> WatchSet {
    let item = |label: &str, key: &[u8]| WatchItem { label: label.to_owned(), key: key.to_vec() };
    WatchSet::new([item("vault", &VAULT), item("old vault", &[0x52])], rules)
}

fn point(raw: &[u8]) -> BlockPoint {
    BlockId { height: BlockHeight(9), hash: BlockHash(id(raw)) }.into()
}

fn report_with(watch: &WatchSet, txs: &[Built]) -> BlockReport {
    let mut all = vec![Built::coinbase().pay(50, &[0x51]).pay(0, &[0x6a])];
    all.extend_from_slice(txs);
    let raw = block(&all);
    BlockObserver::new(watch, Dialect::Bitcoin, |script| Some(hex::encode(script))).report(point(&raw), &raw).unwrap()
}

fn report(txs: &[Built]) -> BlockReport {
    report_with(&watch(WatchRules::default()), txs)
}

/// Puts outputs in a given order.
fn paying(outputs: &[(u64, &[u8])]) -> Built {
    outputs.iter().fold(Built::default().spend([3; 32], 1), |tx, (value, script)| tx.pay(*value, script))
}

#[test]
fn the_vault_is_found_in_every_order_of_payment_memo_and_change() {
    let memo = Built::op_return(&[MEMO]);
    let outputs = [(1_000, &VAULT[..]), (0, &memo), (77, &OTHER[..])];
    for (order, at) in [
        ([0, 1, 2], 0),
        ([0, 2, 1], 0),
        ([1, 0, 2], 1),
        ([2, 0, 1], 1),
        ([1, 2, 0], 2),
        // Change first, to an address nobody has seen, and the vault last.
        ([2, 1, 0], 2),
    ] {
        let tx = paying(&order.map(|index| outputs[index]));
        let report = report(std::slice::from_ref(&tx));
        assert!(report.near_misses.is_empty());
        let [seen] = &report.observations[..] else { panic!("{report:?}") };
        assert_eq!((seen.output, seen.value, seen.to.as_str()), (at, Amount(1_000), "vault"));
        assert_eq!(seen.memo.as_deref(), Some(MEMO));
        assert_eq!(seen.txid.0, tx.txid().to_string());
        assert_eq!((seen.block, report.point), (report.point, seen.block));
        let mut key = vec![3; 32];
        key.extend([1, 0, 0, 0]);
        assert_eq!(seen.spends, [SpendKey(key)]);
    }
}

#[test]
fn many_outputs_two_vaults_and_dust_are_all_seen() {
    let memo = Built::op_return(&[MEMO]);
    let mut many = paying(&[(5, &OTHER[..]); 30]);
    many = many.pay(1, &VAULT).pay(0, &memo).pay(2, &[0x52]).pay(3, &VAULT);
    let report = report(&[paying(&[(9, &OTHER)]), many]);
    let seen: Vec<_> = report.observations.iter().map(|seen| (seen.output, seen.value.0, seen.to.as_str())).collect();
    assert_eq!(seen, [(30, 1, "vault"), (32, 2, "old vault"), (33, 3, "vault")]);
    assert!(report.observations.iter().all(|seen| seen.memo.as_deref() == Some(MEMO)));
    assert_eq!(report.reward, Some(Amount(50)));
}

#[test]
fn a_payment_that_falls_short_is_told_with_the_first_reason() {
    let strict = WatchRules { min_value: Amount(100), require_memo: true, max_memo: 10, text_memo: true };
    let reason = |rules: &WatchRules, value: u64, memo: &[u8]| {
        let report = report_with(&watch(rules.clone()), &[paying(&[(value, &VAULT), (0, memo)])]);
        assert_eq!(report.observations.len() + report.near_misses.len(), 1);
        report.near_misses.first().map(|miss| miss.reason.clone())
    };
    let good = Built::op_return(&[MEMO]);
    let long = Built::op_return(&[&[b'a'; 11]]);
    let bytes = Built::op_return(&[&[0x1f]]);
    for (value, memo, expected) in [
        (100, &good[..], None),
        (99, &good, Some(NearMissReason::BelowMinimum)),
        (99, &[0x51], Some(NearMissReason::BelowMinimum)),
        (100, &[0x51], Some(NearMissReason::MemoMissing)),
        (100, &[0x6a], Some(NearMissReason::MemoMissing)),
        (100, &[0x6a, 2, 1], Some(NearMissReason::MemoMalformed)),
        (100, &long, Some(NearMissReason::MemoTooLong)),
        (100, &bytes, Some(NearMissReason::MemoNotText)),
    ] {
        assert_eq!(reason(&strict, value, memo), expected, "{value} {memo:?}");
    }
    let loose = WatchRules { require_memo: false, text_memo: false, ..strict };
    assert_eq!(reason(&loose, 100, &[0x51]), None);
    assert_eq!(reason(&loose, 100, &bytes), None);
    assert_eq!(reason(&loose, 100, &[0x6a, 2, 1]), Some(NearMissReason::MemoMalformed));
    assert_eq!(reason(&WatchRules::default(), 0, &Built::op_return(&[&[b'a'; 250]])), None);
}

#[test]
fn newly_minted_coins_are_no_deposit_and_weigh_the_block() {
    let raw = block(&[Built::coinbase().pay(3, &OTHER).pay(4, &VAULT), paying(&[(9, &VAULT)])]);
    let watch = watch(WatchRules::default());
    let report = BlockObserver::new(&watch, Dialect::Bitcoin, |_| None).report(point(&raw), &raw).unwrap();
    assert_eq!(report.reward, Some(Amount(7)));
    let [miss] = &report.near_misses[..] else { panic!("{report:?}") };
    assert_eq!((miss.reason.clone(), miss.observation.value), (NearMissReason::Coinbase, Amount(4)));
    assert!(miss.observation.spends.is_empty() && miss.observation.sender.is_none());
    assert_eq!(report.observations.len(), 1);
}

#[test]
fn the_sender_is_printed_as_the_chain_prints_addresses() {
    let signature = [&[0x30][..], &[7; 70], &[1]].concat();
    let key = [&[2][..], &[5; 32]].concat();
    let tx = Built::default().unlocked_by(&[], &[&signature, &key]).pay(5, &VAULT);
    let sender = report(&[tx]).observations.remove(0).sender.unwrap();
    assert!(sender.starts_with("0014") && sender.len() == 44, "{sender}");
}

#[test]
fn whoever_spends_what_is_looked_for_is_named_and_nobody_else() {
    let mut watch = watch(WatchRules::default());
    let thief = Built::default().spend([4; 32], 0).spend([3; 32], 1).pay(5, &OTHER);
    let key = |txid: [u8; 32], index| spend_key(&OutPoint { txid: Txid(txid), index });
    assert!(report_with(&watch, std::slice::from_ref(&thief)).spends.is_empty());
    watch.watch_spend(key([3; 32], 1));
    watch.watch_spend(key([3; 32], 2));
    watch.watch_spend(key([0; 32], u32::MAX));
    let report = report_with(&watch, std::slice::from_ref(&thief));
    let spends: Vec<_> = report.spends.iter().map(|spend| (spend.key.clone(), spend.by.0.clone())).collect();
    // What a coinbase names is nothing that can be spent, but it is what it names.
    assert_eq!(spends[spends.len() - 1], (key([3; 32], 1), thief.txid().to_string()));
    assert!(report.spends.iter().all(|spend| spend.block == report.point));
    watch.forget_spend(&key([3; 32], 1));
    assert!(report_with(&watch, &[thief]).spends.iter().all(|spend| spend.key != key([3; 32], 1)));
}

#[test]
fn a_block_that_its_header_does_not_commit_to_reports_nothing() {
    let raw = block(&[Built::coinbase().pay(50, &[0x51]), paying(&[(1_000, &VAULT)])]);
    let watch = Arc::new(watch(WatchRules::default()));
    let observer = BlockObserver::new(watch, Dialect::Bitcoin, |_| None);
    assert_eq!(observer.report(point(&raw), &raw).unwrap().observations.len(), 1);
    for at in 80..raw.len() {
        let mut damaged = raw.clone();
        damaged[at] ^= 1;
        assert!(observer.report(point(&raw), &damaged).is_err(), "byte {at}");
        assert!(observer.report(point(&raw), &raw[..at]).is_err(), "cut at {at}");
    }
}
