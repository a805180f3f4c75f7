//! What makes a schedule, and what it answers.

use fastrand::Rng;
use nodewright_core::{
    Activation, BlockHeight, BlockTime, ChainPosition, Epoch, EraAxis, EraError, EraId, EraMarker, EraSchedule, Error,
    ErrorKind, SupportedEras,
};
use nodewright_testkit::seeds;

use crate::fixture::{by_epoch, epoch, era, everywhere, marker};
use crate::play::{LONG, SHORT};

fn height(height: u64) -> Activation {
    Activation::Height(BlockHeight(height))
}

fn time(time: u64) -> Activation {
    Activation::Time(BlockTime(time))
}

#[test]
fn a_list_that_does_not_say_one_thing_is_no_schedule() {
    let same_edge = [marker("a", height(5)), marker("b", height(7)), marker("c", height(5))];
    let error = EraSchedule::try_new(same_edge).unwrap_err();
    assert_eq!(error, EraError::SharedEdge { first: era("a"), second: era("c"), edge: height(5) });
    assert_eq!(error.to_string(), "eras a and c both begin at height 5");
    let same_name = [marker("a", height(5)), marker("b", height(7)), marker("a", Activation::Unscheduled)];
    assert_eq!(EraSchedule::try_new(same_name), Err(EraError::DuplicateEra { era: era("a") }));
    assert_eq!(EraSchedule::try_new([]), Err(EraError::NoEras));
    let many = |count: u64| (0..count).map(|n| marker(&format!("e{n}"), height(n)));
    assert_eq!(EraSchedule::try_new(many(1_024)).unwrap().scheduled().len(), 1_024);
    assert_eq!(EraSchedule::try_new(many(1_025)), Err(EraError::TooManyEras));
    assert_eq!(
        EraSchedule::try_new((0..).map(|n: u64| marker(&format!("e{n}"), height(n)))),
        Err(EraError::TooManyEras)
    );
    assert_eq!(SupportedEras::try_new([]), Err(EraError::NoEras));
    assert!(matches!(SupportedEras::try_new([era("a"), era("a")]), Err(EraError::DuplicateEra { .. })));
    assert_eq!(Error::from(EraError::NoEras).kind(), ErrorKind::InvalidData);
}

#[test]
fn on_one_axis_the_order_of_the_list_makes_no_difference() {
    for seed in seeds(SHORT, LONG) {
        let mut rng = Rng::with_seed(seed);
        let axis = rng.u8(..4);
        let mut edges: Vec<u64> = (0..rng.u64(1..8)).map(|_| rng.u64(..50)).collect();
        edges.sort_unstable();
        edges.dedup();
        let edge = |n: &u64| match axis {
            0 => Activation::Epoch(Epoch(*n)),
            1 => height(*n),
            2 => time(*n),
            _ => Activation::Protocol((*n).into()),
        };
        let mut markers: Vec<_> = edges.iter().map(|n| marker(&format!("e{n}"), edge(n))).collect();
        markers.extend((0..rng.usize(..3)).map(|n| marker(&format!("u{n}"), Activation::Unscheduled)));
        let sorted = EraSchedule::try_new(markers.clone()).unwrap();
        rng.shuffle(&mut markers);
        let shuffled = EraSchedule::try_new(markers).unwrap();
        assert_eq!(shuffled, sorted, "seed {seed}");
        let here = rng.u64(..55);
        let position = everywhere(here, here, here, here);
        let name = |marker: Option<&EraMarker>| marker.map(|it| it.era.to_string());
        let last_before = edges.iter().rev().find(|edge| **edge <= here).map(|n| format!("e{n}"));
        let first_after = edges.iter().find(|edge| **edge > here).map(|n| format!("e{n}"));
        assert_eq!(name(shuffled.at(&position).ok()), last_before, "seed {seed}");
        assert_eq!(name(shuffled.current(&position).unwrap()), last_before, "seed {seed}");
        assert_eq!(name(shuffled.next(&position).unwrap()), first_after, "seed {seed}");
    }
}

