//! The machine that drives a scan: which request comes next, and what a reply changes.

use std::collections::VecDeque;

use core::num::NonZeroU32;
use core::time::Duration;

use crate::evidence::{Evidence, EvidenceClaim, Finality};
use crate::finality::{ChainView, EvidencePool, FinalityPolicy};
use crate::id::{BlockId, BlockPoint, Scope};
use crate::scan::checkpoint::{Checkpoint, TrustedCheckpoint};
use crate::scan::edge::Edge;
use crate::scan::event::{EventSeq, HoldReason, ScanEvent};
use crate::scan::fault::ScanFault;
use crate::scan::ledger::Ledger;
use crate::scan::limits::ScanLimits;
use crate::scan::request::{Reply, RequestId, ScanRequest};
use crate::scan::road::{Road, RoadStep};
use crate::source::Tips;
use crate::time::Moment;
use crate::units::BlockHeight;

/// Follows one chain under a finality policy. Pure: no I/O, no clock.
///
/// ```text
/// loop {
///     while let Some((id, request)) = core.poll_request() { carry it out; core.handle_reply(now, id, reply) }
///     take core.events() to the sink with core.checkpoint(); when that has committed, core.ack(last)
///     wait until core.poll_timeout() or a hint; core.handle_timeout(now) or core.wake()
/// }
/// ```
///
/// One request is under way at a time. Events wait until they are acknowledged; while too many wait, nothing more is
/// asked for. The checkpoint describes the acknowledged events only, so whatever was committed with it is never lost and
/// never told twice.
#[derive(Debug)]
pub struct ScanCore<P> {
    pub(super) policy: P,
    pub(super) limits: ScanLimits,
    pub(super) scope: Scope,
    /// The chain with every event.
    pub(super) ahead: Ledger,
    /// The chain with the acknowledged events.
    acked: Ledger,
    events: VecDeque<ScanEvent>,
    pub(super) pool: EvidencePool,
    pub(super) tips: Option<Tips>,
    pub(super) road: Option<Road>,
    pub(super) edge: Edge,
    pub(super) step: Step,
    /// Set after the source confirmed that our tip left its chain: then a shorter branch is followed too.
    pub(super) tip_is_stale: bool,
    /// Set after a branch was followed for the height of its head alone; cleared by a wait.
    pub(super) took_promise: bool,
    /// Locates our newest block that the source's chain is known to hold, while the point where it forks is looked for.
    pub(super) shared: Option<BlockPoint>,
    pub(super) contradictions: u32,
    unlinked: u32,
    failures: u32,
    fault: Option<ScanFault>,
    in_flight: Option<RequestId>,
    last_request: u64,
    points: Vec<BlockPoint>,
    max: NonZeroU32,
    evidence_changed: bool,
}

/// Says what the machine does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Asks whether our final block is on the source's chain; `theirs` is what the source has in its place.
    AskFinal { theirs: Option<BlockId> },
    /// Asks whether our tip is on the source's chain.
    AskTip,
    /// Asks for certificates, then for headers; `more` if the last answer was full.
    Evidence { more: bool },
    /// Asks for headers.
    Extend,
    /// Waits.
    Idle { until: Moment },
}

/// Shows how far a scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Locates the newest final block.
    pub finalized: BlockPoint,
    /// Locates the newest applied block.
    pub tip: BlockPoint,
    /// Names the source's newest block, as it said last.
    pub head: Option<BlockId>,
    /// Counts the blocks that wait for finality.
    pub unfinal: usize,
    /// Counts the certificates that wait for their block.
    pub certificates: usize,
    /// Counts the points that are kept on the way to a certificate far ahead.
    pub milestones: usize,
    /// Says how far headers were read ahead, while catching up towards a certificate.
    pub skimmed: Option<BlockHeight>,
    /// Says why the scan waits, if it does.
    pub hold: Option<HoldReason>,
}

impl<P: FinalityPolicy> ScanCore<P> {
    /// Continues a scan from `checkpoint`, or begins one at [`TrustedCheckpoint::start`].
    #[must_use]
    pub fn resume(policy: P, checkpoint: TrustedCheckpoint, limits: ScanLimits) -> Self {
        let (scope, ledger, pending) = checkpoint.into_parts(limits.history);
        let mut pool = EvidencePool::new(limits.pending);
        let above = |evidence: &Evidence| evidence.block().height > ledger.finality.point.id.height;
        for evidence in pending.into_iter().filter(above) {
            pool.insert(evidence);
        }
        let step = if policy.wants_evidence() { Step::Evidence { more: true } } else { Step::Extend };
        let mut core = Self {
            policy,
            scope,
            acked: ledger.clone(),
            ahead: ledger,
            events: VecDeque::new(),
            pool,
            tips: None,
            road: None,
            edge: Edge::default(),
            step,
            tip_is_stale: false,
            took_promise: false,
            shared: None,
            contradictions: 0,
            unlinked: 0,
            failures: 0,
            fault: None,
            in_flight: None,
            last_request: 0,
            points: Vec::new(),
            max: limits.batch,
            evidence_changed: false,
            limits,
        };
        core.judge(false);
        core
    }

