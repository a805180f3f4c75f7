//! The block walk that checks the merkle root on the way.

use super::{BlockEnd, BlockWalker};
use crate::hash::Txid;
use crate::header::RawHeader;
use crate::merkle::{MerkleError, RootBuilder};
use crate::tx::TxView;

/// Walks over the transactions of a block, with their ids, and compares the merkle root at the end.
///
/// What it yielded must not be believed before [`finish`](Self::finish) succeeded.
#[derive(Clone, Debug)]
pub struct CheckedWalker<'a> {
    walker: BlockWalker<'a>,
    root: RootBuilder,
}

impl<'a> CheckedWalker<'a> {
    pub(super) const fn new(walker: BlockWalker<'a>) -> Self {
        Self { walker, root: RootBuilder::new() }
    }

    /// Returns the header's fields.
    #[must_use]
    pub const fn header(&self) -> &RawHeader {
        self.walker.header()
    }

    /// Parses and hashes the next transaction, or returns `None` after the last.
    ///
    /// # Errors
    /// [`MerkleError::Parse`] if it does not parse; [`MerkleError::Duplicate`] if it completes a repetition.
    #[inline]
    pub fn next_tx(&mut self) -> Result<Option<(Txid, TxView<'a>)>, MerkleError> {
        let Some(tx) = self.walker.next_tx()? else { return Ok(None) };
        let txid = tx.txid();
        self.root.push(txid.0)?;
        Ok(Some((txid, tx)))
    }

    /// Walks whatever was not walked yet, then checks the root and how the block ends.
    ///
    /// # Errors
    /// [`MerkleError::Parse`] if the block does not parse; [`MerkleError::Duplicate`] if its transactions repeat in
    /// the way that leaves the root unchanged (CVE-2012-2459); [`MerkleError::Mismatch`] if the header commits to
    /// other transactions.
    pub fn finish(mut self) -> Result<BlockEnd, MerkleError> {
        while self.next_tx()?.is_some() {}
        let expected = self.walker.header().merkle_root;
        let computed = self.root.finish()?;
        if computed != expected {
            return Err(MerkleError::Mismatch { expected, computed });
        }
        Ok(self.walker.finish()?)
    }
}
