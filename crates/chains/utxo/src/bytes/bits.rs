//! Bit vectors as Dash serializes them.

/// A borrowed vector of bits, as [`Reader::dyn_bitset`](super::Reader::dyn_bitset) reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitSet<'a> {
    bytes: &'a [u8],
    len: usize,
    encoded: &'a [u8],
}

impl<'a> BitSet<'a> {
    /// Wraps `len` bits in `bytes`, serialized with their number as `encoded`.
    pub(super) const fn new(bytes: &'a [u8], len: usize, encoded: &'a [u8]) -> Self {
        Self { bytes, len, encoded }
    }

    /// Returns the number of bits.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is no bit at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns bit `index`, or `None` behind the end.
    #[must_use]
    pub fn bit(&self, index: usize) -> Option<bool> {
        let byte = self.bytes.get(index / 8).filter(|_| index < self.len)?;
        Some((byte >> (index % 8)) & 1 == 1)
    }

    /// Returns how many bits are set.
    #[must_use]
    pub fn count_ones(&self) -> usize {
        self.iter().filter(|bit| *bit).count()
    }

    /// Iterates over the bits from index 0.
    pub fn iter(&self) -> impl Iterator<Item = bool> + use<'a> {
        let bits = *self;
        (0..bits.len).map(move |index| bits.bit(index).unwrap_or_default())
    }

    /// Returns the bytes that hold the bits, without the length in front of them.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the serialized form, with the CompactSize number of bits in front: what goes into hashes.
    #[must_use]
    pub const fn encoded(&self) -> &'a [u8] {
        self.encoded
    }
}
