//! A scan that is cut off at any await, or whose commits fail in any way, tells everything exactly once.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nodewright_core::{
    Certified, ErrorKind, Fallback, FinalityPolicy, Result, Revision, ScanBatch, ScanSink, Scope, Stored,
};
use nodewright_ops::scan::{ScanDriver, ScanError, ScanOptions, Stop};
use nodewright_stores::MemorySink;
use nodewright_testkit::sim::{SimSink, SimSource};
use support::gate::{Gate, Gated, gated};
use support::sinks::{Checked, Faulty, Listed, Trouble};
use support::{adapter, applied, best, book, depth, genesis, options, records, scope, small, source, text};

/// Plays two acts: a chain that is caught up with, then a longer branch that takes the place of its newest blocks.
async fn two_acts(
    source: &SimSource,
    policy: impl FinalityPolicy + Clone,
    batch: u32,
    cut_at: u64,
    fresh: bool,
) -> (MemorySink, bool) {
    let gate = Arc::new(Gate::default());
    let kept = MemorySink::new();
    let held = SimSink::new(scope(source), genesis(source));
    let checked: Arc<dyn ScanSink> = Arc::new(Checked { kept: kept.clone(), held });
    let sink: Arc<dyn ScanSink> = Arc::new(Gated { gate: Arc::clone(&gate), inner: checked });
    let make = || {
        let options: ScanOptions = small(options(source, batch));
        ScanDriver::new(gated(adapter(source, policy.clone()), &gate), Arc::clone(&sink), options)
    };
    let mut driver = make();
    let mut was_cut = false;
    gate.shut_at(cut_at);
    for act in 0..2 {
        if act == 1 {
            second_act(source);
        }
        loop {
            match gate.cut_off(driver.run_to_idle()).await {
                Some(stop) => {
                    assert_eq!(stop.unwrap(), Stop::Idle);
                    break;
                }
                None => {
                    was_cut = true;
                    gate.shut_at(0);
                    if fresh {
                        driver = make();
                    }
                }
            }
        }
    }
    (kept, was_cut)
}

/// Makes a new chain for each run, always the same.
fn first_act() -> SimSource {
    let source = source(7, 14);
    let at = source.chain().below_head(6);
    source.chain().lock(at);
    source
}

