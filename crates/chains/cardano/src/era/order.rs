//! Which of two lists of markers is the newer, by what they say and never by where they lie.

use core::cmp::Ordering;

use nodewright_core::Epoch;

use super::{Marker, Markers};

/// Compares two lists as they are read in `epoch`: `Greater` if `left` is the newer, `None` if nothing in them tells.
///
/// An operator's lists go one way: an era is announced, gets its epoch, begins, and later the one before it is left out.
/// So of two lists that agree on every epoch that both state, the newer is the one whose current era began later, then
/// the one that says more about what lies ahead, then the one that says less about what lies behind. Lists that give
/// one era two different epochs contradict each other, and nothing in them tells which was first.
pub(super) fn compare(left: &Markers, right: &Markers, epoch: Epoch) -> Option<Ordering> {
    if left == right {
        return Some(Ordering::Equal);
    }
    if contradict(left, right) {
        return None;
    }
    let (this, that) = (Age::of(left, epoch), Age::of(right, epoch));
    match this.cmp(&that) {
        Ordering::Equal => None,
        // What is ahead only grows: each list must contain what the older one announces, or they are of two branches.
        Ordering::Greater => continues(right, left, epoch).then_some(Ordering::Greater),
        Ordering::Less => continues(left, right, epoch).then_some(Ordering::Less),
    }
}

fn contradict(left: &Markers, right: &Markers) -> bool {
    left.as_slice().iter().any(|marker| {
        let other = right.find(&marker.name).and_then(|other| other.epoch);
        matches!((marker.epoch, other), (Some(epoch), Some(other)) if epoch != other)
    })
}

/// Returns whether every era that `older` announces ahead of `epoch` still stands in `newer`. One without a date may also
/// have begun and been left out since, if a later era holds.
fn continues(older: &Markers, newer: &Markers, epoch: Epoch) -> bool {
    let since = |markers: &Markers| markers.current(epoch).and_then(|current| current.epoch);
    let moved_on = since(newer) > since(older);
    older
        .as_slice()
        .iter()
        .filter(|marker| is_ahead(marker, epoch))
        .all(|marker| newer.find(&marker.name).is_some() || (marker.epoch.is_none() && moved_on))
}

fn is_ahead(marker: &Marker, epoch: Epoch) -> bool {
    marker.epoch.is_none_or(|at| at > epoch)
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Age {
    current: Option<Epoch>,
    scheduled: usize,
    announced: usize,
    fewer_behind: core::cmp::Reverse<usize>,
}

impl Age {
    fn of(markers: &Markers, epoch: Epoch) -> Self {
        let list = markers.as_slice();
        let behind = list.iter().filter(|marker| !is_ahead(marker, epoch)).count();
        Self {
            current: markers.current(epoch).and_then(|marker| marker.epoch),
            scheduled: list.iter().filter(|marker| marker.epoch.is_some_and(|at| at > epoch)).count(),
            announced: list.iter().filter(|marker| marker.epoch.is_none()).count(),
            fewer_behind: core::cmp::Reverse(behind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(markers: &[(&str, Option<u64>)]) -> Markers {
        let marker = |&(name, epoch): &(&str, Option<u64>)| Marker::new(name.try_into().unwrap(), epoch.map(Epoch));
        Markers::try_new(markers.iter().map(marker)).unwrap()
    }

    #[test]
    fn the_steps_of_an_operator_rise_whichever_two_are_compared() {
        let steps = [
            list(&[("thales", Some(1))]),
            list(&[("thales", Some(1)), ("pythagoras", None)]),
            list(&[("thales", Some(1)), ("pythagoras", Some(9))]),
            list(&[("pythagoras", Some(9))]),
            list(&[("pythagoras", Some(9)), ("lagrange", None)]),
        ];
        for (place, older) in steps.iter().enumerate() {
            for (later, newer) in steps.iter().enumerate().skip(place) {
                let expected = if place == later { Ordering::Equal } else { Ordering::Less };
                assert_eq!(compare(older, newer, Epoch(10)), Some(expected), "{place} {later}");
                assert_eq!(compare(newer, older, Epoch(10)), Some(expected.reverse()), "{place} {later}");
            }
        }
    }

    #[test]
    fn two_epochs_for_one_era_and_two_branches_tell_nothing() {
        let moved = [list(&[("a", Some(1)), ("b", Some(9))]), list(&[("a", Some(1)), ("b", Some(11))])];
        let branches = [list(&[("a", Some(1)), ("b", None)]), list(&[("a", Some(1)), ("c", Some(11))])];
        for [left, right] in [moved, branches] {
            assert_eq!(compare(&left, &right, Epoch(5)), None);
            assert_eq!(compare(&right, &left, Epoch(5)), None);
        }
    }
}
