//! Values that have several formats: old bytes are read and brought up to date, bytes of a later format are refused by
//! name.
//!
//! This serves what we store (a checkpoint names its format in a field) and messages that several API versions share
//! (the version that was agreed on tells the format, see [`FormatTable`]). The pattern is plain code: one type for the
//! current shape, one private type for each older shape, `From` from each shape to the next, and a `match`.
//!
//! ```
//! use nodewright_core::api::{UnknownFormat, Versioned, decode};
//! use serde::{Deserialize, Deserializer, de::Error as _};
//!
//! #[derive(Debug, PartialEq, Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Vote {
//!     party: String,
//!     stake: Option<u64>,
//! }
//!
//! /// Is the shape of format 1, which had no stake.
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Vote1 {
//!     party: String,
//! }
//!
//! impl From<Vote1> for Vote {
//!     fn from(old: Vote1) -> Self {
//!         Self { party: old.party, stake: None }
//!     }
//! }
//!
//! impl Versioned for Vote {
//!     const NAME: &'static str = "vote";
//!     const OLDEST: u32 = 1;
//!     const FORMAT: u32 = 2;
//!
//!     fn read<'de, D: Deserializer<'de>>(format: u32, input: D) -> Result<Self, D::Error> {
//!         match format {
//!             1 => Vote1::deserialize(input).map(Self::from),
//!             2 => Self::deserialize(input),
//!             _ => Err(D::Error::custom(UnknownFormat::of::<Self>(format))),
//!         }
//!     }
//! }
//!
//! let json = serde_json::json!({ "party": "pool1" });
//! assert_eq!(decode::<Vote, _>(1, &json)?, Vote { party: "pool1".to_owned(), stake: None });
//! let error = decode::<Vote, _>(3, &json).unwrap_err();
//! assert_eq!(error.to_string(), "vote has format 3, this build reads formats 1 to 2");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Whoever adds a format keeps the golden file of each older one, and adds one for the new.

use core::fmt;
use core::ops::RangeInclusive;

use semver::Version;

use crate::error::{Error, ErrorKind};

/// Is read from any format between the oldest that is supported and its current one, and written in the current one.
#[cfg(feature = "serde")]
pub trait Versioned: Sized {
    /// Names the thing in errors, in lower case.
    const NAME: &'static str;
    /// Is the oldest format that is read.
    const OLDEST: u32;
    /// Is the format that is written.
    const FORMAT: u32;

    /// Reads the shape that `format` had and brings it up to date. Called by [`decode`], which has refused formats outside
    /// [`Versioned::OLDEST`] to [`Versioned::FORMAT`]; a match needs an arm for them all the same, see
    /// [`UnknownFormat::of`].
    ///
    /// # Errors
    /// Those of `input`, when it has another shape than `format` had.
    fn read<'de, D: serde::Deserializer<'de>>(format: u32, input: D) -> Result<Self, D::Error>;
}

/// Reads a value that was written in `format`.
///
/// # Errors
/// [`FormatError::Unknown`] before anything is read, if this build does not read that format; `Unreadable` if the input
/// has another shape than the format had.
#[cfg(feature = "serde")]
pub fn decode<'de, T: Versioned, D: serde::Deserializer<'de>>(
    format: u32,
    input: D,
) -> Result<T, FormatError<D::Error>> {
    UnknownFormat::check(T::NAME, T::OLDEST..=T::FORMAT, format)?;
    T::read(format, input).map_err(|source| FormatError::Unreadable { what: T::NAME, format, source })
}

/// Reads the field `format` of the current shape and refuses every other format by name, before the fields that this
/// build would miss or not know. For `#[serde(deserialize_with = "current_format::<T, _>")]`, so that whoever reads a value
/// without asking for its format is stopped too.
///
/// # Errors
/// Those of `input`; one with the text of [`UnknownFormat`].
#[cfg(feature = "serde")]
pub fn current_format<'de, T: Versioned, D: serde::Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let found = <u32 as serde::Deserialize>::deserialize(input)?;
    UnknownFormat::check(T::NAME, T::FORMAT..=T::FORMAT, found).map_err(serde::de::Error::custom)?;
    Ok(found)
}

