//! Waiting before the edge of an era that this build does not support.
//!
//! Blocks past the edge are not applied, but their headers are read, as many as the window has room for: by them the
//! blocks before the edge become final as they would have without it.

use crate::era::EraGate;
use crate::finality::{ChainView, FinalityPolicy, Verdict};
use crate::header::Header;
use crate::id::{BlockId, BlockPoint};
use crate::scan::core::{ScanCore, Step};
use crate::scan::event::HoldReason;
use crate::scan::fault::ScanFault;
use crate::scan::road::Road;
use crate::time::Moment;

/// Holds the gate, and what was read beyond it.
#[derive(Debug, Default)]
pub(crate) struct Edge {
    gate: Option<EraGate>,
    /// Locates the blocks that follow the tip and may not be applied, oldest first.
    beyond: Vec<BlockPoint>,
}

impl Edge {
    /// Forgets what was read, because the tip moved.
    pub(crate) fn forget(&mut self) {
        self.beyond.clear();
    }

    /// Fills `locator` with what was read, newest first.
    pub(crate) fn locate(&self, locator: &mut Vec<BlockPoint>) {
        locator.extend(self.beyond.iter().rev().take(STEPS_BACK));
    }

    /// Moves back to `from`, if that was read; says whether it was.
    fn turn_to(&mut self, from: BlockPoint) -> bool {
        let place = self.beyond.iter().rposition(|point| *point == from);
        self.beyond.truncate(place.map_or(self.beyond.len(), |place| place.saturating_add(1)));
        place.is_some()
    }

    fn read(&mut self, headers: &[Header], room: usize) {
        let room = room.saturating_sub(self.beyond.len());
        self.beyond.extend(headers.iter().take(room).map(|header| header.point));
    }
}

impl<P: FinalityPolicy> ScanCore<P> {
    /// Sets the gate, or takes it away, and looks again at where the scan waits.
    ///
    /// The blocks that are applied already are not judged again.
    pub fn set_gate(&mut self, gate: Option<EraGate>) {
        self.edge = Edge { gate, beyond: Vec::new() };
        self.wake();
    }

    /// Returns how many of `headers` the gate admits before the first that it does not. Where it cannot tell, the scan
    /// stops: `None`.
    pub(super) fn admitted(&mut self, headers: &[Header]) -> Option<usize> {
        let Some(gate) = &self.edge.gate else { return Some(headers.len()) };
        for (index, header) in headers.iter().enumerate() {
            match gate.admits(header) {
                Ok(true) => {}
                Ok(false) => return Some(index),
                Err(error) => {
                    self.stop(ScanFault::EraUnknown { at: header.point.id, error });
                    return None;
                }
            }
        }
        Some(headers.len())
    }

    /// Locates the newest block of our chain, whether it may be applied or not.
    pub(super) fn newest(&self) -> BlockPoint {
        self.edge.beyond.last().copied().unwrap_or(self.ahead.tip())
    }

    /// Holds, because `headers`, which follow the tip, begin past the edge.
    pub(super) fn hold_at_edge(&mut self, now: Moment, headers: &[Header], more: bool) {
        self.set_hold(Some(HoldReason::EraAhead));
        if self.lead_road_past_edge() {
            self.step = Step::Extend;
            return;
        }
        let first = self.edge.beyond.is_empty();
        self.edge.forget();
        self.read_beyond(now, headers, more && first);
    }

    /// Returns whether blocks were read beyond the edge.
    pub(super) fn is_at_edge(&self) -> bool {
        !self.edge.beyond.is_empty()
    }

    /// Goes on reading beyond the edge, if `from` is where that has come to; says whether it is.
    pub(super) fn go_on_beyond(&mut self, now: Moment, from: BlockPoint, headers: &[Header], more: bool) -> bool {
        let before = self.edge.beyond.len();
        if !self.edge.turn_to(from) {
            return false;
        }
        self.set_hold(Some(HoldReason::EraAhead));
        // An answer that brings the reading no further ends it, until after a wait.
        let further = self.edge.beyond.len().saturating_add(headers.len()) > before;
        self.read_beyond(now, headers, more && further);
        true
    }

    /// Asks the policy about the applied blocks, followed by those that were read beyond the edge.
    pub(super) fn verdict(&self) -> Verdict {
        if self.edge.beyond.is_empty() {
            return self.policy.judge(&self.view(), &self.pool);
        }
        let mut unfinal = self.ahead.unfinal.clone();
        unfinal.extend(&self.edge.beyond);
        let view = ChainView { finalized: self.ahead.finality.point, unfinal: &unfinal, tips: self.tips };
        self.policy.judge(&view, &self.pool)
    }

    /// Returns the tip, if `id` was read beyond the edge and the tip is not final yet: it is an ancestor of that block.
    pub(super) fn tip_before_edge(&self, id: BlockId) -> Option<BlockPoint> {
        let beyond = self.edge.beyond.iter().any(|point| point.id == id);
        self.ahead.unfinal.back().filter(|_| beyond).copied()
    }

    fn read_beyond(&mut self, now: Moment, headers: &[Header], more: bool) {
        self.edge.read(headers, self.room_beyond());
        self.judge(false);
        self.proceed(now, more && self.edge.beyond.len() < self.room_beyond());
    }

    /// Returns whether no more blocks are read beyond the edge although some before it wait for finality. Where heights
    /// repeat, a block that is not high above the tip may yet be farther than that.
    pub(super) fn is_beyond_full(&self) -> bool {
        !self.ahead.unfinal.is_empty() && self.edge.beyond.len() >= self.room_beyond()
    }

    fn room_beyond(&self) -> usize {
        usize::try_from(self.limits.unfinal.get()).unwrap_or(usize::MAX)
    }

    /// Lets a road that leads past the edge begin again at the tip, to learn by headers alone that the tip is on it.
    /// Returns whether there are headers to be read for that.
    fn lead_road_past_edge(&mut self) -> bool {
        let Some(road) = self.road.as_ref().filter(|_| !self.ahead.unfinal.is_empty()) else {
            return false;
        };
        self.road = Some(Road::new(road.evidence.clone(), self.limits.road));
        self.prepare_road();
        true
    }
}

/// Is how many of the points read beyond the edge a locator names, so that a reorganisation there need not start over.
const STEPS_BACK: usize = 16;
