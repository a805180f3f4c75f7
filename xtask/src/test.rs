//! `cargo xtask test`: the whole test suite, and one closing line.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::libtest::Tally;
use crate::workspace::{Workspace, in_ci, say};
use crate::{Outcome, nodes, workspace};

pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Outcome {
    let options = Options::parse(args)?;
    if let Err(reason) = nodes::run(workspace, &[]) {
        if in_ci() {
            return Err(reason);
        }
        say(&format!("skipped: {reason}"));
    }

    let skip_log = workspace.cache("test")?.join("skipped.log");
    fs::write(&skip_log, "").map_err(|error| format!("cannot write {}: {error}", skip_log.display()))?;

    let mut tally = Tally::default();
    let mut failures = Vec::new();
    if let Err(failure) = run_tests(workspace, &options, &skip_log, &mut tally) {
        failures.push(failure);
    }
    if options.filters.is_empty() {
        if let Err(failure) = run_bench_tests(workspace, &options, &skip_log, &mut tally) {
            failures.push(failure);
        }
        failures.extend(check_single_chains(workspace, &mut tally)?);
    }
    report_skips(&skip_log, &mut tally)?;
    for failure in &failures {
        say(&format!("error: {failure}"));
    }
    say(&tally.to_string());
    if failures.is_empty() && tally.failed == 0 { Ok(()) } else { Err(String::new()) }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    long: bool,
    filters: Vec<String>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        for arg in args {
            match arg.as_str() {
                "--long" => options.long = true,
                flag if flag.starts_with('-') => return Err(format!("test has no option {flag}")),
                filter => options.filters.push(filter.to_owned()),
            }
        }
        Ok(options)
    }
}

/// Runs the tests of every crate; what they print is passed on as it comes.
fn run_tests(workspace: &Workspace, options: &Options, skip_log: &Path, tally: &mut Tally) -> Outcome {
    let mut command = workspace.cargo();
    command.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    command.args(workspace::locked());
    if !options.filters.is_empty() {
        command.arg("--").args(&options.filters);
    }
    run_counted(command, options, skip_log, tally)
}

/// Runs the tests beside the crates that we are measured against, which are in the workspace of the benchmarks; from the
/// build that the benchmarks use too.
fn run_bench_tests(workspace: &Workspace, options: &Options, skip_log: &Path, tally: &mut Tally) -> Outcome {
    let mut command = workspace.cargo();
    command.args(["test", "--release", "--no-fail-fast", "--manifest-path", "benches/Cargo.toml"]);
    command.args(workspace::locked());
    command.arg("--target-dir").arg(workspace.build_dir("bench-build"));
    run_counted(command, options, skip_log, tally)
}

fn run_counted(mut command: Command, options: &Options, skip_log: &Path, tally: &mut Tally) -> Outcome {
    command.env("NODEWRIGHT_SKIP_LOG", skip_log);
    if options.long {
        command.env("NODEWRIGHT_LONG", "1");
    }
    let before = tally.failed;
    let ended = stream(&mut command, |line| tally.count(line));
    if ended.is_err() && tally.failed == before {
        // A compile error, or a binary that died before its closing line.
        tally.failed += 1;
    }
    ended
}

fn stream(command: &mut Command, mut each: impl FnMut(&str)) -> Outcome {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| format!("cannot run cargo: {error}"))?;
    let Some(stdout) = child.stdout.take() else {
        return Err("the tests have no standard output".to_owned());
    };
    let mut reader = BufReader::new(stdout);
    let mut line = Vec::new();
    let read = loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => break Ok(()),
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end_matches('\n');
                say(text);
                each(text);
            }
            Err(error) => break Err(format!("cannot read what the tests print: {error}")),
        }
    };
    let status = child.wait().map_err(|error| format!("cannot wait for the tests: {error}"))?;
    read?;
    if status.success() { Ok(()) } else { Err(format!("the tests ended with {status}")) }
}

/// Checks that the facade compiles with one chain alone, for each chain that it has a feature for.
fn check_single_chains(workspace: &Workspace, tally: &mut Tally) -> Result<Vec<String>, String> {
    let mut failures = Vec::new();
    for chain in workspace.chains()? {
        say(&format!("checking that {chain} compiles without the other chains"));
        let mut command = workspace.cargo();
        command.args(["check", "--quiet", "--package", "nodewright", "--no-default-features", "--features", &chain]);
        match workspace::run(&mut command) {
            Ok(()) => tally.passed += 1,
            Err(failure) => {
                tally.failed += 1;
                failures.push(failure);
            }
        }
    }
    Ok(failures)
}

/// Prints what was skipped, each reason once, and counts it.
fn report_skips(log: &Path, tally: &mut Tally) -> Outcome {
    let text = fs::read_to_string(log).map_err(|error| format!("cannot read {}: {error}", log.display()))?;
    let mut reasons = BTreeMap::<&str, u64>::new();
    for line in text.lines() {
        *reasons.entry(line).or_default() += 1;
        tally.skipped += 1;
    }
    for (reason, times) in reasons {
        say(&if times == 1 { reason.to_owned() } else { format!("{reason} ({times} times)") });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_option_is_refused() {
        let parsed = |args: &[&str]| Options::parse(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>());
        assert_eq!(parsed(&["--long", "scan"]), Ok(Options { long: true, filters: vec!["scan".to_owned()] }));
        assert!(parsed(&["--lnog"]).is_err());
    }

    #[test]
    fn every_line_is_seen_and_the_exit_code_is_kept() {
        let mut lines = Vec::new();
        let script = "echo one; printf 'two'; exit 3";
        let ended = stream(Command::new("sh").args(["-c", script]), |line| lines.push(line.to_owned()));
        assert_eq!(lines, ["one", "two"]);
        assert!(ended.is_err());
    }
}
