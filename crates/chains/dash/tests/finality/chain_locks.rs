//! ChainLocks of the recorded regtest network and of testnet.

use std::collections::HashMap;

use nodewright_core::{BlockHash, Trust};
use nodewright_dash::bls::BlsError;
use nodewright_dash::chainlock::{
    ChainLock, CoinbaseLock, LockError, RawChainLock, ReportedLock, request_id, verify_chain_lock,
};
use nodewright_dash::quorum::{Choice, LlmqType, Network, QuorumEntry, QuorumHash, QuorumSet, SignerError};
use nodewright_dash::x11;
use nodewright_utxo::bytes::ParseError;
use nodewright_utxo::hash::Txid;
use serde_json::{Value, json};

use crate::corpus::{self, Testnet, flipped};
use crate::small_chain;

const REGTEST: Network = Network::Regtest;

fn vector_set(vectors: &Value) -> QuorumSet {
    let entry = |report| corpus::quorum(LlmqType::LLMQ_TEST, report, None);
    QuorumSet::from_node(vectors["quorums"].as_array().unwrap().iter().map(entry)).unwrap()
}

#[test]
fn all_eight_recorded_signatures_verify() {
    let Some(vectors) = corpus::vectors() else { return };
    let set = vector_set(&vectors);
    let locks = corpus::vector_locks(&vectors);
    assert_eq!(locks.len(), 8);
    for lock in &locks {
        let verified = verify_chain_lock(lock, &set, REGTEST).unwrap();
        assert_eq!(verified.chain_lock(), lock);
        assert_eq!(verified.trust(), Trust::NodeSet);
        assert_eq!(verified.llmq_type(), LlmqType::LLMQ_TEST);
    }
}

#[test]
fn coinbases_carry_the_recorded_locks() {
    let Some(vectors) = corpus::vectors() else { return };
    let blocks = vectors["blocks"].as_array().unwrap();
    let hashes: HashMap<u64, BlockHash> = blocks
        .iter()
        .map(|block| {
            let hash = corpus::block_hash(block["hash"].as_str().unwrap());
            (block["height"].as_u64().unwrap(), hash)
        })
        .collect();
    let carried: Vec<ChainLock> = blocks
        .iter()
        .filter_map(|block| {
            let raw = hex::decode(block["raw"].as_str().unwrap()).unwrap();
            let lock = CoinbaseLock::from_block(&raw).unwrap()?;
            Some(lock.with_block(hashes[&u64::from(lock.height)]))
        })
        .collect();
    let recorded: Vec<_> = vectors["chainlocks"].as_array().unwrap().iter().map(corpus::lock).collect();
    assert_eq!(carried, recorded);
}

#[test]
fn every_lock_of_the_recording_verifies_with_its_quorums() {
    let (Some(locks), Some(infos), Some(blocks)) =
        (corpus::recording("chainlock"), corpus::recording("quorum_info"), corpus::recording("block"))
    else {
        return;
    };
    let heights: HashMap<&str, u32> = blocks
        .iter()
        .map(|block| {
            let height = u32::try_from(block["height"].as_u64().unwrap()).unwrap();
            (block["hash"].as_str().unwrap(), height)
        })
        .collect();
    let acts: HashMap<String, Vec<QuorumEntry>> = infos.iter().fold(HashMap::new(), |mut acts, info| {
        let llmq_type = LlmqType::new(u8::try_from(info["llmq_type"].as_u64().unwrap()).unwrap());
        let mined = heights.get(info["result"]["minedBlock"].as_str().unwrap()).copied();
        assert!(mined.is_some());
        let entry = corpus::quorum(llmq_type, &info["result"], mined);
        acts.entry(info["act"].to_string()).or_default().push(entry);
        acts
    });
    assert_eq!(acts.len(), 2);
    assert_eq!(locks.len(), 13);
    for entries in acts.into_values() {
        let set = QuorumSet::from_node(entries).unwrap();
        for record in &locks {
            let lock = corpus::lock(record);
            let verified = verify_chain_lock(&lock, &set, REGTEST).unwrap();
            assert_eq!(u64::from(verified.height()), record["height"].as_u64().unwrap());
        }
    }
}

