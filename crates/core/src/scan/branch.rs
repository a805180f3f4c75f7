//! What an answer of the source means for the blocks that are applied.

use core::num::NonZeroU32;

use crate::finality::FinalityPolicy;
use crate::header::Header;
use crate::id::{BlockId, BlockPoint};
use crate::scan::core::{ScanCore, Step};
use crate::scan::event::{HoldReason, ScanEvent};
use crate::scan::fault::ScanFault;
use crate::scan::road::RoadStep;
use crate::source::{Extension, Membership};
use crate::time::Moment;

impl<P: FinalityPolicy> ScanCore<P> {
    /// Takes headers: reads ahead on the road, extends the tip, or weighs another branch.
    pub(super) fn on_extension(&mut self, now: Moment, extension: &Extension, asked: NonZeroU32) {
        self.tips = Some(extension.tips);
        let Some(from) = extension.from else {
            self.step = Step::AskFinal { theirs: None };
            return;
        };
        let linked = linked_prefix(from, &extension.headers);
        let headers = extension.headers.get(..linked).unwrap_or_default();
        self.count_unlinked(extension.headers.get(linked).filter(|_| linked == 0).map(|header| header.point.id));
        let full = u32::try_from(headers.len()).is_ok_and(|count| count >= asked.get());
        if self.road.as_ref().and_then(|road| road.skimmed()).is_some() && self.skim(now, from, headers) {
            return;
        }
        match self.ahead.position(&from) {
            Some(kept) if kept == self.ahead.unfinal.len() => {
                self.contradictions = 0;
                self.extend_tip(now, headers, full);
            }
            Some(_) => {
                self.contradictions = 0;
                self.weigh_branch(now, from, headers, full);
            }
            None => self.step = Step::AskFinal { theirs: self.in_place_of_final(headers) },
        }
    }

    /// Takes the answer to whether our tip is still on the source's chain.
    pub(super) fn on_tip(&mut self, now: Moment, membership: Membership) {
        match membership {
            Membership::Stale => {
                self.tip_is_stale = true;
                self.step = Step::Extend;
            }
            Membership::Canonical => self.idle(now, self.limits.poll),
            Membership::Unknown => {
                self.set_hold(Some(self.behind_or_forked(self.ahead.tip())));
                self.proceed(now, false);
            }
        }
    }

    /// Takes the answer to whether our final block is on the source's chain.
    ///
    /// A source that lacks it may only lag, so nothing is concluded from one answer. Where a certificate made the block
    /// final, only another certificate can contradict it.
    pub(super) fn on_final(&mut self, now: Moment, theirs: Option<BlockId>, membership: Membership) {
        let finality = &self.ahead.finality;
        let contradicted = membership == Membership::Stale || membership == Membership::Unknown && theirs.is_some();
        if contradicted && !finality.evidence.is_certificate() {
            self.contradictions += 1;
            if self.contradictions >= self.limits.contradictions {
                let theirs = theirs.or(self.tips.map(|tips| tips.head)).unwrap_or_default();
                let ours = finality.evidence.clone();
                self.stop(ScanFault::FinalityViolated { ours, theirs, certificate: None });
                return;
            }
        }
        match membership {
            Membership::Canonical => self.contradictions = 0,
            Membership::Stale => self.set_hold(Some(HoldReason::SourceForked)),
            Membership::Unknown => self.set_hold(Some(self.behind_or_forked(self.ahead.finality.point))),
        }
        self.proceed(now, false);
    }

    /// Reads ahead; returns whether the answer was used up by that.
    fn skim(&mut self, now: Moment, from: BlockPoint, headers: &[Header]) -> bool {
        let Some(road) = &mut self.road else { return false };
        match road.skim(from, headers) {
            RoadStep::Ahead | RoadStep::Reached(_) => {
                let waiting = headers.is_empty();
                self.set_hold(waiting.then_some(HoldReason::SourceBehind));
                if waiting {
                    self.idle(now, self.limits.poll)
                } else {
                    self.step = Step::Extend
                }
                true
            }
            RoadStep::Arrived => {
                let evidence = road.evidence.clone();
                self.set_hold(None);
                if !self.ahead.unfinal.is_empty() {
                    self.finalize(self.ahead.tip(), evidence);
                }
                self.prepare_road();
                self.step = Step::Extend;
                true
            }
            RoadStep::Lost => {
                self.road = None;
                false
            }
        }
    }

