//! Seeded simulations: a chain that grows, forks and certifies, sources and sinks that fail, drivers that are dropped;
//! what the sink holds in the end equals a scan from scratch.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use nodewright_core::{BlockDelta, Certified, Fallback, FinalityPolicy, ScanRecord, ScanSink};
use nodewright_ops::observer::{Deposit, DepositState};
use nodewright_ops::scan::{ScanDriver, ScanOptions, StandardPolicy, Stop};
use nodewright_stores::MemorySink;
use nodewright_testkit::seeds;
use nodewright_testkit::sim::{Backend, Behaviour, SimSink, SimSource};
use support::sinks::{Checked, Faulty, Random};
use support::{adapter, applied, best, book, depth, genesis, options, records, scope, source};

#[test]
fn whatever_happens_the_deposits_in_the_end_equal_a_scan_from_scratch() {
    let mut met = Met::default();
    let range = seeds(300, 3_000);
    let all = range.end - range.start > 1;
    for seed in range {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(seed, &mut met));
    }
    assert!(!all || (met.rollbacks > 100 && met.drops > 100 && met.gone > 100 && met.finals > 1_000), "{met:?}");
}

/// Counts what the simulations met, so that a play in which nothing happens does not pass.
#[derive(Debug, Default)]
struct Met {
    rollbacks: usize,
    drops: usize,
    gone: usize,
    finals: usize,
}

async fn play(seed: u64, met: &mut Met) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let source = source(seed, rng.usize(1..60));
    let certified = rng.bool();
    let fallback = if rng.bool() { Fallback::After(BlockDelta(20)) } else { Fallback::Never };
    let policy: Arc<dyn FinalityPolicy> =
        if certified { Arc::new(Certified::try_new(fallback).unwrap()) } else { Arc::new(depth(20)) };

    let kept = MemorySink::new();
    let checked = Arc::new(Checked { kept: kept.clone(), held: SimSink::new(scope(&source), genesis(&source)) });
    let fails = rng.u8(0..30);
    let sink: Arc<dyn ScanSink> = Arc::new(Faulty::new(checked, Random(rng.fork(), fails)));
    let options = options_of(&source, policy, &mut rng);
    let make = || ScanDriver::new(adapter(&source, depth(1)), Arc::clone(&sink), options.clone());

    let mut driver = make();
    for _ in 0..rng.usize(3..10) {
        misbehave(&source, &mut rng);
        change(&source, certified, &mut rng);
        // Long enough to get somewhere, or not.
        let patience = Duration::from_millis(rng.u64(1..200_000));
        match tokio::time::timeout(patience, driver.run_to_idle()).await {
            Ok(stop) => assert_eq!(stop.unwrap(), Stop::Idle, "seed {seed}"),
            Err(_) => met.drops += 1,
        }
        if rng.u8(..4) == 0 {
            driver = make();
        }
    }
    source.behave(Behaviour::default());
    let head = source.chain().grow(1);
    if certified {
        source.chain().lock(head);
        source.chain().follow_locks();
    }
    let last = tokio::time::timeout(Duration::from_secs(86_400), driver.run_to_idle()).await;
    assert_eq!(
        last.unwrap_or_else(|_| panic!("seed {seed} does not come to rest")).unwrap(),
        Stop::Idle,
        "seed {seed}"
    );

    let scratch = MemorySink::new();
    let plain = ScanOptions { policy: options.policy.clone(), ..support::options(&source, 2_000) };
    ScanDriver::new(adapter(&source, depth(1)), Arc::new(scratch.clone()), plain).run_to_idle().await.unwrap();
    let (ours, theirs) = (records(&kept), records(&scratch));
    assert_eq!(applied(&ours), best(&source), "seed {seed}");
    assert_eq!(standing(&ours), standing(&theirs), "seed {seed}");
    let checkpoints = (kept.stored().unwrap().checkpoint, scratch.stored().unwrap().checkpoint);
    assert_eq!(checkpoints.0.finalized, checkpoints.1.finalized, "seed {seed}");
    assert_eq!(checkpoints.0.unfinal, checkpoints.1.unfinal, "seed {seed}");
    count(&ours, &source, met);
}

fn options_of(source: &SimSource, policy: Arc<dyn FinalityPolicy>, rng: &mut fastrand::Rng) -> ScanOptions {
    let size = |rng: &mut fastrand::Rng| std::num::NonZeroUsize::new(rng.usize(1..20)).unwrap();
    let mut options = options(source, rng.u32(1..30));
    options.limits.events = rng.usize(4..60);
    ScanOptions {
        policy: Some(policy),
        observe_batch: size(rng),
        commit_events: size(rng),
        errors: Arc::new(StandardPolicy { budget: 1_000, patience: None }),
        ..options
    }
}

fn misbehave(source: &SimSource, rng: &mut fastrand::Rng) {
    let lagging =
        |rng: &mut fastrand::Rng| Backend { lag: rng.usize(0..3), forgetful: rng.bool(), ..Backend::default() };
    let backends = (0..rng.usize(0..3)).map(|_| lagging(rng)).collect();
    let cut = rng.bool().then(|| rng.usize(1..10));
    source.behave(Behaviour { backends, fail_percent: rng.u8(0..35), cut, ..Behaviour::default() });
    if rng.u8(..5) == 0 {
        source.forget_locks();
    }
}

fn change(source: &SimSource, certified: bool, rng: &mut fastrand::Rng) {
    let mut chain = source.chain();
    match rng.u8(..4) {
        0 => _ = chain.grow(rng.usize(1..40)),
        1 | 2 => {
            // Never below what a certificate or the depth made final.
            let locked = chain.locks().iter().map(|id| id.height.0).max().unwrap_or(0);
            let free = usize::try_from(chain.head().height.0.saturating_sub(locked)).unwrap();
            let away = rng.usize(..=free.min(9));
            chain.reorg(away, away + rng.usize(1..4));
        }
        _ if certified => {
            let at = chain.below_head(rng.usize(0..12));
            if chain.locks().iter().all(|held| held.height < at.height) {
                chain.lock(at);
            }
        }
        _ => {}
    }
}

/// Returns the deposits that are on the chain, and where they stand.
fn standing(records: &[ScanRecord]) -> Vec<(String, u32, u64, bool)> {
    let on_chain = |deposit: &&Deposit| !matches!(deposit.state, DepositState::Gone { .. });
    let book = book(records);
    let mut deposits: Vec<_> = book
        .deposits()
        .iter()
        .filter(on_chain)
        .map(|it| {
            let Deposit { observation, state, .. } = it;
            let is_final = matches!(state, DepositState::Final { .. });
            (observation.txid.0.clone(), observation.output, observation.block.id.height.0, is_final)
        })
        .collect();
    deposits.sort();
    deposits
}

fn count(records: &[ScanRecord], source: &SimSource, met: &mut Met) {
    met.rollbacks +=
        records.iter().filter(|it| matches!(it.event, nodewright_core::ScanEvent::RollBack { .. })).count();
    for deposit in book(records).deposits() {
        match deposit.state {
            DepositState::Final { .. } => met.finals += 1,
            DepositState::Gone { .. } => {
                met.gone += 1;
                assert!(!source.chain().is_best(&deposit.observation.block.id), "{deposit:?} is there");
            }
            DepositState::Seen => {}
        }
    }
}
