//! What had to be believed: the node's word, its quorums, or a checkpoint alone.

use nodewright_core::{BlockHeight, EvidenceClaim, EvidenceKind, Trust};
use nodewright_dash::DashOptions;
use nodewright_dash::bls::Signature;
use nodewright_dash::chainlock::ChainLock;
use nodewright_dash::finality::{ChainLockOptions, LockTrust};
use nodewright_dash::mnlist::{CertifiedHeader, MasternodeList, MnListDiff, ProtxDiff, VerifiedList};
use nodewright_dash::quorum::LlmqType;
use nodewright_dash::sim::{NodeOptions, SimNetwork};
use nodewright_ops::scan::StartAt;
use nodewright_utxo::header::RawHeader;
use serde_json::Value;

use crate::scene::{Scan, Scene, adapter, quick, words};
use crate::small_chain::{Block, Quorum};

#[tokio::test]
async fn the_nodes_word_is_taken_as_such_even_where_no_quorum_signed() {
    let mut scene = Scene::after(0, trusting(LockTrust::NodeWord)).await;
    assert_eq!(scene.act(1).await, ["apply 1007:75de86e4", "final 1007:75de86e4 by NodeWord of 1007:75de86e4"]);
    let lock = scene.replay.peek().unwrap().lock.unwrap();
    let unsigned = ChainLock { signature: Signature::new([0; 96]), ..lock };
    scene.node.state().set_lock(Some(unsigned));
    let evidence = scene.scan.adapter.evidence.as_ref().unwrap().evidence(&[]).await.unwrap();
    assert_eq!(evidence[0].trust(), Trust::NodeWord);
    assert_eq!(evidence[0].bytes(), unsigned.to_bytes());
}

#[tokio::test]
async fn the_nodes_quorums_make_every_lock_of_the_recording_hold() {
    let mut scene = Scene::after(0, quick()).await;
    let source = scene.scan.adapter.evidence.clone().unwrap();
    let mut locks = 0;
    while scene.replay.peek().is_some() {
        let step = scene.replay.step(&mut scene.node.state()).unwrap();
        let lock = step.lock.unwrap();
        let evidence = source.evidence(&[]).await.unwrap();
        assert_eq!(evidence[0].trust(), Trust::NodeSet);
        assert_eq!(evidence[0].block().hash, lock.block_hash);
        assert_eq!(evidence[0].block().height, BlockHeight(lock.height.into()));
        assert_eq!(source.verify(&EvidenceClaim::from(&evidence[0])).await.unwrap(), evidence[0]);
        locks += 1;
    }
    assert_eq!(locks, 13);
}

#[tokio::test]
async fn without_hashed_ids_a_signed_lock_is_still_only_the_nodes_word() {
    let chain_locks = ChainLockOptions { ids_hashed: false, ..ChainLockOptions::default() };
    let mut scene = Scene::after(0, DashOptions { chain_locks, ..quick() }).await;
    assert_eq!(scene.act(1).await, ["apply 1007:75de86e4", "final 1007:75de86e4 by NodeWord of 1007:75de86e4"]);
    assert_eq!(scene.act(5).await.len(), 6 + 1 + 4 + 5 + 2 + 2);
}

/// A masternode-list diff of a real regtest, proved from the id of its block alone, verifies the lock of that block.
#[tokio::test]
async fn a_checkpoint_is_enough_for_the_locks_of_the_vectors() {
    let Some(path) = nodewright_testkit::corpus("dash-regtest/vectors.json") else { return };
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let diff: ProtxDiff = serde_json::from_value(vectors["protx_diff_1_tip"].clone()).unwrap();
    let diff = MnListDiff::try_from(&diff).unwrap();
    let tip = vectors["blocks"].as_array().unwrap().last().unwrap();
    let raw = hex::decode(tip["raw"].as_str().unwrap()).unwrap();
    let header = RawHeader::parse(&raw[..80]).unwrap();
    let anchor = CertifiedHeader::anchor(&header, diff.block).unwrap();
    let list = VerifiedList::verify(&MasternodeList::empty(diff.base_block), &diff, &anchor).unwrap();

    let mut network = SimNetwork::start(4, NodeOptions::default()).unwrap();
    network.mine(&[]);
    let adapter = adapter(network.node(), trusting(LockTrust::Checkpoint(Box::new(list)))).await;
    let source = adapter.evidence.unwrap();
    let reported = [&vectors["best"]].into_iter().chain(vectors["chainlocks"].as_array().unwrap());
    for reported in reported {
        let lock: nodewright_dash::chainlock::ReportedLock = serde_json::from_value(reported.clone()).unwrap();
        let lock = lock.chain_lock(nodewright_dash::quorum::Network::Regtest).unwrap();
        network.node().state().set_lock(Some(lock));
        let evidence = source.evidence(&[]).await.unwrap();
        assert_eq!(evidence[0].trust(), Trust::Checkpoint);
        assert_eq!(evidence[0].block().height, BlockHeight(lock.height.into()));
        assert_eq!(evidence[0].kind(), &EvidenceKind::Certificate("chainlock".into()));
    }
}

#[tokio::test]
async fn a_scan_under_a_checkpoint_believes_its_quorums_and_not_the_nodes() {
    let quorum = Quorum::new(LlmqType::LLMQ_TEST, 9);
    let base = MasternodeList::empty(Default::default());
    let block = Block::commit(&base, Default::default(), 1, |diff| diff.new_quorums.push(quorum.commitment.clone()));
    let list = VerifiedList::verify(&base, &block.diff, &block.anchored()).unwrap();

    let mut network = SimNetwork::start(5, NodeOptions::default()).unwrap();
    let options = trusting(LockTrust::Checkpoint(Box::new(list)));
    let mut scan = Scan::start(adapter(network.node(), options).await, StartAt::Height(BlockHeight(1)));
    let id = network.mine(&[]);
    let height = u32::try_from(id.height.0).unwrap();
    network.node().state().set_lock(Some(quorum.lock(height, id.hash)));
    let told = words(&scan.catch_up().await);
    assert!(told[1].contains("by Checkpoint of"), "{told:?}");

    // The quorum that the node names is not of the list.
    network.mine(&[]);
    let id = network.mine(&[]);
    network.lock(id);
    let error = scan.adapter.evidence.as_ref().unwrap().evidence(&[]).await.unwrap_err();
    assert_eq!(error.kind(), nodewright_core::ErrorKind::Unverified);
}

fn trusting(trust: LockTrust) -> DashOptions {
    DashOptions { chain_locks: ChainLockOptions { trust, ..ChainLockOptions::default() }, ..quick() }
}
