//! What a checker remembers across a restart.

#[cfg(feature = "serde")]
use crate::api::{UnknownFormat, Versioned, current_format};
use crate::era::error::EraError;
use crate::era::id::EraId;
use crate::era::marker::EraMarker;
use crate::era::position::ChainPosition;
use crate::era::schedule::EraSchedule;
use crate::id::Scope;

/// Holds what an [`EraChecker`](crate::EraChecker) knows, as data to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct EraState {
    /// Is the version of this format, [`EraState::FORMAT`].
    #[cfg_attr(feature = "serde", serde(deserialize_with = "current_format::<EraState, _>"))]
    pub format: u32,
    /// Says which ledger was observed.
    pub scope: Scope,
    /// Is the newest final position; `None` while there was none.
    pub finalized: Option<ChainPosition>,
    /// Holds the eras that began at or before it, oldest first, with their edges.
    pub begun: Vec<EraMarker>,
    /// Holds the eras that had not, as they were last reported.
    pub ahead: Vec<EraMarker>,
    /// Names the era that was entered last. It is not the last of `begun` where that one was not supported.
    pub entered: Option<EraId>,
}

impl EraState {
    /// Is the version of the format that this build reads and writes.
    pub const FORMAT: u32 = 1;

    /// Makes the state in which nothing was observed.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self { format: Self::FORMAT, scope, finalized: None, begun: Vec::new(), ahead: Vec::new(), entered: None }
    }

    /// Checks that the state is of this format and of `scope`, and such as a checker leaves behind.
    ///
    /// # Errors
    /// [`EraError::UnknownFormat`], [`EraError::OtherScope`] and [`EraError::InvalidState`].
    pub fn check(&self, scope: &Scope) -> Result<(), EraError> {
        if self.format != Self::FORMAT {
            return Err(EraError::UnknownFormat { found: self.format });
        }
        if self.scope != *scope {
            let (stored, asked) = (Box::new(self.scope.clone()), Box::new(scope.clone()));
            return Err(EraError::OtherScope { stored, asked });
        }
        match self.flaw() {
            Some(reason) => Err(EraError::InvalidState { reason }),
            None => Ok(()),
        }
    }

    fn flaw(&self) -> Option<&'static str> {
        let most = EraSchedule::MAX_ERAS;
        if self.begun.len() > most || self.ahead.len() > most {
            return Some("too many eras");
        }
        let mut names: Vec<_> = self.begun.iter().chain(&self.ahead).map(|marker| &marker.era).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Some("an era stands twice");
        }
        match self.finalized {
            None if !self.begun.is_empty() => return Some("an era began and nothing is final"),
            Some(finalized) if self.begun.iter().any(|m| m.activation.is_reached(&finalized) != Some(true)) => {
                return Some("an era began that the final position has not reached");
            }
            _ => {}
        }
        match &self.entered {
            Some(entered) if self.begun.iter().all(|marker| marker.era != *entered) => {
                Some("an era was entered that has not begun")
            }
            _ => None,
        }
    }
}

#[cfg(feature = "serde")]
impl Versioned for EraState {
    const NAME: &'static str = "state of eras";
    const OLDEST: u32 = 1;
    const FORMAT: u32 = Self::FORMAT;

    fn read<'de, D: serde::Deserializer<'de>>(format: u32, input: D) -> core::result::Result<Self, D::Error> {
        match format {
            1 => serde::Deserialize::deserialize(input),
            _ => Err(serde::de::Error::custom(UnknownFormat::of::<Self>(format))),
        }
    }
}
