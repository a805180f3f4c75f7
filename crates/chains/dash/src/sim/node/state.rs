//! What one node knows.

use std::collections::{HashMap, HashSet};

use nodewright_core::BlockHash;
use nodewright_utxo::hash::Txid;
use nodewright_utxo::header::RawHeader;
use nodewright_utxo::tx::{OutPoint, TxView};
use nodewright_utxo::walker::{BlockWalker, Dialect};

use crate::chainlock::ChainLock;
use crate::x11;

/// Holds a node's blocks, its active chain, its best ChainLock, its quorums and its memory pool.
#[derive(Debug, Default)]
pub struct NodeState {
    blocks: HashMap<BlockHash, NodeBlock>,
    active: Vec<BlockHash>,
    lock: Option<ChainLock>,
    quorums: Vec<NodeQuorum>,
    pub(super) pool: HashMap<Txid, Vec<u8>>,
    pub(super) warm_up: u32,
    chain_locks_enabled: bool,
    edits_headers: bool,
    pub(super) said: Vec<(&'static str, &'static str, serde_json::Value)>,
}

/// Holds a block and its place on its own branch.
#[derive(Debug)]
pub(super) struct NodeBlock {
    pub(super) raw: Vec<u8>,
    pub(super) header: RawHeader,
    pub(super) height: usize,
    pub(super) txids: Vec<Txid>,
}

/// Holds a quorum as `quorum info` reports it.
#[derive(Clone, Debug)]
pub(super) struct NodeQuorum {
    pub(super) llmq_type: u8,
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) info: serde_json::Value,
}

impl NodeState {
    /// Makes the state of a node that knows nothing, with ChainLocks switched on (spork 19).
    #[must_use]
    pub fn new() -> Self {
        Self { chain_locks_enabled: true, ..Self::default() }
    }

    /// Takes a serialized block whose parent is known (or a first one); returns its hash, or `None` if it does not fit.
    pub fn add_block(&mut self, raw: &[u8]) -> Option<BlockHash> {
        let mut walker = BlockWalker::new(raw, Dialect::Dash).ok()?;
        let header = *walker.header();
        let hash = BlockHash(x11(walker.header_bytes()));
        if self.blocks.contains_key(&hash) {
            return Some(hash);
        }
        let height = match self.blocks.get(&BlockHash(header.prev)) {
            Some(parent) => parent.height.saturating_add(1),
            None if self.blocks.is_empty() => 0,
            None => return None,
        };
        let mut txids = Vec::new();
        while let Some(tx) = walker.next_tx().ok()? {
            txids.push(tx.txid());
        }
        self.blocks.insert(hash, NodeBlock { raw: raw.to_vec(), header, height, txids });
        Some(hash)
    }

    /// Makes the branch that ends in `tip` the active chain; returns whether the block is known.
    ///
    /// As in a real node, transactions of blocks that leave the chain wait in the memory pool again, unless one of the new
    /// blocks holds them or spends what they spend.
    pub fn activate(&mut self, tip: BlockHash) -> bool {
        let mut branch = Vec::new();
        let mut at = tip;
        while let Some(block) = self.blocks.get(&at).filter(|_| !self.is_active(&at)) {
            branch.push(at);
            at = BlockHash(block.header.prev);
        }
        let shared = match self.blocks.get(&at) {
            Some(block) => block.height.saturating_add(1),
            None if branch.is_empty() => return false,
            None => 0,
        };
        let dropped = self.active.split_off(shared.min(self.active.len()));
        self.active.extend(branch.iter().rev());
        for hash in dropped {
            let held = self.blocks.get(&hash).map(|block| transactions(&block.raw)).unwrap_or_default();
            self.pool.extend(held);
        }
        let mined = branch.iter().filter_map(|hash| self.blocks.get(hash)).flat_map(|block| transactions(&block.raw));
        let (mined, raws): (Vec<_>, Vec<_>) = mined.unzip();
        let spent: HashSet<_> = raws.iter().flat_map(|raw| spends(raw)).collect();
        self.pool.retain(|txid, raw| !mined.contains(txid) && !spends(raw).iter().any(|output| spent.contains(output)));
        true
    }

    /// Serves `raw` as the block `hash` from now on, whatever it hashes to: a lie.
    pub fn forge(&mut self, hash: BlockHash, raw: &[u8]) {
        let header = raw.get(..RawHeader::SIZE).and_then(|bytes| RawHeader::parse(bytes).ok());
        if let (Some(block), Some(header)) = (self.blocks.get_mut(&hash), header) {
            (block.raw, block.header) = (raw.to_vec(), header);
        }
    }

    /// Serves every header with its last byte changed, or honestly again.
    pub fn edit_headers(&mut self, edited: bool) {
        self.edits_headers = edited;
    }

    /// Forgets every block, and what it knows besides stays: a node that is set up anew behind the same URL.
    pub fn forget_blocks(&mut self) {
        self.blocks.clear();
        self.active.clear();
    }

