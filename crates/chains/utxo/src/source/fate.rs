//! What became of a transaction, as far as one node can tell.

use async_trait::async_trait;
use nodewright_core::{BlockHash, BlockHeight, BlockId, Error, ErrorKind, Result, TxFate, TxId, TxSource};

use super::UtxoSource;
use crate::client::block_hash;
use crate::hash::Txid;

/// A node can only be asked about a transaction that it still has: that another one took its place is seen in the blocks,
/// by watching what the first one spent ([`WatchSet::watch_spend`](nodewright_core::WatchSet::watch_spend)).
///
/// With a transaction index every mined transaction is found. Without one, those are that have an unspent output among
/// the first 16.
#[async_trait]
impl TxSource for UtxoSource {
    async fn fate(&self, txid: &TxId) -> Result<TxFate> {
        let txid: Txid = txid
            .0
            .parse()
            .map_err(|error: crate::hash::HashTextError| Error::new(ErrorKind::Config, "fate").because(error))?;
        if let Some(info) = self.client.transaction(&txid).await? {
            match (info.block_hash, info.confirmations) {
                (None, _) => return Ok(TxFate::Mempool),
                (Some(text), Some(1..)) => {
                    let hash = block_hash("getrawtransaction", &text)?;
                    return self.mined_in(hash).await;
                }
                // An index may still name a block that has left the best chain.
                (Some(_), _) => {}
            }
        }
        if self.client.mempool_entry(&txid).await?.is_some() {
            return Ok(TxFate::Mempool);
        }
        if self.abilities.tx_index == Some(true) { Ok(TxFate::Unknown) } else { self.find_unspent(&txid).await }
    }
}

impl UtxoSource {
    async fn mined_in(&self, hash: BlockHash) -> Result<TxFate> {
        let info = self.client.header_info(&hash).await?;
        Ok(match info.filter(|info| info.is_active()) {
            Some(info) => TxFate::Mined(BlockId { height: BlockHeight(info.height), hash }.into()),
            // It was on the best chain a moment ago.
            None => TxFate::Unknown,
        })
    }

    /// Finds the block of a transaction by the age of an unspent output.
    async fn find_unspent(&self, txid: &Txid) -> Result<TxFate> {
        let outputs = self.client.unspent_outputs(txid, OUTPUTS).await?;
        let Some(output) = outputs.into_iter().flatten().find(|output| output.confirmations > 0) else {
            return Ok(TxFate::Unknown);
        };
        let best = block_hash("gettxout", &output.best_block)?;
        let Some(info) = self.client.header_info(&best).await?.filter(|info| info.is_active()) else {
            return Ok(TxFate::Unknown);
        };
        let height = info.height.checked_sub(output.confirmations.saturating_sub(1)).map(BlockHeight);
        let Some(height) = height else { return Ok(TxFate::Unknown) };
        let hash = self.client.block_hash(height).await?;
        Ok(hash.map_or(TxFate::Unknown, |hash| TxFate::Mined(BlockId { height, hash }.into())))
    }
}

/// Is how many outputs of a transaction are looked at for one that is unspent; THORChain and MAYAChain accept up to 12
/// (bifrost's UTXO clients).
const OUTPUTS: u32 = 16;
