//! The trimmed copy of the recording against the corpus.

use nodewright_core::BlockHash;
use nodewright_dash::sim::NodeState;
use serde_json::Value;

use crate::scene::recording;

#[test]
fn the_trimmed_copy_says_what_the_recording_says() {
    let Some(path) = nodewright_testkit::corpus("dash-regtest/recording.jsonl") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut replay = recording();
    let mut state = NodeState::new();
    let (mut blocks, mut cases, mut snapshots) = (Vec::new(), Vec::new(), 0);
    for row in &rows {
        match row["kind"].as_str().unwrap() {
            "block" => {
                let hash = BlockHash::from_reversed_hex(row["hash"].as_str().unwrap()).unwrap();
                assert_eq!(hex::encode(replay.block(&hash).unwrap()), row["raw"].as_str().unwrap());
                blocks.push(hash);
            }
            "tx" => cases.push(row["txid"].as_str().unwrap().to_owned()),
            "instantlock" => {
                let step = replay.step(&mut state).unwrap();
                assert_eq!(step.transaction("locked by InstantSend"), row["txid"].as_str());
            }
            "snapshot" => {
                let step = replay.step(&mut state).unwrap();
                assert_eq!(step.label, row["label"].as_str().unwrap());
                assert_eq!(step.tip.to_reversed_hex(), row["getbestblockhash"].as_str().unwrap());
                assert_eq!(step.blocks, std::mem::take(&mut blocks));
                let told: Vec<_> = step.transactions.iter().map(|(_, txid)| txid.clone()).collect();
                assert_eq!(told, std::mem::take(&mut cases));
                let lock = &row["getbestchainlock"]["result"];
                assert_eq!(step.lock.is_some(), lock.is_object());
                if let Some(held) = step.lock {
                    assert_eq!(held.block_hash.to_reversed_hex(), lock["blockhash"].as_str().unwrap());
                    assert_eq!(u64::from(held.height), lock["height"].as_u64().unwrap());
                    assert_eq!(hex::encode(held.signature.as_bytes()), lock["signature"].as_str().unwrap());
                    assert_eq!(step.known_block, lock["known_block"].as_bool().unwrap());
                }
                snapshots += 1;
            }
            _ => {}
        }
    }
    assert_eq!(snapshots, 15);
    assert!(replay.peek().is_none());
}
