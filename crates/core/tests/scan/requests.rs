//! What a scan makes of answers that it cannot use: late ones, and ones that do not link.

use nodewright_core::{Extension, Reply, ScanEvent, ScanFault, ScanRequest, Tips};
use nodewright_testkit::seeds;
use nodewright_testkit::sim::{Behaviour, Lie};

use crate::kind::Kind;
use crate::play::{LONG, Play, SHORT, Script};

#[test]
fn s9_an_answer_to_a_forgotten_request_is_ignored() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Depth(3));
        play.source.chain().grow(3);
        let now = play.driver.now();
        let core = play.driver.core_mut();
        let (late, answer) = match core.poll_request().unwrap() {
            (id, ScanRequest::Extend { locator, max }) => {
                let most = usize::try_from(max.get()).unwrap();
                let chain = play.source.chain();
                let (from, headers) = chain.best_view().after(locator, most);
                (id, Extension { from, headers, ..Extension::default() })
            }
            (_, request) => panic!("seed {seed}: it begins with {request:?}"),
        };
        if play.rng.bool() {
            core.rewind();
        } else {
            core.forget_request();
        }
        core.handle_reply(now, late, Reply::Extend(&answer));
        let again = core.poll_request().map(|(id, _)| id);
        core.handle_reply(now, late, Reply::Extend(&answer));
        core.handle_failure(now, late, None);
        assert!(core.events().len() == 0 && core.poll_request().is_none(), "seed {seed}: S-9: a late answer was used");
        core.handle_reply(now, again.unwrap(), Reply::Extend(&answer));
        assert!(core.events().len() > 0, "seed {seed}: the answer was not used");
    }
}

#[test]
fn s1_an_answer_that_does_not_link_changes_nothing() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Depth(12));
        play.limits.events = 100;
        play.limits.batch = play.limits.batch.saturating_add(2);
        play.restart();
        play.source.chain().grow(12);
        play.settle();
        let depth = play.rng.usize(3..=6);
        play.source.chain().reorg(depth, 2);
        play.driver.rest();
        // Where the branch is lower than ours, the scan asks whether our tip is stale, and it is.
        play.request();
        play.request();
        let unlinked = Behaviour { lies: vec![Lie::Unlinked], lie_percent: 100, ..Behaviour::default() };
        play.source.behave(unlinked);
        let before = play.driver.core().events().len();
        play.request();
        play.ensure(play.driver.core().events().len() == before, "S-1: it acts on an answer that does not link");
        play.source.behave(Behaviour::default());
        play.wait(2);
        play.ensure(play.sink.tip().id == play.source.chain().head(), "S-1: it does not go on");
        let rollbacks = play.sink.events().iter().filter(|event| matches!(event, ScanEvent::RollBack { .. })).count();
        play.ensure(rollbacks == 1, "S-3: not one rollback");
    }
}

#[test]
fn s2_a_source_that_never_gives_an_answer_that_links_stops_the_scan() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Depth(3));
        play.limits.contradictions = play.rng.u32(2..9);
        play.limits.unfinal = play.limits.unfinal.saturating_add(10);
        play.limits.events = 100;
        play.limits.batch = play.limits.batch.saturating_add(2);
        play.restart();
        play.settle();
        play.source.chain().grow(4);
        let unlinked = Behaviour { lies: vec![Lie::Unlinked], lie_percent: 100, ..Behaviour::default() };
        play.source.behave(unlinked);
        play.wait(play.limits.contradictions - 1);
        play.ensure(play.driver.core().fault().is_none(), "S-2: it stopped too soon");
        play.wait(1);
        match play.driver.core().fault() {
            Some(ScanFault::Inconsistent { count, at }) => {
                play.ensure(*count == play.limits.contradictions, "it counts otherwise");
                play.ensure(play.source.chain().is_best(at), "it names another block");
            }
            other => play.fail(&format!("S-2: it did not stop: {other:?}")),
        }
    }
}

#[test]
fn s7_a_source_on_a_branch_without_the_certificate_is_not_asked_without_end() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Never);
        let fork = play.source.chain().grow(3);
        let locked = play.source.chain().fork(fork, 150);
        play.source.chain().grow(200);
        play.source.chain().lock(locked);
        play.wait(20);
        play.check();
        play.source.chain().follow_locks();
        play.wait(4);
        let point = play.sink.finality().map(|finality| finality.point.id);
        play.ensure(point == Some(locked), "the certificate did not take effect");
    }
}

#[test]
fn s7_a_source_that_contradicts_itself_about_the_tip_is_not_asked_without_end() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, if seed % 2 == 0 { Kind::Never } else { Kind::Depth(12) });
        play.limits.unfinal = play.limits.unfinal.saturating_add(100);
        play.restart();
        play.source.chain().grow(12);
        play.settle();
        play.source.chain().reorg(6, 1);
        let contradictory = Behaviour { lies: vec![Lie::Membership], lie_percent: 100, ..Behaviour::default() };
        play.source.behave(contradictory);
        play.wait(5);
        play.source.behave(Behaviour::default());
        play.wait(2);
        play.ensure(play.sink.tip().id == play.source.chain().head(), "S-1: it does not go on");
    }
}

#[test]
fn s7_a_source_that_answers_from_too_far_below_is_not_asked_without_end() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Depth(12));
        play.limits.events = 100;
        play.restart();
        play.source.chain().grow(12);
        play.settle();
        play.driver.rest();
        for asked in 0.. {
            play.ensure(asked < 4, "S-7: it asks and asks and does not wait");
            let now = play.driver.now();
            let core = play.driver.core_mut();
            let (id, answer) = match core.poll_request() {
                Some((id, ScanRequest::Extend { locator, .. })) => {
                    // One block above the oldest point, whatever newer point is asked about.
                    let chain = play.source.chain();
                    let (from, headers) = chain.best_view().after(&locator[locator.len() - 1..], 1);
                    let tips = Tips { head: chain.head(), ..Tips::default() };
                    (id, Extension { from, headers, tips })
                }
                Some((_, request)) => panic!("seed {seed}: it asks {request:?}"),
                None => break,
            };
            core.handle_reply(now, id, Reply::Extend(&answer));
        }
        play.ensure(play.driver.core().poll_timeout().is_some(), "S-7: it does not wait");
        play.ensure(play.driver.core().events().len() == 0, "S-3: it rolls back for nothing");
        play.arrive();
    }
}

#[test]
fn s1_a_source_that_cuts_its_answers_short_is_read_to_its_head_without_a_wait() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Depth(1 + seed % 12));
        play.source.chain().grow(60);
        let cut = Some(play.rng.usize(1..10));
        play.source.adjust(|behaviour| behaviour.cut = cut);
        play.settle();
        play.ensure(play.sink.tip().id == play.source.chain().head(), "S-1: it waits although there is more");
    }
}
