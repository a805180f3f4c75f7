//! What the documents must say: decisions in order, a reason for each dependency, commands that exist.

use std::fs;

use crate::TASKS;
use crate::workspace::Workspace;

/// Checks the documents of the project.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>, String> {
    let mut violations = Vec::new();
    for document in DOCUMENTS {
        if !workspace.path(document).is_file() {
            violations.push(format!("{document}: write it"));
        }
    }
    violations.extend(decisions_are_numbered(&file_names(workspace, "docs/adr")?));
    violations.extend(dependencies_have_reasons(&workspace.read("Cargo.toml")?, &workspace.read(DEPENDENCIES)?));

    let examples = file_names(workspace, "examples")?;
    for document in ["README.md", "CONTRIBUTING.md"] {
        if workspace.path(document).is_file() {
            violations.extend(commands_exist(document, &workspace.read(document)?, &examples));
        }
    }
    if workspace.path("README.md").is_file() {
        violations.extend(shows_both_commands(&workspace.read("README.md")?, &workspace.read(".ci/run")?));
    }
    if workspace.path("CHANGELOG.md").is_file() {
        violations.extend(has_unreleased_section(&workspace.read("CHANGELOG.md")?));
    }
    violations.extend(chains_have_readmes(workspace)?);
    Ok(violations)
}

fn file_names(workspace: &Workspace, folder: &str) -> Result<Vec<String>, String> {
    let failed = |error| format!("cannot list {folder}: {error}");
    if !workspace.path(folder).is_dir() {
        return Ok(Vec::new());
    }
    let entries =
        fs::read_dir(workspace.path(folder)).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut names: Vec<String> = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// Decisions are numbered from 0001 without a gap or a double.
fn decisions_are_numbered(names: &[String]) -> Vec<String> {
    let decisions = names.iter().filter(|name| name.ends_with(".md") && !NO_DECISIONS.contains(&name.as_str()));
    let mut violations = Vec::new();
    for (expected, name) in (1..).zip(decisions) {
        if !name.starts_with(&format!("{expected:04}-")) {
            violations.push(format!("docs/adr/{name}: number it {expected:04}-"));
        }
    }
    violations
}

/// Every foreign crate of `[workspace.dependencies]` has a row in the table of reasons, and every row a crate.
fn dependencies_have_reasons(manifest: &str, table: &str) -> Vec<String> {
    let declared: Vec<&str> = manifest
        .lines()
        .skip_while(|line| line.trim() != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| Some(line.split_once('=')?.0.trim()))
        .filter(|name| !name.starts_with("nodewright") && !name.starts_with('#'))
        .collect();
    let explained: Vec<&str> = table
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
            let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
            cells.next().filter(|why| !why.is_empty()).map(|_| name)
        })
        .collect();
    let unexplained = declared.iter().filter(|name| !explained.contains(name));
    let stale = explained.iter().filter(|name| !declared.contains(name));
    unexplained
        .map(|name| format!("{DEPENDENCIES}: add a row that says why we depend on `{name}`"))
        .chain(stale.map(|name| format!("{DEPENDENCIES}: remove the row of `{name}`, nothing depends on it")))
        .collect()
}

/// A command that a document shows is one that can be typed.
fn commands_exist(document: &str, text: &str, examples: &[String]) -> Vec<String> {
    let mut violations = Vec::new();
    for task in words_after(text, "cargo xtask ") {
        if task != "help" && !TASKS.iter().any(|known| known.name == task) {
            violations.push(format!("{document}: `cargo xtask {task}` is no task"));
        }
    }
    for example in words_after(text, "--example ") {
        let known = examples.iter().any(|file| file.trim_end_matches(".rs") == example);
        if !known {
            violations.push(format!("{document}: there is no example {example}"));
        }
    }
    violations
}

