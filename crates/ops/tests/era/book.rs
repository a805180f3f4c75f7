//! The book alone: what a reading means, told once.

use std::time::Duration;

use nodewright_core::{
    Activation, BlockHeight, BlockTime, ChainPosition, EraDistance, EraMarker, EraPositions, EraSchedule,
};
use nodewright_ops::era::{EraBook, EraEvent, HookLead, Severity};

use crate::fixture::*;

/// Stands at `time` seconds; the first block alone is final.
fn at_time(time: u64) -> EraPositions {
    let at = |time| ChainPosition { time: Some(BlockTime(time)), ..ChainPosition::at(BlockHeight(time / 10)) };
    EraPositions { head: at(time), finalized: Some(at(0)) }
}

fn by_time() -> EraSchedule {
    let marker = |name, time| EraMarker::new(era(name), Activation::Time(BlockTime(time)));
    EraSchedule::try_new([marker("old", 0), marker("new", EDGE)]).unwrap()
}

const DAY: u64 = 86_400;
const EDGE: u64 = 100 * DAY;

#[test]
fn reminders_come_at_each_rung_once_though_the_book_is_asked_every_minute_and_the_head_goes_back() {
    let mut book = book(&["old"]);
    let schedule = by_time();
    let mut said = Vec::new();
    let mut severities = Vec::new();
    for minute in 0..=100 * 1_440 {
        let fork = if minute % 7 == 0 { 600 } else { 0 };
        let now = (minute * 60_u64).saturating_sub(fork);
        for event in book.observe(crate::fixture::minute(minute), &schedule, &at_time(now)) {
            if matches!(event, EraEvent::Entered { .. }) {
                continue;
            }
            severities.push(event.severity());
            said.push(match event {
                EraEvent::Scheduled { left, .. } => format!("scheduled {}", left.distance),
                EraEvent::ApproachingUnsupported { left, .. } => left.distance.to_string(),
                other => panic!("{other}"),
            });
        }
    }
    // Every seventh minute sees the head ten minutes back, so a rung may be seen a minute late.
    let rungs = [
        "scheduled 100 d 0 h",
        "29 d 23 h",
        "14 d 0 h",
        "7 d 0 h",
        "3 d 0 h",
        "1 d 0 h",
        "5 h 59 min",
        "1 h 0 min",
        "9 min 0 s",
        "0 s",
    ];
    assert_eq!(said, rungs);
    assert_eq!(severities[..7], [Severity::Warning; 7]);
    assert_eq!(severities[7..], [Severity::Critical; 3]);
}

#[test]
fn an_edge_that_moves_is_told_and_reminded_of_again() {
    let mut book = book(&["thales"]);
    let mut observe = |head, edge| {
        let schedule = by_epoch(&[("thales", Some(1)), ("pythagoras", edge)]);
        lines(&book.observe(minute(0), &schedule, &positions(head, 1)))
    };
    assert_eq!(observe(2, Some(7)).len(), 2);
    assert_eq!(observe(4, Some(7)).len(), 1, "3 epochs");
    assert_eq!(observe(5, Some(7)).len(), 1, "2 epochs");
    let moved = "era pythagoras moves from epoch 7 to epoch 10, in 5 epochs; this build does not support it: \
                 update before then";
    assert_eq!(observe(5, Some(10)), [moved]);
    assert_eq!(observe(6, Some(10)), [""; 0], "4 epochs are no rung");
    assert_eq!(observe(7, Some(10)).len(), 1, "3 epochs, again");
    assert_eq!(observe(7, None), ["era pythagoras has lost its date (epoch 10): wait for another"]);
    assert_eq!(observe(8, Some(10)).len(), 1, "it has a date again");
}

#[test]
fn every_edge_ahead_is_told_not_only_the_next() {
    let mut book = book(&["a", "b"]);
    let schedule = by_epoch(&[("a", Some(1)), ("b", Some(5)), ("c", Some(6))]);
    let said = lines(&book.observe(minute(0), &schedule, &positions(3, 2)));
    let c = "era c (epoch 6) begins in 3 epochs; this build does not support it: update before then";
    assert!(said.contains(&c.to_owned()), "{said:?}");
    let said = lines(&book.observe(minute(1), &schedule, &positions(4, 2)));
    assert_eq!(said, ["era c (epoch 6) begins in 2 epochs and is not supported by this build: update before it does"]);
}

