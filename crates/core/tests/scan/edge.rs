//! A scan before the edge of an era that it does not support: it applies nothing past it, and everything before it becomes
//! final as it would have without the edge.

use core::num::NonZeroU32;

use nodewright_core::{
    Activation, BlockHeight, BlockPoint, BlockTime, ChainPosition, EraError, EraGate, EraId, EraMarker, EraSchedule,
    Header, HoldReason, ScanEvent, ScanFault, ScanLimits, SupportedEras,
};
use nodewright_testkit::seeds;
use nodewright_testkit::sim::Backend;

use crate::kind::Kind;
use crate::play::{LONG, Play, SHORT, Script};

/// Says where the unsupported era begins.
#[derive(Clone, Copy, Debug)]
enum Edge {
    Height(BlockHeight),
    Time(BlockTime),
}

impl Edge {
    fn is_before(self, header: &Header) -> bool {
        match self {
            Self::Height(edge) => header.point.id.height < edge,
            Self::Time(edge) => header.time < edge,
        }
    }

    fn gate(self) -> EraGate {
        let (first, second) = match self {
            Self::Height(edge) => (Activation::Height(BlockHeight(0)), Activation::Height(edge)),
            Self::Time(edge) => (Activation::Time(BlockTime(0)), Activation::Time(edge)),
        };
        let era = |name: &str| EraId::try_new(name).unwrap();
        let markers = [EraMarker::new(era("old"), first), EraMarker::new(era("new"), second)];
        let supported = SupportedEras::try_new([era("old")]).unwrap();
        EraGate::new(EraSchedule::try_new(markers).unwrap(), supported, locate)
    }
}

fn locate(header: &Header) -> ChainPosition {
    ChainPosition { time: Some(header.time), ..ChainPosition::at(header.point.id.height) }
}

/// Plays with a gate in the way; returns the play and its edge.
fn play(seed: u64, script: Script) -> (Play, Edge) {
    let mut play = Play::new(seed, Script { restarts: false, ..script });
    let start = {
        let chain = play.source.chain();
        *chain.block(&play.start.id.hash).unwrap().header()
    };
    let ahead = play.rng.u64(1..80);
    let edge = match play.rng.bool() {
        true => Edge::Height(BlockHeight(start.point.id.height.0 + ahead)),
        false => Edge::Time(BlockTime(start.time.0 + ahead * 100)),
    };
    play.driver.core_mut().set_gate(Some(edge.gate()));
    for _ in 0..script.turns {
        play.act();
        play.drive_a_little();
        play.check();
        if play.rng.u8(..10) == 0 {
            restart(&mut play, edge);
        }
        never_past(&play, edge);
    }
    play.calm();
    (play, edge)
}

fn restart(play: &mut Play, edge: Edge) {
    play.restart();
    play.driver.core_mut().set_gate(Some(edge.gate()));
}

fn never_past(play: &Play, edge: Edge) {
    let past = play.sink.events().iter().any(|event| match event {
        ScanEvent::Apply(header) => !edge.is_before(header),
        _ => false,
    });
    play.ensure(!past, "a block past the edge was applied");
}

/// Lets the scan come to the edge, and checks where it stands.
fn arrive_at(play: &mut Play, edge: Edge) {
    let best: Vec<_> = play.source.chain().best().map(|block| *block.header()).collect();
    let start = best.iter().position(|header| header.point == play.start).unwrap();
    let above = &best[start + 1..];
    let before = above.iter().take_while(|header| edge.is_before(header)).count();
    let tip = if before == 0 { play.start } else { above[before - 1].point };
    let finals = play.expected_finals().min(before);
    for _ in 0..10 + best.len() / 4 {
        play.wait(1);
        play.check();
        if play.sink.tip() == tip && play.sink.finals() >= finals {
            break;
        }
    }
    play.wait(2);
    never_past(play, edge);
    play.ensure(play.sink.tip() == tip, "it does not come to the edge");
    play.ensure(play.sink.finals() >= finals, &format!("{} final, not {finals}", play.sink.finals()));
    let held = play.driver.core().progress().hold == Some(HoldReason::EraAhead);
    play.ensure(held == (before < above.len()), "it does not say what it waits for");
}

