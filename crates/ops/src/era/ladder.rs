//! At which distances an operator is reminded.

use core::time::Duration;

use nodewright_core::EraDistance;

use crate::era::event::Severity;
use crate::era::left::EraLeft;

/// Counts how many rungs of the ladder the distance has come down: a higher number is nearer. Each is told once.
///
/// Where the time left is known, or can be estimated, the rungs are 30, 14, 7, 3 and 1 days, 6 hours, 1 hour,
/// 10 minutes and the edge itself; else 100,000, 10,000, 1,000, 100, 10 and 1 blocks and the edge, 10, 5, 3, 2 and
/// 1 epochs and the edge, or 1 protocol version and the edge.
pub(crate) fn rung(left: &EraLeft) -> u8 {
    let (ladder, distance) = measure(left);
    let below = ladder.iter().filter(|threshold| distance <= **threshold).count();
    u8::try_from(below).unwrap_or(u8::MAX)
}

/// Says how much it matters that an era that far away is not supported.
pub(crate) fn severity(left: &EraLeft) -> Severity {
    let (ladder, distance) = measure(left);
    let last_call = ladder.len().checked_sub(LAST_CALLS).and_then(|at| ladder.get(at));
    match last_call {
        Some(threshold) if distance <= *threshold => Severity::Critical,
        _ => Severity::Warning,
    }
}

fn measure(left: &EraLeft) -> (&'static [u64], u64) {
    match (left.distance, left.about) {
        (EraDistance::Unscheduled, _) => (&[], u64::MAX),
        (distance, _) if distance.is_zero() => (SECONDS, 0),
        (_, Some(about)) => (SECONDS, about.as_secs().max(1)),
        (EraDistance::Blocks(blocks), None) => (BLOCKS, blocks.0),
        (EraDistance::Epochs(epochs), None) => (EPOCHS, epochs.0),
        (EraDistance::ProtocolSteps(steps), None) => (STEPS, steps),
        (EraDistance::Time(time), None) => (SECONDS, time.as_secs()),
    }
}

/// Is how many of the last rungs are critical.
const LAST_CALLS: usize = 3;

const DAY: u64 = 86_400;
/// Is the ladder of our choice for time: rarely while there is time to plan, often when there is none.
const SECONDS: &[u64] = &[30 * DAY, 14 * DAY, 7 * DAY, 3 * DAY, DAY, 6 * 3_600, 3_600, 600, 0];
const BLOCKS: &[u64] = &[100_000, 10_000, 1_000, 100, 10, 1, 0];
const EPOCHS: &[u64] = &[10, 5, 3, 2, 1, 0];
const STEPS: &[u64] = &[1, 0];

/// Returns the longest wait between two readings that misses no rung of `left`, up to `longest`.
pub(crate) fn next_look(left: &EraLeft, longest: Duration) -> Duration {
    match left.about {
        Some(about) if !about.is_zero() => (about / 4).clamp(longest.min(SOON), longest),
        _ => longest,
    }
}

/// Is the shortest wait that an edge near by leads to.
const SOON: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::era::left::EraPace;
    use nodewright_core::{BlockDelta, EpochDelta};

    #[test]
    fn rungs_rise_towards_the_edge_and_the_last_ones_are_critical() {
        let days = |count: u64| EraPace::default().estimate(EraDistance::Time(Duration::from_secs(count * DAY)));
        assert_eq!([60, 30, 15, 14, 7, 2, 1, 0].map(|it| rung(&days(it))), [0, 1, 1, 2, 3, 4, 5, 9]);
        let blocks = |count| EraPace::default().estimate(EraDistance::Blocks(BlockDelta(count)));
        assert_eq!([100_001, 100_000, 50, 1, 0].map(|it| rung(&blocks(it))), [0, 1, 4, 6, 9]);
        assert_eq!([11, 10, 1, 0].map(|it| severity(&blocks(it))), {
            use Severity::{Critical, Warning};
            [Warning, Critical, Critical, Critical]
        });
        let epochs = |count| EraPace::default().estimate(EraDistance::Epochs(EpochDelta(count)));
        assert_eq!([20, 4, 2, 1].map(|it| rung(&epochs(it))), [0, 2, 4, 5]);
        let paced = EraPace { epoch: Some(Duration::from_secs(5 * DAY)), block: None };
        assert_eq!(rung(&paced.estimate(EraDistance::Epochs(EpochDelta(2)))), 2);
        assert_eq!(rung(&EraPace::default().estimate(EraDistance::Unscheduled)), 0);
    }

    #[test]
    fn an_edge_near_by_is_looked_at_more_often() {
        let look = |seconds| {
            let left = EraPace::default().estimate(EraDistance::Time(Duration::from_secs(seconds)));
            next_look(&left, Duration::from_secs(60)).as_secs()
        };
        assert_eq!([86_400, 200, 40, 8, 0].map(look), [60, 50, 10, 5, 60]);
    }
}
