//! Catching up towards a certificate far ahead without holding all the blocks in between.
//!
//! A certificate finalises every ancestor of its block, but the window of unfinal blocks is bounded. So headers alone
//! are read first, from the tip up to the certified block, and every so many of them is kept: the milestones of the
//! road. Then blocks are applied for good, segment by segment; each milestone that is reached is final at once, because
//! the certified block was seen to descend from it. A road too long for its own bound keeps fewer milestones, and a
//! segment that is then too long for the window becomes a road of its own.

use crate::evidence::Evidence;
use crate::header::Header;
use crate::id::BlockPoint;

/// Leads from the applied tip to a certified block.
#[derive(Clone, Debug)]
pub(crate) struct Road {
    pub(crate) evidence: Evidence,
    /// Holds what is still ahead, farthest first.
    milestones: Vec<Milestone>,
    skim: Option<Skim>,
    capacity: usize,
}

#[derive(Clone, Copy, Debug)]
struct Milestone {
    point: BlockPoint,
    /// Counts the linked blocks from the milestone before it, or from the tip. Unknown until skimmed.
    blocks: Option<u64>,
}

/// Reads headers ahead towards the nearest milestone.
#[derive(Clone, Debug)]
struct Skim {
    cursor: BlockPoint,
    since: u64,
    stride: u64,
    found: Vec<Milestone>,
}

/// Says what a step along the road led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoadStep {
    /// The road goes on.
    Ahead,
    /// The headers read ahead lead from the applied tip to the certified block: the tip is final.
    Arrived,
    /// This milestone was reached by an applied block; it is final.
    Reached(BlockPoint),
    /// The source's chain does not lead to the certified block.
    Lost,
}

impl Road {
    pub(crate) fn new(evidence: Evidence, capacity: usize) -> Self {
        let goal = Milestone { point: evidence.block().into(), blocks: None };
        Self { evidence, milestones: vec![goal], skim: None, capacity: capacity.max(4) }
    }

    /// Returns whether nothing is left to reach.
    pub(crate) fn is_done(&self) -> bool {
        self.milestones.is_empty()
    }

    /// Returns how many blocks may be applied before the next milestone; `None` while headers are read ahead.
    pub(crate) fn segment(&self) -> Option<u64> {
        self.milestones.last()?.blocks.filter(|_| self.skim.is_none())
    }

    /// Starts to read ahead from `tip` if the next segment is unknown or longer than `window`, the most blocks that
    /// may wait for finality.
    pub(crate) fn prepare(&mut self, tip: BlockPoint, window: u64) {
        let Some(next) = self.milestones.last() else { return };
        if self.skim.is_none() && next.blocks.is_none_or(|blocks| blocks > window) {
            self.skim = Some(Skim { cursor: tip, since: 0, stride: window.clamp(1, STRIDE), found: Vec::new() });
        }
    }

    /// Fills `locator` with the newest points that were read ahead, newest first.
    pub(crate) fn locate(&self, locator: &mut Vec<BlockPoint>) {
        if let Some(skim) = &self.skim {
            locator.push(skim.cursor);
            let found = skim.found.iter().rev().map(|milestone| milestone.point);
            locator.extend(found.filter(|point| *point != skim.cursor).take(STEPS_BACK));
        }
    }

    /// Returns whether headers are being read ahead, and up to which height they are.
    pub(crate) fn skimmed(&self) -> Option<BlockPoint> {
        self.skim.as_ref().map(|skim| skim.cursor)
    }

    /// Takes headers that follow `from`, already checked to link to one another.
    pub(crate) fn skim(&mut self, from: BlockPoint, headers: &[Header]) -> RoadStep {
        let (Some(skim), Some(goal)) = (&mut self.skim, self.milestones.last().copied()) else {
            return RoadStep::Lost;
        };
        if !skim.turn_to(from) {
            return RoadStep::Lost;
        }
        for header in headers {
            skim.cursor = header.point;
            skim.since = skim.since.saturating_add(1);
            if header.point.id == goal.point.id {
                self.arrive();
                return RoadStep::Arrived;
            }
            if header.point.id.height > goal.point.id.height {
                return RoadStep::Lost;
            }
            if skim.since == skim.stride {
                skim.found.push(Milestone { point: header.point, blocks: Some(skim.since) });
                skim.since = 0;
                if skim.found.len() > self.capacity {
                    skim.thin();
                }
            }
        }
        RoadStep::Ahead
    }

    /// Takes one applied block.
    pub(crate) fn walk(&mut self, point: BlockPoint) -> RoadStep {
        let Some(next) = self.milestones.last_mut() else { return RoadStep::Ahead };
        if next.point.id == point.id {
            self.milestones.pop();
            return RoadStep::Reached(point);
        }
        match next.blocks.and_then(|blocks| blocks.checked_sub(1)) {
            Some(left) if left > 0 => {
                next.blocks = Some(left);
                RoadStep::Ahead
            }
            _ => RoadStep::Lost,
        }
    }

    /// The skim has met its goal: what it found becomes the next part of the road.
    fn arrive(&mut self) {
        let (Some(skim), Some(goal)) = (self.skim.take(), self.milestones.last_mut()) else { return };
        *goal = Milestone { point: skim.cursor, blocks: Some(skim.since) };
        self.milestones.extend(skim.found.into_iter().rev());
    }
}

impl Skim {
    /// Moves the cursor to `from`, a point that was in the locator; says whether it was one of this skim's.
    fn turn_to(&mut self, from: BlockPoint) -> bool {
        if from == self.cursor {
            return true;
        }
        let Some(at) = self.found.iter().rposition(|milestone| milestone.point == from) else { return false };
        self.found.truncate(at.saturating_add(1));
        (self.cursor, self.since) = (from, 0);
        true
    }

    /// Keeps every second milestone and doubles the stride.
    fn thin(&mut self) {
        let mut carried = 0;
        let mut index = 0_usize;
        self.found.retain_mut(|milestone| {
            carried += milestone.blocks.unwrap_or(0);
            index += 1;
            let keep = index.is_multiple_of(2);
            if keep {
                milestone.blocks = Some(core::mem::take(&mut carried));
            }
            keep
        });
        self.since += carried;
        self.stride = self.stride.saturating_mul(2);
    }
}

/// Is how far apart milestones are at most, in blocks, before a road is thinned: one request's worth of headers.
const STRIDE: u64 = 2_000;

/// Is how many milestones a locator names, so that a reorganisation during the skim need not start over.
const STEPS_BACK: usize = 16;
