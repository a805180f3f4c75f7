//! Verified anchors: certificates from which a later verification need not walk on to the genesis.
//!
//! # What is trusted
//! An anchor is written only after a chain was verified to its genesis (or to an earlier anchor). It holds a digest
//! over the network (name and magic), the genesis key and the exact content of the certificate. On resume the
//! certificate is fetched again and must have that digest; so an anchor of another network or genesis, an edited row and
//! a certificate whose bytes changed are all refused. Who can write the store can still plant an anchor for a
//! certificate of their own making, unless the digest is keyed:
//! [`ChainVerifier::with_anchor_key`](super::ChainVerifier::with_anchor_key) mixes in a secret, without which no digest
//! can be made. Without that key, protect the store as the program's own files.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use nodewright_core::Epoch;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::digest::CertificateHash;
use super::types::Certificate;
use crate::network::MithrilNetwork;
use crate::text::hash_bytes;

/// Keeps verified anchors between runs.
///
/// | id | behaviour |
/// |---|---|
/// | AS-1 | `load` returns what the last `save` for that network stored, or nothing if there was none. |
/// | AS-2 | Content of another network, of another format version or that was damaged is an error, never nothing. |
/// | AS-3 | `save` is atomic: after a crash, `load` returns the old anchors or the new ones, whole. |
#[async_trait]
pub trait AnchorStore: fmt::Debug + Send + Sync {
    /// Loads the anchors of a network.
    ///
    /// # Errors
    /// [`AnchorError`].
    ///
    /// # Cancel safety
    /// Nothing is changed.
    async fn load(&self, network: &NetworkFingerprint) -> Result<Anchors, AnchorError>;

    /// Replaces the anchors of a network.
    ///
    /// # Errors
    /// [`AnchorError`].
    ///
    /// # Cancel safety
    /// The old anchors stay or the new ones are stored, whole.
    async fn save(&self, network: &NetworkFingerprint, anchors: &Anchors) -> Result<(), AnchorError>;
}

/// Binds a Cardano network and a genesis key, see [`MithrilNetwork::fingerprint`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NetworkFingerprint(pub [u8; 32]);

impl From<&MithrilNetwork> for NetworkFingerprint {
    fn from(network: &MithrilNetwork) -> Self {
        Self(network.fingerprint())
    }
}

impl fmt::Debug for NetworkFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetworkFingerprint({self})")
    }
}

impl fmt::Display for NetworkFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Holds the anchors of one network, at most [`Anchors::LIMIT`]: those of the latest epochs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors {
    rows: BTreeMap<CertificateHash, Anchor>,
}

/// Holds what makes one certificate an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Holds the certificate's epoch.
    pub epoch: Epoch,
    /// Holds the digest that its content must have.
    pub digest: AnchorDigest,
}

impl Anchors {
    /// Bounds the anchors of one network: more than the epochs that a network lives through in ten years of five-day
    /// epochs, so that a certificate of any age is near one.
    pub const LIMIT: usize = 1024;

    /// Returns the anchor of a certificate.
    #[must_use]
    pub fn find(&self, hash: &CertificateHash) -> Option<&Anchor> {
        self.rows.get(hash)
    }

    /// Adds an anchor; beyond the limit, the oldest epoch's goes.
    pub fn insert(&mut self, hash: CertificateHash, anchor: Anchor) {
        self.rows.insert(hash, anchor);
        while self.rows.len() > Self::LIMIT {
            let oldest = self.rows.iter().min_by_key(|(hash, anchor)| (anchor.epoch, **hash)).map(|(hash, _)| *hash);
            let Some(oldest) = oldest else { return };
            self.rows.remove(&oldest);
        }
    }

    /// Returns all anchors, by hash.
    pub fn iter(&self) -> impl Iterator<Item = (&CertificateHash, &Anchor)> {
        self.rows.iter()
    }

    /// Counts the anchors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Binds network, genesis key and the exact content of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnchorDigest([u8; 32]);

impl AnchorDigest {
    /// Digests a certificate. `key` is all zero if the digest is not keyed.
    pub(super) fn of(network: &NetworkFingerprint, certificate: &Certificate, key: &[u8; 32]) -> Option<Self> {
        let content = serde_json::to_vec(certificate).ok()?;
        let inner = Sha256::new()
            .chain_update(DIGEST_TAG)
            .chain_update(key)
            .chain_update(network.0)
            .chain_update(certificate.hash.0)
            .chain_update(Sha256::digest(&content))
            .finalize();
        // Hashed twice with the key, so that a digest cannot be extended.
        Some(Self(Sha256::new().chain_update(key).chain_update(inner).finalize().into()))
    }

    /// Makes a digest of its stored text.
    fn from_text(text: &str) -> Option<Self> {
        hash_bytes(text).map(Self)
    }
}

impl fmt::Debug for AnchorDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnchorDigest({self})")
    }
}

impl fmt::Display for AnchorDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Says why anchors cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// The stored bytes are not what the format says.
    #[error("damaged anchors: {reason}")]
    Damaged {
        /// Says what is wrong.
        reason: String,
    },
    /// The anchors are of a format that this version does not read.
    #[error("anchors of format {found}, this version reads {supported}")]
    Format {
        /// Holds the format found.
        found: u64,
        /// Holds the format that is read.
        supported: u64,
    },
    /// The store cannot be read or written.
    #[error("anchor store {path:?}: {source}")]
    Io {
        /// Names the file.
        path: std::path::PathBuf,
        /// Holds the cause.
        source: std::io::Error,
    },
    /// The anchors are of another network or genesis key.
    #[error("anchors of network {found}, not {expected}")]
    OtherNetwork {
        /// Holds the fingerprint of the pinned network.
        expected: NetworkFingerprint,
        /// Holds the fingerprint found.
        found: String,
    },
}

