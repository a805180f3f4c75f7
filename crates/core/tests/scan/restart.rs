//! S-6 and S-9: what is left when a scan, or a future of it, is dropped anywhere.

use core::future::Future as _;
use core::pin::pin;
use core::task::{Context, Waker};

use nodewright_core::EvidenceSource;
use nodewright_testkit::seeds;
use nodewright_testkit::sim::Slow;

use crate::play::{LONG, Play, SHORT, Script};

#[test]
fn s6_a_scan_that_is_killed_anywhere_goes_on_from_its_last_commit() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::new(seed, Script { lies: false, turns: 0, ..Script::ALL });
        for _ in 0..30 {
            play.act();
            for _ in 0..play.rng.usize(..6) {
                play.request();
                if play.rng.u8(..3) == 0 {
                    play.driver.rest();
                }
                if play.rng.bool() {
                    play.deliver();
                }
                if play.rng.u8(..4) == 0 {
                    play.restart();
                }
            }
            play.check();
        }
        play.calm();
        play.arrive();
    }
}

#[test]
fn s9_dropping_any_future_half_way_loses_nothing() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::new(seed, Script { lies: false, turns: 0, ..Script::ALL });
        let source = Slow(play.source.clone());
        for _ in 0..30 {
            play.act();
            let evidence = play.kind.is_certified().then_some(&source as &dyn EvidenceSource);
            let polls = play.rng.usize(..24);
            let (driver, sink) = (&mut play.driver, Slow(play.sink.clone()));
            {
                let mut future = pin!(driver.settle(&source, evidence, &sink, 100));
                let mut context = Context::from_waker(Waker::noop());
                for _ in 0..polls {
                    if future.as_mut().poll(&mut context).is_ready() {
                        break;
                    }
                }
            }
            play.driver.rest();
            play.check();
        }
        play.calm();
        play.arrive();
    }
}
