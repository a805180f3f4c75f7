//! The truth of a simulation: a tree of blocks, which branch is the best, and which blocks have certificates.

use std::collections::HashMap;

use nodewright_core::{
    BlockHash, BlockHeight, BlockId, BlockPoint, BlockTime, ChainId, Evidence, EvidenceClaim, EvidenceKind, Header,
    NetworkId, Scope, Trust,
};

use crate::sim::mint::{Draft, Mint, PlainMint, mix};

/// Holds a tree of blocks that grows and forks as it is told, the same for the same seed.
#[derive(Debug)]
pub struct SimChain<M: Mint = PlainMint> {
    scope: Scope,
    mint: M,
    rng: fastrand::Rng,
    heights: Heights,
    blocks: Vec<SimBlock<M::Body>>,
    index: HashMap<BlockHash, usize>,
    /// Holds the best branch, from genesis to the head.
    best: Vec<usize>,
    /// Is the place of the newest block that was ever the head of the best branch.
    seen: usize,
    locks: Vec<BlockId>,
    reported_final: Option<BlockId>,
    /// Stands for the signers' key.
    key: u64,
}

/// Says how heights go from a block to its child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Heights {
    /// They grow by one.
    #[default]
    Rising,
    /// They sometimes jump, as on NEAR.
    Skipping,
    /// They sometimes stay, as at the epoch boundary blocks of Cardano's Byron era.
    Repeating,
}

/// Holds one block of the tree.
#[derive(Debug)]
pub struct SimBlock<B> {
    header: Header,
    body: B,
    /// Counts the blocks before it on its branch.
    depth: usize,
    parent: Option<usize>,
}

impl<B> SimBlock<B> {
    /// Returns what the scan core sees of it.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> BlockId {
        self.header.point.id
    }

    /// Returns what its mint kept.
    #[must_use]
    pub fn body(&self) -> &B {
        &self.body
    }

    /// Returns how many blocks precede it on its branch; its height where heights rise by one.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }
}

impl SimChain {
    /// Makes a chain of plain blocks that holds genesis alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_mint("sim", "test", seed, PlainMint)
    }
}

