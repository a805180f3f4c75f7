//! What a test does when something it needs is absent: it says so, and in CI it fails.
//!
//! A test that passes without having looked at anything is a lie. [`skip`] prints the reason, writes it to the
//! skip log that `cargo xtask test` counts from, and panics when the environment variable `CI` is set: there
//! everything that a test needs must be installed.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Reports that the calling test cannot run here; the caller returns right after.
///
/// The line `skipped: <reason>` goes to standard error and, if [`SKIP_LOG`] names a file, to the end of that file.
///
/// # Panics
/// If `CI` is set: what a test needs is part of the project there. See [`skip_allowed`] for the exception.
#[track_caller]
pub fn skip(reason: &str) {
    report(reason);
    assert!(!in_ci(), "not to be skipped in CI: {reason}");
}

/// Reports a case that cannot apply to its subject, such as one for an ability that a chain does not have.
///
/// Like [`skip`], but it passes in CI too: no installation would make the case run.
pub fn skip_allowed(reason: &str) {
    report(reason);
}

/// Finds a file or folder of the corpus of recorded and real data, such as `"dash-regtest/vectors.json"`.
///
/// The corpus is the folder that [`CORPUS`] names, else `../shared/data` beside the workspace. Returns `None` after
/// a [`skip`] if `path` is not there.
///
/// # Panics
/// If the corpus lacks `path` and `CI` is set.
#[track_caller]
#[must_use]
pub fn corpus(path: &str) -> Option<PathBuf> {
    let root = match env::var_os(CORPUS) {
        Some(root) if !root.is_empty() => PathBuf::from(root),
        _ => workspace_root().join("../shared/data"),
    };
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    skip(&format!("{} is not there; {CORPUS} names the corpus", file.display()));
    None
}

/// Returns whether the long form of the tests was asked for, with `cargo xtask test --long`.
#[must_use]
pub fn long() -> bool {
    is_set(LONG)
}

/// Returns the seeds that a seeded test runs: `0..short`, or `0..long` in the [`long`] form.
///
/// [`SEED`] narrows it to one seed, to repeat a failure.
///
/// # Panics
/// If [`SEED`] is set to something that is no number.
#[expect(clippy::panic, reason = "a test helper: a misspelt seed must not pass as another one")]
#[must_use]
pub fn seeds(short: u64, long: u64) -> Range<u64> {
    match env::var(SEED) {
        Ok(text) => match text.parse::<u64>() {
            Ok(seed) if seed < u64::MAX => seed..seed + 1,
            _ => panic!("{SEED} is not the number of a seed: {text:?}"),
        },
        Err(_) if self::long() => 0..long,
        Err(_) => 0..short,
    }
}

/// The environment variable that names the file to which skips are appended, one line each.
pub const SKIP_LOG: &str = "NODEWRIGHT_SKIP_LOG";

/// The environment variable that names the folder of the corpus.
pub const CORPUS: &str = "NODEWRIGHT_CORPUS";

/// The environment variable that asks for the long form of the tests.
pub const LONG: &str = "NODEWRIGHT_LONG";

/// The environment variable that narrows seeded tests to one seed.
pub const SEED: &str = "NODEWRIGHT_SEED";

/// The folder of the workspace that this crate was built in.
pub(crate) fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Whether this runs in CI, where nothing that a test needs may be missing.
fn in_ci() -> bool {
    is_set("CI")
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

#[expect(clippy::print_stderr, clippy::panic, reason = "a test helper: its output is what it is for")]
fn report(reason: &str) {
    let line = reason.replace('\n', " ");
    eprintln!("skipped: {line}");
    let Some(log) = env::var_os(SKIP_LOG).filter(|name| !name.is_empty()) else {
        return;
    };
    // One write in append mode, so that lines of tests that run side by side stay whole.
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .and_then(|mut file| file.write_all(format!("skipped: {line}\n").as_bytes()));
    if let Err(error) = written {
        panic!("cannot write the skip log {}: {error}", log.display());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// Runs `skips_when_asked_to` in a process of its own; returns whether it passed and what it logged.
    fn run_a_skip(ci: &str, helper: &str) -> (bool, String) {
        let log = env::temp_dir().join(format!("nodewright-skip-{}-{helper}-{ci}", std::process::id()));
        let status = Command::new(env::current_exe().unwrap())
            .args(["--exact", "skip::tests::skips_when_asked_to"])
            .env("CI", ci)
            .env(CHILD, helper)
            .env(SKIP_LOG, &log)
            .output()
            .unwrap()
            .status;
        let logged = fs::read_to_string(&log).unwrap();
        fs::remove_file(&log).unwrap();
        (status.success(), logged)
    }

    const CHILD: &str = "NODEWRIGHT_TEST_OF_SKIP";

    #[test]
    fn skips_when_asked_to() {
        match env::var(CHILD).as_deref() {
            Ok("skip") => skip("no\nnode"),
            Ok("skip_allowed") => skip_allowed("no ability"),
            _ => {}
        }
    }

    #[test]
    fn a_skip_is_logged_as_one_line_and_passes_outside_ci() {
        assert_eq!(run_a_skip("", "skip"), (true, "skipped: no node\n".to_owned()));
    }

    #[test]
    fn a_skip_fails_in_ci_unless_it_is_allowed() {
        assert_eq!(run_a_skip("true", "skip"), (false, "skipped: no node\n".to_owned()));
        assert_eq!(run_a_skip("true", "skip_allowed"), (true, "skipped: no ability\n".to_owned()));
    }

    #[test]
    fn the_workspace_root_holds_the_lock_file() {
        assert!(workspace_root().join("Cargo.lock").is_file());
    }

    #[test]
    fn the_long_form_runs_at_least_the_seeds_of_the_short_one() {
        if env::var_os(SEED).is_none() {
            assert_eq!(seeds(3, 5), 0..if long() { 5 } else { 3 });
        }
    }
}
