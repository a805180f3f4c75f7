//! What a chain crate implements for eras.

use core::fmt::Debug;

use async_trait::async_trait;

use crate::era::position::ChainPosition;
use crate::era::schedule::EraSchedule;
use crate::error::Result;

/// Reads which eras a chain goes through, and where the chain stands.
///
/// Dropping a future of any of these methods loses nothing but the answer.
///
/// # Behaviour
/// - ER-1: a schedule that is handed out was verified as far as its chain allows; what does not verify is an
///   `Unverified` error, never an answer.
/// - ER-2: nothing found, nothing readable and nothing valid are errors; they are never an older or a shorter schedule.
/// - ER-3: every position has every axis that the schedule of the same reader needs.
/// - ER-4: the finalized position is that of an ancestor of the head, or of the head itself.
/// - ER-5: an era whose edge was passed for good keeps it; once a later one holds for good, it may be left out.
#[async_trait]
pub trait EraReader: Debug + Send + Sync + 'static {
    /// Returns the schedule as the chain, or whoever announces its eras, states it now.
    ///
    /// # Errors
    /// When it cannot be read, verified or made sense of.
    async fn schedule(&self) -> Result<EraSchedule>;

    /// Returns where the chain stands.
    ///
    /// # Errors
    /// When the node cannot be asked.
    async fn positions(&self) -> Result<EraPositions>;
}

/// Holds where a chain stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EraPositions {
    /// Is the position of the newest block, which may still leave the chain.
    pub head: ChainPosition,
    /// Is the position of the newest final block; `None` while no block is.
    pub finalized: Option<ChainPosition>,
}