/// The names that follow each `marker`; a placeholder, which starts with no small letter, is none.
fn words_after<'a>(text: &'a str, marker: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(marker).skip(1).filter_map(|rest| {
        let is_part = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        rest.get(..end).filter(|word| !word.is_empty())
    })
}

/// The README shows how to try the project and how to test it, and CI does the latter.
fn shows_both_commands(readme: &str, ci: &str) -> Vec<String> {
    let mut violations = Vec::new();
    if words_after(readme, "--example ").next().is_none() {
        violations.push("README.md: show the one command that runs an example".to_owned());
    }
    if !readme.contains("cargo xtask test") {
        violations.push("README.md: show the one command that tests, `cargo xtask test`".to_owned());
    }
    if !ci.contains("cargo xtask test") {
        violations.push(".ci/run: run the tests by `cargo xtask test`, as the README says".to_owned());
    }
    violations
}

fn has_unreleased_section(changelog: &str) -> Option<String> {
    let has = changelog.lines().any(|line| line.starts_with("## ") && line.contains("Unreleased"));
    (!has).then(|| "CHANGELOG.md: add a section `## Unreleased`".to_owned())
}

/// Each chain says in a README what it can do, on which node versions, and where its constants come from.
fn chains_have_readmes(workspace: &Workspace) -> Result<Vec<String>, String> {
    let readmes = workspace.chains()?.into_iter().map(|chain| format!("crates/chains/{chain}/README.md"));
    Ok(readmes
        .filter(|readme| !workspace.path(readme).is_file())
        .map(|readme| format!("{readme}: list its abilities, node versions and the sources of its constants"))
        .collect())
}

/// The decision that gives a reason for each dependency.
const DEPENDENCIES: &str = "docs/adr/0001-dependencies.md";

/// Files beside the decisions that are none.
const NO_DECISIONS: &[&str] = &["README.md", "template.md"];

/// The documents that the project must have.
const DOCUMENTS: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "docs/glossary.md",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_gap_or_a_double_in_the_decisions_is_found() {
        assert!(decisions_are_numbered(&owned(&["0001-a.md", "0002-b.md", "README.md", "template.md"])).is_empty());
        assert_eq!(decisions_are_numbered(&owned(&["0001-a.md", "0003-b.md"])).len(), 1);
        assert_eq!(decisions_are_numbered(&owned(&["0001-a.md", "0001-b.md"])).len(), 1);
    }

    #[test]
    fn a_dependency_without_a_reason_and_a_reason_without_a_dependency_are_found() {
        let manifest = "[workspace.dependencies]\nnodewright-core = \"1\"\nhex = \"1\"\nblst = \"1\"\n[lints]\nx = 1\n";
        let table = "| crate | why |\n|---|---|\n| `hex` | text |\n| `gone` | old |\n| `blst` |  |\n";
        let found = dependencies_have_reasons(manifest, table);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().any(|line| line.contains("`blst`")), "{found:?}");
        assert!(found.iter().any(|line| line.contains("`gone`")), "{found:?}");
    }

    #[test]
    fn a_command_that_does_not_exist_is_found() {
        let examples = owned(&["observe.rs"]);
        let text = "run `cargo xtask test`, `cargo xtask tset` or `cargo run --example observe` or --example nothing";
        let found = commands_exist("README.md", text, &examples);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(commands_exist("README.md", "`cargo xtask TASK`, `--example NAME`", &examples).is_empty());
    }

    #[test]
    fn a_readme_without_the_commands_is_found() {
        assert_eq!(shows_both_commands("nothing", "cargo xtask test").len(), 2);
        assert!(shows_both_commands("cargo run --example observe\ncargo xtask test", "cargo xtask test").is_empty());
    }

    #[test]
    fn a_changelog_without_the_next_release_is_found() {
        assert!(has_unreleased_section("# Changelog\n\n## [Unreleased]\n").is_none());
        assert!(has_unreleased_section("# Changelog\n\n## 0.1.0\n").is_some());
    }
}
