//! Removed transactions are followed through the driver: mined again, replaced, or back in the memory pool, with and
//! without a restart in between.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nodewright_core::{
    BlockPoint, BlockReport, Certified, Fallback, ObservationSource, Result, ScanLimits, TxFate, TxId, TxSource,
    WatchItem, WatchSet,
};
use nodewright_ops::observer::{DepositBook, DepositState, Fate};
use nodewright_ops::scan::{ScanDriver, ScanOptions, Stop};
use nodewright_stores::MemorySink;
use nodewright_testkit::sim::SimSource;
use support::{Told, adapter, book, depth, options, records, small, source, text};

/// Reorganises `depth` blocks away in favour of `count`, with a restart of the driver in between or not.
async fn reorganised(seed: u64, away: usize, count: usize, restart: bool) -> (SimSource, MemorySink, Arc<Told>) {
    let source = source(seed, 30);
    let kept = MemorySink::new();
    let told = Arc::new(Told::default());
    let make = || {
        let options = ScanOptions { listener: Some(told.clone()), ..small(options(&source, 4)) };
        ScanDriver::new(adapter(&source, depth(25)), Arc::new(kept.clone()), options)
    };
    let mut driver = make();
    driver.run_to_idle().await.unwrap();
    if restart {
        driver = make();
    }
    source.chain().reorg(away, count);
    driver.run_to_idle().await.unwrap();
    (source, kept, told)
}

