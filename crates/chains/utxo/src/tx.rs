//! A transaction as a view into the block's bytes: nothing is copied, the id is hashed on demand.

mod parts;

use core::fmt;

use sha2::{Digest, Sha256};

pub use self::parts::{Input, Inputs, OutPoint, Output, Outputs};
use crate::bytes::{ParseError, Reader};
use crate::hash::{Txid, sha256d};
use crate::walker::Dialect;

/// One serialized transaction, parsed once for its boundaries and checked on the way.
///
/// Because the bytes were checked, iterating over inputs and outputs cannot fail.
#[derive(Clone, Copy)]
pub struct TxView<'a> {
    /// The whole serialization, witness and payload included.
    raw: &'a [u8],
    /// The four bytes of the version field.
    version: [u8; 4],
    /// From the input count to the last output.
    body: &'a [u8],
    lock_time: [u8; 4],
    inputs: Inputs<'a>,
    outputs: Outputs<'a>,
    /// The witness stacks; empty without witness.
    witness: &'a [u8],
    payload: Option<&'a [u8]>,
    form: Form,
    dialect: Dialect,
}

impl<'a> TxView<'a> {
    /// The fewest bytes a transaction can take: version, two counts, lock time.
    pub const MIN_SIZE: usize = 10;

    /// Parses a slice that holds exactly one transaction.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`ParseError::TrailingBytes`].
    pub fn parse(bytes: &'a [u8], dialect: Dialect) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let tx = Self::read(&mut reader, dialect)?;
        reader.finish()?;
        Ok(tx)
    }

    /// Reads one transaction from the front of `reader`, which stands behind it afterwards.
    ///
    /// # Errors
    /// [`ParseError`]: the data is truncated; a count exceeds what the remaining bytes can hold; an output's value is
    /// above `i64::MAX`; a flag is unknown; a witness flag stands without any witness; or the transaction carries
    /// Litecoin extension data, which nothing in a block does.
    #[inline]
    pub fn read(reader: &mut Reader<'a>, dialect: Dialect) -> Result<Self, ParseError> {
        let start = *reader;
        let version = reader.array::<4>()?;
        let form = match dialect {
            Dialect::Dash => Form::Plain,
            Dialect::Bitcoin | Dialect::Litecoin => read_form(reader, dialect)?,
        };

        let body_start = *reader;
        let inputs = Inputs::read(reader)?;
        let outputs = Outputs::read(reader)?;
        let body = reader.since(&body_start);

        let witness = if form.has_witness() { read_witness(reader, inputs.len())? } else { &[] };
        if form.has_extension() {
            read_absent_extension(reader, outputs.len())?;
        }
        let lock_time = reader.array::<4>()?;
        let payload = match (dialect, dash_type(version)) {
            (Dialect::Dash, Some(_)) => Some(reader.var_bytes()?),
            _ => None,
        };
        let raw = reader.since(&start);
        Ok(Self { raw, version, body, lock_time, inputs, outputs, witness, payload, form, dialect })
    }

    /// Returns the whole serialization, with witness and payload.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Returns the version; on Dash the version without the type, which shares the field's four bytes.
    #[must_use]
    pub fn version(&self) -> i32 {
        let [low, high, ..] = self.version;
        match self.dialect {
            Dialect::Dash => i16::from_le_bytes([low, high]).into(),
            Dialect::Bitcoin | Dialect::Litecoin => i32::from_le_bytes(self.version),
        }
    }

    /// Hashes the transaction's id: what the merkle root of the block is built from.
    ///
    /// Bitcoin and Litecoin leave out witness, markers and extension; Dash hashes everything.
    #[must_use]
    #[inline]
    pub fn txid(&self) -> Txid {
        match self.form {
            Form::Plain => Txid(sha256d(self.raw)),
            Form::Extended { .. } => {
                let mut hasher = Sha256::new();
                hasher.update(self.version);
                hasher.update(self.body);
                hasher.update(self.lock_time);
                Txid(Sha256::digest(hasher.finalize()).into())
            }
        }
    }

