//! The Merkle mountain range as Mithril uses it: roots in a stream, and a stored tree that makes proofs.
//!
//! A leaf is its raw bytes, of any length, and is not hashed on its own. An inner node is Blake2s-256 of its left and
//! right child. The peaks are joined from the right: the two rightmost peaks become Blake2s-256(right ‖ left), until
//! one is left. Source: crate `mithril-merkle-tree` 0.1, which stands on `ckb-merkle-mountain-range` 0.6.
//!
//! ```text
//! position in the tree:      6
//!                         ╱     ╲
//!                       2         5          9
//!                     ╱   ╲     ╱   ╲      ╱   ╲
//! leaves:            0     1   3     4    7     8   10      peaks: 6, 9, 10
//! ```

use core::fmt;

use blake2::{Blake2s256, Digest as _};

use super::mmr_proof::{MmrError, MmrProof};

/// Is a node of a mountain range: the raw bytes of a leaf, or the 32 bytes of an inner node.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MmrNode {
    bytes: Vec<u8>,
}

impl MmrNode {
    /// Makes a node of the bytes that stand for it.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into() }
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the bytes as lower-case hex, which is how Mithril writes a root.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(&self.bytes)
    }

    /// Returns the node above `left` and `right`.
    #[must_use]
    pub fn above(left: &Self, right: &Self) -> Self {
        Self::new(merge(&left.bytes, &right.bytes))
    }
}

impl fmt::Debug for MmrNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MmrNode({})", self.to_hex())
    }
}

/// Computes a root leaf by leaf and keeps only the peaks: memory grows with the logarithm of the number of leaves.
#[derive(Clone, Debug, Default)]
pub struct MmrAccumulator {
    /// The peaks of two or more leaves with their heights, from left to right.
    peaks: Vec<(u32, [u8; HASH])>,
    /// The last leaf, when their number is odd.
    odd: Option<Vec<u8>>,
    leaves: u64,
}

impl MmrAccumulator {
    /// Makes an empty range.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        self.leaves = self.leaves.saturating_add(1);
        let Some(left) = self.odd.take() else {
            self.odd = Some(leaf.to_vec());
            return;
        };
        let mut node = merge(&left, leaf);
        let mut height = 1;
        while let Some((_, left)) = self.peaks.pop_if(|(peak, _)| *peak == height) {
            node = merge(&left, &node);
            height += 1;
        }
        self.peaks.push((height, node));
    }

    /// Returns how many leaves were appended.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.leaves
    }

    /// Says whether there is no leaf yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaves == 0
    }

    /// Returns the root so far; `None` without a leaf. The root of one leaf is that leaf.
    #[must_use]
    pub fn root(&self) -> Option<MmrNode> {
        let mut peaks = self.peaks.iter().rev();
        let mut root = match &self.odd {
            Some(leaf) => leaf.clone(),
            None => peaks.next()?.1.to_vec(),
        };
        for (_, left) in peaks {
            root = merge(&root, left).to_vec();
        }
        Some(MmrNode::new(root))
    }
}

impl<L: AsRef<[u8]>> Extend<L> for MmrAccumulator {
    fn extend<I: IntoIterator<Item = L>>(&mut self, leaves: I) {
        for leaf in leaves {
            self.push(leaf.as_ref());
        }
    }
}

impl<L: AsRef<[u8]>> FromIterator<L> for MmrAccumulator {
    fn from_iter<I: IntoIterator<Item = L>>(leaves: I) -> Self {
        let mut range = Self::new();
        range.extend(leaves);
        range
    }
}

/// Holds every node of a range, so that it can prove its leaves.
#[derive(Clone, Debug, Default)]
pub struct MmrTree {
    nodes: Vec<MmrNode>,
    /// The position of each leaf, in the order of the leaves.
    leaves: Vec<u64>,
}

impl MmrTree {
    /// Appends a leaf and returns its position.
    pub fn push(&mut self, leaf: impl Into<Vec<u8>>) -> u64 {
        let position = self.size();
        self.leaves.push(position);
        self.nodes.push(MmrNode::new(leaf));
        let mut height = 0;
        while height_at(self.size()) > height {
            let right = self.nodes.len().saturating_sub(1);
            let left = right.saturating_sub(usize::try_from(sibling_offset(height)).unwrap_or(usize::MAX));
            let (Some(left), Some(right)) = (self.nodes.get(left), self.nodes.get(right)) else { break };
            self.nodes.push(MmrNode::above(left, right));
            height += 1;
        }
        position
    }

