//! What the fetching measures on its way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Shows what was fetched, and how much memory that took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchStats {
    /// Counts the blocks that came.
    pub blocks: u64,
    /// Counts their bytes.
    pub bytes: u64,
    /// Counts the requests that brought them.
    pub requests: u64,
    /// Is how many bytes of answers and decoded blocks are held now.
    pub held: usize,
    /// Is the most that were held at once.
    pub peak: usize,
}

/// Counts; shared by everything that one fetcher does.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    blocks: AtomicU64,
    bytes: AtomicU64,
    requests: AtomicU64,
    held: AtomicUsize,
    peak: AtomicUsize,
    /// The recent mean size of a block; 0 before the first.
    mean: AtomicUsize,
}

impl Gauge {
    /// Counts the blocks of one answer.
    pub(super) fn count(&self, blocks: usize, bytes: usize) {
        self.blocks.fetch_add(blocks as u64, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
        self.requests.fetch_add(1, Relaxed);
        if let Some(size) = bytes.checked_div(blocks) {
            self.learn(size.max(1));
        }
    }

    /// Takes the mean size of some blocks into the recent mean, with a weight of a quarter.
    pub(super) fn learn(&self, size: usize) {
        let old = self.mean.load(Relaxed);
        let new = if old == 0 { size } else { old - old / 4 + size / 4 };
        // Of two that learn at once one is lost, which a mean does not mind.
        self.mean.store(new.max(1), Relaxed);
    }

    /// Returns the recent mean size of a block in bytes, if any was seen.
    pub(super) fn mean(&self) -> Option<usize> {
        Some(self.mean.load(Relaxed)).filter(|mean| *mean > 0)
    }

    pub(super) fn stats(&self) -> FetchStats {
        FetchStats {
            blocks: self.blocks.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            requests: self.requests.load(Relaxed),
            held: self.held.load(Relaxed),
            peak: self.peak.load(Relaxed),
        }
    }
}

/// Counts bytes as held until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    gauge: Arc<Gauge>,
    bytes: usize,
}

impl Held {
    pub(super) fn new(gauge: &Arc<Gauge>) -> Self {
        Self { gauge: Arc::clone(gauge), bytes: 0 }
    }

    /// Counts `bytes` more.
    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        let held = self.gauge.held.fetch_add(bytes, Relaxed) + bytes;
        self.gauge.peak.fetch_max(held, Relaxed);
    }

    /// Counts `bytes` less.
    pub(super) fn sub(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.gauge.held.fetch_sub(bytes, Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gauge.held.fetch_sub(self.bytes, Relaxed);
    }
}
