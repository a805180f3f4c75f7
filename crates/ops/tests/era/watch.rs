//! The watch under a paused clock: hooks, failing readings, failing stores, restarts.

use std::sync::Arc;
use std::time::Duration;

use nodewright_core::EraSchedule;
use nodewright_ops::era::{EraBook, HookLead};

use crate::fixture::*;

fn plan(edge: u64) -> EraSchedule {
    by_epoch(&[("thales", Some(1)), ("pythagoras", Some(edge))])
}

fn preparing(journal: &Arc<Journal>, takes: Duration) -> Arc<Preparing> {
    Arc::new(Preparing { journal: journal.clone(), takes, fails: false })
}

fn book() -> EraBook {
    crate::fixture::book(&["thales", "pythagoras"]).with_hook(HookLead::default())
}

#[tokio::test(start_paused = true)]
async fn a_hook_is_called_once_for_an_edge_and_once_more_after_the_edge_moved() {
    let chain = Chain::new(vec![(0, plan(6))]);
    let journal = Journal::new(&chain);
    let mut watch = watch(&chain, &journal, book()).with_hook(preparing(&journal, Duration::from_secs(60)));
    run(&mut watch, 4).await;
    assert_eq!(journal.count("hook for pythagoras (epoch 6)"), 1);
    // The head has reached epoch 6, and epoch 5 is final: the edge may still move, and come back to where it was.
    chain.plan(6, plan(9));
    run(&mut watch, 3).await;
    assert_eq!(journal.count("hook for pythagoras (epoch 9)"), 1, "{:#?}", journal.lines());
    chain.plan(9, plan(10));
    run(&mut watch, 1).await;
    chain.plan(9, plan(12));
    run(&mut watch, 4).await;
    assert_eq!(journal.count("hook for"), 4, "{:#?}", journal.lines());
    assert_eq!(journal.count("are complete"), 4);
    assert_eq!(journal.count("not complete"), 0);
    assert_eq!(journal.count("holds now"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_is_too_slow_or_an_edge_found_too_late_is_told_once() {
    let chain = Chain::new(vec![(0, plan(4))]);
    let journal = Journal::new(&chain);
    let mut slow = watch(&chain, &journal, book()).with_hook(preparing(&journal, 3 * EPOCH / 2));
    run(&mut slow, 4).await;
    let late = "the head has reached the edge of era pythagoras (epoch 4) and preparations for it are not complete";
    assert_eq!(journal.count(late), 1, "{:#?}", journal.lines());
    assert_eq!(journal.count("are complete"), 1, "it goes on, and completes late");

    let chain = Chain::new(vec![(0, plan(2))]);
    let journal = Journal::new(&chain);
    let mut missed = watch(&chain, &journal, book()).with_hook(preparing(&journal, Duration::ZERO));
    missed.read().await;
    missed.read().await;
    assert_eq!((journal.count("hook for"), journal.count("preparations for it are not complete")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_is_told_and_not_repeated() {
    let chain = Chain::new(vec![(0, plan(4))]);
    let journal = Journal::new(&chain);
    let hook = Preparing { journal: journal.clone(), takes: Duration::ZERO, fails: true };
    let mut watch = watch(&chain, &journal, book()).with_hook(Arc::new(hook));
    run(&mut watch, 4).await;
    let failed = "preparations for era pythagoras (epoch 4) failed and are not repeated: prepare by hand (test: node unreachable)";
    assert_eq!((journal.count("hook for"), journal.count(failed)), (1, 1), "{:#?}", journal.lines());
}

#[tokio::test(start_paused = true)]
async fn a_hook_is_not_called_again_after_a_crash_in_its_middle() {
    let chain = Chain::new(vec![(0, plan(4))]);
    let journal = Journal::new(&chain);
    let shelf = Arc::new(Shelf::default());
    let hook = preparing(&journal, EPOCH / 2);
    let mut first = watch(&chain, &journal, book()).with_hook(hook.clone()).with_store(shelf.clone());
    // The future is dropped while the hook runs in epoch 3.
    tokio::time::timeout(5 * EPOCH / 4, first.run_until(std::future::pending())).await.unwrap_err();
    assert_eq!((journal.count("hook for"), journal.count("are complete")), (1, 0));
    let state = shelf.state.lock().unwrap().clone().unwrap();
    let resumed = EraBook::resume(&scope(), eras(&["thales", "pythagoras"]), state).unwrap();
    let mut second = watch(&chain, &journal, resumed.with_hook(HookLead::default())).with_hook(hook);
    run(&mut second, 4).await;
    assert_eq!((journal.count("hook for"), journal.count("are not complete")), (1, 1), "{:#?}", journal.lines());
}

#[tokio::test(start_paused = true)]
async fn a_hook_whose_call_cannot_be_stored_is_not_called_until_it_can() {
    let chain = Chain::new(vec![(0, plan(5))]);
    let journal = Journal::new(&chain);
    let shelf = Arc::new(Shelf::default());
    *shelf.broken.lock().unwrap() = true;
    let hook = preparing(&journal, Duration::ZERO);
    let mut watch = watch(&chain, &journal, book()).with_hook(hook).with_store(shelf.clone());
    watch.run_until(tokio::time::sleep(9 * EPOCH / 4)).await;
    assert_eq!(journal.count("hook for"), 0);
    let told = journal.count("cannot be stored");
    assert!((1..10).contains(&told), "told {told} times in 100 minutes");
    *shelf.broken.lock().unwrap() = false;
    watch.run_until(tokio::time::sleep(EPOCH / 2)).await;
    assert_eq!((journal.count("4: hook for"), journal.count("are complete")), (1, 1), "{:#?}", journal.lines());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_the_hook_that_runs() {
    let chain = Chain::new(vec![(0, plan(3))]);
    let journal = Journal::new(&chain);
    let mut watch = watch(&chain, &journal, book()).with_hook(preparing(&journal, EPOCH / 2));
    watch.run_until(tokio::time::sleep(EPOCH / 4)).await;
    assert_eq!((journal.count("hook for"), journal.count("are complete")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn readings_that_fail_or_hang_are_told_and_the_watch_goes_on() {
    let chain = Chain::new(vec![(0, plan(9))]);
    let journal = Journal::new(&chain);
    let mut watch = watch(&chain, &journal, book());
    watch.read().await;
    *chain.trouble.lock().unwrap() = Some(Trouble::Hang);
    watch.read().await;
    let hung = "eras cannot be read, 1 times in a row, last read 30 s ago: check the node (era reading: timed out, seconds: 30)";
    assert_eq!(journal.count(hung), 1, "{:#?}", journal.lines());
    *chain.trouble.lock().unwrap() = Some(Trouble::Error);
    run(&mut watch, 1).await;
    assert!(journal.count("cannot be read") <= 7, "{:#?}", journal.lines());
    *chain.trouble.lock().unwrap() = None;
    run(&mut watch, 1).await;
    assert_eq!(journal.count("eras can be read again after 61 failed attempts"), 1, "{:#?}", journal.lines());
}

#[tokio::test(start_paused = true)]
async fn a_hook_goes_on_while_a_reading_hangs() {
    let chain = Chain::new(vec![(0, plan(3))]);
    let journal = Journal::new(&chain);
    let mut watch = watch(&chain, &journal, book()).with_hook(preparing(&journal, Duration::from_secs(65)));
    watch.read().await;
    let trouble = async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        *chain.trouble.lock().unwrap() = Some(Trouble::Hang);
        tokio::time::sleep(Duration::from_secs(40)).await;
    };
    watch.run_until(trouble).await;
    // The reading that began after 60 seconds hangs until 90; the shutdown came at 70, and the hook was done at 65.
    assert_eq!((journal.count("are complete"), journal.count("only after")), (1, 0), "{:#?}", journal.lines());
    assert_eq!(journal.count("cannot be read"), 0);
}
