//! Where a chain stands, on every axis that an edge can be on.

use core::cmp::Ordering;
use core::fmt;

use crate::era::activation::{EdgeKey, EraAxis};
use crate::time::BlockTime;
use crate::units::{BlockHeight, Epoch, ProtocolVersion, Slot};

/// Locates a block on the axes that its chain has. `None` means: this chain, or this source, does not say.
///
/// An axis that a schedule needs and a position lacks is an error, never "not yet".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ChainPosition {
    /// Is the block's height.
    pub height: BlockHeight,
    /// Is the epoch that the block is in.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub epoch: Option<Epoch>,
    /// Is the block's slot.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub slot: Option<Slot>,
    /// Is the time that the block states.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub time: Option<BlockTime>,
    /// Is the protocol version that the block states.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub protocol: Option<ProtocolVersion>,
}

impl ChainPosition {
    /// Makes a position that says no more than a height.
    #[must_use]
    pub fn at(height: BlockHeight) -> Self {
        Self { height, epoch: None, slot: None, time: None, protocol: None }
    }

    /// Returns whether the position says where it is on `axis`.
    #[must_use]
    pub fn has(&self, axis: EraAxis) -> bool {
        self.key(axis).is_some()
    }

    pub(crate) fn key(&self, axis: EraAxis) -> Option<EdgeKey> {
        match axis {
            EraAxis::Epoch => self.epoch.map(|epoch| (epoch.0, 0)),
            EraAxis::Height => Some((self.height.0, 0)),
            EraAxis::Protocol => self.protocol.map(|version| (version.major, version.minor)),
            EraAxis::Time => self.time.map(|time| (time.0, 0)),
        }
    }

    /// Compares the positions on those of `axes` that both have; `None` if one axis says earlier and another later.
    pub(crate) fn compare(&self, other: &Self, axes: &[EraAxis]) -> Option<Ordering> {
        let mut order = Ordering::Equal;
        for axis in axes {
            let (Some(ours), Some(theirs)) = (self.key(*axis), other.key(*axis)) else { continue };
            order = match (order, ours.cmp(&theirs)) {
                (known, Ordering::Equal) => known,
                (Ordering::Equal, found) => found,
                (known, found) if known == found => known,
                _ => return None,
            };
        }
        Some(order)
    }
}

impl fmt::Display for ChainPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "height {}", self.height)?;
        if let Some(epoch) = self.epoch {
            write!(f, ", epoch {epoch}")?;
        }
        if let Some(slot) = self.slot {
            write!(f, ", slot {slot}")?;
        }
        if let Some(time) = self.time {
            write!(f, ", time {}", time.0)?;
        }
        match self.protocol {
            Some(version) => write!(f, ", protocol version {version}"),
            None => Ok(()),
        }
    }
}
