//! S-4: certificates that come before their block.

use nodewright_core::{ScanCore, ScanEvent, TrustedCheckpoint};
use nodewright_testkit::seeds;
use nodewright_testkit::sim::{Backend, Behaviour, block_on};

use crate::kind::Kind;
use crate::play::{LONG, Play, SHORT, Script};

#[test]
fn s4_a_certificate_that_comes_before_its_block_takes_effect_with_the_block_even_if_it_was_forgotten() {
    for seed in seeds(SHORT, LONG) {
        let kind = if seed % 2 == 0 { Kind::Never } else { Kind::After(50) };
        let mut play = Play::with(seed, Script::QUIET, kind);
        let lag = play.rng.usize(1..20);
        play.source.chain().grow(lag);
        let backends = vec![Backend { lag, ..Backend::default() }];
        play.source.behave(Behaviour { backends, ..Behaviour::default() });
        play.settle();
        let above = play.rng.usize(..lag);
        let locked = play.source.chain().below_head(above);
        play.source.chain().lock(locked);
        play.wait(1);
        let pending = play
            .sink
            .stored()
            .is_some_and(|stored| stored.checkpoint.pending.iter().any(|claim| claim.block == locked));
        play.ensure(pending, "S-4: the certificate is not in the checkpoint");
        play.source.forget_locks();
        for _ in 0..play.rng.usize(..3) {
            play.restart();
            play.wait(1);
        }
        play.source.behave(Behaviour::default());
        play.wait(2);
        play.settle();
        let point = play.sink.finality().map(|finality| finality.point.id);
        play.ensure(point == Some(locked), "S-4: the certificate did not take effect");
    }
}

#[test]
fn s4_a_certificate_whose_effect_was_not_acknowledged_survives_a_restart() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Never);
        let above = play.rng.usize(..5);
        play.source.chain().grow(10);
        let locked = play.source.chain().below_head(above);
        play.source.chain().lock(locked);
        // The events pile up, a few are delivered, and the scan is dropped or begins again.
        for turn in 0.. {
            play.ensure(turn < 2_000, "S-4: the certificate is never known");
            let known = play.driver.core().checkpoint(None).pending.iter().any(|claim| claim.block == locked);
            play.request();
            play.driver.rest();
            if known && play.rng.u8(..8) == 0 {
                break;
            }
            if play.driver.core().events().len() >= play.limits.events {
                play.deliver();
            }
            if play.sink.finality().is_some_and(|finality| finality.point.id == locked) {
                break;
            }
        }
        let most = play.rng.usize(..4);
        block_on(play.driver.deliver(&play.sink, most)).unwrap();
        play.source.forget_locks();
        if play.rng.bool() {
            play.restart();
        } else {
            block_on(play.driver.rewind(&play.sink)).unwrap();
        }
        play.wait(3);
        let point = play.sink.finality().map(|finality| finality.point.id);
        play.ensure(point == Some(locked), "S-4: the certificate is lost");
    }
}

#[test]
fn s4_a_certificate_in_a_checkpoint_takes_effect_at_once_and_an_outdated_one_does_no_harm() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::with(seed, Script::QUIET, Kind::Never);
        play.limits.unfinal = play.limits.unfinal.saturating_add(100);
        play.restart();
        let first = play.source.chain().grow(5);
        play.source.chain().lock(first);
        let head = play.source.chain().grow(5);
        play.settle();
        // As if both had been stored: one for a block that is not final yet, one that contradicts what lies below.
        let fork = play.source.chain().below_head(9);
        let outdated = loop {
            // Heights may skip.
            let outdated = play.source.chain().fork(fork, 1);
            if outdated.height <= first.height {
                break outdated;
            }
        };
        let mut checkpoint = play.sink.stored().unwrap().checkpoint;
        checkpoint.pending = [head, outdated].map(|id| (&play.source.chain().evidence(id)).into()).into();
        let scope = play.source.chain().scope().clone();
        let mut trusted = block_on(TrustedCheckpoint::verify(&checkpoint, &scope, &play.source)).unwrap();
        assert_eq!(block_on(trusted.verify_pending(&checkpoint, &play.source)), 0);
        let core = ScanCore::resume(play.kind.policy(), trusted, play.limits.clone());
        let finalized: Vec<_> = core.events().map(|(_, event)| event.clone()).collect();
        let expected = |event: &ScanEvent| matches!(event, ScanEvent::Finalize(finality) if finality.point.id == head);
        play.ensure(finalized.len() == 1 && expected(&finalized[0]), &format!("S-4: it begins with {finalized:?}"));
        play.ensure(core.fault().is_none(), "S-4: an outdated certificate stopped it");
    }
}
