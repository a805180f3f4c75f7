//! Following a chain that grows, is cut, and goes on.

use nodewright_cardano::node::{ChainSync, Genesis};
use nodewright_cardano::sim::node::SimChain;
use nodewright_core::{BlockPoint, HeaderSource, Membership, Slot};

use crate::world::{World, byron_genesis, ended, extend, heads, once};

#[tokio::test]
async fn one_connection_with_one_search_reads_a_chain_in_parts_and_ends_with_a_goodbye() {
    let world = World::new(100);
    let points = world.points();
    let (mut tip, mut seen) = (world.origin(), Vec::new());
    for _ in 0..10 {
        let answer = world.extend(tip, 10).await.unwrap();
        assert_eq!((answer.from, answer.headers.len(), answer.tips.head), (Some(tip), 10, points[99].id));
        seen.extend(heads(&answer));
        tip = seen[seen.len() - 1];
    }
    assert_eq!(seen, points);
    let counts = world.node.counts();
    // One more request than blocks: the first answer after a search says where the node stands.
    assert_eq!((counts.accepted, counts.intersections, counts.blocks), (1, 1, 101));

    assert!(world.extend(tip, 10).await.unwrap().headers.is_empty());
    assert_eq!((world.node.counts().intersections, world.node.counts().blocks), (2, 101));
    let health = world.source.health();
    assert!(health.since_success.is_some() && health.failures == 0 && health.last_error.is_none());
    world.source.close().await.unwrap();
    let counts = ended(&world.node, 2).await;
    assert_eq!((counts.accepted, counts.goodbyes, counts.broken), (1, 2, 0));
}

#[tokio::test]
async fn a_rollback_inside_an_answer_cuts_it_and_the_next_one_goes_on_from_there() {
    let world = World::new(20);
    // While the fifteenth block is asked for, five of those that were read are replaced.
    world.node.change_after(15, |chain| {
        chain.roll_back(11);
        chain.grow(12);
    });
    let before = world.points();
    let answer = world.extend(world.origin(), 100).await.unwrap();
    assert_eq!(heads(&answer), before[..9]);
    let after = world.points();
    assert_eq!(answer.tips.head, after[20].id);
    let answer = world.extend(before[8], 100).await.unwrap();
    assert_eq!(heads(&answer), after[9..]);
    assert_eq!(world.node.counts().intersections, 1, "the place was kept across the rollback");
}

#[tokio::test]
async fn a_rollback_of_the_whole_answer_to_its_beginning_is_read_on_from_there() {
    let world = World::new(20);
    world.node.change_after(4, |chain| {
        chain.roll_back(10);
        chain.grow(11);
    });
    let from = world.points()[9];
    let answer = world.extend(from, 100).await.unwrap();
    assert_eq!((answer.from, heads(&answer)), (Some(from), world.points()[10..].to_vec()));
}

#[tokio::test]
async fn a_rollback_below_the_beginning_of_an_answer_begins_it_again_from_an_older_point() {
    let world = World::new(20);
    let before = world.points();
    world.node.change_after(4, |chain| {
        chain.roll_back(13);
        chain.grow(14);
    });
    let locator: Vec<BlockPoint> = [12, 9, 6, 3].map(|place| before[place]).to_vec();
    let answer = extend(&world.source, &locator, 100).await.unwrap();
    assert_eq!((answer.from, heads(&answer)), (Some(before[6]), world.points()[7..].to_vec()));

    world.node.change_after(3, |chain| {
        chain.roll_back(21);
        chain.grow(2);
    });
    let answer = extend(&world.source, &[before[5]], 100).await.unwrap();
    assert_eq!((answer.from, answer.headers.len()), (None, 0));
    assert_eq!(answer.tips.head, world.points()[1].id);
}

#[tokio::test]
async fn a_kept_place_that_the_chain_left_between_two_calls_is_found_out() {
    let world = World::new(20);
    let before = world.points();
    world.extend(world.origin(), 10).await.unwrap();
    world.node.update_chain(|chain| {
        chain.roll_back(12);
        chain.grow(13);
    });
    let answer = extend(&world.source, &[before[9], before[4]], 100).await.unwrap();
    assert_eq!((answer.from, heads(&answer)), (Some(before[4]), world.points()[5..].to_vec()));
}

