//! S-10: checkpoints of another ledger.

use nodewright_core::{
    BlockHash, ChainId, CheckpointError, ErrorKind, EvidenceSource, ScanSink as _, Scope, ShardId, TrustedCheckpoint,
};
use nodewright_testkit::seeds;
use nodewright_testkit::sim::{SimDriver, block_on};

use crate::play::{LONG, Play, SHORT, Script};

#[test]
fn s10_a_checkpoint_of_another_ledger_is_refused_and_left_untouched() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::new(seed, Script { turns: 4, ..Script::QUIET }).run();
        let stored = play.sink.stored().unwrap();
        let scope = play.source.chain().scope().clone();
        let other = another(&mut play, &scope);
        let checkpoint = &stored.checkpoint.clone();
        let refused = CheckpointError::OtherScope { stored: Box::new(scope.clone()), asked: Box::new(other.clone()) };
        assert_eq!(checkpoint.check(&other), Err(refused.clone()), "seed {seed}");
        assert_eq!(TrustedCheckpoint::anchor(checkpoint, &other).unwrap_err(), refused, "seed {seed}");
        let verified = block_on(TrustedCheckpoint::verify(checkpoint, &other, &play.source)).unwrap_err();
        let kinds = [ErrorKind::ScopeMismatch, ErrorKind::Unverified];
        assert!(kinds.contains(&verified.kind()), "seed {seed}: {verified}");

        let evidence = play.kind.is_certified().then_some(&play.source as &dyn EvidenceSource);
        let start = play.start;
        let resumed = SimDriver::resume(play.kind.policy(), play.limits.clone(), &other, start, &play.sink, evidence);
        assert_eq!(block_on(resumed).unwrap_err().kind(), ErrorKind::ScopeMismatch, "seed {seed}");
        assert_eq!(play.sink.stored(), Some(stored.clone()), "seed {seed}");
        assert_eq!(block_on(play.sink.load(&scope)).unwrap(), Some(stored), "seed {seed}");
        assert!(TrustedCheckpoint::anchor(checkpoint, &scope).is_ok(), "seed {seed}");
    }
}

/// Changes one part of a scope.
fn another(play: &mut Play, scope: &Scope) -> Scope {
    let mut other = scope.clone();
    match play.rng.u8(..4) {
        0 => other.chain = ChainId::new("other"),
        1 => other.network.name.push('2'),
        2 => other.network.genesis = BlockHash([7; 32]),
        _ => other.shard = Some(ShardId(play.rng.u32(..))),
    }
    other
}
