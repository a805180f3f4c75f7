//! What can be wrong with a masternode list.

use nodewright_core::BlockHash;
use nodewright_utxo::bytes::ParseError;
use nodewright_utxo::hash::{HashTextError, Txid};
use nodewright_utxo::merkle::MerkleError;

use crate::bls::BlsError;
use crate::quorum::{LlmqType, QuorumHash};

/// Says which rule a masternode-list diff breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MnListError {
    /// The coinbase transaction or its payload does not parse.
    #[error("malformed coinbase: {source}")]
    Coinbase {
        /// What is wrong with it.
        source: ParseError,
    },
    /// The coinbase payload is too old to commit to quorums.
    #[error("coinbase payload version {version} commits to no quorums")]
    CoinbaseVersion {
        /// The payload's version.
        version: u16,
    },
    /// A quorum's signature over its own commitment does not verify.
    #[error("commitment of {llmq_type} quorum {quorum_hash}: {source}")]
    Commitment {
        /// The type.
        llmq_type: LlmqType,
        /// The quorum.
        quorum_hash: QuorumHash,
        /// What is wrong with the signature or the key.
        source: BlsError,
    },
    /// A masternode is updated twice in one diff.
    #[error("masternode {pro_reg_tx} is updated twice")]
    DuplicateMasternode {
        /// The masternode.
        pro_reg_tx: Txid,
    },
    /// A quorum is added that is already there.
    #[error("{llmq_type} quorum {quorum_hash} is added twice")]
    DuplicateQuorum {
        /// The type.
        llmq_type: LlmqType,
        /// The quorum.
        quorum_hash: QuorumHash,
    },
    /// The masternodes do not have the root that the coinbase commits to.
    #[error("masternode root is {}, not {}", Txid(*found), Txid(*expected))]
    MasternodeRoot {
        /// The root in the coinbase.
        expected: [u8; 32],
        /// The root of the list.
        found: [u8; 32],
    },
    /// A list has two neighbouring leaves that are the same.
    #[error("merkle tree of a list: {source}")]
    Merkle {
        /// What is wrong with the tree.
        source: MerkleError,
    },
    /// The transaction given as coinbase is none, or carries no coinbase payload.
    #[error("transaction {txid} is not a coinbase with a payload")]
    NotCoinbase {
        /// The transaction given.
        txid: Txid,
    },
    /// The merkle proof is malformed.
    #[error("malformed merkle proof: {source}")]
    Proof {
        /// What is wrong with it.
        source: MerkleError,
    },
    /// The merkle proof proves something else than this coinbase at the block's first place.
    #[error("merkle proof is not one for coinbase {txid}")]
    ProofLeaf {
        /// The coinbase given.
        txid: Txid,
    },
    /// The merkle proof does not lead to the root in the header.
    #[error("merkle proof leads to {}, not to the header's {}", Txid(*found), Txid(*expected))]
    ProofRoot {
        /// The root in the header.
        expected: [u8; 32],
        /// The root of the proof.
        found: [u8; 32],
    },
    /// The quorums do not have the root that the coinbase commits to.
    #[error("quorum root is {}, not {}", Txid(*found), Txid(*expected))]
    QuorumRoot {
        /// The root in the coinbase.
        expected: [u8; 32],
        /// The root of the list.
        found: [u8; 32],
    },
    /// A masternode is deleted that is not in the base.
    #[error("masternode {pro_reg_tx} is deleted and was never there")]
    UnknownMasternode {
        /// The masternode.
        pro_reg_tx: Txid,
    },
    /// A quorum is deleted that is not in the base.
    #[error("{llmq_type} quorum {quorum_hash} is deleted and was never there")]
    UnknownQuorum {
        /// The type.
        llmq_type: LlmqType,
        /// The quorum.
        quorum_hash: QuorumHash,
    },
    /// The diff starts from another block than the list it is applied to.
    #[error("diff is from block {}, list of block {}", Txid(found.0), Txid(expected.0))]
    WrongBase {
        /// The list's block.
        expected: BlockHash,
        /// The diff's base.
        found: BlockHash,
    },
    /// The diff leads to another block than the certified header's.
    #[error("diff leads to block {}, header is of block {}", Txid(found.0), Txid(expected.0))]
    WrongBlock {
        /// The header's block.
        expected: BlockHash,
        /// The diff's block.
        found: BlockHash,
    },
}

/// Says which field of a `protx diff` result cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiffTextError {
    /// A service is not an IP address with a port.
    #[error("service {text:?} is not an IP address with a port")]
    Address {
        /// The text.
        text: String,
    },
    /// A voting address is not in Base58Check, or not of 20 bytes.
    #[error("voting address {text:?} is not valid")]
    Base58 {
        /// The text.
        text: String,
    },
    /// The parts together are not a valid diff.
    #[error("malformed diff: {0}")]
    Diff(#[from] ParseError),
    /// A hash is not 64 hex digits.
    #[error("{what}: {source}")]
    Hash {
        /// The field.
        what: &'static str,
        /// What is wrong with it.
        source: HashTextError,
    },
    /// A field is not hex digits of the right number.
    #[error("{what} is not hex of the right length: {text:?}")]
    Hex {
        /// The field.
        what: &'static str,
        /// The text, cut to 200 characters.
        text: String,
    },
    /// The bits of a quorum's members do not fit the size of its type.
    #[error("{llmq_type} quorum {quorum_hash}: {what} do not fit the type's size")]
    Members {
        /// The type.
        llmq_type: LlmqType,
        /// The quorum.
        quorum_hash: QuorumHash,
        /// The field.
        what: &'static str,
    },
    /// A masternode's version or type is unknown, or fields are missing for it.
    #[error("masternode {pro_reg_tx} has version {version} and type {node_type}")]
    Masternode {
        /// The masternode.
        pro_reg_tx: Txid,
        /// Its version.
        version: u16,
        /// Its type.
        node_type: u16,
    },
    /// A quorum's type or version is unknown: the number of its members cannot be told.
    #[error("quorum {quorum_hash} has type {llmq_type} and version {version}")]
    Quorum {
        /// The quorum.
        quorum_hash: QuorumHash,
        /// Its type.
        llmq_type: LlmqType,
        /// Its version.
        version: u16,
    },
}
