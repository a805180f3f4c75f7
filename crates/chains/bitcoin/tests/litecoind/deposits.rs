//! Deposits on a real chain: wherever the payment stands, however the memo is written.

use nodewright_bitcoin::ConnectOptions;
use nodewright_core::{
    Amount, BlockReport, NearMissReason, ObservationSource as _, TxFate, TxId, TxSource as _, WatchSet,
};
use nodewright_utxo::observe::{memo, spend_key};
use nodewright_utxo::tx::OutPoint;
use serde_json::{Value, json};

use crate::common::litecoind::Litecoind;
use crate::common::tx::{Coin, Tx, key_script, op_return};
use crate::scan::{source, watching};

/// Mines the transactions in one block and returns what it has to say.
async fn report(node: &Litecoind, txs: &[Tx], watch: &WatchSet) -> BlockReport {
    node.mine_with(txs).await;
    let source = source(node, ConnectOptions::default()).await;
    let point = node.point_at(node.height().await).await;
    source.observe(&[point], watch).await.unwrap().remove(0)
}

/// Splits the reward at `height` into `count` coins.
async fn coins(node: &Litecoind, height: u64, count: u32) -> Vec<Coin> {
    let coin = node.coin(height).await;
    let each = coin.value / u64::from(count) - 1_000;
    let tx = (0..count).fold(Tx::spending(&[coin]), |tx, _| tx.pay(each, &[0x51]));
    node.mine_with(std::slice::from_ref(&tx)).await;
    (0..count).map(|index| tx.coin(index)).collect()
}

#[tokio::test]
async fn a_deposit_is_found_at_every_place_among_the_outputs() {
    let Some(node) = Litecoind::start(&[]).await else { return };
    node.mine(101).await;
    let (vault, other, second) = (key_script(1), key_script(2), key_script(3));
    let memo = op_return(&[b"=:b:bc1q:0"]);
    let mut coins = coins(&node, 1, 60).await.into_iter();
    let watch = watching(source(&node, ConnectOptions::default()).await.as_ref(), &[&vault, &second]);

    // Vault, memo and change in each of the six orders; the memo first of four, and last of fourteen.
    let mut txs = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let coin = coins.next().unwrap();
        let outputs = [(30_000_000, &vault), (0, &memo), (coin.value - 30_000_000, &other)];
        txs.push(order.iter().fold(Tx::spending(&[coin]), |tx, at| tx.pay(outputs[*at].0, outputs[*at].1)));
    }
    let many = (0..12).fold(Tx::spending(&[coins.next().unwrap()]), |tx, n| tx.pay(10_000, &key_script(100 + n)));
    txs.push(many.pay(30_000_000, &vault).data(&memo).change(0));
    let found = report(&node, &txs, &watch).await;
    assert!(found.near_misses.is_empty(), "{found:?}");
    let places: Vec<_> = found.observations.iter().map(|seen| seen.output).collect();
    assert_eq!(places, [0, 0, 1, 2, 1, 2, 12]);
    for (seen, tx) in found.observations.iter().zip(&txs) {
        assert_eq!(seen.txid.0, tx.txid().to_string());
        assert_eq!((seen.value, seen.memo.as_deref()), (Amount(30_000_000), Some(&b"=:b:bc1q:0"[..])));
        assert_eq!(seen.to, format!("raw({})", hex::encode(&vault)));
        assert_eq!(seen.block, found.point);
    }
    assert!(found.reward.unwrap() >= Amount(5_000_000_000));

    // Two payments to vaults in one transaction, and amounts that no binary fraction holds.
    let tx = Tx::spending(&[coins.next().unwrap()]).pay(10_000_000, &second).data(&memo).pay(20_000_000, &vault);
    let dust = Tx::spending(&[coins.next().unwrap()]).pay(1, &vault).change(0);
    let found = report(&node, &[tx, dust], &watch).await;
    let values: Vec<_> = found.observations.iter().map(|seen| seen.value.0).collect();
    assert_eq!(values, [10_000_000, 20_000_000, 1]);
    assert_eq!(values[0] + values[1], 30_000_000, "0.1 + 0.2 = 0.3");
    assert_eq!(found.observations[2].memo, None);

    // A payment by the miner is no deposit, but it is told.
    let hash = node.hash_at(50).await;
    let point = node.point_at(50).await;
    let mined = source(&node, ConnectOptions::default()).await;
    let found = mined.observe(&[point], &watching(&mined, &[&[0x51]])).await.unwrap().remove(0);
    assert_eq!(found.point.id.hash, hash);
    assert_eq!(found.near_misses[0].reason, NearMissReason::Coinbase);
    assert_eq!(found.near_misses[0].observation.value, Amount(5_000_000_000));
}

