//! Masternode lists: the real testnet list, the node's JSON form, every rule broken once.

use nodewright_core::{BlockHash, Trust};
use nodewright_dash::bls::BlsError;
use nodewright_dash::chainlock::verify_chain_lock;
use nodewright_dash::mnlist::{
    CertifiedHeader, CommitmentCount, HeaderError, MasternodeDetails, MasternodeList, MnListDiff, MnListError,
    ProtxDiff, Scheme, VerifiedList,
};
use nodewright_dash::quorum::{LlmqType, Network, QuorumHash};
use nodewright_utxo::bytes::ParseError;
use nodewright_utxo::hash::{Txid, parse_reversed};
use nodewright_utxo::merkle::MerkleError;
use serde_json::{Value, json};

use crate::corpus::{self, Testnet, flipped};
use crate::small_chain::{self, Block, Quorum, masternode};

#[test]
fn the_testnet_list_has_the_roots_of_its_coinbase() {
    let Some(testnet) = Testnet::load() else { return };
    let list = testnet.list();
    assert_eq!(list.list().masternodes().len(), 515);
    assert_eq!(list.list().quorums().len(), 109);
    assert_eq!((list.height(), list.trust()), (905_762, Trust::Checkpoint));
    assert_eq!(list.block(), testnet.diff.block);
    let evo = |details: &MasternodeDetails| matches!(details, MasternodeDetails::Evo { .. });
    assert_eq!(list.list().masternodes().filter(|entry| evo(&entry.details)).count(), 38);
}

#[test]
fn a_parsed_list_is_written_back_byte_by_byte() {
    let Some(testnet) = Testnet::load() else { return };
    assert!(testnet.diff.to_bytes() == testnet.diff_bytes);
}

#[test]
fn all_basic_commitments_of_the_testnet_list_are_signed_by_their_quorums() {
    let Some(testnet) = Testnet::load() else { return };
    let count = testnet.diff.verify_commitments().unwrap();
    assert_eq!(count, CommitmentCount { verified: 104, legacy: 5 });
}

#[test]
fn a_lock_leads_back_to_the_list_it_was_verified_with() {
    let Some(testnet) = Testnet::load() else { return };
    let set = testnet.list().quorum_set();
    let lock = verify_chain_lock(&testnet.lock, &set, Network::Testnet).unwrap();
    let header = CertifiedHeader::under_lock(&testnet.headers, &lock).unwrap();
    assert_eq!((header.block(), header.trust()), (testnet.diff.block, Trust::Checkpoint));
    VerifiedList::verify(&testnet.base, &testnet.diff, &header).unwrap();

    let mut broken = testnet.headers.clone();
    broken[3].nonce ^= 1;
    assert_eq!(CertifiedHeader::under_lock(&broken, &lock), Err(HeaderError::BrokenLink { at: 3 }));
    let short = &testnet.headers[..13];
    let refused = CertifiedHeader::under_lock(short, &lock).unwrap_err();
    assert!(matches!(refused, HeaderError::WrongId { .. }), "{refused:?}");
    assert_eq!(CertifiedHeader::under_lock(&[], &lock), Err(HeaderError::EmptyPath));
    let refused = CertifiedHeader::anchor(&broken[3], testnet.diff.block).unwrap_err();
    assert!(matches!(refused, HeaderError::WrongId { .. }), "{refused:?}");
}

#[test]
fn a_rewritten_key_in_the_testnet_list_changes_its_root() {
    let Some(testnet) = Testnet::load() else { return };
    let header = CertifiedHeader::anchor(&testnet.headers[0], testnet.diff.block).unwrap();
    let mut diff = testnet.diff.clone();
    diff.new_quorums[50].public_key = diff.new_quorums[51].public_key;
    let refused = VerifiedList::verify(&testnet.base, &diff, &header).unwrap_err();
    assert!(matches!(refused, MnListError::QuorumRoot { .. }), "{refused:?}");
    let mut diff = testnet.diff.clone();
    diff.updated_masternodes[50].operator_key = diff.updated_masternodes[51].operator_key;
    let refused = VerifiedList::verify(&testnet.base, &diff, &header).unwrap_err();
    assert!(matches!(refused, MnListError::MasternodeRoot { .. }), "{refused:?}");
}