impl<M: Mint> SimChain<M> {
    /// Makes a chain that holds the genesis block of `mint` alone.
    #[must_use]
    pub fn with_mint(chain: &str, network: &str, seed: u64, mut mint: M) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let time = BlockTime(FIRST_TIME);
        let minted = mint.mint(None, Draft { height: BlockHeight(0), time, nonce: rng.u64(..) });
        let point = BlockPoint::from(BlockId { height: BlockHeight(0), hash: minted.hash });
        let header = Header { point, parent: BlockHash::default(), time };
        let network = NetworkId { name: network.to_owned(), genesis: minted.hash };
        Self {
            scope: Scope { chain: ChainId::new(chain), network, shard: None },
            mint,
            key: rng.u64(..),
            rng,
            heights: Heights::Rising,
            blocks: vec![SimBlock { header, body: minted.body, depth: 0, parent: None }],
            index: HashMap::from([(minted.hash, 0)]),
            best: vec![0],
            seen: 0,
            locks: Vec::new(),
            reported_final: None,
        }
    }

    /// Sets how the heights of new blocks go.
    #[must_use]
    pub fn with_heights(mut self, heights: Heights) -> Self {
        self.heights = heights;
        self
    }

    /// Returns which ledger this is.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the block at height 0.
    #[must_use]
    pub fn genesis(&self) -> BlockPoint {
        self.best_block(0).header.point
    }

    /// Returns the newest block of the best branch.
    #[must_use]
    pub fn head(&self) -> BlockId {
        self.best_block(usize::MAX).id()
    }

    /// Returns the mint, to tell it what the next blocks shall hold.
    pub fn mint(&mut self) -> &mut M {
        &mut self.mint
    }

    /// Returns the block of this hash, on whatever branch.
    #[must_use]
    pub fn block(&self, hash: &BlockHash) -> Option<&SimBlock<M::Body>> {
        self.blocks.get(*self.index.get(hash)?)
    }

    /// Returns the best branch, from genesis to the head.
    pub fn best(&self) -> impl DoubleEndedIterator<Item = &SimBlock<M::Body>> + ExactSizeIterator {
        self.best.iter().map(|at| &self.blocks[*at])
    }

    /// Returns whether the best branch holds `id`.
    #[must_use]
    pub fn is_best(&self, id: &BlockId) -> bool {
        self.best_view().holds(&BlockPoint::from(*id))
    }

    /// Returns the block that is `depth` blocks below the head; genesis if there are not so many.
    #[must_use]
    pub fn below_head(&self, depth: usize) -> BlockId {
        self.best_block(self.best.len().saturating_sub(1).saturating_sub(depth)).id()
    }

    /// Adds `count` blocks to the best branch and returns its head.
    pub fn grow(&mut self, count: usize) -> BlockId {
        let tip = self.fork(self.head(), count);
        self.select(tip);
        tip
    }

    /// Adds a branch of `count` blocks on top of `from` without making it the best; returns its tip.
    ///
    /// # Panics
    /// If the tree does not hold `from`.
    pub fn fork(&mut self, from: BlockId, count: usize) -> BlockId {
        let mut parent = self.place(from);
        for _ in 0..count {
            parent = self.add(parent);
        }
        self.blocks[parent].id()
    }

    /// Makes the branch that ends in `tip` the best one, longer or not.
    ///
    /// # Panics
    /// If the tree does not hold `tip`.
    pub fn select(&mut self, tip: BlockId) {
        let (shared, rest) = self.branch(self.place(tip));
        self.best.truncate(shared);
        self.best.extend(rest);
        self.seen = self.seen.max(self.best.last().copied().unwrap_or_default());
    }

    /// Replaces the newest `depth` blocks (as far as there are) by `count` others, be they more or fewer; returns the head.
    pub fn reorg(&mut self, depth: usize, count: usize) -> BlockId {
        let from = self.below_head(depth);
        let tip = self.fork(from, count);
        self.select(tip);
        tip
    }

    /// Issues a certificate of `id`. Neither the block nor its branch need be the best: see [`SimChain::follow_locks`].
    ///
    /// # Panics
    /// If the tree does not hold `id`.
    pub fn lock(&mut self, id: BlockId) {
        self.place(id);
        if !self.locks.contains(&id) {
            self.locks.push(id);
        }
    }

    /// Does what an honest node does: makes the newest certified block and its longest descent the best branch.
    pub fn follow_locks(&mut self) {
        let Some(locked) = self.locks.iter().max_by_key(|id| id.height).copied() else { return };
        if self.is_best(&locked) {
            return;
        }
        let tip = (0..self.blocks.len())
            .filter(|at| self.view(self.blocks[*at].id()).holds(&locked.into()))
            .max_by_key(|at| self.blocks[*at].depth);
        self.select(tip.map_or(locked, |at| self.blocks[at].id()));
    }

    /// Returns every certified block, in the order of issue.
    #[must_use]
    pub fn locks(&self) -> &[BlockId] {
        &self.locks
    }

    /// Sets which block honest nodes report as final.
    pub fn report_final(&mut self, id: Option<BlockId>) {
        self.reported_final = id;
    }

    /// Returns which block honest nodes report as final.
    #[must_use]
    pub fn reported_final(&self) -> Option<BlockId> {
        self.reported_final
    }

    /// Returns the certificate of `id` as a chain would encode it.
    #[must_use]
    pub fn certificate(&self, id: BlockId) -> Vec<u8> {
        mix(&id.hash, self.key ^ id.height.0).0.to_vec()
    }

    /// Returns the certificate of `id` as verified evidence.
    #[must_use]
    pub fn evidence(&self, id: BlockId) -> Evidence {
        Evidence::attest(id, LOCK, Trust::NodeSet, &self.certificate(id))
    }

    /// Returns the evidence that `claim` claims, if its certificate holds.
    #[must_use]
    pub fn verify(&self, claim: &EvidenceClaim) -> Option<Evidence> {
        let held = claim.kind == EvidenceKind::Certificate(LOCK.into()) && claim.bytes == self.certificate(claim.block);
        held.then(|| self.evidence(claim.block))
    }

    /// Shows the chain as a node sees it whose head is `tip`.
    ///
    /// # Panics
    /// If the tree does not hold `tip`.
    #[must_use]
    pub fn view(&self, tip: BlockId) -> SimView<'_, M> {
        let at = self.place(tip);
        let (shared, rest) = self.branch(at);
        SimView { chain: self, shared, rest, newest: at, seen: at }
    }

    /// Shows the chain as a node sees it that has the best branch.
    #[must_use]
    pub fn best_view(&self) -> SimView<'_, M> {
        let newest = self.best.last().copied().unwrap_or_default();
        SimView { chain: self, shared: self.best.len(), rest: Vec::new(), newest, seen: self.seen }
    }

    fn best_block(&self, depth: usize) -> &SimBlock<M::Body> {
        &self.blocks[self.best[depth.min(self.best.len() - 1)]]
    }

    fn place(&self, id: BlockId) -> usize {
        let at = self.index.get(&id.hash).copied().filter(|at| self.blocks[*at].id() == id);
        at.unwrap_or_else(|| unreachable!("no block {id:?} was made"))
    }

    /// Returns how many blocks of the best branch the branch that ends `at` shares, and the rest of it.
    fn branch(&self, mut at: usize) -> (usize, Vec<usize>) {
        let mut rest = Vec::new();
        while self.best.get(self.blocks[at].depth) != Some(&at) {
            rest.push(at);
            let Some(parent) = self.blocks[at].parent else { return (0, rest) };
            at = parent;
        }
        rest.reverse();
        (self.blocks[at].depth + 1, rest)
    }

    fn add(&mut self, parent: usize) -> usize {
        let step = match self.heights {
            Heights::Rising => 1,
            Heights::Skipping if self.rng.u8(..) < 64 => self.rng.u64(2..6),
            Heights::Repeating if self.rng.u8(..) < 64 => 0,
            Heights::Skipping | Heights::Repeating => 1,
        };
        let below = &self.blocks[parent];
        let height = BlockHeight(below.header.point.id.height.0.saturating_add(step));
        let time = BlockTime(below.header.time.0.saturating_add(SPACING));
        let minted = self.mint.mint(Some(below), Draft { height, time, nonce: self.rng.u64(..) });
        let point = BlockPoint::from(BlockId { height, hash: minted.hash });
        let header = Header { point, parent: below.header.point.id.hash, time };
        let block = SimBlock { header, body: minted.body, depth: below.depth + 1, parent: Some(parent) };
        let at = self.blocks.len();
        let twin = self.index.insert(minted.hash, at);
        assert!(twin.is_none(), "the mint made two blocks with the hash {:?}", minted.hash);
        self.blocks.push(block);
        at
    }
}

