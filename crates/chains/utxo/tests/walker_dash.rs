//! The walker on real Dash blocks: a recorded regtest network, beside its node's own JSON.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, unreachable_pub)]

mod corpus;

use std::collections::HashMap;

use nodewright_utxo::hash::{Txid, parse_reversed};
use nodewright_utxo::merkle::{MerkleError, PartialTree, root};
use nodewright_utxo::script::OpReturn;
use nodewright_utxo::special::{CbTx, FinalCommitment, Special};
use nodewright_utxo::tx::TxView;
use nodewright_utxo::walker::{BlockEnd, BlockWalker, Dialect};
use serde_json::Value;

#[test]
fn reads_every_recorded_block_as_its_node_did() {
    let Some(lines) = lines() else { return };
    let mut blocks = 0;
    let mut kinds = HashMap::<u16, u32>::new();
    for block in lines.iter().filter(|line| line["kind"] == "block") {
        let raw = bytes(&block["raw"]);
        let walker = BlockWalker::new(&raw, Dialect::Dash).unwrap();
        assert_eq!(walker.verify_merkle(), Ok(BlockEnd::Transactions), "{}", block["hash"]);
        let header = &block["header"];
        assert_eq!(walker.header().merkle_root, hash(&header["merkleroot"]));
        assert_eq!(walker.tx_count() as u64, header["nTx"].as_u64().unwrap());
        assert_eq!(u64::from(walker.header().time), header["time"].as_u64().unwrap());
        assert_eq!(u64::from(walker.header().nonce), header["nonce"].as_u64().unwrap());
        assert_eq!(format!("{:08x}", walker.header().bits), header["bits"]);
        for (index, tx) in walker.enumerate() {
            let tx = tx.unwrap();
            assert_eq!(tx.is_coinbase(), index == 0);
            let Some((kind, payload)) = tx.special() else { continue };
            *kinds.entry(kind).or_default() += 1;
            match Special::parse(kind, payload).unwrap() {
                Special::CbTx(cbtx) => assert_eq!(u64::from(cbtx.height), block["height"].as_u64().unwrap()),
                Special::QuorumCommitment(payload) => {
                    assert_eq!(u64::from(payload.height), block["height"].as_u64().unwrap());
                    assert_eq!(FinalCommitment::parse(payload.commitment.as_bytes()), Ok(payload.commitment));
                }
                Special::Unknown { kind, .. } => panic!("type {kind}"),
                _ => {}
            }
        }
        blocks += 1;
    }
    assert!(blocks > 1_000, "{blocks} blocks");
    assert!(kinds[&1] >= 3 && kinds[&5] > 900 && kinds[&6] > 100, "{kinds:?}");
}

#[test]
fn reads_what_the_node_printed_in_full() {
    let Some(lines) = lines() else { return };
    let raw: HashMap<&str, Vec<u8>> = lines
        .iter()
        .filter(|line| line["kind"] == "block")
        .map(|line| (line["hash"].as_str().unwrap(), bytes(&line["raw"])))
        .collect();
    let (mut txs, mut locks) = (0, 0);
    for snapshot in lines.iter().filter(|line| line["kind"] == "snapshot") {
        for verbose in snapshot["recent_verbose"].as_array().unwrap() {
            let walker = BlockWalker::new(&raw[verbose["hash"].as_str().unwrap()], Dialect::Dash).unwrap();
            let printed = verbose["tx"].as_array().unwrap();
            assert_eq!(walker.tx_count(), printed.len());
            for (ours, theirs) in walker.zip(printed) {
                assert_same(&ours.unwrap(), theirs);
                txs += 1;
            }
            if let Some(cbtx) = verbose.get("cbTx") {
                let mut walker = BlockWalker::new(&raw[verbose["hash"].as_str().unwrap()], Dialect::Dash).unwrap();
                let (_, payload) = walker.next_tx().unwrap().unwrap().special().unwrap();
                locks += u32::from(assert_same_cbtx(&CbTx::parse(payload).unwrap(), cbtx));
            }
        }
    }
    assert!(txs > 100 && locks > 10, "{txs} transactions, {locks} locks");
}

#[test]
fn reads_the_memos_of_the_recorded_transactions() {
    let Some(lines) = lines() else { return };
    let mut memos = HashMap::new();
    for line in lines.iter().filter(|line| line["kind"] == "tx") {
        let raw = bytes(&line["raw"]);
        let tx = TxView::parse(&raw, Dialect::Dash).unwrap();
        assert_eq!(tx.txid().to_string(), line["txid"]);
        let memo = tx.outputs().find_map(|output| OpReturn::parse(output.script).unwrap().map(|memo| memo.to_vec()));
        memos.insert(line["case"].as_str().unwrap().to_owned(), memo);
    }
    assert_eq!(memos["no memo"], None);
    assert_eq!(memos["not to the vault"], Some(b"=:BTC.BTC:nobody".to_vec()));
    assert_eq!(memos["not UTF-8 memo"], Some(vec![0xff, 0xfe, 0x00, 0xc3]));
    assert_eq!(memos["80 byte memo"].as_ref().map(Vec::len), Some(80));
    assert_eq!(memos["mined on the losing branch only"], Some(b"=:BTC.BTC:lostonreorg".to_vec()));
}