#[tokio::test]
async fn op_return_scripts_of_every_form_are_read_as_the_node_stored_them() {
    let Some(node) = Litecoind::start(&[]).await else { return };
    node.mine(101).await;
    let vault = key_script(1);
    let mut coins = coins(&node, 1, 60).await.into_iter();
    let source = source(&node, ConnectOptions::default()).await;
    let watch = watching(&source, &[&vault]);
    let raw = |text: &str| hex::decode(text).unwrap();
    let long = [b'm'; 200];
    let longer = [b'm'; 300];

    // Scripts, and what they say: bytes, nothing, or why not.
    let malformed = Err(NearMissReason::MemoMalformed);
    let not_text = Err(NearMissReason::MemoNotText);
    type Case = (Vec<Vec<u8>>, Result<Option<Vec<u8>>, NearMissReason>);
    let say = |bytes: &[u8]| Ok(Some(bytes.to_vec()));
    let cases: Vec<Case> = vec![
        (vec![raw("6a")], Ok(None)),
        (vec![raw("6a00")], Ok(None)),
        (vec![op_return(&[b"a"])], say(b"a")),
        (vec![op_return(&[b"d:"])], say(b"d:")),
        (vec![op_return(&[b"d:b"])], say(b"d:b")),
        (vec![op_return(&[b"noop"])], say(b"noop")),
        (vec![op_return(&[b"tcy+"])], say(b"tcy+")),
        (vec![op_return(&[b"=:b:x"])], say(b"=:b:x")),
        (vec![[&raw("6a4c03")[..], b"abc"].concat()], say(b"abc")),
        (vec![[&raw("6a4d0300")[..], b"abc"].concat()], say(b"abc")),
        (vec![[&raw("6a4e03000000")[..], b"abc"].concat()], say(b"abc")),
        (vec![op_return(&[&long[..76]])], say(&long[..76])),
        (vec![op_return(&[&long])], say(&long)),
        (vec![op_return(&[&longer])], Err(NearMissReason::MemoTooLong)),
        (vec![op_return(&[b"AB", b"CDEFG", b""])], say(b"ABCDEFG")),
        (vec![op_return(&[b"=:b"]), op_return(&[b":x:0"])], say(b"=:b:x:0")),
        // An 81-byte memo as 80 and 1: the split that reading the assembler text gets wrong.
        (vec![op_return(&[&long[..80]]), op_return(&[b"m"])], say(&long[..81])),
        (vec![raw("6a51")], not_text.clone()),
        (vec![raw("6a4f")], not_text.clone()),
        (vec![op_return(&[b"caf\xc3\xa9"])], not_text),
        (vec![raw("6a05616263")], malformed.clone()),
        (vec![raw("6a4c")], malformed.clone()),
        (vec![raw("6a4dff")], malformed.clone()),
        (vec![raw("6a4effffffff61")], malformed.clone()),
        (vec![raw("6a0161ac")], malformed.clone()),
        (vec![op_return(&[b"good"]), raw("6a05")], malformed),
    ];
    // Memos that do not fit go into outputs that look like payments.
    let mut cases: Vec<(Vec<Vec<u8>>, _)> = cases;
    for len in [81, 98, 99, 100, 119, 159, 238, 239] {
        let text: Vec<u8> = (0..len).map(|n| b'a' + u8::try_from(n % 26).unwrap_or_default()).collect();
        let (data, programs) = memo::split(&text).unwrap();
        let mut scripts = vec![op_return(&[&data])];
        scripts.extend(programs.iter().map(|program| [&[0x00, 20][..], program].concat()));
        cases.push((scripts, say(&text)));
    }

    let txs: Vec<_> = (cases.iter())
        .map(|(scripts, _)| {
            let tx = Tx::spending(&[coins.next().unwrap()]).pay(50_000, &vault);
            let value = |script: &[u8]| if script.starts_with(&[0x6a]) { 0 } else { 1_000 };
            scripts.iter().fold(tx, |tx, script| tx.pay(value(script), script)).change(0)
        })
        .collect();
    let found = report(&node, &txs, &watch).await;
    assert_eq!(found.observations.len() + found.near_misses.len(), cases.len());
    for (tx, (scripts, expected)) in txs.iter().zip(&cases) {
        let txid = TxId(tx.txid().to_string());
        let said = match found.observations.iter().find(|seen| seen.txid == txid) {
            Some(seen) => Ok(seen.memo.clone()),
            None => Err(found.near_misses.iter().find(|miss| miss.observation.txid == txid).unwrap().reason.clone()),
        };
        assert_eq!(said, *expected, "{:?}", scripts.iter().map(hex::encode).collect::<Vec<_>>());
    }

    // The scripts are in the chain byte for byte, and the node's own text form loses what ours keeps.
    let short: Value = node.call("getrawtransaction", &[json!(txs[5].txid().to_string()), json!(true)]).await;
    assert_eq!(short["vout"][1]["scriptPubKey"]["hex"], "6a046e6f6f70");
    assert_eq!(short["vout"][1]["scriptPubKey"]["asm"], "OP_RETURN 1886351214");
}

