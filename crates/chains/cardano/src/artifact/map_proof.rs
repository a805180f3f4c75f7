//! Proofs in two storeys: leaves stand in the tree of their block range, and the ranges stand in one tree above.
//!
//! A leaf of the upper tree is Blake2s-256 of the range's text, such as `450-465`, and the root of its tree. Source:
//! `mithril-merkle-tree` 0.1 (`MKMap`) and `mithril-common` 0.8 (`BlockRange`).

use core::fmt;

use nodewright_core::BlockHeight;
use thiserror::Error;

use super::mmr::{MmrNode, merge};
use super::mmr_proof::{LeafForm, MmrError, MmrProof};
use super::proof_wire::{self, ProofTextError};

/// Is a range of block numbers: `start` belongs to it, `end` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRange {
    /// The first number, a multiple of [`BlockRange::LENGTH`].
    pub start: u64,
    /// The number after the last one.
    pub end: u64,
}

impl BlockRange {
    /// How many block numbers a range has (`mithril-common` 0.8).
    pub const LENGTH: u64 = 15;

    /// Returns the range to which a block number belongs.
    #[must_use]
    pub fn of(block: BlockHeight) -> Self {
        let start = block.0 - block.0 % Self::LENGTH;
        Self { start, end: start.saturating_add(Self::LENGTH) }
    }

    /// Says whether the block number belongs to the range.
    #[must_use]
    pub fn contains(&self, block: BlockHeight) -> bool {
        (self.start..self.end).contains(&block.0)
    }

    /// Returns the leaf that stands for this range with `root` in the tree above the ranges.
    #[must_use]
    pub fn leaf(&self, root: &MmrNode) -> MmrNode {
        MmrNode::new(merge(self.to_string().as_bytes(), root.as_bytes()))
    }
}

impl fmt::Display for BlockRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

/// Proves leaves in their ranges, and the ranges under one root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapProof {
    /// Proves the ranges.
    pub master: MmrProof,
    /// Proves the leaves of each range.
    pub ranges: Vec<(BlockRange, MmrProof)>,
}

/// Says why a proof in two storeys does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MapError {
    /// A range occurs twice.
    #[error("block range {range} occurs twice")]
    DuplicateRange {
        /// The range.
        range: BlockRange,
    },
    /// The proof has no range, so it proves nothing.
    #[error("the proof has no block range")]
    Empty,
    /// The proof of the ranges does not hold.
    #[error("the proof of the block ranges does not hold")]
    Master(#[source] MmrError),
    /// The proof inside a range does not hold.
    #[error("the proof inside block range {range} does not hold")]
    Part {
        /// The range.
        range: BlockRange,
        /// Why not.
        #[source]
        source: MmrError,
    },
    /// The range is none of Mithril's.
    #[error("{range} is not a block range")]
    Range {
        /// The range.
        range: BlockRange,
    },
    /// The range with its root is not among the proven ranges.
    #[error("block range {range} is not under the root")]
    Unlinked {
        /// The range.
        range: BlockRange,
    },
}

impl MapProof {
    /// Reads a proof from its hex text, of the first route (JSON) or the second (bincode).
    ///
    /// # Errors
    /// [`ProofTextError`] names what is wrong with the text. Nothing is allocated on the word of a length in it.
    pub fn from_hex(text: &str) -> Result<Self, ProofTextError> {
        proof_wire::read(text)
    }

    /// Returns the text of the first route: the hex of JSON.
    #[must_use]
    pub fn to_json_hex(&self) -> String {
        proof_wire::json_hex(self)
    }

    /// Returns the text of the second route: the hex of bincode.
    #[must_use]
    pub fn to_bincode_hex(&self) -> String {
        proof_wire::bincode_hex(self)
    }

    /// Returns the root that everything is proven against, in hex as certificates state it.
    #[must_use]
    pub fn root_hex(&self) -> String {
        self.master.root.to_hex()
    }

