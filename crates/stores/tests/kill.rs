//! A process that commits is killed at random moments; what it leaves must be whole, every time.
//!
//! The process is this test executable itself, started to run one test with a variable in its environment.

#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(feature = "sqlite")]

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nodewright_core::{ErrorKind, EventSeq, Revision, ScanSink};
use nodewright_stores::rusqlite::Connection;
use nodewright_stores::{FileSink, LoggedRecord, SqliteSink};
use nodewright_testkit::conformance::sink::Play;

/// Says which store the process has, and when its effects happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The log of the folder is the effect.
    File,
    /// Effects go to a file of their own after the commit: wrong on purpose.
    FileSwapped,
    /// Effects are part of the commit.
    Sqlite,
    /// Effects have a transaction of their own after the commit: wrong on purpose.
    SqliteSwapped,
}

const MODES: [Mode; 4] = [Mode::File, Mode::FileSwapped, Mode::Sqlite, Mode::SqliteSwapped];

const CHILD: &str = "NODEWRIGHT_TEST_KILL";
const STORE: &str = "NODEWRIGHT_TEST_KILL_STORE";
const STOP: &str = "NODEWRIGHT_TEST_KILL_STOP";

fn play() -> Play {
    Play::new(EventSeq(0))
}

/// Does nothing unless it was started by [`Victim::start`]; then it commits until it is killed.
#[tokio::test]
async fn commits_until_it_is_killed() {
    let (Ok(mode), Ok(store)) = (env::var(CHILD), env::var(STORE)) else {
        return;
    };
    let mode = MODES.into_iter().find(|known| format!("{known:?}") == mode).unwrap();
    let store = PathBuf::from(store);
    let stop = env::var(STOP).ok().map(|seq| seq.parse().unwrap());
    let sink = open(mode, &store, stop).await;
    let stored = sink.load(&play().scope()).await.unwrap();
    let (mut revision, mut next) = stored.map_or((Revision(0), 0), |held| (held.revision, held.checkpoint.next_seq.0));
    loop {
        let end = next + 1 + revision.0 % 4;
        revision = sink.commit(revision, play().batch(next..end)).await.unwrap();
        if matches!(mode, Mode::FileSwapped | Mode::SqliteSwapped) {
            stop_at(stop, next..end);
        }
        match mode {
            Mode::File | Mode::Sqlite => {}
            Mode::FileSwapped => {
                let lines: String = (next..end).map(|seq| format!("{seq}\n")).collect();
                let mut file = OpenOptions::new().create(true).append(true).open(effects_file(&store)).unwrap();
                file.write_all(lines.as_bytes()).unwrap();
                file.sync_all().unwrap();
            }
            Mode::SqliteSwapped => {
                let mut connection = Connection::open(&store).unwrap();
                connection.busy_timeout(Duration::from_secs(5)).unwrap();
                let transaction = connection.transaction().unwrap();
                transaction.execute_batch(EFFECTS).unwrap();
                for seq in next..end {
                    transaction.execute("INSERT INTO effects (seq) VALUES (?1)", [seq]).unwrap();
                }
                transaction.commit().unwrap();
            }
        }
        next = end;
        // Straight to the pipe, past the test harness: this much is acknowledged.
        std::io::stdout().write_all(format!("\nacknowledged {next}\n").as_bytes()).unwrap();
    }
}

/// Waits to be killed, if the event at which to do so is among `seqs`.
fn stop_at(stop: Option<u64>, seqs: Range<u64>) {
    if stop.is_some_and(|stop| seqs.contains(&stop)) {
        std::io::stdout().write_all(b"\nstopped\n").unwrap();
        // The other end is held open and never written to.
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }
}

async fn open(mode: Mode, store: &Path, stop: Option<u64>) -> Arc<dyn ScanSink> {
    match mode {
        Mode::File | Mode::FileSwapped => Arc::new(open_file(store).await),
        Mode::SqliteSwapped => Arc::new(SqliteSink::open(store).await.unwrap()),
        Mode::Sqlite => {
            let sink = SqliteSink::open(store).await.unwrap();
            Arc::new(sink.with_effects(move |transaction, batch| {
                transaction.execute_batch(EFFECTS)?;
                for record in &batch.records {
                    transaction.execute("INSERT INTO effects (seq) VALUES (?1)", [record.seq.0])?;
                }
                let next = batch.checkpoint.next_seq.0;
                stop_at(stop, batch.records.first().map_or(next, |record| record.seq.0)..next);
                Ok(())
            }))
        }
    }
}