#[test]
fn hashes_and_encoding_of_block_939_are_the_recorded_ones() {
    let Some(vectors) = corpus::vectors() else { return };
    let lock = corpus::lock(&vectors["best"]);
    let message = "ab030000c33381fdee6d3547d2b1eafa130d825e0b3802ba48176febd37137d378799f519282d7c40ea403833ece4d86c\
                   dae2d53643a2a72db4d12b8bebcedc2434dad10a3014e45ae4c580315f6f3e28b121b6e12c3d7577177ba4320588a4e53\
                   64b845e9bbd945376700d71a28a9a918da147f0195e5226c293b4779515fc4c84e865a";
    assert_eq!(hex::encode(lock.to_bytes()), message);
    assert_eq!(ChainLock::parse(&hex::decode(message).unwrap()), Ok(lock));
    let quorum: QuorumHash = "285d4a0aa85ea3a3d320c75b140f0fc94fcb40d2c86a5929aaf9756a2191d3a0".parse().unwrap();
    assert_eq!(Txid(lock.request_id()).to_string(), "29c1ca25340fb66f30a67474ae880b19a5ccd7b16aaa8f12450d3b79a47f9c63");
    assert_eq!(
        hex::encode(lock.sign_hash(LlmqType::LLMQ_TEST, &quorum)),
        "59de82a2e57c336b6c0818b3490e4a4b8a7091c8448cb08a701af433244e8c81"
    );
    assert_eq!(
        Txid(lock.inventory_hash()).to_string(),
        "393d99d59f5d1337c4ad67fd341a4c5d41524b07b9ef297007606335d17dbdca"
    );
}

#[test]
fn zmq_bodies_split_into_the_locked_block_and_its_lock() {
    let Some(vectors) = corpus::vectors() else { return };
    let set = vector_set(&vectors);
    let mut bodies = 0;
    for part in vectors["rawchainlocksig_zmq"].as_array().unwrap().iter().flat_map(|message| {
        message.as_array().unwrap().iter().filter_map(Value::as_str).filter(|text| text.len() > 400)
    }) {
        let body = hex::decode(part).unwrap();
        let RawChainLock { block, lock } = RawChainLock::parse(&body).unwrap();
        assert_eq!(BlockHash(x11(&block[..80])), lock.block_hash);
        verify_chain_lock(&lock, &set, REGTEST).unwrap();
        bodies += 1;
    }
    assert_eq!(bodies, 2);
    let short = RawChainLock::parse(&[0; 211]).unwrap_err();
    assert!(matches!(short, LockError::Malformed(_)), "{short:?}");
}

#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let Some(vectors) = corpus::vectors() else { return };
    let set = vector_set(&vectors);
    let lock = corpus::lock(&vectors["best"]);
    let refused = |lock: ChainLock| match verify_chain_lock(&lock, &set, REGTEST) {
        Err(LockError::Unsigned { source, .. }) => source,
        other => panic!("{other:?}"),
    };
    let mismatch = SignerError::NoneMatches { llmq_type: LlmqType::LLMQ_TEST, tried: 1 };
    for bit in 0..31 {
        let height = lock.height ^ (1 << bit);
        assert_eq!(refused(ChainLock { height, ..lock }), mismatch, "height bit {bit}");
    }
    for bit in (0..256).step_by(5) {
        let mut block_hash = lock.block_hash;
        block_hash.0[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(refused(ChainLock { block_hash, ..lock }), mismatch, "hash bit {bit}");
    }
    for bit in 0..768 {
        let signature = flipped(&lock.signature, bit);
        match refused(ChainLock { signature, ..lock }) {
            SignerError::Signature { .. } => {}
            // The sign bit alone gives another point of the group.
            other => assert_eq!((other, bit), (mismatch, 5)),
        }
    }
}

