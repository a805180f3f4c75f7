//! Digests of immutable files that a certificate signs.

use thiserror::Error;

use super::bind::{BindError, Binding};
use super::digest::{DigestError, DigestList};
use super::folder::{FolderError, HashOptions, HashProgress, ImmutableFolder};
use super::mmr::MmrNode;
use crate::certificate::{Certificate, CertificateHash, DatabaseBeacon, EntityKind, SignedEntity};

/// Holds the digests of all immutable files up to a certificate's beacon: evidence that the certificate signs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertifiedDigests {
    digests: DigestList,
    certificate: CertificateHash,
    beacon: DatabaseBeacon,
    root: MmrNode,
}

/// Says why digests are not certified.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertifiedDigestsError {
    /// The certificate signs something else: another root, or no database at all.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The digests give no root.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl CertifiedDigests {
    /// Checks that `certificate`, which must have been verified, signs these digests. Digests of later files are dropped:
    /// a route that lists all digests lists newer ones too.
    ///
    /// # Errors
    /// [`CertifiedDigestsError`] says what does not fit. Which digest is wrong cannot be told from a wrong root.
    pub fn check(mut digests: DigestList, certificate: &Certificate) -> Result<Self, CertifiedDigestsError> {
        let SignedEntity::CardanoDatabase(beacon) = &certificate.signed_entity else {
            return Err(CertifiedDigestsError::Bind(BindError::Entity {
                certificate: certificate.hash,
                entity: Box::new(certificate.signed_entity.clone()),
                expected: EntityKind::CardanoDatabase.tag().to_owned(),
            }));
        };
        let root = digests.root(beacon.immutable_file_number)?;
        Binding::new(certificate, certificate.hash)?.database(beacon, &root)?;
        digests.truncate(beacon.immutable_file_number);
        Ok(Self { digests, certificate: certificate.hash, beacon: beacon.clone(), root })
    }

    /// Returns the digests.
    #[must_use]
    pub fn digests(&self) -> &DigestList {
        &self.digests
    }

    /// Returns the certificate that signs them.
    #[must_use]
    pub fn certificate(&self) -> CertificateHash {
        self.certificate
    }

    /// Returns how far they reach.
    #[must_use]
    pub fn beacon(&self) -> &DatabaseBeacon {
        &self.beacon
    }

    /// Returns the root over them.
    #[must_use]
    pub fn root(&self) -> &MmrNode {
        &self.root
    }

    /// Hashes every certified file of `folder` and compares. Later files, which a running node goes on writing, are left
    /// alone. It blocks.
    ///
    /// # Errors
    /// As [`ImmutableFolder::compare`]; before anything is hashed, [`DigestError::NotEnoughImmutable`] if the folder ends
    /// before the beacon.
    pub fn check_folder(
        &self,
        folder: &ImmutableFolder,
        options: HashOptions<'_>,
    ) -> Result<HashProgress, FolderError> {
        folder.require(self.beacon.immutable_file_number)?;
        folder.compare(&self.digests, options)
    }
}
