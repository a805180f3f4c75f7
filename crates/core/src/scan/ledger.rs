//! The chain as the events describe it.

use std::collections::VecDeque;

use crate::evidence::Finality;
use crate::id::{BlockId, BlockPoint};
use crate::scan::event::{EventSeq, HoldReason, ScanEvent};

/// Holds where events lead: the final block, what is applied above it, and a little of what lies below.
///
/// The scan keeps two: one with every event it produced, one with the events that were acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) finality: Finality,
    pub(crate) unfinal: VecDeque<BlockPoint>,
    pub(crate) history: VecDeque<BlockPoint>,
    pub(crate) next_seq: EventSeq,
    pub(crate) hold: Option<HoldReason>,
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
        Self { finality, unfinal, history, next_seq, hold: None, history_limit }
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
            ScanEvent::Hold(reason) => self.hold = Some(*reason),
            ScanEvent::Resume => self.hold = None,
        }
    }

    pub(crate) fn tip(&self) -> BlockPoint {
        self.unfinal.back().copied().unwrap_or(self.finality.point)
    }

    /// Returns how many remembered blocks stand before `point`, final ones included; `None` if it is not remembered.
    pub(crate) fn place(&self, point: &BlockPoint) -> Option<usize> {
        if let Some(at) = find(&self.unfinal, point) {
            return Some(self.history.len().saturating_add(1).saturating_add(at));
        }
        if *point == self.finality.point {
            return Some(self.history.len());
        }
        find(&self.history, point)
    }

    /// Returns the block with `place` remembered blocks before it.
    pub(crate) fn point(&self, place: usize) -> Option<BlockPoint> {
        match place.checked_sub(self.history.len()) {
            None => self.history.get(place).copied(),
            Some(0) => Some(self.finality.point),
            Some(above) => self.unfinal.get(above.saturating_sub(1)).copied(),
        }
    }

    /// Returns how many unfinal blocks remain when the chain is cut after the block at `place`; `None` below the final
    /// block.
    pub(crate) fn kept(&self, place: usize) -> Option<usize> {
        place.checked_sub(self.history.len())
    }

    /// Returns the final block that stands where `id` would have to, if the two cannot be on one chain; `None` if `id`
    /// is final too, is above what is final, or is below what is remembered.
    pub(crate) fn excludes(&self, id: BlockId) -> Option<BlockId> {
        let mut known = self.final_points().map(|point| point.id).peekable();
        if known.peek().is_none_or(|oldest| id.height < oldest.height) {
            return None;
        }
        let mut beside = known.skip_while(|ours| ours.height < id.height).peekable();
        let first = beside.peek().copied();
        let same = beside.take_while(|ours| ours.height == id.height).any(|ours| ours == id);
        first.filter(|_| !same)
    }

    /// Fills `locator` with known points, newest first: the last ten unfinal blocks one by one, then ever wider apart, the
    /// final block, and the same below it; of these only those up to `newest`, if it is given.
    pub(crate) fn locate(&self, newest: Option<BlockPoint>, locator: &mut Vec<BlockPoint>) {
        let place = newest.and_then(|newest| self.place(&newest));
        let (history, kept) = match place.map(|place| (place, self.kept(place))) {
            None => (self.history.len(), Some(self.unfinal.len())),
            Some((place, None)) => (place.saturating_add(1), None),
            Some((_, kept)) => (self.history.len(), kept),
        };
        if let Some(kept) = kept {
            spread(self.unfinal.iter().take(kept).rev().copied(), locator);
            locator.push(self.finality.point);
        }
        spread(self.history.iter().take(history).rev().copied(), locator);
    }

    /// Returns the remembered final blocks, oldest first. They follow one another without gaps.
    fn final_points(&self) -> impl Iterator<Item = BlockPoint> {
        self.history.iter().copied().chain(core::iter::once(self.finality.point))
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

/// Finds `point` among blocks whose heights never fall.
fn find(points: &VecDeque<BlockPoint>, point: &BlockPoint) -> Option<usize> {
    let first = points.partition_point(|held| held.id.height < point.id.height);
    let same = points.iter().enumerate().skip(first).take_while(|(_, held)| held.id.height == point.id.height);
    same.map(|(index, held)| (index, *held)).find(|(_, held)| held == point).map(|(index, _)| index)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Evidence;
    use crate::fixture::{headers, id, point, points};

    /// Final blocks from `oldest` to 10, unfinal ones up to `newest`.
    fn ledger(oldest: u64, newest: u64) -> Ledger {
        let finality = Finality { point: point(10, 0), evidence: Evidence::anchor(id(10, 0)) };
        let (unfinal, history) = (points(11..=newest, 0), points(oldest..10, 0));
        Ledger::new(finality, unfinal.into(), history.into(), EventSeq(7), 3)
    }

    #[test]
    fn events_move_the_tip_and_finality() {
        let mut ledger = ledger(8, 12);
        for header in headers(point(12, 0), 14, 0) {
            ledger.advance(&ScanEvent::Apply(header));
        }
        ledger.advance(&ScanEvent::RollBack { to: point(13, 0), dropped: points([14], 0) });
        ledger.advance(&ScanEvent::Finalize(Finality { point: point(12, 0), evidence: Evidence::anchor(id(12, 0)) }));
        ledger.advance(&ScanEvent::Hold(HoldReason::SourceBehind));
        assert_eq!((ledger.tip(), ledger.finality.point), (point(13, 0), point(12, 0)));
        assert_eq!(ledger.history, points(9..12, 0));
        assert_eq!((ledger.next_seq, ledger.hold), (EventSeq(12), Some(HoldReason::SourceBehind)));
    }

    #[test]
    fn every_remembered_block_has_a_place() {
        let ledger = ledger(5, 14);
        for (place, point) in points(5..=14, 0).into_iter().enumerate() {
            assert_eq!((ledger.place(&point), ledger.point(place)), (Some(place), Some(point)));
        }
        assert_eq!((ledger.place(&point(12, 1)), ledger.place(&point(4, 0)), ledger.point(10)), (None, None, None));
        assert_eq!((ledger.kept(4), ledger.kept(5), ledger.kept(7)), (None, Some(0), Some(2)));
    }

    #[test]
    fn a_block_is_excluded_by_final_blocks_that_are_remembered_at_its_height() {
        let mut ledger = ledger(5, 12);
        assert_eq!(ledger.excludes(id(7, 1)), Some(id(7, 0)));
        assert_eq!(ledger.excludes(id(10, 1)), Some(id(10, 0)));
        for known_or_unknown in [id(7, 0), id(10, 0), id(11, 1), id(4, 1)] {
            assert_eq!(ledger.excludes(known_or_unknown), None);
        }
        // Where heights skip, a block between two final ones is excluded by the upper.
        ledger.history.remove(3);
        assert_eq!(ledger.excludes(id(8, 1)), Some(id(9, 0)));
    }

    #[test]
    fn a_locator_is_dense_at_the_tip_and_sparse_below_and_begins_where_it_is_told() {
        let ledger = ledger(8, 45);
        let locate = |newest| {
            let mut locator = Vec::new();
            ledger.locate(newest, &mut locator);
            locator.iter().map(|point: &BlockPoint| point.id.height.0).collect::<Vec<_>>()
        };
        assert_eq!(locate(None), [45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 33, 29, 21, 10, 9, 8]);
        assert_eq!(locate(Some(point(12, 0))), [12, 11, 10, 9, 8]);
        assert_eq!(locate(Some(point(10, 0))), [10, 9, 8]);
        assert_eq!(locate(Some(point(9, 0))), [9, 8]);
        assert_eq!(locate(Some(point(45, 1))), locate(None));
    }
}
