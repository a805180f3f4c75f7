//! A node's deployments as an era reader.

use core::fmt::Debug;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use nodewright_core::{
    BlockDelta, BlockHeight, ChainPosition, EraPositions, EraReader, EraSchedule, Error, ErrorKind, Result,
};

use super::schedule::era_schedule;
use super::stage::Deployment;
use crate::client::NodeClient;

/// Reads eras from a node's own report of its soft-fork deployments.
///
/// Nodes state the length of a deployment's periods only while its blocks signal. It is kept from then on; a reader that
/// first comes when the deployment is locked in uses the network's own, and where deployments of one network differ in
/// it, as Dash's do, says that it cannot tell.
#[derive(Debug)]
pub struct UtxoEras {
    client: NodeClient,
    finality: Arc<dyn FinalHeight>,
    /// Is the length of every deployment's periods, where the network has one for all.
    period: Option<BlockDelta>,
    /// Holds the lengths that the node stated.
    periods: Mutex<BTreeMap<String, BlockDelta>>,
}

impl UtxoEras {
    /// Makes a reader; `period` is the length of the network's signalling periods in blocks, if all deployments share one.
    #[must_use]
    pub fn new(client: NodeClient, finality: Arc<dyn FinalHeight>, period: Option<BlockDelta>) -> Self {
        Self { client, finality, period, periods: Mutex::default() }
    }

    /// Asks the node for its deployments.
    ///
    /// # Errors
    /// `Unsupported` if it reports none in a form that is known; `InvalidData` for an unknown type or status; when it
    /// cannot be asked.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn deployments(&self) -> Result<Vec<Deployment>> {
        let report = self.client.deployments().await?;
        let mut periods = self.periods.lock().unwrap_or_else(PoisonError::into_inner);
        periods.extend(report.periods().map(|(name, period)| (name.to_owned(), period)));
        report.deployments()
    }

    /// Returns the length of the periods of the deployment `name` in blocks, as far as it is known.
    #[must_use]
    pub fn period(&self, name: &str) -> Option<BlockDelta> {
        self.periods.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().or(self.period)
    }
}

#[async_trait]
impl EraReader for UtxoEras {
    async fn schedule(&self) -> Result<EraSchedule> {
        let deployments = self.deployments().await?;
        Ok(era_schedule(&deployments, |name| self.period(name))?)
    }

    async fn positions(&self) -> Result<EraPositions> {
        let head = BlockHeight(self.client.chain_info().await?.blocks);
        let finalized = self.finality.final_height(head).await?;
        if finalized.is_some_and(|finalized| finalized > head) {
            return Err(Error::new(ErrorKind::Inconsistent, "eras").with("head", head).with("final", "above it"));
        }
        Ok(EraPositions { head: ChainPosition::at(head), finalized: finalized.map(ChainPosition::at) })
    }
}

/// Says up to which height a node's best chain is final.
#[async_trait]
pub trait FinalHeight: Debug + Send + Sync + 'static {
    /// Returns the height of the newest final block of a best chain whose newest block is at `head`; `None` if none is.
    ///
    /// # Errors
    /// When the node cannot be asked.
    async fn final_height(&self, head: BlockHeight) -> Result<Option<BlockHeight>>;
}

/// Calls a block final that has so many confirmations, itself included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmations(pub BlockDelta);

#[async_trait]
impl FinalHeight for Confirmations {
    async fn final_height(&self, head: BlockHeight) -> Result<Option<BlockHeight>> {
        Ok(head.checked_add(BlockDelta(1)).and_then(|above| above.checked_sub(self.0)))
    }
}
