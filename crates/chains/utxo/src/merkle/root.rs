//! The root over a stream of leaves, in constant memory.

use super::MerkleError;
use crate::hash::sha256d_pair;

/// Computes the merkle root of `leaves`, given in wire order.
///
/// # Errors
/// [`MerkleError::Empty`] without leaves; [`MerkleError::Duplicate`] if neighbours repeat.
pub fn root<L: Into<[u8; 32]>>(leaves: impl IntoIterator<Item = L>) -> Result<[u8; 32], MerkleError> {
    let mut builder = RootBuilder::new();
    for leaf in leaves {
        builder.push(leaf.into())?;
    }
    builder.finish()
}

/// Computes a merkle root leaf by leaf.
///
/// Keeps one node per level: the root of the full subtree that waits for its right neighbour. Where a level has an odd
/// number of nodes, the last is paired with itself, as Bitcoin does.
#[derive(Clone, Debug)]
pub struct RootBuilder {
    /// `nodes[level]` holds a node exactly if bit `level` of `count` is set.
    nodes: [[u8; 32]; LEVELS],
    count: u32,
}

impl RootBuilder {
    /// Starts without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self { nodes: [[0; 32]; LEVELS], count: 0 }
    }

    /// Returns how many leaves there are.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Appends a leaf, in wire order.
    ///
    /// # Errors
    /// [`MerkleError::Duplicate`] if it completes a subtree equal to its left neighbour, after which the builder must
    /// not be used; [`MerkleError::TooManyLeaves`] beyond 2^32 - 1.
    #[inline]
    pub fn push(&mut self, leaf: [u8; 32]) -> Result<(), MerkleError> {
        let next = self
            .count
            .checked_add(1)
            .ok_or(MerkleError::TooManyLeaves { count: u64::from(u32::MAX) + 1, max: u32::MAX })?;
        let mut node = leaf;
        let full = self.count.trailing_ones();
        for (level, left) in (0..full).zip(&self.nodes) {
            node = join(left, &node, level)?;
        }
        if let Some(place) = usize::try_from(full).ok().and_then(|level| self.nodes.get_mut(level)) {
            *place = node;
        }
        self.count = next;
        Ok(())
    }

    /// Returns the root of all leaves.
    ///
    /// # Errors
    /// [`MerkleError::Empty`] without leaves; [`MerkleError::Duplicate`] if neighbours repeat.
    pub fn finish(self) -> Result<[u8; 32], MerkleError> {
        if self.count == 0 {
            return Err(MerkleError::Empty);
        }
        let lowest = self.count.trailing_zeros();
        let top = self.count.ilog2();
        let mut node: Option<[u8; 32]> = None;
        for (level, waiting) in (0..=top).zip(&self.nodes) {
            let has_waiting = self.count & (1 << level) != 0;
            node = match node {
                None if level == lowest && level == top => Some(*waiting),
                None if level == lowest => Some(sha256d_pair(waiting, waiting)),
                None => None,
                // The carry stands one level above the nodes it was made of.
                Some(carry) if has_waiting => Some(join(waiting, &carry, level)?),
                Some(carry) => Some(sha256d_pair(&carry, &carry)),
            };
        }
        node.ok_or(MerkleError::Empty)
    }
}

impl Default for RootBuilder {
    fn default() -> Self {
        Self::new()
    }
}

#[inline]
fn join(left: &[u8; 32], right: &[u8; 32], level: u32) -> Result<[u8; 32], MerkleError> {
    if left == right {
        return Err(MerkleError::Duplicate { level });
    }
    Ok(sha256d_pair(left, right))
}

/// Enough for 2^32 - 1 leaves.
const LEVELS: usize = 32;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    /// The definition, level by level.
    fn plain(mut level: Vec<[u8; 32]>) -> [u8; 32] {
        while level.len() > 1 {
            level = level.chunks(2).map(|pair| sha256d_pair(&pair[0], pair.last().unwrap())).collect();
        }
        level[0]
    }

    fn leaves(count: u32) -> Vec<[u8; 32]> {
        (0..count).map(|index| crate::hash::sha256d(&index.to_le_bytes())).collect()
    }

    #[test]
    fn equals_the_level_by_level_definition_for_every_count_up_to_300() {
        for count in 1..=300 {
            assert_eq!(root(leaves(count)), Ok(plain(leaves(count))), "{count} leaves");
        }
    }

    #[test]
    fn has_no_root_without_leaves() {
        assert_eq!(root(leaves(0)), Err(MerkleError::Empty));
    }

    #[test]
    fn refuses_every_repetition_that_keeps_the_root() {
        for count in 2..=200_u32 {
            let honest = leaves(count);
            for level in 0..8 {
                // Where a level has an odd number of full subtrees, repeating the last leaves no trace in the root.
                let width = count >> level;
                if width.is_multiple_of(2) || width == 1 || width << level != count {
                    continue;
                }
                let mut forged = honest.clone();
                let last = usize::try_from((width - 1) << level).unwrap();
                forged.extend_from_slice(&honest[last..]);
                assert_eq!(plain(forged.clone()), plain(honest.clone()), "the forgery keeps the root");
                assert!(matches!(root(forged), Err(MerkleError::Duplicate { .. })), "{count} leaves, level {level}");
            }
        }
    }
}
