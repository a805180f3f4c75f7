//! Nodes that forget their locks, and locks that run against what the node has.

use nodewright_core::{BlockHeight, BlockId, HoldReason, ScanEvent};
use nodewright_dash::DashOptions;
use nodewright_dash::sim::{NodeOptions, SimNetwork};
use nodewright_ops::scan::StartAt;

use crate::scene::{Scan, Scene, adapter, name, quick, words};

#[tokio::test]
async fn a_restart_in_the_middle_of_each_act_changes_nothing_that_is_told() {
    let undisturbed = Scene::after(0, quick()).await.act(5).await;
    let mut scene = Scene::after(0, quick()).await;
    let mut told = Vec::new();
    while scene.replay.peek().is_some() {
        told.extend(scene.step().await.1);
        scene.node.restart(2).await.unwrap();
        assert_eq!(words(&scene.scan.catch_up().await), [""; 0], "nothing is revoked or told twice");
    }
    assert_eq!(told, undisturbed);
}

#[tokio::test]
async fn locks_in_coinbases_go_on_where_the_node_forgot_its_own() {
    let mut scene = Scene::after(0, quick()).await;
    let mut told = Vec::new();
    while scene.replay.peek().is_some_and(|step| step.act <= 2) {
        scene.replay.step(&mut scene.node.state());
        scene.node.restart(0).await.unwrap();
        told.extend(words(&scene.scan.catch_up().await));
    }
    assert_eq!(
        told,
        [
            "apply 1007:75de86e4",
            "apply 1008:1790ab21",
            "final 1007:75de86e4 by NodeSet of 1007:75de86e4",
            "apply 1009:2a2008bc",
            "apply 1010:7c615986",
            "apply 1011:1a8bc86d",
            "apply 1012:0304adf5",
            "apply 1013:2f25e699",
            "final 1012:0304adf5 by NodeSet of 1012:0304adf5",
        ],
        "a lock is carried by the coinbase of the next block; that of 1012 reached nobody else"
    );
}

#[tokio::test]
async fn a_lock_forces_a_reorganisation_to_a_lower_tip() {
    let mut network = SimNetwork::start(1, NodeOptions::default()).unwrap();
    let fork = network.mine(&[]);
    network.lock(fork);
    let mut scan = follow(&network).await;
    scan.catch_up().await;
    let losing: Vec<_> = (0..5).map(|_| network.mine(&[])).collect();
    assert_eq!(scan.catch_up().await.len(), 5);
    let winner = network.mine_on(fork, &[]);
    network.lock(winner);
    network.switch(winner);
    let news = scan.catch_up().await;
    let events: Vec<_> = news.iter().map(|record| record.event.clone()).collect();
    let [ScanEvent::RollBack { to, dropped }, ScanEvent::Apply(applied), ScanEvent::Finalize(finality)] =
        events.as_slice()
    else {
        panic!("{:?}", words(&news));
    };
    assert_eq!(to.id, fork);
    assert!(dropped.iter().map(|point| point.id).eq(losing.into_iter().rev()));
    assert_eq!((applied.point.id, finality.point.id), (winner, winner));
    assert!(winner.height < dropped[0].id.height);
}

#[tokio::test]
async fn a_lock_of_an_unknown_block_does_not_seal_the_private_block_at_its_height() {
    let mut network = SimNetwork::start(2, NodeOptions::default()).unwrap();
    let fork = network.mine(&[]);
    network.lock(fork);
    let mut scan = follow(&network).await;
    scan.catch_up().await;
    let private = network.mine(&[]);
    scan.catch_up().await;
    let hidden = network.mine_on(fork, &[]);
    assert_eq!(private.height, hidden.height);
    network.lock(hidden);
    let told = words(&scan.catch_up().await);
    assert!(told.iter().all(|word| !word.starts_with("final")), "{told:?}");
    let on_top = network.mine(&[]);
    let told = words(&scan.catch_up().await);
    assert!(told.iter().all(|word| word.starts_with("hold")), "nothing goes on top of {private:?}: {told:?}");
    assert!(on_top.height > private.height);
    network.switch(hidden);
    let told = words(&scan.catch_up().await);
    let [private, fork, hidden] = [private, fork, hidden].map(|id: BlockId| name(&id.into()));
    let ends = [format!("apply {hidden}"), format!("final {hidden} by NodeSet of {hidden}")];
    assert_eq!(
        told.iter().find(|word| word.starts_with("roll")),
        Some(&format!("roll back to {fork}, drop {private}"))
    );
    assert_eq!(told[told.len() - 2..], ends);
}

#[tokio::test]
async fn a_node_that_follows_another_branch_than_the_locked_one_is_waited_for() {
    let mut network = SimNetwork::start(3, NodeOptions::default()).unwrap();
    let fork = network.mine(&[]);
    let mut scan = follow(&network).await;
    let locked = network.mine(&[]);
    network.lock(locked);
    scan.catch_up().await;
    let other = network.mine_on(fork, &[]);
    let other = network.mine_on(other, &[]);
    network.switch(other);
    let told = words(&scan.catch_up().await);
    assert_eq!(told, [format!("hold: {}", HoldReason::SourceForked)]);
    network.switch(locked);
    assert_eq!(words(&scan.catch_up().await), ["resume"]);
}

/// Follows a simulated network from its first block.
async fn follow(network: &SimNetwork) -> Scan {
    Scan::start(adapter(network.node(), quick()).await, StartAt::Height(BlockHeight(1)))
}

#[tokio::test]
async fn the_default_options_wait_for_a_node_that_warms_up() {
    let mut scene = Scene::after(3, DashOptions::default()).await;
    scene.node.restart(1).await.unwrap();
    assert_eq!(scene.step().await.1, [""; 0]);
}
