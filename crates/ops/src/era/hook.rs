//! What runs before an edge.

use core::fmt::Debug;
use core::time::Duration;

use async_trait::async_trait;
use nodewright_core::{BlockDelta, EpochDelta, EraDistance, EraMarker, Result};

use crate::era::left::EraLeft;

/// Prepares for an era before it begins.
///
/// # Behaviour
/// - EH-1: it is called at most once for an era at one edge, a crash of the program included, and once more if the edge
///   was moved.
/// - EH-2: it is called when the edge is within the [`HookLead`]; it must complete before the head reaches the edge, and
///   an operator is told if it has not.
#[async_trait]
pub trait EraHook: Debug + Send + Sync + 'static {
    /// Prepares for the era of `edge`. Eras are watched on while it runs.
    ///
    /// # Errors
    /// Whatever it could not do; it is told to the operator, and not tried again.
    ///
    /// # Cancel safety
    /// A watch that is dropped drops this future, and does not call again for the same edge.
    async fn before_edge(&self, edge: &EdgeAhead) -> Result<()>;
}

/// Describes an edge that lies ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeAhead {
    /// Is the era, with its edge.
    pub next: EraMarker,
    /// Says whether this build supports it.
    pub supported: bool,
    /// Says how far the edge is from the head.
    pub left: EraLeft,
}

/// Says how long before an edge the hook is called, on each axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookLead {
    /// Counts blocks. Default 100.
    pub blocks: BlockDelta,
    /// Counts epochs. Default 1: with the beginning of the last epoch of the old era.
    pub epochs: EpochDelta,
    /// Counts protocol versions. Default 1.
    pub protocol_steps: u64,
    /// Is a span of the chain's time. Default one hour.
    pub time: Duration,
}

impl Default for HookLead {
    fn default() -> Self {
        Self { blocks: BlockDelta(100), epochs: EpochDelta(1), protocol_steps: 1, time: Duration::from_secs(3_600) }
    }
}

impl HookLead {
    /// Returns whether an edge at `distance` is near enough.
    #[must_use]
    pub fn covers(&self, distance: &EraDistance) -> bool {
        match distance {
            EraDistance::Blocks(blocks) => *blocks <= self.blocks,
            EraDistance::Epochs(epochs) => *epochs <= self.epochs,
            EraDistance::ProtocolSteps(steps) => *steps <= self.protocol_steps,
            EraDistance::Time(time) => *time <= self.time,
            EraDistance::Unscheduled => false,
        }
    }
}
