//! Partial merkle trees: the proof that some transactions are in a block (BIP 37).

use super::MerkleError;
use crate::bytes::{ParseError, Reader};
use crate::hash::sha256d_pair;

/// A partial merkle tree as nodes serialize it: in `merkleblock`, `gettxoutproof` and Dash's `mnlistdiff`.
///
/// It proves nothing by itself: compare the root it yields with that of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialTree<'a> {
    total: u32,
    hashes: &'a [[u8; 32]],
    flags: &'a [u8],
}

impl<'a> PartialTree<'a> {
    /// Reads the tree from the front of `reader`: leaf count, hashes, flag bytes.
    ///
    /// # Errors
    /// [`ParseError`] if it is truncated, or a count exceeds the remaining bytes.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let total = reader.u32()?;
        let count = reader.count("merkle hashes", 32)?;
        let (hashes, _) = reader.take(count.saturating_mul(32))?.as_chunks();
        let flags = reader.var_bytes()?;
        Ok(Self { total, hashes, flags })
    }

    /// Parses a slice that holds exactly one partial tree.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`ParseError::TrailingBytes`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let tree = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(tree)
    }

    /// Returns how many leaves the whole tree has.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.total
    }

    /// Computes the root and calls `matched` with index and hash of every leaf the tree is a proof for, in order.
    ///
    /// Makes the checks of Bitcoin Core's `CPartialMerkleTree::ExtractMatches`. What `matched` was told must be
    /// dropped if an error is returned.
    ///
    /// # Errors
    /// [`MerkleError::Empty`], [`MerkleError::TooManyLeaves`], [`MerkleError::TooFew`] or [`MerkleError::Unused`]
    /// if the parts do not fit together; [`MerkleError::Duplicate`] if two neighbours are the same.
    pub fn root(&self, matched: impl FnMut(u32, [u8; 32])) -> Result<[u8; 32], MerkleError> {
        if self.total == 0 {
            return Err(MerkleError::Empty);
        }
        if self.total > MAX_LEAVES {
            return Err(MerkleError::TooManyLeaves { count: self.total.into(), max: MAX_LEAVES });
        }
        let mut walk = Walk { total: self.total, hashes: self.hashes.iter(), flags: self.flags, bit: 0, matched };
        let height = self.total.next_power_of_two().ilog2();
        let root = walk.node(height, 0)?;
        if walk.hashes.len() != 0 {
            return Err(MerkleError::Unused { what: "hashes" });
        }
        if walk.bit.div_ceil(8) != self.flags.len() {
            return Err(MerkleError::Unused { what: "flag bits" });
        }
        Ok(root)
    }

    /// Computes the root and collects index and hash of every leaf the tree is a proof for.
    ///
    /// # Errors
    /// As [`root`](Self::root).
    pub fn matches(&self) -> Result<Matches, MerkleError> {
        let mut leaves = Vec::new();
        let root = self.root(|index, leaf| leaves.push((index, leaf)))?;
        Ok(Matches { root, leaves })
    }
}

/// What a partial tree proves, once its root is found in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Matches {
    /// The root, in wire order.
    pub root: [u8; 32],
    /// Index and hash of every proven leaf, in order of the index.
    pub leaves: Vec<(u32, [u8; 32])>,
}

/// The depth-first walk that consumes flags and hashes.
struct Walk<'a, M> {
    total: u32,
    hashes: core::slice::Iter<'a, [u8; 32]>,
    flags: &'a [u8],
    bit: usize,
    matched: M,
}

impl<M: FnMut(u32, [u8; 32])> Walk<'_, M> {
    /// Returns the hash of the node at `position` of the level `height` above the leaves.
    fn node(&mut self, height: u32, position: u32) -> Result<[u8; 32], MerkleError> {
        let flag = self.flag()?;
        let Some(below) = height.checked_sub(1).filter(|_| flag) else {
            let hash = *self.hashes.next().ok_or(MerkleError::TooFew { what: "hashes" })?;
            if flag {
                (self.matched)(position, hash);
            }
            return Ok(hash);
        };
        // Positions stay below `total`, which is far below 2^31.
        let left_position = position.saturating_mul(2);
        let right_position = left_position.saturating_add(1);
        let left = self.node(below, left_position)?;
        if right_position >= self.width(below) {
            return Ok(sha256d_pair(&left, &left));
        }
        let right = self.node(below, right_position)?;
        if left == right {
            return Err(MerkleError::Duplicate { level: below });
        }
        Ok(sha256d_pair(&left, &right))
    }

    /// Returns how many nodes the level `height` has.
    fn width(&self, height: u32) -> u32 {
        self.total.div_ceil(1 << height)
    }

    fn flag(&mut self) -> Result<bool, MerkleError> {
        let byte = self.flags.get(self.bit / 8).ok_or(MerkleError::TooFew { what: "flag bits" })?;
        let flag = (byte >> (self.bit % 8)) & 1 == 1;
        self.bit = self.bit.saturating_add(1);
        Ok(flag)
    }
}

