//! `cargo xtask fuzz` and `fuzz-smoke`: coverage-guided fuzzing on the stable toolchain.
//!
//! The targets are the programs of the workspace in `fuzz/`, linked with libFuzzer. The compiler's coverage pass is
//! turned on by code generation flags that the stable compiler takes; sanitizers, which it does not, are not needed
//! where all code is safe Rust. `fuzz/README.md` says how to add a target.

mod ledger;
mod libfuzzer;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use self::ledger::Ledger;
use self::libfuzzer::{Campaign, Fuzzer};
use crate::Outcome;
use crate::workspace::{Workspace, locked, run, say};

/// `cargo xtask fuzz-smoke`
pub(crate) fn smoke(workspace: &Workspace, args: &[String]) -> Outcome {
    let options = Options::parse(args, SMOKE_SECONDS)?;
    let targets = options.targets(workspace)?;
    let programs = build(workspace, options.planted)?;
    // What a planted panic leaves behind is no finding to keep.
    let artifacts = workspace.path(if options.planted { "target/fuzz-planted" } else { ARTIFACTS });
    let fuzzers = fuzzers(workspace, &targets, &programs, &artifacts);
    if !options.planted {
        for fuzzer in &fuzzers {
            let replayed = fuzzer.replay()?;
            say(&format!("{}: {replayed} kept inputs pass", fuzzer.target));
        }
    }
    let mut failures = Vec::new();
    for (fuzzer, campaign) in run_all(&fuzzers, options.jobs, |fuzzer| {
        let corpus = workspace.cache(&format!("fuzz-smoke/{}", fuzzer.target))?;
        clear(&corpus)?;
        fuzzer.search(&corpus, options.seconds, Some(SMOKE_SEED))
    }) {
        let campaign = campaign?;
        say(&format!("{}: {campaign}", fuzzer.target));
        match (&campaign.finding, options.planted) {
            (None, false) => {}
            (Some(finding), true) if finding.message.contains(PLANTED) => {}
            (Some(finding), _) => failures.push(format!("{}: {finding}", fuzzer.target)),
            (None, true) => failures.push(format!("{}: did not find the planted panic", fuzzer.target)),
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nerror: ")) }
}

/// `cargo xtask fuzz`
pub(crate) fn search(workspace: &Workspace, args: &[String]) -> Outcome {
    let options = Options::parse(args, SEARCH_SECONDS)?;
    if options.planted {
        return Err("--planted belongs to fuzz-smoke".to_owned());
    }
    if options.names.is_empty() {
        return Err(format!("name targets, or all: {}", known_targets(workspace)?.join(" ")));
    }
    let targets = options.targets(workspace)?;
    let programs = build(workspace, false)?;
    let fuzzers = fuzzers(workspace, &targets, &programs, &workspace.path(ARTIFACTS));

    let path = workspace.path(LEDGER);
    let mut ledger = Ledger::load(&path)?;
    let mut failures = Vec::new();
    for (fuzzer, campaign) in run_all(&fuzzers, options.jobs, |fuzzer| {
        let corpus = workspace.path("fuzz/corpus").join(&fuzzer.target);
        fs::create_dir_all(&corpus).map_err(|error| format!("cannot create {}: {error}", corpus.display()))?;
        fuzzer.search(&corpus, options.seconds, None)
    }) {
        let campaign = campaign?;
        say(&format!("{}: {campaign}", fuzzer.target));
        ledger.add(&fuzzer.target, &campaign);
        if let Some(finding) = &campaign.finding {
            failures.push(format!("{}: {finding}", fuzzer.target));
        }
    }
    ledger.save(&path)?;
    say(&format!("updated {LEDGER}"));
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\nerror: ")) }
}

#[derive(Debug)]
struct Options {
    seconds: u64,
    jobs: usize,
    planted: bool,
    names: Vec<String>,
}

impl Options {
    fn parse(args: &[String], seconds: u64) -> Result<Self, String> {
        let jobs = thread::available_parallelism().map_or(1, usize::from);
        let mut options = Self { seconds, jobs, planted: false, names: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--seconds" => options.seconds = number(arg, args.next())?,
                "--jobs" => {
                    let jobs = number(arg, args.next())?;
                    options.jobs = usize::try_from(jobs).map_err(|_| format!("{jobs} jobs are too many"))?.max(1);
                }
                "--planted" => options.planted = true,
                flag if flag.starts_with('-') => return Err(format!("there is no option {flag}")),
                name => options.names.push(name.to_owned()),
            }
        }
        Ok(options)
    }

    /// The targets that were named; all, if none was.
    fn targets(&self, workspace: &Workspace) -> Result<Vec<String>, String> {
        let known = known_targets(workspace)?;
        if self.names.is_empty() || self.names.iter().any(|name| name == "all") {
            return Ok(known);
        }
        match self.names.iter().find(|name| !known.contains(name)) {
            Some(name) => Err(format!("no fuzz target is called {name}; there are: {}", known.join(" "))),
            None => Ok(self.names.clone()),
        }
    }
}

fn number(flag: &str, value: Option<&String>) -> Result<u64, String> {
    let value = value.ok_or_else(|| format!("{flag} needs a number"))?;
    value.parse().map_err(|_| format!("{flag} needs a number, not {value}"))
}

/// The targets: each program in `fuzz/src/bin`.
fn known_targets(workspace: &Workspace) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(workspace.path("fuzz/src/bin")).map_err(|error| format!("no fuzz targets: {error}"))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("no fuzz targets: {error}"))?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Builds every target and returns the folder of the programs.
fn build(workspace: &Workspace, planted: bool) -> Result<PathBuf, String> {
    let folder = workspace.build_dir("fuzz-build");
    let mut command = workspace.cargo();
    command.args(["build", "--release", "--bins", "--manifest-path", "fuzz/Cargo.toml"]);
    command.args(locked());
    // With an explicit target the flags do not reach build scripts and macros.
    command.args(["--target", libfuzzer::HOST]).arg("--target-dir").arg(&folder);
    command.env("CARGO_ENCODED_RUSTFLAGS", libfuzzer::COVERAGE_FLAGS.join("\u{1f}"));
    if planted {
        command.args(["--features", "planted"]);
    }
    run(&mut command)?;
    Ok(folder.join(libfuzzer::HOST).join("release"))
}

