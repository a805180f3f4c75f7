//! Which chain's serialization a block is in.

/// A way to serialize transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Bitcoin: witness data as in BIP 144.
    Bitcoin,
    /// Dash: no witness; a type shares the version field, and special types carry a payload.
    Dash,
    /// Litecoin: as Bitcoin, and blocks may end with an integrating transaction and an extension block (MWEB).
    Litecoin,
}
