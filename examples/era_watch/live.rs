//! Real eras: read once and answer with a status, or watch until Ctrl-C.

use std::process::ExitCode;
use std::sync::Arc;

use nodewright::core::{BlockHeight, EraDistance, EraMarker, EraSchedule, Error, ErrorKind, SupportedEras};
use nodewright::ops::era::{EraBook, EraEvent, EraListener, EraWatch, EraWatchOptions, Severity};
use serde_json::json;

use crate::args::Args;
use crate::print::Printer;
use crate::reader::FindingListener;
use crate::source::Source;
use crate::told::Told;

/// Reads or watches real eras.
pub(crate) async fn run(args: &Args) -> Result<ExitCode, String> {
    let printer = Printer::new(args.json);
    if !args.watch.supports.is_empty() {
        // What is wrong in itself is told before anybody is asked.
        SupportedEras::try_new(args.watch.supports.iter().cloned()).map_err(|error| format!("--supports: {error}"))?;
    }
    let source = Source::open(args, Arc::new(Lines { printer })).await?;
    if args.watch.once { once(args, printer, &source).await } else { watch(args, printer, source).await }
}

/// Reads once; the status says what to do.
async fn once(args: &Args, printer: Printer, source: &Source) -> Result<ExitCode, String> {
    let schedule = source.reader.schedule().await.map_err(|error| explain(&error))?;
    let head = source.reader.positions().await.map_err(|error| explain(&error))?.head;
    let supported = source.supported(args, &schedule)?;
    let current = schedule.current(&head).map_err(|error| error.to_string())?;
    let ahead = schedule.ahead(&head).map_err(|error| error.to_string())?;
    let is_supported = |marker: &EraMarker| supported.supports(&marker.era);
    let row = |standing: &str, marker: &EraMarker| {
        let left = marker.activation.left(&head).map(|left| source.pace.estimate(left));
        let when = match (standing, left) {
            ("now", _) => format!("{} {}", source.since, marker.activation),
            (_, Some(left)) if left.distance == EraDistance::Unscheduled => "no date yet".to_owned(),
            (_, Some(left)) => format!("{}, in {left}", marker.activation),
            (_, None) => marker.activation.to_string(),
        };
        let word = if is_supported(marker) { "supported" } else { "NOT SUPPORTED" };
        let fields = json!({ "event": "era", "standing": standing, "era": marker.era, "activation": marker.activation,
            "when": when, "supported": is_supported(marker) });
        printer.data(&fields, &format!("{standing:<6}{:<24} {when:<36} {word}", marker.era.to_string()));
    };
    let place = match head.epoch {
        // A source without blocks.
        Some(epoch) if head.height == BlockHeight(0) => format!("epoch {epoch}"),
        _ => head.to_string(),
    };
    printer.data(&json!({ "event": "position", "head": head }), &format!("{}: {place}", source.scope.chain));
    current.into_iter().for_each(|marker| row("now", marker));
    ahead.iter().chain(schedule.announced()).for_each(|marker| row("ahead", marker));
    let (status, answer) = match (current.is_none_or(is_supported), lacking(&schedule, ahead, &supported)) {
        (false, _) => (3, "the era that holds is not supported: stop, and install a build that supports it".to_owned()),
        (true, Some(era)) => (2, format!("{era} is not supported: install a build that supports it before it begins")),
        (true, None) => (0, "ready: nothing to do".to_owned()),
    };
    printer.data(&json!({ "event": "end", "status": status, "text": answer }), &answer);
    Ok(ExitCode::from(status))
}

/// Finds the first era ahead that is not supported.
fn lacking<'a>(schedule: &'a EraSchedule, ahead: &'a [EraMarker], supported: &SupportedEras) -> Option<&'a EraMarker> {
    ahead.iter().chain(schedule.announced()).find(|marker| !supported.supports(&marker.era))
}

/// Watches until Ctrl-C.
async fn watch(args: &Args, printer: Printer, source: Source) -> Result<ExitCode, String> {
    let schedule = source.reader.schedule().await.map_err(|error| explain(&error))?;
    let supported = source.supported(args, &schedule)?;
    let names: Vec<_> = supported.as_slice().iter().map(ToString::to_string).collect();
    let text = format!("watching the eras of {}; supported: {}", source.scope.chain, names.join(", "));
    printer.data(&json!({ "event": "start", "scope": source.scope, "supported": names }), &text);
    let book = EraBook::new(source.scope, supported).with_pace(source.pace);
    let interval = args.watch.interval.unwrap_or(EraWatchOptions::default().interval);
    let options = EraWatchOptions::default().with_interval(interval);
    let mut watch = EraWatch::new(source.reader, book, Arc::new(Lines { printer }), options);
    watch.run_until(async { drop(tokio::signal::ctrl_c().await) }).await;
    printer.data(&json!({ "event": "end", "status": 0, "text": "stopped" }), "stopped");
    Ok(ExitCode::SUCCESS)
}

/// Prints what is told.
#[derive(Debug)]
struct Lines {
    printer: Printer,
}

impl EraListener for Lines {
    fn event(&self, event: &EraEvent) {
        let kind = Told::of(event).map_or("unreadable", |told| told.kind());
        self.printer.told(None, event.severity(), kind, &event.to_string());
    }
}

impl FindingListener for Lines {
    fn finding(&self, severity: Severity, told: Told, text: &str) {
        self.printer.told(None, severity, told.kind(), text);
    }
}

/// Says in one line what is wrong and what to do.
pub(crate) fn explain(error: &Error) -> String {
    let advice = match error.kind() {
        ErrorKind::Auth => "check --cookie, or --user and --password-env",
        ErrorKind::Config => "check the command line",
        ErrorKind::ScopeMismatch => "check --chain and --network",
        ErrorKind::Unreachable | ErrorKind::Timeout => "check that the node runs, and where it listens",
        ErrorKind::Unverified => "check --address and --verification-key, and who pays to the address",
        ErrorKind::WarmingUp | ErrorKind::Busy => "wait until the node has started, then try again",
        _ => return error.to_string(),
    };
    format!("{error} ({advice})")
}
