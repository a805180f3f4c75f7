//! What became of a model, and the refusal of what cannot happen where it stands.

use core::fmt::{Debug, Display};

use thiserror::Error;

/// Says what an observation did to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<S> {
    /// It stays where it was.
    Kept,
    /// It stands elsewhere, or in another epoch.
    Moved {
        /// Is where it stood.
        from: S,
        /// Is where it stands.
        to: S,
    },
}

impl<S: PartialEq + Copy> Step<S> {
    /// Compares the states before and after.
    pub(super) fn between(from: S, to: S) -> Self {
        if from == to { Self::Kept } else { Self::Moved { from, to } }
    }
}

/// Says that what was observed cannot happen in the state that the model is in. The model is unchanged: either an
/// observation was lost, or the program observed is not the one that is modelled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{event:?} cannot happen in state {state}")]
pub struct OutOfPlace<S: Display, E: Debug> {
    /// Is where the model stands.
    pub state: S,
    /// Is what was observed.
    pub event: E,
}
