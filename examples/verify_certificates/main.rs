//! Verifies a chain of Mithril certificates back to its genesis, and names the rule that a chain breaks.
//!
//! Without arguments it does so with a simulated network inside the process, which then lies to it. With `--aggregator`
//! it asks a real one. `--help` says the rest.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program talks on its streams")]

mod args;
mod check;
mod demo;
mod lies;
mod live;
mod print;
mod rules;
mod tally;
mod verdict;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::verdict::Verdict;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match &args.real.aggregator {
        None => demo::run(&args).await,
        Some(url) => live::run(&args, url).await,
    };
    let verdict = outcome.unwrap_or_else(|message| {
        eprintln!("error: {message}");
        // The simulated network has no one who could not be asked.
        if args.real.aggregator.is_some() { Verdict::Undecided } else { Verdict::Broken }
    });
    verdict.exit_code()
}