    /// Returns how many nodes the range has; this, not the number of leaves, is what a proof names.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::try_from(self.nodes.len()).unwrap_or(u64::MAX)
    }

    /// Returns the root; `None` without a leaf.
    #[must_use]
    pub fn root(&self) -> Option<MmrNode> {
        bag(peaks(self.size()).iter().filter_map(|peak| self.node(*peak).cloned()).collect())
    }

    /// Proves the leaves with these indices, counted from 0 in the order in which they were appended.
    ///
    /// # Errors
    /// [`MmrError::NoLeaf`] without an index, [`MmrError::OutsideRange`] for an index beyond the last leaf.
    pub fn prove(&self, indices: &[usize]) -> Result<MmrProof, MmrError> {
        let mut positions = Vec::with_capacity(indices.len());
        for index in indices {
            let outside = MmrError::OutsideRange { position: u64::try_from(*index).unwrap_or(u64::MAX) };
            positions.push(*self.leaves.get(*index).ok_or(outside)?);
        }
        positions.sort_unstable();
        positions.dedup();
        MmrProof::build(self.size(), &positions, |position| self.node(position).cloned())
    }

    fn node(&self, position: u64) -> Option<&MmrNode> {
        self.nodes.get(usize::try_from(position).ok()?)
    }
}

impl<L: Into<Vec<u8>>> FromIterator<L> for MmrTree {
    fn from_iter<I: IntoIterator<Item = L>>(leaves: I) -> Self {
        let mut tree = Self::default();
        for leaf in leaves {
            tree.push(leaf);
        }
        tree
    }
}

/// Joins peaks from the right.
pub(super) fn bag(mut peaks: Vec<MmrNode>) -> Option<MmrNode> {
    let mut root = peaks.pop()?;
    while let Some(left) = peaks.pop() {
        root = MmrNode::above(&root, &left);
    }
    Some(root)
}

/// Returns the height of the node at `position`; a leaf has 0.
pub(super) fn height_at(mut position: u64) -> u32 {
    // A perfect tree that starts at 0 has 2^n - 1 nodes; step over the largest one that ends before the position until
    // the position is the last node of one.
    loop {
        let count = position.saturating_add(1);
        if count.count_zeros() == count.leading_zeros() {
            return count.count_ones() - 1;
        }
        position -= (u64::MAX >> count.leading_zeros()) >> 1;
    }
}

/// Returns the positions of the peaks of a range of `size` nodes, from left to right; empty for a size that no range
/// has.
pub(super) fn peaks(size: u64) -> Vec<u64> {
    let mut found = Vec::new();
    let mut rest = size;
    let mut start = 0;
    let mut last = u64::MAX;
    while rest > 0 {
        // The largest perfect tree that fits; two peaks of one height would have been joined.
        let tree = (u64::MAX >> rest.saturating_add(1).leading_zeros()) >> 1;
        if tree >= last {
            return Vec::new();
        }
        found.push(start + tree - 1);
        start += tree;
        rest -= tree;
        last = tree;
    }
    found
}

/// Returns how far apart two siblings of `height` stand.
pub(super) fn sibling_offset(height: u32) -> u64 {
    2_u64.checked_shl(height).unwrap_or(u64::MAX).saturating_sub(1)
}

/// Hashes two children. The children of one parent go in as left and right, two peaks as right and left.
pub(super) fn merge(first: &[u8], second: &[u8]) -> [u8; HASH] {
    let mut hasher = Blake2s256::new();
    hasher.update(first);
    hasher.update(second);
    hasher.finalize().into()
}

/// The length of an inner node in bytes: that of Blake2s-256.
pub(super) const HASH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_follow_the_picture() {
        let heights: Vec<u32> = (0..15).map(height_at).collect();
        assert_eq!(heights, [0, 0, 1, 0, 0, 1, 2, 0, 0, 1, 0, 0, 1, 2, 3]);
    }

    #[test]
    fn only_sizes_of_a_range_have_peaks() {
        assert_eq!(peaks(11), [6, 9, 10]);
        assert_eq!(peaks(1), [0]);
        assert_eq!(peaks(19), [14, 17, 18]);
        for size in [0, 2, 5, 6, 9, 12, 13, 14] {
            assert!(peaks(size).is_empty(), "{size}");
        }
    }

    #[test]
    fn stream_and_tree_agree_on_every_root() {
        let mut stream = MmrAccumulator::new();
        let mut tree = MmrTree::default();
        assert_eq!((stream.root(), tree.root()), (None, None));
        for leaf in 0..300_u32 {
            stream.push(&leaf.to_be_bytes());
            tree.push(leaf.to_be_bytes());
            assert_eq!(stream.root(), tree.root(), "{leaf}");
        }
        assert_eq!(stream.len(), 300);
    }
}