fn protx_diff(vectors: &Value) -> Value {
    vectors["protx_diff_1_tip"].clone()
}

#[test]
fn the_nodes_json_diff_has_the_roots_of_its_coinbase() {
    let Some(vectors) = corpus::vectors() else { return };
    let json = protx_diff(&vectors);
    let diff: ProtxDiff = serde_json::from_value(json.clone()).unwrap();
    let diff = MnListDiff::try_from(&diff).unwrap();
    assert_eq!(diff.verify_commitments(), Ok(CommitmentCount { verified: 2, legacy: 0 }));
    let tip = vectors["blocks"].as_array().unwrap().last().unwrap();
    let checkpoint = corpus::block_hash(tip["hash"].as_str().unwrap());
    let header = CertifiedHeader::anchor(&corpus::header(&tip["raw"]), checkpoint).unwrap();
    let base = MasternodeList::empty(diff.base_block);
    let list = VerifiedList::verify(&base, &diff, &header).unwrap();
    assert_eq!(list.height(), 939);
    let stated = |name: &str| parse_reversed(json[name].as_str().unwrap()).unwrap();
    assert_eq!(list.list().masternode_root(), Ok(stated("merkleRootMNList")));
    assert_eq!(list.list().quorum_root(), Ok(stated("merkleRootQuorums")));
    assert_eq!(list.list().node_quorum_set().trust(), Trust::NodeSet);
    for lock in corpus::vector_locks(&vectors) {
        let verified = verify_chain_lock(&lock, &list.quorum_set(), Network::Regtest).unwrap();
        assert_eq!(verified.trust(), Trust::Checkpoint);
    }
}

#[test]
fn each_unreadable_field_of_a_json_diff_is_named() {
    let Some(vectors) = corpus::vectors() else { return };
    let with = |pointer: &str, value: Value| {
        let mut json = protx_diff(&vectors);
        *json.pointer_mut(pointer).unwrap() = value;
        let diff: ProtxDiff = serde_json::from_value(json).unwrap();
        MnListDiff::try_from(&diff).map(|_| ()).unwrap_err().to_string()
    };
    let long = "0".repeat(9);
    assert_eq!(with("/blockHash", json!("12")), "blockHash: a hash has 64 hex digits, not 2");
    assert_eq!(with("/cbTx", json!("1")), "cbTx is not hex of the right length: \"1\"");
    assert!(with("/cbTx", json!("03000500")).starts_with("malformed diff: "));
    assert!(with("/cbTxMerkleTree", json!("01000000")).starts_with("malformed diff: "));
    assert_eq!(
        with("/mnList/0/service", json!("localhost:1")),
        "service \"localhost:1\" is not an IP address with a port"
    );
    assert_eq!(
        with("/mnList/0/votingAddress", json!("yTKJmFJCA8wvh1wXYRJSYzyQcSA2PmKTkn")),
        "voting address \"yTKJmFJCA8wvh1wXYRJSYzyQcSA2PmKTkn\" is not valid"
    );
    assert!(with("/mnList/0/nVersion", json!(3)).ends_with("has version 3 and type 0"));
    assert!(with("/newQuorums/0/version", json!(9)).ends_with("llmq_test and version 9"));
    assert!(with("/newQuorums/0/llmqType", json!(99)).ends_with("llmq type 99 and version 3"));
    assert!(with("/newQuorums/0/signers", json!("0f")).ends_with("signers do not fit the type's size"));
    assert!(with("/newQuorums/0/validMembers", json!("0707")).contains("validMembers"));
    assert!(with("/newQuorums/0/quorumSig", json!(long)).starts_with("quorumSig is not hex"));
}

