//! Where in its epoch a chain is, and how long the epoch still lasts.

use core::num::NonZeroU64;
use core::time::Duration;

use nodewright_core::{Epoch, EpochDelta};

use crate::watch::finding::times;

/// Locates the tip of a node in its epoch. All spans are of the chain's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochTime {
    epoch: Epoch,
    elapsed: Duration,
    length: Duration,
}

impl EpochTime {
    /// Takes the epoch of the tip, how much of it has passed (at most all of it), and how long an epoch is.
    #[must_use]
    pub fn new(epoch: Epoch, elapsed: Duration, length: Duration) -> Self {
        Self { epoch, elapsed: elapsed.min(length), length }
    }

    /// Takes what a node reports: the tip's slot within its epoch, and the slots of an epoch (432,000 on mainnet and
    /// preprod, 86,400 on preview), each of `slot_length` (1 s on these).
    #[must_use]
    pub fn of_slot(epoch: Epoch, slot_in_epoch: u64, slots_per_epoch: NonZeroU64, slot_length: Duration) -> Self {
        Self::new(epoch, times(slot_length, slot_in_epoch), times(slot_length, slots_per_epoch.get()))
    }

    /// Returns the epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns how long the epoch has lasted.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns how long the epoch still lasts.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.length.saturating_sub(self.elapsed)
    }

    /// Returns how long a whole epoch lasts.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.length
    }

    /// Returns how long it is until `epoch` begins; zero if it has.
    #[must_use]
    pub fn until(&self, epoch: Epoch) -> Duration {
        match epoch.since(self.epoch) {
            None | Some(EpochDelta(0)) => Duration::ZERO,
            Some(EpochDelta(epochs)) => self.left().saturating_add(times(self.length, epochs.saturating_sub(1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_until_an_epoch_is_the_rest_of_this_one_and_the_whole_ones_between() {
        let day = 86_400;
        let slots = NonZeroU64::new(5 * day).unwrap();
        let now = EpochTime::of_slot(Epoch(500), 4 * day, slots, Duration::from_secs(1));
        assert_eq!(now.left(), Duration::from_secs(day));
        assert_eq!(now.until(Epoch(501)), Duration::from_secs(day));
        assert_eq!(now.until(Epoch(503)), Duration::from_secs(11 * day));
        assert_eq!([now.until(Epoch(500)), now.until(Epoch(3))], [Duration::ZERO; 2]);
        assert_eq!(now.until(Epoch(u64::MAX)).as_secs(), u64::MAX);
    }
}
