//! Interruptions: whatever happens, the next run ends with the same folder.

use std::fs;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use nodewright_cardano::snapshot::{RestoreError, RestoreEvent};

use tokio::sync::Notify;

use crate::server::Fault;
use crate::world::{World, expected, options, restorer, tree};

/// Stops, as a crash would, at the event of this number.
fn crash_at(number: usize) -> impl Fn(&RestoreEvent) -> ControlFlow<()> + Send + Sync + 'static {
    let left = AtomicUsize::new(number);
    move |_: &RestoreEvent| match left.load(Ordering::Relaxed) {
        0 => ControlFlow::Break(()),
        more => {
            left.store(more - 1, Ordering::Relaxed);
            ControlFlow::Continue(())
        }
    }
}

#[tokio::test]
async fn a_crash_at_any_step_is_made_good_by_the_next_run() {
    let world = World::new().await;
    let mut crashes = 0;
    loop {
        let folder = crate::world::folder();
        let plan = world.plan_with_ledger();
        let crashed = restorer().with_listener(crash_at(crashes)).run(&plan, folder.path()).await;
        if crashed.is_ok() {
            break;
        }
        assert_eq!(crashed, Err(RestoreError::Stopped), "{crashes}");
        // A node does not start on a folder without the magic.
        if folder.path().join("protocolMagicId").exists() {
            let mut left = tree(folder.path());
            left.retain(|name, _| !name.starts_with(".restore"));
            assert_eq!(left, expected(true), "{crashes}");
        }
        restorer().run(&plan, folder.path()).await.unwrap();
        assert_eq!(tree(folder.path()), expected(true), "{crashes}");
        crashes += 1;
    }
    assert!(crashes > 50, "{crashes}");
}

#[tokio::test]
async fn a_run_that_crashes_over_and_over_gets_there() {
    let world = World::new().await;
    let folder = crate::world::folder();
    let mut runs = 0;
    while restorer().with_listener(crash_at(17)).run(&world.plan_with_ledger(), folder.path()).await.is_err() {
        runs += 1;
        assert!(runs < 50);
    }
    assert!(runs > 2);
    assert_eq!(tree(folder.path()), expected(true));
}

#[tokio::test]
async fn a_future_dropped_at_any_await_is_made_good_by_the_next_run() {
    let world = World::new().await;
    let mut polls = 1;
    loop {
        let folder = crate::world::folder();
        let plan = world.plan_with_ledger();
        let restorer = restorer().with_options(options(2));
        let dropped = {
            let mut run = pin!(restorer.run(&plan, folder.path()));
            let mut left = polls;
            std::future::poll_fn(|context| {
                if left == 0 {
                    return Poll::Ready(None);
                }
                left -= 1;
                run.as_mut().poll(context).map(Some)
            })
            .await
        };
        let again = restorer.run(&plan, folder.path()).await;
        // If the first run returned, the second one finds a database.
        assert!(again.is_ok() || matches!((&dropped, &again), (Some(Ok(_)), Err(RestoreError::NotEmpty { .. }))));
        assert_eq!(tree(folder.path()), expected(true), "{polls}");
        if dropped.is_some() {
            break;
        }
        polls += 1;
    }
    assert!(polls > 6, "{polls}");
}

#[tokio::test]
async fn a_future_dropped_while_its_threads_work_is_made_good_by_the_next_run() {
    let world = World::new().await;
    let mut events = 0;
    loop {
        let folder = crate::world::folder();
        let plan = world.plan_with_ledger();
        let (reached, drop_now) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(events)));
        let tell = Arc::clone(&reached);
        // The listener lets the work go on: its thread writes while the future is dropped.
        let listener = move |_: &RestoreEvent| {
            if drop_now.fetch_sub(1, Ordering::Relaxed) == 0 {
                tell.notify_one();
            }
            ControlFlow::Continue(())
        };
        let restorer = restorer().with_options(options(3)).with_listener(listener);
        let ended = tokio::select! {
            biased;
            () = reached.notified() => None,
            ended = restorer.run(&plan, folder.path()) => Some(ended),
        };
        let again = restorer.run(&plan, folder.path()).await;
        assert!(again.is_ok() || matches!((&ended, &again), (Some(Ok(_)), Err(RestoreError::NotEmpty { .. }))));
        assert_eq!(tree(folder.path()), expected(true), "{events}");
        if ended.is_some() {
            break;
        }
        events += 1;
    }
    assert!(events > 40, "{events}");
}

#[tokio::test]
async fn what_is_there_is_not_fetched_again_and_what_was_spoiled_is() {
    let world = World::new().await;
    let folder = crate::world::folder();
    world.server.script("/immutable/00003.tar.zst", [Fault::Status(404)]);
    restorer().run(&world.plan_with_ledger(), folder.path()).await.unwrap_err();
    let kept = folder.path().join(".restore/db/immutable");
    fs::write(kept.join("00001.primary"), "spoiled").unwrap();
    fs::write(folder.path().join(".restore/ancillary/ledger/4492799/state"), "spoiled").unwrap();
    world.server.forget_requests();
    restorer().run(&world.plan_with_ledger(), folder.path()).await.unwrap();
    let fetched = |path: &str| world.server.requests_of(path).len();
    assert_eq!(fetched("/digests.tar.zst"), 0);
    assert_eq!([0, 1, 2, 3].map(|number| fetched(&format!("/immutable/{number:05}.tar.zst"))), [0, 1, 0, 1]);
    assert_eq!(fetched("/ancillary.tar.zst"), 1);
    assert_eq!(tree(folder.path()), expected(true));
}

#[tokio::test]
async fn an_unfinished_restore_of_something_else_is_refused() {
    let world = World::new().await;
    let folder = crate::world::folder();
    let crashed = restorer().with_listener(crash_at(12)).run(&world.plan(), folder.path()).await;
    assert_eq!(crashed, Err(RestoreError::Stopped));
    let other = restorer().run(&world.plan_with_ledger(), folder.path()).await;
    assert!(matches!(other, Err(RestoreError::OtherRestore { .. })));
    restorer().run(&world.plan(), folder.path()).await.unwrap();
}

#[tokio::test]
async fn two_restores_in_one_folder_do_not_meet() {
    let world = Arc::new(World::new().await);
    let folder = crate::world::folder();
    let (plan, restorer) = (world.plan(), restorer());
    let (first, second) = tokio::join!(restorer.run(&plan, folder.path()), restorer.run(&plan, folder.path()));
    // The second waits, and then finds a database.
    let refused = Err(RestoreError::NotEmpty { path: folder.path().to_owned() });
    assert!((first.is_ok() && second == refused) || (second.is_ok() && first == refused), "{first:?} {second:?}");
    assert_eq!(tree(folder.path()), expected(false));
}
