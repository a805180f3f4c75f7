//! `cargo xtask tidy`: the rules of the house, checked from the manifests and the file tree.
//!
//! Each violation is one line, `path: what to do`. A rule is a function over plain data, tested with a planted
//! violation.

mod docs;
mod files;
mod layers;
mod manifests;

use crate::Outcome;
use crate::workspace::{Workspace, say};

pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Outcome {
    if let Some(arg) = args.first() {
        return Err(format!("tidy takes no {arg}"));
    }
    let metadata = manifests::Metadata::load(workspace)?;
    let mut violations = layers::check(&metadata);
    violations.extend(manifests::check(workspace, &metadata)?);
    violations.extend(files::check(workspace)?);
    violations.extend(docs::check(workspace)?);
    for violation in &violations {
        say(violation);
    }
    match violations.len() {
        0 => Ok(()),
        1 => Err("1 rule of the house is broken".to_owned()),
        several => Err(format!("{several} rules of the house are broken")),
    }
}
