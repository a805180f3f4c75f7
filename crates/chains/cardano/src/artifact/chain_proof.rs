//! Proofs that blocks and transactions are on the certified chain.
//!
//! The first route proves that a transaction's hash is certified; the second proves also its block, height and slot, and
//! blocks alone. Both give a root and the last block, which the certificate signs.

use nodewright_core::{BlockHeight, Slot};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::bind::{BindError, Binding};
use super::map_proof::{MapError, MapProof};
use super::mmr_proof::LeafForm;
use super::proof_wire::ProofTextError;
use crate::certificate::{Certificate, CertificateHash};

/// Is the answer of `/proof/cardano-transaction`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionProofs {
    /// The certificate that signs the root.
    pub certificate_hash: CertificateHash,
    /// The transactions that are proven, with their proofs.
    pub certified_transactions: Vec<TransactionSetProof>,
    /// Hashes that were asked for and are not certified (yet). Nothing proves that they are not.
    pub non_certified_transactions: Vec<String>,
    /// The last block whose transactions are certified.
    pub latest_block_number: BlockHeight,
}

/// Is one proof of the first route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionSetProof {
    /// The hashes that it proves, in hex.
    pub transactions_hashes: Vec<String>,
    /// The proof in its text, json-hex.
    pub proof: String,
}

impl TransactionProofs {
    /// Checks every proof, and that `certificate`, which must have been verified, signs its root; returns the hashes.
    ///
    /// # Errors
    /// [`ChainProofError`]: then none of the transactions is proven.
    pub fn verify(&self, certificate: &Certificate) -> Result<Vec<String>, ChainProofError> {
        let binding = Binding::new(certificate, self.certificate_hash)?;
        let mut proven = Vec::new();
        for set in &self.certified_transactions {
            let proof = MapProof::from_hex(&set.proof)?;
            proof.verify(LeafForm::HashText)?;
            binding.transactions(self.latest_block_number, &proof.master.root)?;
            for hash in &set.transactions_hashes {
                proof.find(hash.as_bytes()).ok_or_else(|| ChainProofError::not_proven(hash))?;
                proven.push(hash.clone());
            }
        }
        if proven.is_empty() { Err(ChainProofError::Empty) } else { Ok(proven) }
    }
}

/// Is the answer of `/proof/v2/cardano-transaction`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionProofsV2 {
    /// The certificate that signs the root.
    pub certificate_hash: CertificateHash,
    /// The transactions that are proven, with one proof of all; `None` if none is.
    pub certified_transactions: Option<ItemSetProof<CertifiedTransaction>>,
    /// Hashes that were asked for and are not certified (yet). Nothing proves that they are not.
    pub non_certified_transactions: Vec<String>,
    /// The last block that is certified.
    pub latest_block_number: BlockHeight,
    /// How many blocks the signers stayed behind their tip.
    pub security_parameter: u64,
}

impl TransactionProofsV2 {
    /// Checks the proof, and that `certificate`, which must have been verified, signs its root; returns the transactions.
    ///
    /// # Errors
    /// [`ChainProofError`]: then none of the transactions is proven.
    pub fn verify(&self, certificate: &Certificate) -> Result<&[CertifiedTransaction], ChainProofError> {
        let set = self.certified_transactions.as_ref().ok_or(ChainProofError::Empty)?;
        let binding = Binding::new(certificate, self.certificate_hash)?;
        verify_set(set, &binding, self.latest_block_number, self.security_parameter)
    }
}

/// Is the answer of `/proof/v2/cardano-block`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockProofs {
    /// The certificate that signs the root.
    pub certificate_hash: CertificateHash,
    /// The blocks that are proven, with one proof of all; `None` if none is.
    pub certified_blocks: Option<ItemSetProof<CertifiedBlock>>,
    /// Hashes that were asked for and are not certified (yet). Nothing proves that they are not.
    pub non_certified_blocks: Vec<String>,
    /// The last block that is certified.
    pub latest_block_number: BlockHeight,
    /// How many blocks the signers stayed behind their tip.
    pub security_parameter: u64,
}

