//! The rule of Mithril's own nodes beside ours, and where the two differ.
//!
//! Upstream (`mithril-era`): the current era is, among the markers with an epoch that is not after the current one, that
//! with the greatest epoch, the first of several; the next is the last marker of the list, if it is another than the
//! current one.

use std::collections::BTreeMap;

use fastrand::Rng;
use nodewright_core::{Activation, Epoch, EraError, EraSchedule};
use nodewright_testkit::seeds;

use crate::fixture::{epoch, marker};
use crate::play::{LONG, SHORT};

type Marker = (String, Option<u64>);

fn upstream_current(list: &[Marker], here: u64) -> Option<Marker> {
    let mut best: Option<(&Marker, u64)> = None;
    for marker in list {
        if let Some(epoch) = marker.1.filter(|epoch| *epoch <= here)
            && best.is_none_or(|(_, known)| epoch > known)
        {
            best = Some((marker, epoch));
        }
    }
    best.map(|(marker, _)| marker.clone())
}

fn upstream_next(list: &[Marker], current: &Marker) -> Option<Marker> {
    list.last().filter(|last| *last != current).cloned()
}

/// Names every way in which the two can differ.
const CLASSES: [&str; 8] = [
    "same",
    "ours refuses an era that is listed twice",
    "ours refuses two eras at one epoch",
    "both have no current era",
    "upstream's next lies in the past",
    "upstream's next is not the nearest of those ahead",
    "upstream's next is announced without a date, ours is the one with the date",
    "upstream's next is announced without a date, ours lists it as announced",
];

fn class(list: &[Marker], here: u64) -> &'static str {
    let activation = |epoch: Option<u64>| epoch.map_or(Activation::Unscheduled, |it| Activation::Epoch(Epoch(it)));
    let ours = EraSchedule::try_new(list.iter().map(|(name, epoch)| marker(name, activation(*epoch))));
    let current = upstream_current(list, here);
    let schedule = match ours {
        Err(EraError::DuplicateEra { .. }) => return CLASSES[1],
        Err(EraError::SharedEdge { .. }) => return CLASSES[2],
        Err(error) => panic!("{error}: {list:?}"),
        Ok(schedule) => schedule,
    };
    let name = |marker: &nodewright_core::EraMarker| marker.era.to_string();
    let our_current = schedule.at(&epoch(here)).map(name).ok();
    assert_eq!(our_current, current.clone().map(|(name, _)| name), "current differs at {here}: {list:?}");
    let Some(current) = current else {
        return CLASSES[3];
    };
    let our_next = schedule.next(&epoch(here)).unwrap().map(name);
    match (upstream_next(list, &current), our_next) {
        (None, None) => CLASSES[0],
        (Some((theirs, Some(_))), Some(ours)) if theirs == ours => CLASSES[0],
        (Some((_, Some(edge))), _) if edge <= here => CLASSES[4],
        // The current era is the last of the list, and another one comes.
        (Some((_, Some(_))) | None, Some(_)) => CLASSES[5],
        (Some((_, None)), Some(_)) => CLASSES[6],
        (Some((theirs, None)), None) => {
            assert!(schedule.announced().iter().any(|marker| name(marker) == theirs));
            CLASSES[7]
        }
        (theirs, ours) => panic!("no class: theirs {theirs:?}, ours {ours:?}, at {here}: {list:?}"),
    }
}

#[test]
fn current_is_upstreams_wherever_ours_is_a_schedule_and_next_differs_in_the_classes_that_are_listed() {
    let mut seen = BTreeMap::new();
    for seed in seeds(SHORT, LONG) {
        let mut rng = Rng::with_seed(seed);
        let names = ["thales", "pythagoras", "lagrange", "fourier"];
        let list: Vec<Marker> = (0..rng.usize(1..5))
            .map(|_| (names[rng.usize(..4)].to_owned(), (rng.u8(..4) > 0).then(|| rng.u64(..8))))
            .collect();
        *seen.entry(class(&list, rng.u64(..9))).or_insert(0) += 1;
    }
    if seeds(2, 2).count() > 1 {
        for class in CLASSES {
            assert!(seen.get(class).is_some_and(|count| *count >= 20), "{class}: {seen:?}");
        }
    }
}

#[test]
fn what_mithrils_own_tool_writes_means_the_same_to_both_but_for_announcements() {
    let list = |next: Option<u64>| vec![("thales".to_owned(), Some(1)), ("pythagoras".to_owned(), next)];
    assert_eq!(class(&list(Some(5)), 3), "same");
    assert_eq!(class(&list(Some(5)), 5), "same");
    assert_eq!(class(&list(None), 3), CLASSES[7]);
    let reversed: Vec<_> = list(Some(5)).into_iter().rev().collect();
    assert_eq!(class(&reversed, 3), CLASSES[5]);
    assert_eq!(class(&reversed, 5), CLASSES[4]);
}