#[test]
fn evo_masternodes_are_the_same_in_json_and_binary() {
    let Some(vectors) = corpus::vectors() else { return };
    let mut json = protx_diff(&vectors);
    let entry = &mut json["mnList"][0];
    entry["nVersion"] = json!(2);
    entry["nType"] = json!(1);
    entry["service"] = json!("[2001:db8::1]:19999");
    entry["platformHTTPPort"] = json!(443);
    entry["platformNodeID"] = json!("00112233445566778899aabbccddeeff01234567");
    let diff: ProtxDiff = serde_json::from_value(json).unwrap();
    let diff = MnListDiff::try_from(&diff).unwrap();
    let entry = &diff.updated_masternodes[0];
    let MasternodeDetails::Evo { platform_http_port, platform_node_id } = entry.details else { panic!("{entry:?}") };
    assert_eq!((platform_http_port, platform_node_id[0], platform_node_id[19]), (443, 0x67, 0));
    assert_eq!((entry.address[0], entry.port), (0x20, 19_999));
    assert_eq!(MnListDiff::parse(&diff.to_bytes()), Ok(diff));
}

#[test]
fn trust_rolls_from_one_checkpoint_over_locked_blocks() {
    let genesis = MasternodeList::empty(BlockHash([9; 32]));
    let quorums: Vec<_> = (1..=3).map(|seed| Quorum::new(LlmqType::LLMQ_TEST, seed)).collect();
    let first = Block::commit(&genesis, BlockHash([9; 32]), 1_000, |diff| {
        diff.updated_masternodes.extend((1..=7).map(masternode));
        diff.new_quorums.push(quorums[0].commitment.clone());
    });
    let mut list = VerifiedList::verify(&genesis, &first.diff, &first.anchored()).unwrap();
    let mut tip = first.id();
    for (step, quorum) in quorums.iter().enumerate().skip(1) {
        let height = 1_000 + 24 * u32::try_from(step).unwrap();
        let seed = u8::try_from(step).unwrap();
        let block = Block::commit(list.list(), tip, height.try_into().unwrap(), |diff| {
            diff.deleted_masternodes.push(Txid([seed; 32]));
            diff.updated_masternodes.push(masternode(100 + seed));
            let old = &quorums[step - 1].commitment;
            diff.deleted_quorums.push((old.llmq_type, old.quorum_hash));
            diff.new_quorums.push(quorum.commitment.clone());
        });
        // The next block is locked, by the quorum of the list before.
        let child = small_chain::header(block.id(), b"any transaction");
        let lock = quorums[step - 1].lock(height + 1, small_chain::id(&child));
        let lock = verify_chain_lock(&lock, &list.quorum_set(), Network::Regtest).unwrap();
        assert_eq!(lock.trust(), Trust::Checkpoint);
        let header = CertifiedHeader::under_lock(&[block.header, child], &lock).unwrap();
        let next = list.next(&block.diff, &header).unwrap();
        assert_eq!(next.trust(), Trust::Checkpoint);
        // What the old quorum signs does not count any more.
        let late = quorums[step - 1].lock(height + 50, block.id());
        assert!(verify_chain_lock(&late, &next.quorum_set(), Network::Regtest).is_err());
        (list, tip) = (next, small_chain::id(&child));
    }
    assert_eq!(list.height(), 1_048);
    assert_eq!(list.list().masternodes().len(), 7);
}

