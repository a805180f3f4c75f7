//! A driven scan before the edge of an era that its build does not support.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::Arc;

use nodewright_core::{
    Activation, BlockHeight, ChainPosition, EraGate, EraId, EraMarker, EraSchedule, ErrorKind, Header, HoldReason,
    ScanEvent, ScanRecord, SupportedEras,
};
use nodewright_ops::scan::{ScanDriver, ScanOptions, Stop};
use nodewright_stores::MemorySink;
use support::{adapter, depth, options, records, small, source};

/// Keeps blocks from height 31 on from a build that supports `supported` alone.
fn gate(supported: &[&str]) -> EraGate {
    let era = |name: &str| EraId::try_new(name).unwrap();
    let marker = |name, height| EraMarker::new(era(name), Activation::Height(BlockHeight(height)));
    let schedule = EraSchedule::try_new([marker("old", 0), marker("new", 31)]).unwrap();
    let supported = SupportedEras::try_new(supported.iter().map(|name| era(name))).unwrap();
    EraGate::new(schedule, supported, |header: &Header| ChainPosition::at(header.point.id.height))
}

fn heights(sink: &MemorySink) -> Vec<u64> {
    let applied = records(sink).into_iter().filter_map(|record| match record.event {
        ScanEvent::Apply(header) => Some(header.point.id.height.0),
        _ => None,
    });
    applied.collect()
}

#[tokio::test(start_paused = true)]
async fn an_old_build_stops_before_the_edge_and_a_new_one_goes_on_from_there() {
    let source = source(11, 50);
    let sink = MemorySink::new();
    let old = ScanOptions { gate: Some(gate(&["old"])), ..small(options(&source, 7)) };
    for _ in 0..2 {
        let mut driver = ScanDriver::new(adapter(&source, depth(6)), Arc::new(sink.clone()), old.clone());
        assert_eq!(driver.run_to_idle().await.unwrap(), Stop::Idle);
        assert_eq!(heights(&sink), (1..=30).collect::<Vec<_>>());
        let stored = sink.stored().unwrap().checkpoint;
        assert_eq!((stored.finalized.id.height, stored.unfinal.len()), (BlockHeight(30), 0), "all of them are final");
        let told = |record: &ScanRecord| record.event == ScanEvent::Hold(HoldReason::EraAhead);
        assert!(records(&sink).iter().any(told));
    }
    let new = ScanOptions { gate: Some(gate(&["old", "new"])), ..old };
    let mut driver = ScanDriver::new(adapter(&source, depth(6)), Arc::new(sink.clone()), new);
    assert_eq!(driver.run_to_idle().await.unwrap(), Stop::Idle);
    assert_eq!(heights(&sink), (1..=50).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_rescan_stops_before_the_edge_with_the_name_of_the_era() {
    let source = source(12, 50);
    let options = ScanOptions { gate: Some(gate(&["old"])), ..options(&source, 7) };
    let driver = ScanDriver::new(adapter(&source, depth(6)), Arc::new(MemorySink::new()), options);
    let mut seen = 0;
    let error = driver.rescan(BlockHeight(20)..=BlockHeight(40), |_| seen += 1).await.unwrap_err();
    assert_eq!((error.error().kind(), seen), (ErrorKind::EraUnsupported, 11));
    assert!(error.to_string().contains("era new is not supported"), "{error}");
    assert_eq!(driver.rescan(BlockHeight(20)..=BlockHeight(30), |_| ()).await.unwrap(), 11);
}
