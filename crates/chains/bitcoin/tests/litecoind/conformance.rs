//! The suite that every source must pass, over a real node.

use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use nodewright_bitcoin::{Auth, ConnectOptions, UtxoSource, default_policy, litecoin};
use nodewright_core::{BlockHash, BlockPoint};
use nodewright_rpc::{HttpOptions, RetryOptions};
use nodewright_testkit::conformance::source::{Builder, Control, ControlError, Scenario, Subject, run_all};
use tokio::sync::Mutex;

use crate::common::front::Front;
use crate::common::litecoind::Litecoind;

/// Makes subjects over one node, which begins anew each time, asked by REST or by RPC alone.
struct Nodes {
    rest: bool,
    node: Arc<Mutex<Litecoind>>,
    /// Is on the other branch while the chain is split.
    other: Arc<Mutex<Litecoind>>,
}

impl Nodes {
    async fn start(rest: bool) -> Option<Self> {
        let (node, other) = (Litecoind::start(&[]).await?, Litecoind::start(&[]).await?);
        Some(Self { rest, node: Arc::new(Mutex::new(node)), other: Arc::new(Mutex::new(other)) })
    }
}

#[async_trait]
impl Builder for Nodes {
    async fn build(&self, scenario: Scenario) -> Result<Subject, ControlError> {
        let mut node = self.node.lock().await;
        node.begin_anew().await;
        self.other.lock().await.begin_anew().await;
        node.mine(u32::try_from(scenario.blocks).unwrap()).await;
        let front = Front::of(node.port(), node.cookie());
        // What the client retries by itself would not be seen.
        let http = HttpOptions::default().with_retry(RetryOptions::never());
        let options = ConnectOptions { rest: self.rest, http, ..ConnectOptions::default() };
        let source = UtxoSource::connect(&litecoin::CHAIN, &front.url(), Auth::None, options).await;
        let adapter = Arc::new(source.unwrap()).adapter(default_policy());
        let (node, other) = (Arc::clone(&self.node), Arc::clone(&self.other));
        let control = Handle { node, other, front, behind: Mutex::new(None) };
        Ok(Subject { adapter, control: Box::new(control), guard: Box::new(()) })
    }
}

struct Handle {
    node: Arc<Mutex<Litecoind>>,
    other: Arc<Mutex<Litecoind>>,
    front: Front,
    /// While the node is made to lag: what was taken away, and the newest block of it.
    behind: Mutex<Option<(BlockHash, BlockPoint)>>,
}

impl Handle {
    async fn catch_up(&self) {
        if let Some((first, _)) = self.behind.lock().await.take() {
            self.node.lock().await.reconsider(first).await;
        }
    }
}

#[async_trait]
impl Control for Handle {
    async fn grow(&self, count: usize) -> Result<(), ControlError> {
        self.node.lock().await.mine(u32::try_from(count).unwrap()).await;
        Ok(())
    }

    async fn reorg(&self, depth: usize, count: usize) -> Result<(), ControlError> {
        let mut node = self.node.lock().await;
        let height = node.height().await;
        node.invalidate(height + 1 - depth as u64).await;
        node.mine(u32::try_from(count).unwrap()).await;
        Ok(())
    }

    async fn lock(&self, _: &BlockPoint) -> Result<(), ControlError> {
        Err(ControlError::Unsupported("issue certificates: the chain has none"))
    }

    async fn head(&self) -> Result<BlockPoint, ControlError> {
        if let Some((_, head)) = *self.behind.lock().await {
            return Ok(head);
        }
        let node = self.node.lock().await;
        Ok(node.point_at(node.height().await).await)
    }

    async fn restart(&self) -> Result<(), ControlError> {
        self.node.lock().await.restart(&[]).await;
        Ok(())
    }

    async fn lag(&self, blocks: usize) -> Result<(), ControlError> {
        self.catch_up().await;
        if blocks > 0 {
            let head = self.head().await?;
            let first = self.node.lock().await.invalidate(head.id.height.0 + 1 - blocks as u64).await;
            *self.behind.lock().await = Some((first, head));
        }
        Ok(())
    }

    async fn split(&self, depth: usize, count: usize) -> Result<(), ControlError> {
        let node = self.node.lock().await;
        let mut other = self.other.lock().await;
        other.copy_chain(&node).await;
        let height = other.height().await;
        other.invalidate(height + 1 - depth as u64).await;
        other.mine(u32::try_from(count).unwrap()).await;
        self.front.state.nodes.lock().unwrap().push((other.port(), other.cookie()));
        Ok(())
    }

    async fn heal(&self) -> Result<(), ControlError> {
        self.front.state.nodes.lock().unwrap().truncate(1);
        self.front.state.edit.store(false, SeqCst);
        Ok(())
    }

    async fn fail_next(&self, calls: u32) -> Result<(), ControlError> {
        self.front.state.refuse.store(calls, SeqCst);
        Ok(())
    }

    async fn edit_headers(&self) -> Result<(), ControlError> {
        self.front.state.edit.store(true, SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn the_source_passes_the_suite_by_rest() {
    let Some(nodes) = Nodes::start(true).await else { return };
    run_all(&nodes).await;
}

#[tokio::test]
async fn the_source_passes_the_suite_by_rpc() {
    let Some(nodes) = Nodes::start(false).await else { return };
    run_all(&nodes).await;
}
