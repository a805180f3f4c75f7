//! From a diff to a list that a certified block commits to.

use nodewright_core::{BlockHash, Trust};
use nodewright_utxo::hash::{Txid, sha256d};
use nodewright_utxo::merkle::{MerkleError, PartialTree};
use nodewright_utxo::special::CbTx;
use nodewright_utxo::tx::TxView;
use nodewright_utxo::walker::Dialect;

use super::{CertifiedHeader, MasternodeList, MnListDiff, MnListError, Scheme};
use crate::quorum::QuorumSet;

/// A masternode list whose two roots stand in the coinbase of a certified block.
///
/// Made by [`verify`](Self::verify) only. What had to be believed is the header's trust.
#[derive(Clone, Debug)]
pub struct VerifiedList {
    list: MasternodeList,
    height: u32,
    trust: Trust,
}

impl VerifiedList {
    /// Applies a diff to a base and checks that the certified block commits to the result.
    ///
    /// The base need not be verified: the roots cover the whole list, not the change.
    ///
    /// # Errors
    ///
    /// [`MnListError`], one for each rule: the diff leads to the header's block; its merkle proof
    /// leads from the coinbase to the header's root; the diff fits the base; the masternodes have
    /// the coinbase's first root and the quorums its second.
    pub fn verify(base: &MasternodeList, diff: &MnListDiff, header: &CertifiedHeader) -> Result<Self, MnListError> {
        if diff.block != header.block() {
            return Err(MnListError::WrongBlock { expected: header.block(), found: diff.block });
        }
        prove_coinbase(diff, header.merkle_root())?;
        let committed = read_coinbase(&diff.coinbase)?;
        let Some(quorum_root) = committed.merkle_root_quorums else {
            return Err(MnListError::CoinbaseVersion { version: committed.version });
        };
        let list = base.apply(diff)?;
        let found = list.masternode_root()?;
        if found != committed.merkle_root_mn_list {
            return Err(MnListError::MasternodeRoot { expected: committed.merkle_root_mn_list, found });
        }
        let found = list.quorum_root()?;
        if found != quorum_root {
            return Err(MnListError::QuorumRoot { expected: quorum_root, found });
        }
        Ok(Self { list, height: committed.height, trust: header.trust() })
    }

    /// Applies a further diff and checks it in the same way.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub fn next(&self, diff: &MnListDiff, header: &CertifiedHeader) -> Result<Self, MnListError> {
        Self::verify(&self.list, diff, header)
    }

    /// Returns the list.
    #[must_use]
    pub const fn list(&self) -> &MasternodeList {
        &self.list
    }

    /// Returns the block whose list this is.
    #[must_use]
    pub const fn block(&self) -> BlockHash {
        self.list.block()
    }

    /// Returns the block's height, as its coinbase states it.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Returns what had to be believed for this list to hold.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.trust
    }

    /// Returns the quorums to check signatures against, with this list's trust.
    #[must_use]
    pub fn quorum_set(&self) -> QuorumSet {
        QuorumSet::of_list(&self.list, self.trust)
    }
}

/// How many commitments of a diff were checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitmentCount {
    /// Their quorum's signature verifies.
    pub verified: usize,
    /// They are from before V19, in a scheme this crate does not verify.
    pub legacy: usize,
}

impl MnListDiff {
    /// Checks the quorum's own signature on every new commitment, a millisecond each.
    ///
    /// Not needed where the coinbase commits to the quorums, since miners checked it; it finds a
    /// key that nobody can sign with when the list is taken on a node's word.
    ///
    /// # Errors
    ///
    /// [`MnListError::Commitment`] for the first that fails.
    pub fn verify_commitments(&self) -> Result<CommitmentCount, MnListError> {
        let mut count = CommitmentCount::default();
        for commitment in &self.new_quorums {
            if commitment.scheme == Scheme::Legacy {
                count.legacy += 1;
                continue;
            }
            commitment.verify().map_err(|source| MnListError::Commitment {
                llmq_type: commitment.llmq_type,
                quorum_hash: commitment.quorum_hash,
                source,
            })?;
            count.verified += 1;
        }
        Ok(count)
    }
}

/// Checks that the diff's coinbase is the first transaction under `root`.
fn prove_coinbase(diff: &MnListDiff, root: [u8; 32]) -> Result<(), MnListError> {
    let malformed = |source| MnListError::Proof { source };
    let tree = PartialTree::parse(&diff.merkle_proof).map_err(MerkleError::from).map_err(malformed)?;
    let matches = tree.matches().map_err(malformed)?;
    if matches.root != root {
        return Err(MnListError::ProofRoot { expected: root, found: matches.root });
    }
    let txid = sha256d(&diff.coinbase);
    if matches.leaves.first() != Some(&(0, txid)) {
        return Err(MnListError::ProofLeaf { txid: Txid(txid) });
    }
    Ok(())
}

fn read_coinbase(coinbase: &[u8]) -> Result<CbTx, MnListError> {
    let malformed = |source| MnListError::Coinbase { source };
    let tx = TxView::parse(coinbase, Dialect::Dash).map_err(malformed)?;
    match tx.special() {
        Some((CbTx::KIND, payload)) if tx.is_coinbase() => CbTx::parse(payload).map_err(malformed),
        _ => Err(MnListError::NotCoinbase { txid: tx.txid() }),
    }
}