    /// Returns the next request; `None` while one is under way, while the scan waits, while too many events wait, and
    /// after a fault. Poll again after each reply, each [`ScanCore::ack`], and each timeout.
    #[must_use]
    pub fn poll_request(&mut self) -> Option<(RequestId, ScanRequest<'_>)> {
        if self.in_flight.is_some() || self.fault.is_some() || self.events.len() >= self.limits.events.max(1) {
            return None;
        }
        if matches!(self.step, Step::Idle { .. }) {
            return None;
        }
        self.last_request += 1;
        let id = RequestId(self.last_request);
        self.in_flight = Some(id);
        self.points.clear();
        let request = match self.step {
            Step::AskFinal { .. } => ScanRequest::Membership { point: self.ahead.finality.point },
            Step::AskTip => ScanRequest::Membership { point: self.ahead.tip() },
            Step::Evidence { .. } => {
                self.points.extend(&self.ahead.unfinal);
                ScanRequest::Evidence { window: &self.points }
            }
            Step::Extend | Step::Idle { .. } => {
                self.max = self.next_max();
                match &self.road {
                    Some(road) => road.locate(&mut self.points),
                    None => self.edge.locate(&mut self.points),
                }
                self.ahead.locate(self.shared, &mut self.points);
                ScanRequest::Extend { locator: &self.points, max: self.max }
            }
        };
        Some((id, request))
    }

    /// Takes the reply to request `id`. A reply to a forgotten request, or of another kind than was asked for, is ignored.
    pub fn handle_reply(&mut self, now: Moment, id: RequestId, reply: Reply<'_>) {
        if self.in_flight != Some(id) {
            return;
        }
        self.in_flight = None;
        self.failures = 0;
        match (self.step, reply) {
            (Step::AskFinal { theirs }, Reply::Membership(membership)) => self.on_final(now, theirs, membership),
            (Step::AskTip, Reply::Membership(membership)) => self.on_tip(now, membership),
            (Step::Evidence { more }, Reply::Evidence(evidence)) => {
                self.on_evidence(evidence);
                self.judge(true);
                if more || self.road.is_some() { self.step = Step::Extend } else { self.idle(now, self.limits.poll) }
            }
            (Step::Extend, Reply::Extend(extension)) => self.on_extension(now, extension, self.max),
            _ => {}
        }
    }

    /// Takes word that request `id` failed: the scan waits, at least as long as `retry_after`, and asks again.
    ///
    /// Whether a failure should stop the scan is for the driver to decide.
    pub fn handle_failure(&mut self, now: Moment, id: RequestId, retry_after: Option<Duration>) {
        if self.in_flight != Some(id) {
            return;
        }
        self.in_flight = None;
        let doubled = self.limits.poll.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.idle(now, doubled.min(self.limits.poll_max).max(retry_after.unwrap_or_default()));
    }

    /// Forgets the request under way, because whoever carried it was dropped; the scan asks again.
    pub fn forget_request(&mut self) {
        self.in_flight = None;
    }