#[tokio::test]
async fn a_chain_that_became_shorter_under_the_reader_ends_the_answer_where_it_ends() {
    let world = World::new(20);
    let before = world.points();
    world.node.change_after(11, |chain| chain.roll_back(10));
    let answer = world.extend(world.origin(), 100).await.unwrap();
    assert_eq!((heads(&answer), answer.tips.head), (before[..10].to_vec(), before[9].id));
    world.node.update_chain(|chain| chain.grow(3));
    let answer = world.extend(before[9], 100).await.unwrap();
    assert_eq!(heads(&answer), world.points()[10..]);
}

#[tokio::test]
async fn boundary_blocks_repeat_a_height_and_share_a_slot_and_are_linked_by_their_parents() {
    let mut chain = SimChain::new(byron_genesis());
    chain.grow_byron(0, 3);
    chain.grow_byron(1, 2);
    chain.grow(2);
    let world = World::of(chain);
    let answer = world.extend(world.origin(), 100).await.unwrap();
    let heights: Vec<_> = answer.headers.iter().map(|header| header.point.id.height.0).collect();
    assert_eq!(heights, [0, 1, 2, 3, 3, 4, 5, 6, 7]);
    let slots: Vec<_> = answer.headers.iter().filter_map(|header| header.point.slot).map(|slot| slot.0).collect();
    assert_eq!(slots, [0, 0, 1, 2, 21_600, 21_600, 21_601, 21_621, 21_641]);
    for point in world.points() {
        assert_eq!(world.source.membership(&point).await.unwrap(), Membership::Canonical);
        let after = world.extend(point, 100).await.unwrap();
        let place = world.points().iter().position(|other| *other == point).unwrap();
        assert_eq!(heads(&after), world.points()[place + 1..]);
    }
}

#[tokio::test]
async fn a_block_is_stale_once_the_chain_has_passed_its_slot_without_it_and_unknown_before() {
    let world = World::new(20);
    let before = world.points();
    let stands = async |point: &BlockPoint| world.source.membership(point).await.unwrap();
    world.node.update_chain(|chain| chain.hide(5));
    assert_eq!(stands(&before[14]).await, Membership::Canonical);
    assert_eq!(stands(&before[15]).await, Membership::Unknown);
    world.node.update_chain(|chain| {
        chain.roll_back(5);
        chain.hide(0);
        chain.grow(1);
    });
    assert_eq!(stands(&before[15]).await, Membership::Stale);
    assert_eq!(stands(&world.origin()).await, Membership::Canonical);
    let nameless = BlockPoint { slot: None, ..before[3] };
    assert_eq!(stands(&nameless).await, Membership::Unknown);
}

#[tokio::test]
async fn the_network_is_checked_by_magic_by_start_and_by_the_first_block() {
    use nodewright_cardano::network::CardanoNetwork;
    use nodewright_core::{BlockHash, BlockTime, ErrorKind};

    let mut chain = SimChain::new(byron_genesis());
    chain.grow_byron(0, 3);
    let world = World::of(chain);
    let right = byron_genesis();
    assert_eq!(world.source.scope().await.unwrap(), right.scope());
    let wrong = [
        Genesis { network: CardanoNetwork::custom("sim", 7), ..right.clone() },
        Genesis { start: BlockTime(right.start.0 + 1), ..right.clone() },
        Genesis { hash: BlockHash([1; 32]), ..right.clone() },
    ];
    for genesis in wrong {
        let origin = genesis.origin();
        let source = ChainSync::new(once(&world.node), genesis);
        for error in [source.scope().await.unwrap_err(), extend(&source, &[origin], 5).await.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::ScopeMismatch, "{error}");
        }
    }
    assert_eq!(right.time(Slot(3)).0, right.start.0 + 60);
}
