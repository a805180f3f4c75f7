//! What source files must not hold: too many lines, unfinished code, ignored tests.

use std::fs;
use std::path::Path;

use crate::workspace::Workspace;

/// Checks every Rust file of the project.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>, String> {
    let mut violations = Vec::new();
    for folder in FOLDERS {
        let mut files = Vec::new();
        collect(&workspace.path(folder), folder, &mut files)?;
        for file in files {
            violations.extend(check_file(&file, &workspace.read(&file)?));
        }
    }
    Ok(violations)
}

/// The Rust files below `folder`, by their paths from the root of the workspace, in order.
fn collect(folder: &Path, shown: &str, files: &mut Vec<String>) -> Result<(), String> {
    if !folder.is_dir() {
        return Ok(());
    }
    let failed = |error| format!("cannot list {shown}: {error}");
    let mut entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let shown = format!("{shown}/{name}");
        if path.is_dir() {
            if name != "target" {
                collect(&path, &shown, files)?;
            }
        } else if name.ends_with(".rs") {
            files.push(shown);
        }
    }
    Ok(())
}

fn check_file(path: &str, text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let lines = text.lines().count();
    if path.starts_with("crates/") && path.contains("/src/") && lines > MOST_LINES {
        violations.push(format!("{path}: split it, {lines} lines are more than {MOST_LINES}"));
    }
    // Attributes may stand before it.
    let says_its_purpose = text.lines().take(HEAD_LINES).any(|line| line.starts_with("//!"));
    if !says_its_purpose && is_documented_kind(path) {
        violations.push(format!("{path}: say in `//!` what it is for"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        for (pattern, advice) in FORBIDDEN {
            if code.contains(pattern) {
                violations.push(format!("{path}:{number}: {advice}"));
            }
        }
    }
    violations
}

/// Whether a file is a module of a crate, which says at its top what it is for.
fn is_documented_kind(path: &str) -> bool {
    path.starts_with("crates/") || path.starts_with("src/") || path.starts_with("examples/")
}

/// Where the project's Rust code is.
const FOLDERS: &[&str] = &["src", "tests", "crates", "examples", "xtask/src", "benches/src", "fuzz/src"];

/// The most lines that a file of a crate may have, tests included.
const MOST_LINES: usize = 600;

/// How far down a file may begin to say what it is for.
const HEAD_LINES: usize = 10;

/// What no code may hold, and what to do instead. Written in parts, so that this file does not hold it either.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("to", "do!("), "write it or leave it out"),
    (concat!("unimple", "mented!("), "write it or leave it out"),
    (concat!("db", "g!("), "remove the debug print"),
    (concat!("#[ig", "nore"), "run the test, or let it call testkit::skip with the reason"),
    (concat!("allow(unsafe", "_code"), "write it in safe Rust"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "//! A module.\n";

    #[test]
    fn a_file_over_the_limit_is_found() {
        let long = format!("{HEAD}{}", "\n".repeat(MOST_LINES));
        assert_eq!(check_file("crates/core/src/a.rs", &long).len(), 1);
        assert!(check_file("crates/core/tests/a.rs", &long).is_empty());
        let fits = format!("{HEAD}{}", "\n".repeat(MOST_LINES - 1));
        assert!(check_file("crates/core/src/a.rs", &fits).is_empty());
    }

    #[test]
    fn unfinished_code_and_ignored_tests_are_found() {
        for (pattern, _) in FORBIDDEN {
            let planted = format!("{HEAD}fn f() {{\n    {pattern}\n}}\n");
            let found = check_file("crates/core/src/a.rs", &planted);
            assert_eq!(found.len(), 1, "{pattern}");
            assert!(found.iter().all(|line| line.starts_with("crates/core/src/a.rs:3: ")), "{found:?}");
            let comment = format!("{HEAD}// never {pattern}\n");
            assert!(check_file("crates/core/src/a.rs", &comment).is_empty(), "{pattern}");
        }
    }

    #[test]
    fn a_module_says_what_it_is_for() {
        assert_eq!(check_file("crates/core/src/a.rs", "pub struct A;\n").len(), 1);
        assert!(check_file("xtask/src/a.rs", "struct A;\n").is_empty());
    }
}
