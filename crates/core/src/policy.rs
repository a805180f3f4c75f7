//! What to do about a failure: a pure decision, apart from whoever failed and from whoever carries it out.
//!
//! The trait stands here so that a chain's own models can be decided by the same policy as a scan. The policy that is
//! the default lives in `nodewright-ops`, and so does the driver that waits, starts again or stops as it was told.

use core::fmt;
use core::fmt::Debug;

use crate::Error;

/// Decides what the driver does about a failure.
///
/// # Behaviour
/// - EP-1: the answer depends on the argument alone: no clock, no memory.
/// - EP-2: a contradiction of finality never gets here; the driver stops by itself.
pub trait ErrorPolicy: Debug + Send + Sync + 'static {
    /// Decides about `failure`.
    fn decide(&self, failure: &Failure<'_>) -> Action;
}

/// Says what the driver does next. Exhaustive on purpose: a driver must do each.
///
/// How long a wait lasts is the driver's: it doubles from failure to failure, and is never shorter than what
/// [`Retry::After`](crate::Retry::After) in the error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Ends the run; trying again later, or with another node, may help, and somebody should know.
    Escalate,
    /// Ends the run; nothing helps until a person has changed something.
    Halt,
    /// Waits, then starts from the beginning: a scan loads its checkpoint and checks its source again, a node's model
    /// goes back to its first state.
    Reinit,
    /// Waits, then tries the same again.
    Retry,
}

/// Describes one failure.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// Holds what failed.
    pub error: &'a Error,
    /// Says what the driver was doing.
    pub stage: Stage,
    /// Counts the failures of this stage in a row, this one included; at least 1.
    pub attempt: u32,
}

/// Says what the driver was doing when something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Storing events and checkpoint.
    Commit,
    /// Running one cycle of a node's own work, such as registering or signing.
    Cycle,
    /// Fetching certificates.
    Evidence,
    /// Fetching headers, or asking about one.
    Headers,
    /// Turning blocks into reports.
    Observe,
    /// Checking the source, loading the checkpoint, finding the start.
    Open,
}

impl Stage {
    /// Is how many stages there are; every [`Stage::index`] is below it.
    pub const COUNT: usize = 6;

    /// Returns the stage's place in a table with one entry for each; it may change from release to release.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Commit => 0,
            Self::Cycle => 1,
            Self::Evidence => 2,
            Self::Headers => 3,
            Self::Observe => 4,
            Self::Open => 5,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit",
            Self::Cycle => "cycle",
            Self::Evidence => "evidence",
            Self::Headers => "headers",
            Self::Observe => "observe",
            Self::Open => "open",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_a_place_of_its_own_below_the_count() {
        let all = [Stage::Commit, Stage::Cycle, Stage::Evidence, Stage::Headers, Stage::Observe, Stage::Open];
        let mut places: Vec<_> = all.iter().map(|stage| stage.index()).collect();
        places.sort_unstable();
        assert_eq!(places, (0..Stage::COUNT).collect::<Vec<_>>());
    }
}
