//! Mithril's certificates of blocks as core's source of evidence.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use nodewright_core::{BlockPoint, Error, ErrorKind, Evidence, EvidenceClaim, EvidenceSource, Result};

use super::many::Aggregators;
use crate::artifact::{BlockProofs, block_evidence, verify_block_claim};
use crate::certificate::{AnchorStore, CertificateHash, ChainError, ChainVerifier, VerifiedCertificate};
use crate::node::Genesis;

/// Provides evidence of blocks from aggregators of which nothing is believed: the certificate is verified to its genesis or
/// to an anchor, and the proof of the block under it.
///
/// Aggregators certify some blocks behind the tip (`CardanoBlocksTransactions`). For each new certificate one block is
/// asked for, the newest of those that wait; its ancestors become final with it.
pub struct MithrilBlocks {
    aggregators: Arc<Aggregators>,
    verifier: ChainVerifier,
    anchors: Arc<dyn AnchorStore>,
    genesis: Genesis,
    /// Names the last certificate that gave evidence, and the newest block that it was asked about.
    last: Mutex<Option<(CertificateHash, BlockPoint)>>,
}

impl MithrilBlocks {
    /// Makes the source; `genesis` is of the node whose blocks are followed, and `anchors` keep what was verified.
    #[must_use]
    pub fn new(
        aggregators: Arc<Aggregators>,
        verifier: ChainVerifier,
        anchors: Arc<dyn AnchorStore>,
        genesis: Genesis,
    ) -> Self {
        Self { aggregators, verifier, anchors, genesis, last: Mutex::default() }
    }

    async fn certificate(&self, hash: CertificateHash) -> Result<VerifiedCertificate> {
        let mut quiet = |_| {};
        let walk = self.verifier.verify(&*self.aggregators, hash, Some(&*self.anchors), &mut quiet);
        walk.await.map(|chain| chain.tip).map_err(chain_error)
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<(CertificateHash, BlockPoint)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EvidenceSource for MithrilBlocks {
    async fn evidence(&self, window: &[BlockPoint]) -> Result<Vec<Evidence>> {
        let snapshots =
            self.aggregators.ask(|client| async move { client.blocks_transactions_snapshots().await }).await?;
        let Some(newest) = snapshots.iter().max_by_key(|snapshot| snapshot.block_number_signed) else {
            return Ok(Vec::new());
        };
        let covered = |point: &&BlockPoint| point.id.height <= newest.block_number_signed;
        let Some(point) = window.iter().rev().find(covered) else { return Ok(Vec::new()) };
        let asked = (newest.certificate_hash, *point);
        if *self.last() == Some(asked) {
            return Ok(Vec::new());
        }
        let hashes = [point.id.hash.to_hex()];
        let ask = |hashes: [String; 1]| {
            self.aggregators.ask(move |client| {
                let hashes = hashes.clone();
                async move { client.block_proofs(&hashes).await }
            })
        };
        let proofs = ask(hashes).await?;
        if proofs.certified_blocks.is_none() {
            return Ok(Vec::new());
        }
        let certificate = self.certificate(proofs.certificate_hash).await?;
        let evidence = block_evidence(&certificate, &proofs, &self.genesis)?;
        *self.last() = Some(asked);
        Ok(evidence)
    }

    async fn verify(&self, claim: &EvidenceClaim) -> Result<Evidence> {
        let proofs: BlockProofs = serde_json::from_slice(&claim.bytes)
            .map_err(|error| Error::new(ErrorKind::InvalidData, OP).because(error))?;
        let certificate = self.certificate(proofs.certificate_hash).await?;
        Ok(verify_block_claim(claim, &certificate, &self.genesis)?)
    }
}

impl fmt::Debug for MithrilBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MithrilBlocks").field("genesis", &self.genesis).finish_non_exhaustive()
    }
}

/// What the source could not say passes through; a chain that does not hold is unverified.
fn chain_error(error: ChainError) -> Error {
    match error {
        ChainError::Source(error) => error,
        ChainError::Missing { .. } => Error::new(ErrorKind::NotFound, OP).because(error),
        ChainError::Anchor(_) | ChainError::Threads { .. } => Error::new(ErrorKind::Storage, OP).because(error),
        error => Error::new(ErrorKind::Unverified, OP).because(error),
    }
}

const OP: &str = "mithril evidence";
