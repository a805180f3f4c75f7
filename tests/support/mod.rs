//! The examples as programs under test; most tests are of `observe`.

#![allow(dead_code, reason = "each test file uses its part")]

use std::env;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Returns where cargo has put `observe`.
pub(crate) fn program() -> PathBuf {
    example("observe")
}

/// Returns where cargo has put an example: beside the folder of the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    let target = test.parent().and_then(|deps| deps.parent()).expect("tests stand in target/<profile>/deps");
    let program = target.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(program.is_file(), "{} is built by `cargo test`", program.display());
    program
}

/// Runs it to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    run_example("observe", arguments)
}

/// Runs an example to its end.
pub(crate) fn run_example(name: &str, arguments: &[&str]) -> Output {
    Command::new(example(name)).args(arguments).stdin(Stdio::null()).output().expect("the example starts")
}

/// Runs it beside the test; it is killed when this is dropped.
pub(crate) struct Observe {
    process: Child,
    lines: Receiver<String>,
}

impl Observe {
    pub(crate) fn start(arguments: &[String], variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(program())
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let (sender, lines) = sync_channel(LINES);
        forward(process.stdout.take().expect("piped"), sender.clone());
        forward(process.stderr.take().expect("piped"), sender);
        Self { process, lines }
    }

    /// Waits for a line that holds one of `texts`, on either stream; returns it if it came within `patience`.
    pub(crate) fn wait_for(&self, texts: &[&str], patience: Duration) -> Option<String> {
        let deadline = Instant::now() + patience;
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?;
            if texts.iter().any(|text| line.contains(text)) {
                return Some(line);
            }
        }
    }

    /// Ends it with SIGKILL, as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }

    /// Asks it to end with SIGINT, as Ctrl-C does; returns whether it ended well.
    pub(crate) fn interrupt(mut self) -> bool {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().expect("kill(1) is there");
        assert!(sent.success());
        self.process.wait().expect("it ends").success()
    }
}

impl Drop for Observe {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn forward(stream: impl Read + Send + 'static, sender: SyncSender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}

/// Is how many lines may wait; more than the example prints in a test.
const LINES: usize = 10_000;
