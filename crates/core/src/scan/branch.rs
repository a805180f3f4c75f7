//! What an answer of the source means for the blocks that are applied.

use core::num::NonZeroU32;

use crate::finality::FinalityPolicy;
use crate::header::Header;
use crate::id::{BlockId, BlockPoint};
use crate::scan::core::{ScanCore, Step};
use crate::scan::event::{HoldReason, ScanEvent};
use crate::scan::fault::ScanFault;
use crate::scan::road::{Road, RoadStep};
use crate::source::{Extension, Membership};
use crate::time::Moment;

impl<P: FinalityPolicy> ScanCore<P> {
    /// Takes headers: reads ahead on the road, extends the tip, or weighs another branch.
    pub(super) fn on_extension(&mut self, now: Moment, extension: &Extension, asked: NonZeroU32) {
        let searched = self.shared.take();
        let most = usize::try_from(asked.get()).unwrap_or(usize::MAX);
        let headers = extension.headers.get(..most).unwrap_or(&extension.headers);
        let Some(from) = extension.from else {
            self.tips = Some(extension.tips);
            let ours = self.ahead.finality.point.id;
            let theirs = Some(extension.tips.head).filter(|head| head.height > ours.height);
            self.step = Step::AskFinal { theirs };
            return;
        };
        let linked = linked_prefix(from, headers);
        let unlinked = headers.first().filter(|_| linked == 0).map(|header| header.point.id);
        self.count_unlinked(unlinked);
        if unlinked.is_some() {
            self.proceed(now, false);
            return;
        }
        self.tips = Some(extension.tips);
        let headers = headers.get(..linked).unwrap_or_default();
        let more = headers.last().is_some_and(|last| last.point.id != extension.tips.head);
        if self.road.as_mut().is_some_and(|road| road.turn_to(from)) {
            self.skim(now, headers, more);
            return;
        }
        if self.road.is_none() && self.go_on_beyond(now, from, headers, more) {
            return;
        }
        let Some(place) = self.ahead.place(&from) else {
            self.step = Step::AskFinal { theirs: None };
            return;
        };
        let known = (place.saturating_add(1)..).map_while(|next| self.ahead.point(next));
        let shared = headers.iter().zip(known).take_while(|(header, ours)| header.point == *ours).count();
        let (place, headers) = (place.saturating_add(shared), headers.get(shared..).unwrap_or_default());
        let from = self.ahead.point(place).unwrap_or(from);
        let kept = self.ahead.kept(place);
        if kept == Some(self.ahead.unfinal.len()) {
            self.contradictions = 0;
            self.extend_tip(now, headers, more);
        } else if headers.is_empty() && more {
            // The branches fork further up. An answer that brings the search no further ends it, until after a wait.
            if searched.is_none_or(|before| self.ahead.place(&before) < Some(place)) {
                self.shared = Some(from);
                self.step = Step::Extend;
            } else {
                self.proceed(now, false);
            }
        } else if kept.is_some() {
            self.contradictions = 0;
            self.weigh_branch(now, from, headers, more);
        } else {
            self.step = Step::AskFinal { theirs: headers.first().map(|header| header.point.id) };
        }
    }

    /// Takes the answer to whether our tip is still on the source's chain.
    pub(super) fn on_tip(&mut self, now: Moment, membership: Membership) {
        match membership {
            Membership::Stale => {
                self.tip_is_stale = true;
                self.step = Step::Extend;
            }
            Membership::Canonical => self.proceed(now, false),
            Membership::Unknown => {
                self.set_hold(Some(self.behind_or_forked(self.ahead.tip())));
                self.proceed(now, false);
            }
        }
    }

    /// Takes the answer to whether our final block is on the source's chain.
    ///
    /// A source that lacks it may only lag, even if it knows the block's header already: it contradicts the block only
    /// where its chain was seen to hold `theirs` instead. And nothing is concluded from one answer. Where a certificate
    /// made the block final, only another certificate can contradict it.
    pub(super) fn on_final(&mut self, now: Moment, theirs: Option<BlockId>, membership: Membership) {
        let finality = &self.ahead.finality;
        if let Some(theirs) = theirs.filter(|_| membership != Membership::Canonical)
            && !finality.evidence.is_certificate()
        {
            self.contradictions += 1;
            if self.contradictions >= self.limits.contradictions {
                let ours = finality.evidence.clone();
                self.stop(ScanFault::FinalityViolated { ours, theirs, certificate: None });
                return;
            }
        }
        match membership {
            Membership::Canonical => self.contradictions = 0,
            Membership::Stale | Membership::Unknown => {
                self.set_hold(Some(match theirs {
                    Some(_) => HoldReason::SourceForked,
                    None => self.behind_or_forked(self.ahead.finality.point),
                }));
            }
        }
        self.proceed(now, false);
    }

    /// Reads ahead on the road.
    fn skim(&mut self, now: Moment, headers: &[Header], more: bool) {
        let Some(road) = &mut self.road else { return };
        match road.skim(headers) {
            RoadStep::Ahead | RoadStep::Reached(_) => {
                if more {
                    self.step = Step::Extend;
                } else {
                    self.set_hold(Some(HoldReason::SourceBehind));
                    self.idle(now, self.limits.poll);
                }
            }
            RoadStep::Arrived => {
                let evidence = road.evidence.clone();
                if self.ahead.hold != Some(HoldReason::EraAhead) {
                    self.set_hold(None);
                }
                if !self.ahead.unfinal.is_empty() {
                    self.finalize(self.ahead.tip(), evidence);
                }
                self.prepare_road();
                self.step = Step::Extend;
            }
            RoadStep::Lost => {
                // After a wait, or a source that stays on its branch would be asked without end.
                self.road = None;
                self.idle(now, self.limits.poll);
            }
        }
    }

