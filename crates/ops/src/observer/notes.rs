//! What is remembered of followed transactions as text beside the checkpoint, and how older text becomes it.

use std::collections::VecDeque;

use nodewright_core::api::{FormatTag, UnknownFormat, Versioned, decode};
use nodewright_core::{Error, ErrorKind, Result};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::follow::{Applied, FollowUps, Removed};

impl FollowUps {
    /// Returns the state as text for `Checkpoint::notes`; `None` if there is nothing to remember.
    ///
    /// # Errors
    /// `InvalidData` if it cannot be written, which its form rules out.
    pub fn to_notes(&self) -> Result<Option<String>> {
        if self.is_empty() {
            return Ok(None);
        }
        let notes = Notes { format: Self::FORMAT, unfinal: &self.unfinal, removed: &self.removed };
        serde_json::to_string(&notes).map(Some).map_err(|error| invalid().because(error))
    }

    /// Reads what [`FollowUps::to_notes`] of this or an earlier version wrote.
    ///
    /// # Errors
    /// `InvalidData` if it is anything else; text of a later format is refused by name.
    pub fn from_notes(notes: Option<&str>) -> Result<Self> {
        let Some(text) = notes else {
            return Ok(Self::default());
        };
        // What does not name its format is of the form before formats had names, or nothing.
        let format = serde_json::from_str::<FormatTag>(text).map_or(UNNAMED, |tag| tag.format);
        decode(format, &mut serde_json::Deserializer::from_str(text)).map_err(|error| invalid().because(error))
    }
}

impl Versioned for FollowUps {
    const NAME: &'static str = "list of followed transactions";
    const OLDEST: u32 = UNNAMED;
    const FORMAT: u32 = 1;

    fn read<'de, D: Deserializer<'de>>(format: u32, input: D) -> core::result::Result<Self, D::Error> {
        match format {
            UNNAMED => Notes0::deserialize(input).map(Self::from),
            1 => Notes1::deserialize(input).map(Self::from),
            _ => Err(D::Error::custom(UnknownFormat::of::<Self>(format))),
        }
    }
}

/// Is the current form, as it is written.
#[derive(Serialize)]
struct Notes<'a> {
    format: u32,
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    unfinal: &'a VecDeque<Applied>,
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    removed: &'a VecDeque<Removed>,
}

/// Is format 1, which names itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notes1 {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(default)]
    unfinal: VecDeque<Applied>,
    #[serde(default)]
    removed: VecDeque<Removed>,
}

impl From<Notes1> for FollowUps {
    fn from(Notes1 { unfinal, removed, .. }: Notes1) -> Self {
        Self { unfinal, removed }
    }
}

/// Is the form before it, which had no place for a version.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notes0 {
    #[serde(default)]
    unfinal: VecDeque<Applied>,
    #[serde(default)]
    removed: VecDeque<Removed>,
}

impl From<Notes0> for FollowUps {
    fn from(Notes0 { unfinal, removed }: Notes0) -> Self {
        Self { unfinal, removed }
    }
}

fn invalid() -> Error {
    Error::new(ErrorKind::InvalidData, "checkpoint notes")
}

/// Is the number of the form that does not name its version.
const UNNAMED: u32 = 0;
