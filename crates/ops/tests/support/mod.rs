//! What the driver's tests share: a simulated node as an adapter, sinks that misbehave, and a gate that counts awaits.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared by test binaries, each of which uses a part"
)]

pub mod gate;
pub mod sinks;
pub mod sources;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};

use nodewright_core::{
    BlockDelta, BlockPoint, ChainAdapter, Depth, EventSeq, FinalityPolicy, ObservationSource, ScanEvent, ScanLimits,
    ScanRecord, Scope, WatchRules, WatchSet,
};
use nodewright_ops::observer::DepositBook;
use nodewright_ops::scan::{Notice, ScanListener, ScanOptions, StartAt};
use nodewright_stores::MemorySink;
use nodewright_testkit::sim::{SimChain, SimSource};

/// Makes an honest source of a chain of `blocks` blocks above genesis.
pub fn source(seed: u64, blocks: usize) -> SimSource {
    let mut chain = SimChain::new(seed);
    chain.grow(blocks);
    SimSource::new(chain)
}

/// Makes an adapter whose every part is `source`.
pub fn adapter(source: &SimSource, policy: impl FinalityPolicy) -> ChainAdapter {
    let scope = source.chain().scope().clone();
    let source = Arc::new(source.clone());
    ChainAdapter {
        scope,
        headers: source.clone(),
        heights: Some(source.clone()),
        observations: Some(source.clone()),
        evidence: Some(source.clone()),
        transactions: Some(source),
        eras: None,
        wake: None,
        probe: None,
        policy: Arc::new(policy),
        hash_text: |hash| hash.to_hex(),
    }
}

pub fn depth(confirmations: u64) -> Depth {
    Depth::try_new(BlockDelta(confirmations)).unwrap()
}

/// Watches three of the eight addresses.
pub fn watch(source: &SimSource) -> WatchSet {
    let items = ["sim:1", "sim:2", "sim:5"].map(|text| source.watch(text).unwrap());
    WatchSet::new(items, WatchRules::default())
}

pub fn scope(source: &SimSource) -> Scope {
    source.chain().scope().clone()
}

pub fn genesis(source: &SimSource) -> BlockPoint {
    source.chain().genesis()
}

/// Starts after genesis and asks for `batch` headers at once.
pub fn options(source: &SimSource, batch: u32) -> ScanOptions {
    ScanOptions {
        start: StartAt::Anchor(genesis(source)),
        watch: watch(source),
        limits: ScanLimits { batch: NonZeroU32::new(batch).unwrap(), ..ScanLimits::default() },
        ..ScanOptions::default()
    }
}

/// Makes chunks and commits small, so that there are many of them.
pub fn small(options: ScanOptions) -> ScanOptions {
    ScanOptions {
        observe_batch: NonZeroUsize::new(3).unwrap(),
        commit_events: NonZeroUsize::new(5).unwrap(),
        ..options
    }
}

pub fn records(sink: &MemorySink) -> Vec<ScanRecord> {
    sink.records(EventSeq(0), usize::MAX)
}

/// Writes records as text, to compare them.
pub fn text(records: &[ScanRecord]) -> Vec<String> {
    records.iter().map(|record| format!("{record:?}")).collect()
}

/// Folds records into a book.
pub fn book(records: &[ScanRecord]) -> DepositBook {
    let mut book = DepositBook::new();
    for record in records {
        book.fold(record);
    }
    book
}

/// Returns the applied blocks, net of rollbacks, and checks the sequence numbers on the way.
pub fn applied(records: &[ScanRecord]) -> Vec<BlockPoint> {
    let mut chain = Vec::new();
    for (index, record) in records.iter().enumerate() {
        assert_eq!(record.seq, EventSeq(index as u64), "records are numbered without gap or repeat");
        match &record.event {
            ScanEvent::Apply(header) => chain.push(header.point),
            ScanEvent::RollBack { dropped, .. } => chain.truncate(chain.len() - dropped.len()),
            ScanEvent::Finalize(_) | ScanEvent::Hold(_) | ScanEvent::Resume => {}
        }
    }
    chain
}

/// Returns the best chain above genesis.
pub fn best(source: &SimSource) -> Vec<BlockPoint> {
    source.chain().best().skip(1).map(|block| block.header().point).collect()
}

/// Keeps what the driver tells.
#[derive(Debug, Default)]
pub struct Told {
    pub lines: Mutex<Vec<String>>,
    pub book: Mutex<DepositBook>,
}

impl ScanListener for Told {
    fn notice(&self, notice: Notice<'_>) {
        let line = match notice {
            Notice::Committed(record) => {
                self.book.lock().unwrap().fold(record);
                format!("committed {}", record.seq)
            }
            Notice::Failed { stage, error, attempt, action } => {
                format!("failed {stage} {:?} {attempt} {action:?}", error.kind())
            }
            Notice::Fate { txid, fate } => {
                self.book.lock().unwrap().tell(txid, fate);
                format!("fate {txid} {fate:?}")
            }
            Notice::Hold(hold) => format!("hold {hold:?}"),
            Notice::Progress(progress) => format!("progress {}", progress.blocks),
            Notice::Opened { next_seq } => format!("opened {next_seq}"),
            Notice::Recovered(stage) => format!("recovered {stage}"),
            _ => "other".to_owned(),
        };
        self.lines.lock().unwrap().push(line);
    }
}

impl Told {
    pub fn lines(&self, prefix: &str) -> Vec<String> {
        self.lines.lock().unwrap().iter().filter(|line| line.starts_with(prefix)).cloned().collect()
    }
}
