//! What the driver does with an honest source, a wrong one, a slow sink, and its options.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nodewright_core::{
    BlockHeight, Certified, ChainAdapter, ErrorKind, Fallback, ObservationSource, Reported, ScanEvent, ScanLimits,
    ScanSink, WakeSource, WatchSet,
};
use nodewright_ops::scan::{ResumeTrust, ScanDriver, ScanError, ScanOptions, StartAt, Stop};
use nodewright_stores::MemorySink;
use nodewright_testkit::sim::{SimDriver, SimSink};
use support::sinks::Slow;
use support::sources::{Ahead, Hint, Refusing, Shuffling, Untouchable, Vanishing};
use support::{Told, adapter, applied, best, depth, genesis, options, records, scope, small, source, watch};

#[tokio::test(start_paused = true)]
async fn events_are_those_of_the_reference_driver_and_reports_those_of_the_source() {
    for (seed, batch) in [(1, 1), (2, 7), (3, 2_000)] {
        let source = source(seed, 120);
        let kept = MemorySink::new();
        let sink = Arc::new(kept.clone());
        let mut driver = ScanDriver::new(adapter(&source, depth(6)), sink, small(options(&source, batch)));

        let reference = SimSink::new(scope(&source), genesis(&source));
        let limits = options(&source, batch).limits;
        let mut oracle =
            SimDriver::resume(depth(6), limits, &scope(&source), genesis(&source), &reference, None).await.unwrap();
        for depth in [0, 2, 5] {
            source.chain().reorg(depth, depth + 3);
            assert_eq!(driver.run_to_idle().await.unwrap(), Stop::Idle);
            oracle.core_mut().wake();
            assert!(oracle.settle(&source, None, &reference, 1_000).await.unwrap());
        }
        let ours: Vec<ScanEvent> = records(&kept).into_iter().map(|record| record.event).collect();
        assert_eq!(ours, reference.events(), "seed {seed}");

        for record in records(&kept) {
            let ScanEvent::Apply(header) = record.event else {
                assert_eq!(record.report, None);
                continue;
            };
            let mut report = record.report.unwrap();
            report.spends.clear();
            assert_eq!(vec![report], source.observe(&[header.point], &watch(&source)).await.unwrap());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_of_another_network_is_refused_before_the_sink_is_touched() {
    let (ours, theirs) = (source(1, 5), source(2, 5));
    let mut wrong = adapter(&theirs, depth(3));
    wrong.scope = scope(&ours);
    let sink = Arc::new(Untouchable);
    let error = ScanDriver::new(wrong, sink, options(&ours, 10)).run_to_idle().await.unwrap_err();
    assert!(matches!(error, ScanError::Halted(_)));
    assert_eq!(error.error().kind(), ErrorKind::ScopeMismatch);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_of_another_network_is_refused_and_stays_as_it_was() {
    let (ours, theirs) = (source(1, 5), source(2, 5));
    let kept = MemorySink::new();
    ScanDriver::new(adapter(&ours, depth(3)), Arc::new(kept.clone()), options(&ours, 10)).run_to_idle().await.unwrap();
    let before = kept.stored();
    let mut driver = ScanDriver::new(adapter(&theirs, depth(3)), Arc::new(kept.clone()), options(&theirs, 10));
    let error = driver.run_to_idle().await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::ScopeMismatch);
    assert_eq!(kept.stored(), before);
}

#[tokio::test(start_paused = true)]
async fn a_scan_starts_where_it_is_told_to() {
    let source = source(4, 30);
    let run = async |start: StartAt| {
        let kept = MemorySink::new();
        let options = ScanOptions { start, ..options(&source, 10) };
        let end = ScanDriver::new(adapter(&source, depth(3)), Arc::new(kept.clone()), options).run_to_idle().await;
        end.map(|_| applied(&records(&kept)).first().map(|point| point.id.height.0))
    };
    let ten = best(&source)[9];
    assert_eq!(run(StartAt::Anchor(ten)).await.unwrap(), Some(11));
    assert_eq!(run(StartAt::Height(BlockHeight(11))).await.unwrap(), Some(11));
    assert_eq!(run(StartAt::Height(BlockHeight(0))).await.unwrap(), Some(1));
    assert_eq!(run(StartAt::Head).await.unwrap(), Some(25));
    assert_eq!(run(StartAt::Height(BlockHeight(31))).await.unwrap(), None);
    let beyond = run(StartAt::Height(BlockHeight(32))).await.unwrap_err();
    assert_eq!(beyond.error().kind(), ErrorKind::OutOfRange);
    source.chain().report_final(Some(ten.id));
    assert_eq!(run(StartAt::Head).await.unwrap(), Some(11));
}

#[tokio::test(start_paused = true)]
async fn a_scan_from_the_head_stores_its_anchor_before_it_finds_anything() {
    let source = source(4, 30);
    let kept = MemorySink::new();
    let options = ScanOptions { start: StartAt::Head, ..options(&source, 10) };
    let head = source.chain().head();
    source.chain().report_final(Some(head));
    let mut driver = ScanDriver::new(adapter(&source, Reported), Arc::new(kept.clone()), options.clone());
    driver.run_to_idle().await.unwrap();
    assert_eq!(kept.stored().unwrap().checkpoint.finalized, best(&source)[29]);
    let head = source.chain().grow(5);
    source.chain().report_final(Some(head));
    let mut later = ScanDriver::new(adapter(&source, Reported), Arc::new(kept.clone()), options);
    later.run_to_idle().await.unwrap();
    assert_eq!(applied(&records(&kept)), best(&source)[30..]);
}

#[tokio::test(start_paused = true)]
async fn resuming_with_verification_needs_a_certificate_that_holds_or_the_anchor_that_the_options_name() {
    let policy = Certified::try_new(Fallback::Never).unwrap();
    let source = source(5, 20);
    let kept = MemorySink::new();
    let run = async |start: StartAt| {
        let options = ScanOptions { start, resume: ResumeTrust::Verify, ..options(&source, 10) };
        ScanDriver::new(adapter(&source, policy), Arc::new(kept.clone()), options).run_to_idle().await
    };
    let start = StartAt::Anchor(genesis(&source));
    run(start).await.unwrap();
    // Nothing is certified yet: the stored finality is the anchor.
    run(start).await.unwrap();
    let error = run(StartAt::Anchor(best(&source)[0])).await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::Unverified);
    let locked = source.chain().below_head(3);
    source.chain().lock(locked);
    run(start).await.unwrap();
    assert_eq!(kept.stored().unwrap().checkpoint.finalized.id, locked);
    run(StartAt::Anchor(best(&source)[0])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn certificates_that_wait_for_their_block_are_stored_although_no_event_comes() {
    let policy = Certified::try_new(Fallback::Never).unwrap();
    let source = source(6, 10);
    let kept = MemorySink::new();
    let options = options(&source, 10);
    let mut driver = ScanDriver::new(adapter(&source, policy), Arc::new(kept.clone()), options.clone());
    driver.run_to_idle().await.unwrap();
    let revision = kept.stored().unwrap().revision;
    // The certificate comes before its block.
    let tip = source.chain().head();
    let ahead = source.chain().fork(tip, 2);
    source.chain().lock(ahead);
    driver.run_to_idle().await.unwrap();
    let stored = kept.stored().unwrap();
    assert_eq!(stored.revision, revision.next());
    assert_eq!(stored.checkpoint.pending.len(), 1);
    // The node forgets it, the scan restarts, and the block comes.
    source.forget_locks();
    source.chain().select(ahead);
    let mut again = ScanDriver::new(adapter(&source, policy), Arc::new(kept.clone()), options);
    again.run_to_idle().await.unwrap();
    assert_eq!(kept.stored().unwrap().checkpoint.finalized.id, ahead);
}

#[tokio::test(start_paused = true)]
async fn until_ends_the_run_when_the_height_is_final() {
    let source = source(7, 100);
    let kept = MemorySink::new();
    let options = ScanOptions { until: Some(BlockHeight(40)), ..small(options(&source, 10)) };
    let mut driver = ScanDriver::new(adapter(&source, depth(6)), Arc::new(kept.clone()), options);
    assert_eq!(driver.run().await.unwrap(), Stop::Reached);
    let stored = kept.stored().unwrap().checkpoint;
    assert!((40..60).contains(&stored.finalized.id.height.0), "{:?}", stored.finalized);
    assert_eq!(driver.run().await.unwrap(), Stop::Reached);
    assert_eq!(kept.stored().unwrap().checkpoint, stored);
}

#[tokio::test(start_paused = true)]
async fn shutdown_awaits_the_commit_under_way_and_the_next_run_goes_on() {
    let source = source(8, 60);
    let kept = MemorySink::new();
    let sink = Arc::new(Slow { inner: Arc::new(kept.clone()), pause: Duration::from_secs(10) });
    let mut driver = ScanDriver::new(adapter(&source, depth(6)), sink, small(options(&source, 10)));
    let begun = tokio::time::Instant::now();
    let stop = driver.run_until(tokio::time::sleep(Duration::from_secs(15))).await.unwrap();
    assert_eq!(stop, Stop::Shutdown);
    assert_eq!(begun.elapsed().as_secs(), 20);
    let first = records(&kept).len();
    assert!(first > 0);
    assert_eq!(driver.run_to_idle().await.unwrap(), Stop::Idle);
    assert_eq!(applied(&records(&kept)), best(&source));
}

#[tokio::test(start_paused = true)]
async fn a_slow_sink_holds_fetching_back_to_the_stated_bound() {
    let source = source(9, 3_000);
    let kept = MemorySink::new();
    let sink = Arc::new(Slow { inner: Arc::new(kept.clone()), pause: Duration::from_secs(1) });
    let seen = Arc::new(Ahead { inner: source.clone(), kept: kept.clone(), headers: 0.into(), blocks: 0.into() });
    let mut chain = adapter(&source, depth(6));
    chain.headers = seen.clone();
    chain.observations = Some(seen.clone());
    let limits = ScanLimits { events: 100, ..options(&source, 40).limits };
    let options = ScanOptions { limits, ..small(options(&source, 40)) };
    ScanDriver::new(chain, sink, options).run_to_idle().await.unwrap();
    assert_eq!(applied(&records(&kept)), best(&source));
    let (headers, blocks) = (seen.headers.load(Ordering::SeqCst), seen.blocks.load(Ordering::SeqCst));
    assert!((40..=140).contains(&headers), "{headers} headers were fetched ahead of the sink");
    assert!((3..=100).contains(&blocks), "{blocks} blocks were observed ahead of the sink");
}

#[tokio::test(start_paused = true)]
async fn catching_up_commits_large_batches_and_the_head_commits_at_once() {
    let source = source(10, 5_000);
    let kept = MemorySink::new();
    let mut driver = ScanDriver::new(adapter(&source, depth(6)), Arc::new(kept.clone()), options(&source, 2_000));
    driver.run_to_idle().await.unwrap();
    let commits = kept.stored().unwrap().revision.0;
    assert!((3..=12).contains(&commits), "{commits} commits for 5,000 blocks");
    source.chain().grow(1);
    driver.run_to_idle().await.unwrap();
    assert!(kept.stored().unwrap().revision.0 <= commits + 2);
    assert_eq!(applied(&records(&kept)).len(), 5_001);
}

#[tokio::test(start_paused = true)]
async fn a_block_that_is_gone_before_it_was_observed_sends_the_scan_back_to_its_last_commit() {
    let source = source(11, 20);
    let kept = MemorySink::new();
    let mut chain = adapter(&source, depth(9));
    let gone = Arc::new(Vanishing { inner: source.clone(), calls: 0.into(), gone: Mutex::default(), forever: false });
    chain.observations = Some(gone.clone());
    let mut driver = ScanDriver::new(chain, Arc::new(kept.clone()), small(options(&source, 2_000)));
    driver.run_to_idle().await.unwrap();
    assert!(gone.gone.lock().unwrap().len() > 1, "the branch vanished under the driver");
    assert_eq!(applied(&records(&kept)), best(&source));
    let told: Vec<_> = records(&kept).iter().filter_map(|record| record.report.as_ref().map(|it| it.point)).collect();
    assert!(told.iter().all(|point| !gone.gone.lock().unwrap().contains(point)));
}

#[tokio::test(start_paused = true)]
async fn a_block_that_stays_gone_escalates_after_a_bounded_number_of_tries() {
    let source = source(11, 20);
    let kept = MemorySink::new();
    let mut chain = adapter(&source, depth(9));
    let gone = Arc::new(Vanishing { inner: source.clone(), calls: 0.into(), gone: Mutex::default(), forever: true });
    chain.observations = Some(gone.clone());
    let told = Arc::new(Told::default());
    let options = ScanOptions { listener: Some(told.clone()), ..small(options(&source, 2_000)) };
    let error = ScanDriver::new(chain, Arc::new(kept.clone()), options).run_to_idle().await.unwrap_err();
    assert!(matches!(error, ScanError::Escalated(_)), "{error:?}");
    assert_eq!(error.error().kind(), ErrorKind::NotFound);
    assert_eq!(told.lines("failed observe NotFound").len(), 11);
    assert!(gone.calls.load(Ordering::SeqCst) < 40);
}

#[tokio::test(start_paused = true)]
async fn failures_are_waited_out_told_once_a_try_and_their_end_is_told_too() {
    let source = source(12, 20);
    let told = Arc::new(Told::default());
    let kept = MemorySink::new();
    let options = ScanOptions { listener: Some(told.clone()), ..options(&source, 2_000) };
    let mut driver = ScanDriver::new(adapter(&source, depth(3)), Arc::new(kept.clone()), options);
    source.adjust(|behaviour| behaviour.fail_next = 3);
    driver.run_to_idle().await.unwrap();
    source.chain().grow(1);
    source.adjust(|behaviour| behaviour.fail_next = 2);
    driver.run_to_idle().await.unwrap();
    assert_eq!(applied(&records(&kept)), best(&source));
    assert_eq!(told.lines("failed open").len(), 3);
    assert_eq!(told.lines("failed headers").len(), 2);
    assert_eq!(told.lines("opened"), ["opened 0"]);
    assert_eq!(told.lines("recovered"), ["recovered open", "recovered headers"]);
    let committed = told.lines("committed");
    assert_eq!(committed.len(), records(&kept).len());
    assert_eq!(committed.first().map(String::as_str), Some("committed 0"));
    assert!(told.lines("progress").last().unwrap().ends_with("21"));
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_halt_at_once_and_leave_the_sink_empty() {
    let source = source(12, 20);
    let kept = MemorySink::new();
    let mut chain = adapter(&source, depth(3));
    chain.headers = Arc::new(Refusing);
    let error = ScanDriver::new(chain, Arc::new(kept.clone()), options(&source, 10)).run().await.unwrap_err();
    assert!(matches!(error, ScanError::Halted(_)));
    assert_eq!(error.to_string(), "scope: credentials refused");
    assert_eq!(kept.stored(), None);
}

#[tokio::test(start_paused = true)]
async fn a_contradiction_of_finality_halts_after_what_came_before_it_is_stored() {
    let source = source(13, 10);
    let kept = MemorySink::new();
    let policy = Certified::try_new(Fallback::Never).unwrap();
    let locked = source.chain().below_head(2);
    source.chain().lock(locked);
    let mut driver = ScanDriver::new(adapter(&source, policy), Arc::new(kept.clone()), options(&source, 10));
    driver.run_to_idle().await.unwrap();
    let from = source.chain().below_head(4);
    let rival = source.chain().fork(from, 2);
    source.chain().grow(1);
    source.chain().lock(rival);
    let error = driver.run().await.unwrap_err();
    assert!(matches!(error, ScanError::Halted(_)));
    assert_eq!(error.error().kind(), ErrorKind::FinalityViolated);
    assert_eq!(applied(&records(&kept)), best(&source));
    let again = driver.run().await.unwrap_err();
    assert_eq!(again.error().kind(), ErrorKind::FinalityViolated);
}

#[tokio::test(start_paused = true)]
async fn hints_and_polling_give_the_same_records() {
    let run = async |poll: u64, hints: bool| {
        let source = source(14, 10);
        let kept = MemorySink::new();
        let mut chain = adapter(&source, depth(3));
        let hint = Arc::new(Hint::default());
        chain.wake = hints.then(|| hint.clone() as Arc<dyn WakeSource>);
        let limits = ScanLimits { poll: Duration::from_secs(poll), ..options(&source, 50).limits };
        let options = ScanOptions { limits, ..options(&source, 50) };
        let mut driver = ScanDriver::new(chain, Arc::new(kept.clone()), options);
        let play = async {
            for step in 0..12 {
                tokio::time::sleep(Duration::from_secs(10)).await;
                source.chain().reorg(step % 3, step % 3 + 2);
                hint.0.notify_one();
                if step == 5 {
                    hint.0.notify_one();
                }
            }
            tokio::time::sleep(Duration::from_secs(9)).await;
        };
        assert_eq!(driver.run_until(play).await.unwrap(), Stop::Shutdown);
        (support::text(&records(&kept)), source.calls())
    };
    let (polled, many) = run(1, false).await;
    let (hinted, few) = run(3_600, true).await;
    assert_eq!(polled, hinted);
    assert!(few * 2 < many, "{few} calls with hints, {many} without");
}

#[tokio::test(start_paused = true)]
async fn a_rescan_reports_the_range_and_leaves_the_checkpoint_alone() {
    let source = source(15, 50);
    let kept = MemorySink::new();
    let mut driver = ScanDriver::new(adapter(&source, depth(3)), Arc::new(kept.clone()), small(options(&source, 7)));
    driver.run_to_idle().await.unwrap();
    let before = kept.stored();
    let mut found = Vec::new();
    let rescanned = driver.rescan(BlockHeight(10)..=BlockHeight(31), |report| found.push(report)).await.unwrap();
    assert_eq!((rescanned, found.len()), (22, 22));
    let expected: Vec<_> = records(&kept).into_iter().filter_map(|record| record.report).skip(9).take(22).collect();
    assert_eq!(found, expected);
    assert_eq!(kept.stored(), before);

    let mut points = Vec::new();
    let count = driver.rescan(BlockHeight(0)..=BlockHeight(999), |report| points.push(report.point)).await.unwrap();
    assert_eq!((count, points), (50, best(&source)));
    assert_eq!(driver.rescan(BlockHeight(9)..=BlockHeight(8), |_| ()).await.unwrap(), 0);
    let beyond = driver.rescan(BlockHeight(60)..=BlockHeight(70), |_| ()).await.unwrap_err();
    assert_eq!(beyond.error().kind(), ErrorKind::OutOfRange);
}

#[tokio::test(start_paused = true)]
async fn a_rescan_waits_failures_out_and_hands_out_nothing_twice() {
    let source = source(15, 60);
    source.adjust(|behaviour| behaviour.fail_percent = 40);
    let driver = ScanDriver::new(adapter(&source, depth(3)), Arc::new(Untouchable), small(options(&source, 7)));
    let mut points = Vec::new();
    let count = driver.rescan(BlockHeight(1)..=BlockHeight(60), |report| points.push(report.point)).await.unwrap();
    assert_eq!((count, points), (60, best(&source)));
}

#[tokio::test(start_paused = true)]
async fn without_a_watched_item_headers_alone_are_followed() {
    let source = source(16, 30);
    let kept = MemorySink::new();
    let mut chain = adapter(&source, depth(3));
    chain.observations = None;
    let options = ScanOptions { watch: WatchSet::default(), ..options(&source, 10) };
    ScanDriver::new(chain, Arc::new(kept.clone()), options).run_to_idle().await.unwrap();
    assert_eq!(applied(&records(&kept)), best(&source));
    assert!(records(&kept).iter().all(|record| record.report.is_none()));
}

#[tokio::test(start_paused = true)]
async fn what_the_adapter_lacks_is_found_before_the_sink_is_read() {
    let source = source(16, 3);
    let sink = || Arc::new(Untouchable) as Arc<dyn ScanSink>;
    let policy = Certified::try_new(Fallback::Never).unwrap();
    let blind = ChainAdapter { evidence: None, ..adapter(&source, policy) };
    let error = ScanDriver::new(blind, sink(), options(&source, 10)).run().await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::Config);
    let mute = ChainAdapter { observations: None, ..adapter(&source, depth(3)) };
    let error = ScanDriver::new(mute, sink(), options(&source, 10)).run().await.unwrap_err();
    assert_eq!(error.error().kind(), ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn reports_of_other_blocks_than_were_asked_for_halt_the_scan() {
    let source = source(17, 10);
    let kept = MemorySink::new();
    let mut chain = adapter(&source, depth(3));
    chain.observations = Some(Arc::new(Shuffling(source.clone())));
    let error = ScanDriver::new(chain, Arc::new(kept.clone()), options(&source, 10)).run().await.unwrap_err();
    assert!(matches!(error, ScanError::Halted(_)));
    assert_eq!(error.error().kind(), ErrorKind::Inconsistent);
    assert_eq!(error.error().op(), "observe");
    assert_eq!(kept.stored(), None);
}
