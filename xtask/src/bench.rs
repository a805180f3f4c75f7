//! `cargo xtask bench`: the benchmarks, which are a workspace of their own.

use crate::Outcome;
use crate::workspace::{self, Workspace};

pub(crate) fn run(workspace: &Workspace, args: &[String]) -> Outcome {
    let report = workspace.cache("bench")?.join("report.json");
    let mut command = workspace.cargo();
    command.args(["run", "--release", "--quiet", "--manifest-path", "benches/Cargo.toml"]);
    command.args(workspace::locked());
    command.arg("--target-dir").arg(workspace.build_dir("bench-build"));
    command.arg("--").args(args).arg("--report").arg(&report);
    workspace::run(&mut command)
}

pub(crate) fn smoke(workspace: &Workspace, args: &[String]) -> Outcome {
    let mut all = vec!["--smoke".to_owned()];
    all.extend_from_slice(args);
    run(workspace, &all)
}