/// Keeps anchors in memory, for tests and for programs that live long.
#[derive(Debug, Default)]
pub struct MemoryAnchors {
    networks: Mutex<Vec<(NetworkFingerprint, Anchors)>>,
}

#[async_trait]
impl AnchorStore for MemoryAnchors {
    async fn load(&self, network: &NetworkFingerprint) -> Result<Anchors, AnchorError> {
        let networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let found = networks.iter().find(|(known, _)| known == network);
        Ok(found.map(|(_, anchors)| anchors.clone()).unwrap_or_default())
    }

    async fn save(&self, network: &NetworkFingerprint, anchors: &Anchors) -> Result<(), AnchorError> {
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        networks.retain(|(known, _)| known != network);
        networks.push((*network, anchors.clone()));
        Ok(())
    }
}

/// The persisted form. A change of it, or of the digest, needs another [`FORMAT`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u64,
    network: String,
    anchors: Vec<StoredRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRow {
    certificate: CertificateHash,
    epoch: Epoch,
    digest: String,
}

/// Writes anchors as the bytes of a file.
pub(super) fn encode(network: &NetworkFingerprint, anchors: &Anchors) -> Result<Vec<u8>, AnchorError> {
    let rows = anchors.iter().map(|(hash, anchor)| StoredRow {
        certificate: *hash,
        epoch: anchor.epoch,
        digest: anchor.digest.to_string(),
    });
    let stored = Stored { format: FORMAT, network: network.to_string(), anchors: rows.collect() };
    serde_json::to_vec_pretty(&stored).map_err(|error| AnchorError::Damaged { reason: error.to_string() })
}

/// Reads the bytes of a file. The format is looked at first, since a later one may have other fields.
pub(super) fn decode(network: &NetworkFingerprint, bytes: &[u8]) -> Result<Anchors, AnchorError> {
    #[derive(Deserialize)]
    struct Version {
        format: u64,
    }
    let damaged = |reason: String| AnchorError::Damaged { reason };
    let Version { format } = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    if format != FORMAT {
        return Err(AnchorError::Format { found: format, supported: FORMAT });
    }
    let stored: Stored = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    if stored.network != network.to_string() {
        return Err(AnchorError::OtherNetwork { expected: *network, found: stored.network });
    }
    if stored.anchors.len() > Anchors::LIMIT {
        return Err(damaged(format!("{} anchors, more than {}", stored.anchors.len(), Anchors::LIMIT)));
    }
    let mut anchors = Anchors::default();
    for row in stored.anchors {
        let digest = AnchorDigest::from_text(&row.digest);
        let digest = digest.ok_or_else(|| damaged(format!("digest {:?}", row.digest)))?;
        anchors.insert(row.certificate, Anchor { epoch: row.epoch, digest });
    }
    Ok(anchors)
}

/// The version of the persisted form and of the digest.
const FORMAT: u64 = 1;
/// Sets the digest apart from other uses of SHA-256.
const DIGEST_TAG: &[u8] = b"nodewright-mithril-anchor-1";

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: NetworkFingerprint = NetworkFingerprint([7; 32]);

    fn anchor(epoch: u64, digest: u8) -> Anchor {
        Anchor { epoch: Epoch(epoch), digest: AnchorDigest([digest; 32]) }
    }

    fn some() -> Anchors {
        let mut anchors = Anchors::default();
        anchors.insert(CertificateHash([1; 32]), anchor(15, 0xaa));
        anchors.insert(CertificateHash([2; 32]), anchor(16, 0xbb));
        anchors
    }

    #[test]
    fn the_file_format_is_the_golden_one() {
        let golden = format!(
            "{{\n  \"format\": 1,\n  \"network\": \"{}\",\n  \"anchors\": [\n    {{\n      \"certificate\": \"{}\",\n      \
             \"epoch\": 15,\n      \"digest\": \"{}\"\n    }},\n    {{\n      \"certificate\": \"{}\",\n      \
             \"epoch\": 16,\n      \"digest\": \"{}\"\n    }}\n  ]\n}}",
            "07".repeat(32),
            "01".repeat(32),
            "aa".repeat(32),
            "02".repeat(32),
            "bb".repeat(32),
        );
        assert_eq!(String::from_utf8(encode(&NETWORK, &some()).unwrap()).unwrap(), golden);
        assert_eq!(decode(&NETWORK, golden.as_bytes()).unwrap(), some());
    }

    #[test]
    fn what_is_not_this_format_is_refused() {
        let bytes = encode(&NETWORK, &some()).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(matches!(decode(&NETWORK, &bytes[..bytes.len() - 1]), Err(AnchorError::Damaged { .. })));
        assert!(matches!(decode(&NETWORK, b""), Err(AnchorError::Damaged { .. })));
        let later = r#"{"format":2,"anchors":{"other":"shape"}}"#;
        assert!(matches!(decode(&NETWORK, later.as_bytes()), Err(AnchorError::Format { found: 2, supported: 1 })));
        let other = NetworkFingerprint([8; 32]);
        assert!(matches!(decode(&other, &bytes), Err(AnchorError::OtherNetwork { .. })));
        let short = text.replace(&"aa".repeat(32), "aa");
        assert!(matches!(decode(&NETWORK, short.as_bytes()), Err(AnchorError::Damaged { .. })));
    }

    #[test]
    fn the_oldest_epochs_go_first() {
        let mut anchors = Anchors::default();
        for number in 0..1030_u64 {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
            anchors.insert(CertificateHash(hash), anchor(number, 0));
        }
        assert_eq!(anchors.len(), Anchors::LIMIT);
        assert_eq!(anchors.iter().map(|(_, anchor)| anchor.epoch.0).min(), Some(6));
    }
}
