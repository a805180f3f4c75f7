//! S-1 and S-3: which blocks are applied, in which order, and how a branch is left.

use nodewright_core::{BlockPoint, HoldReason, ScanEvent};
use nodewright_testkit::seeds;

use crate::kind::Kind;
use crate::play::{LONG, Play, SHORT, Script};

#[test]
fn s1_every_block_is_applied_once_and_in_order_while_nothing_is_wrong() {
    for seed in seeds(SHORT, LONG) {
        let play = Play::new(seed, Script::QUIET).run();
        let applied = |event: &&ScanEvent| matches!(event, ScanEvent::Apply(_));
        let events = play.sink.events();
        play.ensure(events.iter().filter(applied).count() == play.sink.chain().len(), "S-1: blocks were applied twice");
        play.ensure(
            !events.iter().any(|event| matches!(event, ScanEvent::RollBack { .. })),
            "S-3: nothing to roll back",
        );
    }
}

#[test]
fn s1_net_of_rollbacks_every_block_is_applied_once_and_in_order_whatever_goes_wrong() {
    for seed in seeds(SHORT, LONG) {
        Play::new(seed, Script::ALL).run();
    }
}

#[test]
fn s3_a_rollback_ends_exactly_where_the_branches_fork() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::new(seed, Script { reorgs: true, ..Script::QUIET });
        for _ in 0..30 {
            play.act();
            for _ in 0..play.rng.usize(..8) {
                let ours: Vec<_> = play.applied();
                let before = play.driver.core().events().len();
                play.request();
                if let Some(to) = rolled_back_to(&play, before) {
                    let chain = play.source.chain();
                    let fork = ours.iter().rev().find(|point| chain.is_best(&point.id)).copied();
                    drop(chain);
                    play.ensure(Some(to) == fork, "S-3: the rollback does not end at the fork");
                }
                play.deliver();
                play.driver.rest();
            }
            play.check();
        }
        play.calm();
        play.arrive();
    }
}

#[test]
fn s3_a_certified_branch_wins_against_a_longer_one() {
    for seed in seeds(SHORT, LONG) {
        let kind = if seed % 2 == 0 { Kind::Never } else { Kind::After(4 + seed % 9) };
        let mut play = Play::with(seed, Script::QUIET, kind);
        play.limits.unfinal = play.limits.unfinal.saturating_add(120);
        play.restart();
        play.source.chain().grow(1);
        play.settle();
        // Our branch is as long as the fork at least, and not deep enough to be final.
        let (depth, shorter) = (play.rng.usize(1..=3), play.rng.usize(1..=3));
        let from = play.source.chain().below_head(0);
        play.source.chain().grow(depth);
        let ours = play.source.chain().head();
        play.settle();
        let rival = play.source.chain().fork(from, shorter.min(depth));
        play.source.chain().lock(rival);
        let follows = play.rng.bool();
        if follows {
            play.source.chain().follow_locks();
        }
        let finals = play.sink.finals();
        play.wait(3);
        if follows {
            play.ensure(play.sink.tip().id == rival, "S-3: it does not follow the certificate");
            let finality = play.sink.finality().unwrap();
            play.ensure(finality.evidence.block() == rival, "S-3: the certificate does not make the branch final");
        } else {
            // The source stays where it is, and grows: nothing on its branch may become final.
            play.source.chain().grow(20);
            play.wait(3);
            // Below the height of the certified block its branch cannot be told from another.
            let tip = play.sink.tip().id.height;
            play.ensure(tip <= ours.height || tip < rival.height, "S-3: it goes on against the certificate");
            play.ensure(play.sink.finals() <= finals, "S-3: a block became final against the certificate");
            let hold = play.driver.core().progress().hold;
            play.ensure(hold == Some(HoldReason::SourceForked), "S-3: it does not say that it holds");
            play.source.chain().follow_locks();
            play.wait(3);
            play.ensure(play.sink.tip().id == rival, "S-3: it does not follow the certificate in the end");
        }
    }
}

fn rolled_back_to(play: &Play, before: usize) -> Option<BlockPoint> {
    play.driver.core().events().skip(before).find_map(|(_, event)| match event {
        ScanEvent::RollBack { to, .. } => Some(*to),
        _ => None,
    })
}

#[test]
fn s3_the_fork_is_found_where_the_locator_has_wide_gaps() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Never);
        play.limits.unfinal = play.limits.unfinal.saturating_add(400);
        play.restart();
        play.source.chain().grow(200);
        play.settle();
        let depth = play.rng.usize(1..200);
        let fork = play.source.chain().below_head(depth);
        play.source.chain().reorg(depth, depth.saturating_add(3));
        let seen = play.sink.len();
        play.settle();
        play.wait(2);
        let events = play.sink.events();
        let rollbacks: Vec<_> = (events.iter().skip(seen))
            .filter_map(|event| match event {
                ScanEvent::RollBack { to, .. } => Some(to.id),
                _ => None,
            })
            .collect();
        play.ensure(rollbacks == [fork], "S-3: not one rollback to the fork");
        play.ensure(play.sink.tip().id == play.source.chain().head(), "S-3: it is not on the new branch");
    }
}
