//! Where the real nodes are that tests start; `cargo xtask nodes` installs them.
//!
//! The answer is always the program itself, never a distribution's shell wrapper around it: tests stop a node by the
//! pid that they started.

use std::env;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::skip::{skip, workspace_root};

/// Finds `litecoind`: the environment variable `NODEWRIGHT_LITECOIND`, what `cargo xtask nodes` recorded, Debian's
/// place for it, or `PATH`, in this order.
///
/// Returns `None` after a [`skip`] if there is none.
///
/// # Panics
/// If there is none and `CI` is set.
#[track_caller]
#[must_use]
pub fn litecoind() -> Option<PathBuf> {
    find(&LITECOIND)
}

/// What is known of a node program.
struct Program {
    name: &'static str,
    /// The environment variable that overrides every other place.
    variable: &'static str,
    /// Where a distribution's package puts the program itself.
    packaged: &'static str,
}

#[track_caller]
fn find(program: &Program) -> Option<PathBuf> {
    let found = match env::var_os(program.variable).filter(|value| !value.is_empty()) {
        Some(chosen) => Some(PathBuf::from(chosen)).filter(|path| path.is_file()),
        None => recorded(program).or_else(|| packaged(program)).or_else(|| on_path(program)),
    };
    if found.is_none() {
        skip(&format!(
            "{0} is not here; `cargo xtask nodes` installs it, {1} names another",
            program.name, program.variable
        ));
    }
    found
}

/// The path that `cargo xtask nodes` wrote down.
fn recorded(program: &Program) -> Option<PathBuf> {
    let pointer = workspace_root().join("target/nodes").join(format!("{}.path", program.name));
    let path = PathBuf::from(fs::read_to_string(pointer).ok()?.trim());
    path.is_file().then_some(path)
}

fn packaged(program: &Program) -> Option<PathBuf> {
    let path = PathBuf::from(program.packaged);
    is_elf(&path).then_some(path)
}

fn on_path(program: &Program) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program.name)).find(|path| is_elf(path))
}

/// Whether a file is a program in the ELF format, and so no script.
fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"\x7fELF"
}

/// Litecoin Core: <https://packages.debian.org/bookworm/litecoind>, whose `/usr/bin/litecoind` is a shell script.
const LITECOIND: Program =
    Program { name: "litecoind", variable: "NODEWRIGHT_LITECOIND", packaged: "/usr/lib/litecoin/litecoind" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_script_is_not_taken_for_the_program() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(!is_elf(&manifest));
        assert!(is_elf(&env::current_exe().unwrap_or_default()) || !cfg!(target_os = "linux"));
    }
}