#[test]
fn on_several_axes_the_list_is_the_order_and_the_edges_of_each_axis_must_rise_along_it() {
    let ethereum = [
        marker("frontier", height(0)),
        marker("london", height(12)),
        marker("paris", height(15)),
        marker("shanghai", time(1_000)),
        marker("cancun", time(2_000)),
    ];
    let schedule = EraSchedule::try_new(ethereum.clone()).unwrap();
    assert_eq!(schedule.axes(), [EraAxis::Height, EraAxis::Time]);
    let at = |height, time| schedule.at(&everywhere(height, 0, time, 0)).map(|marker| marker.era.to_string());
    assert_eq!(at(14, 900), Ok("london".to_owned()));
    assert_eq!(at(15, 999), Ok("paris".to_owned()));
    assert_eq!(at(15, 1_000), Ok("shanghai".to_owned()));
    assert_eq!(at(400, 9_000), Ok("cancun".to_owned()));
    for (first, second) in [(1, 2), (3, 4), (0, 2)] {
        let mut swapped = ethereum.clone();
        swapped.swap(first, second);
        let error = EraSchedule::try_new(swapped).unwrap_err();
        assert!(matches!(error, EraError::OutOfOrder { .. }), "{error}");
    }
    let equal = [marker("a", height(5)), marker("b", time(9)), marker("c", height(5))];
    assert!(matches!(EraSchedule::try_new(equal), Err(EraError::SharedEdge { .. })));
}

#[test]
fn a_later_era_that_begins_before_an_earlier_one_is_a_contradiction() {
    let schedule = EraSchedule::try_new([marker("paris", height(15)), marker("shanghai", time(1_000))]).unwrap();
    let error = schedule.at(&everywhere(14, 0, 1_000, 0)).unwrap_err();
    assert!(matches!(&error, EraError::Contradiction { earlier, later, .. }
        if earlier.era == era("paris") && later.era == era("shanghai")));
    assert_eq!(Error::from(error).kind(), ErrorKind::Inconsistent);
}

#[test]
fn a_missing_axis_is_an_error_also_where_another_edge_would_decide() {
    let schedule = EraSchedule::try_new([marker("paris", height(15)), marker("shanghai", time(1_000))]).unwrap();
    let bare = ChainPosition::at(BlockHeight(3));
    let answers = [schedule.at(&bare).err(), schedule.current(&bare).err(), schedule.next(&bare).err()];
    for error in answers {
        let Some(EraError::MissingAxis { axis: EraAxis::Time, era: named, .. }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(named, era("shanghai"));
    }
    let by_protocol = EraSchedule::try_new([marker("a", Activation::Protocol(3.into()))]).unwrap();
    assert!(matches!(by_protocol.at(&epoch(4)), Err(EraError::MissingAxis { axis: EraAxis::Protocol, .. })));
    let by_epoch = by_epoch(&[("a", Some(3))]);
    assert!(matches!(by_epoch.at(&bare), Err(EraError::MissingAxis { axis: EraAxis::Epoch, .. })));
}

#[test]
fn before_the_first_edge_there_is_no_era_and_announced_ones_do_not_count() {
    let schedule = by_epoch(&[("b", None), ("thales", Some(5)), ("a", None)]);
    assert_eq!(schedule.at(&epoch(4)), Err(EraError::BeforeFirstEra { position: epoch(4) }));
    assert_eq!(schedule.current(&epoch(4)), Ok(None));
    assert_eq!(schedule.next(&epoch(4)).unwrap().unwrap().era, era("thales"));
    assert_eq!(schedule.next(&epoch(5)), Ok(None));
    let names: Vec<_> = schedule.announced().iter().map(|marker| marker.era.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let only_announced = by_epoch(&[("thales", None)]);
    assert!(matches!(only_announced.at(&epoch(4)), Err(EraError::BeforeFirstEra { .. })));
}

#[test]
fn an_era_that_is_not_supported_is_an_error_with_its_name() {
    let supported = SupportedEras::try_new([era("thales"), era("pythagoras")]).unwrap();
    assert_eq!(supported.require(&era("pythagoras")), Ok(1));
    assert_eq!(supported.require(&era("Pythagoras")), Err(EraError::Unsupported { era: era("Pythagoras") }));
    let error = Error::from(EraError::Unsupported { era: era("lagrange") });
    assert_eq!(error.kind(), ErrorKind::EraUnsupported);
    assert_eq!(error.to_string(), "era: era not supported by this build: era lagrange is not supported by this build");
}

#[test]
fn stored_schedules_are_validated_when_they_are_read() {
    let schedule = by_epoch(&[("pythagoras", Some(5)), ("lagrange", None), ("thales", Some(1))]);
    let text = serde_json::to_string(&schedule).unwrap();
    assert_eq!(
        text,
        r#"[{"era":"thales","activation":{"epoch":1}},{"era":"pythagoras","activation":{"epoch":5}},{"era":"lagrange","activation":"unscheduled"}]"#
    );
    assert_eq!(serde_json::from_str::<EraSchedule>(&text).unwrap(), schedule);
    for bad in [text.replace("pythagoras", "thales"), text.replace("5", "1"), text.replace("thales", "")] {
        assert!(serde_json::from_str::<EraSchedule>(&bad).is_err(), "{bad}");
    }
    assert!(serde_json::from_str::<EraId>("\"\"").is_err());
}
