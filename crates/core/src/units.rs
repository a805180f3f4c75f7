//! Heights, epochs, slots, protocol versions and distances: each its own type, so that one cannot be passed for another.

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

/// Numbers an epoch on chains that have them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Epoch(pub u64);

impl Epoch {
    /// Adds a distance; `None` on overflow.
    #[must_use]
    pub fn checked_add(self, delta: EpochDelta) -> Option<Self> {
        self.0.checked_add(delta.0).map(Self)
    }

    /// Subtracts a distance; `None` below epoch 0.
    #[must_use]
    pub fn checked_sub(self, delta: EpochDelta) -> Option<Self> {
        self.0.checked_sub(delta.0).map(Self)
    }

    /// Returns how far `self` is after `earlier`; `None` if it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<EpochDelta> {
        self.0.checked_sub(earlier.0).map(EpochDelta)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Counts epochs between two of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct EpochDelta(pub u64);

impl fmt::Display for EpochDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Numbers the rules that a chain's nodes agreed on.
///
/// Chains that count with one integer (NEAR) use `major` and leave `minor` 0; Cardano uses both. The order is the
/// usual one: major, then minor. Text leaves out a minor of 0, so that NEAR's 67 is printed as 67.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ProtocolVersion {
    /// Holds the whole number where there is one, else the part before the point.
    pub major: u64,
    /// Holds the part after the point; 0 where the chain has none.
    #[cfg_attr(feature = "serde", serde(default))]
    pub minor: u64,
}

impl ProtocolVersion {
    /// Makes a version of two parts.
    #[must_use]
    pub fn new(major: u64, minor: u64) -> Self {
        Self { major, minor }
    }
}

impl From<u64> for ProtocolVersion {
    fn from(major: u64) -> Self {
        Self { major, minor: 0 }
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            0 => write!(f, "{}", self.major),
            minor => write!(f, "{}.{minor}", self.major),
        }
    }
}
