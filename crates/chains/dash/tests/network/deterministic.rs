//! Three operators, three nodes, one result.

use nodewright_core::{BlockPoint, Observation, ScanEvent, ScanRecord};

use crate::scene::{Scene, quick};

#[tokio::test]
async fn a_restarted_and_a_late_node_give_the_same_final_sequence_as_a_steady_one() {
    let mut steady = Scene::after(0, quick()).await;
    steady.act(5).await;

    let mut restarted = Scene::after(0, quick()).await;
    while restarted.replay.peek().is_some() {
        restarted.replay.step(&mut restarted.node.state());
        if restarted.replay.peek().is_some() {
            restarted.node.restart(1).await.unwrap();
        }
        restarted.scan.catch_up().await;
    }

    let mut late = Scene::after(0, quick()).await;
    late.replay.act(&mut late.node.state(), 3);
    late.scan.catch_up().await;
    late.replay.act(&mut late.node.state(), 5);
    late.scan.catch_up().await;

    let expected = finals(&steady);
    assert_eq!(expected.len(), 12, "blocks 1007 to 1018");
    assert_eq!(expected.iter().map(|(_, seen)| seen.len()).sum::<usize>(), 4 + 5 + 1);
    assert_eq!(finals(&restarted), expected);
    assert_eq!(finals(&late), expected);
}

/// Returns the final blocks in order, each with what was observed in it.
fn finals(scene: &Scene) -> Vec<(BlockPoint, Vec<Observation>)> {
    let records: Vec<ScanRecord> = scene.scan.sink.records(Default::default(), usize::MAX);
    let (mut waiting, mut last) = (Vec::new(), Vec::new());
    for record in records {
        match record.event {
            ScanEvent::Apply(header) => {
                waiting.push((header.point, record.report.map(|report| report.observations).unwrap_or_default()));
            }
            ScanEvent::RollBack { dropped, .. } => waiting.truncate(waiting.len() - dropped.len()),
            ScanEvent::Finalize(finality) => {
                let at = waiting.iter().position(|(point, _)| *point == finality.point).unwrap();
                last.extend(waiting.drain(..=at));
            }
            ScanEvent::Hold(_) | ScanEvent::Resume => {}
        }
    }
    assert_eq!(waiting, []);
    last
}
