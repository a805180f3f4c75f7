//! The walker beside the `bitcoin` crate: mainnet block 702861, and random transactions.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, unreachable_pub)]

mod corpus;

use bitcoin::absolute::LockTime;
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use nodewright_utxo::hash::{parse_reversed, sha256d};
use nodewright_utxo::script::{OpReturn, ScriptKind, classify};
use nodewright_utxo::tx::TxView;
use nodewright_utxo::walker::{BlockEnd, BlockWalker, Dialect};

#[test]
fn reads_block_702861_as_the_bitcoin_crate_does() {
    let raw = bitcoin_test_data::blocks::mainnet_702861();
    let block: bitcoin::Block = deserialize(raw).unwrap();
    let mut walker = BlockWalker::new(raw, Dialect::Bitcoin).unwrap();
    assert_eq!(walker.header().id(|bytes| sha256d(bytes)), block.block_hash().to_byte_array());
    assert_eq!(walker.tx_count(), 2_500);
    for expected in &block.txdata {
        assert_same(&walker.next_tx().unwrap().unwrap(), expected);
    }
    assert!(walker.next_tx().unwrap().is_none());
    assert_eq!(walker.verify_merkle(), Ok(BlockEnd::Transactions));
    assert_eq!(walker.finish(), Ok(BlockEnd::Transactions));
}

#[test]
fn reads_the_testnet_block_of_the_corpus_as_the_bitcoin_crate_does() {
    // It lies among the Dash files, but its witnesses and the hash in its name show that it is Bitcoin's.
    let id = "000000000000045e0b1660b6445b5e5c5ab63c9a4f956be7e1e69be04fa4497b";
    let Some(raw) = corpus::file(&format!("dash/testnet_block_{id}.raw")) else { return };
    let block: bitcoin::Block = deserialize(&raw).unwrap();
    let walker = BlockWalker::new(&raw, Dialect::Bitcoin).unwrap();
    assert_eq!(walker.header().id(|bytes| sha256d(bytes)), parse_reversed(id).unwrap());
    assert_eq!(walker.verify_merkle(), Ok(BlockEnd::Transactions));
    assert!(walker.tx_count() > 1 && walker.tx_count() == block.txdata.len());
    for (ours, theirs) in walker.zip(&block.txdata) {
        assert_same(&ours.unwrap(), theirs);
    }
}

#[test]
fn classifies_the_scripts_of_block_702861_as_the_bitcoin_crate_does() {
    let raw = bitcoin_test_data::blocks::mainnet_702861();
    let mut seen = std::collections::HashMap::<_, u32>::new();
    for tx in BlockWalker::new(raw, Dialect::Bitcoin).unwrap() {
        for output in tx.unwrap().outputs() {
            let script = bitcoin::Script::from_bytes(output.script);
            let kind = classify(output.script);
            let (name, same) = match kind {
                ScriptKind::P2pkh(hash) => ("p2pkh", script.is_p2pkh() && script.as_bytes()[3..23] == hash),
                ScriptKind::P2sh(hash) => ("p2sh", script.is_p2sh() && script.as_bytes()[2..22] == hash),
                ScriptKind::P2wpkh(hash) => ("p2wpkh", script.is_p2wpkh() && script.as_bytes()[2..] == hash),
                ScriptKind::P2wsh(hash) => ("p2wsh", script.is_p2wsh() && script.as_bytes()[2..] == hash),
                ScriptKind::P2tr(key) => ("p2tr", script.is_p2tr() && script.as_bytes()[2..] == key),
                ScriptKind::OpReturn => {
                    let pushed: Vec<u8> = OpReturn::parse(output.script).unwrap().unwrap().to_vec();
                    let theirs = script
                        .instructions()
                        .skip(1)
                        .map(|part| part.unwrap().push_bytes().unwrap().as_bytes().to_vec());
                    ("op_return", script.is_op_return() && pushed == theirs.collect::<Vec<_>>().concat())
                }
                _ => ("other", !script.is_p2pkh() && !script.is_p2sh() && !script.is_op_return()),
            };
            assert!(same, "{kind:?} of {script:?}");
            *seen.entry(name).or_default() += 1;
        }
    }
    // A table that would be the same if nothing were recognised would prove nothing.
    assert!(seen["p2pkh"] > 1_000 && seen["p2sh"] > 1_000 && seen["p2wpkh"] > 1_000, "{seen:?}");
    assert!(seen["p2wsh"] > 10 && seen["op_return"] > 10, "{seen:?}");
}

#[test]
fn reads_random_transactions_as_the_bitcoin_crate_does() {
    let mut random = fastrand::Rng::with_seed(702_861);
    for _ in 0..5_000 {
        let tx = random_tx(&mut random);
        let bytes = serialize(&tx);
        assert_same(&TxView::parse(&bytes, Dialect::Bitcoin).unwrap(), &tx);
        assert_same(&TxView::parse(&bytes, Dialect::Litecoin).unwrap(), &tx);
    }
}

