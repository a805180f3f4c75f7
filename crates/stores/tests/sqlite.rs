//! What the SQLite sink does beyond the suite: the state of payments, the user's own writes, other databases.

#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(feature = "sqlite")]

use std::error::Error as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nodewright_core::{BlockHash, Error, ErrorKind, EventSeq, Retry, Revision, ScanSink as _};
use nodewright_stores::rusqlite::{self, Connection};
use nodewright_stores::{MAX_PAGE, SqliteError, SqliteSink, StateFilter};
use nodewright_testkit::conformance::sink::Play;
use tempfile::TempDir;

fn play() -> Play {
    Play::new(EventSeq(0))
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

fn cause(error: &Error) -> &SqliteError {
    error.source().and_then(|source| source.downcast_ref()).unwrap_or_else(|| panic!("no cause in {error}"))
}

fn count(path: &PathBuf, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Opens a sink whose effects count the events in a table of their own; fails on the event `poison`.
async fn counting(path: &PathBuf, poison: Option<u64>) -> SqliteSink {
    let sink = SqliteSink::open(path).await.unwrap();
    sink.with_effects(move |transaction, batch| {
        transaction.execute_batch("CREATE TABLE IF NOT EXISTS effects (seq INTEGER NOT NULL)")?;
        for record in &batch.records {
            transaction.execute("INSERT INTO effects (seq) VALUES (?1)", [record.seq.0])?;
            if poison == Some(record.seq.0) {
                return Err("poisoned".into());
            }
        }
        Ok(())
    })
}

#[tokio::test]
async fn effects_happen_once_for_each_event_also_when_a_batch_is_sent_again() {
    let (_folder, path) = place();
    let sink = counting(&path, None).await;
    sink.commit(Revision(0), play().batch(0..5)).await.unwrap();
    sink.commit(Revision(1), play().batch(0..5)).await.unwrap();
    sink.commit(Revision(2), play().batch(3..9)).await.unwrap();
    assert_eq!(count(&path, "SELECT count(*) FROM effects"), 9);
    assert_eq!(count(&path, "SELECT count(DISTINCT seq) FROM effects"), 9);
}

#[tokio::test]
async fn effects_that_fail_take_the_whole_batch_with_them() {
    let (_folder, path) = place();
    let sink = counting(&path, Some(7)).await;
    sink.commit(Revision(0), play().batch(0..5)).await.unwrap();
    let error = sink.commit(Revision(1), play().batch(5..9)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(matches!(cause(&error), SqliteError::Effects(source) if source.to_string() == "poisoned"), "{error}");
    let stored = sink.load(&play().scope()).await.unwrap().unwrap();
    assert_eq!((stored.revision, stored.checkpoint.next_seq), (Revision(1), EventSeq(5)));
    assert_eq!(sink.records(EventSeq(0), 99).await.unwrap().len(), 5);
    assert_eq!(count(&path, "SELECT count(*) FROM effects"), 5);
    // The connection is free again.
    sink.commit(Revision(1), play().batch(5..7)).await.unwrap();
}

#[tokio::test]
async fn effects_that_panic_take_the_whole_batch_with_them() {
    let (_folder, path) = place();
    let calm = AtomicBool::new(false);
    let sink = SqliteSink::open(&path).await.unwrap().with_effects(move |_, _| {
        assert!(calm.swap(true, Ordering::Relaxed), "the first time");
        Ok(())
    });
    let error = sink.commit(Revision(0), play().batch(0..5)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert_eq!(sink.load(&play().scope()).await.unwrap(), None);
    sink.commit(Revision(0), play().batch(0..5)).await.unwrap();
}

#[tokio::test]
async fn effects_that_end_the_transaction_are_an_error() {
    let (_folder, path) = place();
    let sink = SqliteSink::open(&path).await.unwrap();
    let sink = sink.with_effects(|transaction, _| Ok(transaction.execute_batch("ROLLBACK")?));
    let error = sink.commit(Revision(0), play().batch(0..5)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Inconsistent);
    assert!(matches!(cause(&error), SqliteError::EffectsEndedTransaction), "{error}");
    assert_eq!(sink.load(&play().scope()).await.unwrap(), None);
}

#[tokio::test]
async fn a_full_medium_leaves_the_old_state_and_may_be_tried_again() {
    let (_folder, path) = place();
    let sink = SqliteSink::open(&path).await.unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let full = Arc::clone(&is_full);
    let sink = sink.with_effects(move |transaction, _| {
        let pages: i64 = transaction.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let limit = if full.load(Ordering::Relaxed) { pages } else { i64::from(u32::MAX) };
        transaction.pragma_update_and_check(None, "max_page_count", limit, |_| Ok(()))?;
        transaction.execute_batch("CREATE TABLE IF NOT EXISTS bulk (x); INSERT INTO bulk VALUES (zeroblob(100000))")?;
        Ok(())
    });
    sink.commit(Revision(0), play().batch(0..5)).await.unwrap();
    is_full.store(true, Ordering::Relaxed);
    let error = sink.commit(Revision(1), play().batch(5..9)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert_eq!(sink.load(&play().scope()).await.unwrap().unwrap().revision, Revision(1));
    is_full.store(false, Ordering::Relaxed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_dropped_under_way_is_recognised_on_reload() {
    let (_folder, path) = place();
    let (started, has_started) = tokio::sync::oneshot::channel();
    let (go_on, may_go_on) = std::sync::mpsc::sync_channel::<()>(1);
    let gates = std::sync::Mutex::new(Some((started, may_go_on)));
    let sink = SqliteSink::open(&path).await.unwrap().with_effects(move |_, _| {
        if let Some((started, may_go_on)) = gates.lock().unwrap().take() {
            started.send(()).unwrap();
            may_go_on.recv().unwrap();
        }
        Ok(())
    });
    let mut commit = Box::pin(sink.commit(Revision(0), play().batch(0..5)));
    tokio::select! {
        _ = &mut commit => panic!("the commit went on without leave"),
        started = has_started => started.unwrap(),
    }
    drop(commit);
    // Asked for while the commit is still under way: the answer waits for it.
    let scope = play().scope();
    let mut load = Box::pin(sink.load(&scope));
    assert!(futures_are_pending(&mut load), "the load went ahead of the commit");
    go_on.send(()).unwrap();
    let stored = load.await.unwrap().unwrap();
    assert_eq!((stored.revision, stored.checkpoint.next_seq), (Revision(1), EventSeq(5)));
    assert_eq!(sink.commit(Revision(1), play().batch(5..6)).await.unwrap(), Revision(2));
}

fn futures_are_pending<F: Future + Unpin>(future: &mut F) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context).is_pending()
}

#[tokio::test]
async fn two_sinks_on_one_database_do_not_both_commit() {
    let (_folder, path) = place();
    let (one, two) = (counting(&path, None).await, counting(&path, None).await);
    one.commit(Revision(0), play().batch(0..5)).await.unwrap();
    let error = two.commit(Revision(0), play().batch(0..4)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Conflict, Retry::Never));
    two.commit(Revision(1), play().batch(5..6)).await.unwrap();
    assert_eq!(count(&path, "SELECT count(*) FROM effects"), 6);
}

#[tokio::test]
async fn another_network_shard_or_genesis_is_refused_and_every_byte_stays() {
    let (_folder, path) = place();
    let sink = counting(&path, None).await;
    sink.commit(Revision(0), play().batch(0..25)).await.unwrap();
    drop(sink);
    let before = fs::read(&path).unwrap();

    let own = play().scope();
    let mut others = [own.clone(), own.clone(), own.clone()];
    others[0].network.genesis = BlockHash([0xee; 32]);
    others[1].network.name = "main".to_owned();
    others[2].shard = None;
    for scope in others {
        let sink = counting(&path, None).await;
        assert_eq!(sink.load(&scope).await.unwrap_err().kind(), ErrorKind::ScopeMismatch);
        let mut batch = play().batch(25..26);
        batch.checkpoint.scope = scope;
        assert_eq!(sink.commit(Revision(1), batch).await.unwrap_err().kind(), ErrorKind::ScopeMismatch);
        drop(sink);
        assert!(fs::read(&path).unwrap() == before, "the database changed");
    }
}

#[tokio::test]
async fn a_database_of_another_program_or_version_is_refused_and_every_byte_stays() {
    let (_folder, path) = place();
    let statements = [
        ("CREATE TABLE other (x)", false),
        ("PRAGMA user_version = 3", false),
        ("PRAGMA application_id = 77", false),
        ("PRAGMA application_id = 1315923031; PRAGMA user_version = 2; CREATE TABLE later (x)", true),
        ("PRAGMA application_id = 1315923031", false),
    ];
    for (sql, is_newer) in statements {
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&path).unwrap();
        let error = SqliteSink::open(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
        assert!(error.to_string().contains("store.db"), "{error}");
        match cause(&error) {
            SqliteError::NewerSchema { found: 2, supported: 1 } => assert!(is_newer),
            SqliteError::NotAStore { .. } => assert!(!is_newer, "{error}"),
            other => panic!("{other}"),
        }
        assert!(fs::read(&path).unwrap() == before, "{sql}: the database changed");
        fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_is_damaged_or_no_database_is_refused_by_name() {
    let (_folder, path) = place();
    fs::write(&path, vec![b'x'; 5_000]).unwrap();
    let error = SqliteSink::open(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
    assert!(error.to_string().contains("store.db"), "{error}");
    fs::remove_file(&path).unwrap();

    let sink = SqliteSink::open(&path).await.unwrap();
    sink.commit(Revision(0), play().batch(0..200)).await.unwrap();
    drop(sink);
    let whole = fs::read(&path).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..random.usize(1..200) {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        bytes.truncate(random.usize(1..=bytes.len()));
        fs::write(&path, &bytes).unwrap();
        // Whatever the answer is, it is an answer.
        if let Ok(sink) = SqliteSink::open(&path).await {
            drop(sink.load(&play().scope()).await);
            drop(sink.records(EventSeq(0), MAX_PAGE).await);
            drop(sink.observations(StateFilter::Any, None, MAX_PAGE).await);
        }
    }
}

#[tokio::test]
async fn tampered_rows_are_invalid_data_by_the_name_of_the_file() {
    let changes = [
        "UPDATE nw_checkpoint SET json = '{}'",
        "UPDATE nw_meta SET next_seq = 19",
        "DELETE FROM nw_events WHERE seq = 19",
        "UPDATE nw_meta SET revision = -1",
        "DELETE FROM nw_checkpoint",
    ];
    for sql in changes {
        let (_folder, path) = place();
        let sink = SqliteSink::open(&path).await.unwrap();
        sink.commit(Revision(0), play().batch(0..20)).await.unwrap();
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let error = sink.load(&play().scope()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{sql}: {error}");
        assert!(error.to_string().contains("store.db"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn the_database_says_what_it_is_and_survives_a_loss_of_power() {
    let (_folder, path) = place();
    let seen = Arc::new(std::sync::Mutex::new(None));
    let settings = Arc::clone(&seen);
    let sink = SqliteSink::open(&path).await.unwrap().with_effects(move |transaction, _| {
        let text = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
        *settings.lock().unwrap() = Some((text("journal_mode")?, text("synchronous")?, text("busy_timeout")?));
        Ok(())
    });
    sink.commit(Revision(0), play().batch(0..1)).await.unwrap();
    // WAL, FULL (2), five seconds.
    assert_eq!(seen.lock().unwrap().take(), Some(("wal".to_owned().into(), 2.into(), 5_000.into())));
    assert_eq!(count(&path, "PRAGMA application_id"), i64::from(u32::from_be_bytes(*b"NodW")));
    assert_eq!(count(&path, "PRAGMA user_version"), 1);
}

#[tokio::test]
async fn a_number_beyond_sqlites_integers_is_refused_and_nothing_is_stored() {
    let (_folder, path) = place();
    let sink = SqliteSink::open(&path).await.unwrap();
    let far = Play::new(EventSeq(1 << 63)).without_reports();
    let error = sink.commit(Revision(0), far.batch(1 << 63..(1 << 63) + 2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert_eq!(sink.load(&play().scope()).await.unwrap(), None);
    assert_eq!(sink.records(EventSeq(u64::MAX), 9).await.unwrap(), []);
}
