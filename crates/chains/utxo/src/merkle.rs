//! Merkle trees as Bitcoin builds them: roots without allocation, and partial trees (BIP 37).

mod partial;
mod root;

pub use self::partial::{Matches, PartialTree};
pub use self::root::{RootBuilder, root};
use crate::bytes::ParseError;

/// Says why a merkle tree proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MerkleError {
    /// Two neighbours are the same, so that other leaves have the same root (CVE-2012-2459).
    #[error("merkle tree repeats a node at level {level}")]
    Duplicate {
        /// The level of the two neighbours; leaves are level 0.
        level: u32,
    },
    /// There is no leaf, hence no root.
    #[error("merkle tree without leaves")]
    Empty,
    /// The root is not the expected one.
    #[error("merkle root is {}, not {}", crate::hash::Txid(*computed), crate::hash::Txid(*expected))]
    Mismatch {
        /// The root that was to be met, in wire order.
        expected: [u8; 32],
        /// The root of the leaves given, in wire order.
        computed: [u8; 32],
    },
    /// The bytes do not parse.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The partial tree ends before all its nodes are known.
    #[error("partial merkle tree has too few {what}")]
    TooFew {
        /// What is missing: `"hashes"` or `"flag bits"`.
        what: &'static str,
    },
    /// There are more leaves than a tree may have.
    #[error("merkle tree with {count} leaves, more than {max}")]
    TooManyLeaves {
        /// The number of leaves.
        count: u64,
        /// The largest number allowed.
        max: u32,
    },
    /// The partial tree carries nodes that are not part of it.
    #[error("partial merkle tree has unused {what}")]
    Unused {
        /// What is left over: `"hashes"` or `"flag bits"`.
        what: &'static str,
    },
}