#[test]
fn accepts_and_refuses_damaged_transactions_as_the_bitcoin_crate_does() {
    let mut random = fastrand::Rng::with_seed(3);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..60_000 {
        let mut bytes = serialize(&random_tx(&mut random));
        for _ in 0..random.usize(1..3) {
            match random.u8(0..8) {
                0 => bytes.truncate(random.usize(0..=bytes.len())),
                1 => bytes.push(random.u8(..)),
                2 => bytes.insert(random.usize(0..=bytes.len()), 0),
                _ if bytes.is_empty() => {}
                _ => {
                    let at = random.usize(0..bytes.len());
                    bytes[at] = if random.bool() { random.u8(..) } else { random.choice([0, 1, 0xfd, 0xff]).unwrap() };
                }
            }
        }
        let theirs = deserialize::<Transaction>(&bytes);
        match (TxView::parse(&bytes, Dialect::Bitcoin), theirs) {
            (Ok(ours), Ok(theirs)) => {
                assert_same(&ours, &theirs);
                accepted += 1;
            }
            (Err(_), Err(_)) => refused += 1,
            // Stricter than the crate on purpose: a value no ledger can hold; a witness flag without any input, which
            // Bitcoin Core refuses as superfluous.
            (Err(_), Ok(theirs)) => assert!(
                theirs.input.is_empty()
                    || theirs.output.iter().any(|output| i64::try_from(output.value.to_sat()).is_err()),
                "{theirs:?}"
            ),
            (Ok(ours), Err(error)) => panic!("only we accept {}: {error}, {ours:?}", hex::encode(&bytes)),
        }
    }
    assert!(accepted > 10_000 && refused > 10_000, "{accepted} accepted, {refused} refused");
}

fn assert_same(ours: &TxView<'_>, theirs: &Transaction) {
    assert_eq!(ours.txid().0, theirs.compute_txid().to_byte_array());
    assert_eq!(ours.version(), theirs.version.0);
    assert_eq!(ours.lock_time(), theirs.lock_time.to_consensus_u32());
    assert_eq!(ours.is_coinbase(), theirs.is_coinbase());
    assert_eq!(ours.has_witness(), theirs.input.iter().any(|input| !input.witness.is_empty()));
    assert_eq!(ours.raw(), serialize(theirs));
    assert_eq!(ours.special(), None);
    assert_eq!(ours.inputs().len(), theirs.input.len());
    for (ours, theirs) in ours.inputs().zip(&theirs.input) {
        assert_eq!(ours.previous.txid.0, theirs.previous_output.txid.to_byte_array());
        assert_eq!(ours.previous.index, theirs.previous_output.vout);
        assert_eq!(ours.script_sig, theirs.script_sig.as_bytes());
        assert_eq!(ours.sequence, theirs.sequence.0);
    }
    assert_eq!(ours.outputs().len(), theirs.output.len());
    for (index, (ours, theirs)) in ours.outputs().zip(&theirs.output).enumerate() {
        assert_eq!(usize::try_from(ours.index).unwrap(), index);
        assert_eq!(ours.value, theirs.value.to_sat());
        assert_eq!(ours.script, theirs.script_pubkey.as_bytes());
    }
}

fn random_tx(random: &mut fastrand::Rng) -> Transaction {
    // Most scripts are short, and some need each longer form of their length.
    let size = |random: &mut fastrand::Rng| match random.u32(0..200) {
        0 => random.usize(65_500..66_000),
        1..=5 => random.usize(240..270),
        6..=25 => random.usize(0..253),
        _ => random.usize(0..40),
    };
    let bytes = |random: &mut fastrand::Rng| -> Vec<u8> { (0..size(random)).map(|_| random.u8(..)).collect() };
    let with_witness = random.bool();
    let input = (0..random.usize(1..4))
        .map(|_| TxIn {
            previous_output: OutPoint {
                txid: Txid::from_byte_array(core::array::from_fn(|_| random.u8(..))),
                vout: random.u32(..),
            },
            script_sig: ScriptBuf::from_bytes(bytes(random)),
            sequence: Sequence(random.u32(..)),
            witness: if with_witness {
                Witness::from_slice(&(0..random.usize(0..4)).map(|_| bytes(random)).collect::<Vec<_>>())
            } else {
                Witness::new()
            },
        })
        .collect();
    let output = (0..random.usize(0..4))
        .map(|_| TxOut {
            value: Amount::from_sat(random.u64(..) >> 1),
            script_pubkey: ScriptBuf::from_bytes(bytes(random)),
        })
        .collect();
    Transaction { version: Version(random.i32(..)), lock_time: LockTime::from_consensus(random.u32(..)), input, output }
}
