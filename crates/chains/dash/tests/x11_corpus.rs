//! X11 against real block ids: 5,000 headers of the Dash testnet and every block of a recorded regtest network.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use nodewright_dash::x11;
use nodewright_testkit::corpus;
use serde_json::Value;

#[test]
fn every_testnet_header_hashes_to_its_recorded_id() {
    let Some(headers) = testnet() else { return };
    for (height, (recorded, header)) in &headers {
        assert_eq!(displayed(header), *recorded, "block {height}");
    }
}

#[test]
fn every_testnet_header_names_the_hash_of_the_one_before() {
    let Some(headers) = testnet() else { return };
    for ((below, (_, previous)), (above, (_, header))) in headers.iter().zip(headers.iter().skip(1)) {
        assert_eq!(above - below, 1);
        assert_eq!(header[4..36], x11(previous), "block {above}");
    }
}

#[test]
fn every_recorded_regtest_block_hashes_to_its_id() {
    let Some(path) = corpus("dash-regtest/recording.jsonl") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let blocks: Vec<_> = records.filter(|record| record["kind"] == "block").collect();
    assert_eq!(blocks.len(), 1023);
    check_blocks(&blocks);
}

#[test]
fn every_block_of_the_regtest_vectors_hashes_to_its_id() {
    let Some(path) = corpus("dash-regtest/vectors.json") else { return };
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for (branch, count) in [("blocks", 35), ("conflicting_branch", 5)] {
        let blocks = vectors[branch].as_array().unwrap();
        assert_eq!(blocks.len(), count);
        check_blocks(blocks);
    }
}

fn check_blocks(blocks: &[Value]) {
    for block in blocks {
        let raw = hex::decode(block["raw"].as_str().unwrap()).unwrap();
        assert_eq!(hex::encode(displayed(&raw[..80])), block["hash"], "block {}", block["height"]);
    }
}

/// A block id in display order and the block's header.
type Record = ([u8; 32], [u8; 80]);

/// Testnet blocks 900,776 to 905,775 by height.
///
/// The file is a ring of 128-byte records after 1,024 bytes of its own: id 32, work 12, height 4, header 80.
fn testnet() -> Option<BTreeMap<u32, Record>> {
    let bytes = std::fs::read(corpus("dash/testnet-with-tip-905775.spvchain")?).unwrap();
    let (records, rest) = bytes[1024..].as_chunks::<128>();
    assert!(rest.is_empty());
    let headers: BTreeMap<_, _> = records
        .iter()
        .map(|record| {
            let height = u32::from_be_bytes(record[44..48].try_into().unwrap());
            (height, (record[..32].try_into().unwrap(), record[48..].try_into().unwrap()))
        })
        .collect();
    assert_eq!(headers.len(), 5000);
    Some(headers)
}

/// The X11 hash in the byte order of its text form.
fn displayed(header: &[u8]) -> [u8; 32] {
    let mut hash = x11(header);
    hash.reverse();
    hash
}
