//! Binding what was recomputed to the certificate that signs it.

use nodewright_core::{BlockHeight, Epoch};
use thiserror::Error;

use super::mmr::MmrNode;
use crate::certificate::{
    AggregateVerificationKey, Certificate, CertificateHash, DatabaseBeacon, EntityKind, MessagePartKey, SignedEntity,
};

/// Says that an artifact is not what its certificate signs.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BindError {
    /// The certificate is another one.
    #[error("the artifact names certificate {stated}, not {given}")]
    Certificate {
        /// The certificate that was given.
        given: CertificateHash,
        /// The one that the artifact names.
        stated: CertificateHash,
    },
    /// The certificate signs an entity of another kind, or of another epoch, block or file.
    #[error("certificate {certificate} signs {entity}, not {expected}")]
    Entity {
        /// The certificate.
        certificate: CertificateHash,
        /// What it signs.
        entity: Box<SignedEntity>,
        /// What the artifact is.
        expected: String,
    },
    /// The certificate signs another value.
    #[error("{} is {computed}, but the certificate signs {}", part.as_str(), signed.as_deref().unwrap_or("nothing of that name"))]
    Part {
        /// Which part of the message.
        part: MessagePartKey,
        /// What the artifact gives.
        computed: String,
        /// What the certificate signs, if it has the part.
        signed: Option<String>,
    },
}

/// Checks that `certificate` is the one that was `stated` and signs the database up to `beacon`, under `root`.
pub(crate) fn bind_database(
    certificate: &Certificate,
    stated: CertificateHash,
    beacon: &DatabaseBeacon,
    root: &MmrNode,
) -> Result<(), BindError> {
    Binding::new(certificate, stated)?.database(beacon, root)
}

/// Collects the checks that an artifact makes against one certificate.
pub(super) struct Binding<'a> {
    certificate: &'a Certificate,
}

impl<'a> Binding<'a> {
    /// Starts with the certificate's name, as the artifact states it.
    pub(super) fn new(certificate: &'a Certificate, stated: CertificateHash) -> Result<Self, BindError> {
        let given = certificate.hash;
        if given == stated { Ok(Self { certificate }) } else { Err(BindError::Certificate { given, stated }) }
    }

    pub(super) fn part(&self, part: MessagePartKey, computed: &str) -> Result<(), BindError> {
        let signed = self.certificate.protocol_message.part(part);
        if signed == Some(computed) {
            return Ok(());
        }
        let signed = signed.map(|text| text.chars().take(160).collect());
        Err(BindError::Part { part, computed: computed.to_owned(), signed })
    }

    /// Checks that the certificate signs the database up to `beacon`, under `root`.
    pub(super) fn database(&self, beacon: &DatabaseBeacon, root: &MmrNode) -> Result<(), BindError> {
        let matches = matches!(&self.certificate.signed_entity, SignedEntity::CardanoDatabase(signed)
            if signed.epoch == beacon.epoch && signed.immutable_file_number == beacon.immutable_file_number);
        self.entity(
            matches,
            EntityKind::CardanoDatabase,
            &format_args!("epoch {}, file {}", beacon.epoch, beacon.immutable_file_number),
        )?;
        self.part(MessagePartKey::CardanoDatabaseMerkleRoot, &root.to_hex())
    }

    /// Checks that the certificate signs the stake of all pools of `epoch`, under `root`.
    pub(super) fn stake(&self, epoch: Epoch, root: &MmrNode) -> Result<(), BindError> {
        let matches = self.certificate.signed_entity == SignedEntity::CardanoStakeDistribution(epoch);
        self.entity(matches, EntityKind::CardanoStakeDistribution, &format_args!("epoch {epoch}"))?;
        self.part(MessagePartKey::CardanoStakeDistributionEpoch, &epoch.to_string())?;
        self.part(MessagePartKey::CardanoStakeDistributionMerkleRoot, &root.to_hex())
    }

    /// Checks that the certificate signs the signers of `epoch`, who have `key` together.
    pub(super) fn signers(&self, epoch: Epoch, key: &AggregateVerificationKey) -> Result<(), BindError> {
        let matches = self.certificate.signed_entity == SignedEntity::MithrilStakeDistribution(epoch);
        self.entity(matches, EntityKind::MithrilStakeDistribution, &format_args!("epoch {epoch}"))?;
        self.part(MessagePartKey::NextAggregateVerificationKey, key.as_str())
    }

    /// Checks that the certificate signs the transactions up to `last`, under `root`.
    pub(super) fn transactions(&self, last: BlockHeight, root: &MmrNode) -> Result<(), BindError> {
        let matches =
            matches!(self.certificate.signed_entity, SignedEntity::CardanoTransactions { block, .. } if block == last);
        self.entity(matches, EntityKind::CardanoTransactions, &format_args!("block {last}"))?;
        self.part(MessagePartKey::CardanoTransactionsMerkleRoot, &root.to_hex())?;
        self.part(MessagePartKey::LatestBlockNumber, &last.to_string())
    }

    /// Checks that the certificate signs the blocks and transactions up to `last`, `offset` behind the tip, under `root`.
    pub(super) fn blocks_transactions(&self, last: BlockHeight, behind: u64, root: &MmrNode) -> Result<(), BindError> {
        let matches = matches!(self.certificate.signed_entity,
            SignedEntity::CardanoBlocksTransactions { block, offset, .. } if block == last && offset == behind);
        self.entity(matches, EntityKind::CardanoBlocksTransactions, &format_args!("block {last}, offset {behind}"))?;
        self.part(MessagePartKey::CardanoBlocksTransactionsMerkleRoot, &root.to_hex())?;
        self.part(MessagePartKey::LatestBlockNumber, &last.to_string())?;
        self.part(MessagePartKey::CardanoBlocksTransactionsBlockNumberOffset, &behind.to_string())
    }

    fn entity(&self, matches: bool, kind: EntityKind, detail: &dyn core::fmt::Display) -> Result<(), BindError> {
        if matches {
            return Ok(());
        }
        Err(BindError::Entity {
            certificate: self.certificate.hash,
            entity: Box::new(self.certificate.signed_entity.clone()),
            expected: format!("{} of {detail}", kind.tag()),
        })
    }
}
