//! The bounds of a scan. All memory that [`ScanCore`](crate::ScanCore) uses follows from them.

use core::num::NonZeroU32;
use core::time::Duration;

/// States how much a scan may hold and how long it waits.
///
/// Users build it by literal on top of `Default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanLimits {
    /// Is the most headers asked for at once. Default 2,000: what one REST `headers` request of the Bitcoin family
    /// serves.
    pub batch: NonZeroU32,
    /// Is how many contradictions in a row stop a scan whose finality has no certificate. Default 5: with the default
    /// poll, ten seconds of nothing but contradiction.
    pub contradictions: u32,
    /// Is the most events that wait to be acknowledged before no more headers are asked for. Default 4,096: two
    /// batches.
    pub events: usize,
    /// Is how many final blocks are remembered, to name both sides when something contradicts them. Default 144.
    pub history: usize,
    /// Is the most certificates that wait for their block. Default 64.
    pub pending: usize,
    /// Is how long the scan waits at the head before it asks again. Default 2 s.
    pub poll: Duration,
    /// Is the longest wait after failures; waits double from `poll` up to here. Default 60 s.
    pub poll_max: Duration,
    /// Is the most points kept on the way to a certificate far ahead. Default 1,024.
    pub road: usize,
    /// Is the most applied blocks that wait for finality; then the scan holds. Default 10,000. A depth policy needs
    /// more room than its depth.
    pub unfinal: NonZeroU32,
}

impl Default for ScanLimits {
    fn default() -> Self {
        Self {
            batch: NonZeroU32::MIN.saturating_add(1_999),
            contradictions: 5,
            events: 4_096,
            history: 144,
            pending: 64,
            poll: Duration::from_secs(2),
            poll_max: Duration::from_secs(60),
            road: 1_024,
            unfinal: NonZeroU32::MIN.saturating_add(9_999),
        }
    }
}