    /// Checks that all leaves, which must have `form`, stand in their ranges and these under the root.
    ///
    /// # Errors
    /// Any [`MapError`]: nothing is proven then.
    pub fn verify(&self, form: LeafForm) -> Result<(), MapError> {
        let mut ranges: Vec<BlockRange> = self.ranges.iter().map(|(range, _)| *range).collect();
        ranges.sort_unstable();
        if ranges.is_empty() {
            return Err(MapError::Empty);
        }
        if let Some(range) = ranges.windows(2).find_map(|pair| pair.first().filter(|range| Some(*range) == pair.get(1)))
        {
            return Err(MapError::DuplicateRange { range: *range });
        }
        self.master.verify(LeafForm::Hash).map_err(MapError::Master)?;
        for (range, part) in &self.ranges {
            let range = *range;
            if BlockRange::of(BlockHeight(range.start)) != range {
                return Err(MapError::Range { range });
            }
            part.verify(form).map_err(|source| MapError::Part { range, source })?;
            if !self.master.names(range.leaf(&part.root).as_bytes()) {
                return Err(MapError::Unlinked { range });
            }
        }
        Ok(())
    }

    /// Returns the range in which `leaf` stands, if it does. It is proven only if [`MapProof::verify`] holds.
    #[must_use]
    pub fn find(&self, leaf: &[u8]) -> Option<BlockRange> {
        self.ranges.iter().find(|(_, part)| part.names(leaf)).map(|(range, _)| *range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::mmr::MmrTree;

    fn range(index: u64) -> BlockRange {
        BlockRange::of(BlockHeight(index * BlockRange::LENGTH + 3))
    }

    fn part(leaf: &str) -> MmrProof {
        [leaf.repeat(64), "9".repeat(64)].into_iter().collect::<MmrTree>().prove(&[0]).unwrap()
    }

    fn proof() -> MapProof {
        let ranges = [(range(4), part("a")), (range(7), part("b"))];
        let mut tree = MmrTree::default();
        for index in 0..9 {
            let root = ranges.iter().find(|(known, _)| *known == range(index)).map(|(_, part)| part.root.clone());
            tree.push(range(index).leaf(&root.unwrap_or_else(|| MmrNode::new([1; 32]))).as_bytes());
        }
        MapProof { master: tree.prove(&[4, 7]).unwrap(), ranges: ranges.to_vec() }
    }

    #[test]
    fn a_proof_says_in_which_range_a_leaf_stands() {
        let proof = proof();
        proof.verify(LeafForm::HashText).unwrap();
        assert_eq!(proof.find("b".repeat(64).as_bytes()), Some(range(7)));
        assert_eq!(range(7).to_string(), "105-120");
    }

    #[test]
    fn a_tree_that_is_not_under_the_root_proves_nothing() {
        let mut forged = proof();
        forged.ranges[1].1 = part("f");
        assert_eq!(forged.verify(LeafForm::HashText), Err(MapError::Unlinked { range: range(7) }));
        let mut moved = proof();
        moved.ranges[1].0 = range(8);
        assert_eq!(moved.verify(LeafForm::HashText), Err(MapError::Unlinked { range: range(8) }));
        // The tree of a range that is not proven itself, but whose leaf stands among the items.
        let mut extra = proof();
        extra.ranges.push((range(1), part("f")));
        assert_eq!(extra.verify(LeafForm::HashText), Err(MapError::Unlinked { range: range(1) }));
    }

    #[test]
    fn ranges_must_be_ranges_and_come_once() {
        let mut twice = proof();
        twice.ranges.push((range(4), part("f")));
        assert_eq!(twice.verify(LeafForm::HashText), Err(MapError::DuplicateRange { range: range(4) }));
        let wide = BlockRange { start: 60, end: 90 };
        let mut widened = proof();
        widened.ranges[0].0 = wide;
        assert_eq!(widened.verify(LeafForm::HashText), Err(MapError::Range { range: wide }));
        let none = MapProof { ranges: Vec::new(), ..proof() };
        assert_eq!(none.verify(LeafForm::HashText), Err(MapError::Empty));
    }
}
