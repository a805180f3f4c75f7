//! Proofs that leaves belong to a mountain range.
//!
//! Leaves are raw text and a root does not say how many leaves it stands for, so the hashes alone are not enough:
//! - A position may be named once. A second leaf at the same position would never enter a hash and still look proven.
//! - A size must be one that a range can have, and every item of the proof must be used.
//! - A node above the leaves has 32 bytes; nothing else can stand there.
//! - Each node at the bottom, neighbours included, must have the form of a leaf ([`LeafForm`]). Two leaves go into their
//!   parent's hash without a separator, so `…/46` and `3Tx/…` hash as `…/463` and `Tx/…` do.

use std::collections::VecDeque;

use thiserror::Error;

use super::mmr::{HASH, MmrNode, bag, height_at, merge, peaks, sibling_offset};

/// Proves that leaves stand at their positions under a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MmrProof {
    /// The root that is proven against.
    pub root: MmrNode,
    /// The proven leaves with their positions among all nodes, counted from 0.
    pub leaves: Vec<(u64, MmrNode)>,
    /// The number of nodes of the range.
    pub size: u64,
    /// The nodes that are needed beside the leaves, in the order in which they are used.
    pub items: Vec<MmrNode>,
}

/// Says what a node at the bottom of a range must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeafForm {
    /// Anything. Sound only where all leaves have one length.
    Any,
    /// The text of a block or transaction: `Block/{hash}/{number}/{slot}` or `Tx/{hash}/{block hash}/{number}/{slot}`.
    ChainItem,
    /// 32 bytes, as of a block range in the tree above the ranges.
    Hash,
    /// 64 lower-case hex digits, such as a transaction hash or the digest of a file.
    HashText,
}

impl LeafForm {
    /// Says whether `bytes` have this form.
    #[must_use]
    pub fn admits(self, bytes: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::ChainItem => is_chain_item(bytes),
            Self::Hash => bytes.len() == HASH,
            Self::HashText => is_hash_text(bytes),
        }
    }
}

/// Says why a proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MmrError {
    /// A position is named twice.
    #[error("two leaves at position {position}")]
    DuplicatePosition {
        /// The position.
        position: u64,
    },
    /// Items are left over.
    #[error("{count} items of the proof are not used")]
    ItemsLeft {
        /// How many.
        count: usize,
    },
    /// An item is missing.
    #[error("the proof ends early")]
    ItemsMissing,
    /// A node at the bottom does not look like a leaf, or one above has not 32 bytes.
    #[error("a node of height {height} has the wrong form: {node}")]
    NodeForm {
        /// The height; 0 at the bottom.
        height: u32,
        /// Its bytes in hex, cut off after 64 digits.
        node: String,
    },
    /// The proof proves no leaf.
    #[error("the proof has no leaf")]
    NoLeaf,
    /// The position is not that of a leaf.
    #[error("position {position} is not a leaf")]
    NotALeaf {
        /// The position.
        position: u64,
    },
    /// The position is beyond the end.
    #[error("position {position} is beyond the range")]
    OutsideRange {
        /// The position, or the index when a proof is made.
        position: u64,
    },
    /// The leaves lead to another root.
    #[error("the leaves lead to the root {computed}, not {stated}")]
    RootMismatch {
        /// What was computed, in hex.
        computed: String,
        /// What the proof states, in hex.
        stated: String,
    },
    /// No range has that many nodes, or it is larger than is accepted.
    #[error("no range has {size} nodes")]
    Size {
        /// The stated number of nodes.
        size: u64,
    },
}

impl MmrProof {
    /// Checks that the leaves, which must have `form`, stand under the root.
    ///
    /// # Errors
    /// Any [`MmrError`]: nothing is proven then.
    pub fn verify(&self, form: LeafForm) -> Result<(), MmrError> {
        let computed = self.compute_root(form)?;
        if computed == self.root {
            return Ok(());
        }
        Err(MmrError::RootMismatch { computed: computed.to_hex(), stated: excerpt(self.root.as_bytes()) })
    }

