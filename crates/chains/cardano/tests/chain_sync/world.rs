//! A simulated node with a chain, and a source that follows it.

use core::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use nodewright_cardano::network::CardanoNetwork;
use nodewright_cardano::node::{ChainSync, Genesis, NodeSocketOptions};
use nodewright_cardano::sim::node::{SimChain, SimLedger, SimNode, SimNodeCounts};
use nodewright_core::{BlockHash, BlockPoint, BlockTime, Epoch, Extension, HeaderSource, Result, Slot};

pub(crate) const MAGIC: u64 = 42;
/// Is more than a loaded machine takes for one step.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) node: SimNode,
    pub(crate) source: Arc<ChainSync>,
    _folder: tempfile::TempDir,
}

pub(crate) fn genesis() -> Genesis {
    let network = CardanoNetwork::custom("sim", MAGIC);
    Genesis::custom(network, BlockHash([0x9e; 32]), BlockTime(1_654_041_600))
}

/// Begins with two epochs of Byron, whose boundary blocks repeat heights.
pub(crate) fn byron_genesis() -> Genesis {
    genesis().with_byron_end(Slot(43_200))
}

pub(crate) fn node(folder: &tempfile::TempDir, chain: SimChain) -> SimNode {
    SimNode::start_with_chain(folder.path(), SimLedger::new(MAGIC, Epoch(12)), chain).unwrap()
}

/// Tries three times with hardly a wait.
pub(crate) fn options(node: &SimNode) -> NodeSocketOptions {
    let now = Duration::from_millis(1);
    NodeSocketOptions::new(node.socket(), MAGIC).with_limits(LONG, LONG * 3).with_attempts(3, now, now)
}

/// Tries once.
pub(crate) fn once(node: &SimNode) -> NodeSocketOptions {
    options(node).with_attempts(1, Duration::ZERO, Duration::ZERO)
}

impl World {
    pub(crate) fn new(blocks: usize) -> Self {
        let mut chain = SimChain::new(genesis());
        chain.grow(blocks);
        Self::of(chain)
    }

    pub(crate) fn of(chain: SimChain) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let genesis = chain.genesis().clone();
        let node = node(&folder, chain);
        let source = Arc::new(ChainSync::new(options(&node), genesis));
        Self { node, source, _folder: folder }
    }

    pub(crate) fn origin(&self) -> BlockPoint {
        self.source.genesis().origin()
    }

    pub(crate) fn points(&self) -> Vec<BlockPoint> {
        self.node.chain().points().to_vec()
    }

    pub(crate) async fn extend(&self, from: BlockPoint, max: u32) -> Result<Extension> {
        extend(&self.source, &[from], max).await
    }
}

pub(crate) async fn extend(source: &ChainSync, locator: &[BlockPoint], max: u32) -> Result<Extension> {
    source.extend(locator, NonZeroU32::new(max).unwrap()).await
}

pub(crate) fn heads(answer: &Extension) -> Vec<BlockPoint> {
    answer.headers.iter().map(|header| header.point).collect()
}

/// Waits until `count` conversations have ended, one way or the other.
pub(crate) async fn ended(node: &SimNode, count: u64) -> SimNodeCounts {
    loop {
        let counts = node.counts();
        if counts.goodbyes + counts.broken >= count {
            return counts;
        }
        tokio::task::yield_now().await;
    }
}
