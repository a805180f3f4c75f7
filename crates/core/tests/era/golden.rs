//! The stored form of a checker's state.

use nodewright_core::{EraState, ProtocolVersion};

use crate::fixture::{by_epoch, checker, epoch};

/// Changes only together with `EraState::FORMAT`: a new format gets a new file, and the old one is still read.
const FORMAT_1: &str = include_str!("golden/state-1.json");

#[test]
fn the_stored_form_does_not_change_without_a_new_format_number() {
    let mut checker = checker(&["thales", "pythagoras"]);
    let schedule = by_epoch(&[("thales", Some(1)), ("pythagoras", Some(5)), ("lagrange", Some(9)), ("fourier", None)]);
    let mut finalized = epoch(7);
    finalized.slot = Some(nodewright_core::Slot(432_000));
    finalized.time = Some(nodewright_core::BlockTime(1_700_000_000));
    finalized.protocol = Some(ProtocolVersion::new(9, 1));
    for _ in 0..3 {
        checker.observe(&schedule, &epoch(8), Some(&finalized)).unwrap();
    }
    let text = serde_json::to_string_pretty(checker.state()).unwrap();
    assert_eq!(EraState::FORMAT, 1, "a new format needs a golden file of its own");
    assert_eq!(text, FORMAT_1.trim_end());
    assert_eq!(serde_json::from_str::<EraState>(FORMAT_1).unwrap(), *checker.state());
}

#[test]
fn a_field_that_is_not_known_is_refused_in_every_part() {
    let places = ["{\n  \"format\"", "{\n      \"era\": \"thales\"", "\"height\": 70"];
    for place in places {
        assert!(FORMAT_1.contains(place), "{place}");
        let cut = place.find('"').unwrap();
        let more = FORMAT_1.replacen(place, &format!("{}\"new\": 1, {}", &place[..cut], &place[cut..]), 1);
        let error = serde_json::from_str::<EraState>(&more).unwrap_err();
        assert!(error.to_string().contains("unknown field `new`"), "{error}");
    }
}