/// Shows one branch of a [`SimChain`], from genesis to a head.
#[derive(Debug)]
pub struct SimView<'a, M: Mint = PlainMint> {
    chain: &'a SimChain<M>,
    /// Counts the blocks that are of the best branch.
    shared: usize,
    rest: Vec<usize>,
    newest: usize,
    seen: usize,
}

impl<'a, M: Mint> SimView<'a, M> {
    /// Returns the newest block.
    #[must_use]
    pub fn head(&self) -> &'a SimBlock<M::Body> {
        &self.chain.blocks[self.newest]
    }

    /// Returns the block that has `depth` blocks before it.
    #[must_use]
    pub fn at_depth(&self, depth: usize) -> Option<&'a SimBlock<M::Body>> {
        self.chain.blocks.get(self.place_at(depth)?)
    }

    /// Returns the first block at `height`.
    #[must_use]
    pub fn at_height(&self, height: BlockHeight) -> Option<&'a SimBlock<M::Body>> {
        let length = self.shared.saturating_add(self.rest.len());
        let (mut low, mut high) = (0, length);
        while low < high {
            let middle = low.midpoint(high);
            if self.at_depth(middle)?.id().height < height { low = middle + 1 } else { high = middle }
        }
        self.at_depth(low).filter(|block| block.id().height == height)
    }

    /// Returns whether the branch holds `point`.
    #[must_use]
    pub fn holds(&self, point: &BlockPoint) -> bool {
        self.chain.index.get(&point.id.hash).is_some_and(|at| {
            let block = &self.chain.blocks[*at];
            block.header.point == *point && self.place_at(block.depth) == Some(*at)
        })
    }

    /// Returns whether a node with this head has seen `point`: it was made no later than the head, or than an earlier head
    /// of the best branch.
    #[must_use]
    pub fn has_seen(&self, point: &BlockPoint) -> bool {
        let known = |at: &&usize| self.chain.blocks[**at].header.point == *point;
        self.chain.index.get(&point.id.hash).filter(known).is_some_and(|at| *at <= self.seen)
    }

    /// Returns the newest of `locator` on this branch, and up to `max` blocks that follow it.
    #[must_use]
    pub fn after(&self, locator: &[BlockPoint], max: usize) -> (Option<BlockPoint>, Vec<Header>) {
        let Some(from) = locator.iter().find(|point| self.holds(point)) else { return (None, Vec::new()) };
        let first = self.chain.block(&from.id.hash).map_or(0, |block| block.depth.saturating_add(1));
        let headers =
            (first..first.saturating_add(max)).map_while(|depth| self.at_depth(depth)).map(|block| block.header);
        (Some(*from), headers.collect())
    }

    fn place_at(&self, depth: usize) -> Option<usize> {
        match depth.checked_sub(self.shared) {
            None => self.chain.best.get(depth).copied(),
            Some(rest) => self.rest.get(rest).copied(),
        }
    }
}

/// Is the word for the certificates of a simulated chain.
const LOCK: &str = "simlock";

/// Is when a simulated chain begins; any time would do.
const FIRST_TIME: u64 = 1_600_000_000;

/// Is how many seconds lie between blocks; any number would do.
const SPACING: u64 = 150;