    /// Answers `method` with `value` in the field `name` of its result from now on, whatever it knows; null takes the field
    /// out.
    pub fn say(&mut self, method: &'static str, name: &'static str, value: serde_json::Value) {
        self.said.push((method, name, value));
    }

    /// Refuses the next `calls` requests because it is still loading.
    pub fn warm_up(&mut self, calls: u32) {
        self.warm_up = calls;
    }

    /// Returns the height of the newest block of the active chain.
    #[must_use]
    pub fn height(&self) -> u64 {
        u64::try_from(self.active.len().saturating_sub(1)).unwrap_or(u64::MAX)
    }

    /// Sets the best ChainLock, whether its block is known or not.
    pub fn set_lock(&mut self, lock: Option<ChainLock>) {
        self.lock = lock;
    }

    /// Switches ChainLocks on or off, as spork 19 does.
    pub fn enable_chain_locks(&mut self, enabled: bool) {
        self.chain_locks_enabled = enabled;
    }

    /// Adds a quorum as `quorum list` and `quorum info` report it.
    pub fn add_quorum(&mut self, llmq_type: u8, name: &str, hash: &str, info: serde_json::Value) {
        let (name, hash) = (name.to_owned(), hash.to_owned());
        self.quorums.push(NodeQuorum { llmq_type, name, hash, info });
    }

    /// Puts a transaction into the memory pool.
    pub fn add_to_pool(&mut self, raw: &[u8]) {
        self.pool.insert(super::super::build::txid(raw), raw.to_vec());
    }

    /// Takes a transaction out of the memory pool.
    pub fn drop_from_pool(&mut self, txid: &Txid) {
        self.pool.remove(txid);
    }

    /// Returns the hash of the newest block of the active chain.
    #[must_use]
    pub fn tip(&self) -> Option<BlockHash> {
        self.active.last().copied()
    }

    /// Returns the end of every branch, newest first, with the height where it leaves the active chain.
    pub(super) fn tips(&self) -> Vec<(BlockHash, usize, usize)> {
        let parents: HashSet<_> = self.blocks.values().map(|block| BlockHash(block.header.prev)).collect();
        let ends = self.blocks.iter().filter(|(hash, _)| !parents.contains(hash) || self.tip() == Some(**hash));
        let mut tips: Vec<_> = ends.map(|(hash, block)| (*hash, block.height, self.fork_height(*hash))).collect();
        tips.sort_by_key(|(hash, height, _)| (core::cmp::Reverse(*height), *hash));
        tips
    }

    fn fork_height(&self, mut at: BlockHash) -> usize {
        while let Some(block) = self.blocks.get(&at) {
            if self.is_active(&at) {
                return block.height;
            }
            at = BlockHash(block.header.prev);
        }
        0
    }

    /// Returns the header of `block` as it is served.
    pub(super) fn header_bytes(&self, block: &NodeBlock) -> [u8; RawHeader::SIZE] {
        let edit = u32::from(self.edits_headers) << 24;
        RawHeader { nonce: block.header.nonce ^ edit, ..block.header }.to_bytes()
    }

    pub(super) fn restart(&mut self, warm_up: u32) {
        self.lock = None;
        self.warm_up = warm_up;
    }

    pub(super) fn block(&self, hash: &BlockHash) -> Option<&NodeBlock> {
        self.blocks.get(hash)
    }

    pub(super) fn active(&self) -> &[BlockHash] {
        &self.active
    }

    pub(super) fn is_active(&self, hash: &BlockHash) -> bool {
        self.block(hash).is_some_and(|block| self.active.get(block.height) == Some(hash))
    }

    pub(super) fn lock(&self) -> Option<&ChainLock> {
        self.lock.as_ref()
    }

    pub(super) fn quorums(&self) -> &[NodeQuorum] {
        &self.quorums
    }

    pub(super) fn chain_locks_enabled(&self) -> bool {
        self.chain_locks_enabled
    }

    /// Says whether `hash` is the locked block or an ancestor of it, as the `chainlock` flag does.
    pub(super) fn is_locked(&self, hash: &BlockHash) -> bool {
        let locked = self.lock.as_ref().filter(|_| self.chain_locks_enabled);
        let (Some(lock), Some(block)) = (locked, self.block(hash)) else { return false };
        self.is_active(hash)
            && self.is_active(&lock.block_hash)
            && u32::try_from(block.height).is_ok_and(|height| height <= lock.height)
    }
}

/// Lists the transactions of a block after its coinbase, with their ids.
pub(super) fn transactions(raw: &[u8]) -> Vec<(Txid, Vec<u8>)> {
    let Ok(mut walker) = BlockWalker::new(raw, Dialect::Dash) else { return Vec::new() };
    let mut found = Vec::new();
    while let Ok(Some(tx)) = walker.next_tx() {
        found.push((tx.txid(), tx.raw().to_vec()));
    }
    found.drain(..1.min(found.len()));
    found
}

/// Lists what a transaction spends.
fn spends(raw: &[u8]) -> Vec<OutPoint> {
    TxView::parse(raw, Dialect::Dash).map(|tx| tx.inputs().map(|input| input.previous).collect()).unwrap_or_default()
}
