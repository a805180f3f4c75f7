//! Walks a raw block once, without allocating: header, transactions, end.

mod checked;
mod dialect;

pub use self::checked::CheckedWalker;
pub use self::dialect::Dialect;
use crate::bytes::{ParseError, Reader};
use crate::header::RawHeader;
use crate::merkle::MerkleError;
use crate::tx::TxView;

/// Walks over the transactions of a serialized block.
///
/// It is an iterator of [`TxView`]s, each parsed when it is reached. After the first error it yields nothing more, and
/// [`finish`](Self::finish) repeats the error. What was yielded before an error, or before `finish` succeeded, must
/// not be believed: the block is then not one.
///
/// ```
/// use nodewright_utxo::script;
/// use nodewright_utxo::walker::{BlockWalker, Dialect};
///
/// fn print_memos(raw: &[u8]) -> Result<(), nodewright_utxo::bytes::ParseError> {
///     let mut walker = BlockWalker::new(raw, Dialect::Bitcoin)?;
///     while let Some(tx) = walker.next_tx()? {
///         for output in tx.outputs() {
///             if let Ok(Some(memo)) = script::OpReturn::parse(output.script) {
///                 println!("{} {}: {:?}", tx.txid(), output.index, memo);
///             }
///         }
///     }
///     walker.finish().map(drop)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct BlockWalker<'a> {
    header: RawHeader,
    header_bytes: &'a [u8; RawHeader::SIZE],
    /// Stands at the first transaction.
    first: Reader<'a>,
    dialect: Dialect,
    count: usize,
    left: usize,
    reader: Reader<'a>,
    /// Whether the transaction before the reader was Litecoin's integrating one.
    hog_ex: bool,
    failed: Option<ParseError>,
}

impl<'a> BlockWalker<'a> {
    /// Reads header and transaction count of `raw`, a block as nodes serve it.
    ///
    /// # Errors
    /// [`ParseError`] if either is truncated, or the count is 0 or more than the bytes could hold.
    pub fn new(raw: &'a [u8], dialect: Dialect) -> Result<Self, ParseError> {
        let mut reader = Reader::new(raw);
        let header = RawHeader::read(&mut reader.clone())?;
        let header_bytes = reader.array_ref()?;
        let at = reader.position();
        let count = reader.count("transaction count", TxView::MIN_SIZE)?;
        if count == 0 {
            return Err(ParseError::OutOfRange { what: "transaction count", value: 0, at });
        }
        Ok(Self {
            header,
            header_bytes,
            first: reader,
            dialect,
            count,
            left: count,
            reader,
            hog_ex: false,
            failed: None,
        })
    }

    /// Returns the header's fields.
    #[must_use]
    pub const fn header(&self) -> &RawHeader {
        &self.header
    }

    /// Returns the header's bytes, to be hashed to the block's id.
    #[must_use]
    pub const fn header_bytes(&self) -> &'a [u8; RawHeader::SIZE] {
        self.header_bytes
    }

    /// Returns how many transactions the block says it has, at least 1.
    #[must_use]
    pub const fn tx_count(&self) -> usize {
        self.count
    }

    /// Returns the index of the transaction that comes next.
    #[must_use]
    pub const fn tx_index(&self) -> usize {
        self.count.saturating_sub(self.left)
    }

    /// Returns the offset in the block of what comes next.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.reader.position()
    }

    /// Parses the next transaction, or returns `None` after the last.
    ///
    /// # Errors
    /// As [`TxView::read`]; the same error again on later calls.
    #[inline]
    pub fn next_tx(&mut self) -> Result<Option<TxView<'a>>, ParseError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        match TxView::read(&mut self.reader, self.dialect) {
            Ok(tx) => {
                self.left = left;
                self.hog_ex = tx.is_hog_ex();
                Ok(Some(tx))
            }
            Err(error) => {
                self.failed = Some(error);
                Err(error)
            }
        }
    }

    /// Walks whatever was not walked yet and checks how the block ends.
    ///
    /// # Errors
    /// [`ParseError`] of any transaction, or [`ParseError::TrailingBytes`] if bytes follow that do not belong there.
    pub fn finish(mut self) -> Result<BlockEnd, ParseError> {
        while self.next_tx()?.is_some() {}
        // Litecoin Core `src/primitives/block.h`: an optional extension block follows if the last of at least two
        // transactions is the integrating one.
        if self.hog_ex && self.count >= 2 {
            let at = self.reader.position();
            return match self.reader.u8()? {
                0 => self.reader.finish().map(|()| BlockEnd::Extension { len: 0 }),
                1 if !self.reader.is_empty() => Ok(BlockEnd::Extension { len: self.reader.remaining() }),
                1 => Err(ParseError::Truncated { at: self.reader.position(), need: 1, have: 0 }),
                value => Err(ParseError::Unsupported { what: "block extension", value: value.into(), at }),
            };
        }
        self.reader.finish().map(|()| BlockEnd::Transactions)
    }

    /// Starts over, hashing every transaction on the way to check them against the header's merkle root.
    #[must_use]
    pub fn checked(&self) -> CheckedWalker<'a> {
        CheckedWalker::new(Self { left: self.count, reader: self.first, hog_ex: false, failed: None, ..self.clone() })
    }

    /// Walks the whole block from its first transaction and checks that the header commits to what it holds.
    ///
    /// This walker stays where it stands. To look at the transactions in the same walk, use
    /// [`checked`](Self::checked).
    ///
    /// # Errors
    /// As [`CheckedWalker::finish`].
    pub fn verify_merkle(&self) -> Result<BlockEnd, MerkleError> {
        self.checked().finish()
    }
}

