//! S-7 and S-8: what a scan holds, however far behind it is, and however slow its user.

use core::num::NonZeroU32;

use nodewright_core::ScanLimits;
use nodewright_testkit::seeds;
use nodewright_testkit::sim::{Backend, Behaviour, Lie};

use crate::kind::Kind;
use crate::play::{LONG, Play, SHORT, Script};

#[test]
fn s7_what_is_held_stays_within_the_limits() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::new(seed, Script { turns: 0, ..Script::ALL });
        for _ in 0..30 {
            play.act();
            for _ in 0..play.rng.usize(..10) {
                play.step();
                play.driver.rest();
                bounded(&play);
            }
        }
        play.calm();
        play.arrive();
        bounded(&play);
    }
}

#[test]
fn s7_a_hundred_thousand_blocks_towards_one_certificate_are_caught_up_with_in_small_bounds() {
    for (seed, kind) in [(1, Kind::Never), (2, Kind::After(30)), (3, Kind::Reported)] {
        let mut play = Play::with(seed, Script::QUIET, kind);
        play.limits = ScanLimits {
            batch: NonZeroU32::new(500).unwrap(),
            events: 128,
            history: 16,
            pending: 4,
            road: 8,
            unfinal: NonZeroU32::new(64).unwrap(),
            ..ScanLimits::default()
        };
        play.restart();
        let head = play.source.chain().grow(100_000);
        play.source.chain().lock(head);
        play.source.chain().report_final(Some(head));
        let mut most = 0;
        while play.sink.tip().id != head {
            play.ensure(play.driver.requests() < 20_000, "S-7: it does not arrive");
            play.request();
            bounded(&play);
            most = most.max(play.driver.core().progress().milestones);
            play.deliver_all();
            play.driver.rest();
        }
        play.wait(1);
        play.check();
        let point = play.sink.finality().unwrap().point.id;
        play.ensure(point == head, "S-7: the head is not final");
        play.ensure((8..=64).contains(&most), &format!("S-7: it kept {most} points on the way"));
        // Each level of the road reads the headers once more: five levels, and the blocks themselves.
        let requests = play.driver.requests();
        play.ensure(requests <= 6 * 200 + 100_000 / 64 * 2, &format!("S-7: {requests} requests"));
    }
}

#[test]
fn s2_a_road_through_lies_and_forks_finalises_nothing_beside_the_certified_chain() {
    let mut roads = 0;
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, if seed % 2 == 0 { Kind::Never } else { Kind::After(3) });
        play.limits.road = 4;
        let least = if seed % 2 == 0 { 1 } else { 3 };
        play.limits.unfinal = NonZeroU32::new(play.rng.u32(least..=6)).unwrap();
        play.restart();
        let (low, high) = (play.rng.usize(..40), play.rng.usize(20..80));
        let from = play.source.chain().grow(low);
        let fork = play.source.chain().fork(from, high + 20);
        let locked = play.source.chain().grow(high);
        play.source.chain().lock(locked);
        let lies = vec![Lie::OldFrom, Lie::ForeignFrom, Lie::Gap];
        let backends = vec![Backend::default(), Backend { tip: Some(fork), ..Backend::default() }];
        play.source.behave(Behaviour { backends, lies, lie_percent: 30, ..Behaviour::default() });
        for _ in 0..60 {
            play.request();
            bounded(&play);
            roads += u32::from(play.driver.core().progress().milestones > 1);
            play.deliver_all();
            play.driver.rest();
            let certified = play.sink.final_chain().iter().all(|header| play.source.chain().is_best(&header.point.id));
            play.ensure(certified, "S-2: a block of the other branch is final");
        }
        play.calm();
        play.arrive();
    }
    assert!(roads > 0, "there was no road");
}

#[test]
fn s7_no_certificate_for_long_makes_the_scan_hold_and_not_grow() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Never);
        play.source.chain().grow(300);
        for _ in 0..20 {
            play.wait(3);
            play.source.chain().grow(7);
            bounded(&play);
        }
        play.calm();
        play.arrive();
    }
}

#[test]
fn s8_a_slow_consumer_slows_the_fetching_and_misses_nothing() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::new(seed, Script { reorgs: true, ..Script::QUIET });
        play.limits.events = play.rng.usize(1..6);
        play.restart();
        for _ in 0..60 {
            play.act();
            let (requests, waiting) = (play.driver.requests(), play.driver.core().events().len());
            play.request();
            play.driver.rest();
            let asked = play.driver.requests() > requests;
            play.ensure(!asked || waiting < play.limits.events, "S-8: it asks although too many events wait");
            bounded(&play);
            if play.rng.u8(..4) == 0 {
                play.deliver();
            }
        }
        play.calm();
        play.arrive();
    }
}

fn bounded(play: &Play) {
    play.check();
    let core = play.driver.core();
    let progress = core.progress();
    let pending = play.limits.pending.max(2);
    play.ensure(progress.certificates <= pending, "S-7: too many certificates wait");
    // A road keeps its goal and up to `road` points for each level of roads within roads.
    let levels = 6;
    play.ensure(progress.milestones <= (play.limits.road.max(4) + 2) * levels, "S-7: too many points on the road");
    let checkpoint = core.checkpoint(None);
    let unfinal = usize::try_from(play.limits.unfinal.get()).unwrap();
    play.ensure(checkpoint.unfinal.len() <= unfinal, "S-7: too many unfinal blocks are stored");
    play.ensure(checkpoint.history.len() <= play.limits.history, "S-7: too many final blocks are stored");
    play.ensure(checkpoint.pending.len() <= pending, "S-7: too many certificates are stored");
}
