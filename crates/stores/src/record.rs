//! What a store's log gives back: events as data.

use nodewright_core::{
    BlockPoint, BlockReport, EventSeq, EvidenceClaim, Finality, Header, HoldReason, ScanEvent, ScanRecord,
};
use serde::{Deserialize, Serialize};

/// Holds one record as it was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedRecord {
    /// Numbers the event.
    pub seq: EventSeq,
    /// Says what happened.
    pub event: LoggedEvent,
    /// Holds the report of the block, for an applied block of a scan that observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<BlockReport>,
}

impl From<&ScanRecord> for LoggedRecord {
    fn from(record: &ScanRecord) -> Self {
        Self { seq: record.seq, event: LoggedEvent::from(&record.event), report: record.report.clone() }
    }
}

/// Holds an event as it was stored; its JSON is that of the [`ScanEvent`].
///
/// Exhaustive on purpose, as [`ScanEvent`] is. It differs in one thing: what made a block final is an
/// [`EvidenceClaim`], which proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggedEvent {
    /// A block was added on top of the one before.
    Apply(Header),
    /// The blocks in `dropped`, newest first, left the chain; `to` is its end now.
    RollBack {
        /// Locates the last block that both branches share.
        to: BlockPoint,
        /// Holds the removed blocks, newest first.
        dropped: Vec<BlockPoint>,
    },
    /// A block and all its ancestors became final.
    Finalize {
        /// Locates the block.
        point: BlockPoint,
        /// Says why, as was claimed when it was stored.
        evidence: EvidenceClaim,
    },
    /// The scan waited.
    Hold(HoldReason),
    /// The scan went on after a `Hold`.
    Resume,
}

impl From<&ScanEvent> for LoggedEvent {
    fn from(event: &ScanEvent) -> Self {
        match event {
            ScanEvent::Apply(header) => Self::Apply(*header),
            ScanEvent::RollBack { to, dropped } => Self::RollBack { to: *to, dropped: dropped.clone() },
            ScanEvent::Finalize(Finality { point, evidence }) => {
                Self::Finalize { point: *point, evidence: EvidenceClaim::from(evidence) }
            }
            ScanEvent::Hold(reason) => Self::Hold(*reason),
            ScanEvent::Resume => Self::Resume,
        }
    }
}

/// Writes a record as [`LoggedRecord`] reads it, without a copy.
#[derive(Debug, Serialize)]
pub(crate) struct RecordLine<'a> {
    seq: EventSeq,
    event: &'a ScanEvent,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: &'a Option<BlockReport>,
}

impl<'a> From<&'a ScanRecord> for RecordLine<'a> {
    fn from(record: &'a ScanRecord) -> Self {
        Self { seq: record.seq, event: &record.event, report: &record.report }
    }
}

/// Is the greatest number of rows that one reading call returns; a call that asks for more gets this many.
/// A page of payments is then a few MiB.
pub const MAX_PAGE: usize = 10_000;

#[cfg(test)]
mod tests {
    use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockTime, Evidence, Slot, Trust};

    use super::*;

    #[test]
    fn a_logged_event_has_the_json_of_the_event_and_comes_back_from_it() {
        let id = BlockId { height: BlockHeight(u64::MAX), hash: BlockHash([0xab; 32]) };
        let point = BlockPoint { id, slot: Some(Slot(9)) };
        let header = Header { point, parent: BlockHash([1; 32]), time: BlockTime(5) };
        let evidence = Evidence::attest(id, "chainlock", Trust::NodeSet, &[1, 2, 255]);
        let events = [
            ScanEvent::Apply(header),
            ScanEvent::RollBack { to: id.into(), dropped: vec![point] },
            ScanEvent::Finalize(Finality { point, evidence }),
            ScanEvent::Finalize(Finality { point, evidence: Evidence::anchor(id) }),
            ScanEvent::Hold(HoldReason::WindowFull),
            ScanEvent::Resume,
        ];
        for event in events {
            let json = serde_json::to_string(&event).unwrap();
            let logged = LoggedEvent::from(&event);
            assert_eq!(serde_json::to_string(&logged).unwrap(), json);
            assert_eq!(serde_json::from_str::<LoggedEvent>(&json).unwrap(), logged);
        }
    }
}
