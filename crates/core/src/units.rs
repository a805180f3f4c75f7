//! Heights, distances and slots: each its own type, so that one cannot be passed for another.

use core::fmt;

/// Says how many blocks precede a block on its chain; the genesis block has height 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct BlockHeight(pub u64);

impl BlockHeight {
    /// Adds a distance; `None` on overflow.
    #[must_use]
    pub fn checked_add(self, delta: BlockDelta) -> Option<Self> {
        self.0.checked_add(delta.0).map(Self)
    }

    /// Subtracts a distance; `None` below genesis.
    #[must_use]
    pub fn checked_sub(self, delta: BlockDelta) -> Option<Self> {
        self.0.checked_sub(delta.0).map(Self)
    }

    /// Returns how far `self` is above `lower`; `None` if it is below.
    #[must_use]
    pub fn since(self, lower: Self) -> Option<BlockDelta> {
        self.0.checked_sub(lower.0).map(BlockDelta)
    }
}

impl fmt::Display for BlockHeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Counts blocks between two heights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct BlockDelta(pub u64);

impl fmt::Display for BlockDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Numbers a slot on chains that name blocks by slot and hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Slot(pub u64);

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
