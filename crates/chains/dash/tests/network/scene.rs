//! A node, a scan that follows it into memory, and what was told in words.

use std::sync::Arc;
use std::time::Duration;

use nodewright_core::{
    BlockHeight, BlockPoint, BlockReport, ChainAdapter, ErrorKind, EventSeq, ScanEvent, ScanLimits, ScanRecord,
    WatchRules, WatchSet,
};
use nodewright_dash::sim::replay::{Replay, Step};
use nodewright_dash::sim::{DashNode, NodeOptions, NodeState};
use nodewright_dash::{DashOptions, connect};
use nodewright_ops::scan::{ScanDriver, ScanError, ScanOptions, StandardPolicy, StartAt, Stop};
use nodewright_rpc::{Auth, HttpOptions, RetryOptions};
use nodewright_stores::MemorySink;
use nodewright_utxo::source::ConnectOptions;

/// Is the vault of the recording.
pub(crate) const VAULT: &str = "yZJAKchDbbmYdCCxttRifr7F9QKoSJeCqs";

/// Is the height of the last block before act 1.
pub(crate) const BEFORE: u64 = 1_006;

/// Returns the default options with short waits between retries.
pub(crate) fn quick() -> DashOptions {
    let retry = RetryOptions::default().with_delays(Duration::from_millis(1), Duration::from_millis(5));
    let http = HttpOptions::default().with_retry(retry);
    DashOptions { node: ConnectOptions { http, ..ConnectOptions::default() }, ..DashOptions::default() }
}

/// Reads the recording.
pub(crate) fn recording() -> Replay {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/regtest/");
    let blocks = std::fs::read(format!("{folder}blocks.dat")).unwrap();
    let steps = std::fs::read_to_string(format!("{folder}steps.jsonl")).unwrap();
    Replay::parse(&blocks, &steps).unwrap()
}

/// Starts a node on loopback that knows `state`.
pub(crate) fn serve(state: NodeState) -> DashNode {
    DashNode::start(state, NodeOptions::default()).unwrap()
}

pub(crate) async fn adapter(node: &DashNode, options: DashOptions) -> ChainAdapter {
    connect(&node.url(), Auth::None, options).await.unwrap()
}

/// Follows a node into memory.
pub(crate) struct Scan {
    pub(crate) adapter: ChainAdapter,
    pub(crate) sink: MemorySink,
    start: StartAt,
    driver: ScanDriver,
    told: EventSeq,
}

impl Scan {
    pub(crate) fn start(adapter: ChainAdapter, start: StartAt) -> Self {
        Self::resume(adapter, start, MemorySink::new(), EventSeq::default())
    }

    fn resume(adapter: ChainAdapter, start: StartAt, sink: MemorySink, told: EventSeq) -> Self {
        let vault = adapter.observations.as_ref().unwrap().watch(VAULT).unwrap();
        let rules = WatchRules { require_memo: true, ..WatchRules::default() };
        let options = ScanOptions {
            start,
            watch: WatchSet::new([vault], rules),
            limits: ScanLimits { poll: Duration::from_millis(50), ..ScanLimits::default() },
            errors: Arc::new(StandardPolicy { budget: 3, ..StandardPolicy::default() }),
            ..ScanOptions::default()
        };
        let driver = ScanDriver::new(adapter.clone(), Arc::new(sink.clone()), options);
        Self { adapter, sink, start, driver, told }
    }

    /// Drops the scan as a crash would and resumes it from the sink, with `adapter` as a new process would have.
    pub(crate) fn restart(self, adapter: ChainAdapter) -> Self {
        Self::resume(adapter, self.start, self.sink, self.told)
    }

    /// Follows until the node has nothing more to tell; returns what was stored since the last look.
    pub(crate) async fn catch_up(&mut self) -> Vec<ScanRecord> {
        assert_eq!(self.driver.run_to_idle().await.unwrap(), Stop::Idle);
        self.news()
    }

    /// Follows until the scan gives up; returns why.
    pub(crate) async fn fail(&mut self) -> ScanError {
        self.driver.run_to_idle().await.unwrap_err()
    }

    /// Returns what was stored since the last look.
    pub(crate) fn news(&mut self) -> Vec<ScanRecord> {
        let news = self.sink.records(self.told, usize::MAX);
        self.told = news.last().map_or(self.told, |record| record.seq.next());
        news
    }
}

/// A scan that follows the recording.
pub(crate) struct Scene {
    pub(crate) replay: Replay,
    pub(crate) node: DashNode,
    pub(crate) scan: Scan,
}

impl Scene {
    /// Plays the recording up to the end of `act` and starts a scan of what comes after it.
    pub(crate) async fn after(act: u8, options: DashOptions) -> Self {
        let mut replay = recording();
        let mut state = NodeState::new();
        replay.act(&mut state, act);
        let height = state.height();
        let node = serve(state);
        let scan = Scan::start(adapter(&node, options).await, StartAt::Height(BlockHeight(height + 1)));
        let mut scene = Self { replay, node, scan };
        assert_eq!(words(&scene.scan.catch_up().await), [""; 0]);
        scene
    }

    /// Plays the next step; returns it with what the scan told of it.
    pub(crate) async fn step(&mut self) -> (Step, Vec<String>) {
        let (step, news) = self.records().await;
        (step, words(&news))
    }

    pub(crate) async fn records(&mut self) -> (Step, Vec<ScanRecord>) {
        let step = self.replay.step(&mut self.node.state()).unwrap();
        (step, self.scan.catch_up().await)
    }

    /// Plays every step up to the end of `act`; returns what the scan told.
    pub(crate) async fn act(&mut self, act: u8) -> Vec<String> {
        let mut told = Vec::new();
        while self.replay.peek().is_some_and(|step| step.act <= act) {
            told.extend(self.step().await.1);
        }
        told
    }
}

/// Returns the reports that `records` hold.
pub(crate) fn reports(records: &[ScanRecord]) -> Vec<BlockReport> {
    records.iter().filter_map(|record| record.report.clone()).collect()
}

/// Puts events into words: heights, and the first digits of hashes as nodes print them.
pub(crate) fn words(records: &[ScanRecord]) -> Vec<String> {
    records.iter().map(|record| word(&record.event)).collect()
}

fn word(event: &ScanEvent) -> String {
    match event {
        ScanEvent::Apply(header) => format!("apply {}", name(&header.point)),
        ScanEvent::RollBack { to, dropped } => {
            let dropped: Vec<_> = dropped.iter().map(name).collect();
            format!("roll back to {}, drop {}", name(to), dropped.join(" "))
        }
        ScanEvent::Finalize(finality) => {
            let (by, trust) = (finality.evidence.block(), finality.evidence.trust());
            format!("final {} by {:?} of {}", name(&finality.point), trust, name(&by.into()))
        }
        ScanEvent::Hold(reason) => format!("hold: {reason}"),
        ScanEvent::Resume => "resume".to_owned(),
    }
}

pub(crate) fn name(point: &BlockPoint) -> String {
    let text = point.id.hash.to_reversed_hex();
    format!("{}:{}", point.id.height, &text[..8])
}

/// Returns the kind of the error that stopped a scan.
pub(crate) fn kind(error: &ScanError) -> ErrorKind {
    error.error().kind()
}
