//! The claim itself: the 132-byte message `clsig`, its hashes, and the places it is found in.

use nodewright_core::BlockHash;
use nodewright_utxo::bytes::{ParseError, Reader};
use nodewright_utxo::hash::{sha256d, sha256d_parts};

use super::LockError;
use crate::bls::Signature;
use crate::quorum::{LlmqType, QuorumHash, sign_hash};

/// A ChainLock as claimed by whoever sent it: nothing about it has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChainLock {
    /// The height of the block.
    pub height: u32,
    /// The block, in wire byte order.
    pub block_hash: BlockHash,
    /// The signature of the quorum that has to sign this height.
    pub signature: Signature,
}

impl ChainLock {
    /// Length of the message in bytes: height 4, block hash 32, signature 96.
    pub const LEN: usize = 132;

    /// Reads the payload of a `clsig` message.
    ///
    /// # Errors
    ///
    /// [`LockError::Malformed`] for any other length than [`LEN`](Self::LEN),
    /// [`LockError::NegativeHeight`] for a height below zero.
    pub fn parse(bytes: &[u8]) -> Result<Self, LockError> {
        let mut reader = Reader::new(bytes);
        let lock = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(lock)
    }

    /// Reads a lock where the reader stands.
    ///
    /// # Errors
    ///
    /// [`LockError::Malformed`] if the bytes end, [`LockError::NegativeHeight`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, LockError> {
        let height = reader.i32()?;
        let block_hash = BlockHash(reader.array()?);
        let signature = Signature::new(reader.array()?);
        let height = u32::try_from(height).map_err(|_| LockError::NegativeHeight { height: height.into() })?;
        Ok(Self { height, block_hash, signature })
    }

    /// Returns the payload of a `clsig` message.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let (height, rest) = bytes.split_at_mut(4);
        let (block_hash, signature) = rest.split_at_mut(32);
        height.copy_from_slice(&self.height.to_le_bytes());
        block_hash.copy_from_slice(&self.block_hash.0);
        signature.copy_from_slice(self.signature.as_bytes());
        bytes
    }

    /// Returns the id by which nodes announce the lock (inventory type 29), in wire byte order.
    #[must_use]
    pub fn inventory_hash(&self) -> [u8; 32] {
        sha256d(&self.to_bytes())
    }

    /// Returns the id of the signing request, which depends on the height alone.
    #[must_use]
    pub fn request_id(&self) -> [u8; 32] {
        request_id(self.height)
    }

    /// Returns the 32 bytes that this quorum signs for this lock.
    #[must_use]
    pub fn sign_hash(&self, llmq_type: LlmqType, quorum_hash: &QuorumHash) -> [u8; 32] {
        sign_hash(llmq_type, quorum_hash, &self.request_id(), &self.block_hash.0)
    }
}

/// Returns the id of the request to sign a block at `height`, in wire byte order.
#[must_use]
pub fn request_id(height: u32) -> [u8; 32] {
    sha256d_parts(&[REQUEST_PREFIX, &height.to_le_bytes()])
}

/// The body of the ZMQ topic `rawchainlocksig`: a serialized block, then its ChainLock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawChainLock<'a> {
    /// The serialized block. That it is the locked one is for the reader to check.
    pub block: &'a [u8],
    /// The lock.
    pub lock: ChainLock,
}

impl<'a> RawChainLock<'a> {
    /// Splits a message body.
    ///
    /// # Errors
    ///
    /// [`LockError::Malformed`] if it is too short to hold a block header and a lock,
    /// [`LockError::NegativeHeight`].
    pub fn parse(body: &'a [u8]) -> Result<Self, LockError> {
        let need = HEADER_LEN + ChainLock::LEN;
        let short = ParseError::Truncated { at: 0, need, have: body.len() };
        if body.len() < need {
            return Err(short.into());
        }
        let (block, lock) = body.split_at_checked(body.len() - ChainLock::LEN).ok_or(short)?;
        Ok(Self { block, lock: ChainLock::parse(lock)? })
    }
}

/// What a request id is hashed from, before the height: the text `clsig` with its length.
///
/// Source: `CLSIG_REQUESTID_PREFIX` in Dash Core, serialized as a string.
const REQUEST_PREFIX: &[u8] = b"\x05clsig";

/// Bytes of a block header.
const HEADER_LEN: usize = 80;
