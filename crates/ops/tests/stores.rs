//! The driver over the sinks that survive a restart: the same records as in memory, and a book rebuilt from them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::Arc;

use nodewright_core::{EventSeq, ScanSink};
use nodewright_ops::observer::DepositBook;
use nodewright_ops::scan::ScanDriver;
use nodewright_stores::{FileSink, LoggedEvent, LoggedRecord, MAX_PAGE, MemorySink, SqliteSink};
use nodewright_testkit::sim::SimSource;
use support::{adapter, book, depth, options, records, small, source};

/// Scans through reorganisations that need the followed keys, with a new driver and a sink opened anew for each.
async fn scan<S: ScanSink, F: AsyncFn() -> S>(open: F) -> SimSource {
    let source = source(21, 30);
    for (away, count) in [(0, 0), (8, 1), (0, 3), (0, 6), (2, 4), (0, 40)] {
        source.chain().reorg(away, count);
        let sink = Arc::new(open().await);
        let mut driver = ScanDriver::new(adapter(&source, depth(25)), sink, small(options(&source, 1)));
        driver.run_to_idle().await.unwrap();
    }
    source
}

fn rebuilt(records: &[LoggedRecord]) -> DepositBook {
    let mut book = DepositBook::new();
    for record in records {
        match (&record.event, &record.report) {
            (LoggedEvent::Apply(_), Some(report)) => _ = book.apply(report),
            (LoggedEvent::RollBack { dropped, .. }, _) => _ = book.roll_back(dropped),
            (LoggedEvent::Finalize { point, evidence }, _) => _ = book.finalize(point, evidence),
            (LoggedEvent::Apply(_) | LoggedEvent::Hold(_) | LoggedEvent::Resume, _) => {}
        }
    }
    book
}

#[tokio::test]
async fn every_sink_gives_back_the_same_records_and_a_book_made_of_them_is_the_live_one() {
    let memory = MemorySink::new();
    scan(async || memory.clone()).await;
    let live = book(&records(&memory));
    let logged: Vec<_> = records(&memory).iter().map(LoggedRecord::from).collect();
    assert!(logged.iter().any(|record| record.report.as_ref().is_some_and(|report| !report.spends.is_empty())));
    assert_eq!(rebuilt(&logged), live);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scan.sqlite");
    scan(async || SqliteSink::open(&path).await.unwrap()).await;
    let stored = SqliteSink::open(&path).await.unwrap().records(EventSeq(0), MAX_PAGE).await.unwrap();
    assert_eq!(stored, logged, "SQLite");

    let path = folder.path().join("scan");
    scan(async || FileSink::open(&path).await.unwrap()).await;
    let stored = FileSink::open(&path).await.unwrap().records(EventSeq(0), MAX_PAGE).await.unwrap();
    assert_eq!(stored, logged, "file");
}