#[test]
fn finds_the_chain_locks_that_coinbases_carry() {
    let Some(vectors) = vectors() else { return };
    let mut carried = HashMap::new();
    for block in vectors["blocks"].as_array().unwrap().iter().chain(vectors["conflicting_branch"].as_array().unwrap()) {
        let raw = bytes(&block["raw"]);
        let mut walker = BlockWalker::new(&raw, Dialect::Dash).unwrap().checked();
        let (_, coinbase) = walker.next_tx().unwrap().unwrap();
        walker.finish().unwrap();
        let (kind, payload) = coinbase.special().unwrap();
        let Special::CbTx(cbtx) = Special::parse(kind, payload).unwrap() else { panic!("type {kind}") };
        assert_eq!(u64::from(cbtx.height), block["height"].as_u64().unwrap());
        if block.get("cbtx_version").is_some() {
            assert_eq!(u64::from(cbtx.version), block["cbtx_version"].as_u64().unwrap());
            carried.insert(format!("coinbase of {}", cbtx.height), cbtx);
        }
    }
    let locks = vectors["chainlocks"].as_array().unwrap();
    assert_eq!(locks.len(), 7);
    for lock in locks {
        let cbtx = carried[lock["source"].as_str().unwrap()];
        assert_eq!(cbtx.locked_height().map(u64::from), lock["height"].as_u64());
        let best = cbtx.best_chain_lock.unwrap();
        assert_eq!(u64::from(best.height_diff), lock["diff"].as_u64().unwrap());
        assert_eq!(hex::encode(best.signature), lock["signature"]);
    }
}

#[test]
fn proves_a_coinbase_and_the_quorums_it_commits_to() {
    let Some(vectors) = vectors() else { return };
    let diff = &vectors["protx_diff_1_tip"];
    let blocks = vectors["blocks"].as_array().unwrap();
    let tip = blocks.iter().find(|block| block["hash"] == diff["blockHash"]).unwrap();
    let tip = bytes(&tip["raw"]);
    let header = *BlockWalker::new(&tip, Dialect::Dash).unwrap().header();

    let coinbase = bytes(&diff["cbTx"]);
    let coinbase = TxView::parse(&coinbase, Dialect::Dash).unwrap();
    let tree = bytes(&diff["cbTxMerkleTree"]);
    let proof = PartialTree::parse(&tree).unwrap().matches().unwrap();
    assert_eq!(proof.root, header.merkle_root);
    assert_eq!(proof.leaves, [(0, coinbase.txid().0)]);
    let cbtx = CbTx::parse(coinbase.special().unwrap().1).unwrap();
    assert_eq!(cbtx.merkle_root_quorums, Some(hash(&diff["merkleRootQuorums"])));
    assert_eq!(cbtx.merkle_root_mn_list, hash(&diff["merkleRootMNList"]));

    // Every commitment that the listed quorums were mined with, from the blocks themselves.
    let listed = diff["newQuorums"].as_array().unwrap();
    let mut found = HashMap::new();
    for block in blocks {
        let raw = bytes(&block["raw"]);
        for tx in BlockWalker::new(&raw, Dialect::Dash).unwrap() {
            let tx = tx.unwrap();
            let Some((kind, payload)) = tx.special() else { continue };
            let Special::QuorumCommitment(payload) = Special::parse(kind, payload).unwrap() else { continue };
            let ours = payload.commitment;
            for theirs in listed.iter().filter(|quorum| {
                hash(&quorum["quorumHash"]) == ours.quorum_hash
                    && quorum["llmqType"] == ours.llmq_type
                    && !ours.is_null()
            }) {
                assert_same_commitment(&ours, theirs);
                found.insert((ours.llmq_type, ours.quorum_hash), ours.hash());
            }
        }
    }
    assert_eq!(found.len(), listed.len());
    let mut leaves: Vec<_> = found.into_values().collect();
    leaves.sort_unstable();
    assert_eq!(root(leaves).ok(), cbtx.merkle_root_quorums);
}

#[test]
fn notices_a_changed_or_repeated_transaction() {
    let Some(vectors) = vectors() else { return };
    let raw = bytes(&vectors["blocks"][34]["raw"]);
    let clean = BlockWalker::new(&raw, Dialect::Dash).unwrap();
    assert!(clean.verify_merkle().is_ok());
    // The last byte of the block belongs to the last transaction.
    let mut edited = raw.clone();
    *edited.last_mut().unwrap() ^= 1;
    let walker = BlockWalker::new(&edited, Dialect::Dash).unwrap();
    assert!(matches!(walker.verify_merkle(), Err(MerkleError::Mismatch { .. })));

    let txs: Vec<_> = clean.clone().map(|tx| tx.unwrap().raw()).collect();
    let mut repeated = raw[..80].to_vec();
    repeated.push(u8::try_from(txs.len() * 2).unwrap());
    repeated.extend(txs.concat());
    repeated.extend(txs.concat());
    let walker = BlockWalker::new(&repeated, Dialect::Dash).unwrap();
    assert!(walker.clone().finish().is_ok());
    assert_eq!(txs.len(), 1);
    assert_eq!(walker.verify_merkle(), Err(MerkleError::Duplicate { level: 0 }));
}

