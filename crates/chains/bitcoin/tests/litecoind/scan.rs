//! Scans for tests: into memory, under a depth policy, with what the sink then holds.

use std::sync::Arc;

use nodewright_bitcoin::{ConnectOptions, UtxoSource, litecoin};
use nodewright_core::{
    BlockDelta, BlockHeight, BlockPoint, BlockReport, ChainAdapter, Depth, EventSeq, ScanEvent, ScanLimits, WatchRules,
    WatchSet,
};
use nodewright_ops::scan::{ScanDriver, ScanError, ScanOptions, StartAt, Stop};
use nodewright_stores::MemorySink;

use crate::common::litecoind::Litecoind;

/// Connects as an operator would.
pub(crate) async fn source(node: &Litecoind, options: ConnectOptions) -> Arc<UtxoSource> {
    Arc::new(UtxoSource::connect(&litecoin::CHAIN, &node.url(), node.auth(), options).await.unwrap())
}

/// Watches `raw(…)` scripts under the default rules.
pub(crate) fn watching(source: &UtxoSource, scripts: &[&[u8]]) -> WatchSet {
    use nodewright_core::ObservationSource as _;
    let item = |script: &&[u8]| source.watch(&format!("raw({})", hex::encode(script))).unwrap();
    WatchSet::new(scripts.iter().map(item), WatchRules::default())
}

/// One scan under test.
pub(crate) struct Scan {
    pub(crate) sink: MemorySink,
    pub(crate) driver: ScanDriver,
}

impl Scan {
    pub(crate) fn new(source: &Arc<UtxoSource>, watch: WatchSet, depth: u64) -> Self {
        Self::resume(source, watch, depth, MemorySink::new(), ScanLimits::default())
    }

    /// Continues what `sink` holds.
    pub(crate) fn resume(
        source: &Arc<UtxoSource>,
        watch: WatchSet,
        depth: u64,
        sink: MemorySink,
        limits: ScanLimits,
    ) -> Self {
        let policy = Arc::new(Depth::try_new(BlockDelta(depth)).unwrap());
        let adapter: ChainAdapter = Arc::clone(source).adapter(policy);
        let options = ScanOptions { start: StartAt::Height(BlockHeight(1)), watch, limits, ..ScanOptions::default() };
        Self { driver: ScanDriver::new(adapter, Arc::new(sink.clone()), options), sink }
    }

    /// Runs to where nothing is left to tell.
    pub(crate) async fn settle(&mut self) -> Result<Stop, ScanError> {
        self.driver.run_to_idle().await
    }

    /// Folds the records into the chain as it stands, with what each block said.
    pub(crate) fn chain(&self) -> Vec<(BlockPoint, Option<BlockReport>)> {
        let mut chain: Vec<(BlockPoint, Option<BlockReport>)> = Vec::new();
        for record in self.sink.records(EventSeq(0), usize::MAX) {
            match record.event {
                ScanEvent::Apply(header) => {
                    if let Some((last, _)) = chain.last() {
                        assert_eq!(header.parent, last.id.hash, "applied blocks are linked");
                    }
                    chain.push((header.point, record.report));
                }
                ScanEvent::RollBack { to, dropped } => {
                    for point in dropped {
                        assert_eq!(chain.pop().map(|(point, _)| point), Some(point), "dropped newest first");
                    }
                    if let Some((last, _)) = chain.last() {
                        assert_eq!(*last, to);
                    }
                }
                ScanEvent::Finalize(_) | ScanEvent::Hold(_) | ScanEvent::Resume => {}
            }
        }
        chain
    }

    /// Returns the lengths of the rollbacks, in order.
    pub(crate) fn rollbacks(&self) -> Vec<usize> {
        let dropped = |event| match event {
            ScanEvent::RollBack { dropped, .. } => Some(dropped.len()),
            _ => None,
        };
        self.sink.records(EventSeq(0), usize::MAX).into_iter().filter_map(|record| dropped(record.event)).collect()
    }
}
