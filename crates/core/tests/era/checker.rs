//! What the checker says, case by case.

use nodewright_core::{
    Activation, BlockHeight, BlockTime, ChainPosition, Epoch, EpochDelta, EraAxis, EraChange, EraChecker, EraDistance,
    EraError, EraSchedule, EraStanding, EraState,
};

use crate::fixture::{by_epoch, checker, epoch, era, eras, everywhere, marker, scope};

fn approach(name: &str, at: u64, supported: bool, left: u64) -> EraChange {
    let next = marker(name, Activation::Epoch(Epoch(at)));
    EraChange::Approach { next, supported, left: EraDistance::Epochs(EpochDelta(left)) }
}

fn enter(from: Option<&str>, to: &str, at: u64) -> EraChange {
    EraChange::Enter { from: from.map(era), to: marker(to, Activation::Epoch(Epoch(at))) }
}

#[test]
fn approaching_follows_the_head_and_entering_follows_finality() {
    let mut checker = checker(&["thales", "pythagoras"]);
    let schedule = by_epoch(&[("thales", Some(1)), ("pythagoras", Some(5))]);
    let mut observe = |head, finalized| checker.observe(&schedule, &epoch(head), Some(&epoch(finalized))).unwrap();
    assert_eq!(observe(3, 2), enter(None, "thales", 1));
    assert_eq!(observe(3, 2), approach("pythagoras", 5, true, 2));
    assert_eq!(observe(5, 4), approach("pythagoras", 5, true, 0));
    assert_eq!(observe(4, 4), approach("pythagoras", 5, true, 1), "a reorganisation takes the head back");
    assert_eq!(observe(6, 5), enter(Some("thales"), "pythagoras", 5));
    assert_eq!(observe(6, 5), EraChange::Stay);
    assert_eq!(observe(3, 2), EraChange::Stay, "a node that lags takes nothing back");
    let stamp = checker.stamp();
    assert_eq!(stamp.read(), EraStanding::Active { era: &era("pythagoras"), since: Activation::Epoch(Epoch(5)) });
    assert!(stamp.is_active(&era("pythagoras")) && !stamp.is_active(&era("thales")));
}

#[test]
fn an_unsupported_era_halts_when_it_is_final_and_goes_on_halting() {
    let mut checker = checker(&["thales"]);
    let stamp = checker.stamp();
    let schedule = by_epoch(&[("thales", Some(1)), ("pythagoras", Some(5))]);
    let mut observe = |head, finalized| checker.observe(&schedule, &epoch(head), Some(&epoch(finalized))).unwrap();
    assert_eq!(observe(3, 2), enter(None, "thales", 1));
    assert_eq!(observe(9, 4), approach("pythagoras", 5, false, 0));
    assert!(stamp.is_active(&era("thales")));
    let halt = EraChange::Halt { era: marker("pythagoras", Activation::Epoch(Epoch(5))) };
    assert_eq!(observe(9, 5), halt);
    assert_eq!(observe(9, 5), halt);
    assert_eq!(observe(2, 2), halt);
    assert_eq!((stamp.read(), stamp.is_active(&era("thales"))), (EraStanding::Halted, false));
    let state = checker.state().clone();
    let again = EraChecker::resume(&scope(1), eras(&["thales"]), state.clone()).unwrap();
    assert_eq!(again.stamp().read(), EraStanding::Halted);
    let mut newer = EraChecker::resume(&scope(1), eras(&["pythagoras"]), state).unwrap();
    assert_eq!(newer.stamp().read(), EraStanding::Unknown, "it has not been entered");
    let change = newer.observe(&schedule, &epoch(9), Some(&epoch(5))).unwrap();
    assert_eq!(change, enter(Some("thales"), "pythagoras", 5));
}

#[test]
fn an_announcement_without_a_date_is_told_once() {
    let mut checker = checker(&["thales"]);
    let schedule = by_epoch(&[("thales", Some(1)), ("lagrange", None)]);
    let mut observe = |schedule: &EraSchedule| checker.observe(schedule, &epoch(3), Some(&epoch(2))).unwrap();
    assert_eq!(observe(&schedule), enter(None, "thales", 1));
    let announced = EraChange::Approach {
        next: marker("lagrange", Activation::Unscheduled),
        supported: false,
        left: EraDistance::Unscheduled,
    };
    assert_eq!(observe(&schedule), announced);
    assert_eq!(observe(&schedule), EraChange::Stay);
    let scheduled = by_epoch(&[("thales", Some(1)), ("lagrange", Some(8))]);
    assert_eq!(observe(&scheduled), approach("lagrange", 8, false, 5));
    let rescheduled = |from, to: Option<Activation>, left| EraChange::Reschedule {
        era: era("lagrange"),
        from,
        to,
        supported: false,
        left,
    };
    let (eight, nine) = (Activation::Epoch(Epoch(8)), Activation::Epoch(Epoch(9)));
    let later = by_epoch(&[("thales", Some(1)), ("lagrange", Some(9))]);
    let left = Some(EraDistance::Epochs(EpochDelta(6)));
    assert_eq!(observe(&later), rescheduled(eight, Some(nine), left));
    assert_eq!(observe(&later), approach("lagrange", 9, false, 6));
    let taken_back = rescheduled(nine, Some(Activation::Unscheduled), Some(EraDistance::Unscheduled));
    assert_eq!(observe(&schedule), taken_back);
    assert_eq!(observe(&schedule), EraChange::Stay);
    let gone = by_epoch(&[("thales", Some(1))]);
    assert_eq!(observe(&gone), rescheduled(Activation::Unscheduled, None, None));
    assert_eq!(observe(&gone), EraChange::Stay);
}

