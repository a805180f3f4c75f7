//! Where a deployment stands.

use core::fmt;

use nodewright_core::{BlockDelta, BlockHeight};

/// Is one soft-fork deployment as a node sees it at its tip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Is the node's word for it, such as `taproot`.
    pub name: String,
    /// Says where it stands.
    pub stage: Stage,
}

/// Says where a deployment stands. A signalled one moves at the edges of periods only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its height is written into the program.
    Buried {
        /// Is the first height at which the rule holds.
        height: BlockHeight,
    },
    /// Signals do not count yet.
    Defined,
    /// Blocks signal.
    Started {
        /// Counts the signals of the current period; `None` if the node does not say.
        signals: Option<Signals>,
    },
    /// Enough blocks have signalled: nothing can keep the rule from coming.
    LockedIn {
        /// Is the first height of this stage.
        since: BlockHeight,
        /// Is the height before which the rule does not hold, however early it was locked in; 0 where there is none.
        not_before: BlockHeight,
    },
    /// The rule holds.
    Active {
        /// Is the first height at which it holds.
        since: BlockHeight,
    },
    /// Time ran out; the rule never comes by this deployment.
    Failed,
}

impl Stage {
    /// Returns the first height at which the rule holds, as far as that is decided. `period` is the length of a period in
    /// blocks, which the answer for a deployment that is locked in needs.
    #[must_use]
    pub fn height(&self, period: Option<BlockDelta>) -> Option<BlockHeight> {
        match *self {
            Self::Buried { height } | Self::Active { since: height } => Some(height),
            Self::LockedIn { since, not_before } => {
                let period = period.filter(|period| period.0 > 0)?;
                let earliest = since.checked_add(period)?;
                let missing = not_before.0.saturating_sub(earliest.0).div_ceil(period.0);
                earliest.checked_add(BlockDelta(missing.checked_mul(period.0)?))
            }
            Self::Defined | Self::Started { .. } | Self::Failed => None,
        }
    }

    /// Returns how many blocks after `tip` the next decision falls: the end of the period while blocks signal, the rule
    /// itself once it is locked in. `None` where no decision lies ahead, or the node does not say enough.
    #[must_use]
    pub fn blocks_left(&self, tip: BlockHeight, period: Option<BlockDelta>) -> Option<BlockDelta> {
        match self {
            Self::Buried { height } if *height > tip => height.since(tip),
            Self::Started { signals } => signals.map(|signals| signals.left()),
            Self::LockedIn { .. } => self.height(period)?.since(tip),
            Self::Buried { .. } | Self::Defined | Self::Active { .. } | Self::Failed => None,
        }
    }

    /// Returns whether a later report on the same branch may say `next`; a node may have been away for any number of
    /// periods in between.
    #[must_use]
    pub fn may_become(&self, next: &Self) -> bool {
        use Stage::{Active, Buried, Defined, Failed, LockedIn, Started};
        match (self, next) {
            // A newer program buries what is history to it, at the height at which it became active.
            (Active { since }, Buried { height }) => since == height,
            (Buried { .. }, _) | (Active { .. }, _) | (LockedIn { .. }, LockedIn { .. }) | (Failed, _) => self == next,
            (Defined, _)
            | (Started { .. }, Started { .. } | LockedIn { .. } | Active { .. } | Failed | Buried { .. }) => true,
            (LockedIn { .. }, Active { .. } | Buried { .. }) => true,
            (Started { .. } | LockedIn { .. }, _) => false,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Buried { height } => write!(f, "buried at height {height}"),
            Self::Defined => f.write_str("defined, signals do not count yet"),
            Self::Started { signals: Some(signals) } => write!(f, "started, {signals}"),
            Self::Started { signals: None } => f.write_str("started"),
            Self::LockedIn { since, .. } => write!(f, "locked in since height {since}"),
            Self::Active { since } => write!(f, "active since height {since}"),
            Self::Failed => f.write_str("failed"),
        }
    }
}

