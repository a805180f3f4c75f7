//! Inputs and outputs, and the iterators over them.

use crate::bytes::{ParseError, Reader};
use crate::hash::Txid;

/// Names an output: the transaction that made it, and its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutPoint {
    /// The id of the transaction.
    pub txid: Txid,
    /// The index among its outputs.
    pub index: u32,
}

impl OutPoint {
    /// Returns whether this is the outpoint of a coinbase's input, which names no output.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.index == u32::MAX && self.txid.0 == [0; 32]
    }

    /// Reads the 36 bytes of an outpoint.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let bytes = reader.array_ref::<36>()?;
        let mut fields = Reader::new(bytes);
        Ok(Self { txid: Txid(fields.array()?), index: fields.u32()? })
    }
}

/// An input of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input<'a> {
    /// The output it spends.
    pub previous: OutPoint,
    /// The script that unlocks it; the miner's free text in a coinbase.
    pub script_sig: &'a [u8],
    /// The sequence number (BIP 68, BIP 125).
    pub sequence: u32,
}

impl<'a> Input<'a> {
    /// Outpoint, empty script, sequence.
    const MIN_SIZE: usize = 41;

    #[inline]
    fn read(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let previous = OutPoint::read(reader)?;
        let script_sig = reader.var_bytes()?;
        let sequence = reader.u32()?;
        Ok(Self { previous, script_sig, sequence })
    }

    /// Steps over one input; most scripts are short, so one bound check usually covers all of it.
    #[inline]
    fn skip(reader: &mut Reader<'a>) -> Result<(), ParseError> {
        if let Some(&[.., len @ 0..=0xfc]) = reader.rest().first_chunk::<37>() {
            let size = Self::MIN_SIZE.saturating_add(len.into());
            if reader.remaining() >= size {
                return reader.take(size).map(drop);
            }
        }
        Self::read(reader).map(drop)
    }
}

/// An output of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output<'a> {
    /// Its index in the transaction, from 0.
    pub index: u32,
    /// Its value in base units (1e-8 coin), at most `i64::MAX`.
    pub value: u64,
    /// The script that locks it.
    pub script: &'a [u8],
}

impl<'a> Output<'a> {
    /// Value, empty script.
    const MIN_SIZE: usize = 9;

    #[inline]
    fn read(reader: &mut Reader<'a>, index: u32) -> Result<Self, ParseError> {
        let at = reader.position();
        let value = reader.u64()?;
        if i64::try_from(value).is_err() {
            return Err(ParseError::OutOfRange { what: "output value", value, at });
        }
        let script = reader.var_bytes()?;
        Ok(Self { index, value, script })
    }
}

/// Iterates over the inputs of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Inputs<'a> {
    /// Reads a CompactSize count and that many inputs.
    ///
    /// # Errors
    /// [`ParseError`]: truncated, or a count beyond the remaining bytes.
    #[inline]
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let left = reader.count("input count", Input::MIN_SIZE)?;
        let start = *reader;
        for _ in 0..left {
            Input::skip(reader)?;
        }
        Ok(Self { reader: Reader::with_base(reader.since(&start), start.position()), left })
    }
}

impl<'a> Iterator for Inputs<'a> {
    type Item = Input<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        // The bytes were walked when the transaction was read, so this cannot fail.
        Input::read(&mut self.reader).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Inputs<'_> {}

/// Iterates over a serialized list of outputs.
#[derive(Clone, Copy, Debug)]
pub struct Outputs<'a> {
    reader: Reader<'a>,
    left: usize,
    index: u32,
}

impl<'a> Outputs<'a> {
    /// Reads a CompactSize count and that many outputs.
    ///
    /// # Errors
    /// [`ParseError`]: truncated, a count beyond the remaining bytes, a value above `i64::MAX`.
    #[inline]
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let left = reader.count("output count", Output::MIN_SIZE)?;
        let start = *reader;
        for _ in 0..left {
            Output::read(reader, 0)?;
        }
        Ok(Self { reader: Reader::with_base(reader.since(&start), start.position()), left, index: 0 })
    }
}

impl<'a> Iterator for Outputs<'a> {
    type Item = Output<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let index = self.index;
        self.index = index.wrapping_add(1);
        // The bytes were walked when the transaction was read, so this cannot fail.
        Output::read(&mut self.reader, index).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Outputs<'_> {}