impl<'a> Iterator for BlockWalker<'a> {
    type Item = Result<TxView<'a>, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.failed {
            Some(_) => None,
            None => self.next_tx().transpose(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

impl core::iter::FusedIterator for BlockWalker<'_> {}

/// Says what stands behind the last transaction of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlockEnd {
    /// Litecoin's extension block, which was not decoded.
    Extension {
        /// Its size in bytes, without the byte that announces it; 0 if the announcing byte says there is none.
        len: usize,
    },
    /// Nothing: the block ends with its last transaction.
    Transactions,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    /// Makes a block of Dash transactions without inputs and outputs, told apart by their lock times.
    fn block(lock_times: &[u8]) -> Vec<u8> {
        let txs = lock_times.iter().flat_map(|time| [1, 0, 0, 0, 0, 0, *time, 0, 0, 0]);
        [0; 80].into_iter().chain([u8::try_from(lock_times.len()).unwrap()]).chain(txs).collect()
    }

    #[test]
    fn repeats_its_error_and_yields_nothing_after_it() {
        let mut raw = block(&[1, 2, 3, 4]);
        // The input count of the third transaction.
        raw[81 + 24] = 9;
        let mut walker = BlockWalker::new(&raw, Dialect::Dash).unwrap();
        assert!(walker.next_tx().is_ok() && walker.next_tx().is_ok());
        let error = walker.next_tx().unwrap_err();
        assert!(matches!(error, ParseError::TooMany { what: "input count", count: 9, at: 105, .. }));
        assert_eq!((walker.tx_index(), walker.tx_count()), (2, 4));
        assert_eq!(walker.next_tx().unwrap_err(), error);
        assert!(walker.next().is_none());
        assert_eq!(walker.finish(), Err(error));
        let walked: Vec<_> = BlockWalker::new(&raw, Dialect::Dash).unwrap().map(|tx| tx.is_ok()).collect();
        assert_eq!(walked, [true, true, false]);
    }

    #[test]
    fn checks_the_root_from_the_first_transaction_wherever_it_stands() {
        let mut raw = block(&[1, 2, 3]);
        let txids = BlockWalker::new(&raw, Dialect::Dash).unwrap().map(|tx| tx.unwrap().txid().0);
        let root = crate::merkle::root(txids).unwrap();
        raw[36..68].copy_from_slice(&root);
        let mut walker = BlockWalker::new(&raw, Dialect::Dash).unwrap();
        walker.next_tx().unwrap();
        assert_eq!(walker.verify_merkle(), Ok(BlockEnd::Transactions));
        assert_eq!(walker.next_tx().unwrap().unwrap().lock_time(), 2);
        raw[36] ^= 1;
        let walker = BlockWalker::new(&raw, Dialect::Dash).unwrap();
        assert!(matches!(walker.verify_merkle(), Err(MerkleError::Mismatch { computed, .. }) if computed == root));
    }

    #[test]
    fn refuses_a_block_without_transactions_and_bytes_behind_the_last() {
        let error = BlockWalker::new(&block(&[]), Dialect::Dash).unwrap_err();
        assert_eq!(error, ParseError::OutOfRange { what: "transaction count", value: 0, at: 80 });
        let long = [block(&[1]).as_slice(), &[0]].concat();
        let walker = BlockWalker::new(&long, Dialect::Dash).unwrap();
        assert_eq!(walker.finish(), Err(ParseError::TrailingBytes { at: 91, len: 1 }));
    }
}
