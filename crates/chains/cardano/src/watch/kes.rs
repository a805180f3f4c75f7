//! How long a pool's KES key still signs.

use core::fmt;
use core::num::NonZeroU64;
use core::time::Duration;

use nodewright_core::Slot;
use thiserror::Error;

use crate::kes::{Evolutions, KesPeriod};
use crate::watch::finding::{Finding, Severity, Span, plural, times};

/// Holds what a node says about KES periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KesReading {
    /// Is the slot of the tip; `None` if the node did not say.
    pub tip: Option<Slot>,
    /// Counts the slots of a period; 129,600 on mainnet, preprod and preview (`slotsPerKESPeriod`).
    pub slots_per_period: NonZeroU64,
    /// Is how often a key may evolve, the first period included; 62 on mainnet, preprod and preview
    /// (`maxKESEvolutions`).
    pub max_evolutions: u64,
    /// Is how long a slot lasts; 1 s on mainnet, preprod and preview.
    pub slot_length: Duration,
}

impl KesReading {
    /// Takes the tip of a network with mainnet's constants, which are preprod's and preview's too.
    #[must_use]
    pub fn mainnet(tip: Option<Slot>) -> Self {
        Self { tip, slots_per_period: MAINNET_PERIOD, max_evolutions: 62, slot_length: Duration::from_secs(1) }
    }
}

/// Says when a renewal is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KesLimits {
    /// Is the time left below which a renewal is asked for. Default 14 days: nine periods of mainnet.
    pub renew: Duration,
    /// Is the time left below which it is urgent. Default 3 days: two periods of mainnet.
    pub urgent: Duration,
}

impl Default for KesLimits {
    fn default() -> Self {
        Self { renew: Duration::from_secs(14 * 86_400), urgent: Duration::from_secs(3 * 86_400) }
    }
}

/// Counts down to the end of the key whose operational certificate starts in `start`.
///
/// # Errors
/// [`KesWatchError::MissingPeriod`] if the node does not say where its chain is: no period is taken for it, least of all
/// 0. [`KesWatchError::Mismatch`] if the certificate starts in a period to come, [`KesWatchError::Beyond`] if it ends
/// beyond what slots can count.
pub fn kes_countdown(
    start: KesPeriod,
    reading: &KesReading,
    limits: &KesLimits,
) -> Result<KesCountdown, KesWatchError> {
    let tip = reading.tip.ok_or(KesWatchError::MissingPeriod { start })?;
    let current = KesPeriod::of(tip, reading.slots_per_period);
    let evolutions = current.since(start).map_err(|_| KesWatchError::Mismatch { start, current })?;
    let end = start.0.checked_add(reading.max_evolutions).map(KesPeriod);
    let end_slot = end.and_then(|end| end.first_slot(reading.slots_per_period));
    let (Some(end), Some(end_slot)) = (end, end_slot) else { return Err(KesWatchError::Beyond { start }) };
    let left = times(reading.slot_length, end_slot.0.saturating_sub(tip.0));
    let level = match left {
        Duration::ZERO => KesLevel::Expired,
        left if left <= limits.urgent => KesLevel::Urgent,
        left if left <= limits.renew => KesLevel::RenewSoon,
        _ => KesLevel::Good,
    };
    let periods_left = end.0.saturating_sub(current.0);
    Ok(KesCountdown { start, current, end, evolutions, periods_left, left, level })
}

/// Is how long a key still signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KesCountdown {
    /// Is the period in which the key started.
    pub start: KesPeriod,
    /// Is the period of the tip.
    pub current: KesPeriod,
    /// Is the first period in which the key no longer signs.
    pub end: KesPeriod,
    /// Counts how often the key has evolved.
    pub evolutions: Evolutions,
    /// Counts the periods left, the current one included.
    pub periods_left: u64,
    /// Is the time left.
    pub left: Duration,
    /// Says what that means.
    pub level: KesLevel,
}

/// Says what a countdown means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KesLevel {
    /// There is time.
    Good,
    /// The key is to be renewed.
    RenewSoon,
    /// The key is to be renewed at once.
    Urgent,
    /// The key signs no more.
    Expired,
}

impl Finding for KesCountdown {
    fn severity(&self) -> Severity {
        match self.level {
            KesLevel::Good => Severity::Fine,
            KesLevel::RenewSoon => Severity::Warning,
            KesLevel::Urgent | KesLevel::Expired => Severity::Critical,
        }
    }
}

