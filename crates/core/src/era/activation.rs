//! When an era begins, and how far away that is.

use core::fmt;
use core::time::Duration;

use crate::era::position::ChainPosition;
use crate::time::BlockTime;
use crate::units::{BlockDelta, BlockHeight, Epoch, EpochDelta, ProtocolVersion};

/// Says when an era begins: the first position that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Activation {
    /// With this epoch (Mithril, Harmony).
    Epoch(Epoch),
    /// With the block at this height (the Bitcoin family, Ethereum before its merge).
    Height(BlockHeight),
    /// Once blocks state this protocol version, or a later one (NEAR, Cardano's ledger).
    Protocol(ProtocolVersion),
    /// With the first block that states this time, or a later one (Ethereum since its merge).
    Time(BlockTime),
    /// It was announced, and nobody has said when.
    Unscheduled,
}

impl Activation {
    /// Returns the axis that the edge is on; `None` if it is not scheduled.
    #[must_use]
    pub fn axis(&self) -> Option<EraAxis> {
        self.key().map(|(axis, _)| axis)
    }

    /// Returns whether `position` is at the edge or after it; `None` if the position does not have the axis.
    ///
    /// What is not scheduled is not reached anywhere.
    #[must_use]
    pub fn is_reached(&self, position: &ChainPosition) -> Option<bool> {
        match self.key() {
            Some((axis, edge)) => position.key(axis).map(|here| here >= edge),
            None => Some(false),
        }
    }

    /// Returns how far the edge is from `position`, zero if it is reached; `None` if the position does not have the axis.
    #[must_use]
    pub fn left(&self, position: &ChainPosition) -> Option<EraDistance> {
        Some(match self {
            Self::Epoch(edge) => EraDistance::Epochs(edge.since(position.epoch?).unwrap_or_default()),
            Self::Height(edge) => EraDistance::Blocks(edge.since(position.height).unwrap_or_default()),
            Self::Protocol(edge) => {
                let here = position.protocol?;
                EraDistance::ProtocolSteps(match edge.major.saturating_sub(here.major) {
                    0 if edge.major == here.major => edge.minor.saturating_sub(here.minor),
                    majors => majors,
                })
            }
            Self::Time(edge) => EraDistance::Time(Duration::from_secs(edge.0.saturating_sub(position.time?.0))),
            Self::Unscheduled => EraDistance::Unscheduled,
        })
    }

    /// Returns the axis and a number that orders edges on it.
    pub(crate) fn key(&self) -> Option<(EraAxis, EdgeKey)> {
        match self {
            Self::Epoch(epoch) => Some((EraAxis::Epoch, (epoch.0, 0))),
            Self::Height(height) => Some((EraAxis::Height, (height.0, 0))),
            Self::Protocol(version) => Some((EraAxis::Protocol, (version.major, version.minor))),
            Self::Time(time) => Some((EraAxis::Time, (time.0, 0))),
            Self::Unscheduled => None,
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epoch(epoch) => write!(f, "epoch {epoch}"),
            Self::Height(height) => write!(f, "height {height}"),
            Self::Protocol(version) => write!(f, "protocol version {version}"),
            Self::Time(time) => write!(f, "time {}", time.0),
            Self::Unscheduled => f.write_str("no date yet"),
        }
    }
}

/// Orders positions on one axis: the number, then the minor part where the axis has one.
pub(crate) type EdgeKey = (u64, u64);

/// Names what an edge is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum EraAxis {
    /// Epochs.
    Epoch,
    /// Heights of blocks.
    Height,
    /// Protocol versions.
    Protocol,
    /// Times that blocks state.
    Time,
}

impl fmt::Display for EraAxis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Epoch => "epoch",
            Self::Height => "height",
            Self::Protocol => "protocol version",
            Self::Time => "time",
        })
    }
}

/// Says how far an edge is from a position, in the unit of the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum EraDistance {
    /// Counts blocks.
    Blocks(BlockDelta),
    /// Counts epochs; the current one, begun already, counts as one.
    Epochs(EpochDelta),
    /// Counts major versions, or minor ones where the major is the same.
    ProtocolSteps(u64),
    /// Is a span of the chain's own time, in whole seconds.
    Time(Duration),
    /// Nobody has said when.
    Unscheduled,
}

impl EraDistance {
    /// Returns whether the edge is reached.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Blocks(blocks) => blocks.0 == 0,
            Self::Epochs(epochs) => epochs.0 == 0,
            Self::ProtocolSteps(steps) => *steps == 0,
            Self::Time(time) => time.is_zero(),
            Self::Unscheduled => false,
        }
    }
}

impl fmt::Display for EraDistance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self {
            Self::Blocks(blocks) => (blocks.0, "block"),
            Self::Epochs(epochs) => (epochs.0, "epoch"),
            Self::ProtocolSteps(steps) => (*steps, "protocol version"),
            Self::Time(time) => return write_span(f, time.as_secs()),
            Self::Unscheduled => return f.write_str("no date yet"),
        };
        write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

/// Writes the two greatest units, as `3 d 4 h`.
fn write_span(f: &mut fmt::Formatter<'_>, seconds: u64) -> fmt::Result {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => write!(f, "{seconds} s"),
        (0, 0, _) => write!(f, "{minutes} min {} s", seconds % 60),
        (0, ..) => write!(f, "{hours} h {minutes} min"),
        _ => write!(f, "{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> ChainPosition {
        ChainPosition {
            epoch: Some(Epoch(3)),
            time: Some(BlockTime(1_000)),
            protocol: Some(ProtocolVersion::new(8, 2)),
            ..ChainPosition::at(BlockHeight(100))
        }
    }

    #[test]
    fn an_edge_is_reached_at_itself_and_the_distance_counts_down_to_it_in_its_own_unit() {
        let edges = [
            (Activation::Epoch(Epoch(4)), "1 epoch"),
            (Activation::Epoch(Epoch(3)), "0 epochs"),
            (Activation::Height(BlockHeight(103)), "3 blocks"),
            (Activation::Height(BlockHeight(7)), "0 blocks"),
            (Activation::Protocol(10.into()), "2 protocol versions"),
            (Activation::Protocol(ProtocolVersion::new(8, 5)), "3 protocol versions"),
            (Activation::Protocol(ProtocolVersion::new(7, 9)), "0 protocol versions"),
            (Activation::Time(BlockTime(1_000 + 3 * 86_400 + 4 * 3_600)), "3 d 4 h"),
            (Activation::Time(BlockTime(1_061)), "1 min 1 s"),
            (Activation::Unscheduled, "no date yet"),
        ];
        for (edge, text) in edges {
            let left = edge.left(&position()).unwrap();
            assert_eq!(left.to_string(), text);
            assert_eq!(edge.is_reached(&position()), Some(left.is_zero()), "{edge}");
        }
    }

    #[test]
    fn a_position_without_the_axis_gives_no_answer() {
        let bare = ChainPosition::at(BlockHeight(100));
        for edge in [Activation::Epoch(Epoch(0)), Activation::Protocol(0.into()), Activation::Time(BlockTime(0))] {
            assert_eq!((edge.is_reached(&bare), edge.left(&bare)), (None, None));
        }
    }
}