    fn extend_tip(&mut self, now: Moment, headers: &[Header], more: bool) {
        self.tip_is_stale = false;
        let allowed = self.allowed_prefix(self.ahead.tip(), headers);
        let Some(admitted) = self.admitted(headers.get(..allowed).unwrap_or_default()) else { return };
        let applied = headers.get(..admitted.min(self.free())).unwrap_or_default();
        if self.against_certificate() || (allowed == 0 && !headers.is_empty()) {
            self.set_hold(Some(HoldReason::SourceForked));
            self.proceed(now, false);
            return;
        }
        if headers.is_empty() && self.is_at_edge() {
            self.proceed(now, false);
            return;
        }
        if admitted == 0 && !headers.is_empty() {
            self.hold_at_edge(now, headers.get(..allowed).unwrap_or_default(), more);
            return;
        }
        if applied.is_empty() && !headers.is_empty() {
            self.set_hold(Some(HoldReason::WindowFull));
            self.judge(false);
            let onwards = self.road.is_some();
            self.proceed(now, onwards);
            return;
        }
        self.set_hold(None);
        let cut = applied.len() < allowed;
        let on_road = self.apply(applied);
        self.judge(false);
        self.proceed(now, (more || cut) && on_road);
    }

    /// Decides whether the branch that leaves ours at `from` is followed: if it is longer, or contains a certified block,
    /// or the source has said that our tip is no longer on its chain. A branch that runs against a certificate is
    /// followed up to there, and only if that much of it is longer.
    ///
    /// Where the branch goes on beyond the answer, the height of the source's head decides, once between two waits: two
    /// nodes behind one URL would send the scan to and fro without end.
    fn weigh_branch(&mut self, now: Moment, from: BlockPoint, headers: &[Header], more: bool) {
        let allowed = self.allowed_prefix(from, headers);
        let branch = headers.get(..allowed).unwrap_or_default();
        let end = branch.last().map_or(from, |header| header.point);
        let cut = allowed < headers.len();
        let longer = end.id.height > self.newest().id.height;
        let promised = !longer && more && !cut && !self.took_promise && self.promises(end);
        let wins = longer || promised || self.is_certified(branch);
        if cut && !wins {
            self.set_hold(Some(HoldReason::SourceForked));
            self.proceed(now, false);
            return;
        }
        if !wins && !self.tip_is_stale {
            self.step = Step::AskTip;
            return;
        }
        let Some(admitted) = self.admitted(branch) else { return };
        self.took_promise |= promised;
        self.tip_is_stale = false;
        self.road = None;
        self.set_hold(None);
        self.roll_back(from);
        let applied = branch.get(..admitted.min(self.free())).unwrap_or(branch);
        self.apply(applied);
        self.judge(false);
        self.proceed(now, more || applied.len() < branch.len());
    }

    fn roll_back(&mut self, to: BlockPoint) {
        let kept = self.ahead.place(&to).and_then(|place| self.ahead.kept(place)).unwrap_or(0);
        let dropped: Vec<_> = self.ahead.unfinal.iter().skip(kept).rev().copied().collect();
        if !dropped.is_empty() {
            self.emit(ScanEvent::RollBack { to, dropped });
        }
    }

    /// Applies headers that link to the tip; stops early, with `false`, where the road is lost or the scan stops.
    fn apply(&mut self, headers: &[Header]) -> bool {
        for header in headers {
            self.emit(ScanEvent::Apply(*header));
            if !self.walk_road(header.point) || self.fault().is_some() {
                return false;
            }
        }
        true
    }

    /// Returns how many blocks may be applied now: as the window and the event queue have room.
    fn free(&self) -> usize {
        usize::try_from(self.room()).unwrap_or(usize::MAX).min(self.queue().max(1))
    }

    /// Returns how many of `headers`, which follow `from`, may be applied before one would stand where a certificate names
    /// another block, or skip the height of one.
    fn allowed_prefix(&self, from: BlockPoint, headers: &[Header]) -> usize {
        let mut below = from.id.height;
        let against = |header: &Header| {
            let mut rivals = self.pool.within(below, header.point.id.height).peekable();
            below = header.point.id.height;
            rivals.peek().is_some() && !rivals.any(|held| held.block() == header.point.id)
        };
        headers.iter().position(against).unwrap_or(headers.len())
    }

    /// Returns whether a certificate names another block than ours at or below our tip.
    fn against_certificate(&self) -> bool {
        let (view, tip) = (self.view(), self.ahead.tip().id.height);
        self.pool.iter().any(|held| held.block().height <= tip && !view.holds(held.block()))
    }

    /// Returns whether the source's head is so high that its branch, seen up to `end`, should turn out longer than ours,
    /// or, where ours runs against a certificate further up, hold the certified block. Not where ours was seen to lead
    /// to a certified block: then no other branch does.
    fn promises(&self, end: BlockPoint) -> bool {
        let Some(tips) = self.tips.filter(|_| !self.road.as_ref().is_some_and(Road::is_certified)) else {
            return false;
        };
        let (view, ours) = (self.view(), self.newest().id.height);
        match self.pool.within(end.id.height, ours).find(|held| !view.holds(held.block())) {
            Some(held) => tips.head.height >= held.block().height,
            None => tips.head.height > ours,
        }
    }

    /// Returns whether a block of `branch` has a certificate.
    fn is_certified(&self, branch: &[Header]) -> bool {
        self.pool.iter().any(|held| branch.iter().any(|header| header.point.id == held.block()))
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
