//! What an era is called.

use core::fmt;
use core::str::FromStr;

use crate::era::error::EraError;

/// Names an era by the word that its chain uses, such as `pythagoras`.
///
/// The word has 1 to 64 bytes, none of them a control character, and no blank at its ends. It is compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub struct EraId(String);

impl EraId {
    /// Is the longest name in bytes: several times the longest in use, and short enough for a log line.
    pub const MAX_BYTES: usize = 64;

    /// Takes `name` if it can be one.
    ///
    /// # Errors
    /// [`EraError::InvalidId`] with the beginning of the text.
    pub fn try_new(name: impl Into<String>) -> Result<Self, EraError> {
        let name = name.into();
        let fits = !name.is_empty() && name.len() <= Self::MAX_BYTES;
        if fits && name.trim() == name && !name.chars().any(char::is_control) {
            return Ok(Self(name));
        }
        Err(EraError::InvalidId { text: name.chars().take(Self::MAX_BYTES).collect() })
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EraId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EraId {
    type Err = EraError;

    fn from_str(text: &str) -> Result<Self, EraError> {
        Self::try_new(text)
    }
}

impl TryFrom<&str> for EraId {
    type Error = EraError;

    fn try_from(text: &str) -> Result<Self, EraError> {
        Self::try_new(text)
    }
}

impl TryFrom<String> for EraId {
    type Error = EraError;

    fn try_from(text: String) -> Result<Self, EraError> {
        Self::try_new(text)
    }
}

impl From<EraId> for String {
    fn from(id: EraId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_visible_and_not_empty() {
        let longest = "x".repeat(64);
        for good in ["thales", "Shanghai 2", "é", &longest] {
            assert_eq!(EraId::try_new(good).unwrap().as_str(), good);
        }
        let too_long = "x".repeat(65);
        for bad in ["", " ", "thales\n", " thales", "tha\0les", &too_long] {
            assert!(matches!(EraId::try_new(bad), Err(EraError::InvalidId { .. })), "{bad:?}");
        }
    }
}
