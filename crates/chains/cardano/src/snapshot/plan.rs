//! What is to be restored, checked against its certificate before anything is fetched.

use super::error::PlanError;
use super::model::Snapshot;
use crate::artifact::{MmrNode, bind_database, database_hash};
use crate::certificate::Certificate;
use crate::keys::VerificationKey;
use crate::network::CardanoNetwork;
use crate::text::hash_bytes;

/// Holds a snapshot that fits its certificate and the wanted network.
#[derive(Clone, Debug)]
pub struct RestorePlan {
    pub(super) snapshot: Snapshot,
    pub(super) certificate: Certificate,
    pub(super) network: CardanoNetwork,
    pub(super) ancillary: Option<VerificationKey>,
}

impl RestorePlan {
    /// Checks that `certificate`, which must have been verified up to its genesis, signs `snapshot`, and that both are of
    /// `network`. The plan is to restore the immutable files alone.
    ///
    /// # Errors
    /// [`PlanError`] says what does not fit.
    pub fn try_new(snapshot: Snapshot, certificate: Certificate, network: CardanoNetwork) -> Result<Self, PlanError> {
        for found in [snapshot.network.as_str(), certificate.network()] {
            if found != network.name() {
                return Err(PlanError::Network { found: found.to_owned(), wanted: network.name().to_owned() });
            }
        }
        let root = hash_bytes(&snapshot.merkle_root)
            .ok_or_else(|| PlanError::Root { root: snapshot.merkle_root.chars().take(80).collect() })?;
        let root = MmrNode::new(root);
        bind_database(&certificate, snapshot.certificate_hash, &snapshot.beacon, &root)?;
        let computed = database_hash(snapshot.beacon.epoch, &root);
        if computed != snapshot.hash {
            return Err(PlanError::Hash { computed, stated: snapshot.hash.chars().take(80).collect() });
        }
        Ok(Self { snapshot, certificate, network, ancillary: None })
    }

    /// Plans to restore the ledger state too, if its manifest is signed by `key`. No stake stands behind these files, that
    /// key alone does; without them the node computes the ledger state from its blocks.
    #[must_use]
    pub fn with_ancillary(mut self, key: VerificationKey) -> Self {
        self.ancillary = Some(key);
        self
    }

    /// Returns the snapshot.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}
