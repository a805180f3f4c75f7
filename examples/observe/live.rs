//! A real node: connect, check, catch up, follow.

use std::env;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use nodewright::core::{
    BlockDelta, BlockHeight, BlockReport, ChainAdapter, Depth, Error, ErrorKind, EventSeq, FinalityPolicy, ScanLimits,
    ScanSink, Secret, WatchRules, WatchSet,
};
use nodewright::ops::observer::ValueWeight;
use nodewright::ops::scan::{ScanDriver, ScanOptions, StartAt};
use nodewright::registry;
use nodewright::rpc::Auth;
use nodewright::stores::{MAX_PAGE, MemorySink, SqliteSink};
use serde_json::json;

use crate::args::{Args, ChainName, NodeArgs, PolicyArg};
use crate::failpoint::{self, Failpoint};
use crate::print::Printer;
use crate::view::View;

/// Follows the node at `url` until Ctrl-C; returns whether it ended well.
pub(crate) async fn run(args: &Args, url: &str) -> Result<bool, String> {
    let node = &args.node;
    let (adapter, ticker) = connect(node, url).await?;
    let watch = watch(&adapter, &node.watch)?;
    let policy = policy(&adapter, node.policy)?;
    let printer = Printer::new(args.json, ticker, adapter.hash_text);
    if let Some(range) = &node.rescan {
        let options = ScanOptions { watch, policy, ..ScanOptions::default() };
        let driver = ScanDriver::new(adapter, Arc::new(MemorySink::new()), options);
        let blocks = driver.rescan(range.clone(), |report| show(&printer, &report)).await;
        let blocks = blocks.map_err(|error| explain(error.error()))?;
        printer.data(&json!({ "event": "end", "blocks": blocks }), &format!("{blocks} blocks looked at"));
        return Ok(true);
    }
    let weight = (node.policy == Some(PolicyArg::Value)).then_some(WEIGHT);
    let bar = ProgressBar::no_length().with_style(style()?);
    let view = Arc::new(View::new(printer.with_bar(bar), weight, None));
    let failpoint = Failpoint::from_env()?;
    let adapter = failpoint.iter().fold(adapter, |adapter, failpoint| failpoint.guard_adapter(adapter));
    let sink = open(node, failpoint.as_ref(), &view).await?;
    let options = ScanOptions {
        start: node.from.map_or(StartAt::Head, |height| StartAt::Height(BlockHeight(height))),
        watch,
        policy,
        limits: ScanLimits::default(),
        listener: Some(Arc::<View>::clone(&view)),
        ..ScanOptions::default()
    };
    let mut driver = ScanDriver::new(adapter, sink, options);
    let outcome = driver.run_until(async { drop(tokio::signal::ctrl_c().await) }).await;
    if let Some(bar) = view.printer().bar() {
        bar.finish_and_clear();
    }
    outcome.map_err(|error| explain(error.error()))?;
    let known = view.known();
    let (deposits, tip) = (known.book.deposits().len(), known.tip.map_or(0, |tip| tip.id.height.0));
    let fields = json!({ "event": "end", "payments": deposits, "tip": tip });
    view.printer().data(&fields, &format!("stopped at block {tip}; {deposits} payments known"));
    Ok(true)
}

async fn connect(node: &NodeArgs, url: &str) -> Result<(ChainAdapter, &'static str), String> {
    let (name, ticker) = match node.chain {
        Some(ChainName::Bitcoin) => ("bitcoin", "BTC"),
        Some(ChainName::Litecoin) => ("litecoin", "LTC"),
        Some(ChainName::Dash) | None => ("dash", "DASH"),
    };
    let chain = registry::find(name).ok_or_else(|| format!("this build does not have the chain {name}"))?;
    let auth = match (&node.cookie, &node.user, &node.password_env) {
        (Some(path), _, _) => Auth::Cookie(path.clone()),
        (None, Some(user), Some(variable)) => {
            let password = env::var(variable).map_err(|_| format!("the environment variable {variable} is not set"))?;
            Auth::Basic { user: user.clone(), password: Secret::new(password) }
        }
        _ => Auth::None,
    };
    let adapter = chain.connect(url, auth).await.map_err(|error| explain(&error))?;
    Ok((adapter, ticker))
}

