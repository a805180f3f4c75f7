//! Eras as an aggregator states them: which holds, and nothing of what comes.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use nodewright::cardano::aggregator::AggregatorClient;
use nodewright::cardano::era::PositionSource;
use nodewright::core::{Activation, EraId, EraMarker, EraPositions, EraReader, EraSchedule, Error, ErrorKind, Result};

/// Makes eras of what an aggregator states, on its word: each begins with the epoch in which it was seen first.
#[derive(Debug)]
pub(crate) struct StatedEras {
    client: AggregatorClient,
    seen: Mutex<Vec<EraMarker>>,
}

impl StatedEras {
    pub(crate) fn new(client: AggregatorClient) -> Self {
        Self { client, seen: Mutex::default() }
    }
}

#[async_trait]
impl EraReader for StatedEras {
    async fn schedule(&self) -> Result<EraSchedule> {
        let status = self.client.status().await?;
        let invalid = |error| Error::new(ErrorKind::InvalidData, "status of an aggregator").because(error);
        let era = EraId::try_new(status.mithril_era).map_err(invalid)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.iter().any(|marker| marker.era == era) {
            seen.push(EraMarker::new(era, Activation::Epoch(status.epoch)));
        }
        Ok(EraSchedule::try_new(seen.iter().cloned())?)
    }

    async fn positions(&self) -> Result<EraPositions> {
        self.client.positions().await
    }
}
