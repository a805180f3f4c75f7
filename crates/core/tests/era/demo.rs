//! The demonstration of an era switch from Mithril's logbook, at one epoch a step: announce, schedule, activate, drop the
//! old era; seen by a build that supports the new era, and by one that does not.

use nodewright_core::{EraChange, EraChecker, EraError, EraSchedule, EraStanding};

use crate::fixture::{by_epoch, checker, epoch, era};

/// Is what the operators write into the marker file, and in which epoch.
fn script() -> Vec<(u64, EraSchedule)> {
    vec![
        (1, by_epoch(&[("thales", Some(1))])),
        (3, by_epoch(&[("thales", Some(1)), ("pythagoras", None)])),
        (5, by_epoch(&[("thales", Some(1)), ("pythagoras", Some(7))])),
        (10, by_epoch(&[("pythagoras", Some(7))])),
    ]
}

/// Plays the script; one epoch behind the head is final. Returns one line for each thing that was said.
fn play(checker: &mut EraChecker) -> Vec<String> {
    let script = script();
    let mut said = Vec::new();
    for now in 2..=12 {
        let schedule = &script.iter().rev().find(|(from, _)| *from <= now).unwrap().1;
        for _ in 0..4 {
            let change = checker.observe(schedule, &epoch(now), Some(&epoch(now - 1))).unwrap();
            let (line, more) = match change {
                EraChange::Stay => break,
                EraChange::Approach { next, supported, left } => {
                    (format!("{next} in {left}, supported: {supported}"), next.activation.axis().is_none())
                }
                EraChange::Enter { to, .. } => (format!("enter {to}"), true),
                EraChange::Halt { era } => (format!("halt at {era}"), false),
                EraChange::Reschedule { era, .. } => (format!("reschedule {era}"), true),
            };
            said.push(format!("{now}: {line}"));
            if !more {
                break;
            }
        }
    }
    said
}

#[test]
fn a_build_that_supports_the_new_era_goes_through() {
    let mut checker = checker(&["thales", "pythagoras"]);
    let said = [
        "2: enter thales (epoch 1)",
        "3: pythagoras (no date yet) in no date yet, supported: true",
        "5: pythagoras (epoch 7) in 2 epochs, supported: true",
        "6: pythagoras (epoch 7) in 1 epoch, supported: true",
        "7: pythagoras (epoch 7) in 0 epochs, supported: true",
        "8: enter pythagoras (epoch 7)",
    ];
    assert_eq!(play(&mut checker), said);
    assert_eq!(checker.stamp().current(), Some(&era("pythagoras")));
}

#[test]
fn a_build_that_does_not_is_told_in_time_and_halts() {
    let mut checker = checker(&["thales"]);
    let said = [
        "2: enter thales (epoch 1)",
        "3: pythagoras (no date yet) in no date yet, supported: false",
        "5: pythagoras (epoch 7) in 2 epochs, supported: false",
        "6: pythagoras (epoch 7) in 1 epoch, supported: false",
        "7: pythagoras (epoch 7) in 0 epochs, supported: false",
        "8: halt at pythagoras (epoch 7)",
        "9: halt at pythagoras (epoch 7)",
        "10: halt at pythagoras (epoch 7)",
        "11: halt at pythagoras (epoch 7)",
        "12: halt at pythagoras (epoch 7)",
    ];
    assert_eq!(play(&mut checker), said);
    assert_eq!(checker.stamp().read(), EraStanding::Halted);
}

#[test]
fn the_logbooks_own_way_to_drop_the_old_era_moves_the_new_one_and_is_refused() {
    // Its script writes the epoch before the one in which it is run, whenever that is.
    let mut checker = checker(&["thales", "pythagoras"]);
    play(&mut checker);
    let moved = by_epoch(&[("pythagoras", Some(11))]);
    let error = checker.observe(&moved, &epoch(12), Some(&epoch(11))).unwrap_err();
    assert!(matches!(error, EraError::PastRewritten { .. }), "{error}");
}
