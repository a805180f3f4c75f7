//! An allocator that counts while it is asked to, and costs one relaxed load while it is not.
//!
//! The crates that count allocations do so all the time, under a lock or a thread-local cell, and some turn every
//! reallocation into a copy. A peer that allocates much would then be measured with our bookkeeping on its account.
#![expect(unsafe_code, reason = "GlobalAlloc is an unsafe trait; every method only forwards to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// Runs `work` and counts what all threads allocate meanwhile.
///
/// Not to be nested, and no other thread may count at the same time.
pub(crate) fn count<R>(work: impl FnOnce() -> R) -> Counts {
    for counter in [&ALLOCATIONS, &BYTES, &PEAK] {
        counter.store(0, Relaxed);
    }
    LIVE.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
    let result = work();
    COUNTING.store(false, Relaxed);
    drop(result);
    Counts { allocations: ALLOCATIONS.load(Relaxed), bytes: BYTES.load(Relaxed), peak: PEAK.load(Relaxed) }
}

/// What was allocated while something ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Calls that allocated or reallocated.
    pub(crate) allocations: u64,
    /// Bytes of all allocations; a reallocation counts what it added.
    pub(crate) bytes: u64,
    /// The most bytes that were live at once, above what was live at the start.
    pub(crate) peak: u64,
}

struct Counting;

// SAFETY: each method hands its arguments to the system's allocator unchanged and returns what that returns.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        shrank(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        shrank(layout.size().saturating_sub(new_size));
        grew(new_size.saturating_sub(layout.size()));
        // SAFETY: the caller keeps the contract of `GlobalAlloc::realloc`.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

fn grew(size: usize) {
    if COUNTING.load(Relaxed) {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(size as u64, Relaxed);
        let live = LIVE.fetch_add(size as i64, Relaxed) + size as i64;
        PEAK.fetch_max(u64::try_from(live).unwrap_or(0), Relaxed);
    }
}

fn shrank(size: usize) {
    if COUNTING.load(Relaxed) {
        LIVE.fetch_sub(size as i64, Relaxed);
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
/// Below zero while more was freed than allocated since the start.
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);
