//! S-3 and S-7: branches that are longer than an answer, than the window, or than the event queue.

use core::num::NonZeroU32;

use nodewright_core::{BlockId, HoldReason, ScanEvent};
use nodewright_testkit::seeds;
use nodewright_testkit::sim::{Backend, Behaviour, Lie};

use crate::kind::Kind;
use crate::play::{LONG, Play, SHORT, Script};

#[test]
fn s3_a_branch_longer_than_an_answer_is_followed_for_the_height_of_its_head_alone() {
    for seed in seeds(SHORT, LONG) {
        let depth = depth(seed);
        let mut play = play(seed, depth, kind(seed, depth));
        for _ in 0..2 {
            let fork = fork(&mut play, depth);
            let most = play.sink.tip().id.height.0 + play.rng.u64(..60);
            let (head, blocks) = branch(&play, fork, most);
            play.source.chain().select(head);
            play.source.behave(node(FORGETFUL));
            let (seen, finals) = (play.sink.len(), play.sink.finals());
            let unfinal = play.driver.core().progress().unfinal - depth + blocks;
            let window = usize::try_from(play.limits.unfinal.get()).unwrap();
            drive_to_wait(&mut play, depth + 2 * blocks + 4);
            play.ensure(rollbacks(&play, seen) == [(fork, depth)], "S-3: not one rollback to the fork");
            if play.kind.depth().is_none() && unfinal > window {
                let progress = play.driver.core().progress();
                let full = progress.unfinal == window && progress.hold == Some(HoldReason::WindowFull);
                play.ensure(full, "S-7: it does not follow the branch as far as the window has room");
                play.ensure(play.sink.finals() == finals, "S-2: a block became final for nothing");
            } else {
                play.ensure(play.sink.tip().id == head, "S-3: it does not follow the branch to its head");
            }
            confirm(&play, head);
            play.arrive();
            play.ensure(rollbacks(&play, seen).len() == 1, "S-3: a second rollback");
        }
    }
}

#[test]
fn s3_a_certified_branch_longer_than_an_answer_is_followed_though_it_is_shorter_than_ours() {
    for seed in seeds(SHORT, LONG) {
        let depth = depth(seed);
        let mut play = play(seed, depth, if seed % 2 == 0 { Kind::Never } else { Kind::After(60) });
        let fork = fork(&mut play, depth);
        let ours = play.sink.tip().id;
        let most = play.rng.u64(fork.height.0..ours.height.0);
        let (head, blocks) = branch(&play, fork, most);
        if head.height > ours.height {
            continue;
        }
        play.source.chain().select(head);
        play.source.chain().lock(head);
        play.source.behave(node(FORGETFUL));
        let seen = play.sink.len();
        // It learns of the certificate, and then reads the branch: twice where that is far ahead.
        for _ in 0..2 {
            drive_to_wait(&mut play, depth + 3 * blocks + 4);
        }
        play.ensure(rollbacks(&play, seen) == [(fork, depth)], "S-3: not one rollback to the fork");
        let certified = play.sink.finality().is_some_and(|finality| finality.point.id == head);
        play.ensure(certified && play.sink.tip().id == head, "S-3: it does not follow the certified branch");
    }
}

#[test]
fn s3_of_two_branches_against_a_certificate_the_longer_is_not_followed() {
    for seed in seeds(SHORT, LONG) {
        let depth = depth(seed);
        let mut play = play(seed, depth, if seed % 2 == 0 { Kind::Never } else { Kind::After(60) });
        let fork = fork(&mut play, depth);
        // An answer ends above the certificate, and below the head.
        let ours = play.sink.tip().id;
        let batch = usize::try_from(ours.height.0 - fork.height.0).unwrap() + depth;
        play.limits.batch = NonZeroU32::new(u32::try_from(batch).unwrap()).unwrap();
        play.limits.unfinal = play.limits.unfinal.saturating_add(300);
        play.limits.events = 4_096;
        play.restart();
        let most = play.rng.u64(fork.height.0..ours.height.0);
        let (certified, _) = branch(&play, fork, most);
        if certified.height > ours.height {
            continue;
        }
        play.source.chain().lock(certified);
        drive_to_wait(&mut play, 4);
        let (other, _) = branch(&play, fork, ours.height.0 + 300);
        play.source.chain().select(other);
        play.source.behave(node(Backend { forgetful: play.rng.bool(), ..Backend::default() }));
        let seen = play.sink.len();
        for _ in 0..3 {
            drive_to_wait(&mut play, 8);
        }
        play.ensure(rollbacks(&play, seen).is_empty(), "S-3: it leaves one hopeless branch for another");
        let hold = play.driver.core().progress().hold;
        play.ensure(hold == Some(HoldReason::SourceForked), "S-3: it does not say that it holds");
        play.source.chain().follow_locks();
        play.wait(3);
        play.ensure(play.sink.tip().id == certified, "S-3: it does not follow the certificate");
    }
}

