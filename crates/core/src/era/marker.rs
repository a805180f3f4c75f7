//! One entry of a schedule.

use core::fmt;

use crate::era::activation::Activation;
use crate::era::id::EraId;

/// Says when one era begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct EraMarker {
    /// Names the era.
    pub era: EraId,
    /// Says when it begins.
    pub activation: Activation,
}

impl EraMarker {
    /// Makes a marker.
    #[must_use]
    pub fn new(era: EraId, activation: Activation) -> Self {
        Self { era, activation }
    }
}

impl fmt::Display for EraMarker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.era, self.activation)
    }
}
