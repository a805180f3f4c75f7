//! Reorganisations and restarts on a real node: whatever happened, the scan ends where one from scratch does.

use core::num::NonZeroU32;
use core::time::Duration;
use std::sync::Arc;

use nodewright_bitcoin::{ConnectOptions, UtxoSource};
use nodewright_core::{ErrorKind, EventSeq, ScanEvent, ScanLimits, WatchSet};
use nodewright_ops::scan::Stop;
use nodewright_stores::MemorySink;

use crate::common::litecoind::Litecoind;
use crate::common::tx::{Tx, key_script, op_return};
use crate::scan::{Scan, source, watching};

/// Asks again soon: a test need not be patient.
fn quick() -> ScanLimits {
    ScanLimits { poll: Duration::from_millis(250), poll_max: Duration::from_millis(500), ..ScanLimits::default() }
}

/// Scans from scratch and requires the same chain and reports.
async fn compare(scan: &Scan, source: &Arc<UtxoSource>, watch: &WatchSet, depth: u64, what: &str) {
    let mut fresh = Scan::new(source, watch.clone(), depth);
    assert_eq!(fresh.settle().await.unwrap(), Stop::Idle);
    assert!(fresh.rollbacks().is_empty());
    let (ours, theirs) = (scan.chain(), fresh.chain());
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for ((ours, mut said), (theirs, fresh)) in ours.into_iter().zip(theirs) {
        // A scan that lost transactions looks for what they spent; one from scratch has nothing to look for.
        said.iter_mut().for_each(|report| report.spends.clear());
        assert_eq!((ours, said), (theirs, fresh), "{what}");
    }
}

/// Mines `count` blocks, each with a deposit of as many satoshi as its height.
async fn mine_deposits(node: &Litecoind, count: u64, coin_from: u64) {
    let mut txs: Vec<Tx> = Vec::new();
    let from = node.height().await + 1;
    for index in 0..count {
        let coin = match txs.last() {
            Some(last) => last.coin(last.len() - 1),
            None => node.coin(coin_from).await,
        };
        let memo = format!("=:b:x:{}", from + index);
        let tx = Tx::spending(&[coin]).pay(from + index, &key_script(1)).data(&op_return(&[memo.as_bytes()])).change(0);
        node.mine_with(std::slice::from_ref(&tx)).await;
        txs.push(tx);
    }
}

#[tokio::test]
async fn reorganisations_of_any_depth_end_where_a_fresh_scan_does() {
    let Some(mut node) = Litecoind::start(&[]).await else { return };
    node.mine(200).await;
    mine_deposits(&node, 12, 1).await;
    let source = source(&node, ConnectOptions::default()).await;
    let watch = watching(&source, &[&key_script(1)]);
    let mut scan = Scan::resume(&source, watch.clone(), 150, MemorySink::new(), quick());
    scan.settle().await.unwrap();
    compare(&scan, &source, &watch, 150, "start").await;

    for (round, depth) in [1_u64, 6, 72, 100].into_iter().enumerate() {
        let height = node.height().await;
        node.invalidate(height - depth + 1).await;
        node.mine(u32::try_from(depth - 1).unwrap()).await;
        mine_deposits(&node, 2, 2 + round as u64).await;
        scan.settle().await.unwrap();
        assert_eq!(scan.rollbacks().last(), Some(&usize::try_from(depth).unwrap()));
        assert_eq!(scan.rollbacks().len(), round + 1, "one rollback for one reorganisation");
        compare(&scan, &source, &watch, 150, &format!("depth {depth}")).await;
    }

    // To a lower tip, which no longer chain asks for; then back to the branch that was left.
    let height = node.height().await;
    let removed = node.invalidate(height - 9).await;
    node.mine(3).await;
    scan.settle().await.unwrap();
    assert_eq!(node.height().await, height - 7);
    assert_eq!(scan.chain().len() as u64, height - 7);
    compare(&scan, &source, &watch, 150, "lower tip").await;
    node.reconsider(removed).await;
    scan.settle().await.unwrap();
    assert_eq!(scan.rollbacks()[4..], [10, 3]);
    compare(&scan, &source, &watch, 150, "back again").await;

    // The same events as over RPC alone.
    let by_rpc = crate::scan::source(&node, ConnectOptions { rest: false, ..ConnectOptions::default() }).await;
    compare(&scan, &by_rpc, &watch, 150, "by RPC").await;
}

