//! The stored form of what a watch remembers.

use nodewright_core::ErrorKind;
use nodewright_ops::era::{EraBook, EraBookState, HookLead};

use crate::fixture::*;

/// Changes only together with `EraBookState::FORMAT`: a new format gets a new file, and the old one is still read.
const FORMAT_1: &str = include_str!("golden/book-1.json");

#[test]
fn the_stored_form_does_not_change_without_a_new_format_number() {
    let mut book = book(&["thales", "pythagoras"]).with_hook(HookLead::default());
    let schedule = by_epoch(&[("thales", Some(1)), ("pythagoras", Some(8)), ("lagrange", Some(9))]);
    book.observe(minute(0), &schedule, &positions(7, 6));
    book.begin_hook(&at_epoch("pythagoras", 8));
    book.end_hook(at_epoch("pythagoras", 8), Ok(()));
    assert_eq!(EraBookState::FORMAT, 1, "a new format needs a golden file of its own");
    assert_eq!(serde_json::to_string_pretty(&book.state()).unwrap(), FORMAT_1.trim_end());
    let state: EraBookState = serde_json::from_str(FORMAT_1).unwrap();
    assert_eq!(state, book.state());
    let resumed = EraBook::resume(&scope(), eras(&["thales"]), state.clone()).unwrap();
    assert_eq!(resumed.state(), state);
    let newer = EraBookState { format: 2, ..state };
    assert_eq!(EraBook::resume(&scope(), eras(&["thales"]), newer).unwrap_err().kind(), ErrorKind::InvalidData);
    let unknown = FORMAT_1.replacen("\"told\"", "\"more\": 1, \"told\"", 1);
    assert!(serde_json::from_str::<EraBookState>(&unknown).is_err());
}