    /// Says whether `leaf` is among the leaves. It is proven only if [`MmrProof::verify`] holds.
    #[must_use]
    pub fn names(&self, leaf: &[u8]) -> bool {
        self.leaves.iter().any(|(_, known)| known.as_bytes() == leaf)
    }

    /// Collects the items for `positions`, sorted and distinct, from the nodes of a range of `size` nodes.
    pub(super) fn build(size: u64, positions: &[u64], node: impl Fn(u64) -> Option<MmrNode>) -> Result<Self, MmrError> {
        let mut proof = Self { root: MmrNode::new([]), leaves: Vec::new(), size, items: Vec::new() };
        let find = |position| node(position).ok_or(MmrError::OutsideRange { position });
        for position in positions {
            proof.leaves.push((*position, find(*position)?));
        }
        let all = peaks(size);
        let last = positions.last().ok_or(MmrError::NoLeaf)?;
        let mut rest = positions;
        let mut right = Vec::new();
        for peak in &all {
            let mine = rest.partition_point(|position| position <= peak);
            let (under, after) = rest.split_at(mine);
            rest = after;
            if under.is_empty() && peak > last {
                right.push(find(*peak)?);
            } else if under.is_empty() {
                proof.items.push(find(*peak)?);
            } else {
                let mut queue: VecDeque<(u64, u32)> = under.iter().map(|position| (*position, 0)).collect();
                while let Some((position, height)) = queue.pop_front().filter(|(position, _)| position < peak) {
                    let (sibling, parent, _) = family(position, height);
                    if queue.front().is_some_and(|(next, _)| *next == sibling) {
                        queue.pop_front();
                    } else {
                        proof.items.push(find(sibling)?);
                    }
                    queue.push_back((parent, height + 1));
                }
            }
        }
        proof.items.extend(bag(right));
        let everything = all.iter().map(|peak| find(*peak)).collect::<Result<Vec<_>, _>>()?;
        proof.root = bag(everything).ok_or(MmrError::Size { size })?;
        Ok(proof)
    }

    fn compute_root(&self, form: LeafForm) -> Result<MmrNode, MmrError> {
        let all = if self.size > MAX_SIZE { Vec::new() } else { peaks(self.size) };
        if all.is_empty() {
            return Err(MmrError::Size { size: self.size });
        }
        let leaves = self.sorted_leaves(form)?;
        let mut items = Items { rest: self.items.iter(), form };
        let mut rest: &[(u64, &MmrNode)] = &leaves;
        let mut roots = Vec::with_capacity(all.len());
        for peak in &all {
            let (under, after) = rest.split_at(rest.partition_point(|(position, _)| position <= peak));
            if !under.is_empty() {
                roots.push(climb(under, *peak, &mut items)?);
            } else if rest.is_empty() {
                // Everything to the right comes as one item, joined already unless it is a single peak.
                let single = all.last() == Some(peak) && height_at(*peak) == 0;
                roots.push(items.next(if single { 0 } else { 1 })?.clone());
                break;
            } else {
                roots.push(items.next(height_at(*peak))?.clone());
            }
            rest = after;
        }
        match items.rest.len() {
            0 => bag(roots).ok_or(MmrError::NoLeaf),
            count => Err(MmrError::ItemsLeft { count }),
        }
    }

    fn sorted_leaves(&self, form: LeafForm) -> Result<Vec<(u64, &MmrNode)>, MmrError> {
        let mut leaves: Vec<(u64, &MmrNode)> = self.leaves.iter().map(|(position, leaf)| (*position, leaf)).collect();
        leaves.sort_by_key(|(position, _)| *position);
        if leaves.is_empty() {
            return Err(MmrError::NoLeaf);
        }
        let mut before = None;
        for (position, leaf) in &leaves {
            let position = *position;
            if before == Some(position) {
                return Err(MmrError::DuplicatePosition { position });
            }
            if position >= self.size {
                return Err(MmrError::OutsideRange { position });
            }
            if height_at(position) != 0 {
                return Err(MmrError::NotALeaf { position });
            }
            check_form(leaf, 0, form)?;
            before = Some(position);
        }
        Ok(leaves)
    }
}

