//! Spreads requests over time.

use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::options::RateLimit;

/// Hands out slots at a steady rate, a few at once after a pause.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    /// Time between two slots.
    spacing: Duration,
    /// How far slots may be taken ahead of the steady rate.
    slack: Duration,
    /// When the bucket would be empty if nothing more were asked; the theoretical arrival time of GCRA.
    next: Mutex<Option<Instant>>,
}

impl RateLimiter {
    pub(crate) fn new(limit: RateLimit) -> Self {
        let spacing = Duration::from_secs(1) / limit.per_second.get();
        Self { spacing, slack: spacing.saturating_mul(limit.burst.get() - 1), next: Mutex::new(None) }
    }

    /// Waits for the next slot. A wait that is dropped gives its slot up: too few requests leave then, never too many.
    pub(crate) async fn acquire(&self) {
        let wait = self.reserve(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes a slot and returns how long after `now` it begins.
    fn reserve(&self, now: Instant) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = next.map_or(now, |next| next.max(now));
        *next = slot.checked_add(self.spacing).or(Some(slot));
        slot.duration_since(now).saturating_sub(self.slack)
    }
}

#[cfg(test)]
mod tests {
    use core::num::NonZeroU32;

    use super::*;

    fn limiter(per_second: u32, burst: u32) -> RateLimiter {
        RateLimiter::new(RateLimit::new(NonZeroU32::new(per_second).unwrap(), NonZeroU32::new(burst).unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_leaves_at_once_and_the_rest_at_the_steady_rate() {
        let limiter = limiter(10, 3);
        let start = Instant::now();
        let mut left = Vec::new();
        for _ in 0..6 {
            limiter.acquire().await;
            left.push(start.elapsed().as_millis());
        }
        assert_eq!(left, [0, 0, 0, 100, 200, 300]);
        tokio::time::advance(Duration::from_secs(60)).await;
        let start = Instant::now();
        for _ in 0..4 {
            limiter.acquire().await;
        }
        assert_eq!(start.elapsed().as_millis(), 100, "a long pause saves up the burst and no more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_wait_lets_no_extra_request_out() {
        let limiter = limiter(1, 1);
        let start = Instant::now();
        limiter.acquire().await;
        let dropped = tokio::time::timeout(Duration::from_millis(1), limiter.acquire()).await;
        assert!(dropped.is_err());
        limiter.acquire().await;
        assert_eq!(start.elapsed().as_secs(), 2);
    }
}
