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
    origin: BlockPoint,
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

    /// Returns how many points are held.
    pub(crate) fn len(&self) -> usize {
        self.milestones.len().saturating_add(self.skim.as_ref().map_or(0, |skim| skim.found.len()))
    }

    /// Returns how many blocks may be applied before the next milestone; `None` while headers are read ahead.
    pub(crate) fn segment(&self) -> Option<u64> {
        self.milestones.last()?.blocks.filter(|_| self.skim.is_none())
    }

    /// Returns whether the applied tip was seen to lead to a block that has a certificate.
    pub(crate) fn is_certified(&self) -> bool {
        self.segment().is_some() && self.evidence.is_certificate()
    }

    /// Starts to read ahead from `tip` if the next segment is unknown or longer than `window`, the most blocks that
    /// may wait for finality.
    pub(crate) fn prepare(&mut self, tip: BlockPoint, window: u64) {
        let Some(next) = self.milestones.last() else { return };
        if self.skim.is_none() && next.blocks.is_none_or(|blocks| blocks > window) {
            let stride = window.clamp(1, STRIDE);
            self.skim = Some(Skim { origin: tip, cursor: tip, since: 0, stride, found: Vec::new() });
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

    /// Moves back to `from`, if that is a point that was read ahead or where reading began; says whether it was.
    pub(crate) fn turn_to(&mut self, from: BlockPoint) -> bool {
        self.skim.as_mut().is_some_and(|skim| skim.turn_to(from))
    }

    /// Takes headers that follow the point of the last [`Road::turn_to`], already checked to link to one another.
    pub(crate) fn skim(&mut self, headers: &[Header]) -> RoadStep {
        let (Some(skim), Some(goal)) = (&mut self.skim, self.milestones.last().copied()) else {
            return RoadStep::Lost;
        };
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

    /// Takes one applied block. While headers are read ahead none may be applied: they would no longer lead from the tip.
    pub(crate) fn walk(&mut self, point: BlockPoint) -> RoadStep {
        if self.skim.is_some() {
            return RoadStep::Lost;
        }
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
    fn turn_to(&mut self, from: BlockPoint) -> bool {
        if from == self.cursor {
            return true;
        }
        let kept = match self.found.iter().rposition(|milestone| milestone.point == from) {
            Some(at) => at.saturating_add(1),
            None if from == self.origin => 0,
            None => return false,
        };
        self.found.truncate(kept);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{certificate, headers, point};

    /// Reads ahead and walks from height 0 to a certificate at `goal`, through a window of `window` blocks, `batch` headers
    /// at a time; returns the heights that became final, and the most points that were held.
    fn travel(goal: u64, window: u64, capacity: usize, batch: u64) -> (Vec<u64>, usize) {
        let mut road = Road::new(certificate(goal, 0), capacity);
        let (mut tip, mut reached, mut most) = (point(0, 0), Vec::new(), 0);
        while !road.is_done() {
            road.prepare(tip, window);
            while let Some(cursor) = road.skimmed() {
                assert!(road.turn_to(cursor));
                let step = road.skim(&headers(cursor, (cursor.id.height.0 + batch).min(goal), 0));
                assert_eq!(step == RoadStep::Arrived, road.skimmed().is_none());
                most = most.max(road.len());
            }
            if road.segment().is_none_or(|blocks| blocks > window) {
                continue;
            }
            let blocks = road.segment().unwrap();
            for header in headers(tip, tip.id.height.0 + blocks, 0) {
                tip = header.point;
                match road.walk(tip) {
                    RoadStep::Reached(point) => reached.push(point.id.height.0),
                    step => assert_eq!(step, RoadStep::Ahead),
                }
            }
        }
        (reached, most)
    }

    #[test]
    fn a_road_reaches_its_goal_in_segments_no_longer_than_the_window() {
        for (goal, window, capacity, batch) in [
            (1, 1, 0, 1),
            (7, 1, 4, 3),
            (100, 10, 4, 7),
            (1_000, 3, 5, 100),
            (9_999, 10, 4, 2_000),
            (50_000, 4_000, 1_024, 2_000),
        ] {
            let (reached, most) = travel(goal, window, capacity, batch);
            let case = format!("goal {goal}, window {window}, capacity {capacity}, batch {batch}");
            assert_eq!(reached.last(), Some(&goal), "{case}");
            let longest = reached.iter().scan(0, |from, to| Some(to - core::mem::replace(from, *to))).max();
            assert!(longest <= Some(window), "{case}: a segment of {longest:?} blocks");
            // Each level of roads within roads divides what is left by the capacity at least.
            let levels = (goal / window.max(1)).max(1).ilog(4) + 2;
            assert!(most <= (capacity.max(4) + 1) * usize::try_from(levels).unwrap(), "{case}: {most} points");
        }
    }

    #[test]
    fn a_chain_that_passes_the_height_of_the_goal_without_meeting_it_is_lost() {
        let mut road = Road::new(certificate(10, 0), 4);
        road.prepare(point(0, 0), 3);
        assert_eq!(road.skim(&headers(point(0, 0), 10, 1)), RoadStep::Ahead);
        assert_eq!(road.skim(&headers(point(10, 1), 11, 1)), RoadStep::Lost);
    }

    #[test]
    fn applied_blocks_that_miss_the_next_milestone_are_lost() {
        let mut road = Road::new(certificate(10, 0), 4);
        road.prepare(point(0, 0), 3);
        assert_eq!(road.skim(&headers(point(0, 0), 10, 0)), RoadStep::Arrived);
        assert_eq!(road.segment(), Some(3));
        assert_eq!([1, 2].map(|height| road.walk(point(height, 0))), [RoadStep::Ahead; 2]);
        assert_eq!(road.walk(point(3, 1)), RoadStep::Lost);
    }

    #[test]
    fn a_road_from_a_tip_that_moved_while_headers_were_read_ahead_is_lost() {
        let mut road = Road::new(certificate(100, 0), 4);
        road.prepare(point(0, 0), 3);
        road.skim(&headers(point(0, 0), 100, 0));
        assert!(road.segment() > Some(3));
        road.prepare(point(0, 0), 3);
        assert_eq!(road.walk(point(1, 0)), RoadStep::Lost);
    }

    #[test]
    fn reading_goes_back_to_a_milestone_or_to_where_it_began_and_nowhere_else() {
        let mut road = Road::new(certificate(100, 0), 8);
        road.prepare(point(0, 0), 3);
        road.skim(&headers(point(0, 0), 10, 0));
        let mut locator = Vec::new();
        road.locate(&mut locator);
        assert_eq!(locator, [10, 9, 6, 3].map(|height| point(height, 0)));
        assert!(!road.turn_to(point(5, 0)));
        assert!(road.turn_to(point(6, 0)));
        assert_eq!((road.skimmed(), road.len()), (Some(point(6, 0)), 3));
        assert!(road.turn_to(point(0, 0)));
        assert_eq!((road.skimmed(), road.len()), (Some(point(0, 0)), 1));
    }
}