#[test]
fn a_set_with_one_flipped_bit_refuses_the_lock() {
    let Some(vectors) = corpus::vectors() else { return };
    let lock = corpus::lock(&vectors["best"]);
    let entry = corpus::quorum(LlmqType::LLMQ_TEST, &vectors["quorums"][0], None);
    let refused = |entry: QuorumEntry| {
        let set = QuorumSet::from_node([entry]).unwrap();
        match verify_chain_lock(&lock, &set, REGTEST) {
            Err(LockError::Unsigned { height: 939, source }) => source,
            other => panic!("{other:?}"),
        }
    };
    for bit in (0..256).step_by(7) {
        let mut changed = entry.clone();
        changed.quorum_hash.0[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(refused(changed), SignerError::NoneMatches { tried: 1, .. }));
    }
    for bit in 0..384 {
        let mut changed = entry.clone();
        let mut key = *entry.public_key.as_bytes();
        key[bit / 8] ^= 1 << (bit % 8);
        changed.public_key = nodewright_dash::bls::PublicKey::new(key);
        match refused(changed) {
            SignerError::Key { source, .. } => assert_ne!(source, BlsError::Mismatch),
            other => assert!(matches!(other, SignerError::NoneMatches { .. }) && bit == 5, "{bit}"),
        }
    }
    let other_type = QuorumEntry { llmq_type: LlmqType::LLMQ_TEST_V17, ..entry };
    assert_eq!(refused(other_type), SignerError::NoQuorum { llmq_type: LlmqType::LLMQ_TEST });
}

#[test]
fn exactly_one_of_24_testnet_quorums_signed_block_905775() {
    let Some(testnet) = Testnet::load() else { return };
    let list = testnet.list();
    let verifying: Vec<QuorumHash> = list
        .quorum_set()
        .entries()
        .filter(|entry| entry.llmq_type == Network::Testnet.chain_lock_type())
        .inspect(|entry| assert_eq!(entry.index, None))
        .filter(|entry| {
            let alone = QuorumSet::from_node([(*entry).clone()]).unwrap();
            verify_chain_lock(&testnet.lock, &alone, Network::Testnet).is_ok()
        })
        .map(|entry| entry.quorum_hash)
        .collect();
    let verified = verify_chain_lock(&testnet.lock, &list.quorum_set(), Network::Testnet).unwrap();
    assert_eq!(verifying, [verified.quorum_hash()]);
    assert_eq!((verified.trust(), verified.choice()), (Trust::Checkpoint, Choice::Tried));
    assert_eq!(verified.height(), 905_775);
    let evidence = verified.evidence();
    assert_eq!(evidence.block().hash, verified.block_hash());
    assert_eq!((evidence.trust(), evidence.is_certificate()), (Trust::Checkpoint, true));
    assert_eq!(ChainLock::parse(evidence.bytes()).as_ref(), Ok(verified.chain_lock()));
    let locked = testnet.headers.last().unwrap().id(|bytes| x11(bytes));
    assert_eq!(verified.block_hash(), BlockHash(locked));
}

#[test]
fn the_protocols_choice_names_the_quorum_that_signed_on_testnet() {
    let Some(testnet) = Testnet::load() else { return };
    let list = testnet.list();
    let llmq_type = Network::Testnet.chain_lock_type();
    // All 24 were active at 905767; the exact heights they were mined at do not matter then.
    let entries: Vec<_> = list
        .quorum_set()
        .entries()
        .filter(|entry| entry.llmq_type == llmq_type)
        .map(|entry| QuorumEntry { mined_height: Some(905_750), ..entry.clone() })
        .collect();
    assert_eq!(entries.len(), 24);
    let set = QuorumSet::from_node(entries.clone()).unwrap().complete_at(905_767);
    let verified = verify_chain_lock(&testnet.lock, &set, Network::Testnet).unwrap();
    assert_eq!(verified.choice(), Choice::Selected);
    // A quorum other than the chosen one cannot step in.
    let chosen = verified.quorum_hash();
    let others = entries.into_iter().map(|mut entry| {
        if entry.quorum_hash == chosen {
            entry.quorum_hash.0[0] ^= 1;
        }
        entry
    });
    let set = QuorumSet::from_node(others).unwrap().complete_at(905_767);
    let refused = verify_chain_lock(&testnet.lock, &set, Network::Testnet).unwrap_err();
    assert!(matches!(refused, LockError::Unsigned { source: SignerError::Mismatch { .. }, .. }), "{refused:?}");
}

