//! Replays: scans that saw the same chain in different ways agree on what is final.

use nodewright_core::{BlockPoint, EvidenceClaim};
use nodewright_testkit::seeds;
use nodewright_testkit::sim::SimSink;

use crate::kind::{Kind, limits};
use crate::play::{LONG, Play, SHORT, Script};

#[test]
fn scans_that_saw_the_chain_in_different_ways_agree_on_what_is_final_and_why() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::new(seed, Script { turns: 25, ..Script::ALL }).run();
        let first = (final_blocks(&play), last_evidence(&play));
        let replays: Vec<_> = (0..2).map(|_| replay(&mut play)).collect();
        play.ensure(replays[0] == replays[1], "two replays differ");
        let common = first.0.len().min(replays[0].0.len());
        play.ensure(first.0[..common] == replays[0].0[..common], "a replay calls other blocks final");
        // A depth was counted on a branch that was longer once, and certificates have been forgotten since.
        if matches!(play.kind, Kind::Never | Kind::Reported) {
            play.ensure(first == replays[0], "a replay has other evidence");
        }
    }
}

/// Scans from the start again, with other limits, and cut off now and then.
fn replay(play: &mut Play) -> (Vec<BlockPoint>, Option<EvidenceClaim>) {
    play.sink = SimSink::new(play.source.chain().scope().clone(), play.start);
    play.limits = limits(&mut play.rng, play.kind);
    play.restart();
    for turn in 0.. {
        if play.sink.tip().id == play.source.chain().head() {
            break;
        }
        play.ensure(turn < 2_000, "the replay does not arrive");
        for _ in 0..10 {
            play.step();
            play.driver.rest();
        }
        if play.rng.u8(..6) == 0 {
            play.restart();
        }
    }
    play.wait(2);
    (final_blocks(play), last_evidence(play))
}

fn final_blocks(play: &Play) -> Vec<BlockPoint> {
    play.sink.final_chain().iter().map(|header| header.point).collect()
}

fn last_evidence(play: &Play) -> Option<EvidenceClaim> {
    play.sink.finality().map(|finality| EvidenceClaim::from(&finality.evidence))
}
