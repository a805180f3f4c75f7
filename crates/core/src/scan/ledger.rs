//! The chain as the events describe it.

use std::collections::VecDeque;

use crate::evidence::Finality;
use crate::id::{BlockId, BlockPoint};
use crate::scan::event::{EventSeq, ScanEvent};
use crate::units::BlockHeight;

/// Holds where events lead: the final block, what is applied above it, and a little of what lies below.
///
/// The scan keeps two: one with every event it produced, one with the events that were acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) finality: Finality,
    pub(crate) unfinal: VecDeque<BlockPoint>,
    pub(crate) history: VecDeque<BlockPoint>,
    pub(crate) next_seq: EventSeq,
    history_limit: usize,
}

impl Ledger {
    pub(crate) fn new(
        finality: Finality,
        unfinal: VecDeque<BlockPoint>,
        history: VecDeque<BlockPoint>,
        next_seq: EventSeq,
        history_limit: usize,
    ) -> Self {
        Self { finality, unfinal, history, next_seq, history_limit }
    }

    /// Takes one event into account.
    pub(crate) fn advance(&mut self, event: &ScanEvent) {
        self.next_seq = self.next_seq.next();
        match event {
            ScanEvent::Apply(header) => {
                debug_assert_eq!(header.parent, self.tip().id.hash, "an applied block links to the tip");
                self.unfinal.push_back(header.point);
            }
            ScanEvent::RollBack { to, .. } => {
                while self.tip() != *to && self.unfinal.pop_back().is_some() {}
                debug_assert_eq!(self.tip(), *to, "a rollback ends at a block of the chain");
            }
            ScanEvent::Finalize(finality) => self.finalize(finality),
            ScanEvent::Hold(_) | ScanEvent::Resume => {}
        }
    }

    pub(crate) fn tip(&self) -> BlockPoint {
        self.unfinal.back().copied().unwrap_or(self.finality.point)
    }

    /// Returns how many unfinal blocks remain when the chain is cut after `point`; `None` if it is not on the chain.
    pub(crate) fn position(&self, point: &BlockPoint) -> Option<usize> {
        if *point == self.finality.point {
            return Some(0);
        }
        let first = self.unfinal.partition_point(|held| held.id.height < point.id.height);
        let same = self.unfinal.iter().enumerate().skip(first);
        same.take_while(|(_, held)| held.id.height == point.id.height)
            .find(|(_, held)| **held == *point)
            .map(|(index, _)| index.saturating_add(1))
    }

    /// Returns the final block that is remembered at `height`.
    pub(crate) fn final_at(&self, height: BlockHeight) -> Option<BlockId> {
        let below = self.history.iter().rev().map(|point| point.id);
        core::iter::once(self.finality.point.id).chain(below).find(|id| id.height == height)
    }

    /// Fills `locator` with known points, newest first: the last ten one by one, then ever wider apart, the final
    /// block, and the same below it.
    pub(crate) fn locate(&self, locator: &mut Vec<BlockPoint>) {
        spread(self.unfinal.iter().rev().copied(), locator);
        locator.push(self.finality.point);
        spread(self.history.iter().rev().copied(), locator);
    }

    fn finalize(&mut self, finality: &Finality) {
        while self.finality.point != finality.point {
            let Some(next) = self.unfinal.pop_front() else { break };
            self.history.push_back(self.finality.point);
            self.finality.point = next;
        }
        debug_assert_eq!(self.finality.point, finality.point, "a final block was applied");
        self.finality.evidence = finality.evidence.clone();
        while self.history.len() > self.history_limit {
            self.history.pop_front();
        }
    }
}

/// Copies the first [`DENSE`] points, then every second, fourth, eighth, … of the rest.
fn spread(points: impl Iterator<Item = BlockPoint>, locator: &mut Vec<BlockPoint>) {
    let mut next = 0;
    let mut step = 1;
    for (index, point) in points.enumerate() {
        if index == next {
            locator.push(point);
            if index >= DENSE {
                step *= 2;
            }
            next += step;
        }
    }
}

/// Is how many of the newest points a locator names one by one; as in Bitcoin's own block locator
/// (`CChain::GetLocator`, Bitcoin Core `src/chain.cpp`).
const DENSE: usize = 10;
