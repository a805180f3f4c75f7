//! Catching up with a real node: blocks per second of the whole pipeline (headers hashed and linked, blocks checked down
//! to their merkle roots, payments observed, all committed to a sink), beside `bdk_bitcoind_rpc::Emitter`, and beside a
//! bare loop that fetches the same blocks in the fastest of the ways of `a_fetch` and looks at nothing.
//!
//! All run on the same node in turns; the best round of each counts. The emitter's loop looks for the watched script too.

use std::sync::Arc;
use std::time::Instant;

use bdk_bitcoind_rpc::bitcoincore_rpc::{Auth, Client, RpcApi as _};
use bdk_bitcoind_rpc::{Emitter, NO_EXPECTED_MEMPOOL_TXS};
use nodewright_bitcoin::ConnectOptions;
use nodewright_core::{BlockHeight, EventSeq, ScanEvent, Secret, WatchRules, WatchSet};
use nodewright_ops::scan::{ScanDriver, ScanOptions, StartAt};
use nodewright_stores::MemorySink;

use crate::a_fetch::{self, BLOCKS, SMOKE, Way};
use crate::litecoin::{self, Litecoin};
use crate::measure::Scale;
use crate::report::Row;

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, String> {
    let Some(node) = Litecoin::start()? else { return Ok(Vec::new()) };
    let (blocks, large) = scale.pick(BLOCKS, SMOKE);
    let hashes = node.mine(blocks, large)?;
    let expected = Found { blocks, payments: large * litecoin::payments_per_large_block() };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;

    let mut best = Best::default();
    for _ in 0..scale.pick(7, 1) {
        best.ours = best.ours.max(timed(&expected, || runtime.block_on(ours(&node)))?);
        best.emitter = best.emitter.max(timed(&expected, || emitter(&node))?);
        for way in CANDIDATES {
            let fetch = || a_fetch::fetch(&node, &hashes, *way).map(|_| expected);
            best.bare = best.bare.max(timed(&expected, fetch)?);
        }
    }
    Ok(vec![
        Row::more_is_better("a_catch_up-emitter", "blocks/s", best.ours, best.emitter).at_least_times_peer(4.0),
        Row::more_is_better("a_catch_up-bare", "blocks/s", best.ours, best.bare).at_least_times_peer(0.85),
    ])
}

/// The best rates, in blocks per second.
#[derive(Clone, Copy, Debug, Default)]
struct Best {
    ours: f64,
    emitter: f64,
    bare: f64,
}

/// What a catch-up brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    blocks: u64,
    payments: u64,
}

/// Returns the blocks per second of one run, which must find what is expected.
fn timed(expected: &Found, run: impl FnOnce() -> Result<Found, String>) -> Result<f64, String> {
    let started = Instant::now();
    let found = run()?;
    let rate = expected.blocks as f64 / started.elapsed().as_secs_f64();
    if found == *expected { Ok(rate) } else { Err(format!("found {found:?} where {expected:?} is there")) }
}

/// Catches up from genesis with a fresh connection, driver and sink.
async fn ours(node: &Litecoin) -> Result<Found, String> {
    let password = Secret::new(litecoin::PASSWORD.to_owned());
    let auth = nodewright_bitcoin::Auth::Basic { user: litecoin::USER.to_owned(), password };
    let adapter = nodewright_bitcoin::litecoin::connect(&node.url(), auth, ConnectOptions::default()).await;
    let adapter = adapter.map_err(|error| error.to_string())?;
    let watched = adapter.observations.as_ref().ok_or("the adapter observes nothing")?;
    let watched = watched.watch(&format!("raw({})", litecoin::watched().to_hex_string()));
    let options = ScanOptions {
        start: StartAt::Height(BlockHeight(1)),
        watch: WatchSet::new([watched.map_err(|error| error.to_string())?], WatchRules::default()),
        ..ScanOptions::default()
    };
    let sink = MemorySink::new();
    let mut driver = ScanDriver::new(adapter, Arc::new(sink.clone()), options);
    driver.run_to_idle().await.map_err(|error| error.to_string())?;
    let records = sink.records(EventSeq(0), usize::MAX);
    let applied = records.iter().filter(|record| matches!(record.event, ScanEvent::Apply(_))).count();
    let payments = records.iter().filter_map(|record| record.report.as_ref()).map(|report| report.observations.len());
    Ok(Found { blocks: applied as u64, payments: payments.sum::<usize>() as u64 })
}

fn emitter(node: &Litecoin) -> Result<Found, String> {
    let auth = Auth::UserPass(litecoin::USER.to_owned(), litecoin::PASSWORD.to_owned());
    let client = Client::new(&node.url(), auth).map_err(|error| error.to_string())?;
    let genesis = client.get_block_hash(0).map_err(|error| error.to_string())?;
    let start = bdk_core::CheckPoint::new(bdk_core::BlockId { height: 0, hash: genesis });
    let mut emitter = Emitter::new(&client, start, 1, NO_EXPECTED_MEMPOOL_TXS);
    let watched = litecoin::watched();
    let mut found = Found { blocks: 0, payments: 0 };
    while let Some(event) = emitter.next_block().map_err(|error| error.to_string())? {
        found.blocks += 1;
        let outputs = event.block.txdata.iter().flat_map(|tx| &tx.output);
        found.payments += outputs.filter(|output| output.script_pubkey == watched).count() as u64;
    }
    Ok(found)
}

/// The ways that `a_fetch` found to be the fastest on one node or another.
const CANDIDATES: &[Way] =
    &[Way::rpc(1, 16).quick(), Way::rpc(4, 32).quick(), Way::rpc(8, 32), Way::rest(4).quick(), Way::rest(8).quick()];