/// Counts the signals of the period that is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signals {
    /// Is the length of a period in blocks.
    pub period: BlockDelta,
    /// Is how many signals lock the deployment in; `None` if the node does not say.
    pub threshold: Option<u64>,
    /// Is how many blocks of the period are there.
    pub elapsed: BlockDelta,
    /// Is how many of those signal.
    pub count: u64,
}

impl Signals {
    /// Returns how many blocks of the period are to come.
    #[must_use]
    pub fn left(&self) -> BlockDelta {
        BlockDelta(self.period.0.saturating_sub(self.elapsed.0))
    }

    /// Returns whether this period can still lock the deployment in; `None` if the threshold is not known.
    #[must_use]
    pub fn is_possible(&self) -> Option<bool> {
        self.threshold.map(|threshold| self.count.saturating_add(self.left().0) >= threshold)
    }
}

impl fmt::Display for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} blocks signal", self.count, self.elapsed)?;
        if let Some(threshold) = self.threshold {
            write!(f, ", {threshold} of {} lock it in", self.period)?;
        }
        write!(f, ", {} blocks left in this period", self.left())?;
        if self.is_possible() == Some(false) {
            f.write_str(", which can no longer do it")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Option<BlockDelta> = Some(BlockDelta(144));

    fn locked_in(since: u64, not_before: u64) -> Stage {
        Stage::LockedIn { since: BlockHeight(since), not_before: BlockHeight(not_before) }
    }

    #[test]
    fn what_is_locked_in_holds_a_period_later_or_at_the_first_edge_that_is_late_enough() {
        let table = [(0, 432), (432, 432), (433, 576), (576, 576), (709_632, 709_632), (709_633, 709_776)];
        for (not_before, height) in table {
            assert_eq!(locked_in(288, not_before).height(PERIOD), Some(BlockHeight(height)), "{not_before}");
        }
        assert_eq!(locked_in(288, 0).height(None), None);
        assert_eq!(locked_in(288, 0).height(Some(BlockDelta(0))), None);
        assert_eq!(locked_in(u64::MAX, 0).height(PERIOD), None);
        assert_eq!(locked_in(288, u64::MAX).height(PERIOD), None);
    }

    #[test]
    fn blocks_are_counted_to_the_next_decision() {
        let tip = BlockHeight(300);
        let signals = Signals { period: BlockDelta(144), threshold: Some(108), elapsed: BlockDelta(13), count: 1 };
        assert_eq!(Stage::Started { signals: Some(signals) }.blocks_left(tip, None), Some(BlockDelta(131)));
        assert_eq!(signals.is_possible(), Some(true));
        assert_eq!(Signals { elapsed: BlockDelta(60), ..signals }.is_possible(), Some(false));
        assert_eq!(Signals { threshold: None, ..signals }.is_possible(), None);
        assert_eq!(locked_in(288, 0).blocks_left(tip, PERIOD), Some(BlockDelta(132)));
        assert_eq!(Stage::Buried { height: BlockHeight(301) }.blocks_left(tip, None), Some(BlockDelta(1)));
        for none in [Stage::Buried { height: tip }, Stage::Defined, Stage::Active { since: tip }, Stage::Failed] {
            assert_eq!(none.blocks_left(tip, PERIOD), None, "{none}");
        }
    }

    #[test]
    fn a_deployment_never_goes_back() {
        let path = [
            Stage::Defined,
            Stage::Started { signals: None },
            locked_in(288, 0),
            Stage::Active { since: BlockHeight(432) },
            Stage::Buried { height: BlockHeight(432) },
        ];
        for (index, stage) in path.iter().enumerate() {
            for (other, next) in path.iter().enumerate() {
                assert_eq!(stage.may_become(next), other >= index, "{stage} to {next}");
            }
        }
        assert!(path[1].may_become(&Stage::Failed) && !path[2].may_become(&Stage::Failed));
        assert!(!Stage::Failed.may_become(&path[0]));
        assert!(!path[3].may_become(&Stage::Buried { height: BlockHeight(433) }), "history is not rewritten");
    }
}
