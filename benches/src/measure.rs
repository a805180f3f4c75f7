//! Measuring rates: ours and a peer's in turns, so that what the machine does meanwhile hits both.

use std::time::{Duration, Instant};

/// How much a benchmark does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// The size that its numbers are stated for.
    Full,
    /// The smallest size that shows that it works.
    Smoke,
}

impl Scale {
    /// Picks a size.
    #[allow(dead_code, reason = "for benchmarks that have a size")]
    pub(crate) fn pick<T>(self, full: T, smoke: T) -> T {
        match self {
            Self::Full => full,
            Self::Smoke => smoke,
        }
    }
}

/// Measures how many items per second `work` does, if one call does `items`.
///
/// The best of many short rounds: what else the machine does can only make a round slower, never faster.
pub(crate) fn rate(scale: Scale, items: u64, mut work: impl FnMut()) -> f64 {
    let calls = calls_per_round(scale, &mut work);
    (0..rounds(scale)).map(|_| per_second(items, calls, &mut work)).fold(0.0, f64::max)
}

/// Measures ours and a peer's, round by round in turns; returns the best rate of each, as [`rate`] does.
///
/// Each returns how many items a call did by doing them; both must do the same work on the same input.
#[allow(dead_code, reason = "for benchmarks that have a peer")]
pub(crate) fn versus(scale: Scale, items: u64, mut ours: impl FnMut(), mut peer: impl FnMut()) -> (f64, f64) {
    let (our_calls, peer_calls) = (calls_per_round(scale, &mut ours), calls_per_round(scale, &mut peer));
    (0..rounds(scale)).fold((0.0, 0.0), |best, _| {
        let (ours, peer) = (per_second(items, our_calls, &mut ours), per_second(items, peer_calls, &mut peer));
        (f64::max(best.0, ours), f64::max(best.1, peer))
    })
}

fn rounds(scale: Scale) -> usize {
    match scale {
        Scale::Full => ROUNDS,
        Scale::Smoke => 1,
    }
}

/// How many calls fill a round; finding out warms the caches too.
fn calls_per_round(scale: Scale, work: &mut impl FnMut()) -> u64 {
    work();
    if scale == Scale::Smoke {
        return 1;
    }
    let mut calls = 1;
    loop {
        let started = Instant::now();
        (0..calls).for_each(|_| work());
        let took = started.elapsed();
        if took >= ROUND {
            return calls;
        }
        // Aim at the round's length, at most ten times as many calls as were just measured.
        let factor = (ROUND.as_secs_f64() / took.as_secs_f64().max(1e-9)).clamp(1.1, 10.0);
        calls = (calls as f64 * factor).ceil() as u64;
    }
}

fn per_second(items: u64, calls: u64, work: &mut impl FnMut()) -> f64 {
    let started = Instant::now();
    (0..calls).for_each(|_| work());
    (items * calls) as f64 / started.elapsed().as_secs_f64().max(1e-9)
}

/// Long enough that the clock's own error is far below a thousandth, short enough that some rounds are not interrupted.
const ROUND: Duration = Duration::from_millis(20);

/// So many that a few of them are undisturbed on each side.
const ROUNDS: usize = 60;