    /// Iterates over the inputs.
    #[must_use]
    #[inline]
    pub const fn inputs(&self) -> Inputs<'a> {
        self.inputs
    }

    /// Iterates over the outputs.
    #[must_use]
    #[inline]
    pub const fn outputs(&self) -> Outputs<'a> {
        self.outputs
    }

    /// Returns the block height or time before which the transaction is not final (0: always final).
    #[must_use]
    pub const fn lock_time(&self) -> u32 {
        u32::from_le_bytes(self.lock_time)
    }

    /// Returns whether the serialization carries witness data.
    #[must_use]
    pub const fn has_witness(&self) -> bool {
        self.form.has_witness()
    }

    /// Returns the serialized witness stacks, one per input in their order; empty without witness.
    #[must_use]
    pub const fn witness(&self) -> &'a [u8] {
        self.witness
    }

    /// Returns whether this is Litecoin's integrating transaction, the last of a block with an extension.
    #[must_use]
    pub const fn is_hog_ex(&self) -> bool {
        self.form.has_extension()
    }

    /// Returns whether this is a coinbase: one input that spends nothing.
    #[must_use]
    pub fn is_coinbase(&self) -> bool {
        let mut inputs = self.inputs;
        matches!((inputs.next(), inputs.next()), (Some(input), None) if input.previous.is_null())
    }

    /// Returns type and payload of a Dash special transaction (version 3 or higher and a type other than 0).
    #[must_use]
    pub fn special(&self) -> Option<(u16, &'a [u8])> {
        dash_type(self.version).zip(self.payload)
    }
}

impl fmt::Debug for TxView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxView")
            .field("txid", &self.txid())
            .field("version", &self.version())
            .field("inputs", &self.inputs.len())
            .field("outputs", &self.outputs.len())
            .field("size", &self.raw.len())
            .finish_non_exhaustive()
    }
}

/// How the bytes between version and inputs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Inputs follow the version: the id is the hash of everything.
    Plain,
    /// A zero marker and flags stand between (BIP 144, and Litecoin's use of bit 3).
    Extended { witness: bool, extension: bool },
}

impl Form {
    const fn has_witness(self) -> bool {
        matches!(self, Self::Extended { witness: true, .. })
    }

    const fn has_extension(self) -> bool {
        matches!(self, Self::Extended { extension: true, .. })
    }
}

#[inline]
fn read_form(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Form, ParseError> {
    if reader.peek() != Some(0) {
        return Ok(Form::Plain);
    }
    reader.u8()?;
    let at = reader.position();
    let flags = reader.u8()?;
    match (flags, dialect) {
        (FLAG_WITNESS, _) => Ok(Form::Extended { witness: true, extension: false }),
        (FLAG_MWEB, Dialect::Litecoin) => Ok(Form::Extended { witness: false, extension: true }),
        (FLAG_BOTH, Dialect::Litecoin) => Ok(Form::Extended { witness: true, extension: true }),
        _ => Err(ParseError::Unsupported { what: "transaction flag", value: flags.into(), at }),
    }
}

/// Steps over the witness stacks of `inputs` inputs.
#[inline]
fn read_witness<'a>(reader: &mut Reader<'a>, inputs: usize) -> Result<&'a [u8], ParseError> {
    let start = *reader;
    let mut any = false;
    for _ in 0..inputs {
        let items = reader.count("witness items", 1)?;
        any |= items > 0;
        for _ in 0..items {
            reader.var_bytes()?;
        }
    }
    if any {
        Ok(reader.since(&start))
    } else {
        // Bitcoin Core refuses this form too ("Superfluous witness record"): the plain one is the canonical.
        Err(ParseError::NonCanonical { what: "witness", at: start.position() })
    }
}

/// Steps over the empty extension part of an integrating transaction: one zero byte, in front of the lock time.
fn read_absent_extension(reader: &mut Reader<'_>, outputs: usize) -> Result<(), ParseError> {
    let at = reader.position();
    match reader.u8()? {
        // Litecoin Core: "It's illegal to include a HogEx with no outputs".
        0 if outputs > 0 => Ok(()),
        0 => Err(ParseError::NonCanonical { what: "integrating transaction", at }),
        value => Err(ParseError::Unsupported { what: "transaction extension", value: value.into(), at }),
    }
}

/// Returns the type in the upper half of a Dash version field, if it makes the transaction a special one.
#[inline]
fn dash_type([v0, v1, t0, t1]: [u8; 4]) -> Option<u16> {
    let kind = u16::from_le_bytes([t0, t1]);
    (kind != 0 && i16::from_le_bytes([v0, v1]) >= DASH_SPECIAL_VERSION).then_some(kind)
}