#[test]
fn a_list_under_a_lock_of_the_nodes_set_is_no_better_than_that_set() {
    let genesis = MasternodeList::empty(BlockHash([9; 32]));
    let quorum = Quorum::new(LlmqType::LLMQ_TEST, 1);
    let block = Block::commit(&genesis, BlockHash([9; 32]), 1_000, |diff| {
        diff.new_quorums.push(quorum.commitment.clone());
    });
    let set = genesis.apply(&block.diff).unwrap().node_quorum_set();
    let lock = quorum.lock(1_000, block.id());
    let lock = verify_chain_lock(&lock, &set, Network::Regtest).unwrap();
    let header = CertifiedHeader::under_lock(&[block.header], &lock).unwrap();
    let list = VerifiedList::verify(&genesis, &block.diff, &header).unwrap();
    assert_eq!((list.trust(), list.quorum_set().trust()), (Trust::NodeSet, Trust::NodeSet));
}

/// A base with masternodes 1 to 3 and quorum 1, and a block that changes it.
fn base_and_block() -> (MasternodeList, Block) {
    let genesis = MasternodeList::empty(BlockHash([9; 32]));
    let first = Block::commit(&genesis, BlockHash([9; 32]), 1_000, |diff| {
        diff.updated_masternodes.extend((1..=3).map(masternode));
        diff.new_quorums.push(Quorum::new(LlmqType::LLMQ_TEST, 1).commitment);
    });
    let base = genesis.apply(&first.diff).unwrap();
    let block = Block::commit(&base, first.id(), 1_024, |diff| {
        diff.deleted_masternodes.push(Txid([1; 32]));
        diff.updated_masternodes.push(masternode(4));
        diff.new_quorums.push(Quorum::new(LlmqType::LLMQ_TEST, 2).commitment);
    });
    (base, block)
}

#[test]
fn each_broken_rule_of_a_diff_has_its_own_error() {
    let (base, block) = base_and_block();
    let header = block.anchored();
    VerifiedList::verify(&base, &block.diff, &header).unwrap();
    let refused = |change: &dyn Fn(&mut MnListDiff)| {
        let mut diff = block.diff.clone();
        change(&mut diff);
        VerifiedList::verify(&base, &diff, &header).unwrap_err()
    };
    let quorum = |seed| Quorum::new(LlmqType::LLMQ_TEST, seed).commitment;
    let llmq_type = LlmqType::LLMQ_TEST;

    assert_eq!(
        refused(&|diff| diff.block = BlockHash([1; 32])),
        MnListError::WrongBlock { expected: block.id(), found: BlockHash([1; 32]) }
    );
    assert_eq!(
        refused(&|diff| diff.base_block = BlockHash([1; 32])),
        MnListError::WrongBase { expected: base.block(), found: BlockHash([1; 32]) }
    );
    assert_eq!(
        refused(&|diff| diff.deleted_masternodes.push(Txid([77; 32]))),
        MnListError::UnknownMasternode { pro_reg_tx: Txid([77; 32]) }
    );
    assert_eq!(
        refused(&|diff| diff.updated_masternodes.push(masternode(4))),
        MnListError::DuplicateMasternode { pro_reg_tx: Txid([4; 32]) }
    );
    assert_eq!(
        refused(&|diff| diff.deleted_quorums.push((llmq_type, QuorumHash([77; 32])))),
        MnListError::UnknownQuorum { llmq_type, quorum_hash: QuorumHash([77; 32]) }
    );
    assert_eq!(
        refused(&|diff| diff.new_quorums.push(quorum(1))),
        MnListError::DuplicateQuorum { llmq_type, quorum_hash: QuorumHash([1; 32]) }
    );
    let list_changes: [&dyn Fn(&mut MnListDiff); 3] = [
        &|diff| diff.updated_masternodes[0].is_valid = false,
        &|diff| diff.updated_masternodes[0].port += 1,
        &|diff| diff.deleted_masternodes.clear(),
    ];
    for change in list_changes {
        assert!(matches!(refused(change), MnListError::MasternodeRoot { .. }));
    }
    let quorum_changes: [&dyn Fn(&mut MnListDiff); 5] = [
        &|diff| diff.new_quorums[0].public_key = quorum(3).public_key,
        &|diff| diff.new_quorums[0].quorum_hash.0[0] ^= 1,
        &|diff| diff.new_quorums[0].index = Some(0),
        &|diff| diff.new_quorums.clear(),
        &|diff| diff.deleted_quorums.push((llmq_type, QuorumHash([1; 32]))),
    ];
    for change in quorum_changes {
        assert!(matches!(refused(change), MnListError::QuorumRoot { .. }));
    }
}

