//! The blocks of the play, and what a source that stands on one of them answers.

use core::num::NonZeroU32;
use std::collections::BTreeSet;

use async_trait::async_trait;
use nodewright_core::{
    BlockHash, BlockHeight, BlockId, BlockPoint, BlockTime, Error, ErrorKind, Evidence, EvidenceClaim, EvidenceKind,
    EvidenceSource, Extension, Header, Result, Tips, Trust,
};

/// Holds a tree of blocks, each named by its place; the scan starts after the first.
#[derive(Debug)]
pub(super) struct Tree {
    blocks: Vec<(Header, usize)>,
    pub(super) best: usize,
    pub(super) locks: Vec<usize>,
    pub(super) reported: Option<BlockId>,
    /// Holds every block that was ever reported as final.
    pub(super) ever_reported: BTreeSet<BlockId>,
}

impl Tree {
    pub(super) fn new() -> Self {
        let id = BlockId { height: BlockHeight(7), hash: hash(0) };
        let first = Header { point: id.into(), parent: BlockHash::default(), time: BlockTime(0) };
        Self { blocks: vec![(first, 0)], best: 0, locks: Vec::new(), reported: None, ever_reported: BTreeSet::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn header(&self, at: usize) -> Header {
        self.blocks[at].0
    }

    pub(super) fn id(&self, at: usize) -> BlockId {
        self.header(at).point.id
    }

    /// Returns the place that `choice` chooses; small choices are new blocks.
    pub(super) fn choose(&self, choice: usize) -> usize {
        self.len() - 1 - choice % self.len()
    }

    /// Adds a block; returns its place. A full tree stays as it is.
    pub(super) fn add(&mut self, parent: usize, step: u64, time: u32) -> usize {
        if self.len() >= MOST_BLOCKS {
            return parent;
        }
        let at = self.len();
        let below = self.id(parent);
        let id = BlockId { height: BlockHeight(below.height.0 + step), hash: hash(at) };
        self.blocks.push((Header { point: id.into(), parent: below.hash, time: BlockTime(time.into()) }, parent));
        at
    }

    pub(super) fn report(&mut self, id: Option<BlockId>) {
        self.reported = id;
        self.ever_reported.extend(id);
    }

    /// Returns the place `lag` blocks below `at`.
    pub(super) fn below(&self, at: usize, lag: usize) -> usize {
        (0..lag).fold(at, |at, _| self.blocks[at].1)
    }

    /// Returns the places from the first block to `tip`.
    fn branch(&self, tip: usize) -> Vec<usize> {
        let mut branch = vec![tip];
        while branch.last() != Some(&0) {
            branch.extend(branch.last().map(|at| self.blocks[*at].1));
        }
        branch.reverse();
        branch
    }

    pub(super) fn holds(&self, tip: usize, point: &BlockPoint) -> bool {
        self.branch(tip).iter().any(|at| self.header(*at).point == *point)
    }

    /// Returns whether the block `hash` is `above` or one of its ancestors.
    pub(super) fn descends(&self, above: BlockHash, hash: BlockHash) -> bool {
        let at = self.blocks.iter().position(|(header, _)| header.point.id.hash == above);
        at.is_some_and(|at| self.branch(at).iter().any(|at| self.id(*at).hash == hash))
    }

    /// Answers as an honest source does whose chain ends at `tip`.
    pub(super) fn extend(&self, tip: usize, locator: &[BlockPoint], max: NonZeroU32) -> Extension {
        let branch = self.branch(tip);
        let tips = Tips { head: self.id(tip), safe: None, reported_final: self.reported };
        let place = |point: &BlockPoint| branch.iter().position(|at| self.header(*at).point == *point);
        let Some(first) = locator.iter().find_map(place) else {
            return Extension { from: None, headers: Vec::new(), tips };
        };
        let most = usize::try_from(max.get()).unwrap_or(usize::MAX);
        let headers = branch.iter().skip(first + 1).take(most).map(|at| self.header(*at)).collect();
        Extension { from: Some(self.header(branch[first]).point), headers, tips }
    }

    pub(super) fn evidence(&self, at: usize) -> Evidence {
        let trust = if at.is_multiple_of(2) { Trust::NodeSet } else { Trust::Checkpoint };
        Evidence::attest(self.id(at), LOCK, trust, &certificate(self.id(at)))
    }

    pub(super) fn locked(&self, block: BlockId) -> Option<usize> {
        self.locks.iter().copied().find(|at| self.id(*at) == block)
    }
}

#[async_trait]
impl EvidenceSource for Tree {
    async fn evidence(&self, _: &[BlockPoint]) -> Result<Vec<Evidence>> {
        Ok(self.locks.iter().map(|at| self.evidence(*at)).collect())
    }

    async fn verify(&self, claim: &EvidenceClaim) -> Result<Evidence> {
        let held = claim.kind == EvidenceKind::Certificate(LOCK.into()) && claim.bytes == certificate(claim.block);
        let at = self.locked(claim.block).filter(|_| held);
        at.map(|at| self.evidence(at)).ok_or_else(|| Error::new(ErrorKind::Unverified, "verify"))
    }
}

fn certificate(id: BlockId) -> [u8; 33] {
    let mut bytes = [0x5c; 33];
    bytes[..32].copy_from_slice(&id.hash.0);
    bytes
}

fn hash(at: usize) -> BlockHash {
    let [low, high, ..] = at.to_le_bytes();
    let mut bytes = [0xb1; 32];
    bytes[..2].copy_from_slice(&[low, high]);
    BlockHash(bytes)
}

const LOCK: &str = "fuzzlock";

/// Is enough for a road of several levels under the smallest limits.
const MOST_BLOCKS: usize = 250;
