//! Bounded reading of Bitcoin-style binary data: a cursor that never panics and never allocates.

mod bits;
mod error;

pub use self::bits::BitSet;
pub use self::error::ParseError;

/// Reads little-endian fields from a borrowed byte slice, front to back.
///
/// Every method either consumes exactly what it returns or fails and leaves the position where it was. Offsets in
/// errors count from the start of the slice the reader was made from (plus the base given to
/// [`with_base`](Self::with_base)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Offset just behind the last byte; `end - rest.len()` is the position.
    end: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, end: bytes.len() }
    }

    /// Starts at the first byte of `bytes`, and counts offsets from `base`: for a part of a larger message.
    #[must_use]
    pub const fn with_base(bytes: &'a [u8], base: usize) -> Self {
        Self { rest: bytes, end: base.saturating_add(bytes.len()) }
    }

    /// Returns the offset of the next byte.
    #[must_use]
    #[inline]
    pub const fn position(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    /// Returns how many bytes are left.
    #[must_use]
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Returns whether nothing is left.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Returns the bytes that are left, without consuming them.
    #[must_use]
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns the next byte without consuming it, or `None` at the end.
    #[must_use]
    #[inline]
    pub const fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Consumes the next `len` bytes.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] if fewer are left.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], ParseError> {
        match self.rest.split_at_checked(len) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.truncated(len)),
        }
    }

    /// Consumes the next `N` bytes by reference.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] if fewer are left.
    #[inline]
    pub fn array_ref<const N: usize>(&mut self) -> Result<&'a [u8; N], ParseError> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.truncated(N)),
        }
    }

    /// Consumes the next `N` bytes by value.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] if fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ParseError> {
        self.array_ref().copied()
    }

    /// Consumes one byte.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] at the end.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, ParseError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Consumes a little-endian `u16`.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] if fewer than 2 bytes are left.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, ParseError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Consumes a big-endian `u16`, the order of ports in Bitcoin-style network addresses.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] if fewer than 2 bytes are left.
    #[inline]
    pub fn u16_be(&mut self) -> Result<u16, ParseError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Consumes a little-endian `u32`.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] if fewer than 4 bytes are left.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, ParseError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Consumes a little-endian `i32`.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] if fewer than 4 bytes are left.
    #[inline]
    pub fn i32(&mut self) -> Result<i32, ParseError> {
        self.array().map(i32::from_le_bytes)
    }

    /// Consumes a little-endian `u64`.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] if fewer than 8 bytes are left.
    #[inline]
    pub fn u64(&mut self) -> Result<u64, ParseError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Consumes a little-endian `i64`.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] if fewer than 8 bytes are left.
    #[inline]
    pub fn i64(&mut self) -> Result<i64, ParseError> {
        self.array().map(i64::from_le_bytes)
    }

    /// Consumes a byte that must be 0 or 1.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] at the end; [`ParseError::Unsupported`] for any other value of field `what`.
    pub fn bool(&mut self, what: &'static str) -> Result<bool, ParseError> {
        let at = self.position();
        match self.peek() {
            Some(value @ 0..=1) => self.u8().map(|_| value == 1),
            Some(value) => Err(ParseError::Unsupported { what, value: value.into(), at }),
            None => Err(self.truncated(1)),
        }
    }

    /// Consumes a CompactSize number of any value.
    ///
    /// The shortest of the four forms (1, 3, 5 or 9 bytes) is required, as Bitcoin Core's `ReadCompactSize` does.
    ///
    /// # Errors
    /// [`ParseError::Truncated`], or [`ParseError::NonCanonical`] for a number in a longer form than needed.
    #[inline]
    pub fn compact_u64(&mut self) -> Result<u64, ParseError> {
        match self.rest.split_first() {
            Some((&first @ 0..=0xfc, rest)) => {
                self.rest = rest;
                Ok(first.into())
            }
            Some((&first, _)) => self.long_compact(first),
            None => Err(self.truncated(1)),
        }
    }

    /// Consumes a CompactSize number that may be at most `max`; `what` names it in the error.
    ///
    /// # Errors
    /// As [`compact_u64`](Self::compact_u64), and [`ParseError::TooMany`] above `max`.
    #[inline]
    pub fn compact_size(&mut self, what: &'static str, max: usize) -> Result<usize, ParseError> {
        let start = *self;
        let count = self.compact_u64()?;
        match usize::try_from(count) {
            Ok(size) if size <= max => Ok(size),
            _ => {
                *self = start;
                Err(ParseError::TooMany { what, count, max, at: self.position() })
            }
        }
    }

    /// Consumes a CompactSize count of items that take at least `min_item` bytes each.
    ///
    /// The count can therefore not exceed what the remaining bytes could hold: it is safe to reserve memory by it.
    ///
    /// # Errors
    /// As [`compact_u64`](Self::compact_u64), and [`ParseError::TooMany`] if the remaining bytes are too few.
    #[inline]
    pub fn count(&mut self, what: &'static str, min_item: usize) -> Result<usize, ParseError> {
        if let Some((&first @ 0..=0xfc, rest)) = self.rest.split_first() {
            let count = usize::from(first);
            // A product of a byte and an item size, which is a constant of at most some hundred bytes.
            if count.saturating_mul(min_item) <= rest.len() {
                self.rest = rest;
                return Ok(count);
            }
        }
        self.long_count(what, min_item)
    }

    /// Consumes a CompactSize length of at most `max` and that many bytes; `what` names the field in the error.
    ///
    /// # Errors
    /// As [`compact_size`](Self::compact_size), and [`ParseError::Truncated`] if the bytes are not there.
    #[inline]
    pub fn compact_bytes(&mut self, what: &'static str, max: usize) -> Result<&'a [u8], ParseError> {
        let start = *self;
        let len = self.compact_size(what, max)?;
        self.take(len).inspect_err(|_| *self = start)
    }

    /// Consumes a CompactSize length and that many bytes, bounded only by the bytes that are there.
    ///
    /// # Errors
    /// As [`compact_u64`](Self::compact_u64), and [`ParseError::Truncated`] if the bytes are not there.
    #[inline]
    pub fn var_bytes(&mut self) -> Result<&'a [u8], ParseError> {
        if let Some((&first @ 0..=0xfc, rest)) = self.rest.split_first()
            && let Some((taken, rest)) = rest.split_at_checked(first.into())
        {
            self.rest = rest;
            return Ok(taken);
        }
        self.long_var_bytes()
    }

    /// Consumes a bit vector as Dash Core's `DYNBITSET` writes it: a CompactSize number of bits, then the bytes.
    ///
    /// Bit `i` is bit `i % 8` of byte `i / 8`. Unused bits of the last byte must be zero.
    ///
    /// # Errors
    /// As [`compact_size`](Self::compact_size) with `max_bits`, [`ParseError::Truncated`], and
    /// [`ParseError::NonCanonical`] if an unused bit is set.
    pub fn dyn_bitset(&mut self, what: &'static str, max_bits: usize) -> Result<BitSet<'a>, ParseError> {
        let start = *self;
        let len = self.compact_size(what, max_bits)?;
        let at = self.position();
        let bytes = self.take(len.div_ceil(8)).inspect_err(|_| *self = start)?;
        let unused = match (bytes.last(), len % 8) {
            (Some(last), used @ 1..) => last >> used,
            _ => 0,
        };
        if unused != 0 {
            *self = start;
            return Err(ParseError::NonCanonical { what, at: at.saturating_add(bytes.len()).saturating_sub(1) });
        }
        Ok(BitSet::new(bytes, len, self.since(&start)))
    }

    /// Returns the bytes consumed since `earlier`, an older copy of this reader.
    ///
    /// This is how a caller gets the exact serialized form of something it parsed, to hash it. Empty if `earlier` is
    /// not an older copy.
    #[must_use]
    #[inline]
    pub fn since(&self, earlier: &Self) -> &'a [u8] {
        let len = earlier.rest.len().saturating_sub(self.rest.len());
        earlier.rest.get(..len).unwrap_or_default()
    }

    /// Ends reading and requires that everything was consumed.
    ///
    /// # Errors
    /// [`ParseError::TrailingBytes`] if bytes are left.
    #[inline]
    pub const fn finish(self) -> Result<(), ParseError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(ParseError::TrailingBytes { at: self.position(), len: self.rest.len() })
        }
    }

    /// The general form of [`count`](Self::count); copies the reader to restore it, which the short form avoids.
    #[cold]
    fn long_count(&mut self, what: &'static str, min_item: usize) -> Result<usize, ParseError> {
        let start = *self;
        let count = self.compact_u64()?;
        let max = self.rest.len() / min_item.max(1);
        match usize::try_from(count) {
            Ok(size) if size <= max => Ok(size),
            _ => {
                *self = start;
                Err(ParseError::TooMany { what, count, max, at: self.position() })
            }
        }
    }

    /// The general form of [`var_bytes`](Self::var_bytes).
    #[cold]
    fn long_var_bytes(&mut self) -> Result<&'a [u8], ParseError> {
        let start = *self;
        let len = self.compact_u64()?;
        // A length above `usize::MAX` is above any slice's length too.
        self.take(usize::try_from(len).unwrap_or(usize::MAX)).inspect_err(|_| *self = start)
    }

    #[cold]
    fn long_compact(&mut self, first: u8) -> Result<u64, ParseError> {
        let start = *self;
        let at = self.position();
        let parsed = self.u8().and_then(|_| match first {
            0xfd => self.u16().map(|value| (u64::from(value), 0xfd)),
            0xfe => self.u32().map(|value| (u64::from(value), 0x1_0000)),
            _ => self.u64().map(|value| (value, 0x1_0000_0000)),
        });
        match parsed {
            Ok((value, least)) if value >= least => Ok(value),
            Ok(_) => {
                *self = start;
                Err(ParseError::NonCanonical { what: "compact size", at })
            }
            Err(error) => {
                *self = start;
                Err(error)
            }
        }
    }

    #[cold]
    const fn truncated(&self, need: usize) -> ParseError {
        ParseError::Truncated { at: self.position(), need, have: self.rest.len() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn reads_fields_and_counts_offsets_from_the_base() {
        let bytes = [1, 2, 0, 3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 4, 0, 0, 0, 0, 0, 0, 0, 0x27, 0x0f, 9];
        let mut reader = Reader::with_base(&bytes, 100);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16(), Ok(2));
        assert_eq!(reader.u32(), Ok(3));
        assert_eq!(reader.i32(), Ok(-1));
        assert_eq!(reader.u64(), Ok(4));
        assert_eq!(reader.u16_be(), Ok(9_999));
        assert_eq!((reader.position(), reader.remaining(), reader.peek()), (121, 1, Some(9)));
        assert_eq!(reader.finish(), Err(ParseError::TrailingBytes { at: 121, len: 1 }));
        assert_eq!(reader.u16(), Err(ParseError::Truncated { at: 121, need: 2, have: 1 }));
        assert_eq!(reader.take(1), Ok(&[9][..]));
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn reads_compact_sizes_in_their_shortest_form_only() {
        for value in [0, 1, 0xfc, 0xfd, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, u64::MAX] {
            let le = value.to_le_bytes();
            let forms = [(0xfd, 2, 0xfd), (0xfe, 4, 0x1_0000), (0xff, 8, 0x1_0000_0000)];
            let encoded = |(first, len, _): (u8, usize, u64)| [&[first], &le[..len]].concat();
            for form in forms {
                let fits = form.1 == 8 || value >> (8 * form.1) == 0;
                if fits {
                    let expected = if value >= form.2 {
                        Ok(value)
                    } else {
                        Err(ParseError::NonCanonical { what: "compact size", at: 0 })
                    };
                    let bytes = encoded(form);
                    assert_eq!(Reader::new(&bytes).compact_u64(), expected);
                    let mut short = Reader::new(&bytes[..bytes.len() - 1]);
                    assert!(matches!(short.compact_u64(), Err(ParseError::Truncated { at: 1, .. })));
                    assert_eq!(short.position(), 0);
                }
            }
        }
        assert_eq!(Reader::new(&[0xfc]).compact_u64(), Ok(0xfc));
        assert!(matches!(Reader::new(&[]).compact_u64(), Err(ParseError::Truncated { at: 0, need: 1, have: 0 })));
    }

    #[test]
    fn bounds_counts_by_what_the_rest_can_hold() {
        let mut reader = Reader::new(&[3, 0, 0, 0, 0, 0]);
        let error = ParseError::TooMany { what: "items", count: 3, max: 2, at: 0 };
        assert_eq!(reader.count("items", 2), Err(error));
        assert_eq!(reader.position(), 0);
        assert_eq!(reader.count("items", 1), Ok(3));
        let lie = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0];
        assert!(matches!(Reader::new(&lie).count("items", 1), Err(ParseError::TooMany { max: 1, .. })));
        assert_eq!(Reader::new(&[0]).count("items", 9), Ok(0));
    }

    #[test]
    fn takes_no_more_bytes_than_are_there_or_allowed() {
        let mut reader = Reader::new(&[2, 7, 8, 5, 1]);
        assert!(matches!(reader.compact_bytes("text", 1), Err(ParseError::TooMany { what: "text", max: 1, .. })));
        assert_eq!(reader.compact_bytes("text", 2), Ok(&[7, 8][..]));
        for result in [reader.clone().var_bytes(), reader.clone().compact_bytes("text", 9)] {
            assert_eq!(result, Err(ParseError::Truncated { at: 4, need: 5, have: 1 }));
        }
        assert_eq!(reader.position(), 3);
        let long = [&[0xfd, 0xfd, 0x00][..], &[6; 253]].concat();
        assert_eq!(Reader::new(&long).var_bytes(), Ok(&[6; 253][..]));
    }

    #[test]
    fn reads_bit_sets_and_their_serialized_form() {
        let bytes = [10, 0b1000_0001, 0b10, 0xaa];
        let mut reader = Reader::new(&bytes);
        let bits = reader.dyn_bitset("bits", 10).unwrap();
        assert_eq!((bits.len(), bits.count_ones()), (10, 3));
        assert_eq!(
            (bits.bit(0), bits.bit(7), bits.bit(8), bits.bit(9)),
            (Some(true), Some(true), Some(false), Some(true))
        );
        assert_eq!(bits.bit(10), None);
        assert_eq!((bits.as_bytes(), bits.encoded()), (&bytes[1..3], &bytes[..3]));
        assert_eq!(reader.rest(), [0xaa]);
        assert!(matches!(Reader::new(&bytes).dyn_bitset("bits", 9), Err(ParseError::TooMany { .. })));
        let padded = [10, 0, 0b100];
        assert_eq!(Reader::new(&padded).dyn_bitset("bits", 10), Err(ParseError::NonCanonical { what: "bits", at: 2 }));
        assert!(matches!(Reader::new(&[9, 0]).dyn_bitset("bits", 10), Err(ParseError::Truncated { .. })));
    }

    #[test]
    fn returns_what_was_read_since_an_earlier_copy() {
        let mut reader = Reader::new(&[1, 2, 3, 4]);
        reader.u8().unwrap();
        let start = reader;
        reader.u16().unwrap();
        assert_eq!(reader.since(&start), [2, 3]);
        assert_eq!(start.since(&reader), [] as [u8; 0]);
    }

    #[test]
    fn refuses_a_truth_value_other_than_0_or_1() {
        let mut reader = Reader::new(&[1, 0, 2]);
        assert_eq!((reader.bool("flag"), reader.bool("flag")), (Ok(true), Ok(false)));
        assert_eq!(reader.bool("flag"), Err(ParseError::Unsupported { what: "flag", value: 2, at: 2 }));
    }
}
