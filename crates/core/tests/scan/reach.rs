//! Whether the plays get anywhere: a property that is never put to the test holds always.

use std::collections::BTreeMap;

use nodewright_core::{EvidenceKind, HoldReason, ScanEvent};

use crate::play::{Play, Script};

#[test]
fn the_plays_reach_every_kind_of_event_often() {
    let mut seen = BTreeMap::<&str, u32>::new();
    for seed in 0..500 {
        let mut play = Play::new(seed, Script { turns: 0, ..Script::ALL });
        for _ in 0..40 {
            play.act();
            play.drive_a_little();
            let progress = play.driver.core().progress();
            *seen.entry("road").or_default() += u32::from(progress.milestones > 1);
            *seen.entry("waiting certificate").or_default() += u32::from(progress.certificates > 0);
        }
        for event in play.sink.events() {
            *seen.entry(name(&event)).or_default() += 1;
        }
    }
    let expected = [
        "applied",
        "behind",
        "certified",
        "certified below",
        "deep",
        "forked",
        "full",
        "reported",
        "resumed",
        "road",
        "rolled back",
        "waiting certificate",
    ];
    for what in expected {
        let count = seen.get(what).copied().unwrap_or_default();
        assert!(count >= 100, "{what}: {count}; {seen:?}");
    }
}

fn name(event: &ScanEvent) -> &'static str {
    match event {
        ScanEvent::Apply(_) => "applied",
        ScanEvent::RollBack { .. } => "rolled back",
        ScanEvent::Finalize(finality) => match finality.evidence.kind() {
            EvidenceKind::Certificate(_) if finality.evidence.block() != finality.point.id => "certified below",
            EvidenceKind::Certificate(_) => "certified",
            EvidenceKind::Depth(_) => "deep",
            EvidenceKind::Reported => "reported",
            _ => "anchored",
        },
        ScanEvent::Hold(HoldReason::SourceBehind) => "behind",
        ScanEvent::Hold(HoldReason::EraAhead) => "era ahead",
        ScanEvent::Hold(HoldReason::SourceForked) => "forked",
        ScanEvent::Hold(HoldReason::WindowFull) => "full",
        ScanEvent::Resume => "resumed",
    }
}
