//! The policies that plays are held under, and limits that fit them.

use core::num::NonZeroU32;
use core::time::Duration;
use std::sync::Arc;

use fastrand::Rng;
use nodewright_core::{BlockDelta, Certified, Depth, Fallback, FinalityPolicy, Reported, ScanLimits};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Depth(u64),
    Never,
    After(u64),
    Reported,
}

impl Kind {
    pub(crate) fn any(rng: &mut Rng) -> Self {
        match rng.u8(..4) {
            0 => Self::Depth(rng.u64(1..=12)),
            1 => Self::Never,
            2 => Self::After(rng.u64(1..=12)),
            _ => Self::Reported,
        }
    }

    pub(crate) fn policy(self) -> Arc<dyn FinalityPolicy> {
        match self {
            Self::Depth(depth) => Arc::new(Depth::try_new(BlockDelta(depth)).unwrap()),
            Self::Never => Arc::new(Certified::try_new(Fallback::Never).unwrap()),
            Self::After(depth) => Arc::new(Certified::try_new(Fallback::After(BlockDelta(depth))).unwrap()),
            Self::Reported => Arc::new(Reported),
        }
    }

    pub(crate) fn is_certified(self) -> bool {
        matches!(self, Self::Never | Self::After(_))
    }

    /// The most confirmations that a block needs.
    pub(crate) fn depth(self) -> Option<usize> {
        match self {
            Self::Depth(depth) | Self::After(depth) => usize::try_from(depth).ok(),
            Self::Never | Self::Reported => None,
        }
    }
}

/// Draws limits small enough to be met within a play.
pub(crate) fn limits(rng: &mut Rng, kind: Kind) -> ScanLimits {
    let some = |rng: &mut Rng, most: u32| NonZeroU32::new(rng.u32(1..=most)).unwrap();
    let least = u32::try_from(kind.depth().unwrap_or(1)).unwrap();
    let batch = if rng.bool() { some(rng, 8) } else { some(rng, 2_000) };
    let unfinal =
        if rng.bool() { some(rng, 12).saturating_add(least - 1) } else { some(rng, 100).saturating_add(least) };
    ScanLimits {
        batch,
        // Lies come in rows; the play is about what happens if they do not stop the scan.
        contradictions: 40,
        events: if rng.bool() { rng.usize(1..12) } else { 4_096 },
        history: rng.usize(..40),
        pending: rng.usize(2..8),
        poll: Duration::from_secs(2),
        poll_max: Duration::from_secs(60),
        road: rng.usize(..8),
        unfinal,
    }
}
