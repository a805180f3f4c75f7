//! Markers as the operator's tool makes them (`era generate-tx-datum` of Mithril's aggregator).

use nodewright_core::{Epoch, EraId, SupportedEras};

use super::{Marker, Markers};

/// Makes the markers that Mithril's tool signs: the first era of the build with `current`, the second with `next`, or
/// without an epoch to announce it.
///
/// The signed datum is [`super::SignedMarkers::sign`] of the list, then [`super::MarkersDatum`] of its JSON.
///
/// # Errors
/// [`GenerateError`]. The tool does the same, save that it drops `next` silently where the build has one era only.
pub fn generate_markers(eras: &SupportedEras, current: Epoch, next: Option<Epoch>) -> Result<Markers, GenerateError> {
    if let Some(next) = next
        && next <= current
    {
        return Err(GenerateError::NotLater { current, next });
    }
    let markers = match (eras.as_slice(), next) {
        ([only], None) => vec![Marker::new(only.clone(), Some(current))],
        ([only], Some(_)) => return Err(GenerateError::NoNextEra { only: only.clone() }),
        ([first, second], next) => {
            vec![Marker::new(first.clone(), Some(current)), Marker::new(second.clone(), next)]
        }
        (many, _) => return Err(GenerateError::TooManyEras { count: many.len() }),
    };
    // One or two, far below the bound.
    Markers::try_new(markers).map_err(|_| GenerateError::TooManyEras { count: eras.as_slice().len() })
}

/// Says why no markers are made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The build has one era, and an epoch for another was given.
    #[error("this build has no era after {only}")]
    NoNextEra {
        /// Names the one era.
        only: EraId,
    },
    /// The next era would not begin after the current one.
    #[error("the next era would begin with epoch {next}, which is not after {current}")]
    NotLater {
        /// Is the epoch of the current era.
        current: Epoch,
        /// Is the epoch of the next.
        next: Epoch,
    },
    /// The build has more than two eras.
    #[error("{count} eras, markers are made for two at most")]
    TooManyEras {
        /// Counts the eras.
        count: usize,
    },
}
