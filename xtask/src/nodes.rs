//! `cargo xtask nodes`: the real nodes that tests start, installed and written down.
//!
//! Each node is one entry of [`NODES`]. What is found goes into `target/nodes/<name>.path`, a file of one line, where
//! `nodewright_testkit::nodes` looks for it.

use std::env;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::workspace::{Workspace, output, run as run_command, say};

pub(crate) fn run(workspace: &Workspace, _args: &[String]) -> Outcome {
    let cache = workspace.cache("nodes")?;
    let mut missing = Vec::new();
    for node in NODES {
        match node.provide(&cache) {
            Ok((path, version)) => say(&format!("{}: {} ({version})", node.name, path.display())),
            Err(reason) => missing.push(format!("{} cannot be had: {reason}", node.name)),
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(missing.join("; ")) }
}

/// A node program and the ways to get it.
struct Node {
    name: &'static str,
    /// The environment variable that names the program to use instead.
    variable: &'static str,
    /// Where its package puts the program itself, past any wrapper script.
    packaged: &'static str,
    /// What makes it print its version and end.
    version_arg: &'static str,
    install: fn(&Node, &Path) -> Result<PathBuf, String>,
}

/// Every node that tests start.
const NODES: &[Node] = &[Node {
    name: "litecoind",
    variable: "NODEWRIGHT_LITECOIND",
    packaged: "/usr/lib/litecoin/litecoind",
    version_arg: "-version",
    install: install_from_debian,
}];

impl Node {
    /// Finds or installs the program, checks that it runs, and writes its path down.
    fn provide(&self, cache: &Path) -> Result<(PathBuf, String), String> {
        let path = match env::var_os(self.variable).filter(|value| !value.is_empty()) {
            Some(chosen) => PathBuf::from(chosen),
            None => match self.present(cache) {
                Some(path) => path,
                None => (self.install)(self, cache)?,
            },
        };
        let version = self.version(&path)?;
        let pointer = self.pointer(cache);
        fs::write(&pointer, format!("{}\n", path.display()))
            .map_err(|error| format!("cannot write {}: {error}", pointer.display()))?;
        Ok((path, version))
    }

    /// The program where an earlier run, a package or the user put it.
    fn present(&self, cache: &Path) -> Option<PathBuf> {
        let recorded = fs::read_to_string(self.pointer(cache)).ok().map(|text| PathBuf::from(text.trim()));
        recorded
            .filter(|path| self.version(path).is_ok())
            .or_else(|| Some(PathBuf::from(self.packaged)).filter(|path| is_elf(path)))
            .or_else(|| {
                let folders = env::var_os("PATH")?;
                env::split_paths(&folders).map(|folder| folder.join(self.name)).find(|path| is_elf(path))
            })
    }

    fn version(&self, path: &Path) -> Result<String, String> {
        let printed = output(Command::new(path).arg(self.version_arg))?;
        let first = printed.lines().next().unwrap_or_default().trim();
        if first.is_empty() { Err(format!("{} tells no version", path.display())) } else { Ok(first.to_owned()) }
    }

    fn pointer(&self, cache: &Path) -> PathBuf {
        cache.join(format!("{}.path", self.name))
    }
}

/// Installs the Debian package of the node's name: into the system as root, else into the cache.
fn install_from_debian(node: &Node, cache: &Path) -> Result<PathBuf, String> {
    if !is_program("apt-get") {
        return Err(format!("this is no Debian; install {} and name it in {}", node.name, node.variable));
    }
    if output(Command::new("id").arg("-u"))?.trim() == "0" {
        quietly(apt().arg("update"))?;
        quietly(apt().args(["install", "-y", "--no-install-recommends", node.name]))?;
        let path = PathBuf::from(node.packaged);
        return if is_elf(&path) { Ok(path) } else { Err(format!("its package has no {}", node.packaged)) };
    }
    unpack_from_debian(node, cache)
}

/// Unpacks the package and the libraries that the system lacks, for a user who may not install.
fn unpack_from_debian(node: &Node, cache: &Path) -> Result<PathBuf, String> {
    let folder = cache.join(node.name);
    let root = folder.join("root");
    fs::create_dir_all(&root).map_err(|error| format!("cannot create {}: {error}", root.display()))?;

    let mut packages = vec![node.name.to_owned()];
    packages.extend(missing_dependencies(node.name)?);
    quietly(apt().arg("download").args(&packages).current_dir(&folder))?;
    let entries = fs::read_dir(&folder).map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    for entry in entries {
        let file = entry.map_err(|error| format!("cannot list {}: {error}", folder.display()))?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            quietly(Command::new("dpkg").arg("-x").arg(&file).arg(&root))?;
        }
    }

    let program = root.join(node.packaged.trim_start_matches('/'));
    let libraries = root.join("usr/lib").join(format!("{}-linux-gnu", env::consts::ARCH));
    // `exec` keeps the pid: whoever starts this script can stop the node by it.
    let script = format!("#!/bin/sh\nLD_LIBRARY_PATH='{}' exec '{}' \"$@\"\n", libraries.display(), program.display());
    let runner = folder.join(node.name);
    fs::write(&runner, script).map_err(|error| format!("cannot write {}: {error}", runner.display()))?;
    run_command(Command::new("chmod").arg("+x").arg(&runner))?;
    Ok(runner)
}

/// The packages that installing `package` would bring in besides itself.
fn missing_dependencies(package: &str) -> Result<Vec<String>, String> {
    let plan = output(apt().args(["install", "--simulate", "--no-install-recommends", package]))?;
    let added = plan.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next().map(str::to_owned));
    Ok(added.filter(|name| name != package).collect())
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("-q");
    command
}

/// Runs a command whose output is worth reading only when it fails.
fn quietly(command: &mut Command) -> Outcome {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run {program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} failed: {}", told.lines().next_back().unwrap_or("it says nothing")))
}

fn is_program(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|folders| env::split_paths(&folders).any(|folder| folder.join(name).is_file()))
}

/// Whether a file is a program itself and no script around one.
fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}
