//! Headers that may be believed, and why.

use nodewright_core::{BlockHash, Trust};
use nodewright_utxo::hash::Txid;
use nodewright_utxo::header::RawHeader;

use crate::chainlock::VerifiedLock;
use crate::x11::x11;

/// A header whose id was hashed here and is that of a block to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertifiedHeader {
    block: BlockHash,
    merkle_root: [u8; 32],
    trust: Trust,
}

impl CertifiedHeader {
    /// Takes a header because an operator's checkpoint names its block.
    ///
    /// # Errors
    ///
    /// [`HeaderError::WrongId`] if the header does not hash to `checkpoint`.
    pub fn anchor(header: &RawHeader, checkpoint: BlockHash) -> Result<Self, HeaderError> {
        Self::new(header, checkpoint, Trust::Checkpoint)
    }

    /// Takes a header because a verified ChainLock holds for it: `path` begins with it and leads,
    /// child by child, to the locked block. A path of one header is the locked block itself.
    ///
    /// # Errors
    ///
    /// [`HeaderError::EmptyPath`], [`HeaderError::BrokenLink`] where a header does not hash to
    /// the parent its child names, [`HeaderError::WrongId`] if the last one is not the locked
    /// block.
    pub fn under_lock(path: &[RawHeader], lock: &VerifiedLock) -> Result<Self, HeaderError> {
        let (Some(first), Some(last)) = (path.first(), path.last()) else {
            return Err(HeaderError::EmptyPath);
        };
        for (at, (parent, child)) in path.iter().zip(path.iter().skip(1)).enumerate() {
            if parent.id(|bytes| x11(bytes)) != child.prev {
                return Err(HeaderError::BrokenLink { at });
            }
        }
        let locked = Self::new(last, lock.block_hash(), lock.trust())?;
        let block = path.get(1).map_or(locked.block, |child| BlockHash(child.prev));
        Ok(Self { block, merkle_root: first.merkle_root, ..locked })
    }

    fn new(header: &RawHeader, expected: BlockHash, trust: Trust) -> Result<Self, HeaderError> {
        let found = BlockHash(header.id(|bytes| x11(bytes)));
        if found != expected {
            return Err(HeaderError::WrongId { expected, found });
        }
        Ok(Self { block: found, merkle_root: header.merkle_root, trust })
    }

    /// Returns the block.
    #[must_use]
    pub const fn block(&self) -> BlockHash {
        self.block
    }

    /// Returns the root of the block's transactions, in wire byte order.
    #[must_use]
    pub const fn merkle_root(&self) -> [u8; 32] {
        self.merkle_root
    }

    /// Returns what had to be believed for this block to count.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.trust
    }
}

/// Says why a header is not certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// A header of a path does not hash to the parent that the next one names.
    #[error("header {at} of the path is not the parent of the next")]
    BrokenLink {
        /// Its position in the path.
        at: usize,
    },
    /// A path has no header.
    #[error("path to the locked block is empty")]
    EmptyPath,
    /// A header hashes to another id than it has to.
    #[error("header hashes to {} instead of {}", Txid(found.0), Txid(expected.0))]
    WrongId {
        /// The id it has to have.
        expected: BlockHash,
        /// The id it has.
        found: BlockHash,
    },
}
