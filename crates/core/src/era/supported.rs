//! The eras that a build supports.

use crate::era::error::EraError;
use crate::era::id::EraId;
use crate::era::schedule::EraSchedule;

/// Lists the eras that this build supports, in an order of the build's choice: at least one, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupportedEras {
    eras: Vec<EraId>,
}

impl SupportedEras {
    /// Takes the list.
    ///
    /// # Errors
    /// [`EraError::NoEras`], [`EraError::DuplicateEra`] or [`EraError::TooManyEras`].
    pub fn try_new(eras: impl IntoIterator<Item = EraId>) -> Result<Self, EraError> {
        let mut list: Vec<EraId> = Vec::new();
        for era in eras {
            if list.len() == EraSchedule::MAX_ERAS {
                return Err(EraError::TooManyEras);
            }
            if list.contains(&era) {
                return Err(EraError::DuplicateEra { era });
            }
            list.push(era);
        }
        if list.is_empty() {
            return Err(EraError::NoEras);
        }
        Ok(Self { eras: list })
    }

    /// Returns whether this build supports `era`.
    #[must_use]
    pub fn supports(&self, era: &EraId) -> bool {
        self.eras.contains(era)
    }

    /// Returns the place of `era` in the list.
    ///
    /// # Errors
    /// [`EraError::Unsupported`] if it is not there.
    pub fn require(&self, era: &EraId) -> Result<usize, EraError> {
        self.eras.iter().position(|known| known == era).ok_or_else(|| EraError::Unsupported { era: era.clone() })
    }

    /// Returns the list.
    #[must_use]
    pub fn as_slice(&self) -> &[EraId] {
        &self.eras
    }
}
