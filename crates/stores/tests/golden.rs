//! What the stores have on disk: every released format is still read, and the current one is written byte for byte.
//!
//! A golden file holds the first twenty events of the suite's play, stored by two commits.

#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(feature = "sqlite")]

use std::error::Error as _;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use nodewright_core::api::FormatTag;
use nodewright_core::{Checkpoint, ErrorKind, EventSeq, Revision, ScanSink};
use nodewright_stores::rusqlite::{Connection, params};
use nodewright_stores::{FileSink, LoggedRecord, SqliteError, SqliteSink, StateFilter};
use nodewright_testkit::check_golden;
use nodewright_testkit::conformance::sink::Play;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Returns the golden files and folders of one store, of every format.
fn all(store: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(golden("")).unwrap().map(|entry| entry.unwrap());
    let found: Vec<_> =
        entries.filter(|it| it.file_name().to_str().unwrap().starts_with(store)).map(|it| it.path()).collect();
    assert!(!found.is_empty(), "{store}");
    found
}

fn play() -> Play {
    Play::new(EventSeq(0))
}

/// Names a format: the store's own, and that of the checkpoint in it.
fn name(store: &str, format: impl std::fmt::Display) -> String {
    format!("{store}-{format}-checkpoint-{}", Checkpoint::FORMAT)
}

async fn fill(sink: &dyn ScanSink) {
    sink.commit(Revision(0), play().batch(0..13)).await.unwrap();
    sink.commit(Revision(1), play().batch(13..20)).await.unwrap();
}

/// Checks that a sink over an old store gives back what was stored, and goes on.
async fn check(sink: &dyn ScanSink, records: Vec<LoggedRecord>, from: &Path) {
    let stored = sink.load(&play().scope()).await.unwrap().unwrap();
    assert_eq!(stored.revision, Revision(2), "{}", from.display());
    assert_eq!(stored.checkpoint, play().checkpoint(EventSeq(20)), "{}", from.display());
    let expected: Vec<_> = play().records(0..20).iter().map(LoggedRecord::from).collect();
    assert_eq!(records, expected, "{}", from.display());
    sink.commit(Revision(2), play().batch(20..25)).await.unwrap();
}

#[tokio::test]
async fn the_files_are_written_byte_for_byte_as_their_format_says() {
    let folder = tempfile::tempdir().unwrap();
    fill(&FileSink::open(folder.path()).await.unwrap()).await;
    let state = fs::read(folder.path().join("checkpoint")).unwrap();
    // A line begins with the checksum and a blank.
    let FormatTag { format } = serde_json::from_slice(&state[9..]).unwrap();
    let held = golden(&name("file", format));
    check_golden(held.join("checkpoint"), &state).unwrap();
    check_golden(held.join("events.log"), &fs::read(folder.path().join("events.log")).unwrap()).unwrap();
}

#[tokio::test]
async fn files_of_every_format_are_read() {
    for held in all("file-") {
        let folder = tempfile::tempdir().unwrap();
        for file in ["checkpoint", "events.log"] {
            fs::copy(held.join(file), folder.path().join(file)).unwrap();
        }
        let sink = FileSink::open(folder.path()).await.unwrap();
        let records = sink.records(EventSeq(0), 99).await.unwrap();
        check(&sink, records, &held).await;
    }
}

#[tokio::test]
async fn the_database_has_the_tables_and_rows_that_its_version_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fill(&SqliteSink::open(&path).await.unwrap()).await;
    let connection = Connection::open(&path).unwrap();
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    check_golden(golden(&name("sqlite", version)).with_extension("sql"), dump(&connection).as_bytes()).unwrap();
}

#[tokio::test]
async fn databases_of_every_version_are_read() {
    for held in all("sqlite-") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(&fs::read_to_string(&held).unwrap()).unwrap();
        drop(connection);
        let sink = SqliteSink::open(&path).await.unwrap();
        let records = sink.records(EventSeq(0), 99).await.unwrap();
        check(&sink, records, &held).await;
        assert!(!sink.observations(StateFilter::Final, None, 99).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_checkpoint_of_another_format_in_the_database_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fill(&SqliteSink::open(&path).await.unwrap()).await;
    for found in [0, Checkpoint::FORMAT + 1] {
        let connection = Connection::open(&path).unwrap();
        connection.execute("UPDATE nw_checkpoint SET format = ?1, json = '{}'", params![found]).unwrap();
        let sink = SqliteSink::open(&path).await.unwrap();
        let error = sink.load(&play().scope()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        match error.source().and_then(|source| source.downcast_ref::<SqliteError>()) {
            Some(SqliteError::UnknownCheckpoint(unknown)) => assert_eq!(unknown.found, found),
            other => panic!("{other:?}"),
        }
    }
}

/// Writes a database as the statements that make it.
fn dump(connection: &Connection) -> String {
    let rows = |sql: &str| -> Vec<String> {
        let mut select = connection.prepare(sql).unwrap();
        let rows = select.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut script = String::new();
    for pragma in ["application_id", "user_version"] {
        let value: i64 = connection.pragma_query_value(None, pragma, |row| row.get(0)).unwrap();
        writeln!(script, "PRAGMA {pragma} = {value};").unwrap();
    }
    for sql in rows("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid") {
        writeln!(script, "{sql};").unwrap();
    }
    for table in rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid") {
        let columns = rows(&format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"));
        let values: Vec<_> = columns.iter().map(|column| format!("quote({column})")).collect();
        for row in
            rows(&format!("SELECT {} FROM {table} ORDER BY {}", values.join(" || ', ' || "), columns[..2].join(", ")))
        {
            writeln!(script, "INSERT INTO {table} VALUES ({row});").unwrap();
        }
    }
    script
}
