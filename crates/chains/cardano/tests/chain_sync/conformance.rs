//! Core's suite for sources.

use async_trait::async_trait;
use nodewright_cardano::node::NodeStep;
use nodewright_cardano::sim::node::{SimNode, SimNodeFault};
use nodewright_cardano::{CardanoOptions, connect_over};
use nodewright_core::{BlockDelta, BlockPoint};
use nodewright_testkit::conformance::source::{
    Builder, Case, Control, ControlError, Outcome, Scenario, Subject, run, run_all,
};
use std::sync::Arc;
use tokio::sync::Mutex;

use crate::world::{genesis, node, once};
use nodewright_cardano::node::ChainSync;
use nodewright_cardano::sim::node::SimChain;

struct Nodes;

#[async_trait]
impl Builder for Nodes {
    async fn build(&self, scenario: Scenario) -> Result<Subject, ControlError> {
        let folder = tempfile::tempdir().unwrap();
        let mut chain = SimChain::new(genesis());
        chain.grow(scenario.blocks);
        let node = node(&folder, chain);
        let source = Arc::new(ChainSync::new(once(&node), genesis()));
        let options = CardanoOptions { depth: BlockDelta(9), ..CardanoOptions::default() };
        let adapter = connect_over(source, options).await.map_err(|error| ControlError::Failed(error.to_string()))?;
        Ok(Subject { adapter, control: Box::new(Handle(Mutex::new(node))), guard: Box::new(folder) })
    }
}

struct Handle(Mutex<SimNode>);

#[async_trait]
impl Control for Handle {
    async fn grow(&self, count: usize) -> Result<(), ControlError> {
        self.0.lock().await.update_chain(|chain| chain.grow(count));
        Ok(())
    }

    async fn reorg(&self, depth: usize, count: usize) -> Result<(), ControlError> {
        self.0.lock().await.update_chain(|chain| {
            chain.roll_back(depth);
            chain.grow(count);
        });
        Ok(())
    }

    async fn lock(&self, _point: &BlockPoint) -> Result<(), ControlError> {
        Err(ControlError::Unsupported("certify blocks: that is Mithril's"))
    }

    async fn head(&self) -> Result<BlockPoint, ControlError> {
        let last = self.0.lock().await.chain().points().last().copied();
        last.ok_or_else(|| ControlError::Failed("the chain is empty".to_owned()))
    }

    async fn restart(&self) -> Result<(), ControlError> {
        let mut node = self.0.lock().await;
        node.stop().await;
        node.restart().map_err(|error| ControlError::Failed(error.to_string()))
    }

    async fn lag(&self, blocks: usize) -> Result<(), ControlError> {
        self.0.lock().await.update_chain(|chain| chain.hide(blocks));
        Ok(())
    }

    async fn split(&self, _depth: usize, _count: usize) -> Result<(), ControlError> {
        Err(ControlError::Unsupported("be two nodes: a socket is of one"))
    }

    async fn heal(&self) -> Result<(), ControlError> {
        self.0.lock().await.heal();
        Ok(())
    }

    async fn fail_next(&self, calls: u32) -> Result<(), ControlError> {
        let node = self.0.lock().await;
        for _ in 0..calls {
            node.fail_once(NodeStep::Call, SimNodeFault::Close);
        }
        Ok(())
    }

    async fn edit_headers(&self) -> Result<(), ControlError> {
        self.0.lock().await.fail_always(NodeStep::NextBlock, SimNodeFault::EditedHeader);
        Ok(())
    }
}

#[tokio::test]
async fn the_source_conforms() {
    run_all(&Nodes).await;
}

#[tokio::test]
async fn nothing_is_skipped_but_what_a_socket_of_one_node_and_headers_alone_cannot_do() {
    let cases = run(&Nodes).await;
    let skipped: Vec<_> =
        (cases.iter()).filter(|case| matches!(case.outcome, Outcome::Skipped(_))).map(|Case { id, .. }| *id).collect();
    assert_eq!(skipped, ["HS-4", "HI-1", "OS-1", "OS-2", "OS-3", "ES-1", "ES-2", "ES-3", "S-4", "S-5"]);
}
