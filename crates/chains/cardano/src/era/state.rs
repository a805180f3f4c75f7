//! What the guard keeps between readings, and the file that it keeps it in.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use nodewright_core::Epoch;
use nodewright_core::api::{FormatError, FormatTag, UnknownFormat, Versioned, decode};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use sha2::{Digest as _, Sha256};

use super::{Markers, PayloadError, SignedMarkers};
use crate::keys::{Signature, VerificationKey};

/// Holds what the guard knows from earlier readings of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardState {
    /// Names whose markers they are, such as `release-preprod`; a state of one network is no use for another.
    scope: String,
    /// Is the list that was accepted last; `None` before the first.
    accepted: Option<Accepted>,
    /// Holds the fingerprints of the lists that were accepted before it and replaced, oldest first.
    replaced: Vec<Fingerprint>,
}

impl GuardState {
    /// Makes a state without any reading, for the markers of `scope`.
    #[must_use]
    pub fn new(scope: impl Into<String>) -> Self {
        Self { scope: scope.into(), accepted: None, replaced: Vec::new() }
    }

    /// Returns whose markers they are.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Returns the list that was accepted last.
    #[must_use]
    pub fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    /// Accepts a list on the word of a person, whatever the guard makes of it: when an operator did take back what they
    /// had announced. Later lists are judged from it.
    pub fn trust(&mut self, markers: Markers, signature: Option<Signature>, epoch: Epoch) {
        let fingerprint = Fingerprint::of(&markers);
        self.replaced.retain(|replaced| *replaced != fingerprint);
        self.accept(markers, signature, epoch);
    }

    /// Returns whether a list was accepted once and replaced since.
    pub(super) fn was_replaced(&self, markers: &Markers) -> bool {
        self.replaced.contains(&Fingerprint::of(markers))
    }

    /// Accepts a list that was judged.
    pub(super) fn accept(&mut self, markers: Markers, signature: Option<Signature>, epoch: Epoch) {
        let accepted = Accepted { markers, signature, epoch };
        let before = self.accepted.replace(accepted);
        let after = self.accepted.as_ref();
        if let Some(before) = before.filter(|before| after.is_some_and(|after| after.markers != before.markers)) {
            self.replaced.push(Fingerprint::of(&before.markers));
            let spare = self.replaced.len().saturating_sub(MAX_REPLACED);
            self.replaced.drain(..spare);
        }
    }
}

impl Versioned for GuardState {
    const NAME: &'static str = "era guard state";
    const OLDEST: u32 = 1;
    const FORMAT: u32 = 1;

    fn read<'de, D: Deserializer<'de>>(format: u32, input: D) -> Result<Self, D::Error> {
        match format {
            1 => Stored::deserialize(input).map(Self::from),
            _ => Err(D::Error::custom(UnknownFormat::of::<Self>(format))),
        }
    }
}

/// Is a list that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Is the list.
    pub markers: Markers,
    /// Is its signature; `None` if its source signs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Is the latest epoch in which it was read.
    pub epoch: Epoch,
}

/// Is SHA-256 of a list's compact JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(markers: &Markers) -> Self {
        Self(Sha256::digest(markers.to_json()).into())
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map(|()| Self(bytes))
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        hex::encode(fingerprint.0)
    }
}

/// Keeps a guard's state in a file, replaced as a whole or not at all.
#[derive(Clone, Debug)]
pub struct GuardFile {
    path: PathBuf,
    scope: String,
    key: Option<VerificationKey>,
}

impl GuardFile {
    /// Names the file, whose markers it is for, and the key that signs them; `None` if nothing is signed.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, scope: impl Into<String>, key: Option<VerificationKey>) -> Self {
        Self { path: path.into(), scope: scope.into(), key }
    }

    /// Reads the state; an empty one if there is no file. It blocks.
    ///
    /// # Errors
    /// [`GuardStateError`], among them an edited list: its signature is checked again.
    pub fn load(&self) -> Result<GuardState, GuardStateError> {
        let mut bytes = Vec::new();
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(GuardState::new(&self.scope)),
            Err(error) => return Err(self.failed(&error)),
        };
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| self.failed(&error))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(GuardStateError::TooLarge { path: self.path.clone() });
        }
        let state = from_json(&bytes)?;
        if state.scope != self.scope {
            return Err(GuardStateError::Scope { found: state.scope, expected: self.scope.clone() });
        }
        if let (Some(key), Some(accepted)) = (&self.key, &state.accepted) {
            let signature = accepted.signature.ok_or(PayloadError::Unsigned)?;
            SignedMarkers::try_new(accepted.markers.clone(), signature, key)?;
        }
        Ok(state)
    }

    /// Writes the state beside the file and moves it there, so that a crash leaves the old one or the new. It blocks.
    ///
    /// # Errors
    /// [`GuardStateError::Io`].
    pub fn save(&self, state: &GuardState) -> Result<(), GuardStateError> {
        let beside = self.path.with_extension("new");
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(&to_json(state)?)?;
            file.sync_all()?;
            fs::rename(&beside, &self.path)?;
            // The folder's entry must reach the disk as well.
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> GuardStateError {
        GuardStateError::Io { path: self.path.clone(), kind: error.kind() }
    }
}

/// Says why a guard's state cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardStateError {
    /// It has a format that this build does not read, or another shape than its format.
    #[error(transparent)]
    Format(#[from] FormatError<serde_json::Error>),
    /// The file system refused.
    #[error("era guard state {}: {kind}", .path.display())]
    Io {
        /// Is the file.
        path: PathBuf,
        /// Is the reason.
        kind: io::ErrorKind,
    },
    /// It is not JSON with a format.
    #[error("the era guard state is no json with a format: {0}")]
    Json(serde_json::Error),
    /// It is the state for the markers of another network.
    #[error("the era guard state is for {found}, not for {expected}")]
    Scope {
        /// Is what it is for.
        found: String,
        /// Is what was expected.
        expected: String,
    },
    /// The key did not sign what it says was accepted.
    #[error("the era guard state was changed: {0}")]
    Signature(#[from] PayloadError),
    /// The file is larger than a state can be.
    #[error("era guard state {} is too large", .path.display())]
    TooLarge {
        /// Is the file.
        path: PathBuf,
    },
}

/// Is the shape of format 1.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<Accepted>,
    replaced: Vec<Fingerprint>,
}

impl From<Stored> for GuardState {
    fn from(stored: Stored) -> Self {
        Self { scope: stored.scope, accepted: stored.accepted, replaced: stored.replaced }
    }
}

impl From<GuardState> for Stored {
    fn from(state: GuardState) -> Self {
        let format = GuardState::FORMAT;
        Self { format, scope: state.scope, accepted: state.accepted, replaced: state.replaced }
    }
}

fn from_json(bytes: &[u8]) -> Result<GuardState, GuardStateError> {
    let tag: FormatTag = serde_json::from_slice(bytes).map_err(GuardStateError::Json)?;
    Ok(decode(tag.format, &mut serde_json::Deserializer::from_slice(bytes))?)
}

fn to_json(state: &GuardState) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec_pretty(&Stored::from(state.clone()))?)
}

/// Is how many replaced lists are remembered: Mithril has changed its markers less than ten times in four years.
const MAX_REPLACED: usize = 256;

/// Is the greatest file in bytes: the greatest list and all fingerprints, with generous space.
const MAX_FILE: u64 = 256 << 10;