/// Opens the folder once its lock is free: a test beside this one that starts a process holds a copy of every open file,
/// locks included, from the fork to the exec.
async fn open_file(store: &Path) -> FileSink {
    let started = Instant::now();
    loop {
        match FileSink::open(store).await {
            Err(error) if error.kind() == ErrorKind::Conflict && started.elapsed() < PATIENCE => {
                tokio::task::yield_now().await;
            }
            opened => return opened.unwrap(),
        }
    }
}

/// Is far longer than another process stays between its fork and its exec.
const PATIENCE: Duration = Duration::from_secs(10);

/// The table has no key, so that an effect that happens twice would be there twice.
const EFFECTS: &str = "CREATE TABLE IF NOT EXISTS effects (seq INTEGER NOT NULL)";

fn effects_file(store: &Path) -> PathBuf {
    store.with_extension("effects")
}

/// Is a process that commits.
struct Victim {
    process: Child,
    output: BufReader<ChildStdout>,
    acknowledged: u64,
}

impl Victim {
    /// Starts the process; with `stop` it waits to be killed in the middle of the batch with that event: within its
    /// effects, or between commit and effects where they are swapped.
    fn start(mode: Mode, store: &Path, stop: Option<u64>) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        if let Some(stop) = stop {
            command.env(STOP, stop.to_string());
        }
        let mut process = command
            .args(["--exact", "commits_until_it_is_killed", "--nocapture"])
            .env(CHILD, format!("{mode:?}"))
            .env(STORE, store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output, acknowledged: 0 }
    }

    /// Reads up to the next acknowledgement; returns whether there was one before the process stopped or ended.
    fn wait(&mut self) -> bool {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            if let Some(next) = line.trim().strip_prefix("acknowledged ") {
                self.acknowledged = next.parse().unwrap();
                return true;
            }
            if line.trim() == "stopped" {
                return false;
            }
            line.clear();
        }
        false
    }

    /// Kills it some time after it acknowledged `commits` commits; returns what it had acknowledged by then.
    fn kill_after(mut self, commits: u64, random: &mut fastrand::Rng) -> u64 {
        for _ in 0..commits {
            assert!(self.wait(), "the process ended by itself");
        }
        let wait = Duration::from_micros(random.u64(..15_000));
        let start = Instant::now();
        while start.elapsed() < wait {
            std::hint::spin_loop();
        }
        self.kill()
    }

    /// Kills it where it was told to stop; returns what it had acknowledged by then.
    fn kill_where_it_stops(mut self) -> u64 {
        while self.wait() {}
        self.kill()
    }

    fn kill(mut self) -> u64 {
        self.process.kill().unwrap();
        while self.wait() {}
        let status = self.process.wait().unwrap();
        assert!(!status.success(), "the process ended by itself");
        self.acknowledged
    }
}

