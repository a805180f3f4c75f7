//! Running one libFuzzer program and reading what it reports.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A program that fuzzes one target.
#[derive(Debug, Default)]
pub(super) struct Fuzzer {
    pub(super) target: String,
    pub(super) program: PathBuf,
    /// Folders of inputs that were kept: seeds and inputs that once failed.
    pub(super) kept: Vec<PathBuf>,
    /// Where a failing input is written.
    pub(super) artifacts: PathBuf,
}

impl Fuzzer {
    /// Runs every kept input once, in order; returns how many there were.
    pub(super) fn replay(&self) -> Result<usize, String> {
        let mut inputs = Vec::new();
        for folder in &self.kept {
            let failed = |error| format!("cannot list {}: {error}", folder.display());
            for entry in fs::read_dir(folder).map_err(failed)? {
                inputs.push(entry.map_err(failed)?.path());
            }
        }
        inputs.sort();
        if inputs.is_empty() {
            return Ok(0);
        }
        let (ended_well, log) = self.run(Command::new(&self.program).args(&inputs))?;
        if ended_well {
            return Ok(inputs.len());
        }
        let running = log.lines().rev().find_map(|line| line.strip_prefix("Running: ")).unwrap_or("an input");
        Err(format!("{}: fails on {running}: {}", self.target, panic_message(&log)))
    }

    /// Fuzzes for `seconds`, or until something is found; new inputs go to `corpus`.
    pub(super) fn search(&self, corpus: &Path, seconds: u64, seed: Option<u32>) -> Result<Campaign, String> {
        fs::create_dir_all(&self.artifacts)
            .map_err(|error| format!("cannot create {}: {error}", self.artifacts.display()))?;
        let mut command = Command::new(&self.program);
        command
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-timeout={INPUT_SECONDS}"))
            .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
            .arg(format!("-artifact_prefix={}/", self.artifacts.display()))
            // No value profile: its table of 65,536 bits is filled by the comparisons of the libraries, and the inputs
            // that it keeps for them crowd out the others.
            .arg("-print_final_stats=1");
        if let Some(seed) = seed {
            command.arg(format!("-seed={seed}"));
        }
        let (ended_well, log) = self.run(command.arg(corpus).args(&self.kept))?;
        let mut campaign = Campaign::parse(&log);
        if !ended_well {
            let input = log.lines().find_map(|line| Some(line.split_once("Test unit written to ")?.1.to_owned()));
            campaign.finding = Some(Finding { message: panic_message(&log), input });
        }
        Ok(campaign)
    }

    /// Runs the program to its end; returns whether it ended well, and its log.
    fn run(&self, command: &mut Command) -> Result<(bool, String), String> {
        let output = command
            .stdin(Stdio::null())
            .env("RUST_BACKTRACE", "0")
            .output()
            .map_err(|error| format!("cannot run {}: {error}", self.program.display()))?;
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((output.status.success(), log))
    }
}

/// What one run of a fuzzer did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Campaign {
    pub(super) executions: u64,
    pub(super) seconds: u64,
    /// Edges of the program's control flow that were reached.
    pub(super) edges: u64,
    /// Edges that the program has.
    pub(super) edges_in_all: u64,
    /// What libFuzzer calls features: edges by how often they were passed, and compared values.
    pub(super) features: u64,
    pub(super) finding: Option<Finding>,
}

impl Campaign {
    /// Reads the log of libFuzzer.
    fn parse(log: &str) -> Self {
        let mut campaign = Self::default();
        for line in log.lines() {
            if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
                campaign.executions = count.trim().parse().unwrap_or(campaign.executions);
            } else if line.starts_with("INFO: Loaded ") && line.contains("PC tables") {
                campaign.edges_in_all = line
                    .split_once('(')
                    .and_then(|(_, rest)| rest.split_once(" PCs")?.0.parse().ok())
                    .unwrap_or(campaign.edges_in_all);
            } else if line.starts_with('#') {
                campaign.edges = number_after(line, " cov: ").unwrap_or(campaign.edges);
                campaign.features = number_after(line, " ft: ").unwrap_or(campaign.features);
            }
        }
        campaign
    }

    /// The same, with the time that the run took.
    pub(super) fn lasting(mut self, time: Duration) -> Self {
        self.seconds = time.as_secs();
        self
    }
}

impl fmt::Display for Campaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { executions, seconds, edges, edges_in_all, features, finding } = self;
        write!(f, "{executions} executions in {seconds} s, {edges} of {edges_in_all} edges, {features} features, ")?;
        match finding {
            None => f.write_str("nothing found"),
            Some(finding) => write!(f, "{finding}"),
        }
    }
}

/// An input that made a target fail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) message: String,
    input: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "found: {}", self.message)?;
        self.input.as_ref().map_or(Ok(()), |input| write!(f, "; the input is {input}"))
    }
}

fn number_after(line: &str, marker: &str) -> Option<u64> {
    line.split_once(marker)?.1.split(' ').next()?.parse().ok()
}

/// What made the program stop: the panic's place and message, or libFuzzer's own word.
fn panic_message(log: &str) -> String {
    let mut lines = log.lines();
    let place = lines.find_map(|line| Some(line.split_once("panicked at ")?.1.trim_end_matches(':')));
    match (place, lines.next()) {
        (Some(place), Some(message)) => format!("panic at {place}: {message}"),
        _ => {
            let summary = log.lines().find_map(|line| line.strip_prefix("SUMMARY: "));
            summary.unwrap_or("the program ended without a word").to_owned()
        }
    }
}

/// What turns on the coverage that libFuzzer reads, in the stable compiler: LLVM's own pass, counting edges, with the
/// table of places, and the operands of comparisons, so that a magic number is found by its parts.
/// <https://clang.llvm.org/docs/SanitizerCoverage.html>
pub(super) const COVERAGE_FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // The counters of one crate stay in one module; split modules lose them at link time.
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// The machine that this runs on, as the compiler names it.
pub(super) const HOST: &str = env!("XTASK_HOST");

/// An input that takes longer than this is a finding. A parser of at most some MiB ends in milliseconds.
const INPUT_SECONDS: u32 = 10;

/// A target that takes more memory than this is a finding.
const MEMORY_MIB: u32 = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
INFO: Loaded 1 modules   (1234 inline 8-bit counters): 1234 [0x1, 0x2), \n\
INFO: Loaded 1 PC tables (1234 PCs): 1234 [0x1,0x2), \n\
#2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 30Mb\n\
#500\tNEW    cov: 40 ft: 77 corp: 9/12b lim: 4 exec/s: 0 rss: 30Mb L: 1/1 MS: 1 ChangeBit-\n";

    #[test]
    fn the_log_of_a_clean_run_is_read() {
        let log = format!("{LOG}#900\tDONE   cov: 41 ft: 80 corp: 9/12b\nstat::number_of_executed_units: 900\n");
        let expected = Campaign { executions: 900, edges: 41, edges_in_all: 1234, features: 80, ..Campaign::default() };
        assert_eq!(Campaign::parse(&log), expected);
    }

    #[test]
    fn the_message_of_a_panic_is_found() {
        let log =
            format!("{LOG}\nthread '<unnamed>' (7) panicked at src/a.rs:4:1:\nnot a block\nSUMMARY: libFuzzer: x\n");
        assert_eq!(panic_message(&log), "panic at src/a.rs:4:1: not a block");
        assert_eq!(panic_message("SUMMARY: libFuzzer: timeout\n"), "libFuzzer: timeout");
    }
}