#[tokio::test]
async fn a_transaction_of_a_removed_block_is_followed_up() {
    let Some(mut node) = Litecoind::start(&[]).await else { return };
    node.mine(110).await;
    let vault = key_script(1);
    let coins = coins(&node, 1, 3).await;
    let source = source(&node, ConnectOptions::default()).await;
    let mut watch = watching(&source, &[&vault]);
    let pay = |coin: Coin, value: u64| Tx::spending(&[coin]).pay(value, &vault).change(10_000);
    let (kept, replaced, moved) = (pay(coins[0], 1_000_000), pay(coins[1], 2_000_000), pay(coins[2], 3_000_000));
    let fate = async |tx: &Tx| source.fate(&TxId(tx.txid().to_string())).await.unwrap();

    let first = node.mine_with(&[kept.clone(), replaced.clone(), moved.clone()]).await;
    let height = node.height().await;
    assert_eq!(fate(&replaced).await, TxFate::Mined(node.point_at(height).await));
    let seen = source.observe(&[node.point_at(height).await], &watch).await.unwrap().remove(0);
    assert_eq!(seen.observations.len(), 3);
    for seen in &seen.observations {
        seen.spends.iter().for_each(|key| watch.watch_spend(key.clone()));
    }

    // The block goes away: the node takes its transactions back into the memory pool.
    node.invalidate(height).await;
    assert_eq!(fate(&kept).await, TxFate::Mempool);
    assert_eq!(fate(&replaced).await, TxFate::Mempool);

    // Another block holds one of them again, and something else in place of the second.
    let thief = Tx::spending(&[coins[1]]).pay(2_000_000, &key_script(9)).change(20_000);
    node.mine_with(&[moved.clone(), thief.clone()]).await;
    assert_eq!(fate(&kept).await, TxFate::Mempool);
    node.mine(2).await;
    let points = node.points(height, height + 2).await;
    assert_ne!(points[0].id.hash, first);
    assert_eq!(fate(&moved).await, TxFate::Mined(points[0]));
    assert_eq!(fate(&kept).await, TxFate::Mined(points[1]));
    // The node's index still names the block that is gone; nobody is told so.
    assert_eq!(fate(&replaced).await, TxFate::Unknown);
    assert_eq!(fate(&thief).await, TxFate::Mined(points[0]));

    let reports = source.observe(&points, &watch).await.unwrap();
    let spent: Vec<_> = reports.iter().flat_map(|report| &report.spends).collect();
    let key = |coin: &Coin| spend_key(&OutPoint { txid: coin.txid, index: coin.index });
    assert_eq!(spent.len(), 3);
    assert_eq!((&spent[0].key, &spent[0].by), (&key(&coins[2]), &TxId(moved.txid().to_string())));
    assert_eq!((&spent[1].key, &spent[1].by), (&key(&coins[1]), &TxId(thief.txid().to_string())));
    assert_eq!(spent[1].block, points[0]);
    assert_eq!((&spent[2].key, &spent[2].by), (&key(&coins[0]), &TxId(kept.txid().to_string())));

    // Without an index, an unspent output tells where a transaction is, and a spent one hides it.
    node.restart(&["-txindex=0"]).await;
    let source = crate::scan::source(&node, ConnectOptions::default()).await;
    assert_eq!(source.abilities().tx_index, Some(false));
    assert_eq!(source.fate(&TxId(moved.txid().to_string())).await.unwrap(), TxFate::Mined(points[0]));
    assert_eq!(source.fate(&TxId("00".repeat(32))).await.unwrap(), TxFate::Unknown);
    assert!(source.fate(&TxId("no id".to_owned())).await.is_err());
}
