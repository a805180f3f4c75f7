//! A masternode list with its quorums, as data: applying diffs and hashing the two roots.

use std::collections::BTreeMap;

use nodewright_core::{BlockHash, Trust};
use nodewright_utxo::hash::Txid;
use nodewright_utxo::merkle;

use super::{Commitment, MasternodeEntry, MnListDiff, MnListError};
use crate::quorum::{LlmqType, QuorumHash, QuorumSet};

/// The masternodes and active quorums at one block. Data, not evidence: see
/// [`VerifiedList`](super::VerifiedList).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasternodeList {
    block: BlockHash,
    masternodes: BTreeMap<Txid, MasternodeEntry>,
    quorums: BTreeMap<(LlmqType, QuorumHash), Commitment>,
}

impl MasternodeList {
    /// Starts with an empty list, the base of a complete diff.
    ///
    /// `block` is the base the diff names: usually the genesis block, or block 1.
    #[must_use]
    pub const fn empty(block: BlockHash) -> Self {
        Self { block, masternodes: BTreeMap::new(), quorums: BTreeMap::new() }
    }

    /// Returns the block whose list this is.
    #[must_use]
    pub const fn block(&self) -> BlockHash {
        self.block
    }

    /// Iterates over the masternodes, by their registration.
    pub fn masternodes(&self) -> impl ExactSizeIterator<Item = &MasternodeEntry> {
        self.masternodes.values()
    }

    /// Iterates over the active quorums, by type and name.
    pub fn quorums(&self) -> impl ExactSizeIterator<Item = &Commitment> {
        self.quorums.values()
    }

    /// Applies a diff and returns the later list. The base stays as it is.
    ///
    /// # Errors
    ///
    /// [`MnListError::WrongBase`], [`MnListError::DuplicateMasternode`],
    /// [`MnListError::DuplicateQuorum`], [`MnListError::UnknownMasternode`] or
    /// [`MnListError::UnknownQuorum`].
    pub fn apply(&self, diff: &MnListDiff) -> Result<Self, MnListError> {
        if diff.base_block != self.block {
            return Err(MnListError::WrongBase { expected: self.block, found: diff.base_block });
        }
        let Self { mut masternodes, mut quorums, .. } = self.clone();
        for pro_reg_tx in &diff.deleted_masternodes {
            if masternodes.remove(pro_reg_tx).is_none() {
                return Err(MnListError::UnknownMasternode { pro_reg_tx: *pro_reg_tx });
            }
        }
        let mut updated = BTreeMap::new();
        for entry in &diff.updated_masternodes {
            let pro_reg_tx = entry.pro_reg_tx;
            if updated.insert(pro_reg_tx, entry.clone()).is_some() {
                return Err(MnListError::DuplicateMasternode { pro_reg_tx });
            }
        }
        masternodes.append(&mut updated);
        for &(llmq_type, quorum_hash) in &diff.deleted_quorums {
            if quorums.remove(&(llmq_type, quorum_hash)).is_none() {
                return Err(MnListError::UnknownQuorum { llmq_type, quorum_hash });
            }
        }
        for commitment in &diff.new_quorums {
            let (llmq_type, quorum_hash) = (commitment.llmq_type, commitment.quorum_hash);
            if quorums.insert((llmq_type, quorum_hash), commitment.clone()).is_some() {
                return Err(MnListError::DuplicateQuorum { llmq_type, quorum_hash });
            }
        }
        Ok(Self { block: diff.block, masternodes, quorums })
    }

    /// Returns the root over the masternodes: their hashes, in the order of their registrations.
    ///
    /// # Errors
    ///
    /// [`MnListError::Merkle`] if two neighbouring leaves are the same.
    pub fn masternode_root(&self) -> Result<[u8; 32], MnListError> {
        root(self.masternodes.values().map(MasternodeEntry::hash))
    }

    /// Returns the root over the active quorums of every type: the hashes of their commitments,
    /// sorted.
    ///
    /// # Errors
    ///
    /// [`MnListError::Merkle`] if two neighbouring leaves are the same.
    pub fn quorum_root(&self) -> Result<[u8; 32], MnListError> {
        let mut leaves: Vec<_> = self.quorums.values().map(Commitment::hash).collect();
        leaves.sort_unstable();
        root(leaves)
    }

    /// Returns the quorums on the word of whoever supplied the diffs, with the trust
    /// [`Trust::NodeSet`].
    #[must_use]
    pub fn node_quorum_set(&self) -> QuorumSet {
        QuorumSet::of_list(self, Trust::NodeSet)
    }
}

/// An empty tree has the root zero, as in a coinbase before the first masternode.
fn root(leaves: impl IntoIterator<Item = [u8; 32]>) -> Result<[u8; 32], MnListError> {
    match merkle::root(leaves) {
        Ok(root) => Ok(root),
        Err(merkle::MerkleError::Empty) => Ok([0; 32]),
        Err(source) => Err(MnListError::Merkle { source }),
    }
}
