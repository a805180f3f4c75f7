//! Reading which era holds and since when, from eight threads while one writes: an `EraStamp` beside the same pair behind
//! a `std::sync::RwLock`.
//!
//! Both writers have an `EraChecker` observe the next block and then have what it found published: the one by the
//! checker itself, the other under the lock. They rest between two updates, as a writer does that follows a chain,
//! though for far less than a block takes. Neither reader clones anything.

use std::hint::black_box;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use nodewright_core::{
    Activation, BlockHeight, ChainPosition, EraChecker, EraId, EraMarker, EraSchedule, EraStanding, SupportedEras,
};

use crate::measure::Scale;
use crate::report::Row;
use crate::synthetic;

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, String> {
    let window = scale.pick(Duration::from_millis(200), Duration::from_millis(5));
    let mut best = (0.0_f64, 0.0_f64);
    for _ in 0..scale.pick(15, 1) {
        best.0 = best.0.max(stamped(window)?);
        best.1 = best.1.max(locked(window)?);
    }
    Ok(vec![Row::more_is_better("h_era_stamp", "reads/s", best.0, best.1).at_least_times_peer(5.0)])
}

fn stamped(window: Duration) -> Result<f64, String> {
    let mut chain = Chain::new()?;
    let stamp = chain.checker.stamp();
    let read = || match stamp.read() {
        EraStanding::Active { era, since } => used(era, since),
        EraStanding::Halted | EraStanding::Unknown => 0,
    };
    let rate = contend(window, read, || chain.advance());
    match stamp.read() {
        EraStanding::Active { era, since } => chain.confirm(era, since).map(|()| rate),
        other => Err(format!("the stamp says {other:?}")),
    }
}

fn locked(window: Duration) -> Result<f64, String> {
    let mut chain = Chain::new()?;
    let (era, since) = chain.holds()?;
    let pair = RwLock::new((era, since));
    let read = || match pair.read() {
        Ok(pair) => used(&pair.0, pair.1),
        Err(_) => 0,
    };
    let write = || {
        chain.advance();
        if let (Ok(found), Ok(mut pair)) = (chain.holds(), pair.write()) {
            *pair = found;
        }
    };
    let rate = contend(window, read, write);
    let (era, since) = pair.into_inner().map_err(|_| "a reader panicked")?;
    chain.confirm(&era, since).map(|()| rate)
}

/// What a reader does with the pair: something of both halves, and little.
fn used(era: &EraId, since: Activation) -> usize {
    match since {
        Activation::Height(height) if height.0 == 0 => 1,
        Activation::Height(_) => era.as_str().len(),
        _ => 0,
    }
}

/// Returns how often per second eight threads `read` together, while this one calls `write` again and again.
fn contend(window: Duration, read: impl Fn() -> usize + Sync, mut write: impl FnMut()) -> f64 {
    let (done, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                let mut mine = 0;
                while !done.load(Relaxed) {
                    // So many that asking whether it is over does not count.
                    black_box((0..BATCH).fold(0, |sum: usize, _| sum.wrapping_add(read())));
                    mine += BATCH;
                }
                reads.fetch_add(mine, Relaxed);
            });
        }
        while started.elapsed() < window {
            write();
            thread::park_timeout(REST);
        }
        done.store(true, Relaxed);
    });
    reads.into_inner() as f64 / started.elapsed().as_secs_f64()
}

/// A chain that goes through a few eras, and its observer.
struct Chain {
    schedule: EraSchedule,
    checker: EraChecker,
    height: u64,
}

impl Chain {
    fn new() -> Result<Self, String> {
        let eras: Result<Vec<_>, _> = (0..ERAS).map(|n| EraId::try_new(format!("era-{n}"))).collect();
        let eras = eras.map_err(|error| error.to_string())?;
        let edges = (0..).step_by(BLOCKS_PER_ERA).map(|height| Activation::Height(BlockHeight(height)));
        let markers = eras.iter().cloned().zip(edges).map(|(era, edge)| EraMarker::new(era, edge));
        let schedule = EraSchedule::try_new(markers).map_err(|error| error.to_string())?;
        let supported = SupportedEras::try_new(eras).map_err(|error| error.to_string())?;
        let mut chain = Self { schedule, checker: EraChecker::new(synthetic::scope(), supported), height: 0 };
        chain.advance();
        chain.holds().map(|_| chain)
    }

    /// Observes the next block, which is final at once.
    fn advance(&mut self) {
        self.height += 1;
        let position = ChainPosition::at(BlockHeight(self.height));
        _ = black_box(self.checker.observe(&self.schedule, &position, Some(&position)));
    }

    fn holds(&self) -> Result<(EraId, Activation), String> {
        let position = ChainPosition::at(BlockHeight(self.height));
        let marker = self.schedule.at(&position).map_err(|error| error.to_string())?;
        Ok((marker.era.clone(), marker.activation))
    }

    /// Says whether this is what holds now: both sides must have been right to the end.
    fn confirm(&self, era: &EraId, since: Activation) -> Result<(), String> {
        let holds = self.holds()?;
        if (era, since) == (&holds.0, holds.1) { Ok(()) } else { Err(format!("{era} where {holds:?} holds")) }
    }
}

const READERS: usize = 8;
const BATCH: u64 = 256;
const ERAS: usize = 7;
const BLOCKS_PER_ERA: usize = 50;
const REST: Duration = Duration::from_micros(100);
