//! Watches a node for payments and says, for each, when it was seen, when it is final and why, and when it is gone.
//!
//! Without arguments it plays a simulated Dash network inside the process and checks itself against it. With
//! `--chain` and `--url` it follows a real node. `--help` says the rest.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program talks on its streams")]

mod acts;
mod args;
mod audit;
mod embedded;
mod failpoint;
mod live;
mod print;
mod truth;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match &args.node.url {
        None => embedded::run(&args).await,
        Some(url) => live::run(&args, url).await,
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
