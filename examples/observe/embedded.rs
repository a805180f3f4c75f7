//! The embedded network: play, observe, and check.

use std::sync::Arc;
use std::time::Duration;

use nodewright::core::{BlockHeight, ChainAdapter, ScanLimits, ScanSink, WatchRules, WatchSet};
use nodewright::dash;
use nodewright::dash::sim::{NodeOptions, SimNetwork};
use nodewright::ops::scan::{ScanDriver, ScanOptions, StartAt};
use nodewright::rpc::Auth;
use nodewright::stores::SqliteSink;
use tokio::sync::oneshot;

use crate::acts::{Play, VAULT};
use crate::args::Args;
use crate::print::{Printer, short};
use crate::truth::{Expected, state};
use crate::view::View;

/// Plays the network of the seed; returns whether the observer was right.
pub(crate) async fn run(args: &Args) -> Result<bool, String> {
    let seed = args.play.seed;
    let network = SimNetwork::start(seed, NodeOptions::default()).map_err(|error| error.to_string())?;
    let adapter = connect(&network.node().url()).await?;
    let printer = Printer::new(args.json, "DASH", adapter.hash_text);
    printer.headline(&format!("A simulated Dash network at {} (seed {seed}); watching {VAULT}", network.node().url()));
    let view = Arc::new(View::new(printer, None, args.play.fault));

    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let sink = SqliteSink::open(folder.path().join("deposits.sqlite")).await.map_err(|error| error.to_string())?;
    let mut driver = ScanDriver::new(adapter.clone(), Arc::new(sink) as Arc<dyn ScanSink>, options(&adapter, &view)?);
    let (stop, stopped) = oneshot::channel::<()>();
    let scan = tokio::spawn(async move { driver.run_until(async { drop(stopped.await) }).await });

    let mut play = Play::new(network, Arc::clone(&view), seed);
    let played = play.run().await;
    drop(stop);
    let scanned = scan.await.map_err(|error| error.to_string())?;
    scanned.map_err(|error| error.to_string())?;
    played?;
    Ok(close(&view, &play))
}

async fn connect(url: &str) -> Result<ChainAdapter, String> {
    dash::connect(url, Auth::None, dash::DashOptions::default()).await.map_err(|error| error.to_string())
}

fn options(adapter: &ChainAdapter, view: &Arc<View>) -> Result<ScanOptions, String> {
    let observations = adapter.observations.as_ref().ok_or("this chain cannot be observed")?;
    let vault = observations.watch(VAULT).map_err(|error| error.to_string())?;
    Ok(ScanOptions {
        start: StartAt::Height(BlockHeight(0)),
        watch: WatchSet::new([vault], WatchRules::default()),
        limits: ScanLimits { poll: Duration::from_millis(40), ..ScanLimits::default() },
        listener: Some(Arc::<View>::clone(view)),
        ..ScanOptions::default()
    })
}

/// Prints the closing table; returns whether the observer agrees with the network in everything.
fn close(view: &View, play: &Play) -> bool {
    let known = view.known();
    let printer = view.printer();
    printer.headline("What the network knows, and what was observed:");
    let mut wrong = 0;
    for expected in &play.truth {
        let observed = known.book.deposit(&expected.key);
        let problems = expected.compare(observed);
        wrong += usize::from(!problems.is_empty());
        let verdict = if problems.is_empty() { "ok".to_owned() } else { format!("WRONG: {}", problems.join(", ")) };
        let name = format!("{}:{}", short(&expected.key.txid.0), expected.key.output);
        let stands = observed.map_or_else(|| "missed".to_owned(), state);
        let fields = serde_json::json!({ "event": "check", "txid": expected.key.txid, "output": expected.key.output,
            "expected": expected.outcome.to_string(), "observed": stands, "problems": problems });
        printer.data(&fields, &format!("  {name:<18} {:<32} {stands:<34} {verdict}", expected.outcome.to_string()));
    }
    let unknown = |key| !play.truth.iter().any(|expected: &Expected| expected.key == key);
    let mut problems: Vec<_> = known
        .book
        .deposits()
        .iter()
        .map(|deposit| deposit.key())
        .filter(|key| unknown(key.clone()))
        .map(|key| format!("tx {}:{} was observed and is not the vault's", short(&key.txid.0), key.output))
        .collect();
    problems.extend(known.audit.problems().iter().cloned());
    let truth = play.network.chain().best().skip(1).map(|block| block.id());
    if !truth.eq(known.audit.chain().iter().map(|point| point.id)) {
        problems.push("the blocks that were applied are not the chain of the network".to_owned());
    }
    for problem in &problems {
        printer.data(&serde_json::json!({ "event": "problem", "text": problem }), &format!("  WRONG: {problem}"));
    }
    let right = wrong == 0 && problems.is_empty();
    let verdict =
        if right { "nothing missed, nothing doubled, nothing out of order" } else { "the observer was wrong" };
    let (deposits, blocks, reorganisations) = (play.truth.len(), known.audit.chain().len(), known.rollbacks);
    let fields = serde_json::json!({ "event": "end", "right": right, "payments": deposits, "blocks": blocks,
        "reorganisations": reorganisations });
    printer
        .data(&fields, &format!("\n{deposits} payments, {blocks} blocks, {reorganisations} reorganisation: {verdict}"));
    right
}