#[test]
fn the_lock_inside_testnet_block_905762_verifies_for_its_parent() {
    let Some(testnet) = Testnet::load() else { return };
    let list = testnet.list();
    let carried = CoinbaseLock::from_coinbase(&testnet.diff.coinbase).unwrap().unwrap();
    assert_eq!(carried.height, 905_761);
    let lock = carried.with_block(BlockHash(testnet.headers[0].prev));
    let set = list.quorum_set();
    verify_chain_lock(&lock, &set, Network::Testnet).unwrap();
    let wrong = carried.with_block(testnet.diff.block);
    let refused = verify_chain_lock(&wrong, &set, Network::Testnet).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "chainlock for height 905761: signature is not that of any of 24 llmq_50_60 quorums"
    );
}

#[test]
fn each_broken_field_of_a_reported_lock_has_its_own_error() {
    let good = json!({
        "blockhash": "51".repeat(32), "height": 939, "signature": "92".repeat(96),
        "known_block": true, "llmqType": 100,
    });
    let with = |field: &str, value: Value| {
        let mut report = good.clone();
        report[field] = value;
        serde_json::from_value::<ReportedLock>(report).unwrap().chain_lock(REGTEST)
    };
    assert_eq!(with("height", json!(939)).unwrap().height, 939);
    assert_eq!(with("height", json!(-1)), Err(LockError::NegativeHeight { height: -1 }));
    let high = i64::from(i32::MAX) + 1;
    assert_eq!(with("height", json!(high)), Err(LockError::HeightTooHigh { height: high }));
    assert!(matches!(with("blockhash", json!("51")), Err(LockError::HashText(_))));
    assert_eq!(with("signature", json!("92 ")), Err(LockError::SignatureText { text: "92 ".into() }));
    assert_eq!(
        with("llmqType", json!(1)),
        Err(LockError::WrongType { expected: LlmqType::LLMQ_TEST, found: LlmqType::LLMQ_50_60 })
    );
}

#[test]
fn each_broken_rule_of_a_message_has_its_own_error() {
    let mut bytes = [0x11; ChainLock::LEN];
    bytes[3] = 0xff;
    assert_eq!(
        ChainLock::parse(&bytes),
        Err(LockError::NegativeHeight { height: i32::from_le_bytes([0x11, 0x11, 0x11, 0xff]).into() })
    );
    for len in [0, 4, 36, 131, 133] {
        assert!(matches!(ChainLock::parse(&vec![0; len]), Err(LockError::Malformed(_))), "{len}");
    }
    let payload = |height: u32, distance: u8, signature: u8| {
        let payload = [&[3, 0][..], &height.to_le_bytes(), &[0; 64], &[distance], &[signature; 96], &[0; 8]];
        CoinbaseLock::from_coinbase(&small_chain::transaction(5, &payload.concat()))
    };
    assert_eq!(payload(10, 10, 1), Err(LockError::NegativeHeight { height: -1 }));
    assert_eq!(payload(10, 9, 1).unwrap().unwrap().height, 0);
    assert_eq!(payload(10, 0, 0), Ok(None));
    assert!(matches!(payload(10, 1, 0), Err(LockError::Malformed(ParseError::OutOfRange { .. }))));
    assert_eq!(CoinbaseLock::from_coinbase(&small_chain::coinbase(2, 10, [[0; 32]; 2])), Ok(None));
    let plain = small_chain::transaction(0, &[]);
    let refused = CoinbaseLock::from_coinbase(&plain).unwrap_err();
    assert!(matches!(refused, LockError::NotCoinbase { .. }), "{refused:?}");
    assert_ne!(request_id(1), request_id(256));
}
