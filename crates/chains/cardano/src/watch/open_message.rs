//! Whether the one message that an aggregator collects signatures for holds up all others.

use core::fmt;
use core::time::Duration;

use crate::certificate::{EntityKind, Timestamp};
use crate::watch::fact::since;
use crate::watch::finding::{Finding, Severity, Span};

/// Returns how long an aggregator keeps a message of this kind open (Mithril's aggregator, 2026): 3,600 s for the Mithril
/// stake distribution, 1,800 s for Cardano's, 600 s for the database, transactions and blocks. `None` for kinds that it
/// no longer signs, or that this version does not know.
#[must_use]
pub fn open_message_timeout(kind: EntityKind) -> Option<Duration> {
    let seconds = match kind {
        EntityKind::MithrilStakeDistribution => 3_600,
        EntityKind::CardanoStakeDistribution => 1_800,
        EntityKind::CardanoDatabase | EntityKind::CardanoTransactions | EntityKind::CardanoBlocksTransactions => 600,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

/// Is the message that an aggregator collects signatures for. It has one at a time, and works through the kinds in the
/// order of [`EntityKind::KNOWN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenMessage {
    /// Is the kind of what is to be signed.
    pub kind: EntityKind,
    /// Says when it was opened.
    pub opened_at: Timestamp,
}

/// Judges the open message. `waiting` holds the kinds that are due after it.
#[must_use]
pub fn watch_open_message(open: &OpenMessage, waiting: &[EntityKind], now: Timestamp) -> OpenMessageFinding {
    let (kind, open_for) = (open.kind, since(now, open.opened_at));
    let Some(timeout) = open_message_timeout(kind) else {
        return OpenMessageFinding::NoTimeout { kind, open_for };
    };
    let waiting = waiting.iter().copied().filter(|other| *other != kind).collect::<Vec<_>>();
    match timeout.checked_sub(open_for) {
        // An aggregator looks at its message once a minute, so it may be a minute late and no more.
        None if open_for.saturating_sub(timeout) > CYCLE => {
            OpenMessageFinding::Stuck { kind, overdue: open_for.saturating_sub(timeout), waiting }
        }
        None | Some(Duration::ZERO) => OpenMessageFinding::Blocking { kind, left: Duration::ZERO, waiting },
        Some(left) if open_for > timeout / 2 && !waiting.is_empty() => {
            OpenMessageFinding::Blocking { kind, left, waiting }
        }
        Some(left) => OpenMessageFinding::Collecting { kind, left },
    }
}

/// Is how the open message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenMessageFinding {
    /// Half of its time is over and others wait for it.
    Blocking {
        /// Is its kind.
        kind: EntityKind,
        /// Is the time until it is given up.
        left: Duration,
        /// Holds the kinds that wait.
        waiting: Vec<EntityKind>,
    },
    /// Signatures are collected.
    Collecting {
        /// Is its kind.
        kind: EntityKind,
        /// Is the time until it is given up.
        left: Duration,
    },
    /// It is of a kind for which no time-out is known, so it may block for ever.
    NoTimeout {
        /// Is its kind.
        kind: EntityKind,
        /// Is how long it has been open.
        open_for: Duration,
    },
    /// It should have been given up: the aggregator no longer looks at it.
    Stuck {
        /// Is its kind.
        kind: EntityKind,
        /// Is how long ago it should have been given up.
        overdue: Duration,
        /// Holds the kinds that wait.
        waiting: Vec<EntityKind>,
    },
}

impl Finding for OpenMessageFinding {
    fn severity(&self) -> Severity {
        match self {
            Self::Collecting { .. } => Severity::Fine,
            Self::NoTimeout { .. } | Self::Blocking { .. } => Severity::Warning,
            Self::Stuck { .. } => Severity::Critical,
        }
    }
}

impl fmt::Display for OpenMessageFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collecting { kind, left } => {
                write!(f, "signatures for {kind} are being collected, for {} at most", Span(*left))
            }
            Self::Blocking { kind, left, waiting } => write!(
                f,
                "{kind} lacks signatures and holds up {}, for {} at most; see which signers do not answer",
                Kinds(waiting),
                Span(*left)
            ),
            Self::Stuck { kind, overdue, waiting } => write!(
                f,
                "{kind} should have been given up {} ago and holds up {}; restart the aggregator",
                Span(*overdue),
                Kinds(waiting)
            ),
            Self::NoTimeout { kind, open_for } => write!(
                f,
                "a message of kind {kind}, for which no time-out is known, has been open for {}; \
                 look into the aggregator's log",
                Span(*open_for)
            ),
        }
    }
}

/// Writes kinds with commas, or that there is none.
pub(super) struct Kinds<'a>(pub(super) &'a [EntityKind]);

impl fmt::Display for Kinds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, kind) in self.0.iter().enumerate() {
            write!(f, "{}{kind}", if index == 0 { "" } else { ", " })?;
        }
        if self.0.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}

/// Is the interval of the aggregator's loop in Mithril's example configuration.
const CYCLE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(kind: EntityKind, seconds: i64, waiting: &[EntityKind]) -> OpenMessageFinding {
        let open = OpenMessage { kind, opened_at: Timestamp::from_nanos(0) };
        watch_open_message(&open, waiting, Timestamp::from_nanos(seconds * 1_000_000_000))
    }

    #[test]
    fn a_message_is_stuck_a_cycle_after_the_timeout_of_its_kind_and_not_before() {
        let timeouts = [
            (EntityKind::MithrilStakeDistribution, 3_600),
            (EntityKind::CardanoStakeDistribution, 1_800),
            (EntityKind::CardanoDatabase, 600),
            (EntityKind::CardanoTransactions, 600),
            (EntityKind::CardanoBlocksTransactions, 600),
        ];
        for (kind, timeout) in timeouts {
            let severity = |seconds| judge(kind, seconds, &[EntityKind::CardanoDatabase]).severity();
            assert_eq!(severity(0), Severity::Fine);
            assert_eq!(severity(timeout + 60), Severity::Warning, "{kind}");
            assert_eq!(severity(timeout + 61), Severity::Critical, "{kind}");
        }
        let stuck = judge(EntityKind::CardanoStakeDistribution, 1_800 + 300, &[EntityKind::CardanoDatabase]);
        assert_eq!(
            stuck.to_string(),
            "CardanoStakeDistribution should have been given up 5 min 0 s ago and holds up CardanoDatabase; \
             restart the aggregator"
        );
    }

    #[test]
    fn a_message_blocks_when_half_its_time_is_over_and_something_waits() {
        let (kind, waiting) = (EntityKind::MithrilStakeDistribution, [EntityKind::CardanoDatabase]);
        assert!(matches!(judge(kind, 1_800, &waiting), OpenMessageFinding::Collecting { .. }));
        let blocking =
            OpenMessageFinding::Blocking { kind, left: Duration::from_secs(1_799), waiting: waiting.to_vec() };
        assert_eq!(judge(kind, 1_801, &waiting), blocking);
        assert!(matches!(judge(kind, 1_801, &[kind]), OpenMessageFinding::Collecting { .. }));
        assert!(matches!(judge(EntityKind::Unknown, 5, &[]), OpenMessageFinding::NoTimeout { .. }));
        assert!(matches!(judge(kind, -5, &waiting), OpenMessageFinding::Collecting { .. }));
    }
}
