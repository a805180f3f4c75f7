//! What an aggregator says of a database snapshot: its list, one in detail, and where the files are.

use nodewright_core::Epoch;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::certificate::{CertificateHash, DatabaseBeacon, Timestamp};
use crate::units::ImmutableFileNumber;

/// Is one line of `/artifact/cardano-database`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SnapshotSummary {
    /// The snapshot's own name, in hex.
    pub hash: String,
    /// The root over the digests of its immutable files, in hex.
    pub merkle_root: String,
    /// How far it reaches.
    pub beacon: DatabaseBeacon,
    /// The certificate that signs the root.
    pub certificate_hash: CertificateHash,
    /// The bytes of all files, ancillary ones included, once unpacked.
    pub total_db_size_uncompressed: u64,
    /// The version of the node that wrote the files.
    pub cardano_node_version: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Says which snapshot of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotChoice {
    /// The furthest one of an epoch.
    Epoch(Epoch),
    /// The one of this name.
    Hash(String),
    /// The furthest one.
    Latest,
}

impl SnapshotChoice {
    /// Finds the snapshot in a list of any order; `None` if it is not there.
    #[must_use]
    pub fn find<'a>(&self, list: &'a [SnapshotSummary]) -> Option<&'a SnapshotSummary> {
        let wanted = |snapshot: &&SnapshotSummary| match self {
            Self::Epoch(epoch) => snapshot.beacon.epoch == *epoch,
            Self::Hash(hash) => snapshot.hash == *hash,
            Self::Latest => true,
        };
        list.iter().filter(wanted).max_by_key(|snapshot| (snapshot.beacon.epoch, snapshot.beacon.immutable_file_number))
    }
}

/// Is a snapshot in detail, as `/artifact/cardano-database/{hash}` serves it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The snapshot's own name, in hex.
    pub hash: String,
    /// The root over the digests of its immutable files, in hex.
    pub merkle_root: String,
    /// The network of Cardano.
    pub network: String,
    /// How far it reaches.
    pub beacon: DatabaseBeacon,
    /// The certificate that signs the root.
    pub certificate_hash: CertificateHash,
    /// The bytes of all files, ancillary ones included, once unpacked.
    pub total_db_size_uncompressed: u64,
    /// Where the list of digests is.
    pub digests: SizedLocations,
    /// Where the immutable files are, each trio in an archive of its own.
    pub immutables: ImmutableLocations,
    /// Where the ledger state is.
    pub ancillary: SizedLocations,
    /// The version of the node that wrote the files.
    pub cardano_node_version: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Names where one file is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SizedLocations {
    /// The bytes once unpacked.
    pub size_uncompressed: u64,
    /// The places, in the order in which they are tried.
    pub locations: Vec<Location>,
}

/// Names where the archives of immutable files are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ImmutableLocations {
    /// The bytes of a trio once unpacked, on average.
    pub average_size_uncompressed: u64,
    /// The places, in the order in which they are tried; each URI is a template.
    pub locations: Vec<Location>,
}

/// Names a place from which a file can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// A `tar.zst` on plain storage.
    Archive {
        /// The URI; for immutable files with `{immutable_file_number}` in it.
        uri: String,
    },
    /// A route of an aggregator that answers with the JSON itself.
    Route {
        /// The URI.
        uri: String,
    },
    /// A kind, or a compression, that this version does not know.
    Unknown {
        /// The kind's tag.
        kind: String,
    },
}

impl Location {
    /// Returns where to get the archive of a trio, or the one file; `None` for an unknown kind.
    #[must_use]
    pub fn uri(&self, number: Option<ImmutableFileNumber>) -> Option<String> {
        match self {
            Self::Archive { uri } => Some(match number {
                Some(number) => uri.replace(TEMPLATE_VARIABLE, &format!("{:05}", number.0)),
                None => uri.clone(),
            }),
            Self::Route { uri } => Some(uri.clone()),
            Self::Unknown { .. } => None,
        }
    }
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(rename = "type")]
            kind: String,
            #[serde(default)]
            uri: Value,
            #[serde(default)]
            compression_algorithm: Option<String>,
        }
        let Wire { kind, uri, compression_algorithm } = Wire::deserialize(deserializer)?;
        let uri = match uri {
            Value::String(uri) => Some(uri),
            Value::Object(members) => members.get("Template").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        let zstd = compression_algorithm.as_deref() == Some("zstandard");
        Ok(match (kind.as_str(), uri) {
            ("cloud_storage", Some(uri)) if zstd => Self::Archive { uri },
            ("aggregator", Some(uri)) => Self::Route { uri },
            _ => Self::Unknown { kind },
        })
    }
}

/// What stands for the number in the URI of immutable files (`mithril-common` 0.8).
const TEMPLATE_VARIABLE: &str = "{immutable_file_number}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_of_known_kinds_are_read_and_others_kept_apart() {
        let read = |json: &str| serde_json::from_str::<Location>(json).unwrap();
        let template = read(
            r#"{"type":"cloud_storage","uri":{"Template":"http://x/{immutable_file_number}.tar.zst"},"compression_algorithm":"zstandard"}"#,
        );
        assert_eq!(template.uri(Some(ImmutableFileNumber(7))).as_deref(), Some("http://x/00007.tar.zst"));
        let route = read(r#"{"type":"aggregator","uri":"http://x/digests"}"#);
        assert_eq!(route, Location::Route { uri: "http://x/digests".to_owned() });
        for unknown in [
            r#"{"type":"ipfs","uri":{"Template":"ipfs://x"},"compression_algorithm":"zstandard"}"#,
            r#"{"type":"cloud_storage","uri":"http://x","compression_algorithm":"gzip"}"#,
            r#"{"type":"cloud_storage","uri":"http://x"}"#,
            r#"{"type":"cloud_storage","uri":{"Other":1},"compression_algorithm":"zstandard"}"#,
        ] {
            assert_eq!(read(unknown).uri(None), None);
        }
    }
}
