//! What stops an era's decision. None of these means "not yet".

use crate::era::activation::{Activation, EraAxis};
use crate::era::id::EraId;
use crate::era::marker::EraMarker;
use crate::era::position::ChainPosition;
use crate::era::schedule::EraSchedule;
use crate::era::state::EraState;
use crate::error::{Error, ErrorKind};
use crate::id::Scope;

/// Says why there is no answer about eras. Whoever gets one stops: it never means that an era has not begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EraError {
    /// The position is before the first era of the schedule.
    #[error("no era of the schedule has begun at {position}")]
    BeforeFirstEra {
        /// Is the position.
        position: ChainPosition,
    },
    /// By its edges on several axes a later era has begun and an earlier one has not.
    #[error("at {position} {later} has begun, and {earlier}, which comes before it, has not")]
    Contradiction {
        /// Is the era that has not begun.
        earlier: Box<EraMarker>,
        /// Is the era that has.
        later: Box<EraMarker>,
        /// Is the position.
        position: Box<ChainPosition>,
    },
    /// One era stands twice in a list.
    #[error("era {era} is listed twice")]
    DuplicateEra {
        /// Names the era.
        era: EraId,
    },
    /// An edge is so far out that it cannot be stamped: see [`EraStamp`](crate::EraStamp) for the limits.
    #[error("the edge of {marker} is beyond what a stamp can hold")]
    EdgeTooFar {
        /// Is the marker.
        marker: Box<EraMarker>,
    },
    /// A text cannot be the name of an era.
    #[error("not the name of an era: {text:?}")]
    InvalidId {
        /// Is the beginning of the text.
        text: String,
    },
    /// Stored state is not what a checker leaves behind.
    #[error("stored era state cannot be: {reason}")]
    InvalidState {
        /// Says what is wrong with it.
        reason: &'static str,
    },
    /// The position does not say where it is on an axis that the schedule needs.
    #[error("{axis} of {position} is not known, and era {era} begins by it")]
    MissingAxis {
        /// Is the axis.
        axis: EraAxis,
        /// Names an era whose edge is on it.
        era: EraId,
        /// Is the position.
        position: Box<ChainPosition>,
    },
    /// A list names no era at all.
    #[error("no era is listed")]
    NoEras,
    /// Stored state belongs to another chain, network, shard or genesis.
    #[error("era state is of {stored}, the checker is of {asked}")]
    OtherScope {
        /// Is the scope that it was written for.
        stored: Box<Scope>,
        /// Is the scope of the checker.
        asked: Box<Scope>,
    },
    /// In a schedule of several axes, which must be listed in the order of the eras, an edge is before an earlier one.
    #[error("{later} is listed after {earlier}")]
    OutOfOrder {
        /// Is the marker that is listed first.
        earlier: Box<EraMarker>,
        /// Is the marker that is listed after it.
        later: Box<EraMarker>,
    },
    /// The schedule changes, removes or adds an era that began at or before a final position.
    #[error(
        "era {era} is listed for {} and was {} when {finalized} became final",
        found.map_or_else(|| "nothing".to_owned(), |edge| edge.to_string()),
        known.map_or_else(|| "not listed".to_owned(), |edge| format!("listed for {edge}")),
    )]
    PastRewritten {
        /// Names the era.
        era: EraId,
        /// Is where it began by what was known; `None` if it was not listed.
        known: Option<Activation>,
        /// Is where it begins by the schedule now; `None` if it is not listed, or no longer holds.
        found: Option<Activation>,
        /// Is the final position.
        finalized: Box<ChainPosition>,
    },
    /// One position is before the other by one axis and after it by another.
    #[error("{found} is before {known} by one axis and after it by another")]
    PositionsDisagree {
        /// Is the position that was known, or is final.
        known: Box<ChainPosition>,
        /// Is the other position.
        found: Box<ChainPosition>,
    },
    /// Two eras begin at one edge.
    #[error("eras {first} and {second} both begin at {edge}")]
    SharedEdge {
        /// Names one of them.
        first: EraId,
        /// Names the other.
        second: EraId,
        /// Is the edge.
        edge: Activation,
    },
    /// A list names more eras than a chain can have.
    #[error("more than {} eras are listed", EraSchedule::MAX_ERAS)]
    TooManyEras,
    /// Stored state was written by another version.
    #[error("era state has format {found}, this build reads format {}", EraState::FORMAT)]
    UnknownFormat {
        /// Is the version that was found.
        found: u32,
    },
    /// This build does not support the era.
    #[error("era {era} is not supported by this build")]
    Unsupported {
        /// Names the era.
        era: EraId,
    },
}

impl From<EraError> for Error {
    fn from(error: EraError) -> Self {
        let kind = match &error {
            EraError::BeforeFirstEra { .. }
            | EraError::Contradiction { .. }
            | EraError::MissingAxis { .. }
            | EraError::PastRewritten { .. }
            | EraError::PositionsDisagree { .. } => ErrorKind::Inconsistent,
            EraError::OtherScope { .. } => ErrorKind::ScopeMismatch,
            EraError::Unsupported { .. } => ErrorKind::EraUnsupported,
            EraError::DuplicateEra { .. }
            | EraError::EdgeTooFar { .. }
            | EraError::InvalidId { .. }
            | EraError::InvalidState { .. }
            | EraError::NoEras
            | EraError::OutOfOrder { .. }
            | EraError::SharedEdge { .. }
            | EraError::TooManyEras
            | EraError::UnknownFormat { .. } => ErrorKind::InvalidData,
        };
        Self::new(kind, "era").because(error)
    }
}
