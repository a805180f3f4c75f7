//! The guard over markers: each refusal, and properties over random histories of operators.
#![allow(clippy::unwrap_used, clippy::panic)]

use nodewright_cardano::era::{
    Candidate, Finding, GuardError, GuardState, Judgement, Marker, MarkerOrigin, MarkerReading, Markers, MarkersChange,
    Pin, Refusal,
};
use nodewright_cardano::node::OutputRef;
use nodewright_core::{Epoch, EraId};

type List<'a> = &'a [(&'a str, Option<u64>)];

fn list(markers: List<'_>) -> Markers {
    let marker = |&(name, epoch): &(&str, Option<u64>)| Marker::new(id(name), epoch.map(Epoch));
    Markers::try_new(markers.iter().map(marker)).unwrap()
}

fn id(name: &str) -> EraId {
    EraId::try_new(name).unwrap()
}

fn reading(lists: &[Markers]) -> MarkerReading {
    let candidate = |(tx, markers): (u8, &Markers)| Candidate {
        markers: markers.clone(),
        signature: None,
        origin: MarkerOrigin::Output(OutputRef { tx: [tx; 32], index: 0 }),
    };
    MarkerReading { candidates: (0..).zip(lists).map(candidate).collect(), ..MarkerReading::default() }
}

fn judge(state: &GuardState, lists: &[Markers], epoch: u64) -> Result<Judgement, GuardError> {
    state.judge(&reading(lists), &[], Epoch(epoch))
}

/// Accepts `markers` in `epoch` as the first.
fn after(markers: List<'_>, epoch: u64) -> GuardState {
    judge(&GuardState::new("test"), &[list(markers)], epoch).unwrap().state
}

fn refusal(state: &GuardState, markers: List<'_>, epoch: u64) -> Refusal {
    match judge(state, &[list(markers)], epoch) {
        Err(GuardError::AllRefused { findings }) => match findings.into_iter().next() {
            Some(Finding::Refused { refusal, .. }) => refusal,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

const OLD: List<'static> = &[("thales", Some(1))];
const ANNOUNCED: List<'static> = &[("thales", Some(1)), ("pythagoras", None)];
const SCHEDULED: List<'static> = &[("thales", Some(1)), ("pythagoras", Some(6))];
const DROPPED: List<'static> = &[("pythagoras", Some(6))];

#[test]
fn each_step_of_an_operator_is_accepted_also_when_the_ones_between_were_not_read() {
    let steps = [(OLD, 2), (ANNOUNCED, 3), (SCHEDULED, 4), (SCHEDULED, 6), (DROPPED, 7)];
    for (place, (first, epoch)) in steps.iter().enumerate() {
        let state = after(first, *epoch);
        for (next, epoch) in &steps[place..] {
            let judgement = judge(&state, &[list(next)], *epoch).unwrap();
            let same = if next == first { MarkersChange::Same } else { MarkersChange::Replaced };
            assert_eq!((judgement.change, judgement.findings), (same, vec![]));
        }
    }
}

#[test]
fn every_regression_has_its_refusal() {
    let (thales, pythagoras) = (id("thales"), id("pythagoras"));
    let begun = after(SCHEDULED, 6);
    let moved = |to: Option<u64>| Refusal::ActiveMoved { era: pythagoras.clone(), since: Epoch(6), to: to.map(Epoch) };
    assert_eq!(refusal(&begun, &[("thales", Some(1)), ("pythagoras", Some(7))], 7), moved(Some(7)));
    assert_eq!(refusal(&begun, ANNOUNCED, 7), moved(None));
    let removed = Refusal::ActiveRemoved { era: pythagoras.clone(), since: Epoch(6) };
    assert_eq!(refusal(&begun, OLD, 7), removed);
    assert_eq!(refusal(&begun, &[("lagrange", Some(9))], 8), removed, "the next has not begun yet");
    let late = judge(&begun, &[list(&[("lagrange", Some(9))])], 9).unwrap();
    assert_eq!(late.change, MarkersChange::Replaced, "it has");

    let past = Refusal::PastRewritten { era: pythagoras.clone(), epoch: Epoch(3), seen: Epoch(4) };
    assert_eq!(refusal(&after(OLD, 4), &[("thales", Some(1)), ("pythagoras", Some(3))], 5), past);
    let behind = Refusal::PastRewritten { era: thales.clone(), epoch: Epoch(1), seen: Epoch(7) };
    assert_eq!(refusal(&after(DROPPED, 7), SCHEDULED, 7), behind, "an era that was left out comes back");
    let older = [("thales", Some(2)), ("pythagoras", Some(6))];
    let history = Refusal::ActiveMoved { era: thales, since: Epoch(1), to: Some(Epoch(2)) };
    assert_eq!(refusal(&begun, &older, 7), history, "an era that has passed moves");

    let withdrawn = Refusal::Withdrawn { era: pythagoras };
    assert_eq!(refusal(&after(ANNOUNCED, 3), OLD, 3), withdrawn);
    assert_eq!(refusal(&after(SCHEDULED, 3), ANNOUNCED, 3), withdrawn);
    assert_eq!(refusal(&after(SCHEDULED, 3), OLD, 3), withdrawn);
}

#[test]
fn a_date_may_move_before_its_epoch_once_and_not_back() {
    let state = after(SCHEDULED, 4);
    let moved = [("thales", Some(1)), ("pythagoras", Some(8))];
    let judgement = judge(&state, &[list(&moved)], 5).unwrap();
    assert_eq!(refusal(&judgement.state, SCHEDULED, 5), Refusal::Replayed);
    let mut state = judgement.state;
    state.trust(list(SCHEDULED), None, Epoch(5));
    assert_eq!(judge(&state, &[list(SCHEDULED)], 5).unwrap().change, MarkersChange::Same, "a person has decided");
    assert_eq!(refusal(&state, &moved, 5), Refusal::Replayed);
}

#[test]
fn a_moved_date_beside_the_accepted_one_is_not_believed() {
    let state = after(SCHEDULED, 4);
    let moved = list(&[("thales", Some(1)), ("pythagoras", Some(8))]);
    for lists in [[list(SCHEDULED), moved.clone()], [moved.clone(), list(SCHEDULED)]] {
        let judgement = judge(&state, &lists, 5).unwrap();
        assert_eq!(judgement.markers, list(SCHEDULED));
        let beside = |finding: &Finding| matches!(finding, Finding::Refused { refusal: Refusal::Beside, .. });
        assert!(judgement.findings.iter().any(beside), "{:?}", judgement.findings);
        let ambiguous = judge(&GuardState::new("test"), &lists, 5);
        assert!(matches!(ambiguous, Err(GuardError::Ambiguous { origins }) if origins.len() == 2));
    }
}

#[test]
fn an_earlier_epoch_and_an_empty_reading_are_no_answers() {
    let state = after(SCHEDULED, 6);
    let behind = GuardError::Behind { epoch: Epoch(5), seen: Epoch(6) };
    assert_eq!(judge(&state, &[list(SCHEDULED)], 5), Err(behind));
    assert_eq!(judge(&state, &[], 6), Err(GuardError::NoneValid { rejected: 0 }));
}

#[test]
fn a_published_fact_refuses_what_is_older_and_what_is_of_another_network() {
    let pins = Pin::known("release-preprod");
    assert_eq!(pins, [Pin { era: id("pythagoras"), epoch: Epoch(186) }]);
    assert_eq!(Pin::known("testing-preview"), []);
    let judge = |markers: List<'_>, epoch| {
        GuardState::new("test").judge(&reading(&[list(markers)]), &pins, Epoch(epoch)).is_ok()
    };
    assert!(judge(&[("thales", Some(1))], 180), "before it was announced");
    assert!(judge(&[("thales", Some(1)), ("pythagoras", Some(186))], 185));
    assert!(judge(&[("pythagoras", Some(186)), ("lagrange", None)], 320));
    assert!(judge(&[("lagrange", Some(330))], 331), "after a later one has begun");
    assert!(!judge(&[("thales", Some(1))], 320));
    assert!(!judge(&[("lagrange", Some(330))], 320));
    assert!(!judge(&[("pythagoras", Some(759))], 800));
}

/// Plays an operator who announces, schedules and drops eras; returns what was published and when.
fn history(random: &mut fastrand::Rng) -> Vec<(u64, Markers)> {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
    let mut now = random.u64(1..5);
    let mut markers = vec![("a", Some(random.u64(0..=now)))];
    let mut published = vec![(now, list(&markers))];
    for next in &NAMES[1..] {
        markers.push((*next, None));
        if random.bool() {
            published.push((now, list(&markers)));
        }
        now += random.u64(0..3);
        let edge = now + random.u64(1..4);
        markers.last_mut().unwrap().1 = Some(edge);
        published.push((now, list(&markers)));
        now = edge + random.u64(0..3);
        if random.bool() {
            markers.drain(..markers.len() - 1);
            published.push((now, list(&markers)));
        }
    }
    published
}

#[test]
fn honest_histories_are_followed_and_no_replay_is_ever_chosen() {
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..3_000 {
        let history = history(&mut random);
        let mut state = GuardState::new("test");
        let mut accepted: Vec<Markers> = Vec::new();
        for (epoch, published) in &history {
            // Not everything that is published is read.
            if random.u8(..3) == 0 {
                continue;
            }
            let epoch = *epoch;
            // What was accepted before is sent again, in any number and place.
            let mut lists: Vec<_> = accepted.iter().filter(|_| random.bool()).cloned().collect();
            lists.insert(random.usize(..=lists.len()), published.clone());
            let judgement = judge(&state, &lists, epoch).unwrap_or_else(|error| panic!("{history:?}: {error}"));
            assert_eq!(judgement.markers, *published, "{history:?}");
            assert_eq!(judgement.findings.is_empty(), lists.iter().all(|other| other == published) && lists.len() == 1);
            state = judgement.state;
            let replays: Vec<_> = accepted.iter().filter(|old| *old != published).cloned().collect();
            if !replays.is_empty() {
                assert!(matches!(judge(&state, &replays, epoch), Err(GuardError::AllRefused { .. })));
            }
            if !accepted.contains(published) {
                accepted.push(published.clone());
            }
        }
    }
}

#[test]
fn at_the_first_reading_the_newest_of_a_history_is_chosen_in_any_order() {
    let mut random = fastrand::Rng::with_seed(6);
    for _ in 0..3_000 {
        let history = history(&mut random);
        let until = random.usize(1..=history.len());
        let (epoch, newest) = &history[until - 1];
        let mut lists: Vec<_> = history[..until].iter().map(|(_, markers)| markers.clone()).collect();
        random.shuffle(&mut lists);
        let judgement = judge(&GuardState::new("test"), &lists, *epoch).unwrap_or_else(|e| panic!("{history:?}: {e}"));
        assert_eq!(judgement.markers, *newest, "{history:?}");
    }
}

#[test]
fn a_history_of_another_network_is_refused_once_the_eras_that_hold_differ() {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut refused, mut unseen) = (0, 0);
    for _ in 0..3_000 {
        let (ours, theirs) = (history(&mut random), history(&mut random));
        let (epoch, markers) = &ours[random.usize(..ours.len())];
        let state = judge(&GuardState::new("test"), std::slice::from_ref(markers), *epoch).unwrap().state;
        let (_, foreign) = &theirs[random.usize(..theirs.len())];
        let at_ours = markers.current(Epoch(*epoch));
        let differs = foreign.current(Epoch(*epoch)) != at_ours;
        match judge(&state, std::slice::from_ref(foreign), *epoch) {
            Err(_) => refused += 1,
            Ok(_) => {
                assert!(!differs, "{markers:?} {foreign:?} {epoch}");
                unseen += 1;
            }
        }
    }
    // Some cannot be told apart: both networks hold the same era since the same epoch.
    assert!(refused > 2_000 && unseen > 0, "{refused} {unseen}");
}