/// Hands out the items of a proof, each checked against the height at which it is used.
struct Items<'a> {
    rest: core::slice::Iter<'a, MmrNode>,
    form: LeafForm,
}

impl<'a> Items<'a> {
    fn next(&mut self, height: u32) -> Result<&'a MmrNode, MmrError> {
        let item = self.rest.next().ok_or(MmrError::ItemsMissing)?;
        check_form(item, height, self.form)?;
        Ok(item)
    }
}

/// Computes the node at `peak` from the leaves under it, level by level.
fn climb(leaves: &[(u64, &MmrNode)], peak: u64, items: &mut Items<'_>) -> Result<MmrNode, MmrError> {
    let mut queue: VecDeque<(u64, MmrNode, u32)> =
        leaves.iter().map(|(position, leaf)| (*position, (*leaf).clone(), 0)).collect();
    while let Some((position, node, height)) = queue.pop_front() {
        if position == peak {
            return if queue.is_empty() { Ok(node) } else { Err(MmrError::NotALeaf { position }) };
        }
        let (sibling, parent, is_right) = family(position, height);
        let known = if queue.front().is_some_and(|(next, _, _)| *next == sibling) { queue.pop_front() } else { None };
        let beside = match &known {
            Some((_, node, _)) => node,
            None => items.next(height)?,
        };
        let (left, right) = if is_right { (beside, &node) } else { (&node, beside) };
        queue.push_back((parent, MmrNode::new(merge(left.as_bytes(), right.as_bytes())), height + 1));
    }
    Err(MmrError::NoLeaf)
}

/// Returns the positions of the sibling and the parent, and whether `position` is the right child.
fn family(position: u64, height: u32) -> (u64, u64, bool) {
    let offset = sibling_offset(height);
    if height_at(position + 1) > height {
        (position.saturating_sub(offset), position + 1, true)
    } else {
        let sibling = position.saturating_add(offset);
        (sibling, sibling.saturating_add(1), false)
    }
}

fn check_form(node: &MmrNode, height: u32, form: LeafForm) -> Result<(), MmrError> {
    let bytes = node.as_bytes();
    let fits = if height == 0 { form.admits(bytes) } else { bytes.len() == HASH };
    if fits { Ok(()) } else { Err(MmrError::NodeForm { height, node: excerpt(bytes) }) }
}