/// Is the one field that every format of a stored value has, `format`; the others are passed over. To be read before the
/// value. Only a map has it: serde would take a list for a struct.
#[cfg(feature = "serde")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatTag {
    /// Is the format of the value around it.
    pub format: u32,
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for FormatTag {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(TagVisitor)
    }
}

#[cfg(feature = "serde")]
struct TagVisitor;

#[cfg(feature = "serde")]
impl<'de> serde::de::Visitor<'de> for TagVisitor {
    type Value = FormatTag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with the field `format`")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<FormatTag, A::Error> {
        use serde::de::{Error as _, IgnoredAny};

        let mut found = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key != "format" {
                map.next_value::<IgnoredAny>()?;
            } else if found.replace(map.next_value()?).is_some() {
                return Err(A::Error::duplicate_field("format"));
            }
        }
        let format = found.ok_or_else(|| A::Error::missing_field("format"))?;
        Ok(FormatTag { format })
    }
}

/// Says why a value cannot be read; `E` is the error of the input, such as `serde_json::Error`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError<E> {
    /// Its format is not one that this build reads.
    #[error(transparent)]
    Unknown(#[from] UnknownFormat),
    /// It has another shape than its format had.
    #[error("{what} of format {format} cannot be read: {source}")]
    Unreadable {
        /// Names the thing.
        what: &'static str,
        /// Is its format.
        format: u32,
        /// Says why.
        source: E,
    },
}

impl<E: std::error::Error + Send + Sync + 'static> From<FormatError<E>> for Error {
    fn from(error: FormatError<E>) -> Self {
        Self::new(ErrorKind::InvalidData, "decode").because(error)
    }
}

/// Says that something has a format that this build does not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} has format {found}, this build reads {}", Formats(known))]
pub struct UnknownFormat {
    /// Names the thing.
    pub what: &'static str,
    /// Is the format that was found.
    pub found: u32,
    /// Holds the formats that this build reads.
    pub known: RangeInclusive<u32>,
}

impl UnknownFormat {
    /// Checks that `found` is one of the formats in `known`; for formats that serde does not read.
    ///
    /// # Errors
    /// `Self`, if it is not.
    pub fn check(what: &'static str, known: RangeInclusive<u32>, found: u32) -> Result<(), Self> {
        if known.contains(&found) { Ok(()) } else { Err(Self { what, found, known }) }
    }

    /// Makes the error for `found`, a format of `T`.
    #[cfg(feature = "serde")]
    #[must_use]
    pub fn of<T: Versioned>(found: u32) -> Self {
        Self { what: T::NAME, found, known: T::OLDEST..=T::FORMAT }
    }
}

impl From<UnknownFormat> for Error {
    fn from(error: UnknownFormat) -> Self {
        Self::new(ErrorKind::InvalidData, "decode").because(error)
    }
}

/// Says which format a message has under each version of an API.
///
/// An entry is the first version with a format; it holds until the next entry's.
///
/// ```
/// use nodewright_core::api::{FormatTable, Version};
///
/// // The proof changed once.
/// static PROOF: &[(Version, u32)] = &[(Version::new(0, 1, 10), 1), (Version::new(0, 1, 70), 2)];
/// let table = FormatTable::new(PROOF);
/// assert_eq!(table.at(&Version::new(0, 1, 69)), Some(1));
/// assert_eq!(table.at(&Version::new(0, 1, 71)), Some(2));
/// assert_eq!(table.at(&Version::new(0, 1, 9)), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FormatTable {
    entries: &'static [(Version, u32)],
}

impl FormatTable {
    /// Makes the table from first versions and their formats, in any order.
    #[must_use]
    pub const fn new(entries: &'static [(Version, u32)]) -> Self {
        Self { entries }
    }

    /// Returns the format under `version` of the API; `None` if the message did not exist then.
    #[must_use]
    pub fn at(&self, version: &Version) -> Option<u32> {
        let since = self.entries.iter().filter(|(first, _)| first.cmp_precedence(version).is_le());
        since.max_by(|left, right| left.0.cmp_precedence(&right.0)).map(|(_, format)| *format)
    }
}

/// Prints which formats are read.
struct Formats<'a>(&'a RangeInclusive<u32>);

impl fmt::Display for Formats<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (oldest, newest) = (self.0.start(), self.0.end());
        if oldest == newest { write!(f, "format {newest}") } else { write!(f, "formats {oldest} to {newest}") }
    }
}
