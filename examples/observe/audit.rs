//! Holds the stream of records to what a chain must look like, whatever the chain.

use nodewright::core::{BlockPoint, EventSeq, ScanEvent, ScanRecord};

/// Rebuilds the chain from the records and notes whatever does not fit.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    next: Option<EventSeq>,
    chain: Vec<BlockPoint>,
    finalized: Option<BlockPoint>,
    problems: Vec<String>,
}

impl Audit {
    pub(crate) fn take(&mut self, record: &ScanRecord) {
        if self.next.is_some_and(|next| next != record.seq) {
            self.problems.push(format!("event {} came where {} was due", record.seq, self.next.unwrap_or_default()));
        }
        self.next = Some(record.seq.next());
        match &record.event {
            ScanEvent::Apply(header) => {
                let height = header.point.id.height;
                if self.chain.last().is_some_and(|tip| tip.id.hash != header.parent) {
                    self.problems.push(format!("block {height} does not follow the block before it"));
                }
                self.chain.push(header.point);
            }
            ScanEvent::RollBack { to, dropped } => {
                for point in dropped {
                    if self.chain.pop() != Some(*point) {
                        self.problems.push(format!("block {} was dropped and was not the tip", point.id.height));
                    }
                }
                if self.chain.last().is_some_and(|tip| tip != to) {
                    self.problems.push(format!("a rollback to block {} ended elsewhere", to.id.height));
                }
            }
            ScanEvent::Finalize(finality) => {
                if self.finalized.is_some_and(|last| last.id.height > finality.point.id.height) {
                    self.problems.push(format!("finality went back to block {}", finality.point.id.height));
                }
                if !self.chain.contains(&finality.point) {
                    self.problems.push(format!("block {} became final and was not applied", finality.point.id.height));
                }
                self.finalized = Some(finality.point);
            }
            ScanEvent::Hold(_) | ScanEvent::Resume => {}
        }
    }

    pub(crate) fn chain(&self) -> &[BlockPoint] {
        &self.chain
    }

    pub(crate) fn finalized(&self) -> Option<BlockPoint> {
        self.finalized
    }

    pub(crate) fn problems(&self) -> &[String] {
        &self.problems
    }
}