fn is_hash_text(bytes: &[u8]) -> bool {
    bytes.len() == 2 * HASH && bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_chain_item(bytes: &[u8]) -> bool {
    let mut parts = bytes.split(|byte| *byte == b'/');
    let hashes = match parts.next() {
        Some(b"Block") => 1,
        Some(b"Tx") => 2,
        _ => return false,
    };
    (0..hashes).all(|_| parts.next().is_some_and(is_hash_text))
        && (0..2).all(|_| parts.next().is_some_and(is_number))
        && parts.next().is_none()
}

/// Says whether the text is a `u64` as it is printed: no sign, no leading zero, no overflow.
fn is_number(bytes: &[u8]) -> bool {
    let parsed = core::str::from_utf8(bytes).ok().and_then(|text| text.parse::<u64>().ok());
    parsed.is_some_and(|number| number.to_string().as_bytes() == bytes)
}

fn excerpt(bytes: &[u8]) -> String {
    hex::encode(bytes.get(..HASH).unwrap_or(bytes))
}

/// The largest number of nodes that is accepted: 2^40 leaves, a thousand times all transactions of Cardano so far, and
/// far from where positions would overflow.
const MAX_SIZE: u64 = 1 << 41;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::mmr::MmrTree;

    fn leaf(index: usize) -> Vec<u8> {
        format!("{index:064x}").into_bytes()
    }

    fn proof(leaves: usize, indices: &[usize]) -> MmrProof {
        (0..leaves).map(leaf).collect::<MmrTree>().prove(indices).unwrap()
    }

    #[test]
    fn proofs_of_single_and_several_leaves_hold_for_every_size() {
        for size in 1..=40 {
            for index in 0..size {
                let pair = [index, (index * 7 + 3) % size];
                proof(size, &[index]).verify(LeafForm::HashText).unwrap();
                proof(size, &pair).verify(LeafForm::HashText).unwrap();
            }
            let all: Vec<usize> = (0..size).collect();
            proof(size, &all).verify(LeafForm::HashText).unwrap();
        }
    }

    #[test]
    fn a_second_leaf_at_a_position_is_refused() {
        let mut forged = proof(9, &[4]);
        let position = forged.leaves[0].0;
        forged.leaves.push((position, MmrNode::new(leaf(77))));
        assert!(forged.names(&leaf(77)));
        assert_eq!(forged.verify(LeafForm::HashText), Err(MmrError::DuplicatePosition { position }));
    }

    #[test]
    fn a_proof_that_moves_the_boundary_between_two_leaves_is_refused() {
        let block = format!("Block/{}/463/463", "a".repeat(64));
        let next = format!("Tx/{}/{}/463/463", "b".repeat(64), "a".repeat(64));
        let tree: MmrTree = [block.clone(), next.clone()].into_iter().collect();
        let honest = tree.prove(&[0]).unwrap();
        honest.verify(LeafForm::ChainItem).unwrap();

        let mut forged = honest;
        forged.leaves[0].1 = MmrNode::new(&block.as_bytes()[..block.len() - 1]);
        forged.items[0] = MmrNode::new(format!("3{next}"));
        forged.verify(LeafForm::Any).expect("the hashes alone do not tell");
        assert!(matches!(forged.verify(LeafForm::ChainItem), Err(MmrError::NodeForm { height: 0, .. })));
    }

    #[test]
    fn missing_spare_and_swapped_items_are_refused() {
        let good = proof(11, &[2]);
        let mut short = good.clone();
        short.items.pop();
        assert_eq!(short.verify(LeafForm::HashText), Err(MmrError::ItemsMissing));
        let mut long = good.clone();
        long.items.push(MmrNode::new([0; 32]));
        assert_eq!(long.verify(LeafForm::HashText), Err(MmrError::ItemsLeft { count: 1 }));
        let mut swapped = good.clone();
        swapped.items.swap(1, 2);
        assert!(matches!(swapped.verify(LeafForm::HashText), Err(MmrError::RootMismatch { .. })));
    }

    #[test]
    fn positions_and_sizes_that_cannot_be_are_refused() {
        let good = proof(11, &[2]);
        let with = |change: &dyn Fn(&mut MmrProof)| {
            let mut proof = good.clone();
            change(&mut proof);
            proof.verify(LeafForm::HashText).unwrap_err()
        };
        assert_eq!(with(&|p| p.size = 20), MmrError::Size { size: 20 });
        assert_eq!(with(&|p| p.size = u64::MAX), MmrError::Size { size: u64::MAX });
        assert_eq!(with(&|p| p.leaves[0].0 = u64::MAX), MmrError::OutsideRange { position: u64::MAX });
        assert_eq!(with(&|p| p.leaves[0].0 = 2), MmrError::NotALeaf { position: 2 });
        assert_eq!(with(&|p| p.leaves.clear()), MmrError::NoLeaf);
    }

    #[test]
    fn leaf_forms_tell_texts_apart() {
        let hash = "0".repeat(64);
        assert!(LeafForm::ChainItem.admits(format!("Block/{hash}/0/18446744073709551615").as_bytes()));
        for bad in [
            format!("Block/{hash}/01/2"),
            format!("Block/{hash}/1/"),
            format!("Block/{hash}/1/2/3"),
            format!("Block/{hash}/1/18446744073709551616"),
            format!("Block/{hash}/+1/2"),
            format!("Tx/{hash}/1/2"),
            format!("1Tx/{hash}/{hash}/1/2"),
        ] {
            assert!(!LeafForm::ChainItem.admits(bad.as_bytes()), "{bad}");
        }
        assert!(!LeafForm::HashText.admits("A".repeat(64).as_bytes()));
    }
}
