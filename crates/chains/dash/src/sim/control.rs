//! A simulated network as a subject of the conformance suite.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use nodewright_core::BlockPoint;
use nodewright_rpc::{Auth, HttpOptions, RetryOptions};
use nodewright_testkit::conformance::source::{Builder, Control, ControlError, Scenario, Subject};
use nodewright_utxo::source::ConnectOptions;

use crate::adapter::{DashOptions, connect};
use crate::sim::network::SimNetwork;
use crate::sim::node::NodeOptions;

/// Makes simulated networks for [`run_all`](nodewright_testkit::conformance::source::run_all).
#[derive(Clone, Debug, Default)]
pub struct SimBuilder {
    /// Says how the nodes serve.
    pub node: NodeOptions,
    /// States how the adapters use them; a failed request is never sent again, whatever stands here, so that what the
    /// suite lets fail does fail.
    pub options: DashOptions,
    /// Varies the blocks.
    pub seed: u64,
}

#[async_trait]
impl Builder for SimBuilder {
    async fn build(&self, scenario: Scenario) -> Result<Subject, ControlError> {
        let failed = |error: &dyn core::fmt::Display| ControlError::Failed(error.to_string());
        let mut network = SimNetwork::start(self.seed, self.node.clone()).map_err(|error| failed(&error))?;
        for _ in 0..scenario.blocks {
            network.mine(&[]);
        }
        let http = HttpOptions::default().with_retry(RetryOptions::never());
        let node = ConnectOptions { http, ..self.options.node.clone() };
        let options = DashOptions { node, ..self.options.clone() };
        let adapter = connect(&network.node().url(), Auth::None, options).await.map_err(|error| failed(&error))?;
        Ok(Subject { adapter, control: Box::new(SimControl::new(network)), guard: Box::new(()) })
    }
}

/// Makes things happen on a [`SimNetwork`].
#[derive(Debug)]
pub struct SimControl(Arc<Mutex<SimNetwork>>);

impl SimControl {
    /// Takes control of `network`.
    #[must_use]
    pub fn new(network: SimNetwork) -> Self {
        Self(Arc::new(Mutex::new(network)))
    }

    fn network(&self) -> MutexGuard<'_, SimNetwork> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Control for SimControl {
    async fn grow(&self, count: usize) -> Result<(), ControlError> {
        let mut network = self.network();
        for _ in 0..count {
            network.mine(&[]);
        }
        Ok(())
    }

    async fn reorg(&self, depth: usize, count: usize) -> Result<(), ControlError> {
        let mut network = self.network();
        let mut tip = network.chain().below_head(depth);
        for _ in 0..count {
            tip = network.mine_on(tip, &[]);
        }
        network.switch(tip);
        Ok(())
    }

    async fn lock(&self, point: &BlockPoint) -> Result<(), ControlError> {
        self.network().lock(point.id);
        Ok(())
    }

    async fn head(&self) -> Result<BlockPoint, ControlError> {
        Ok(self.network().chain().head().into())
    }

    async fn restart(&self) -> Result<(), ControlError> {
        let server = self.network().node_mut().take_server();
        if let Some(server) = server {
            server.shutdown().await;
        }
        self.network().node_mut().serve_again(0).map_err(|error| ControlError::Failed(error.to_string()))
    }

    async fn lag(&self, blocks: usize) -> Result<(), ControlError> {
        self.network().lag(blocks);
        Ok(())
    }

    async fn split(&self, depth: usize, count: usize) -> Result<(), ControlError> {
        self.network().split(depth, count);
        Ok(())
    }

    async fn heal(&self) -> Result<(), ControlError> {
        let mut network = self.network();
        network.heal();
        network.node().state().edit_headers(false);
        Ok(())
    }

    async fn fail_next(&self, calls: u32) -> Result<(), ControlError> {
        self.network().node().state().warm_up(calls);
        Ok(())
    }

    async fn edit_headers(&self) -> Result<(), ControlError> {
        self.network().node().state().edit_headers(true);
        Ok(())
    }
}
