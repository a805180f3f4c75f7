//! Watches the eras of a chain and says, for each that lies ahead, how long is left and whether your program supports it.
//!
//! Without arguments it plays an era switch of Mithril on a simulated node inside the process, in front of two builds, and
//! checks what both were told. With arguments it reads a real node, a file of markers or an aggregator; `--once` answers
//! with an exit status. `--help` says the rest.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program talks on its streams")]

mod args;
mod live;
mod print;
mod reader;
mod source;
mod stated;
mod told;

#[cfg(unix)]
mod acts;
#[cfg(unix)]
mod devnet;
#[cfg(unix)]
mod embedded;
#[cfg(unix)]
mod verdict;
#[cfg(unix)]
mod view;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::Args;

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            print!("{error}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&args::one_line(&error)),
    };
    let outcome = if args.is_live() { live::run(&args).await } else { play(&args).await };
    outcome.unwrap_or_else(|message| fail(&format!("error: {message}")))
}

#[cfg(unix)]
async fn play(args: &Args) -> Result<ExitCode, String> {
    let right = embedded::run(args).await?;
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(not(unix))]
async fn play(_args: &Args) -> Result<ExitCode, String> {
    Err("the simulated node needs Unix sockets; see --help for other sources".to_owned())
}

/// Prints what is wrong. The status is 1, because 2 and 3 are answers of `--once`.
fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
