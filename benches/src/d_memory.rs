//! The most memory that a catch-up takes: the real driver over a computed chain of a million blocks, by depth and
//! towards a certificate at the far head.
//!
//! Measured twice: what was allocated at once, as the counting allocator saw it, and what the whole process held at
//! once, as Linux saw it (`-resident`, with what other benchmarks left behind). `-growth` is the peak beside that of a
//! tenth of the blocks: memory that grows with the chain would show as 10.

use core::num::NonZeroU32;
use std::fs;
use std::sync::Arc;

use async_trait::async_trait;
use nodewright_core::{
    Amount, BlockDelta, BlockHeight, BlockPoint, BlockReport, Certified, ChainAdapter, Depth, Evidence, EvidenceClaim,
    EvidenceSource, Extension, Fallback, FinalityPolicy, HeaderSource, Membership, Observation, ObservationSource,
    Result as NodeResult, Scope, TxId, WatchItem, WatchRules, WatchSet,
};
use nodewright_ops::scan::{ScanDriver, ScanOptions, StartAt};
use nodewright_stores::MemorySink;

use crate::alloc::{self, Counts};
use crate::measure::Scale;
use crate::report::Row;
use crate::synthetic;

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, String> {
    let blocks = scale.pick(1_000_000, 20_000);
    let depth = Depth::try_new(BlockDelta(6)).map_err(|error| error.to_string())?;
    let certified = Certified::try_new(Fallback::Never).map_err(|error| error.to_string())?;
    let cases: [(&str, Arc<dyn FinalityPolicy>); 2] = [("depth", Arc::new(depth)), ("road", Arc::new(certified))];
    let mut rows = Vec::new();
    for (name, policy) in cases {
        let short = catch_up(&policy, blocks / 10)?;
        let long = catch_up(&policy, blocks)?;
        let growth = long.counts.peak as f64 / short.counts.peak.max(1) as f64;
        rows.push(Row::alone(&format!("d_memory-{name}"), "bytes", long.counts.peak as f64).at_most(LIMIT));
        rows.push(Row::alone(&format!("d_memory-{name}-growth"), "times", growth).at_most(1.1));
        if let Some(resident) = long.resident {
            rows.push(Row::alone(&format!("d_memory-{name}-resident"), "bytes", resident as f64).at_most(LIMIT));
        }
    }
    Ok(rows)
}

/// What a catch-up took.
struct Taken {
    counts: Counts,
    /// The most bytes that were resident; `None` where the system does not tell.
    resident: Option<u64>,
}

fn catch_up(policy: &Arc<dyn FinalityPolicy>, blocks: u64) -> Result<Taken, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let chain = Arc::new(Computed { head: blocks });
    let adapter = ChainAdapter {
        scope: synthetic::scope(),
        headers: chain.clone(),
        heights: None,
        observations: Some(chain.clone()),
        evidence: Some(chain),
        transactions: None,
        eras: None,
        wake: None,
        probe: None,
        policy: Arc::clone(policy),
        hash_text: |hash| hash.to_hex(),
    };
    let item = WatchItem { label: "vault".to_owned(), key: b"vault".to_vec() };
    let options = ScanOptions {
        start: StartAt::Anchor(synthetic::block(0).into()),
        watch: WatchSet::new([item], WatchRules::default()),
        ..ScanOptions::default()
    };
    let sink = MemorySink::keeping(KEPT);
    // Linux then forgets the process's peak up to now (proc(5), `clear_refs`).
    let reset = fs::write("/proc/self/clear_refs", "5");
    let mut outcome = Ok(None);
    let counts = alloc::count(|| {
        let mut driver = ScanDriver::new(adapter, Arc::new(sink.clone()), options);
        outcome = runtime.block_on(driver.run_to_idle()).map(Some);
    });
    let resident = reset.ok().and_then(|()| peak_resident());
    outcome.map_err(|error| error.to_string())?;
    let finalized = sink.stored().map_or(BlockHeight(0), |stored| stored.checkpoint.finalized.id.height);
    if finalized.0 + 6 <= blocks {
        return Err(format!("of {blocks} blocks {finalized} are final"));
    }
    Ok(Taken { counts, resident })
}

/// Returns the process's peak of resident memory, in bytes.
fn peak_resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1_024)
}

/// A source of a computed chain, in which every tenth block pays what is watched.
#[derive(Debug)]
struct Computed {
    head: u64,
}

#[async_trait]
impl HeaderSource for Computed {
    async fn scope(&self) -> NodeResult<Scope> {
        Ok(synthetic::scope())
    }

    async fn extend(&self, locator: &[BlockPoint], max: NonZeroU32) -> NodeResult<Extension> {
        let mut extension = Extension::default();
        synthetic::extend(locator, max, self.head, &mut extension);
        Ok(extension)
    }

    async fn membership(&self, point: &BlockPoint) -> NodeResult<Membership> {
        let known = point.id.height.0 <= self.head && synthetic::holds(point.id);
        Ok(if known { Membership::Canonical } else { Membership::Unknown })
    }
}

#[async_trait]
impl ObservationSource for Computed {
    fn watch(&self, text: &str) -> NodeResult<WatchItem> {
        Ok(WatchItem { label: text.to_owned(), key: text.as_bytes().to_vec() })
    }

    async fn observe(&self, points: &[BlockPoint], _watch: &WatchSet) -> NodeResult<Vec<BlockReport>> {
        // As a real source does, it lets others have a turn.
        tokio::task::yield_now().await;
        Ok(points.iter().map(|point| report(*point)).collect())
    }
}

#[async_trait]
impl EvidenceSource for Computed {
    async fn evidence(&self, _window: &[BlockPoint]) -> NodeResult<Vec<Evidence>> {
        Ok(vec![synthetic::certificate(self.head)])
    }

    async fn verify(&self, claim: &EvidenceClaim) -> NodeResult<Evidence> {
        Ok(synthetic::certificate(claim.block.height.0))
    }
}

fn report(point: BlockPoint) -> BlockReport {
    let mut report = BlockReport { point, ..BlockReport::default() };
    if point.id.height.0.is_multiple_of(10) {
        report.observations.push(Observation {
            block: point,
            txid: TxId(point.id.hash.to_hex()),
            output: 0,
            to: "vault".to_owned(),
            value: Amount(point.id.height.0.into()),
            memo: Some(vec![0x3d; 60]),
            sender: None,
            spends: Vec::new(),
        });
    }
    report
}

/// 64 MiB.
const LIMIT: f64 = 64.0 * 1_024.0 * 1_024.0;
/// How many records the sink keeps; a real one writes them away.
const KEPT: usize = 1_000;