#[test]
fn s3_a_branch_whose_head_is_too_low_is_not_followed_before_our_tip_is_stale() {
    for seed in seeds(SHORT, LONG) {
        let depth = depth(seed);
        let mut play = play(seed, depth, kind(seed, depth));
        let fork = fork(&mut play, depth);
        let ours = play.sink.tip().id.height;
        let mut most = ours;
        if play.kind.is_certified() && seed % 2 == 0 {
            let below = play.rng.u64(fork.height.0..ours.0);
            let (certified, _) = branch(&play, fork, below);
            if certified.height > ours {
                continue;
            }
            play.source.chain().lock(certified);
            drive_to_wait(&mut play, 4);
            most.0 = certified.height.0 - 1;
        }
        let mut other = fork;
        loop {
            let next = play.source.chain().fork(other, 1);
            if next.height > most {
                break;
            }
            other = next;
        }
        play.source.behave(node(Backend { tip: Some(other), ..FORGETFUL }));
        let seen = play.sink.len();
        for _ in 0..3 {
            drive_to_wait(&mut play, 2 * depth + 8);
        }
        play.ensure(rollbacks(&play, seen).is_empty(), "S-3: it follows a branch for nothing");
        play.source.behave(Behaviour::default());
        play.source.chain().select(other);
        play.source.chain().follow_locks();
        let head = play.source.chain().head();
        confirm(&play, head);
        play.arrive();
    }
}

#[test]
fn s3_a_branch_beside_the_known_way_to_a_certificate_is_not_followed_for_its_head() {
    let mut met = 0;
    for seed in seeds(SHORT, LONG) {
        let mut play = play(seed, 12, if seed % 2 == 0 { Kind::Never } else { Kind::After(60) });
        play.limits.batch = NonZeroU32::MIN;
        play.limits.unfinal = NonZeroU32::new(12).unwrap();
        play.restart();
        let certified = play.source.chain().grow(80);
        play.source.chain().lock(certified);
        // Headers are read up to the certified block; then some blocks are applied that are not final yet.
        let blocks = play.rng.usize(2..12);
        for _ in 0..400 {
            let progress = play.driver.core().progress();
            if progress.milestones > 0 && progress.skimmed.is_none() && progress.unfinal >= blocks {
                break;
            }
            play.driver.rest();
            play.request();
            play.deliver_all();
        }
        let (ours, unfinal) = (play.sink.chain(), play.driver.core().progress().unfinal);
        if unfinal < blocks || ours.len() <= unfinal {
            continue;
        }
        let below = play.rng.usize(1..=unfinal);
        let fork = ours[ours.len() - 1 - below].point.id;
        let first = play.source.chain().fork(fork, 1);
        if first.height > play.sink.tip().id.height {
            continue;
        }
        met += 1;
        let other = play.source.chain().fork(first, 120);
        play.source.behave(node(Backend { tip: Some(other), ..FORGETFUL }));
        let seen = play.sink.len();
        for _ in 0..3 {
            drive_to_wait(&mut play, 16);
        }
        play.ensure(rollbacks(&play, seen).is_empty(), "S-3: it leaves the way to the certified block");
        play.source.behave(Behaviour::default());
        play.arrive();
        play.ensure(rollbacks(&play, seen).is_empty(), "S-3: it left the way to the certified block");
    }
    assert!(met > 0, "no scan was on the way to a certificate");
}

#[test]
fn s3_a_node_that_is_behind_and_names_a_head_that_does_not_exist_rolls_nothing_back() {
    for seed in seeds(SHORT, LONG) {
        let depth = depth(seed);
        let mut play = play(seed, depth, kind(seed, depth));
        fork(&mut play, depth);
        let lag = play.rng.usize(1..=depth);
        let behaviour = node(Backend { lag, ..FORGETFUL });
        play.source.behave(Behaviour { lies: vec![Lie::FakeHead], lie_percent: 100, ..behaviour });
        let seen = play.sink.len();
        for _ in 0..3 {
            drive_to_wait(&mut play, 2 * depth + 8);
        }
        play.ensure(rollbacks(&play, seen).is_empty(), "S-3: nothing to roll back");
        play.source.behave(Behaviour::default());
        play.arrive();
    }
}

#[test]
fn s7_two_nodes_on_branches_longer_than_an_answer_are_not_asked_without_end() {
    for seed in seeds(SHORT, LONG) {
        let depth = 20 + depth(seed) / 2;
        let mut play = play(seed, depth, if seed % 2 == 0 { Kind::Never } else { Kind::Depth(150) });
        let fork = fork(&mut play, depth);
        for _ in 0..4 {
            let (first, _) = branch(&play, fork, play.sink.tip().id.height.0 + 3);
            let (second, _) = branch(&play, fork, first.height.0);
            let forgetful = play.rng.bool();
            let backends = [first, second].map(|tip| Backend { tip: Some(tip), forgetful, ..Backend::default() });
            play.source.behave(Behaviour { backends: backends.into(), ..Behaviour::default() });
            for _ in 0..8 {
                drive_to_wait(&mut play, 400);
            }
        }
        play.calm();
        play.arrive();
    }
}