fn second_act(source: &SimSource) {
    let mut chain = source.chain();
    chain.reorg(4, 6);
    let at = chain.below_head(2);
    chain.lock(at);
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_is_dropped_at_any_await_and_run_again_stores_what_an_undisturbed_one_does() {
    for fresh in [false, true] {
        // One header at a time: then events do not depend on where a batch begins.
        let (undisturbed, _) = two_acts(&first_act(), depth(5), 1, 0, fresh).await;
        let expected = text(&records(&undisturbed));
        assert!(
            expected.iter().any(|line| line.contains("RollBack")) && expected.iter().any(|line| line.contains("simtx"))
        );
        let mut cuts = 0;
        for at in 1.. {
            let (sink, was_cut) = two_acts(&first_act(), depth(5), 1, at, fresh).await;
            assert_eq!(text(&records(&sink)), expected, "dropped at await {at}, new driver: {fresh}");
            if !was_cut {
                break;
            }
            cuts += 1;
        }
        assert!(cuts > 100, "only {cuts} awaits were cut");
    }
}

#[tokio::test(start_paused = true)]
async fn with_batches_and_certificates_the_chain_and_the_deposits_are_the_same_wherever_it_was_dropped() {
    let policy = Certified::try_new(Fallback::Never).unwrap();
    let whole = first_act();
    let (undisturbed, _) = two_acts(&whole, policy, 7, 0, false).await;
    let (chain, deposits) = (applied(&records(&undisturbed)), book(&records(&undisturbed)));
    assert_eq!(chain, best(&whole));
    for at in 1.. {
        let (sink, was_cut) = two_acts(&first_act(), policy, 7, at, at % 2 == 0).await;
        assert_eq!(applied(&records(&sink)), chain, "dropped at await {at}");
        let found = book(&records(&sink));
        for (ours, theirs) in found.deposits().iter().zip(deposits.deposits()) {
            assert_eq!(ours.key(), theirs.key(), "dropped at await {at}");
            assert_eq!(ours.observation, theirs.observation, "dropped at await {at}");
            assert_eq!(ours.is_settled(), theirs.is_settled(), "dropped at await {at}: {ours:?}");
        }
        assert_eq!(found.deposits().len(), deposits.deposits().len());
        if !was_cut {
            assert!(at > 40, "only {at} awaits were cut");
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_landed_but_was_reported_as_failed_is_not_sent_again() {
    for trouble in [Trouble::After, Trouble::Before] {
        let source = source(3, 40);
        let kept = MemorySink::new();
        let held = SimSink::new(scope(&source), genesis(&source));
        let checked = Arc::new(Checked { kept: kept.clone(), held });
        let plan = Listed(vec![(0, trouble), (2, trouble), (3, trouble)], 0);
        let sink = Arc::new(Faulty::new(checked, plan));
        let mut driver = ScanDriver::new(adapter(&source, depth(3)), sink, small(options(&source, 10)));
        assert_eq!(driver.run_to_idle().await.unwrap(), Stop::Idle);
        assert_eq!(applied(&records(&kept)), best(&source), "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_scan_on_the_same_store_halts_with_a_conflict_and_the_first_goes_on() {
    let source = source(3, 10);
    let kept = MemorySink::new();
    let make = || ScanDriver::new(adapter(&source, depth(3)), Arc::new(kept.clone()), options(&source, 10));
    let (mut first, mut second) = (make(), make());
    first.run_to_idle().await.unwrap();
    second.run_to_idle().await.unwrap();
    source.chain().grow(2);
    first.run_to_idle().await.unwrap();
    source.chain().grow(2);
    let error = second.run_to_idle().await.unwrap_err();
    assert!(matches!(error, ScanError::Halted(_)), "{error:?}");
    assert_eq!(error.error().kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("another scan writes to this store"), "{error}");
    first.run_to_idle().await.unwrap();
    assert_eq!(applied(&records(&kept)), best(&source));
    // Started again, the second one finds what the first one stored, and they can take turns.
    source.chain().grow(2);
    second.run_to_idle().await.unwrap();
    assert_eq!(applied(&records(&kept)), best(&source));
}

#[tokio::test(start_paused = true)]
async fn two_scans_that_race_for_one_store_never_store_anything_twice() {
    let source = source(9, 60);
    let kept = MemorySink::new();
    let gate = Arc::new(Gate::default());
    let make = || {
        let sink: Arc<dyn ScanSink> = Arc::new(kept.clone());
        let gated_sink = Arc::new(Gated { gate: Arc::clone(&gate), inner: sink });
        ScanDriver::new(gated(adapter(&source, depth(3)), &gate), gated_sink, small(options(&source, 4)))
    };
    let (mut first, mut second) = (make(), make());
    let (one, other) = tokio::join!(first.run_to_idle(), second.run_to_idle());
    let conflicts = [&one, &other].iter().filter(|end| end.is_err()).count();
    assert_eq!(conflicts, 1, "{one:?} {other:?}");
    assert_eq!(applied(&records(&kept)), best(&source));
}

#[tokio::test(start_paused = true)]
async fn a_commit_of_a_dropped_run_that_lands_under_the_next_one_is_taken_for_what_it_is() {
    let source = source(5, 20);
    let kept = MemorySink::new();
    let sink = Arc::new(Late { kept: kept.clone(), delay: Duration::from_secs(5) });
    let mut driver = ScanDriver::new(adapter(&source, depth(9)), sink, options(&source, 50));
    tokio::time::timeout(Duration::from_secs(1), driver.run_to_idle()).await.unwrap_err();
    source.chain().reorg(3, 5);
    assert_eq!(kept.stored(), None, "the commit has not landed yet");
    assert_eq!(driver.run_to_idle().await.unwrap(), Stop::Idle);
    assert_eq!(applied(&records(&kept)), best(&source));
    assert!(text(&records(&kept)).iter().any(|line| line.contains("RollBack")), "the late commit is part of the log");
}

/// Commits after a while, whether or not somebody still waits for it, and serves loads meanwhile.
#[derive(Debug)]
struct Late {
    kept: MemorySink,
    delay: Duration,
}

#[async_trait]
impl ScanSink for Late {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        self.kept.load(scope).await
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        let (kept, delay) = (self.kept.clone(), self.delay);
        let task = tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            kept.commit(expected, batch).await
        });
        task.await.unwrap()
    }
}
