//! Nodes that lie, stall, break off and come back.

use std::error::Error as _;
use std::time::Duration;

use nodewright_cardano::node::{BlockError, ChainSync, NodeError, NodeStep};
use nodewright_cardano::sim::node::SimNodeFault;
use nodewright_core::{Error, ErrorKind, Retry};

use crate::world::{LONG, World, extend, genesis, heads, once};

fn cause(error: &Error) -> NodeError {
    error.source().and_then(|source| source.downcast_ref::<NodeError>()).unwrap().clone()
}

#[tokio::test]
async fn a_lie_about_a_block_is_an_error_that_names_it_and_the_truth_is_read_after_it() {
    type Matches = fn(&NodeError) -> bool;
    let cases: [(SimNodeFault, u64, ErrorKind, Matches); 6] = [
        (SimNodeFault::EditedHeader, 5, ErrorKind::Inconsistent, |e| matches!(e, NodeError::Unlinked { .. })),
        (SimNodeFault::EditedBody, 5, ErrorKind::Unverified, |e| {
            matches!(e, NodeError::Block(BlockError::Body { .. }))
        }),
        (SimNodeFault::Garbage, 5, ErrorKind::InvalidData, |e| {
            matches!(e, NodeError::Block(BlockError::Malformed { .. }))
        }),
        (SimNodeFault::Oversize(300_000), 5, ErrorKind::Limit, |e| matches!(e, NodeError::TooLarge { .. })),
        // The last block: nothing follows it that would not link.
        (SimNodeFault::EditedHeader, 20, ErrorKind::Unverified, |e| matches!(e, NodeError::WrongId { .. })),
        (SimNodeFault::WrongTip, 20, ErrorKind::Unverified, |e| matches!(e, NodeError::WrongId { .. })),
    ];
    for (fault, after, kind, matches) in cases {
        let world = World::new(20);
        let source = ChainSync::new(once(&world.node).with_max_reply(100_000), genesis());
        world.node.fail_after(NodeStep::NextBlock, after, fault);
        let error = extend(&source, &[world.origin()], 100).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Never), "{fault:?}: {error}");
        assert!(matches(&cause(&error)), "{fault:?}: {error}");
        assert_eq!((source.health().failures, source.health().last_error), (1, Some(cause(&error))));
        let answer = extend(&source, &[world.origin()], 100).await.unwrap();
        assert_eq!(heads(&answer), world.points(), "{fault:?}");
        assert_eq!((source.health().failures, source.health().last_error), (0, None));
    }
}

#[tokio::test]
async fn a_rollback_to_a_block_that_never_was_begins_the_answer_again_but_not_for_ever() {
    let world = World::new(20);
    world.node.fail_after(NodeStep::NextBlock, 7, SimNodeFault::UnknownPoint);
    let answer = world.extend(world.origin(), 100).await.unwrap();
    assert_eq!(heads(&answer), world.points());
    world.node.fail_always(NodeStep::NextBlock, SimNodeFault::UnknownPoint);
    let error = world.extend(world.origin(), 100).await.unwrap_err();
    assert_eq!((cause(&error), error.retry()), (NodeError::Unsteady, Retry::After(None)));
}

#[tokio::test]
async fn a_node_that_stalls_or_breaks_off_is_told_by_the_step_and_recovers() {
    for step in [NodeStep::Handshake, NodeStep::SystemStart, NodeStep::Intersect, NodeStep::NextBlock] {
        let world = World::new(20);
        let limit = Duration::from_millis(300);
        let source = ChainSync::new(once(&world.node).with_limits(limit, LONG), genesis());
        world.node.fail_once(step, SimNodeFault::Stall);
        let error = extend(&source, &[world.origin()], 100).await.unwrap_err();
        assert_eq!(cause(&error), NodeError::TimedOut { step, limit });

        let source = ChainSync::new(once(&world.node), genesis());
        world.node.fail_once(step, SimNodeFault::Close);
        let error = extend(&source, &[world.origin()], 100).await.unwrap_err();
        assert_eq!((cause(&error), error.kind()), (NodeError::Closed { step }, ErrorKind::Unreachable));
        assert_eq!(heads(&extend(&source, &[world.origin()], 100).await.unwrap()), world.points());
    }
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_of_an_answer_is_replaced_within_the_call() {
    let world = World::new(60);
    world.node.fail_after(NodeStep::NextBlock, 30, SimNodeFault::Close);
    let answer = world.extend(world.origin(), 100).await.unwrap();
    assert_eq!((heads(&answer), world.node.counts().accepted), (world.points(), 2));
    assert_eq!(world.source.health().failures, 0);
}

#[tokio::test]
async fn a_node_that_was_killed_and_came_back_is_read_on_from_the_same_place() {
    let mut world = World::new(30);
    let tip = heads(&world.extend(world.origin(), 10).await.unwrap())[9];
    world.node.stop().await;
    let error = world.extend(tip, 10).await.unwrap_err();
    assert!(matches!(cause(&error), NodeError::NoListener { .. }), "{error}");
    std::fs::remove_file(world.node.socket()).unwrap();
    let error = world.extend(tip, 10).await.unwrap_err();
    assert!(matches!(cause(&error), NodeError::NotThere { .. }), "{error}");
    assert_eq!(world.source.health().failures, 2);
    world.node.restart().unwrap();
    assert_eq!(heads(&world.extend(tip, 100).await.unwrap()), world.points()[10..]);
    assert_eq!(world.source.health().failures, 0);
}

#[tokio::test]
async fn a_dropped_call_leaves_nothing_behind_that_the_next_one_would_read() {
    let world = World::new(30);
    world.extend(world.origin(), 10).await.unwrap();
    world.node.fail_once(NodeStep::NextBlock, SimNodeFault::Stall);
    let tip = world.points()[9];
    tokio::select! {
        answer = world.extend(tip, 10) => panic!("{answer:?}"),
        () = world.node.stalled(1) => {}
    }
    assert_eq!(heads(&world.extend(tip, 100).await.unwrap()), world.points()[10..]);
}
