//! The ledger state and the newest, unfinished trio: what lets a node start at once.
//!
//! **No stake stands behind these files.** A certificate does not cover them; they are worth what the one key that signs
//! their manifest is worth. A node that is started without them computes the ledger state from its blocks, which takes hours
//! to days.
//!
//! The manifest lists each file with its SHA-256. Signed is the SHA-256 of all paths and hashes in the order of the paths,
//! part by part. Source: `mithril-cardano-node-internal-database` 0.3.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::unpack::UnpackedFile;
use crate::keys::{KeyError, Signature, VerificationKey};
use crate::text::hash_bytes;

/// Lists ancillary files with their digests, signed by a network's ancillary key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AncillaryManifest {
    /// The SHA-256 of each file in hex, by its path below the database folder.
    pub data: BTreeMap<String, String>,
    /// The signature.
    pub signature: Option<Signature>,
}

/// Says why ancillary files were refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AncillaryError {
    /// A file has another digest than the manifest says.
    #[error("ancillary file {path:?} has the digest {found}, the manifest says {expected:?}")]
    Content {
        /// The file.
        path: String,
        /// What the manifest says, cut to 80 characters.
        expected: String,
        /// What it has, in hex.
        found: String,
    },
    /// The manifest is missing or is not one.
    #[error("no ancillary manifest: {reason}")]
    Manifest {
        /// What is wrong.
        reason: String,
    },
    /// A listed file is not in the archive.
    #[error("ancillary file {path:?} is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// The signature is not that of the network's key.
    #[error(transparent)]
    Signature(#[from] KeyError),
    /// The manifest bears no signature.
    #[error("the ancillary manifest is not signed")]
    Unsigned,
    /// A file of the archive is not listed.
    #[error("ancillary file {path:?} is not in the manifest")]
    Unlisted {
        /// The file.
        path: String,
    },
}

impl AncillaryManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`AncillaryError::Manifest`] if it is none.
    pub fn from_json(json: &[u8]) -> Result<Self, AncillaryError> {
        serde_json::from_slice(json).map_err(|error| AncillaryError::Manifest { reason: error.to_string() })
    }

    /// Computes what is signed.
    #[must_use]
    pub fn compute_hash(&self) -> [u8; 32] {
        let mut files: Vec<_> = self.data.iter().collect();
        // Paths sort by their parts, so `a/b` comes before `a-b`.
        files.sort_by(|(a, _), (b, _)| a.split('/').cmp(b.split('/')));
        let mut hasher = Sha256::new();
        for (path, digest) in files {
            hasher.update(path);
            hasher.update(digest);
        }
        hasher.finalize().into()
    }

    /// Checks the signature, and that `files` are exactly the listed ones. The manifest itself is not among them.
    ///
    /// # Errors
    /// [`AncillaryError`] names what does not fit.
    pub fn check(&self, key: &VerificationKey, files: &[UnpackedFile]) -> Result<(), AncillaryError> {
        // Path and digest are signed without a mark between them; a digest of fixed form leaves one way to read them.
        if let Some((path, digest)) = self.data.iter().find(|(_, digest)| hash_bytes(digest).is_none()) {
            let reason = format!("{path:?} has no digest: {:?}", digest.chars().take(80).collect::<String>());
            return Err(AncillaryError::Manifest { reason });
        }
        let signature = self.signature.as_ref().ok_or(AncillaryError::Unsigned)?;
        key.verify(&self.compute_hash(), signature)?;
        for file in files {
            let path = file.name.clone();
            let found = hex::encode(file.sha256);
            match self.data.get(&path) {
                None => return Err(AncillaryError::Unlisted { path }),
                Some(expected) if *expected != found => {
                    return Err(AncillaryError::Content { path, expected: expected.clone(), found });
                }
                Some(_) => {}
            }
        }
        match self.data.keys().find(|path| !files.iter().any(|file| file.name == **path)) {
            Some(path) => Err(AncillaryError::Missing { path: path.clone() }),
            None => Ok(()),
        }
    }
}

/// The name of the manifest in the archive.
pub(super) const MANIFEST: &str = "ancillary_manifest.json";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SigningKey;

    fn files() -> Vec<UnpackedFile> {
        let file = |name: &str, byte| UnpackedFile { name: name.to_owned(), bytes: 1, sha256: [byte; 32] };
        vec![file("ledger/7/meta", 1), file("ledger-x", 2), file("immutable/00004.chunk", 3)]
    }

    fn signed() -> (AncillaryManifest, VerificationKey) {
        let key = SigningKey::from_bytes(&[9; 32]);
        let data = files().into_iter().map(|file| (file.name, hex::encode(file.sha256))).collect();
        let mut manifest = AncillaryManifest { data, signature: None };
        manifest.signature = Some(key.sign(&manifest.compute_hash()));
        (manifest, key.verification_key())
    }

    #[test]
    fn paths_are_signed_in_the_order_of_their_parts() {
        let (manifest, _) = signed();
        let text: String = [("immutable/00004.chunk", 3), ("ledger/7/meta", 1), ("ledger-x", 2)]
            .map(|(path, byte)| format!("{path}{}", hex::encode([byte; 32])))
            .concat();
        assert_eq!(manifest.compute_hash(), <[u8; 32]>::from(Sha256::digest(text)));
    }

    #[test]
    fn every_deviation_has_its_own_error() {
        let (manifest, key) = signed();
        manifest.check(&key, &files()).unwrap();
        let mut changed = files();
        changed[1].sha256 = [7; 32];
        assert!(
            matches!(manifest.check(&key, &changed), Err(AncillaryError::Content { path, .. }) if path == "ledger-x")
        );
        assert!(matches!(manifest.check(&key, &files()[..2]), Err(AncillaryError::Missing { .. })));
        let mut more = files();
        more.push(UnpackedFile { name: "ledger/8/meta".to_owned(), bytes: 1, sha256: [1; 32] });
        assert!(matches!(manifest.check(&key, &more), Err(AncillaryError::Unlisted { .. })));
        let other = SigningKey::from_bytes(&[8; 32]).verification_key();
        assert!(matches!(manifest.check(&other, &files()), Err(AncillaryError::Signature(_))));
        let unsigned = AncillaryManifest { signature: None, ..manifest.clone() };
        assert_eq!(unsigned.check(&key, &files()), Err(AncillaryError::Unsigned));
        let mut moved = manifest;
        let digest = moved.data.remove("ledger-x").unwrap();
        moved.data.insert(format!("ledger-x{}", &digest[..1]), digest[1..].to_owned());
        assert!(matches!(moved.check(&key, &files()), Err(AncillaryError::Manifest { .. })));
    }
}
