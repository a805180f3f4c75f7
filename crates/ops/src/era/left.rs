//! How far an edge is.

use core::fmt;
use core::time::Duration;

use nodewright_core::EraDistance;

/// Says how long a chain takes for what edges are counted in; `None` where nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EraPace {
    /// Is the usual time between two blocks.
    pub block: Option<Duration>,
    /// Is the length of an epoch.
    pub epoch: Option<Duration>,
}

impl EraPace {
    /// Adds an estimate in time to `distance`. Epochs are counted from the beginning of the current one, so the estimate
    /// is an epoch too long at most.
    #[must_use]
    pub fn estimate(&self, distance: EraDistance) -> EraLeft {
        let about = match distance {
            EraDistance::Blocks(blocks) => self.block.map(|each| times(each, blocks.0)),
            EraDistance::Epochs(epochs) => self.epoch.map(|each| times(each, epochs.0)),
            EraDistance::Time(time) => Some(time),
            EraDistance::ProtocolSteps(_) | EraDistance::Unscheduled => None,
        };
        EraLeft { distance, about }
    }
}

/// Says how far an edge is from the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EraLeft {
    /// Is the distance in the unit of the edge.
    pub distance: EraDistance,
    /// Is about how long that takes; `None` where the pace is not known.
    pub about: Option<Duration>,
}

impl fmt::Display for EraLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.distance.fmt(f)?;
        match (self.distance, self.about) {
            (EraDistance::Blocks(_) | EraDistance::Epochs(_), Some(about)) => {
                write!(f, " (about {})", EraDistance::Time(about))
            }
            _ => Ok(()),
        }
    }
}

fn times(each: Duration, count: u64) -> Duration {
    each.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}