#[test]
fn each_broken_rule_of_a_coinbase_proof_has_its_own_error() {
    let (base, block) = base_and_block();
    let header = block.anchored();
    let refused = |change: &dyn Fn(&mut MnListDiff)| {
        let mut diff = block.diff.clone();
        change(&mut diff);
        VerifiedList::verify(&base, &diff, &header).unwrap_err()
    };
    assert_eq!(
        refused(&|diff| diff.merkle_proof.push(0)),
        MnListError::Proof { source: MerkleError::Parse(ParseError::TrailingBytes { at: 39, len: 1 }) }
    );
    assert_eq!(refused(&|diff| diff.merkle_proof[0] = 0), MnListError::Proof { source: MerkleError::Empty });
    assert!(matches!(
        refused(&|diff| diff.merkle_proof[5] ^= 1),
        MnListError::ProofRoot { expected, .. } if expected == block.header.merkle_root
    ));
    // The tree of the right root that matches nothing, and a coinbase that is another one.
    let proof_leaf = |error| matches!(error, MnListError::ProofLeaf { .. });
    assert!(proof_leaf(refused(&|diff| *diff.merkle_proof.last_mut().unwrap() = 0)));
    assert!(proof_leaf(refused(&|diff| *diff.coinbase.last_mut().unwrap() ^= 1)));

    // A block that really holds such a coinbase.
    let with_coinbase = |coinbase: Vec<u8>| {
        let block = Block::with_coinbase(block.diff.clone(), base.block(), coinbase);
        VerifiedList::verify(&base, &block.diff, &block.anchored()).unwrap_err()
    };
    let not_coinbase = |error| matches!(error, MnListError::NotCoinbase { .. });
    assert!(not_coinbase(with_coinbase(small_chain::transaction(0, &[]))));
    assert!(not_coinbase(with_coinbase(small_chain::transaction(6, &[1; 80]))));
    assert!(matches!(with_coinbase(small_chain::transaction(5, &[2, 0, 1])), MnListError::Coinbase { .. }));
    assert_eq!(with_coinbase(small_chain::coinbase(1, 7, [[0; 32]; 2])), MnListError::CoinbaseVersion { version: 1 });
    assert!(matches!(
        with_coinbase(small_chain::coinbase(2, -7, [[0; 32]; 2])),
        MnListError::Coinbase { source: ParseError::OutOfRange { .. } }
    ));
}

#[test]
fn a_commitment_that_its_quorum_did_not_sign_is_named() {
    let (_, block) = base_and_block();
    let refused = |change: &dyn Fn(&mut MnListDiff)| {
        let mut diff = block.diff.clone();
        change(&mut diff);
        diff.verify_commitments()
    };
    let quorum_hash = block.diff.new_quorums[0].quorum_hash;
    let error = |source| Err(MnListError::Commitment { llmq_type: LlmqType::LLMQ_TEST, quorum_hash, source });
    assert_eq!(refused(&|diff| diff.new_quorums[0].vvec_hash[0] ^= 1), error(BlsError::Mismatch));
    assert_eq!(
        refused(&|diff| {
            diff.new_quorums[0].quorum_signature = flipped(&diff.new_quorums[0].quorum_signature, 7);
        }),
        error(BlsError::SignatureEncoding)
    );
    // A legacy commitment is counted, not passed off as verified.
    assert_eq!(
        refused(&|diff| diff.new_quorums[0].scheme = Scheme::Legacy),
        Ok(CommitmentCount { verified: 0, legacy: 1 })
    );
}
