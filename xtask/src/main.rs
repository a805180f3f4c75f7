//! The tasks of the workspace: `cargo xtask help` lists them.
//!
//! A task needs nothing but the Rust toolchain, a C compiler and, where it says so, the package registries.

mod bench;
mod fuzz;
mod libtest;
mod nodes;
mod test;
mod tidy;
mod workspace;

use std::env;
use std::process::ExitCode;

use crate::workspace::{Workspace, say};

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "help".to_owned());
    let args: Vec<String> = args.collect();
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        if !matches!(name.as_str(), "help" | "-h" | "--help") {
            say(&format!("error: no task is called {name:?}; `cargo xtask help` lists them"));
            return ExitCode::FAILURE;
        }
        help();
        return ExitCode::SUCCESS;
    };
    match (task.run)(&Workspace::find(), &args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            if !message.is_empty() {
                say(&format!("error: {message}"));
            }
            ExitCode::FAILURE
        }
    }
}

/// A task that `cargo xtask` runs by name.
struct Task {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> Outcome,
}

/// How a task ends; an empty error says that everything about the failure was printed already.
type Outcome = Result<(), String>;

fn help() {
    say("The tasks of the Nodewright workspace. cargo xtask …\n");
    for task in TASKS {
        say(&format!("  {} {}", task.name, task.usage));
        for line in task.about.lines() {
            say(&format!("      {line}"));
        }
    }
}

/// Every task, in the order of the help.
const TASKS: &[Task] = &[
    Task {
        name: "test",
        usage: "[--long] [FILTER…]",
        about: "runs every test with all features, doc tests too, those beside the peers of the benchmarks, then checks\n\
                that each chain compiles alone; --long runs the full seed counts; a FILTER picks tests of the main\n\
                workspace by name and leaves all else out",
        run: test::run,
    },
    Task {
        name: "nodes",
        usage: "",
        about: "installs the real nodes that tests start and writes down where they are",
        run: nodes::run,
    },
    Task { name: "tidy", usage: "", about: "checks the rules of the house", run: tidy::run },
    Task {
        name: "bench",
        usage: "[--smoke] [ID…]",
        about: "runs the benchmarks, prints their table and writes target/bench/report.json",
        run: bench::run,
    },
    Task {
        name: "bench-smoke",
        usage: "[ID…]",
        about: "runs each benchmark once at a tiny size, without bars: does it work?",
        run: bench::smoke,
    },
    Task {
        name: "fuzz",
        usage: "TARGET…|all [--seconds N] [--jobs N]",
        about: "searches for inputs that break a target (default 600 s) and updates fuzz/ledger.json",
        run: fuzz::search,
    },
    Task {
        name: "fuzz-smoke",
        usage: "[--seconds N] [--planted] [TARGET…]",
        about: "replays every kept input, then fuzzes each target shortly (default 10 s);\n\
                --planted proves that each target finds a panic planted on a rare input",
        run: fuzz::smoke,
    },
];
