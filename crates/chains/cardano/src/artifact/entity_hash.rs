//! The names of artifacts that are not stake distributions: SHA-256 over root and beacon, in hex.

use nodewright_core::{BlockHeight, Epoch};
use sha2::{Digest as _, Sha256};

use super::mmr::MmrNode;

/// Returns the name of the database of `epoch` with this root. The file number is not part of it.
#[must_use]
pub fn database_hash(epoch: Epoch, root: &MmrNode) -> String {
    hex::encode(Sha256::new().chain_update(epoch.0.to_be_bytes()).chain_update(root.to_hex()).finalize())
}

/// Returns the name of the set of transactions up to `block`.
#[must_use]
pub fn transactions_hash(root: &MmrNode, block: BlockHeight) -> String {
    hex::encode(Sha256::new().chain_update(root.to_hex()).chain_update(block.0.to_be_bytes()).finalize())
}

/// Returns the name of the set of blocks and transactions up to `signed`, made when the chain's tip was `tip`.
#[must_use]
pub fn blocks_transactions_hash(root: &MmrNode, signed: BlockHeight, tip: BlockHeight) -> String {
    let hasher = Sha256::new().chain_update(root.to_hex());
    hex::encode(hasher.chain_update(signed.0.to_be_bytes()).chain_update(tip.0.to_be_bytes()).finalize())
}
