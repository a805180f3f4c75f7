//! S-2 and S-5: what may become final, what stops a scan, and what does not.

use nodewright_core::{BlockId, HoldReason, ScanFault};
use nodewright_testkit::seeds;
use nodewright_testkit::sim::{Backend, Behaviour};

use crate::kind::Kind;
use crate::play::{LONG, Play, SHORT, Script};

#[test]
fn s2_a_reorganisation_below_finality_stops_the_scan_and_names_both_blocks() {
    for seed in seeds(SHORT, LONG) {
        let mut play = contradicted_play(seed, seed.is_multiple_of(2));
        let finality = play.sink.finality().unwrap();
        let (final_id, head) = (finality.point.id, play.source.chain().head());
        let below = play.rng.usize(1..=play.sink.finals().min(30));
        let fork = deeper_than(&play, final_id, below);
        let tip = play.source.chain().fork(fork, 60);
        let first = play.source.chain().view(tip).after(&[fork.into()], 1).1[0].point.id;
        play.source.chain().report_final(None);
        play.source.chain().select(tip);
        play.wait(1);
        play.ensure(play.driver.core().fault().is_none(), "S-2: one answer stopped it");
        let events = play.sink.len();
        play.wait(play.limits.contradictions);
        match play.driver.core().fault() {
            Some(ScanFault::FinalityViolated { ours, theirs, certificate: None }) => {
                play.ensure(ours.block() == finality.evidence.block(), "S-2: it names another block of ours");
                play.ensure([first, tip].contains(theirs), "S-2: it names another block of theirs");
            }
            other => play.fail(&format!("S-2: it did not stop: {other:?}")),
        }
        let asks = play.driver.core_mut().poll_request().is_some();
        play.ensure(!asks, "S-2: a stopped scan asks");
        play.ensure(play.driver.core().poll_timeout().is_none(), "S-2: a stopped scan waits");
        play.ensure(play.sink.len() <= events + 1, "S-2: it went on");
        play.source.chain().select(head);
        play.driver.rest();
        play.settle();
        play.ensure(play.driver.core().fault().is_some(), "S-2: a fault does not go away");
    }
}

#[test]
fn s2_a_source_that_contradicts_finality_for_a_moment_does_not_stop_the_scan() {
    for seed in seeds(SHORT, LONG) {
        let mut play = contradicted_play(seed, seed.is_multiple_of(2));
        let head = play.source.chain().head();
        let reported = play.source.chain().reported_final();
        for _ in 0..3 {
            let final_id = play.sink.finality().unwrap().point.id;
            let fork = deeper_than(&play, final_id, 2);
            let tip = play.source.chain().fork(fork, 60);
            play.source.chain().report_final(None);
            play.source.chain().select(tip);
            play.wait(play.limits.contradictions - 1);
            play.source.chain().select(head);
            play.source.chain().report_final(reported);
            play.wait(1);
        }
        play.arrive();
    }
}

#[test]
fn s2_where_a_certificate_made_a_block_final_the_source_alone_cannot_contradict_it() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, if seed % 2 == 0 { Kind::Never } else { Kind::After(12) });
        certify_head(&mut play);
        let (head, final_id) = (play.source.chain().head(), play.sink.finality().unwrap().point.id);
        let fork = deeper_than(&play, final_id, 3);
        let tip = play.source.chain().fork(fork, 60);
        play.source.chain().select(tip);
        let behaviour = Behaviour {
            backends: vec![Backend { forgetful: play.rng.bool(), ..Backend::default() }],
            ..Behaviour::default()
        };
        play.source.behave(behaviour);
        play.wait(30);
        play.check();
        play.ensure(play.sink.finality().unwrap().point.id == final_id, "S-2: finality moved");
        play.ensure(play.driver.core().progress().hold == Some(HoldReason::SourceForked), "S-2: it does not hold");
        play.source.chain().select(head);
        play.arrive();
    }
}

