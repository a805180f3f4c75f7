//! Where things are, and how a task runs another program.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The workspace that the tasks work on.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace that this program was built in.
    pub(crate) fn find() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { root: here.parent().unwrap_or(here).to_path_buf() }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The folder for what tasks leave behind: nodes, tools, reports. It stays the same under `CARGO_TARGET_DIR`,
    /// so that tests find what `cargo xtask nodes` left.
    pub(crate) fn cache(&self, relative: &str) -> Result<PathBuf, String> {
        let folder = self.root.join("target").join(relative);
        fs::create_dir_all(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        Ok(folder)
    }

    /// The folder for the build products of another workspace of the project.
    pub(crate) fn build_dir(&self, name: &str) -> PathBuf {
        match env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty()) {
            Some(chosen) => self.root.join(chosen).join(name),
            None => self.root.join("target").join(name),
        }
    }

    pub(crate) fn read(&self, relative: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(relative)).map_err(|error| format!("cannot read {relative}: {error}"))
    }

    /// The chains: the features of the facade that have a crate of their name in `crates/chains`.
    pub(crate) fn chains(&self) -> Result<Vec<String>, String> {
        let mut names = features(&self.read("Cargo.toml")?);
        names.retain(|name| self.path(&format!("crates/chains/{name}/Cargo.toml")).is_file());
        Ok(names)
    }

    /// The cargo that runs this task, to be run in the root of the workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }
}

/// Runs a command to its end, its output passed through.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let shown = shown(command);
    let status = command.status().map_err(|error| format!("cannot run `{shown}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` failed: {status}")) }
}

/// Runs a command to its end and returns its standard output; its standard error is passed through.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let shown = shown(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run `{shown}`: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{shown}` failed: {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{shown}` printed something that is not UTF-8"))
}

/// Whether this runs in CI, where nothing that is needed may be missing.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// What makes cargo refuse a lock file that its manifest has outgrown: in CI, where it must have been committed.
pub(crate) fn locked() -> Option<&'static str> {
    in_ci().then_some("--locked")
}

/// Prints one line to standard output. A reader that went away does not stop a task.
pub(crate) fn say(line: &str) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        // Nobody reads: what the task does and its exit code still count.
    }
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

/// The names of the features in a manifest.
fn features(manifest: &str) -> Vec<String> {
    let section = manifest.lines().skip_while(|line| line.trim() != "[features]").skip(1);
    section
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_from_their_section_only() {
        let manifest = "[package]\nname = \"x\"\n\n[features]\ndefault = [\"dash\"]\n\
                        dash = [\"dep:nodewright-dash\"]\n\n[dependencies]\nnear = \"1\"\n";
        assert_eq!(features(manifest), ["default", "dash"]);
    }

    #[test]
    fn every_chain_has_a_feature_of_its_own() {
        let chains = Workspace::find().chains().unwrap();
        assert!(chains.contains(&"bitcoin".to_owned()) && chains.contains(&"dash".to_owned()), "{chains:?}");
        assert!(!chains.contains(&"rpc".to_owned()), "{chains:?}");
    }
}