#[tokio::test(start_paused = true)]
async fn every_removed_deposit_has_the_fate_that_the_node_would_tell_whatever_the_seed() {
    let mut seen = BTreeMap::new();
    for seed in 0..40 {
        let (source, kept, _) = reorganised(seed, 9, 11, seed % 2 == 0).await;
        let book = book(&records(&kept));
        for deposit in book.deposits() {
            let fate = source.fate(&deposit.observation.txid).await.unwrap();
            let (word, right) = match (&deposit.state, &fate) {
                (DepositState::Gone { fate: Fate::Replaced { by, block, .. } }, TxFate::Replaced(theirs)) => {
                    ("replaced", by == theirs && block.is_some())
                }
                (DepositState::Final { .. }, TxFate::Mined(at)) => ("final", deposit.observation.block == *at),
                (DepositState::Seen, TxFate::Mined(at)) if deposit.moved_from.is_some() => {
                    ("moved", deposit.observation.block == *at && deposit.moved_from != Some(*at))
                }
                (DepositState::Seen, TxFate::Mined(at)) => ("seen", deposit.observation.block == *at),
                _ => ("", false),
            };
            assert!(right, "seed {seed}: {deposit:?} {fate:?}");
            *seen.entry(word).or_insert(0) += 1;
        }
    }
    for word in ["final", "moved", "replaced", "seen"] {
        assert!(seen.get(word).is_some_and(|count| *count > 20), "{word} was not met often enough: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_between_removal_and_replacement_changes_no_record() {
    for seed in 0..12 {
        let run = async |restarts: bool| {
            let source = source(seed, 30);
            let kept = MemorySink::new();
            let make = || {
                let options = small(options(&source, 1));
                ScanDriver::new(adapter(&source, depth(25)), Arc::new(kept.clone()), options)
            };
            let mut driver = make();
            // The tip falls first: keys of the removed blocks are looked for long after the reorganisation.
            for (away, count) in [(0, 0), (8, 1), (0, 3), (0, 6), (2, 4)] {
                source.chain().reorg(away, count);
                driver.run_to_idle().await.unwrap();
                if restarts {
                    driver = make();
                }
            }
            records(&kept)
        };
        let (whole, restarted) = (run(false).await, run(true).await);
        assert!(whole.iter().any(|record| record.report.as_ref().is_some_and(|report| !report.spends.is_empty())));
        assert_eq!(text(&whole), text(&restarted), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_removed_transaction_waits_the_node_is_asked_and_the_listener_told() {
    let mut mempool = 0;
    for seed in 0..4 {
        let (_, kept, told) = reorganised(seed, 9, 2, false).await;
        let book = told.book.lock().unwrap().clone();
        let fates: Vec<_> = book.deposits().iter().filter(|it| it.state == gone(Fate::Mempool)).collect();
        mempool += fates.len();
        assert!(!book.deposits().iter().any(|it| it.state == gone(Fate::Awaited)), "seed {seed}: nobody was asked");
        let without: DepositBook = support::book(&records(&kept));
        assert_eq!(without.deposits().iter().filter(|it| it.state == gone(Fate::Awaited)).count(), fates.len());
    }
    assert!(mempool > 4, "{mempool}");
}

#[tokio::test(start_paused = true)]
async fn a_scan_is_idle_however_many_transactions_are_lost_and_each_run_asks_after_some_of_them() {
    let source = source(5, 420);
    let told = Arc::new(Told::default());
    let mut chain = adapter(&source, depth(410));
    chain.transactions = Some(Arc::new(Slow { inner: source.clone(), pause: Duration::from_millis(5) }));
    let limits = ScanLimits { poll: Duration::from_millis(1), ..ScanLimits::default() };
    let options = ScanOptions { limits, listener: Some(told.clone()), ..options(&source, 50) };
    let mut driver = ScanDriver::new(chain, Arc::new(MemorySink::new()), options);
    driver.run_to_idle().await.unwrap();
    assert_eq!(told.lines("fate").len(), 0, "nothing was lost");
    source.chain().reorg(400, 1);
    for run in 1..=3 {
        let idle = tokio::time::timeout(Duration::from_secs(600), driver.run_to_idle()).await;
        assert_eq!(idle.expect("it is never idle").unwrap(), Stop::Idle);
        let mut asked = told.lines("fate");
        assert_eq!(asked.len(), run * 16, "one round a run");
        asked.sort();
        asked.dedup();
        assert_eq!(asked.len(), run * 16, "the same were asked after again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_scan_is_not_idle_before_a_round_that_began_after_the_last_reorganisation() {
    let source = source(5, 420);
    let told = Arc::new(Told::default());
    let mut chain = adapter(&source, depth(410));
    chain.transactions = Some(Arc::new(Slow { inner: source.clone(), pause: Duration::from_secs(1) }));
    let options = ScanOptions { listener: Some(told.clone()), ..options(&source, 50) };
    let mut driver = ScanDriver::new(chain, Arc::new(MemorySink::new()), options);
    driver.run_to_idle().await.unwrap();
    source.chain().reorg(200, 1);
    // Blocks leave the chain again while the node is asked.
    let play = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        source.chain().reorg(100, 1);
    };
    let (stop, ()) = tokio::join!(driver.run_to_idle(), play);
    assert_eq!(stop.unwrap(), Stop::Idle);
    assert_eq!(told.lines("fate").len(), 32);
}

#[tokio::test(start_paused = true)]
async fn followed_transactions_are_forgotten_once_what_became_of_them_is_final() {
    let policy = Certified::try_new(Fallback::Never).unwrap();
    let source = source(3, 30);
    let kept = MemorySink::new();
    let mut driver = ScanDriver::new(adapter(&source, policy), Arc::new(kept.clone()), small(options(&source, 4)));
    driver.run_to_idle().await.unwrap();
    source.chain().reorg(12, 14);
    driver.run_to_idle().await.unwrap();
    assert!(kept.stored().unwrap().checkpoint.notes.is_some());
    let head = source.chain().head();
    source.chain().lock(head);
    driver.run_to_idle().await.unwrap();
    assert_eq!(kept.stored().unwrap().checkpoint.notes, None);
    assert!(book(&records(&kept)).deposits().iter().all(|deposit| deposit.is_settled()));
}

#[tokio::test(start_paused = true)]
async fn blocks_after_a_reorganisation_wait_for_what_the_removed_ones_held() {
    let mut replaced = 0;
    for seed in 0..8 {
        let source = source(seed, 30);
        let kept = MemorySink::new();
        let mut chain = adapter(&source, depth(60));
        chain.observations = Some(Arc::new(Slow { inner: source.clone(), pause: Duration::from_secs(20) }));
        let mut driver = ScanDriver::new(chain, Arc::new(kept.clone()), options(&source, 50));
        // The chain moves while its old blocks are being observed; headers are polled meanwhile.
        let play = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            source.chain().reorg(10, 12);
            tokio::time::sleep(Duration::from_secs(120)).await;
        };
        driver.run_until(play).await.unwrap();
        for deposit in book(&records(&kept)).deposits() {
            let fate = source.fate(&deposit.observation.txid).await.unwrap();
            let told = matches!(deposit.state, DepositState::Gone { fate: Fate::Replaced { .. } });
            assert_eq!(told, matches!(fate, TxFate::Replaced(_)), "seed {seed}: {deposit:?} {fate:?}");
            replaced += usize::from(told);
        }
    }
    assert!(replaced > 8, "{replaced}");
}

/// Takes its time with each call.
#[derive(Debug)]
struct Slow {
    inner: SimSource,
    pause: Duration,
}

#[async_trait]
impl ObservationSource for Slow {
    fn watch(&self, text: &str) -> Result<WatchItem> {
        self.inner.watch(text)
    }

    async fn observe(&self, points: &[BlockPoint], watch: &WatchSet) -> Result<Vec<BlockReport>> {
        tokio::time::sleep(self.pause).await;
        self.inner.observe(points, watch).await
    }
}

#[async_trait]
impl TxSource for Slow {
    async fn fate(&self, txid: &TxId) -> Result<TxFate> {
        tokio::time::sleep(self.pause).await;
        self.inner.fate(txid).await
    }
}

fn gone(fate: Fate) -> DepositState {
    DepositState::Gone { fate }
}