    /// Returns when [`ScanCore::handle_timeout`] should be called; `None` while the scan does not wait.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        match self.step {
            Step::Idle { until } if self.fault.is_none() => Some(until),
            _ => None,
        }
    }

    /// Ends the wait if `now` is late enough.
    pub fn handle_timeout(&mut self, now: Moment) {
        if self.poll_timeout().is_some_and(|until| now >= until) {
            self.wake();
        }
    }

    /// Ends the wait, because something told the driver that the chain moved.
    pub fn wake(&mut self) {
        if matches!(self.step, Step::Idle { .. }) {
            self.step = Step::Extend;
        }
    }

    /// Returns the oldest event that waits.
    #[must_use]
    pub fn peek_event(&self) -> Option<(EventSeq, &ScanEvent)> {
        self.events().next()
    }

    /// Returns the events that wait, oldest first.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (EventSeq, &ScanEvent)> {
        let first = self.acked.next_seq.0;
        let number = move |(index, event)| (EventSeq(first.saturating_add(index as u64)), event);
        self.events.iter().enumerate().map(number)
    }

    /// Acknowledges every event up to and including `seq`; unknown numbers are ignored.
    pub fn ack(&mut self, seq: EventSeq) {
        while self.acked.next_seq <= seq {
            let Some(event) = self.events.pop_front() else { break };
            self.acked.advance(&event);
        }
    }

    /// Forgets the events that were not acknowledged and starts again from the last one that was.
    ///
    /// For a driver that cannot get the block of an event, because its branch is gone. Not while it is unknown whether
    /// a commit landed: the numbers of the forgotten events are used again.
    pub fn rewind(&mut self) {
        self.ahead = self.acked.clone();
        self.edge.forget();
        for evidence in self.events.iter().filter_map(certificate) {
            self.pool.insert(evidence.clone());
        }
        self.events.clear();
        self.in_flight = None;
        self.road = None;
        self.tip_is_stale = false;
        self.took_promise = false;
        self.shared = None;
        self.step = Step::Extend;
    }

    /// Returns where the scan stands after the acknowledged events and, if `through` is given, after those up to it:
    /// the checkpoint that a sink stores together with them.
    #[must_use]
    pub fn checkpoint(&self, through: Option<EventSeq>) -> Checkpoint {
        let (mut ledger, mut pool) = (self.acked.clone(), self.pool.clone());
        let through = through.map_or(0, |seq| seq.next().0);
        for event in &self.events {
            if ledger.next_seq.0 < through {
                ledger.advance(event);
            } else if let Some(evidence) = certificate(event) {
                pool.insert(evidence.clone());
            }
        }
        Checkpoint {
            format: Checkpoint::FORMAT,
            scope: self.scope.clone(),
            next_seq: ledger.next_seq,
            finalized: ledger.finality.point,
            finality: EvidenceClaim::from(&ledger.finality.evidence),
            unfinal: ledger.unfinal.into(),
            history: ledger.history.into(),
            pending: pool.iter().map(EvidenceClaim::from).collect(),
            notes: None,
        }
    }

    /// Returns whether waiting certificates changed since the last call: then the checkpoint is worth storing although no
    /// event waits.
    pub fn take_evidence_changed(&mut self) -> bool {
        core::mem::take(&mut self.evidence_changed)
    }

    /// Returns what stopped the scan for good, if anything did.
    #[must_use]
    pub fn fault(&self) -> Option<&ScanFault> {
        self.fault.as_ref()
    }

    /// Returns how far the scan is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            finalized: self.ahead.finality.point,
            tip: self.ahead.tip(),
            head: self.tips.map(|tips| tips.head),
            unfinal: self.ahead.unfinal.len(),
            certificates: self.pool.len(),
            milestones: self.road.as_ref().map_or(0, Road::len),
            skimmed: self.road.as_ref().and_then(Road::skimmed).map(|point| point.id.height),
            hold: self.ahead.hold,
        }
    }

    /// Returns whether the scan waits at the source's head with nothing left to tell.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.events.is_empty() && matches!(self.step, Step::Idle { .. })
    }

    pub(super) fn emit(&mut self, event: ScanEvent) {
        if matches!(event, ScanEvent::Apply(_) | ScanEvent::RollBack { .. }) {
            self.edge.forget();
        }
        self.ahead.advance(&event);
        self.events.push_back(event);
    }

    pub(super) fn idle(&mut self, now: Moment, wait: Duration) {
        self.took_promise = false;
        self.step = Step::Idle { until: now.after(wait) };
    }

    /// Goes on after an answer was taken in: to certificates first, then to more headers or to a wait.
    pub(super) fn proceed(&mut self, now: Moment, more: bool) {
        if self.policy.wants_evidence() && self.road.is_none() {
            self.step = Step::Evidence { more };
        } else if more {
            self.step = Step::Extend;
        } else {
            self.idle(now, self.limits.poll);
        }
    }

    pub(super) fn set_hold(&mut self, reason: Option<HoldReason>) {
        if self.ahead.hold != reason {
            self.emit(reason.map_or(ScanEvent::Resume, ScanEvent::Hold));
        }
    }

    pub(super) fn stop(&mut self, fault: ScanFault) {
        self.fault.get_or_insert(fault);
    }

    pub(super) fn finalize(&mut self, point: BlockPoint, evidence: Evidence) {
        let limit = point.id.height;
        let view = self.view();
        let against = |held: &&Evidence| held.block().height <= limit && !view.holds(held.block());
        let rival = self.pool.iter().find(against).cloned();
        if let Some(theirs) = rival {
            self.stop(ScanFault::FinalityViolated {
                ours: evidence,
                theirs: theirs.block(),
                certificate: Some(theirs),
            });
            return;
        }
        self.emit(ScanEvent::Finalize(Finality { point, evidence }));
        self.pool.prune(limit);
    }

    /// Asks the policy, and does what it says.
    ///
    /// `asked` says whether the source was asked for certificates of these very blocks. Before that, only a certificate
    /// makes a block final where certificates are wanted: what a policy falls back to must not outrun them.
    pub(super) fn judge(&mut self, asked: bool) {
        if self.fault.is_some() {
            return;
        }
        let verdict = self.verdict();
        let settled = asked || !self.policy.wants_evidence();
        if let Some(evidence) = verdict.finalize.filter(|evidence| settled || evidence.is_certificate())
            && let Some(point) = (self.ahead.unfinal.iter().find(|point| point.id == evidence.block()).copied())
                .or_else(|| self.tip_before_edge(evidence.block()))
        {
            self.finalize(point, evidence);
        }
        let Some(target) = verdict.follow else { return };
        let (tip, room) = (self.ahead.tip().id.height, u64::from(self.room()));
        let is_far = target.block().height.since(tip).is_some_and(|distance| room == 0 || distance.0 > room);
        if self.road.is_none() && (is_far || self.is_beyond_full()) {
            self.road = Some(Road::new(target, self.limits.road));
        }
        self.prepare_road();
    }

    pub(super) fn prepare_road(&mut self) {
        let tip = self.ahead.tip();
        if let Some(road) = &mut self.road {
            road.prepare(tip, u64::from(self.limits.unfinal.get()));
        }
    }

    /// Lets the road see a block that was applied; returns whether the source's chain still leads along it.
    pub(super) fn walk_road(&mut self, point: BlockPoint) -> bool {
        let Some(road) = &mut self.road else { return true };
        match road.walk(point) {
            RoadStep::Ahead | RoadStep::Arrived => {}
            RoadStep::Lost => {
                self.road = None;
                return false;
            }
            RoadStep::Reached(point) => {
                let evidence = road.evidence.clone();
                if road.is_done() {
                    self.road = None;
                }
                self.finalize(point, evidence);
                self.prepare_road();
            }
        }
        true
    }

    /// Counts answers that do not link, and stops when there are too many in a row.
    pub(super) fn count_unlinked(&mut self, at: Option<BlockId>) {
        let Some(at) = at else {
            self.unlinked = 0;
            return;
        };
        self.unlinked += 1;
        if self.unlinked >= self.limits.contradictions {
            self.stop(ScanFault::Inconsistent { count: self.unlinked, at });
        }
    }

    /// Returns how many more blocks may be applied before finality must come.
    pub(super) fn room(&self) -> u32 {
        let held = u32::try_from(self.ahead.unfinal.len()).unwrap_or(u32::MAX);
        self.limits.unfinal.get().saturating_sub(held)
    }

    /// Returns how many more events may wait.
    pub(super) fn queue(&self) -> usize {
        self.limits.events.saturating_sub(self.events.len())
    }

    pub(super) fn view(&self) -> ChainView<'_> {
        ChainView { finalized: self.ahead.finality.point, unfinal: &self.ahead.unfinal, tips: self.tips }
    }

    fn on_evidence(&mut self, evidence: &[Evidence]) {
        for theirs in evidence {
            let block = theirs.block();
            if block.height > self.ahead.finality.point.id.height {
                self.evidence_changed |= self.pool.insert(theirs.clone());
            } else if let Some(ours) = self.ahead.excludes(block) {
                self.violated_by(ours, theirs);
            }
        }
    }

    fn violated_by(&mut self, ours: BlockId, theirs: &Evidence) {
        let finality = &self.ahead.finality.evidence;
        let ours = if finality.block() == ours { finality.clone() } else { Evidence::anchor(ours) };
        self.stop(ScanFault::FinalityViolated { ours, theirs: theirs.block(), certificate: Some(theirs.clone()) });
    }

    /// Returns how many headers to ask for: what the next segment, the window and the event queue have room for. At
    /// least one, so that a full window still learns of a reorganisation; more than the window's room if blocks of it
    /// are about to be replaced.
    fn next_max(&self) -> NonZeroU32 {
        let queue = u32::try_from(self.queue()).unwrap_or(u32::MAX);
        let room = match &self.road {
            Some(road) => match road.segment() {
                Some(blocks) => u32::try_from(blocks).unwrap_or(u32::MAX).min(self.room()).min(queue),
                None => u32::MAX,
            },
            None if self.tip_is_stale || self.shared.is_some() => queue,
            None => self.room().min(queue),
        };
        NonZeroU32::new(room.min(self.limits.batch.get())).unwrap_or(NonZeroU32::MIN)
    }
}

/// Returns the certificate by which `event` makes a block final.
fn certificate(event: &ScanEvent) -> Option<&Evidence> {
    match event {
        ScanEvent::Finalize(finality) => Some(&finality.evidence).filter(|evidence| evidence.is_certificate()),
        _ => None,
    }
}
