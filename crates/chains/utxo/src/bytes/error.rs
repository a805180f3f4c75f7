//! Why bytes are not what they should be.

/// Says why bytes are not what they should be, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// A field is not in its only allowed form: a number in a longer form than needed, a padding bit that is set.
    #[error("{what} at byte {at} is not in canonical form")]
    NonCanonical {
        /// The field.
        what: &'static str,
        /// Its offset.
        at: usize,
    },
    /// A value lies outside the range its field allows.
    #[error("{what} at byte {at} is {value}, out of range")]
    OutOfRange {
        /// The field.
        what: &'static str,
        /// The value read.
        value: u64,
        /// Its offset.
        at: usize,
    },
    /// A count or length is larger than its bound.
    #[error("{what} at byte {at} is {count}, more than {max}")]
    TooMany {
        /// The field.
        what: &'static str,
        /// The number read.
        count: u64,
        /// The largest number allowed here.
        max: usize,
        /// The offset of the number.
        at: usize,
    },
    /// Bytes are left after the end.
    #[error("{len} trailing bytes at byte {at}")]
    TrailingBytes {
        /// The offset of the first of them.
        at: usize,
        /// How many they are.
        len: usize,
    },
    /// The data ends within a field.
    #[error("truncated at byte {at}: {need} bytes needed, {have} left")]
    Truncated {
        /// The offset of the field.
        at: usize,
        /// How many bytes the field takes.
        need: usize,
        /// How many bytes are left.
        have: usize,
    },
    /// A version, type or flag is one this code does not know.
    #[error("{what} {value} at byte {at} is not supported")]
    Unsupported {
        /// The field.
        what: &'static str,
        /// The value read.
        value: u64,
        /// Its offset.
        at: usize,
    },
}