#[tokio::test]
async fn a_reorganisation_below_finality_stops_the_scan_with_both_ids() {
    let Some(mut node) = Litecoind::start(&[]).await else { return };
    node.mine(60).await;
    let source = source(&node, ConnectOptions::default()).await;
    let watch = watching(&source, &[&key_script(1)]);
    let window = ScanLimits { unfinal: NonZeroU32::new(20).unwrap(), contradictions: 3, ..quick() };
    let mut scan = Scan::resume(&source, watch.clone(), 11, MemorySink::new(), window.clone());
    scan.settle().await.unwrap();

    // Ten blocks are above the final one: they may go.
    node.invalidate(51).await;
    node.mine(11).await;
    scan.settle().await.unwrap();
    assert_eq!(scan.rollbacks(), [10]);

    // One more may not.
    let ours = node.point_at(51).await;
    node.invalidate(51).await;
    node.mine(12).await;
    let before = scan.sink.records(EventSeq(0), usize::MAX).len();
    let error = scan.driver.run().await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::FinalityViolated, "{error}");
    assert!(error.to_string().contains("height") || error.to_string().contains("51"), "{error}");
    let after = scan.sink.records(EventSeq(0), usize::MAX);
    assert!(after[before..].iter().all(|record| matches!(record.event, ScanEvent::Hold(_) | ScanEvent::Resume)));
    assert_eq!(scan.chain()[50].0, ours, "nothing was taken back");

    // Started again, it stops again.
    let mut again = Scan::resume(&source, watch, 11, scan.sink.clone(), window);
    assert_eq!(again.driver.run().await.unwrap_err().error().kind(), ErrorKind::FinalityViolated);
}

#[tokio::test]
async fn a_scan_goes_on_through_a_restart_of_the_node() {
    let Some(mut node) = Litecoind::start(&[]).await else { return };
    node.mine(600).await;
    mine_deposits(&node, 10, 1).await;
    let options = ConnectOptions::default();
    let source = source(&node, options).await;
    let watch = watching(&source, &[&key_script(1)]);
    let limits = ScanLimits { batch: NonZeroU32::new(100).unwrap(), events: 100, ..quick() };
    let mut scan = Scan::resume(&source, watch.clone(), 6, MemorySink::new(), limits.clone());

    // Stopped in the middle, at whatever block that is: the node ends, and comes back with another cookie.
    let half = {
        let sink = scan.sink.clone();
        async move {
            while sink.records(EventSeq(0), usize::MAX).len() < 200 {
                tokio::task::yield_now().await;
            }
        }
    };
    assert_eq!(scan.driver.run_until(half).await.unwrap(), Stop::Shutdown);
    let seen = scan.chain().len();
    assert!((150..600).contains(&seen), "{seen}");
    node.restart(&["-rest=0"]).await;
    node.mine(5).await;
    scan.settle().await.unwrap();
    assert_eq!(scan.chain().len(), 615);

    // And while the scan itself ended too: another one goes on from what was stored.
    node.invalidate(612).await;
    node.mine(9).await;
    node.restart(&[]).await;
    let source = crate::scan::source(&node, ConnectOptions::default()).await;
    let mut other = Scan::resume(&source, watch.clone(), 6, scan.sink.clone(), limits);
    other.settle().await.unwrap();
    assert_eq!(other.chain().len(), 620);
    assert_eq!(other.rollbacks(), [4]);
    compare(&other, &source, &watch, 6, "after restarts").await;
}