#[test]
fn s2_a_certificate_against_a_final_block_stops_the_scan_with_the_certificate() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, if seed % 2 == 0 { Kind::Never } else { Kind::After(3) });
        play.limits.history = 30;
        play.restart();
        certify_head(&mut play);
        let final_id = play.sink.finality().unwrap().point.id;
        let below = play.rng.usize(1..=play.sink.finals().min(20));
        let fork = deeper_than(&play, final_id, below);
        let rival = loop {
            // Heights may skip: the rival has to stand at or below ours.
            let rival = play.source.chain().fork(fork, 1);
            if rival.height <= final_id.height {
                break rival;
            }
        };
        play.source.forget_locks();
        play.source.chain().lock(rival);
        let length = play.sink.len();
        play.wait(1);
        match play.driver.core().fault() {
            Some(ScanFault::FinalityViolated { ours, theirs, certificate: Some(certificate) }) => {
                play.ensure(*theirs == rival && certificate.block() == rival, "S-2: it names another block of theirs");
                play.ensure(certificate.bytes() == play.source.chain().certificate(rival), "S-2: not the certificate");
                let known = play.source.chain().is_best(&ours.block());
                play.ensure(known && ours.block().height >= rival.height, "S-2: it names another block of ours");
            }
            other => play.fail(&format!("S-2: it did not stop: {other:?}")),
        }
        play.ensure(play.sink.len() == length, "S-2: it went on");
    }
}

#[test]
fn s2_two_certificates_that_exclude_each_other_stop_the_scan_before_either_wins() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Never);
        play.limits.unfinal = play.limits.unfinal.saturating_add(120);
        play.restart();
        play.source.chain().grow(2);
        play.settle();
        let finals = play.sink.finals();
        let ours = play.source.chain().head();
        let fork = play.source.chain().below_head(1);
        let rival = loop {
            let rival = play.source.chain().fork(fork, 1);
            if rival.height <= ours.height {
                break rival;
            }
        };
        play.source.chain().lock(rival);
        play.wait(1);
        play.source.forget_locks();
        play.source.chain().lock(ours);
        play.wait(2);
        let fault = play.driver.core().fault();
        play.ensure(
            matches!(fault, Some(ScanFault::FinalityViolated { certificate: Some(_), .. })),
            "S-2: it did not stop",
        );
        play.ensure(play.sink.finals() == finals, "S-2: one of the two won");
    }
}

#[test]
fn s2_a_source_that_lags_never_stops_the_scan() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::new(seed, Script::QUIET);
        play.settle();
        play.limits.contradictions = 2;
        play.restart();
        let length = play.source.chain().best().len();
        for _ in 0..5 {
            let lag = play.rng.usize(1..length + 3);
            let (forgetful, headers_first) = (play.rng.bool(), play.rng.bool());
            let backends = vec![Backend { tip: None, lag, forgetful, headers_first }];
            play.source.behave(Behaviour { backends, ..Behaviour::default() });
            play.wait(4);
            play.check();
        }
        play.calm();
        play.arrive();
    }
}

#[test]
fn s5_two_backends_behind_one_url_cannot_seal_the_wrong_block() {
    for seed in seeds(SHORT, LONG) {
        let script = Script { reorgs: true, backends: true, ..Script::QUIET };
        let mut play = Play::new(seed, script);
        for _ in 0..40 {
            play.act();
            let fork = play.rng.choice(&play.forks).copied();
            let lag = play.rng.usize(..6);
            let backends = vec![Backend { tip: fork, ..Backend::default() }, Backend { lag, ..Backend::default() }];
            play.source.behave(Behaviour { backends, ..Behaviour::default() });
            play.drive_a_little();
            play.check();
        }
        play.calm();
        play.arrive();
    }
}

/// A scan without certificates that has called a block final some way above its start.
fn contradicted_play(seed: u64, reported: bool) -> Play {
    let kind = if reported { Kind::Reported } else { Kind::Depth(1 + seed % 12) };
    let mut play = Play::with(seed, Script::QUIET, kind);
    play.source.chain().grow(15);
    if reported {
        let id = play.source.chain().below_head(1);
        play.source.chain().report_final(Some(id));
    }
    play.limits.contradictions = 5;
    play.restart();
    play.settle();
    play.ensure(play.sink.finality().is_some(), "nothing is final");
    play
}

fn certify_head(play: &mut Play) {
    let head = play.source.chain().grow(8);
    play.source.chain().lock(head);
    play.settle();
    play.ensure(play.sink.finality().is_some_and(|finality| finality.point.id == head), "the head is not final");
}

/// Returns the block of the best chain that is `below` blocks below `id`, or the lowest.
fn deeper_than(play: &Play, id: BlockId, below: usize) -> BlockId {
    let chain = play.source.chain();
    let depth = chain.block(&id.hash).unwrap().depth();
    chain.best().nth(depth.saturating_sub(below)).unwrap().id()
}