fn fuzzers(workspace: &Workspace, targets: &[String], programs: &Path, artifacts: &Path) -> Vec<Fuzzer> {
    let of = |target: &String| Fuzzer {
        target: target.clone(),
        program: programs.join(target),
        kept: ["fuzz/seeds", "fuzz/regressions"]
            .map(|folder| workspace.path(folder).join(target))
            .into_iter()
            .filter(|folder| folder.is_dir())
            .collect(),
        artifacts: artifacts.join(target),
    };
    targets.iter().map(of).collect()
}

/// Runs `work` for each fuzzer, at most `jobs` at a time; the results come in the order of the fuzzers.
fn run_all(
    fuzzers: &[Fuzzer],
    jobs: usize,
    work: impl Fn(&Fuzzer) -> Result<Campaign, String> + Sync,
) -> Vec<(&Fuzzer, Result<Campaign, String>)> {
    let next = Mutex::new(fuzzers.iter().enumerate());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs.min(fuzzers.len()) {
            scope.spawn(|| {
                loop {
                    let taken = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((index, fuzzer)) = taken else { break };
                    let started = Instant::now();
                    let result = work(fuzzer).map(|campaign| campaign.lasting(started.elapsed()));
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, fuzzer, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, ..)| *index);
    done.into_iter().map(|(_, fuzzer, result)| (fuzzer, result)).collect()
}

/// Empties a folder of files.
fn clear(folder: &Path) -> Outcome {
    let failed = |error| format!("cannot empty {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        fs::remove_file(entry.map_err(failed)?.path()).map_err(failed)?;
    }
    Ok(())
}

/// Where the searches are recorded.
const LEDGER: &str = "fuzz/ledger.json";

/// Where failing inputs are written; one that is understood moves to `fuzz/regressions/<target>/`.
const ARTIFACTS: &str = "fuzz/artifacts";

/// What the message of a planted panic holds; `fuzz/src/plant.rs` has the other end.
const PLANTED: &str = "planted on purpose";

/// Long enough for a first look at each target, short enough for every CI run.
const SMOKE_SECONDS: u64 = 10;

/// Ten minutes: what each target runs before it is called clean.
const SEARCH_SECONDS: u64 = 600;

/// A fixed seed: a smoke run guards what is known, and must not turn red by chance. A search takes another each time.
const SMOKE_SEED: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let parse = |args: &[&str]| Options::parse(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>(), 10);
        let options = parse(&["walker", "--seconds", "3", "--planted"]).unwrap();
        assert_eq!((options.seconds, options.planted, options.names), (3, true, vec!["walker".to_owned()]));
        assert!(parse(&["--seconds", "soon"]).is_err());
        assert!(parse(&["--second", "3"]).is_err());
    }

    #[test]
    fn results_come_in_the_order_of_the_fuzzers() {
        let fuzzer = |name: &str| Fuzzer { target: name.to_owned(), ..Fuzzer::default() };
        let fuzzers: Vec<_> = ["a", "b", "c", "d"].map(fuzzer).into();
        let results = run_all(&fuzzers, 3, |_| Ok(Campaign::default()));
        let names: Vec<_> = results.iter().map(|(fuzzer, _)| fuzzer.target.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
    }
}
