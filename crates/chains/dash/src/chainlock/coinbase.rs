//! ChainLocks as coinbases carry them.

use nodewright_core::BlockHash;
use nodewright_utxo::bytes::Reader;
use nodewright_utxo::header::RawHeader;
use nodewright_utxo::special::CbTx;
use nodewright_utxo::tx::TxView;
use nodewright_utxo::walker::Dialect;

use super::{ChainLock, LockError};
use crate::bls::Signature;

/// A ChainLock as a coinbase carries it (payload version 3, since V20): without its block's hash.
///
/// That hash is the one of the carrying block's ancestor at [`height`](Self::height). Since the
/// chain itself carries the locks, a replay needs no archive of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CoinbaseLock {
    /// The height of the locked block.
    pub height: u32,
    /// The signature.
    pub signature: Signature,
}

impl CoinbaseLock {
    /// Reads the lock out of a serialized block. `None` if its coinbase carries none.
    ///
    /// # Errors
    ///
    /// [`LockError::Malformed`] and as [`from_coinbase`](Self::from_coinbase).
    pub fn from_block(block: &[u8]) -> Result<Option<Self>, LockError> {
        let mut reader = Reader::new(block);
        RawHeader::read(&mut reader)?;
        reader.count("transactions", TxView::MIN_SIZE)?;
        Self::from_view(&TxView::read(&mut reader, Dialect::Dash)?)
    }

    /// Reads the lock out of a serialized coinbase. `None` if it carries none.
    ///
    /// # Errors
    ///
    /// [`LockError::Malformed`] for bytes that are no transaction or a broken payload,
    /// [`LockError::NotCoinbase`], [`LockError::NegativeHeight`].
    pub fn from_coinbase(coinbase: &[u8]) -> Result<Option<Self>, LockError> {
        Self::from_view(&TxView::parse(coinbase, Dialect::Dash)?)
    }

    /// Takes the lock from a coinbase's payload. `None` if it carries none: it is older than
    /// version 3, or its miner knew no lock.
    ///
    /// # Errors
    ///
    /// [`LockError::NegativeHeight`] if its distance leads below height zero.
    pub fn from_payload(payload: &CbTx) -> Result<Option<Self>, LockError> {
        let Some(lock) = payload.best_chain_lock else { return Ok(None) };
        let Some(height) = payload.locked_height() else {
            let height = i64::from(payload.height) - i64::from(lock.height_diff) - 1;
            return Err(LockError::NegativeHeight { height });
        };
        Ok(Some(Self { height, signature: Signature::new(lock.signature) }))
    }

    /// Completes the lock with the hash of the carrying block's ancestor at that height.
    #[must_use]
    pub const fn with_block(self, block_hash: BlockHash) -> ChainLock {
        ChainLock { height: self.height, block_hash, signature: self.signature }
    }

    fn from_view(coinbase: &TxView<'_>) -> Result<Option<Self>, LockError> {
        match coinbase.special() {
            Some((CbTx::KIND, payload)) if coinbase.is_coinbase() => Self::from_payload(&CbTx::parse(payload)?),
            _ => Err(LockError::NotCoinbase { txid: coinbase.txid() }),
        }
    }
}
