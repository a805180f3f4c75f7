//! Artifacts in lists, and those artifacts that are nothing but a root. None of it is verified.

use nodewright_core::{BlockHeight, Epoch};
use serde::{Deserialize, Serialize};

use crate::certificate::{CertificateHash, Timestamp};

/// Is one line of the list of stake distributions, of Mithril's signers or of all pools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StakeDistributionSummary {
    /// Is its epoch.
    pub epoch: Epoch,
    /// Is the artifact's own name, in hex.
    pub hash: String,
    /// Names the certificate that signs it.
    pub certificate_hash: CertificateHash,
    /// Says when it was made.
    pub created_at: Timestamp,
}

/// Is a set of transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransactionsSnapshot {
    /// Is the root over the transactions, in hex.
    pub merkle_root: String,
    /// Is its epoch.
    pub epoch: Epoch,
    /// Is the last block.
    pub block_number: BlockHeight,
    /// Is the artifact's own name, in hex; [`crate::artifact::transactions_hash`] computes it.
    pub hash: String,
    /// Names the certificate that signs it.
    pub certificate_hash: CertificateHash,
    /// Says when it was made.
    pub created_at: Timestamp,
}

/// Is a set of blocks and transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BlocksTransactionsSnapshot {
    /// Is the root over blocks and transactions, in hex.
    pub merkle_root: String,
    /// Is its epoch.
    pub epoch: Epoch,
    /// Is the last block.
    pub block_number_signed: BlockHeight,
    /// Is the tip of the chain at that time.
    pub block_number_tip: BlockHeight,
    /// Is the artifact's own name, in hex; [`crate::artifact::blocks_transactions_hash`] computes it.
    pub hash: String,
    /// Names the certificate that signs it.
    pub certificate_hash: CertificateHash,
    /// Says when it was made.
    pub created_at: Timestamp,
}