#[test]
fn failing_readings_are_told_with_the_age_of_the_last_good_one_ever_more_rarely() {
    let mut book = book(&["thales"]);
    let first = book.fail(minute(0), unreachable()).unwrap().to_string();
    assert_eq!(first, "eras cannot be read, 1 times in a row, never read yet: check the node (test: node unreachable)");
    let schedule = by_epoch(&[("thales", Some(1))]);
    let said = lines(&book.observe(minute(1), &schedule, &positions(3, 2)));
    assert_eq!(said[0], "eras can be read again after 1 failed attempts: nothing to do");
    let mut said = Vec::new();
    for attempt in 1..=100 {
        if let Some(EraEvent::Unreadable { attempt, last, .. }) = book.fail(minute(1 + attempt), unreachable()) {
            said.push((attempt, last.unwrap().as_secs() / 60));
        }
    }
    assert_eq!(said, [1, 2, 4, 8, 16, 32, 64].map(|attempt| (attempt, u64::from(attempt))));
}

#[test]
fn what_cannot_be_is_told_once_an_hour_and_decides_nothing() {
    let mut book = book(&["thales", "pythagoras"]).with_hook(HookLead::default());
    let good = by_epoch(&[("thales", Some(1)), ("pythagoras", Some(8))]);
    book.observe(minute(0), &good, &positions(7, 2));
    assert!(book.due().is_some());
    let rewritten = by_epoch(&[("thales", Some(2)), ("pythagoras", Some(8))]);
    let mut told = Vec::new();
    for now in 1..=121 {
        let said = book.observe(minute(now), &rewritten, &positions(9, 9));
        assert!(said.iter().all(|event| event.severity() == Severity::Critical));
        if !said.is_empty() {
            told.push((now, lines(&said)));
        }
        assert!(book.due().is_none(), "no hook is called on a reading that cannot be");
    }
    assert_eq!(told.iter().map(|(now, _)| *now).collect::<Vec<_>>(), [1, 61, 121]);
    let text = "eras as they were read cannot be, and nothing was decided: check where they come from \
                (era thales is listed for epoch 2 and was listed for epoch 1 when height 20, epoch 2 became final)";
    assert_eq!(told[0].1, [text]);
    assert!(book.checker().stamp().is_active(&era("thales")));
}

#[test]
fn a_halt_is_told_at_once_and_then_every_hour() {
    let mut book = book(&["thales"]);
    let schedule = by_epoch(&[("thales", Some(1)), ("pythagoras", Some(5))]);
    let halts = (0..=130).filter(|now| {
        let said = book.observe(minute(*now), &schedule, &positions(6, 5));
        said.iter().any(|event| matches!(event, EraEvent::UnsupportedNow { .. }))
    });
    assert_eq!(halts.collect::<Vec<_>>(), [0, 60, 120]);
}

#[test]
fn a_restart_repeats_nothing_that_was_told() {
    let schedule = by_epoch(&[("thales", Some(1)), ("pythagoras", Some(8)), ("lagrange", None)]);
    let mut before = book(&["thales"]);
    assert_eq!(before.observe(minute(0), &schedule, &positions(5, 4)).len(), 3);
    let mut after = EraBook::resume(&scope(), eras(&["thales"]), before.state()).unwrap();
    assert_eq!(lines(&after.observe(minute(1), &schedule, &positions(5, 4))), [""; 0]);
    assert_eq!(after.observe(minute(2), &schedule, &positions(6, 4)).len(), 1);
}

#[test]
fn a_hook_is_due_once_for_an_edge_and_again_when_the_edge_has_moved_even_back() {
    let mut book = book(&["thales", "pythagoras"]).with_hook(HookLead::default());
    for (edge, due) in [(5, true), (5, false), (9, false), (5, true), (5, false)] {
        book.observe(minute(0), &by_epoch(&[("thales", Some(1)), ("pythagoras", Some(edge))]), &positions(4, 3));
        let next = book.due().map(|edge| edge.next.clone());
        assert_eq!(next.is_some(), due, "edge {edge}");
        if let Some(next) = next {
            book.begin_hook(&next);
        }
    }
}

#[test]
fn a_lead_covers_what_is_as_near_as_it_or_nearer() {
    let lead = HookLead::default();
    for (distance, covered) in [
        (EraDistance::Blocks(nodewright_core::BlockDelta(100)), true),
        (EraDistance::Blocks(nodewright_core::BlockDelta(101)), false),
        (EraDistance::Epochs(nodewright_core::EpochDelta(1)), true),
        (EraDistance::Epochs(nodewright_core::EpochDelta(2)), false),
        (EraDistance::ProtocolSteps(1), true),
        (EraDistance::ProtocolSteps(2), false),
        (EraDistance::Time(Duration::from_secs(3_600)), true),
        (EraDistance::Time(Duration::from_secs(3_601)), false),
        (EraDistance::Unscheduled, false),
    ] {
        assert_eq!(lead.covers(&distance), covered, "{distance}");
    }
}