#[test]
fn nothing_is_entered_while_nothing_is_final_and_finality_is_not_lost_again() {
    let mut checker = checker(&["thales", "pythagoras"]);
    let schedule = by_epoch(&[("thales", Some(1)), ("pythagoras", Some(5))]);
    for head in [0, 3, 9, 3] {
        let change = checker.observe(&schedule, &epoch(head), None).unwrap();
        assert!(matches!(change, EraChange::Approach { .. } | EraChange::Stay), "{change:?}");
        assert_eq!(checker.stamp().read(), EraStanding::Unknown);
    }
    assert_eq!(checker.observe(&schedule, &epoch(3), Some(&epoch(2))).unwrap(), enter(None, "thales", 1));
    assert_eq!(checker.observe(&schedule, &epoch(3), None).unwrap(), approach("pythagoras", 5, true, 2));
    assert_eq!(checker.stamp().current(), Some(&era("thales")));
}

#[test]
fn after_a_long_absence_the_era_that_holds_is_entered_and_those_between_are_not() {
    let mut checker = checker(&["a", "d"]);
    let schedule = by_epoch(&[("a", Some(0)), ("b", Some(5)), ("c", Some(6)), ("d", Some(7))]);
    assert_eq!(checker.observe(&schedule, &epoch(1), Some(&epoch(1))).unwrap(), enter(None, "a", 0));
    let dropped = by_epoch(&[("d", Some(7))]);
    assert_eq!(checker.observe(&dropped, &epoch(9), Some(&epoch(8))).unwrap(), enter(Some("a"), "d", 7));
    assert_eq!(checker.observe(&dropped, &epoch(9), Some(&epoch(8))).unwrap(), EraChange::Stay);
}

/// Is what `thales` from 1 and `pythagoras` from 5 look like once epoch 7 is final.
fn settled() -> EraChecker {
    let mut checker = checker(&["thales", "pythagoras", "lagrange"]);
    let schedule = by_epoch(&[("thales", Some(1)), ("pythagoras", Some(5))]);
    checker.observe(&schedule, &epoch(8), Some(&epoch(7))).unwrap();
    checker
}

#[test]
fn a_schedule_that_rewrites_the_past_is_refused_and_changes_nothing() {
    let rewriting: [&[(&str, Option<u64>)]; 9] = [
        // The era that holds is moved, into the past, into the future, or off the calendar.
        &[("thales", Some(1)), ("pythagoras", Some(4))],
        &[("thales", Some(1)), ("pythagoras", Some(12))],
        &[("thales", Some(1)), ("pythagoras", None)],
        // It is gone, and an earlier one holds.
        &[("thales", Some(1))],
        // An older one is moved, to before or after it.
        &[("thales", Some(2)), ("pythagoras", Some(5))],
        &[("thales", Some(6)), ("pythagoras", Some(5))],
        // One is added before the final position.
        &[("thales", Some(1)), ("pythagoras", Some(5)), ("lagrange", Some(7))],
        &[("zero", Some(0)), ("thales", Some(1)), ("pythagoras", Some(5))],
        &[("zero", Some(6))],
    ];
    for markers in rewriting {
        let mut checker = settled();
        let before = checker.state().clone();
        for finalized in [7, 20, 3] {
            let error = checker.observe(&by_epoch(markers), &epoch(30), Some(&epoch(finalized))).unwrap_err();
            assert!(matches!(error, EraError::PastRewritten { .. }), "{markers:?}: {error}");
            assert_eq!(checker.state(), &before);
            assert!(checker.stamp().is_active(&era("pythagoras")));
        }
    }
    let error = settled().observe(&by_epoch(rewriting[1]), &epoch(8), Some(&epoch(7))).unwrap_err();
    let text = "era pythagoras is listed for epoch 12 and was listed for epoch 5 when height 70, epoch 7 became final";
    assert_eq!(error.to_string(), text);
}