    fn extend_tip(&mut self, now: Moment, headers: &[Header], full: bool) {
        self.tip_is_stale = false;
        let allowed = self.allowed_prefix(headers);
        let free = usize::try_from(self.room()).unwrap_or(usize::MAX);
        let applied = headers.get(..allowed.min(free)).unwrap_or_default();
        if self.against_certificate() || (allowed == 0 && !headers.is_empty()) {
            self.set_hold(Some(HoldReason::SourceForked));
            self.proceed(now, false);
            return;
        }
        if applied.is_empty() && !headers.is_empty() {
            self.set_hold(Some(HoldReason::WindowFull));
            self.judge();
            let onwards = self.road.is_some();
            self.proceed(now, onwards);
            return;
        }
        self.set_hold(None);
        let on_road = self.apply(applied);
        self.judge();
        self.proceed(now, full && on_road);
    }

    /// Decides whether the branch that leaves ours at `from` is followed: if it is longer, or contains a certified block,
    /// or the source has said that our tip is no longer on its chain.
    fn weigh_branch(&mut self, now: Moment, from: BlockPoint, headers: &[Header], full: bool) {
        let allowed = self.allowed_prefix(headers);
        let branch = headers.get(..allowed).unwrap_or_default();
        let end = branch.last().map_or(from, |header| header.point);
        let longer = end.id.height > self.ahead.tip().id.height;
        if !(longer || self.tip_is_stale || self.is_certified(branch)) {
            self.step = Step::AskTip;
            return;
        }
        if branch.is_empty() && !headers.is_empty() {
            self.set_hold(Some(HoldReason::SourceForked));
            self.proceed(now, false);
            return;
        }
        self.tip_is_stale = false;
        self.road = None;
        self.set_hold(None);
        self.roll_back(from);
        let free = usize::try_from(self.room()).unwrap_or(usize::MAX);
        let branch = branch.get(..branch.len().min(free)).unwrap_or_default();
        self.apply(branch);
        self.judge();
        self.proceed(now, full);
    }

    fn roll_back(&mut self, to: BlockPoint) {
        let kept = self.ahead.position(&to).unwrap_or(0);
        let dropped: Vec<_> = self.ahead.unfinal.iter().skip(kept).rev().copied().collect();
        if !dropped.is_empty() {
            self.emit(ScanEvent::RollBack { to, dropped });
        }
    }

    /// Applies headers that link to the tip; stops early, with `false`, where the road is lost.
    fn apply(&mut self, headers: &[Header]) -> bool {
        for header in headers {
            self.emit(ScanEvent::Apply(*header));
            if !self.walk_road(header.point) {
                return false;
            }
        }
        true
    }

    /// Returns how many of `headers` may be applied before one would stand where a certificate names another block.
    fn allowed_prefix(&self, headers: &[Header]) -> usize {
        let against = |header: &Header| {
            let mut rivals = self.pool.at(header.point.id.height).peekable();
            rivals.peek().is_some() && !rivals.any(|held| held.block() == header.point.id)
        };
        headers.iter().position(against).unwrap_or(headers.len())
    }

    /// Returns whether a certificate names another block than ours at or below our tip.
    fn against_certificate(&self) -> bool {
        let (view, tip) = (self.view(), self.ahead.tip().id.height);
        self.pool.iter().any(|held| held.block().height <= tip && !view.holds(held.block()))
    }

    /// Returns whether a block of `branch` has a certificate.
    fn is_certified(&self, branch: &[Header]) -> bool {
        branch.iter().any(|header| self.pool.at(header.point.id.height).any(|held| held.block() == header.point.id))
    }

    fn in_place_of_final(&self, headers: &[Header]) -> Option<BlockId> {
        let height = self.ahead.finality.point.id.height;
        headers.iter().map(|header| header.point.id).find(|id| id.height == height)
    }

    fn behind_or_forked(&self, ours: BlockPoint) -> HoldReason {
        match self.tips {
            Some(tips) if tips.head.height < ours.id.height => HoldReason::SourceBehind,
            _ => HoldReason::SourceForked,
        }
    }
}

/// Returns how many of `headers` link to `from` and to one another. Heights may repeat or skip, but never fall.
fn linked_prefix(from: BlockPoint, headers: &[Header]) -> usize {
    let mut last = from;
    for (index, header) in headers.iter().enumerate() {
        if header.parent != last.id.hash || header.point.id.height < last.id.height {
            return index;
        }
        last = header.point;
    }
    headers.len()
}