#[test]
fn s1_a_branch_cut_by_the_event_queue_is_read_to_its_head_without_a_wait() {
    for seed in seeds(SHORT, LONG) {
        let depth = 1 + usize::try_from(seed % 6).unwrap();
        let mut play = play(seed, depth, kind(seed, depth));
        let fork = fork(&mut play, depth);
        play.limits.events = play.rng.usize(1..12);
        play.limits.batch = NonZeroU32::new(2_000).unwrap();
        play.limits.unfinal = play.limits.unfinal.saturating_add(100);
        play.restart();
        drive_to_wait(&mut play, 8);
        let most = play.sink.tip().id.height.0 + play.rng.u64(..6);
        let (head, blocks) = branch(&play, fork, most);
        play.source.chain().select(head);
        drive_to_wait(&mut play, 2 * (depth + blocks) + 4);
        play.ensure(play.sink.tip().id == head, "S-1: it waits although there is more");
    }
}

/// From 1 to 50.
fn depth(seed: u64) -> usize {
    1 + usize::try_from(seed % 50).unwrap()
}

/// A policy that calls no block final that a reorganisation of this depth removes.
fn kind(seed: u64, depth: usize) -> Kind {
    let confirmations = u64::try_from(depth).unwrap() + 1 + seed % 7;
    match seed / 50 % 4 {
        0 => Kind::Depth(confirmations),
        1 => Kind::Never,
        2 => Kind::After(confirmations),
        _ => Kind::Reported,
    }
}

/// A scan at its source's head, with small answers and a window for `depth` blocks at least; what can be made final is.
fn play(seed: u64, depth: usize, kind: Kind) -> Play {
    let mut play = Play::with(seed, Script::QUIET, kind);
    play.limits.batch = NonZeroU32::new(play.rng.u32(1..=5)).unwrap();
    let window = kind.depth().unwrap_or(0).max(depth) + play.rng.usize(..60);
    play.limits.unfinal = NonZeroU32::new(u32::try_from(window).unwrap()).unwrap();
    play.restart();
    let head = play.source.chain().head();
    confirm(&play, head);
    play.settle();
    play
}

/// Lets chain and scan grow by `depth` blocks at least that do not become final; returns the block so far below the head.
fn fork(play: &mut Play, depth: usize) -> BlockId {
    let window = usize::try_from(play.limits.unfinal.get()).unwrap();
    let more = if play.kind.depth().is_none() { play.rng.usize(..=window - depth) } else { 0 };
    let head = play.source.chain().grow(depth + more);
    play.wait(1);
    play.ensure(play.sink.tip().id == head, "it is not at the head");
    play.source.chain().below_head(depth)
}

/// Does for `head` what makes it final where depth does not.
fn confirm(play: &Play, head: BlockId) {
    match play.kind {
        Kind::Never | Kind::After(_) => play.source.chain().lock(head),
        Kind::Reported => play.source.chain().report_final(Some(head)),
        Kind::Depth(_) => {}
    }
}

/// Makes a branch from `fork` to the first block above height `most`; returns that, and how many blocks there are.
fn branch(play: &Play, fork: BlockId, most: u64) -> (BlockId, usize) {
    let (mut head, mut blocks) = (fork, 0);
    while head.height.0 <= most {
        head = play.source.chain().fork(head, 1);
        blocks += 1;
    }
    (head, blocks)
}

/// Lets the scan go on until it waits, and holds each answer to the promises.
fn drive_to_wait(play: &mut Play, most_requests: usize) {
    play.driver.rest();
    for _ in 0..=most_requests {
        play.deliver_all();
        if play.driver.core().poll_timeout().is_some() {
            return;
        }
        play.request();
        play.check();
    }
    play.fail("S-7: it asks and asks and does not wait");
}

/// Returns where the rollbacks among the events after the first `seen` end, and how many blocks each drops.
fn rollbacks(play: &Play, seen: usize) -> Vec<(BlockId, usize)> {
    let events = play.sink.events();
    let rollback = |event: &ScanEvent| match event {
        ScanEvent::RollBack { to, dropped } => Some((to.id, dropped.len())),
        _ => None,
    };
    events.iter().skip(seen).filter_map(rollback).collect()
}

fn node(backend: Backend) -> Behaviour {
    Behaviour { backends: vec![backend], ..Behaviour::default() }
}

/// Knows no block off its own branch, so that it calls none stale.
const FORGETFUL: Backend = Backend { tip: None, lag: 0, forgetful: true, headers_first: false };
