//! The simulated chain and its source: what they say has to be true before anything is held against them.

#![allow(clippy::unwrap_used)]

use core::num::NonZeroU32;

use nodewright_core::{
    BlockHeight, BlockPoint, ErrorKind, EvidenceClaim, EvidenceSource as _, HeaderSource as _, HeightIndex as _,
    Membership, ObservationSource as _, Retry, TxFate, TxId, TxSource as _, WatchRules, WatchSet,
};
use nodewright_testkit::sim::{Backend, Behaviour, Heights, Lie, SimChain, SimSource, block_on};

const MANY: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

fn source(blocks: usize) -> SimSource {
    let mut chain = SimChain::new(7);
    chain.grow(blocks);
    SimSource::new(chain)
}

fn points(source: &SimSource) -> Vec<BlockPoint> {
    source.chain().best().map(|block| block.header().point).collect()
}

#[test]
fn the_same_seed_makes_the_same_chain_and_another_seed_another() {
    let play = |seed| {
        let mut chain = SimChain::new(seed).with_heights(Heights::Skipping);
        chain.grow(30);
        chain.reorg(4, 7);
        chain.best().map(|block| *block.header()).collect::<Vec<_>>()
    };
    assert_eq!(play(1), play(1));
    assert_ne!(play(1), play(2));
}

#[test]
fn heights_rise_skip_or_repeat_as_they_are_told() {
    let steps = |heights| {
        let mut chain = SimChain::new(3).with_heights(heights);
        chain.grow(200);
        let heights: Vec<_> = chain.best().map(|block| block.id().height.0).collect();
        heights.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
    };
    assert!(steps(Heights::Rising).iter().all(|step| *step == 1));
    assert!(
        steps(Heights::Skipping).iter().all(|step| *step > 0) && steps(Heights::Skipping).iter().any(|step| *step > 1)
    );
    assert!(steps(Heights::Repeating).iter().all(|step| *step < 2) && steps(Heights::Repeating).contains(&0));
}

#[test]
fn a_reorganisation_replaces_the_newest_blocks_by_more_or_fewer() {
    for (depth, count, length) in [(3, 5, 23), (3, 1, 19), (0, 2, 23), (99, 4, 5)] {
        let source = source(20);
        let before = points(&source);
        source.chain().reorg(depth, count);
        let after = points(&source);
        assert_eq!(after.len(), length);
        let shared = before.iter().zip(&after).take_while(|(ours, theirs)| ours == theirs).count();
        assert_eq!(shared, 21_usize.saturating_sub(depth).max(1));
    }
}

#[test]
fn a_fork_changes_nothing_until_it_is_selected_or_certified() {
    let source = source(20);
    let before = points(&source);
    let fork = source.chain().below_head(5);
    let tip = source.chain().fork(fork, 2);
    assert_eq!(points(&source), before);
    source.chain().lock(tip);
    assert_eq!(points(&source), before);
    let child = source.chain().fork(tip, 1);
    source.chain().follow_locks();
    assert_eq!(source.chain().head(), child);
    source.chain().select(before[20].id);
    assert_eq!(points(&source), before);
}

#[test]
fn a_certificate_verifies_and_a_changed_one_does_not() {
    let source = source(5);
    let head = source.chain().head();
    source.chain().lock(head);
    let served = block_on(source.evidence(&[])).unwrap();
    let claim = EvidenceClaim::from(&served[0]);
    assert_eq!(block_on(source.verify(&claim)).unwrap(), served[0]);
    let mut forged = claim;
    forged.bytes[3] ^= 1;
    assert_eq!(block_on(source.verify(&forged)).unwrap_err().kind(), ErrorKind::Unverified);
    source.forget_locks();
    assert_eq!(block_on(source.evidence(&[])).unwrap(), []);
}