#[test]
fn nothing_past_the_edge_is_applied_and_everything_before_it_becomes_final() {
    let mut held = 0;
    for seed in seeds(SHORT, LONG) {
        let (mut play, edge) = play(seed, Script { lies: false, ..Script::ALL });
        arrive_at(&mut play, edge);
        held += u64::from(play.driver.core().progress().hold.is_some());
        let tip = play.sink.tip();
        restart(&mut play, edge);
        arrive_at(&mut play, edge);
        play.ensure(play.sink.tip() == tip, "after a restart it stands elsewhere");
        // A build that supports the era goes on to the head.
        play.driver.core_mut().set_gate(None);
        play.arrive();
    }
    if seeds(2, 2).count() > 1 {
        assert!(held > SHORT / 2, "{held} plays met their edge");
    }
}

#[test]
fn a_source_that_lies_sends_no_scan_past_the_edge() {
    for seed in seeds(SHORT, LONG) {
        let (mut play, edge) = play(seed, Script::ALL);
        arrive_at(&mut play, edge);
    }
}

#[test]
fn what_lies_past_the_edge_counts_when_branches_are_compared() {
    let mut compared = 0;
    for seed in seeds(300, 3_000) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Depth(40));
        play.limits = ScanLimits { unfinal: NonZeroU32::new(200).unwrap(), ..ScanLimits::default() };
        let mut chain = play.source.chain();
        let fork = chain.head();
        chain.grow(30);
        let (longer, shorter) = (chain.head(), chain.fork(fork, 20));
        drop(chain);
        let edge = Edge::Height(BlockHeight(fork.height.0 + 3));
        restart(&mut play, edge);
        play.settle();
        let tip = play.sink.tip();
        // Where heights skip, it need not be lower, or may go on from our tip.
        if shorter.height >= longer.height || tip.id == fork {
            continue;
        }
        compared += 1;
        // A second node is on the shorter branch and does not know ours.
        let other = Backend { tip: Some(shorter), lag: 0, forgetful: true, headers_first: false };
        play.source.adjust(|behaviour| behaviour.backends = vec![other]);
        play.wait(4);
        play.ensure(play.sink.tip() == tip, "it follows a branch that is lower");
        never_past(&play, edge);
    }
    if seeds(2, 2).count() > 1 {
        assert!(compared > 200, "{compared} plays compared branches");
    }
}

#[test]
fn waiting_at_the_edge_is_told_once() {
    for seed in seeds(300, 3_000) {
        let (mut play, edge) = play(seed, Script::QUIET);
        play.source.chain().grow(100);
        let head = play.source.chain().head();
        play.source.chain().report_final(Some(head));
        if play.kind.is_certified() {
            play.source.chain().lock(head);
        }
        arrive_at(&mut play, edge);
        let count = |play: &Play| {
            play.sink.events().iter().filter(|event| **event == ScanEvent::Hold(HoldReason::EraAhead)).count()
        };
        let before = count(&play);
        play.ensure(before > 0, "it does not hold");
        for _ in 0..5 {
            play.source.chain().grow(2);
            play.wait(2);
        }
        play.ensure(count(&play) == before, "it holds again and again");
    }
}

#[test]
fn a_block_whose_era_cannot_be_told_stops_the_scan() {
    let mut play = Play::new(7, Script::QUIET);
    let gate = EraGate::new(
        EraSchedule::try_new([EraMarker::new(EraId::try_new("a").unwrap(), Activation::Time(BlockTime(0)))]).unwrap(),
        SupportedEras::try_new([EraId::try_new("a").unwrap()]).unwrap(),
        |header: &Header| ChainPosition::at(header.point.id.height),
    );
    play.driver.core_mut().set_gate(Some(gate));
    play.source.chain().grow(3);
    for _ in 0..6 {
        play.request();
        play.deliver_all();
    }
    let fault = play.driver.core().fault();
    assert!(matches!(fault, Some(ScanFault::EraUnknown { error: EraError::MissingAxis { .. }, .. })), "{fault:?}");
    assert_eq!(play.sink.tip(), BlockPoint { ..play.start });
}
