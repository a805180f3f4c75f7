//! Blocks, and what they have to say.

use std::sync::Arc;

use async_trait::async_trait;
use nodewright_core::{
    BlockPoint, BlockReport, BlockSource, Error, ErrorKind, ObservationSource, Result, WatchItem, WatchSet,
};

use super::UtxoSource;
use crate::fetch::RawBlock;
use crate::observe::BlockObserver;

#[async_trait]
impl BlockSource for UtxoSource {
    type Block = RawBlock;

    async fn blocks(&self, points: &[BlockPoint]) -> Result<Vec<RawBlock>> {
        self.fetcher.fetch_all(points).await
    }
}

#[async_trait]
impl ObservationSource for UtxoSource {
    fn watch(&self, text: &str) -> Result<WatchItem> {
        let label = text.trim();
        let key = match label.strip_prefix("raw(").and_then(|rest| rest.strip_suffix(')')) {
            Some(script) => hex::decode(script).map_err(|error| refused(label, error))?,
            None => {
                (self.network.script)(label).map_err(|error| Error::new(ErrorKind::Config, "watch").because(error))?
            }
        };
        Ok(WatchItem { label: label.to_owned(), key })
    }

    async fn observe(&self, points: &[BlockPoint], watch: &WatchSet) -> Result<Vec<BlockReport>> {
        let observer = BlockObserver::new(Arc::new(watch.clone()), self.chain.dialect, self.network.address);
        let read = move |point: BlockPoint, raw: &[u8]| {
            observer.report(point, raw).map_err(|error| Error::new(ErrorKind::Unverified, "observe").because(error))
        };
        self.fetcher.read_all(points, read).await
    }
}

fn refused(text: &str, error: hex::FromHexError) -> Error {
    Error::new(ErrorKind::Config, "watch").with("script", text).because(error)
}
