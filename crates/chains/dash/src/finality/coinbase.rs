//! ChainLocks that the chain itself carries.

use std::sync::{Arc, Mutex, PoisonError};

use nodewright_core::{BlockHash, BlockPoint, BlockSource, Error, ErrorKind, Result};
use nodewright_utxo::fetch::RawBlock;

use crate::chainlock::{ChainLock, CoinbaseLock};

/// Reads the lock out of the newest block that waits: since cbTx version 3 every coinbase carries the best lock that its
/// miner knew, so finality can be told from blocks alone, the same at every replay, and after a node has forgotten.
#[derive(Debug)]
pub(super) struct CoinbaseLocks {
    blocks: Arc<dyn BlockSource<Block = RawBlock>>,
    /// Holds the block that was read last, and what its coinbase carries.
    last: Mutex<Option<(BlockHash, Option<CoinbaseLock>)>>,
}

impl CoinbaseLocks {
    pub(super) fn new(blocks: Arc<dyn BlockSource<Block = RawBlock>>) -> Self {
        Self { blocks, last: Mutex::new(None) }
    }

    /// Returns the lock that the newest block of `window` carries, if it is one for a block of the window. A block is
    /// fetched once only.
    pub(super) async fn newest(&self, window: &[BlockPoint]) -> Result<Option<ChainLock>> {
        let Some(tip) = window.last() else { return Ok(None) };
        let known = self.last().filter(|(block, _)| *block == tip.id.hash);
        let carried = match known {
            Some((_, carried)) => carried,
            None => self.read(tip).await?,
        };
        let Some(carried) = carried else { return Ok(None) };
        let locked = window.iter().find(|point| point.id.height.0 == u64::from(carried.height));
        Ok(locked.map(|point| carried.with_block(point.id.hash)))
    }

    async fn read(&self, tip: &BlockPoint) -> Result<Option<CoinbaseLock>> {
        let blocks = self.blocks.blocks(&[*tip]).await?;
        let Some(block) = blocks.first() else { return Ok(None) };
        let carried = CoinbaseLock::from_block(block.bytes()).map_err(|error| {
            Error::new(ErrorKind::InvalidData, "coinbase").with("height", tip.id.height).because(error)
        })?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((tip.id.hash, carried));
        Ok(carried)
    }

    fn last(&self) -> Option<(BlockHash, Option<CoinbaseLock>)> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
