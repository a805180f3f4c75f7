//! How far a scan may decode.

use core::fmt;
use std::sync::Arc;

use crate::era::error::EraError;
use crate::era::id::EraId;
use crate::era::position::ChainPosition;
use crate::era::schedule::EraSchedule;
use crate::era::supported::SupportedEras;
use crate::header::Header;

/// Says of each header whether this build can decode its block: whether it supports the era that the block is in.
///
/// The answer depends on the header, the schedule and the build alone, so a scan that is run again stops at the same block.
/// The schedule should list every era from the scan's start on: a block before the first one is an error.
#[derive(Clone)]
pub struct EraGate {
    schedule: EraSchedule,
    supported: SupportedEras,
    locate: Arc<Locate>,
}

type Locate = dyn Fn(&Header) -> ChainPosition + Send + Sync;

impl EraGate {
    /// Makes a gate; `locate` says where a block stands, on every axis of the schedule.
    #[must_use]
    pub fn new(
        schedule: EraSchedule,
        supported: SupportedEras,
        locate: impl Fn(&Header) -> ChainPosition + Send + Sync + 'static,
    ) -> Self {
        Self { schedule, supported, locate: Arc::new(locate) }
    }

    /// Returns the era that the block of `header` is in.
    ///
    /// # Errors
    /// As [`EraSchedule::at`].
    pub fn era(&self, header: &Header) -> Result<&EraId, EraError> {
        Ok(&self.schedule.at(&(self.locate)(header))?.era)
    }

    /// Returns whether this build can decode the block of `header`.
    ///
    /// # Errors
    /// As [`EraSchedule::at`].
    pub fn admits(&self, header: &Header) -> Result<bool, EraError> {
        Ok(self.supported.supports(self.era(header)?))
    }
}

impl fmt::Debug for EraGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EraGate")
            .field("schedule", &self.schedule)
            .field("supported", &self.supported)
            .finish_non_exhaustive()
    }
}