impl BlockProofs {
    /// Checks the proof, and that `certificate`, which must have been verified, signs its root; returns the blocks.
    ///
    /// # Errors
    /// [`ChainProofError`]: then none of the blocks is proven.
    pub fn verify(&self, certificate: &Certificate) -> Result<&[CertifiedBlock], ChainProofError> {
        let set = self.certified_blocks.as_ref().ok_or(ChainProofError::Empty)?;
        let binding = Binding::new(certificate, self.certificate_hash)?;
        verify_set(set, &binding, self.latest_block_number, self.security_parameter)
    }
}

/// Is one proof of the second route: items, and the proof that all of them are certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemSetProof<T> {
    /// What it proves.
    pub items: Vec<T>,
    /// The proof in its text, the hex of bincode.
    pub proof: String,
}

/// Is a transaction with its place on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CertifiedTransaction {
    /// The transaction's hash in hex.
    pub transaction_hash: String,
    /// The height of its block.
    pub block_number: BlockHeight,
    /// The slot of its block.
    pub slot_number: Slot,
    /// The hash of its block in hex.
    pub block_hash: String,
}

/// Is a block with its place on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CertifiedBlock {
    /// The block's hash in hex.
    pub block_hash: String,
    /// Its height.
    pub block_number: BlockHeight,
    /// Its slot.
    pub slot_number: Slot,
}

/// Says why blocks or transactions are not proven.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChainProofError {
    /// The certificate signs something else.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The answer proves nothing.
    #[error("the answer proves nothing")]
    Empty,
    /// The item is certified under a range to which its block does not belong, or beyond the last block.
    #[error("{item} is certified, but not at block {block}")]
    Misplaced {
        /// The item's leaf.
        item: String,
        /// Its block.
        block: BlockHeight,
    },
    /// The item is not among what the proof proves.
    #[error("the proof does not prove {item:?}")]
    NotProven {
        /// The hash or leaf, cut to 200 characters.
        item: String,
    },
    /// The proof does not hold.
    #[error("the proof does not hold")]
    Proof(#[from] MapError),
    /// The proof cannot be read.
    #[error(transparent)]
    Text(#[from] ProofTextError),
}

impl ChainProofError {
    fn not_proven(item: &str) -> Self {
        Self::NotProven { item: item.chars().take(200).collect() }
    }
}

/// Checks the proof of a set, that the certificate signs its root, and that each item stands where it says.
fn verify_set<'a, T: ChainItem>(
    set: &'a ItemSetProof<T>,
    binding: &Binding<'_>,
    last: BlockHeight,
    behind: u64,
) -> Result<&'a [T], ChainProofError> {
    let proof = MapProof::from_hex(&set.proof)?;
    proof.verify(LeafForm::ChainItem)?;
    binding.blocks_transactions(last, behind, &proof.master.root)?;
    for item in &set.items {
        let leaf = item.leaf();
        let range = proof.find(leaf.as_bytes()).ok_or_else(|| ChainProofError::not_proven(&leaf))?;
        let block = item.block();
        if !range.contains(block) || block > last {
            return Err(ChainProofError::Misplaced { item: leaf, block });
        }
    }
    if set.items.is_empty() { Err(ChainProofError::Empty) } else { Ok(&set.items) }
}

/// What has a leaf in the tree of blocks and transactions.
trait ChainItem {
    fn leaf(&self) -> String;
    fn block(&self) -> BlockHeight;
}

impl ChainItem for CertifiedTransaction {
    fn leaf(&self) -> String {
        format!("Tx/{}/{}/{}/{}", self.transaction_hash, self.block_hash, self.block_number, self.slot_number)
    }

    fn block(&self) -> BlockHeight {
        self.block_number
    }
}

impl ChainItem for CertifiedBlock {
    fn leaf(&self) -> String {
        format!("Block/{}/{}/{}", self.block_hash, self.block_number, self.slot_number)
    }

    fn block(&self) -> BlockHeight {
        self.block_number
    }
}