/// BIP 144: witness stacks follow the outputs.
const FLAG_WITNESS: u8 = 0x01;
/// Litecoin Core `src/primitives/transaction.h`, `UnserializeTransaction`: extension data follows the witness.
const FLAG_MWEB: u8 = 0x08;
const FLAG_BOTH: u8 = FLAG_WITNESS | FLAG_MWEB;
/// Dash Core `src/primitives/transaction.h`, `CTransaction::SPECIAL_VERSION`; the version is a signed 16-bit number.
const DASH_SPECIAL_VERSION: i16 = 3;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    const INPUT: [u8; 41] = [0; 41];

    fn dash(version: i16, kind: u16, payload: &[u8]) -> Vec<u8> {
        [&version.to_le_bytes()[..], &kind.to_le_bytes(), &[0, 0], &[7, 0, 0, 0], payload].concat()
    }

    #[test]
    fn takes_a_payload_only_from_special_versions_and_types() {
        let special = dash(3, 6, &[2, 8, 9]);
        let tx = TxView::parse(&special, Dialect::Dash).unwrap();
        assert_eq!((tx.version(), tx.special(), tx.lock_time()), (3, Some((6, &[8, 9][..])), 7));
        assert_eq!(tx.txid(), Txid(sha256d(&special)));
        let empty = dash(3, 6, &[0]);
        assert_eq!(TxView::parse(&empty, Dialect::Dash).unwrap().special(), Some((6, &[][..])));
        for (version, kind) in [(2, 6), (3, 0), (-1, 6), (i16::MIN, 0)] {
            let plain = dash(version, kind, &[]);
            let tx = TxView::parse(&plain, Dialect::Dash).unwrap();
            assert_eq!((tx.version(), tx.special()), (version.into(), None));
            let more = dash(version, kind, &[0]);
            assert_eq!(TxView::parse(&more, Dialect::Dash).unwrap_err(), ParseError::TrailingBytes { at: 10, len: 1 });
        }
    }

    #[test]
    fn refuses_a_value_above_the_signed_range() {
        let tx = |value: u64| [&[1, 0, 0, 0, 1][..], &INPUT, &[1], &value.to_le_bytes(), &[0], &[0; 4]].concat();
        let largest = tx(i64::MAX.unsigned_abs());
        assert_eq!(
            TxView::parse(&largest, Dialect::Bitcoin).unwrap().outputs().next().unwrap().value,
            1_u64.rotate_right(1) - 1
        );
        for value in [1_u64.rotate_right(1), u64::MAX] {
            let error = ParseError::OutOfRange { what: "output value", value, at: 47 };
            assert_eq!(TxView::parse(&tx(value), Dialect::Bitcoin).unwrap_err(), error);
        }
    }

    #[test]
    fn refuses_a_witness_flag_without_witness() {
        let with = |items: &[u8]| [&[1, 0, 0, 0, 0, 1, 1][..], &INPUT, &[0], items, &[0; 4]].concat();
        let bytes = with(&[1, 0]);
        let tx = TxView::parse(&bytes, Dialect::Bitcoin).unwrap();
        assert_eq!((tx.has_witness(), tx.witness()), (true, &[1, 0][..]));
        let stripped = [&[1, 0, 0, 0, 1][..], &INPUT, &[0], &[0; 4]].concat();
        assert_eq!(tx.txid(), TxView::parse(&stripped, Dialect::Bitcoin).unwrap().txid());
        let error = TxView::parse(&with(&[0]), Dialect::Bitcoin).unwrap_err();
        assert_eq!(error, ParseError::NonCanonical { what: "witness", at: 49 });
    }

    #[test]
    fn reads_an_integrating_transaction_with_witness() {
        let body = [&[1][..], &INPUT, &[1], &[0; 9]].concat();
        let both = [&[2, 0, 0, 0, 0, 9][..], &body, &[1, 1, 0x51], &[0], &[5, 0, 0, 0]].concat();
        let tx = TxView::parse(&both, Dialect::Litecoin).unwrap();
        assert!(tx.is_hog_ex() && tx.has_witness());
        assert_eq!((tx.witness(), tx.lock_time()), (&[1, 1, 0x51][..], 5));
        assert_eq!(tx.txid(), Txid(sha256d(&[&[2, 0, 0, 0][..], &body, &[5, 0, 0, 0]].concat())));
        let without_outputs = [&[2, 0, 0, 0, 0, 8, 1][..], &INPUT, &[0], &[0], &[0; 4]].concat();
        assert!(matches!(TxView::parse(&without_outputs, Dialect::Litecoin), Err(ParseError::NonCanonical { .. })));
    }

    #[test]
    fn tells_a_coinbase_by_its_only_input() {
        let null = [&[0; 32][..], &[0xff; 4], &[0], &[0; 4]].concat();
        let coinbase = [&[1, 0, 0, 0, 1][..], &null, &[0], &[0; 4]].concat();
        assert!(TxView::parse(&coinbase, Dialect::Bitcoin).unwrap().is_coinbase());
        let two = [&[1, 0, 0, 0, 2][..], &null, &null, &[0], &[0; 4]].concat();
        assert!(!TxView::parse(&two, Dialect::Bitcoin).unwrap().is_coinbase());
        let spend = [&[1, 0, 0, 0, 1][..], &INPUT, &[0], &[0; 4]].concat();
        assert!(!TxView::parse(&spend, Dialect::Bitcoin).unwrap().is_coinbase());
    }
}
