//! Measures how fast the sinks commit while a scan catches up: `cargo run --release --example throughput`.
//!
//! One argument names the folder in which the stores are made; what it says of a disk is said of that disk.

#![expect(clippy::print_stdout, reason = "a program that prints what it measures")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use nodewright_core::{
    Amount, BlockHash, BlockHeight, BlockId, BlockPoint, BlockReport, BlockTime, ChainId, Checkpoint, EventSeq,
    Evidence, EvidenceClaim, Finality, Header, NetworkId, Observation, Result, Revision, ScanBatch, ScanEvent,
    ScanRecord, ScanSink, Scope, SpendKey, Trust, TxId,
};
use nodewright_stores::{FileSink, MemorySink, SqliteSink};

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("nodewright-throughput-{}", std::process::id()));
    println!("blocks a commit  sink     commits/s  blocks/s    rows/s");
    for (size, commits) in [(1, 300), (2_000, 30)] {
        let memory = Arc::new(MemorySink::new());
        let file = Arc::new(FileSink::open(folder.join(format!("file-{size}"))).await?);
        let sqlite = Arc::new(SqliteSink::open(folder.join(format!("sqlite-{size}.db"))).await?);
        let effects = sqlite_with_effects(&folder, size).await?;
        let sinks: [(&str, Arc<dyn ScanSink>); 4] =
            [("memory", memory), ("file", file), ("sqlite", sqlite), ("effects", effects)];
        for (name, sink) in sinks {
            measure(name, &*sink, size, commits).await?;
        }
    }
    if let Err(error) = std::fs::remove_dir_all(&folder) {
        println!("{} stays: {error}", folder.display());
    }
    Ok(())
}

/// Opens a database with one row of the user's own for each payment.
async fn sqlite_with_effects(folder: &Path, size: u64) -> Result<Arc<SqliteSink>> {
    let sink = SqliteSink::open(folder.join(format!("effects-{size}.db"))).await?;
    Ok(Arc::new(sink.with_effects(|transaction, batch| {
        transaction.execute_batch("CREATE TABLE IF NOT EXISTS deposits (txid TEXT PRIMARY KEY, value TEXT) STRICT")?;
        let mut insert = transaction.prepare_cached("INSERT INTO deposits (txid, value) VALUES (?1, ?2)")?;
        for payment in batch.records.iter().filter_map(|record| record.report.as_ref()).flat_map(|it| &it.observations)
        {
            insert.execute((&payment.txid.0, payment.value.to_string()))?;
        }
        Ok(())
    })))
}

async fn measure(name: &str, sink: &dyn ScanSink, size: u64, commits: u64) -> Result<()> {
    let batches: Vec<ScanBatch> = (0..commits).map(|commit| batch(commit, size)).collect();
    let payments = |record: &ScanRecord| record.report.as_ref().map_or(0, |report| report.observations.len());
    let rows: usize = batches.iter().flat_map(|batch| &batch.records).map(|record| 1 + payments(record)).sum();
    let start = Instant::now();
    let mut revision = Revision(0);
    for batch in batches {
        revision = sink.commit(revision, batch).await?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let rate = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds;
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    println!("{size:14}  {name:8} {:9.1} {:9.0} {:9.0}", rate(commits), rate(commits * size), rate(rows));
    Ok(())
}

/// Applies `size` blocks, every fifth with a payment, and makes them final.
fn batch(commit: u64, size: u64) -> ScanBatch {
    let (first, seq) = (commit * size + 1, commit * (size + 1));
    let mut records: Vec<ScanRecord> = (0..size).map(|index| apply(seq + index, first + index)).collect();
    let last = point(first + size - 1);
    let evidence = Evidence::attest(last.id, "chainlock", Trust::NodeSet, &[7; 96]);
    let event = ScanEvent::Finalize(Finality { point: last, evidence: evidence.clone() });
    records.push(ScanRecord { seq: EventSeq(seq + size), event, report: None });
    let network = NetworkId { name: "main".to_owned(), genesis: BlockHash([1; 32]) };
    let checkpoint = Checkpoint {
        format: Checkpoint::FORMAT,
        scope: Scope { chain: ChainId::new("dash"), network, shard: None },
        next_seq: EventSeq(seq + size + 1),
        finalized: last,
        finality: EvidenceClaim::from(evidence),
        unfinal: Vec::new(),
        history: (last.id.height.0.saturating_sub(100)..last.id.height.0).map(point).collect(),
        pending: Vec::new(),
        notes: None,
    };
    ScanBatch { records, checkpoint }
}

fn apply(seq: u64, height: u64) -> ScanRecord {
    let header = Header { point: point(height), parent: point(height - 1).id.hash, time: BlockTime(height * 150) };
    let payment = Observation {
        block: header.point,
        txid: TxId(format!("{height:064x}")),
        output: 1,
        to: "XpESxaUmonkq8RaLLp46Brx2K39ggQe226".to_owned(),
        value: Amount(u128::from(height) * 1_000),
        memo: Some(b"=:ETH.ETH:0x1c7b17362c84287bd1184447e6dfeaf920c31bbe:3000000".to_vec()),
        sender: None,
        spends: vec![SpendKey(vec![3; 36])],
    };
    let observations = if height.is_multiple_of(5) { vec![payment] } else { Vec::new() };
    let report = Some(BlockReport { point: header.point, observations, ..BlockReport::default() });
    ScanRecord { seq: EventSeq(seq), event: ScanEvent::Apply(header), report }
}

fn point(height: u64) -> BlockPoint {
    let mut hash = [0x5a; 32];
    for (to, from) in hash.iter_mut().zip(height.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()) {
        *to = from;
    }
    BlockId { height: BlockHeight(height), hash: BlockHash(hash) }.into()
}