#[test]
fn the_past_may_be_left_out_once_a_later_era_holds_and_may_come_back_as_it_was() {
    let mut checker = settled();
    let mut observe = |markers: &[(&str, Option<u64>)], finalized| {
        checker.observe(&by_epoch(markers), &epoch(finalized), Some(&epoch(finalized)))
    };
    assert_eq!(observe(&[("pythagoras", Some(5))], 8), Ok(EraChange::Stay));
    assert_eq!(observe(&[("thales", Some(1)), ("pythagoras", Some(5))], 9), Ok(EraChange::Stay));
    assert!(observe(&[("thales", Some(2)), ("pythagoras", Some(5))], 9).is_err());
    // The era that held is left out in the same reading in which its successor is found to hold.
    assert_eq!(observe(&[("lagrange", Some(11))], 12), Ok(enter(Some("pythagoras"), "lagrange", 11)));
    assert!(matches!(observe(&[("pythagoras", Some(5))], 12), Err(EraError::PastRewritten { .. })));
}

#[test]
fn on_several_axes_the_list_cannot_turn_the_past_around() {
    let (by_height, by_time) = (Activation::Height(BlockHeight(5)), Activation::Time(BlockTime(100)));
    let forth = EraSchedule::try_new([marker("a", by_height), marker("b", by_time)]).unwrap();
    let back = EraSchedule::try_new([marker("b", by_time), marker("a", by_height)]).unwrap();
    let mut checker = checker(&["a", "b"]);
    let here = everywhere(9, 0, 200, 0);
    assert!(matches!(checker.observe(&forth, &here, Some(&here)), Ok(EraChange::Enter { .. })));
    assert_eq!(checker.stamp().current(), Some(&era("b")));
    assert!(matches!(checker.observe(&back, &here, Some(&here)), Err(EraError::PastRewritten { .. })));
}

#[test]
fn positions_that_make_no_sense_stop() {
    let schedule = by_epoch(&[("thales", Some(1)), ("pythagoras", Some(5))]);
    let bare = ChainPosition::at(BlockHeight(90));
    for (head, finalized) in [(bare, Some(epoch(7))), (epoch(8), Some(bare)), (bare, None)] {
        let mut checker = settled();
        let before = checker.state().clone();
        let error = checker.observe(&schedule, &head, finalized.as_ref()).unwrap_err();
        assert!(matches!(error, EraError::MissingAxis { axis: EraAxis::Epoch, .. }), "{error}");
        assert_eq!(checker.state(), &before);
    }
    let crossed = everywhere(1_000, 6, 0, 0);
    for (head, finalized) in [(epoch(9), crossed), (crossed, epoch(8))] {
        let error = settled().observe(&schedule, &head, Some(&finalized)).unwrap_err();
        assert!(matches!(error, EraError::PositionsDisagree { .. }), "{error}");
    }
    let early = checker(&["thales"]).observe(&schedule, &epoch(3), Some(&epoch(0))).unwrap_err();
    assert_eq!(early, EraError::BeforeFirstEra { position: epoch(0) });
}

#[test]
fn state_of_another_ledger_or_format_or_of_no_possible_past_is_refused() {
    let good = settled().state().clone();
    let resume = |state: EraState| EraChecker::resume(&scope(1), eras(&["pythagoras"]), state).map(|it| it.stamp());
    assert_eq!(resume(good.clone()).unwrap().current(), Some(&era("pythagoras")));
    assert!(matches!(resume(EraState { scope: scope(2), ..good.clone() }), Err(EraError::OtherScope { .. })));
    let newer = EraState { format: 2, ..good.clone() };
    assert!(matches!(resume(newer), Err(EraError::UnknownFormat { found: 2 })));
    let twice = [good.begun.clone(), good.begun.clone()].concat();
    let impossible = [
        EraState { begun: twice, ..good.clone() },
        EraState { ahead: good.begun.clone(), ..good.clone() },
        EraState { finalized: None, ..good.clone() },
        EraState { finalized: Some(epoch(4)), ..good.clone() },
        EraState { finalized: Some(ChainPosition::at(BlockHeight(70))), ..good.clone() },
        EraState { entered: Some(era("lagrange")), ..good.clone() },
        EraState { ahead: (0..2_000).map(|n| marker(&format!("e{n}"), Activation::Unscheduled)).collect(), ..good },
    ];
    for state in impossible {
        let error = resume(state.clone()).unwrap_err();
        assert!(matches!(error, EraError::InvalidState { .. }), "{error}: {state:?}");
    }
}

#[test]
fn restored_state_holds_the_schedule_to_what_was_final_before() {
    let mut checker =
        EraChecker::resume(&scope(1), eras(&["thales", "pythagoras"]), settled().state().clone()).unwrap();
    let replayed = by_epoch(&[("thales", Some(1)), ("pythagoras", None)]);
    let error = checker.observe(&replayed, &epoch(8), Some(&epoch(7))).unwrap_err();
    assert!(matches!(error, EraError::PastRewritten { .. }), "{error}");
}