#[test]
fn a_node_that_lags_knows_less_and_a_forgetful_one_knows_no_other_branch() {
    let source = source(20);
    let before = points(&source);
    let stands = |point: &BlockPoint| block_on(source.membership(point)).unwrap();
    source.behave(Behaviour { backends: vec![Backend { lag: 5, ..Backend::default() }], ..Behaviour::default() });
    let answer = block_on(source.extend(&[before[17], before[15], before[0]], MANY)).unwrap();
    assert_eq!((answer.from, answer.headers.len(), answer.tips.head), (Some(before[15]), 0, before[15].id));
    assert_eq!(stands(&before[17]), Membership::Unknown);
    source.adjust(|behaviour| behaviour.backends[0].headers_first = true);
    assert_eq!(stands(&before[17]), Membership::Stale);

    source.behave(Behaviour::default());
    source.chain().reorg(3, 4);
    assert_eq!(stands(&before[19]), Membership::Stale);
    source.adjust(|behaviour| behaviour.backends = vec![Backend { forgetful: true, ..Backend::default() }]);
    assert_eq!((stands(&before[19]), stands(&before[17])), (Membership::Unknown, Membership::Canonical));
}

#[test]
fn a_height_finds_its_block_where_heights_skip() {
    let mut chain = SimChain::new(3).with_heights(Heights::Skipping);
    chain.grow(40);
    let source = SimSource::new(chain);
    let points = points(&source);
    for height in 0..=points[40].id.height.0 + 3 {
        let expected = points.iter().find(|point| point.id.height.0 == height).copied();
        assert_eq!(block_on(source.point_at(BlockHeight(height))).unwrap(), expected, "{height}");
    }
}

#[test]
fn failures_come_when_they_are_told_and_may_be_retried() {
    let source = source(3);
    source.adjust(|behaviour| behaviour.fail_next = 2);
    let errors: Vec<_> = (0..3).map_while(|_| block_on(source.scope()).err()).collect();
    assert_eq!(errors.len(), 2);
    assert!(errors.iter().all(|error| matches!(error.retry(), Retry::After(_))));
    assert_eq!(source.calls(), 3);
}

#[test]
fn every_lie_changes_an_answer() {
    for lie in Lie::ALL {
        let source = source(20);
        let points = points(&source);
        let four = NonZeroU32::MIN.saturating_add(3);
        let ask = || {
            let extension = block_on(source.extend(&[points[9], points[4]], four));
            (extension, block_on(source.membership(&points[9])), block_on(source.evidence(&[])))
        };
        let truth = format!("{:?}", ask());
        source.behave(Behaviour { lies: vec![lie], lie_percent: 100, ..Behaviour::default() });
        let changed = (0..20).any(|_| format!("{:?}", ask()) != truth);
        assert!(changed, "{lie:?}");
    }
}

#[test]
fn payments_are_observed_and_followed_over_a_reorganisation() {
    let source = source(30);
    let watch =
        WatchSet::new((0..8).map(|number| source.watch(&format!("sim:{number}")).unwrap()), WatchRules::default());
    assert_eq!(source.watch("sim:9").unwrap_err().kind(), ErrorKind::Config);
    let before = block_on(source.observe(&points(&source), &watch)).unwrap();
    assert_eq!(before.iter().map(|report| report.observations.len()).sum::<usize>(), 30);
    source.chain().reorg(10, 5);
    let mut fates = [0; 3];
    for observation in before.iter().flat_map(|report| &report.observations) {
        match block_on(source.fate(&observation.txid)).unwrap() {
            TxFate::Mined(point) => {
                fates[0] += 1;
                let report = &block_on(source.observe(&[point], &watch)).unwrap()[0];
                assert!(report.observations.iter().any(|again| again.txid == observation.txid));
            }
            TxFate::Replaced(by) => {
                fates[1] += 1;
                assert!(matches!(block_on(source.fate(&by)).unwrap(), TxFate::Mined(_)));
            }
            TxFate::Mempool => fates[2] += 1,
            fate => unreachable!("{observation:?} is {fate:?}"),
        }
    }
    assert!(fates[0] >= 20 && fates[2] == 5, "{fates:?}");
    assert_eq!(block_on(source.fate(&TxId("simtx-1-7-0".to_owned()))).unwrap(), TxFate::Unknown);
    assert_eq!(block_on(source.fate(&TxId("other".to_owned()))).unwrap(), TxFate::Unknown);
}