fn assert_same(ours: &TxView<'_>, theirs: &Value) {
    assert_eq!(ours.txid().to_string(), theirs["txid"]);
    assert_eq!(hex::encode(ours.raw()), theirs["hex"]);
    assert_eq!(i64::from(ours.version()), theirs["version"].as_i64().unwrap());
    assert_eq!(u64::from(ours.lock_time()), theirs["locktime"].as_u64().unwrap());
    assert_eq!(ours.special().map_or(0, |(kind, _)| u64::from(kind)), theirs["type"].as_u64().unwrap());
    assert_eq!(ours.special().map(|(_, payload)| hex::encode(payload)).as_deref(), theirs["extraPayload"].as_str());
    let outputs = theirs["vout"].as_array().unwrap();
    assert_eq!(ours.outputs().len(), outputs.len());
    for (ours, theirs) in ours.outputs().zip(outputs) {
        assert_eq!(u64::from(ours.index), theirs["n"].as_u64().unwrap());
        assert_eq!(ours.value, theirs["valueSat"].as_u64().unwrap());
        assert_eq!(hex::encode(ours.script), theirs["scriptPubKey"]["hex"]);
    }
    let inputs = theirs["vin"].as_array().unwrap();
    assert_eq!(ours.inputs().len(), inputs.len());
    for (ours, theirs) in ours.inputs().zip(inputs) {
        assert_eq!(u64::from(ours.sequence), theirs["sequence"].as_u64().unwrap());
        match theirs.get("coinbase") {
            Some(text) => assert_eq!(hex::encode(ours.script_sig), *text),
            None => {
                assert_eq!(ours.previous.txid.to_string(), theirs["txid"]);
                assert_eq!(u64::from(ours.previous.index), theirs["vout"].as_u64().unwrap());
                assert_eq!(hex::encode(ours.script_sig), theirs["scriptSig"]["hex"]);
            }
        }
    }
}

/// Compares with the node's JSON and returns whether there is a ChainLock.
fn assert_same_cbtx(ours: &CbTx, theirs: &Value) -> bool {
    assert_eq!(u64::from(ours.version), theirs["version"].as_u64().unwrap());
    assert_eq!(u64::from(ours.height), theirs["height"].as_u64().unwrap());
    assert_eq!(ours.merkle_root_mn_list, hash(&theirs["merkleRootMNList"]));
    assert_eq!(ours.merkle_root_quorums, theirs.get("merkleRootQuorums").map(hash));
    if ours.version >= 3 {
        let balance = theirs["creditPoolBalance"].as_f64().unwrap();
        assert_eq!(ours.credit_pool_balance.unwrap() as f64, (balance * 1e8).round());
        let signature = ours.best_chain_lock.map_or([0; 96], |lock| lock.signature);
        assert_eq!(hex::encode(signature), theirs["bestCLSignature"]);
        let diff = ours.best_chain_lock.map_or(0, |lock| lock.height_diff);
        assert_eq!(u64::from(diff), theirs["bestCLHeightDiff"].as_u64().unwrap());
    }
    ours.best_chain_lock.is_some()
}

fn assert_same_commitment(ours: &FinalCommitment<'_>, theirs: &Value) {
    assert_eq!(u64::from(ours.version), theirs["version"].as_u64().unwrap());
    assert_eq!(i64::from(ours.quorum_index.unwrap_or_default()), theirs["quorumIndex"].as_i64().unwrap());
    assert_eq!(ours.signers.count_ones() as u64, theirs["signersCount"].as_u64().unwrap());
    assert_eq!(hex::encode(ours.signers.as_bytes()), theirs["signers"]);
    assert_eq!(hex::encode(ours.valid_members.as_bytes()), theirs["validMembers"]);
    assert_eq!(hex::encode(ours.public_key), theirs["quorumPublicKey"]);
    assert_eq!(Txid(ours.vvec_hash).to_string(), theirs["quorumVvecHash"]);
    assert_eq!(hex::encode(ours.quorum_signature), theirs["quorumSig"]);
    assert_eq!(hex::encode(ours.members_signature), theirs["membersSig"]);
}

fn lines() -> Option<Vec<Value>> {
    let text = corpus::file("dash-regtest/recording.jsonl")?;
    Some(
        text.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect(),
    )
}

fn vectors() -> Option<Value> {
    Some(serde_json::from_slice(&corpus::file("dash-regtest/vectors.json")?).unwrap())
}

fn bytes(text: &Value) -> Vec<u8> {
    hex::decode(text.as_str().unwrap()).unwrap()
}

fn hash(text: &Value) -> [u8; 32] {
    parse_reversed(text.as_str().unwrap()).unwrap()
}
