//! What a watch remembers across a restart.

use nodewright_core::{EraMarker, EraState};
use serde::{Deserialize, Serialize};

/// Holds what an [`EraBook`](crate::era::EraBook) knows, as data to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraBookState {
    /// Is the version of this format, [`EraBookState::FORMAT`].
    pub format: u32,
    /// Is what the checker knows.
    pub checker: EraState,
    /// Holds the edges ahead that were told, and how near they were.
    pub told: Vec<ToldEdge>,
    /// Holds the edges ahead for which the hook was called.
    pub hooks: Vec<HookRecord>,
}

impl EraBookState {
    /// Is the version of the format that this build reads and writes.
    pub const FORMAT: u32 = 1;
}

/// Says that an edge was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToldEdge {
    /// Is the era, with its edge.
    pub next: EraMarker,
    /// Is the rung of the ladder at which it was told last.
    pub rung: u8,
}

/// Says what became of the hook of an edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookRecord {
    /// Is the era, with its edge.
    pub next: EraMarker,
    /// Says what became of it.
    pub stage: HookStage,
}

/// Says what became of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookStage {
    /// It was called, or is about to be.
    Begun,
    /// It has completed.
    Done,
    /// It has failed.
    Failed,
    /// It had not completed when the head reached the edge, and that was told.
    Late,
}