impl fmt::Display for KesCountdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, current, end, periods_left, left, .. } = self;
        match self.level {
            KesLevel::Expired => write!(
                f,
                "KES key of period {start} expired in period {end}, the chain is in {current}; \
                 issue a new operational certificate and restart node and signer"
            ),
            KesLevel::Good => write!(f, "KES key of period {start} signs until period {end}: {} left", Span(*left)),
            KesLevel::RenewSoon | KesLevel::Urgent => write!(
                f,
                "KES key of period {start} signs for {periods_left} more period{} ({}), until period {end}; \
                 issue a new operational certificate before that",
                plural(*periods_left),
                Span(*left)
            ),
        }
    }
}

/// Says why there is no countdown. It is a finding too: each keeps a signer from registering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KesWatchError {
    /// The certificate ends beyond what slots can count.
    #[error("KES key of period {start} would end beyond the last slot; read the operational certificate again")]
    Beyond {
        /// Is the period of the certificate.
        start: KesPeriod,
    },
    /// The certificate starts in a period to come.
    #[error(
        "operational certificate starts in KES period {start}, but the chain is in {current}; \
         wait for the node to catch up, or issue the certificate for the current period"
    )]
    Mismatch {
        /// Is the period of the certificate.
        start: KesPeriod,
        /// Is the period of the tip.
        current: KesPeriod,
    },
    /// The node does not say where its chain is.
    #[error(
        "the node does not say in which KES period it is, so nothing is known of the key of period {start}; \
         check the node's socket (a signer that took 0 instead would fail to register)"
    )]
    MissingPeriod {
        /// Is the period of the certificate.
        start: KesPeriod,
    },
}

impl Finding for KesWatchError {
    fn severity(&self) -> Severity {
        Severity::Critical
    }
}

const MAINNET_PERIOD: NonZeroU64 = NonZeroU64::new(129_600).unwrap();

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tip: Option<u64>) -> Result<KesCountdown, KesWatchError> {
        kes_countdown(KesPeriod(300), &KesReading::mainnet(tip.map(Slot)), &KesLimits::default())
    }

    #[test]
    fn a_key_of_mainnet_lasts_62_periods_of_a_day_and_a_half_and_says_when_to_renew() {
        let period = 129_600;
        let first = at(Some(300 * period)).unwrap();
        assert_eq!((first.periods_left, first.left.as_secs()), (62, 93 * 86_400));
        let level = |slot| at(Some(slot)).unwrap().level;
        let end = 362 * period;
        assert_eq!(level(300 * period), KesLevel::Good);
        assert_eq!(level(end - 14 * 86_400 - 1), KesLevel::Good);
        assert_eq!(level(end - 14 * 86_400), KesLevel::RenewSoon);
        assert_eq!(level(end - 3 * 86_400), KesLevel::Urgent);
        assert_eq!(level(end - 1), KesLevel::Urgent);
        assert_eq!(level(end), KesLevel::Expired);
        assert_eq!(level(end + 1_000 * period), KesLevel::Expired);
        assert_eq!(at(Some(end - 1)).unwrap().evolutions, Evolutions(61));
        assert_eq!(
            at(Some(end - 10 * 86_400)).unwrap().to_string(),
            "KES key of period 300 signs for 7 more periods (10 d 0 h), until period 362; \
             issue a new operational certificate before that"
        );
    }

    #[test]
    fn a_missing_period_and_one_before_the_start_are_errors_and_never_zero_evolutions() {
        assert_eq!(at(None), Err(KesWatchError::MissingPeriod { start: KesPeriod(300) }));
        let mismatch = KesWatchError::Mismatch { start: KesPeriod(300), current: KesPeriod(299) };
        assert_eq!(at(Some(300 * 129_600 - 1)), Err(mismatch));
        assert_eq!(mismatch.severity(), Severity::Critical);
        let far = kes_countdown(KesPeriod(u64::MAX), &KesReading::mainnet(Some(Slot(0))), &KesLimits::default());
        assert!(matches!(far, Err(KesWatchError::Mismatch { .. })));
        let reading = KesReading { slots_per_period: NonZeroU64::MIN, ..KesReading::mainnet(Some(Slot(u64::MAX))) };
        let edge = kes_countdown(KesPeriod(u64::MAX - 1), &reading, &KesLimits::default());
        assert_eq!(edge, Err(KesWatchError::Beyond { start: KesPeriod(u64::MAX - 1) }));
    }
}
