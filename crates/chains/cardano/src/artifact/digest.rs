//! The SHA-256 of every immutable file of a Cardano database, and the root that a certificate signs over them.
//!
//! A node cuts its chain into numbered trios `00000.chunk`, `.primary`, `.secondary`. A leaf of the tree is the digest as
//! 64 hex digits; leaves stand in the order of number, then chunk, primary, secondary. Source: `mithril-common` 0.8 and
//! `mithril-cardano-node-internal-database` 0.3; measured on the corpus: 17,433 digests of preprod.

use core::fmt;
use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::mmr::{MmrAccumulator, MmrNode};
use crate::text::hash_bytes;
use crate::units::ImmutableFileNumber;

/// Tells the three files of a trio apart, in the order in which they are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImmutableKind {
    /// The blocks.
    Chunk,
    /// The index by slot.
    Primary,
    /// The index by block.
    Secondary,
}

impl ImmutableKind {
    /// All three, in order.
    pub const ALL: [Self; 3] = [Self::Chunk, Self::Primary, Self::Secondary];

    /// Returns the extension of the file's name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Chunk => "chunk",
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}

/// Names an immutable file, such as `05810.chunk`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImmutableFile {
    /// The number of its trio.
    pub number: ImmutableFileNumber,
    /// Which file of the trio it is.
    pub kind: ImmutableKind,
}

impl ImmutableFile {
    /// Returns the three files of trio `number`, in order.
    #[must_use]
    pub fn trio(number: ImmutableFileNumber) -> [Self; 3] {
        ImmutableKind::ALL.map(|kind| Self { number, kind })
    }
}

/// Prints the file's name: at least five digits, a dot, the extension.
impl fmt::Display for ImmutableFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}.{}", self.number.0, self.kind.extension())
    }
}

impl FromStr for ImmutableFile {
    type Err = DigestError;

    fn from_str(name: &str) -> Result<Self, DigestError> {
        let refused = || DigestError::Name { name: name.chars().take(80).collect() };
        let (number, extension) = name.split_once('.').ok_or_else(refused)?;
        let kind = ImmutableKind::ALL.into_iter().find(|kind| kind.extension() == extension).ok_or_else(refused)?;
        let file = Self { number: ImmutableFileNumber(number.parse().map_err(|_| refused())?), kind };
        // One file, one name: `+1.chunk` and `1.chunk` are none.
        if file.to_string() == name { Ok(file) } else { Err(refused()) }
    }
}

/// Holds the digests of immutable files, as the digests route and the digests archive state them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DigestList {
    files: BTreeMap<ImmutableFile, [u8; 32]>,
}

impl DigestList {
    /// Reads the JSON `[{"immutable_file_name":…,"digest":…},…]`.
    ///
    /// # Errors
    /// [`DigestError`] for anything else, for a name or digest that is none, and for a name that comes twice.
    pub fn from_json(json: &[u8]) -> Result<Self, DigestError> {
        let items: Vec<JsonItem> =
            serde_json::from_slice(json).map_err(|error| DigestError::Json { reason: error.to_string() })?;
        let mut list = Self::default();
        for item in items {
            let file: ImmutableFile = item.immutable_file_name.parse()?;
            let digest = hash_bytes(&item.digest)
                .ok_or_else(|| DigestError::Digest { file, digest: item.digest.chars().take(80).collect() })?;
            if list.insert(file, digest).is_some() {
                return Err(DigestError::Duplicate { file });
            }
        }
        Ok(list)
    }

    /// Writes the JSON that [`DigestList::from_json`] reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        let items = self
            .files
            .iter()
            .map(|(file, digest)| JsonItem { immutable_file_name: file.to_string(), digest: hex::encode(digest) });
        serde_json::json!(items.collect::<Vec<_>>()).to_string()
    }

    /// Adds a file's digest and returns the one that stood there.
    pub fn insert(&mut self, file: ImmutableFile, digest: [u8; 32]) -> Option<[u8; 32]> {
        self.files.insert(file, digest)
    }

    /// Returns the digest of a file.
    #[must_use]
    pub fn digest(&self, file: ImmutableFile) -> Option<&[u8; 32]> {
        self.files.get(&file)
    }

    /// Returns all files and digests, in the order of the tree.
    pub fn iter(&self) -> impl Iterator<Item = (ImmutableFile, &[u8; 32])> {
        self.files.iter().map(|(file, digest)| (*file, digest))
    }

    /// Returns how many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Says whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Computes the root over all files of the trios up to and including `last`; later files do not count.
    ///
    /// # Errors
    /// - [`DigestError::NotEnoughImmutable`] if the files end before that trio;
    /// - [`DigestError::Missing`] if one is missing on the way.
    pub fn root(&self, last: ImmutableFileNumber) -> Result<MmrNode, DigestError> {
        let mut range = MmrAccumulator::new();
        let mut text = [0; 64];
        let highest = check_complete(self.files.keys(), last)?;
        for (_, digest) in self.files.iter().take_while(|(file, _)| file.number <= last) {
            if hex::encode_to_slice(digest, &mut text).is_ok() {
                range.push(&text);
            }
        }
        range.root().ok_or(DigestError::NotEnoughImmutable { highest: Some(highest), wanted: last })
    }

    /// Drops all files after trio `last`.
    pub(crate) fn truncate(&mut self, last: ImmutableFileNumber) {
        self.files.retain(|file, _| file.number <= last);
    }
}