/// Most leaves a tree may claim: the block size limit divided by the 60 bytes of the smallest transaction.
///
/// Bitcoin Core `src/merkleblock.cpp` has 4,000,000 / 240 = 16,666; Dash Core has 2,000,000 / 60, the largest of the
/// family.
const MAX_LEAVES: u32 = 2_000_000 / 60;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation)]
    use super::*;
    use crate::hash::sha256d;

    fn leaves(count: u32) -> Vec<[u8; 32]> {
        (0..count).map(|index| sha256d(&index.to_le_bytes())).collect()
    }

    /// Serializes the partial tree of `leaves` that proves those `wanted` names.
    fn build(leaves: &[[u8; 32]], wanted: &dyn Fn(u32) -> bool) -> Vec<u8> {
        fn hash(leaves: &[[u8; 32]], height: u32, position: u32) -> [u8; 32] {
            if height == 0 {
                return leaves[position as usize];
            }
            let left = hash(leaves, height - 1, position * 2);
            let wide = (leaves.len() as u32).div_ceil(1 << (height - 1)) > position * 2 + 1;
            let right = if wide { hash(leaves, height - 1, position * 2 + 1) } else { left };
            sha256d_pair(&left, &right)
        }
        struct Parts {
            bits: Vec<bool>,
            hashes: Vec<[u8; 32]>,
        }
        fn visit(leaves: &[[u8; 32]], wanted: &dyn Fn(u32) -> bool, height: u32, position: u32, parts: &mut Parts) {
            let total = leaves.len() as u32;
            let parent_of_match =
                (position << height..(position + 1) << height).any(|leaf| leaf < total && wanted(leaf));
            parts.bits.push(parent_of_match);
            if height == 0 || !parent_of_match {
                parts.hashes.push(hash(leaves, height, position));
                return;
            }
            visit(leaves, wanted, height - 1, position * 2, parts);
            if total.div_ceil(1 << (height - 1)) > position * 2 + 1 {
                visit(leaves, wanted, height - 1, position * 2 + 1, parts);
            }
        }
        let total = leaves.len() as u32;
        let mut parts = Parts { bits: Vec::new(), hashes: Vec::new() };
        visit(leaves, wanted, total.next_power_of_two().ilog2(), 0, &mut parts);
        let mut bytes = total.to_le_bytes().to_vec();
        assert!(parts.hashes.len() < 0xfd);
        bytes.push(parts.hashes.len() as u8);
        bytes.extend(parts.hashes.concat());
        let flags: Vec<u8> = parts
            .bits
            .chunks(8)
            .map(|bits| bits.iter().enumerate().fold(0, |byte, (index, bit)| byte | (u8::from(*bit) << index)))
            .collect();
        bytes.push(flags.len() as u8);
        bytes.extend(flags);
        bytes
    }

    #[test]
    fn proves_exactly_the_wanted_leaves_for_every_size_up_to_70() {
        for count in 1..=70 {
            let all = leaves(count);
            let root = crate::merkle::root(all.iter().copied()).unwrap();
            for step in 1..=5 {
                let wanted = |index: u32| index % step == step - 1;
                let bytes = build(&all, &wanted);
                let expected: Vec<_> =
                    (0..count).filter(|index| wanted(*index)).map(|index| (index, all[index as usize])).collect();
                assert_eq!(
                    PartialTree::parse(&bytes).unwrap().matches(),
                    Ok(Matches { root, leaves: expected }),
                    "{count}, {step}"
                );
            }
        }
    }

    #[test]
    fn refuses_parts_that_do_not_fit() {
        let all = leaves(5);
        let bytes = build(&all, &|index| index == 3);
        let tree = PartialTree::parse(&bytes).unwrap();
        let with = |change: fn(&mut PartialTree<'_>)| {
            let mut changed = tree;
            change(&mut changed);
            changed.matches().unwrap_err()
        };
        assert_eq!(with(|tree| tree.total = 0), MerkleError::Empty);
        assert!(matches!(with(|tree| tree.total = MAX_LEAVES + 1), MerkleError::TooManyLeaves { .. }));
        assert_eq!(with(|tree| tree.hashes = &tree.hashes[1..]), MerkleError::TooFew { what: "hashes" });
        assert_eq!(with(|tree| tree.flags = &[]), MerkleError::TooFew { what: "flag bits" });
        assert_eq!(with(|tree| tree.flags = &[0]), MerkleError::Unused { what: "hashes" });
        let long = [tree.flags, &[0]].concat();
        let unused = PartialTree { flags: &long, ..tree };
        assert_eq!(unused.matches(), Err(MerkleError::Unused { what: "flag bits" }));
    }

    #[test]
    fn refuses_identical_neighbours() {
        let twins = [[7; 32]; 2];
        let tree = PartialTree { total: 2, hashes: &twins, flags: &[0b111] };
        assert_eq!(tree.matches(), Err(MerkleError::Duplicate { level: 0 }));
    }

    #[test]
    fn refuses_truncation_at_every_byte() {
        let bytes = build(&leaves(9), &|index| index == 8);
        for len in 0..bytes.len() {
            assert!(PartialTree::parse(&bytes[..len]).is_err(), "{len} bytes");
        }
    }
}
