//! Nodes that lie: nothing they say is accepted.

use core::num::NonZeroU32;

use nodewright_core::{BlockHeight, BlockId, ErrorKind, WatchRules, WatchSet};
use nodewright_dash::DashOptions;
use nodewright_dash::bls::Signature;
use nodewright_dash::chainlock::ChainLock;
use nodewright_dash::finality::ChainLockOptions;
use nodewright_dash::sim::{NodeOptions, SimNetwork, SimQuorum};
use nodewright_ops::scan::StartAt;

use crate::scene::{Scan, Scene, VAULT, adapter, kind, quick, words};

/// The bytes of a locked block are edited: a payment goes to somebody else.
#[tokio::test]
async fn edited_bytes_under_a_real_lock_are_refused() {
    let mut scene = Scene::after(0, quick()).await;
    let step = scene.replay.step(&mut scene.node.state()).unwrap();
    let honest = scene.replay.block(&step.tip).unwrap().to_vec();
    let watch =
        WatchSet::new([scene.scan.adapter.observations.as_ref().unwrap().watch(VAULT).unwrap()], WatchRules::default());
    let point = BlockId { height: BlockHeight(1_007), hash: step.tip }.into();
    let source = scene.scan.adapter.observations.clone().unwrap();
    assert_eq!(source.observe(&[point], &watch).await.unwrap()[0].observations.len(), 5);

    let pay = honest.windows(3).position(|bytes| bytes == [0x76, 0xa9, 20]).unwrap();
    for at in [pay + 5, 40, 4] {
        let mut edited = honest.clone();
        edited[at] ^= 1;
        scene.node.state().forge(step.tip, &edited);
        let error = source.observe(&[point], &watch).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unverified, "byte {at}: {error}");
    }
    scene.node.state().forge(step.tip, &honest);
    assert_eq!(words(&scene.scan.catch_up().await).len(), 2, "the honest bytes are taken");
}

/// Without hashing, the lie is believed; what is said of it is that it was.
#[tokio::test]
async fn where_ids_are_not_hashed_the_evidence_says_that_the_node_was_believed() {
    let chain_locks = ChainLockOptions { ids_hashed: false, ..ChainLockOptions::default() };
    let mut scene = Scene::after(0, DashOptions { chain_locks, ..quick() }).await;
    let step = scene.replay.step(&mut scene.node.state()).unwrap();
    let mut edited = scene.replay.block(&step.tip).unwrap().to_vec();
    edited[76] ^= 1;
    scene.node.state().forge(step.tip, &edited);
    let told = words(&scene.scan.catch_up().await);
    assert_eq!(told, ["apply 1007:75de86e4", "final 1007:75de86e4 by NodeWord of 1007:75de86e4"]);
}

/// An edited header hashes to another id: the lock does not name it.
#[tokio::test]
async fn an_edited_header_is_not_the_block_that_the_lock_names() {
    let mut scene = Scene::after(0, quick()).await;
    let parent = scene.node.state().tip().unwrap();
    let step = scene.replay.step(&mut scene.node.state()).unwrap();
    let mut edited = scene.replay.block(&step.tip).unwrap().to_vec();
    edited[40] ^= 1;
    scene.node.state().forge(step.tip, &edited);
    let from = BlockId { height: BlockHeight(1_006), hash: parent }.into();
    let one = NonZeroU32::new(10).unwrap();
    match scene.scan.adapter.headers.extend(&[from], one).await {
        Ok(extension) => assert!(extension.headers.iter().all(|header| header.point.id.hash != step.tip)),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Unverified, "{error}"),
    }
}

#[tokio::test]
async fn a_lock_is_refused_whose_height_hash_or_signature_was_changed() {
    let mut scene = Scene::after(0, quick()).await;
    let step = scene.replay.step(&mut scene.node.state()).unwrap();
    let lock = step.lock.unwrap();
    let other = *scene.scan.sink.stored().map_or(&step.tip, |_| &step.tip);
    let mut hash = other;
    hash.0[7] ^= 4;
    let mut signature = *lock.signature.as_bytes();
    signature[50] ^= 1;
    let source = scene.scan.adapter.evidence.clone().unwrap();
    for wrong in [
        ChainLock { height: lock.height + 1, ..lock },
        ChainLock { block_hash: hash, ..lock },
        ChainLock { signature: Signature::new(signature), ..lock },
    ] {
        scene.node.state().set_lock(Some(wrong));
        let error = source.evidence(&[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unverified, "{error}");
    }
    scene.node.state().set_lock(Some(lock));
    assert_eq!(source.evidence(&[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_scan_gives_up_on_a_node_whose_quorum_did_not_sign() {
    let mut network = SimNetwork::start(6, NodeOptions::default()).unwrap();
    let mut scan = Scan::start(adapter(network.node(), quick()).await, StartAt::Height(BlockHeight(1)));
    let id = network.mine(&[]);
    network.node().state().set_lock(Some(SimQuorum::new(999).lock(id)));
    let error = scan.fail().await;
    assert_eq!(kind(&error), ErrorKind::Unverified, "{error}");
    let told = words(&scan.news());
    assert!(told.iter().all(|word| word.starts_with("apply")), "{told:?}");
}
