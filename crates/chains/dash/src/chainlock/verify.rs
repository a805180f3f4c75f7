//! From a claimed ChainLock to a verified one.

use nodewright_core::{BlockHash, BlockHeight, BlockId, Evidence, Trust};
use nodewright_utxo::bytes::ParseError;
use nodewright_utxo::hash::{HashTextError, Txid};

use super::ChainLock;
use crate::quorum::{Choice, LlmqType, Network, QuorumHash, QuorumSet, SIGN_HEIGHT_OFFSET, Signer, SignerError};

/// Checks that the quorum which has to sign a lock's height did sign its block.
///
/// The quorum is chosen as the network does, at eight blocks below the locked height, where `set`
/// knows enough for that; otherwise every quorum of the type is tried, in the order of their
/// scores. A signature fits one quorum only.
///
/// # Errors
///
/// [`LockError::Unsigned`] with the rule that is broken.
pub fn verify_chain_lock(lock: &ChainLock, set: &QuorumSet, network: Network) -> Result<VerifiedLock, LockError> {
    let signer = set
        .signer(
            network.chain_lock_type(),
            &lock.request_id(),
            lock.height.checked_sub(SIGN_HEIGHT_OFFSET),
            &lock.block_hash.0,
            &lock.signature,
        )
        .map_err(|source| LockError::Unsigned { height: lock.height, source })?;
    Ok(VerifiedLock { lock: *lock, signer })
}

/// A ChainLock whose signature was checked: evidence that its block and all ancestors are final.
///
/// Made by [`verify_chain_lock`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedLock {
    lock: ChainLock,
    signer: Signer,
}

impl VerifiedLock {
    /// Returns the lock, for storing: loading it again means verifying it again.
    #[must_use]
    pub const fn chain_lock(&self) -> &ChainLock {
        &self.lock
    }

    /// Returns the lock as evidence for the scanner: its certificate is the 132-byte message.
    ///
    /// What is read back from a store is verified again by [`ChainLock::parse`] of those bytes
    /// and [`verify_chain_lock`].
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        let block = BlockId { height: BlockHeight(self.height().into()), hash: self.block_hash() };
        Evidence::attest(block, CERTIFICATE, self.trust(), &self.lock.to_bytes())
    }

    /// Returns the height of the locked block.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.lock.height
    }

    /// Returns the locked block.
    #[must_use]
    pub const fn block_hash(&self) -> BlockHash {
        self.lock.block_hash
    }

    /// Returns the type of the quorum that signed.
    #[must_use]
    pub const fn llmq_type(&self) -> LlmqType {
        self.signer.llmq_type()
    }

    /// Returns the quorum that signed.
    #[must_use]
    pub const fn quorum_hash(&self) -> QuorumHash {
        self.signer.quorum_hash()
    }

    /// Returns what had to be believed about the quorum for this lock to hold.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.signer.trust()
    }

    /// Returns whether the protocol's rule named the quorum or candidates were tried.
    #[must_use]
    pub const fn choice(&self) -> Choice {
        self.signer.choice()
    }
}

/// Says why something is not a ChainLock, or not a valid one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// A reported block hash is not 64 hex digits.
    #[error("block hash of a chainlock: {0}")]
    HashText(#[from] HashTextError),
    /// A reported height does not fit the message, whose height is a signed 32-bit number.
    #[error("chainlock height {height} is too high")]
    HeightTooHigh {
        /// The height as reported.
        height: i64,
    },
    /// The bytes are not a ChainLock message.
    #[error("malformed chainlock: {0}")]
    Malformed(#[from] ParseError),
    /// The height is below zero.
    #[error("chainlock height {height} is negative")]
    NegativeHeight {
        /// The height.
        height: i64,
    },
    /// A reported signature is not 192 hex digits.
    #[error("chainlock signature is not 192 hex digits: {text:?}")]
    SignatureText {
        /// The text, cut to 200 characters.
        text: String,
    },
    /// The transaction to take a lock from is not a coinbase with a payload.
    #[error("transaction {txid} is not a coinbase with a payload")]
    NotCoinbase {
        /// The transaction.
        txid: Txid,
    },
    /// No quorum that could have signed did sign.
    #[error("chainlock for height {height}: {source}")]
    Unsigned {
        /// The height of the lock.
        height: u32,
        /// The rule that is broken.
        source: SignerError,
    },
    /// Another type of quorum is named than this network signs ChainLocks with.
    #[error("chainlock by a {found} quorum where {expected} signs")]
    WrongType {
        /// The type that has to sign.
        expected: LlmqType,
        /// The type named.
        found: LlmqType,
    },
}

/// The word by which [`VerifiedLock::evidence`] names its sort of certificate.
pub const CERTIFICATE: &str = "chainlock";