/// Opens the store and says what is wrong with it; returns how many events it holds.
async fn check(mode: Mode, store: &Path, acknowledged: u64) -> Result<u64, String> {
    let (sink, records) = match mode {
        Mode::File | Mode::FileSwapped => {
            let sink = Arc::new(FileSink::open(store).await.map_err(|error| error.to_string())?);
            let mut records = Vec::new();
            while let page = sink.records(EventSeq(records.len() as u64), usize::MAX).await.unwrap()
                && !page.is_empty()
            {
                records.extend(page);
            }
            (sink as Arc<dyn ScanSink>, records)
        }
        Mode::Sqlite | Mode::SqliteSwapped => {
            let sink = Arc::new(SqliteSink::open(store).await.map_err(|error| error.to_string())?);
            let mut records = Vec::new();
            while let page = sink.records(EventSeq(records.len() as u64), usize::MAX).await.unwrap()
                && !page.is_empty()
            {
                records.extend(page);
            }
            (sink as Arc<dyn ScanSink>, records)
        }
    };
    let stored = sink.load(&play().scope()).await.map_err(|error| error.to_string())?;
    let next = stored.as_ref().map_or(0, |stored| stored.checkpoint.next_seq.0);
    if next < acknowledged {
        return Err(format!("event {acknowledged} was acknowledged, the store ends at {next}"));
    }
    if stored.is_some_and(|stored| stored.checkpoint != play().checkpoint(EventSeq(next))) {
        return Err("another checkpoint".to_owned());
    }
    let expected: Vec<_> = play().records(0..next).iter().map(LoggedRecord::from).collect();
    if records != expected {
        return Err(format!("{} records before event {next}", records.len()));
    }
    let effects = match mode {
        Mode::File => (0..next).collect(),
        Mode::FileSwapped => {
            let text = fs::read_to_string(effects_file(store)).unwrap_or_default();
            text.lines().map(|line| line.parse().unwrap()).collect()
        }
        Mode::Sqlite | Mode::SqliteSwapped => effects_table(store),
    };
    if effects != (0..next).collect::<Vec<u64>>() {
        return Err(format!("{} effects before event {next}", effects.len()));
    }
    Ok(next)
}

fn effects_table(store: &Path) -> Vec<u64> {
    let connection = Connection::open(store).unwrap();
    connection.execute_batch(EFFECTS).unwrap();
    let mut select = connection.prepare("SELECT seq FROM effects ORDER BY rowid").unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Starts and kills a process for each seed, on one store; stops at the first thing that is wrong.
async fn kill_again_and_again(mode: Mode, seeds: Range<u64>) -> Result<u64, String> {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut unacknowledged = 0;
    for seed in seeds {
        let mut random = fastrand::Rng::with_seed(seed);
        let victim = Victim::start(mode, &store, None);
        let acknowledged = victim.kill_after(random.u64(1..12), &mut random);
        let found = check(mode, &store, acknowledged).await.map_err(|error| format!("seed {seed}: {error}"))?;
        unacknowledged += u64::from(found > acknowledged);
    }
    Ok(unacknowledged)
}

#[tokio::test]
async fn a_killed_process_leaves_a_whole_folder() {
    let unacknowledged = kill_again_and_again(Mode::File, nodewright_testkit::seeds(20, 200)).await.unwrap();
    println!("{unacknowledged} commits had landed without being acknowledged");
}

#[tokio::test]
async fn a_killed_process_leaves_a_whole_database_with_every_effect_once() {
    let unacknowledged = kill_again_and_again(Mode::Sqlite, nodewright_testkit::seeds(20, 200)).await.unwrap();
    println!("{unacknowledged} commits had landed without being acknowledged");
}

#[tokio::test]
async fn a_process_killed_within_its_effects_leaves_nothing_of_the_batch() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    for stop in [0, 1, 7, 30] {
        let acknowledged = Victim::start(Mode::Sqlite, &store, Some(stop)).kill_where_it_stops();
        assert!(acknowledged <= stop);
        assert_eq!(check(Mode::Sqlite, &store, acknowledged).await, Ok(acknowledged));
    }
}

#[tokio::test]
async fn effects_after_the_commit_are_noticed() {
    for mode in [Mode::FileSwapped, Mode::SqliteSwapped] {
        for stop in [0, 7] {
            let folder = tempfile::tempdir().unwrap();
            let store = folder.path().join("store");
            let acknowledged = Victim::start(mode, &store, Some(stop)).kill_where_it_stops();
            let error = check(mode, &store, acknowledged).await.unwrap_err();
            assert!(error.contains("effects before event"), "{mode:?}: {error}");
        }
    }
}

#[tokio::test]
async fn random_kills_are_enough_to_notice_effects_after_the_commit() {
    // The two transactions take about the same time, so that one kill in a few falls between them, and a hundred that
    // all miss are out of the question.
    let error = kill_again_and_again(Mode::SqliteSwapped, 0..100).await.unwrap_err();
    assert!(error.contains("effects before event"), "{error}");
    println!("{error}");
}