/// Opens the store, and lets the view know what earlier runs found.
async fn open(node: &NodeArgs, failpoint: Option<&Failpoint>, view: &View) -> Result<Arc<dyn ScanSink>, String> {
    let Some(path) = &node.store else { return Ok(Arc::new(MemorySink::new())) };
    let sink = SqliteSink::open(path).await.map_err(|error| explain(&error))?;
    let mut next = EventSeq::default();
    loop {
        let page = sink.records(next, MAX_PAGE).await.map_err(|error| explain(&error))?;
        let Some(last) = page.last() else { break };
        next = last.seq.next();
        page.iter().for_each(|record| view.remember(record));
    }
    let sink = match failpoint {
        Some(failpoint) => failpoint.guard_sink(sink),
        None => Arc::new(sink),
    };
    Ok(failpoint::swapped(sink))
}

fn watch(adapter: &ChainAdapter, addresses: &[String]) -> Result<WatchSet, String> {
    let observations = adapter.observations.as_ref().ok_or("this chain cannot be observed")?;
    let items: Result<Vec<_>, Error> = addresses.iter().map(|address| observations.watch(address)).collect();
    Ok(WatchSet::new(items.map_err(|error| explain(&error))?, WatchRules::default()))
}

fn policy(adapter: &ChainAdapter, asked: Option<PolicyArg>) -> Result<Option<Arc<dyn FinalityPolicy>>, String> {
    match asked {
        None | Some(PolicyArg::Value) => Ok(None),
        Some(PolicyArg::Chainlock) if adapter.evidence.is_some() => Ok(None),
        Some(PolicyArg::Chainlock) => Err(format!("{} has no certificates; use depth:N", adapter.scope.chain)),
        Some(PolicyArg::Depth(confirmations)) => {
            let depth = Depth::try_new(confirmations).map_err(|error| error.to_string())?;
            Ok(Some(Arc::new(depth)))
        }
    }
}

fn show(printer: &Printer, report: &BlockReport) {
    for seen in &report.observations {
        let text =
            format!("{:>9}  {}  tx {}:{}", seen.block.id.height, printer.amount(seen.value), seen.txid, seen.output);
        printer.data(&json!({ "event": "payment", "payment": seen }), &text);
    }
    for miss in &report.near_misses {
        let seen = &miss.observation;
        let text =
            format!("{:>9}  tx {}:{} does not count: {}", seen.block.id.height, seen.txid, seen.output, miss.reason);
        printer.data(&json!({ "event": "near_miss", "near_miss": miss }), &text);
    }
}

/// Says in one line what is wrong and what to do.
fn explain(error: &Error) -> String {
    let advice = match error.kind() {
        ErrorKind::Auth => "check --cookie, or --user and --password-env",
        ErrorKind::Config => "check the command line",
        ErrorKind::FinalityViolated => "compare both blocks with another node before going on",
        ErrorKind::Pruned => "start later with --from, or use a node that keeps all blocks",
        ErrorKind::ScopeMismatch => "check --chain and --store: nothing was changed",
        ErrorKind::Unreachable | ErrorKind::Timeout => "check --url, and that the node runs with server=1",
        ErrorKind::WarmingUp | ErrorKind::Busy => "wait until the node has started, then try again",
        _ => return error.to_string(),
    };
    format!("{error} ({advice})")
}

fn style() -> Result<ProgressStyle, String> {
    ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}").map_err(|error| error.to_string())
}

/// Weighs payments as THORChain does by default: one block's reward for each confirmation, at least one, at most a day of
/// Bitcoin's blocks.
const WEIGHT: ValueWeight = ValueWeight { multiplier_bps: 10_000, min: BlockDelta(1), max: Some(BlockDelta(144)) };
