//! A whole scan over the socket: what was told, put together, is the chain.

use core::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use nodewright_cardano::node::{Genesis, NodeStep};
use nodewright_cardano::sim::node::{SimChain, SimNodeFault};
use nodewright_cardano::{CardanoOptions, connect, connect_over};
use nodewright_core::{BlockDelta, BlockHeight, BlockPoint, BlockTime, ErrorKind, EventSeq, ScanEvent, ScanLimits};
use nodewright_ops::scan::{ScanDriver, ScanOptions, StartAt, Stop};
use nodewright_stores::MemorySink;

use crate::world::{World, byron_genesis};

fn scan_options(world: &World, batch: u32) -> ScanOptions {
    let limits = ScanLimits {
        batch: NonZeroU32::new(batch).unwrap(),
        poll: Duration::from_millis(2),
        poll_max: Duration::from_millis(10),
        ..ScanLimits::default()
    };
    ScanOptions { start: StartAt::Anchor(world.origin()), limits, ..ScanOptions::default() }
}

async fn driver(world: &World, depth: u64, batch: u32, until: Option<u64>, sink: &MemorySink) -> ScanDriver {
    let options = CardanoOptions { depth: BlockDelta(depth), ..CardanoOptions::default() };
    let adapter = connect_over(Arc::clone(&world.source), options).await.unwrap();
    let options = ScanOptions { until: until.map(BlockHeight), ..scan_options(world, batch) };
    ScanDriver::new(adapter, Arc::new(sink.clone()), options)
}

/// Puts the records together: the blocks that stand, how many of them are final, and how many rollbacks there were. No
/// final block is ever taken back, and every block follows the one before it.
fn net(world: &World, sink: &MemorySink) -> (Vec<BlockPoint>, usize, usize) {
    let (mut chain, mut finals, mut rollbacks) = (Vec::<BlockPoint>::new(), 0, 0);
    for record in sink.records(EventSeq(0), usize::MAX) {
        match record.event {
            ScanEvent::Apply(header) => {
                let below = chain.last().map_or(world.origin(), |point| *point);
                assert_eq!(header.parent, below.id.hash);
                chain.push(header.point);
            }
            ScanEvent::RollBack { to, dropped } => {
                rollbacks += 1;
                let kept = chain.len() - dropped.len();
                chain.truncate(kept);
                assert_eq!(chain.last().copied().unwrap_or(world.origin()), to);
                assert!(kept >= finals, "a final block was taken back");
            }
            ScanEvent::Finalize(finality) => {
                let place = chain.iter().position(|point| *point == finality.point).unwrap() + 1;
                assert!(place > finals);
                finals = place;
            }
            ScanEvent::Hold(_) | ScanEvent::Resume => {}
        }
    }
    (chain, finals, rollbacks)
}

#[tokio::test]
async fn a_scan_over_byron_and_later_with_rollbacks_between_and_inside_batches_tells_the_final_chain() {
    let mut chain = SimChain::new(byron_genesis());
    chain.grow_byron(0, 40);
    chain.grow_byron(1, 40);
    chain.grow(60);
    let world = World::of(chain);
    let sink = MemorySink::new();
    let mut driver = driver(&world, 30, 25, None, &sink).await;
    for after in [30, 70, 110, 135] {
        world.node.change_after(after, |chain| {
            chain.roll_back(20);
            chain.grow(21);
        });
    }
    assert_eq!(driver.run_to_idle().await.unwrap(), Stop::Idle);
    for round in 1..12_usize {
        world.node.update_chain(|chain| {
            chain.roll_back(round * 2);
            chain.grow(round * 2 + 3);
        });
        assert_eq!(driver.run_to_idle().await.unwrap(), Stop::Idle);
    }
    let (told, finals, rollbacks) = net(&world, &sink);
    assert_eq!(told, world.points());
    assert!(rollbacks >= 11, "{rollbacks} rollbacks");
    assert_eq!(finals, told.len() - 30);
    let repeated = told.windows(2).filter(|pair| pair[0].id.height == pair[1].id.height).count();
    assert_eq!(repeated, 1);
}

#[tokio::test]
async fn a_node_killed_in_the_middle_of_a_scan_costs_nothing_but_time() {
    let mut world = World::new(80);
    let sink = MemorySink::new();
    let mut driver = driver(&world, 10, 15, Some(96), &sink).await;
    // The first breaks are healed within a call, the last one by the driver.
    for after in [12, 13, 14, 15, 60] {
        world.node.fail_after(NodeStep::NextBlock, after, SimNodeFault::Close);
    }
    driver.run_to_idle().await.unwrap();
    assert_eq!(net(&world, &sink).0, world.points());

    world.node.stop().await;
    world.node.update_chain(|chain| {
        chain.roll_back(4);
        chain.grow(30);
    });
    let restarted = async {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        world.node.restart().unwrap();
    };
    let (stop, ()) = tokio::join!(driver.run(), restarted);
    assert_eq!(stop.unwrap(), Stop::Reached);
    let (told, finals, rollbacks) = net(&world, &sink);
    assert_eq!((told, rollbacks), (world.points(), 1));
    assert_eq!(finals, 96);
}

#[tokio::test]
async fn an_adapter_of_a_node_has_headers_and_a_policy_and_what_it_was_given() {
    let world = World::new(3);
    let genesis = world.source.genesis().clone();
    let adapter = connect(world.node.socket(), genesis.clone(), CardanoOptions::default()).await.unwrap();
    assert_eq!(adapter.scope, genesis.scope());
    assert_eq!((adapter.hash_text)(&genesis.hash), "9e".repeat(32));
    assert!(adapter.eras.is_none() && adapter.evidence.is_none() && !adapter.policy.wants_evidence());
    let other = Genesis { start: BlockTime(1), ..genesis };
    let error = connect(world.node.socket(), other, CardanoOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ScopeMismatch);
}