/// Says why digests, or the files of a folder, give no root.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The text is no digest.
    #[error("not a digest of {file}: {digest:?}")]
    Digest {
        /// The file.
        file: ImmutableFile,
        /// The text, cut to 80 characters.
        digest: String,
    },
    /// A file is listed twice.
    #[error("{file} is listed twice")]
    Duplicate {
        /// The file.
        file: ImmutableFile,
    },
    /// The JSON is not that of a list.
    #[error("not a list of digests: {reason}")]
    Json {
        /// What the parser says.
        reason: String,
    },
    /// A file is missing before the last one.
    #[error("{file} is missing")]
    Missing {
        /// The file.
        file: ImmutableFile,
    },
    /// The name is that of no immutable file.
    #[error("not the name of an immutable file: {name:?}")]
    Name {
        /// The name, cut to 80 characters.
        name: String,
    },
    /// The files end before the certified one.
    #[error("not enough immutable files: {wanted} is wanted, the highest is {}", highest.map_or("none".to_owned(), |number| number.to_string()))]
    NotEnoughImmutable {
        /// The highest trio that is there, if any is.
        highest: Option<ImmutableFileNumber>,
        /// The trio that the certificate names.
        wanted: ImmutableFileNumber,
    },
}

#[derive(Serialize, Deserialize)]
struct JsonItem {
    immutable_file_name: String,
    digest: String,
}

/// Checks that `files`, in order, have every file up to trio `last`, and returns the highest trio.
pub(super) fn check_complete<'a>(
    files: impl DoubleEndedIterator<Item = &'a ImmutableFile> + Clone,
    last: ImmutableFileNumber,
) -> Result<ImmutableFileNumber, DigestError> {
    let highest = files.clone().next_back().map(|file| file.number);
    let highest =
        highest.filter(|highest| *highest >= last).ok_or(DigestError::NotEnoughImmutable { highest, wanted: last })?;
    let mut expected = ImmutableFile { number: ImmutableFileNumber(0), kind: ImmutableKind::Chunk };
    for file in files.take_while(|file| file.number <= last) {
        if *file != expected {
            break;
        }
        expected = following(expected);
    }
    if expected.number <= last { Err(DigestError::Missing { file: expected }) } else { Ok(highest) }
}

fn following(file: ImmutableFile) -> ImmutableFile {
    match file.kind {
        ImmutableKind::Chunk => ImmutableFile { kind: ImmutableKind::Primary, ..file },
        ImmutableKind::Primary => ImmutableFile { kind: ImmutableKind::Secondary, ..file },
        ImmutableKind::Secondary => {
            ImmutableFile { number: ImmutableFileNumber(file.number.0.saturating_add(1)), kind: ImmutableKind::Chunk }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(trios: u64) -> DigestList {
        let mut list = DigestList::default();
        for (index, file) in (0..trios).map(ImmutableFileNumber).flat_map(ImmutableFile::trio).enumerate() {
            list.insert(file, [u8::try_from(index).unwrap(); 32]);
        }
        list
    }

    #[test]
    fn a_file_has_one_name() {
        for name in ["00000.chunk", "05810.primary", "123456.secondary"] {
            assert_eq!(name.parse::<ImmutableFile>().unwrap().to_string(), name);
        }
        for name in ["0.chunk", "00000.chunk.tmp", "+0001.chunk", "000001.chunk", "00000", ".chunk", "00001.Chunk", ""]
        {
            assert!(matches!(name.parse::<ImmutableFile>(), Err(DigestError::Name { .. })), "{name:?}");
        }
    }

    #[test]
    fn later_files_do_not_change_the_root() {
        let mut short = list(4);
        short.truncate(ImmutableFileNumber(2));
        assert_eq!(short.len(), 9);
        assert_eq!(list(4).root(ImmutableFileNumber(2)), short.root(ImmutableFileNumber(2)));
        assert_ne!(list(4).root(ImmutableFileNumber(2)), list(4).root(ImmutableFileNumber(3)));
    }

    #[test]
    fn a_hole_is_named_and_an_early_end_is_not_enough() {
        let hole = ImmutableFile { number: ImmutableFileNumber(1), kind: ImmutableKind::Primary };
        let mut holed = list(3);
        holed.files.remove(&hole);
        assert_eq!(holed.root(ImmutableFileNumber(2)), Err(DigestError::Missing { file: hole }));
        let end = ImmutableFile { number: ImmutableFileNumber(2), kind: ImmutableKind::Secondary };
        let mut ended = list(3);
        ended.files.remove(&end);
        assert_eq!(ended.root(ImmutableFileNumber(2)), Err(DigestError::Missing { file: end }));
        let short = list(2).root(ImmutableFileNumber(2));
        assert_eq!(
            short,
            Err(DigestError::NotEnoughImmutable {
                highest: Some(ImmutableFileNumber(1)),
                wanted: ImmutableFileNumber(2)
            })
        );
        let none = DigestList::default().root(ImmutableFileNumber(0));
        assert_eq!(none, Err(DigestError::NotEnoughImmutable { highest: None, wanted: ImmutableFileNumber(0) }));
    }

    #[test]
    fn json_reads_back_and_duplicates_are_refused() {
        let list = list(2);
        assert_eq!(DigestList::from_json(list.to_json().as_bytes()), Ok(list));
        let item = format!(r#"{{"immutable_file_name":"00000.chunk","digest":"{}"}}"#, "0".repeat(64));
        let file = ImmutableFile { number: ImmutableFileNumber(0), kind: ImmutableKind::Chunk };
        let twice = DigestList::from_json(format!("[{item},{item}]").as_bytes());
        assert_eq!(twice, Err(DigestError::Duplicate { file }));
        let upper = item.replace("000\"}", "00A\"}");
        assert!(matches!(DigestList::from_json(format!("[{upper}]").as_bytes()), Err(DigestError::Digest { .. })));
    }
}
