//! A simulated network: one chain, one quorum, one node that an observer asks.

use std::io;

use nodewright_core::{BlockHash, BlockId};
use nodewright_testkit::sim::SimChain;
use nodewright_utxo::hash::Txid;
use serde_json::json;

use crate::chainlock::ChainLock;
use crate::sim::build::{self, Draft};
use crate::sim::mint::DashMint;
use crate::sim::node::{DashNode, NodeOptions, NodeState};
use crate::sim::quorum::SimQuorum;

/// Plays a Dash regtest: each call changes the chain and what the node knows of it.
#[derive(Debug)]
pub struct SimNetwork {
    chain: SimChain<DashMint>,
    quorum: SimQuorum,
    node: DashNode,
    rng: fastrand::Rng,
    lag: usize,
}

impl SimNetwork {
    /// Starts the network of `seed`: a genesis block, a quorum, a node on loopback.
    ///
    /// # Errors
    /// When no port can be bound, or no Tokio runtime runs here.
    pub fn start(seed: u64, options: NodeOptions) -> io::Result<Self> {
        let chain = SimChain::with_mint("dash", "regtest", seed, DashMint::default());
        let quorum = SimQuorum::new(seed);
        let node = DashNode::start(new_state(&quorum, chain.genesis().id.hash), options)?;
        let mut network = Self { chain, quorum, node, rng: fastrand::Rng::with_seed(seed ^ 0x5eed), lag: 0 };
        network.publish();
        Ok(network)
    }

    /// Returns the node that an observer asks.
    #[must_use]
    pub fn node(&self) -> &DashNode {
        &self.node
    }

    /// Returns the node, to stop and restart it.
    pub fn node_mut(&mut self) -> &mut DashNode {
        &mut self.node
    }

    /// Returns the truth.
    #[must_use]
    pub fn chain(&self) -> &SimChain<DashMint> {
        &self.chain
    }

    /// Makes a payment of `value` duffs to the public key hash `to`, from an output that exists nowhere else; `place`
    /// puts its outputs in order.
    pub fn payment(
        &mut self,
        to: [u8; 20],
        value: u64,
        place: impl FnOnce((u64, Vec<u8>)) -> Vec<(u64, Vec<u8>)>,
    ) -> Draft {
        let (mut previous, mut key) = ([0; 32], [0; 33]);
        self.rng.fill(&mut previous);
        self.rng.fill(&mut key);
        key[0] = 2;
        let inputs = vec![(Txid(previous), self.rng.u32(..8), build::unlock(&key, self.rng.u8(..)))];
        Draft { inputs, outputs: place((value, build::pay_to(to))), special: None }
    }

    /// Mines a block with `transactions` on the best branch and shows it to the node.
    pub fn mine(&mut self, transactions: &[&Draft]) -> BlockId {
        self.queue(transactions);
        let id = self.chain.grow(1);
        self.publish();
        id
    }

    /// Mines a block with `transactions` on top of `from`, which the node does not see yet.
    pub fn mine_on(&mut self, from: BlockId, transactions: &[&Draft]) -> BlockId {
        self.queue(transactions);
        self.chain.fork(from, 1)
    }

    /// Makes the branch that ends in `tip` the best one and shows it to the node, longer or not.
    pub fn switch(&mut self, tip: BlockId) {
        self.chain.select(tip);
        self.publish();
    }

    /// Lets the quorum sign `id`, and tells the node, whether it has the block or not.
    pub fn lock(&mut self, id: BlockId) -> ChainLock {
        let lock = self.quorum.lock(id);
        self.chain.lock(id);
        self.chain.mint().carry(Some(lock));
        self.node.state().set_lock(Some(lock));
        lock
    }

    /// Puts a transaction into the node's memory pool.
    pub fn announce(&self, draft: &Draft) {
        self.node.state().add_to_pool(&draft.to_bytes());
    }

    fn queue(&mut self, transactions: &[&Draft]) {
        for draft in transactions {
            self.chain.mint().queue(draft.to_bytes());
        }
    }

    /// Lets the node be `blocks` behind the best branch from now on, as if it had never seen the rest.
    pub fn lag(&mut self, blocks: usize) {
        self.lag = blocks;
        self.node.state().forget_blocks();
        self.publish();
    }

    /// Puts a second node behind the same URL, on a branch of `count` new blocks that leaves the best one `depth` blocks
    /// below its head; each request is answered by one of the two.
    pub fn split(&mut self, depth: usize, count: usize) {
        let tip = self.chain.fork(self.chain.below_head(depth), count);
        let mut twin = new_state(&self.quorum, self.chain.genesis().id.hash);
        let view = self.chain.view(tip);
        for block in (0..).map_while(|depth| view.at_depth(depth)) {
            twin.add_block(&block.body().raw);
        }
        twin.activate(tip.hash);
        self.node.split(Some(twin), self.rng.u64(..));
    }

    /// Ends what [`SimNetwork::split`] began.
    pub fn heal(&mut self) {
        self.node.split(None, 0);
    }

    /// Shows the node every block of the best branch that it has not seen.
    fn publish(&mut self) {
        let mut state = self.node.state();
        let shown = self.chain.best().len().saturating_sub(self.lag).max(1);
        for block in self.chain.best().take(shown) {
            state.add_block(&block.body().raw);
        }
        state.activate(self.chain.below_head(self.lag).hash);
    }
}

/// Makes the state of a node that knows the quorum and nothing else.
fn new_state(quorum: &SimQuorum, mined: BlockHash) -> NodeState {
    let mut state = NodeState::new();
    let hash = BlockHash(quorum.hash().0).to_reversed_hex();
    let info = json!({ "height": 0, "type": "llmq_test", "quorumHash": hash, "quorumIndex": 0,
        "minedBlock": mined.to_reversed_hex(), "quorumPublicKey": quorum.public_key(), "members": [] });
    state.add_quorum(quorum.llmq_type().to_u8(), "llmq_test", &hash, info);
    state
}
