//! KES periods and evolutions: the chain counts periods from its first slot, a key counts evolutions from its start.

use core::fmt;
use core::num::NonZeroU64;

use nodewright_core::Slot;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Numbers a KES period: the slots of a chain, cut in equal pieces (129,600 slots on mainnet, preprod and preview, by
/// `slotsPerKESPeriod` of their Shelley genesis).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KesPeriod(pub u64);

impl KesPeriod {
    /// Returns the period that `slot` lies in.
    #[must_use]
    pub fn of(slot: Slot, slots_per_period: NonZeroU64) -> Self {
        Self(slot.0 / slots_per_period)
    }

    /// Returns how often a key that started in `start` has evolved by now.
    ///
    /// # Errors
    /// [`PeriodError::Mismatch`] if `start` is still to come: such a key cannot sign yet.
    pub fn since(self, start: Self) -> Result<Evolutions, PeriodError> {
        match self.0.checked_sub(start.0) {
            Some(evolutions) => Ok(Evolutions(evolutions)),
            None => Err(PeriodError::Mismatch { start, current: self }),
        }
    }

    /// Returns the first slot of the period; `None` beyond the last slot that can be counted.
    #[must_use]
    pub fn first_slot(self, slots_per_period: NonZeroU64) -> Option<Slot> {
        self.0.checked_mul(slots_per_period.get()).map(Slot)
    }
}

impl fmt::Display for KesPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Counts how often a key has evolved since its certificate's start period. Aggregators send it in a field that they
/// call `kes_period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Evolutions(pub u64);

impl fmt::Display for Evolutions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Says why evolutions cannot be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// The key starts in a period that has not come.
    #[error("operational certificate starts in KES period {start}, but the chain is in {current}")]
    Mismatch {
        /// Is the period of the certificate.
        start: KesPeriod,
        /// Is the period of the chain.
        current: KesPeriod,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: NonZeroU64 = NonZeroU64::new(129_600).unwrap();

    #[test]
    fn a_period_ends_with_its_last_slot() {
        assert_eq!(KesPeriod::of(Slot(129_599), PERIOD), KesPeriod(0));
        assert_eq!(KesPeriod::of(Slot(129_600), PERIOD), KesPeriod(1));
        assert_eq!(KesPeriod(2).first_slot(PERIOD), Some(Slot(259_200)));
        assert_eq!(KesPeriod(u64::MAX).first_slot(PERIOD), None);
    }

    #[test]
    fn a_start_to_come_is_a_mismatch_and_not_zero_evolutions() {
        assert_eq!(KesPeriod(10).since(KesPeriod(10)), Ok(Evolutions(0)));
        let mismatch = PeriodError::Mismatch { start: KesPeriod(823), current: KesPeriod(0) };
        assert_eq!(KesPeriod(0).since(KesPeriod(823)), Err(mismatch));
    }
}
