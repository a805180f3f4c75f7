//! Certified blocks as core's evidence of finality.
//!
//! Mithril signs blocks with their hash in `CardanoBlocksTransactions` only: a leaf of its tree is a block's hash, height
//! and slot. `CardanoTransactions` signs the height of the last block, and a height names no block, so it is no evidence.

use nodewright_core::{BlockHash, BlockHeight, BlockId, Error, ErrorKind, Evidence, EvidenceClaim, Trust};

use super::chain_proof::{BlockProofs, ChainProofError};
use crate::certificate::{Certificate, VerifiedCertificate};
use crate::node::Genesis;

/// Makes evidence of each block that `proofs` prove under `certificate`, in the order in which they stand there.
///
/// Blocks of Byron are left out: its boundary blocks repeat heights, and core takes two certified blocks of one height
/// for a contradiction.
///
/// The bytes of the evidence are the proofs as JSON, which name the certificate.
///
/// # Errors
/// [`BlockEvidenceError`]: then nothing is proven.
pub fn block_evidence(
    certificate: &VerifiedCertificate,
    proofs: &BlockProofs,
    genesis: &Genesis,
) -> Result<Vec<Evidence>, BlockEvidenceError> {
    let certificate: &Certificate = certificate.certificate();
    if certificate.metadata.network != genesis.network.name() {
        return Err(BlockEvidenceError::Network {
            signed: certificate.metadata.network.clone(),
            expected: genesis.network.name().to_owned(),
        });
    }
    let bytes = serde_json::to_vec(proofs).map_err(|error| BlockEvidenceError::Encode { what: error.to_string() })?;
    let mut evidence = Vec::new();
    for block in proofs.verify(certificate)? {
        let hash = BlockHash::from_hex(&block.block_hash)
            .map_err(|_| BlockEvidenceError::Hash { height: block.block_number })?;
        if block.slot_number >= genesis.byron_end {
            let id = BlockId { height: block.block_number, hash };
            evidence.push(Evidence::attest(id, CERTIFICATE, Trust::Checkpoint, &bytes));
        }
    }
    Ok(evidence)
}

/// Verifies stored evidence of a block again, under the certificate that its bytes name.
///
/// # Errors
/// [`BlockEvidenceError`]: then nothing is proven.
pub fn verify_block_claim(
    claim: &EvidenceClaim,
    certificate: &VerifiedCertificate,
    genesis: &Genesis,
) -> Result<Evidence, BlockEvidenceError> {
    let proofs: BlockProofs =
        serde_json::from_slice(&claim.bytes).map_err(|error| BlockEvidenceError::Encode { what: error.to_string() })?;
    let evidence = block_evidence(certificate, &proofs, genesis)?;
    let found = evidence.into_iter().find(|evidence| evidence.block() == claim.block && *evidence.kind() == claim.kind);
    found.ok_or(BlockEvidenceError::Missing { block: claim.block })
}

/// Says why blocks are not proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockEvidenceError {
    /// The proofs cannot be written as JSON, or read from it.
    #[error("the proofs are not JSON: {what}")]
    Encode {
        /// Says what is wrong.
        what: String,
    },
    /// A proven block has a hash that is not 64 hexadecimal digits.
    #[error("the block at height {height} has no hash of 32 bytes")]
    Hash {
        /// Is the block's height.
        height: BlockHeight,
    },
    /// The stored bytes do not prove the block that the claim names.
    #[error("the proofs do not prove block {} at height {}", .block.hash.to_hex(), .block.height)]
    Missing {
        /// Names the block.
        block: BlockId,
    },
    /// The certificate is of another network.
    #[error("the certificate is of network {signed:?}, not {expected:?}")]
    Network {
        /// Is the network in the certificate.
        signed: String,
        /// Is the network that was asked for.
        expected: String,
    },
    /// The proof does not hold, or the certificate signs something else.
    #[error(transparent)]
    Proof(#[from] ChainProofError),
}

impl From<BlockEvidenceError> for Error {
    fn from(error: BlockEvidenceError) -> Self {
        let kind = match &error {
            BlockEvidenceError::Encode { .. } | BlockEvidenceError::Hash { .. } => ErrorKind::InvalidData,
            BlockEvidenceError::Network { .. } => ErrorKind::ScopeMismatch,
            BlockEvidenceError::Missing { .. } | BlockEvidenceError::Proof(_) => ErrorKind::Unverified,
        };
        Self::new(kind, "verify blocks").because(error)
    }
}

/// Names the kind of certificate in core's [`EvidenceKind::Certificate`](nodewright_core::EvidenceKind::Certificate).
const CERTIFICATE: &str = "mithril";
