//! What a reading of the eras means to an operator, told once.

use core::time::Duration;

use nodewright_core::{
    Activation, ChainPosition, EraChange, EraChecker, EraError, EraId, EraMarker, EraPositions, EraSchedule, Error,
    ErrorKind, Moment, Scope, SupportedEras,
};

use crate::era::event::EraEvent;
use crate::era::hook::{EdgeAhead, HookLead};
use crate::era::ladder;
use crate::era::left::{EraLeft, EraPace};
use crate::era::state::{EraBookState, HookRecord, HookStage, ToldEdge};

/// Turns readings into events: an [`EraChecker`] with a memory of what was told.
///
/// It is pure: time is an argument. What lasts is told again after [`EraBook::REPEAT`], and everything else once; an era
/// that is not supported is told at each rung of a ladder: where time is known or estimated, at 30, 14, 7, 3 and 1 days,
/// 6 hours, 1 hour, 10 minutes, and at the edge; else at 100,000, 10,000, 1,000, 100, 10 and 1 blocks, 10, 5, 3, 2 and
/// 1 epochs or 1 protocol version, and at the edge. A rung that was told is not told again when a reorganisation takes
/// the head back; an edge that moves starts again.
#[derive(Debug)]
pub struct EraBook {
    checker: EraChecker,
    pace: EraPace,
    lead: Option<HookLead>,
    told: Vec<ToldEdge>,
    hooks: Vec<HookRecord>,
    ahead: Vec<EdgeAhead>,
    last_read: Option<Moment>,
    failed: u32,
    halted: Option<(EraId, Moment)>,
    refused: Option<(EraError, Moment)>,
}

impl EraBook {
    /// Is how long something that lasts goes without being told again: an hour, as long as a person may overlook a line.
    pub const REPEAT: Duration = Duration::from_secs(3_600);

    /// Makes a book in which nothing is written.
    #[must_use]
    pub fn new(scope: Scope, supported: SupportedEras) -> Self {
        Self::with_checker(EraChecker::new(scope, supported))
    }

    /// Goes on from stored state.
    ///
    /// # Errors
    /// `InvalidData` for another format; what [`EraChecker::resume`] says.
    pub fn resume(scope: &Scope, supported: SupportedEras, state: EraBookState) -> Result<Self, Error> {
        if state.format != EraBookState::FORMAT {
            return Err(Error::new(ErrorKind::InvalidData, "era book").with("format", state.format));
        }
        let mut book = Self::with_checker(EraChecker::resume(scope, supported, state.checker)?);
        (book.told, book.hooks) = (state.told, state.hooks);
        Ok(book)
    }

    /// Sets how fast the chain is, so that blocks and epochs can be told in time.
    #[must_use]
    pub fn with_pace(mut self, pace: EraPace) -> Self {
        self.pace = pace;
        self
    }

    /// Says that a hook is to be called before each edge, and how long before.
    #[must_use]
    pub fn with_hook(mut self, lead: HookLead) -> Self {
        self.lead = Some(lead);
        self
    }

    /// Takes a reading and returns what is new.
    pub fn observe(&mut self, now: Moment, schedule: &EraSchedule, positions: &EraPositions) -> Vec<EraEvent> {
        let mut events = Vec::new();
        self.last_read = Some(now);
        let failed = core::mem::take(&mut self.failed);
        if failed > 0 {
            events.push(EraEvent::Readable { failed });
        }
        match self.follow(now, schedule, positions, &mut events).and_then(|()| self.look_ahead(schedule, positions)) {
            Ok(()) => {
                self.refused = None;
                self.tell_edges(&mut events);
            }
            Err(error) => {
                self.ahead.clear();
                events.extend(self.refuse(now, error));
            }
        }
        events
    }

    /// Takes a reading that failed. It is told at the 1st, 2nd, 4th, 8th … failure in a row.
    pub fn fail(&mut self, now: Moment, error: Error) -> Option<EraEvent> {
        self.failed = self.failed.saturating_add(1);
        let last = self.last_read.map(|read| now.since(read));
        self.failed.is_power_of_two().then_some(EraEvent::Unreadable { error, attempt: self.failed, last })
    }

    /// Returns the nearest edge for which the hook is due: within the lead, and not called for before. An edge that the
    /// head has reached is past preparing for.
    #[must_use]
    pub fn due(&self) -> Option<&EdgeAhead> {
        let lead = self.lead?;
        self.ahead.iter().find(|edge| {
            let distance = edge.left.distance;
            lead.covers(&distance) && !distance.is_zero() && self.hooks.iter().all(|hook| hook.next != edge.next)
        })
    }

    /// Notes that the hook is about to be called for `next`. To be stored before it is called: it is not called again.
    pub fn begin_hook(&mut self, next: &EraMarker) {
        self.hooks.push(HookRecord { next: next.clone(), stage: HookStage::Begun });
    }

    /// Notes what the hook for `next` came to.
    pub fn end_hook(&mut self, next: EraMarker, outcome: Result<(), Error>) -> EraEvent {
        let stage = if outcome.is_ok() { HookStage::Done } else { HookStage::Failed };
        if let Some(hook) = self.hooks.iter_mut().find(|hook| hook.next == next) {
            hook.stage = stage;
        }
        match outcome {
            Ok(()) => EraEvent::HookDone { next },
            Err(error) => EraEvent::HookFailed { next, error },
        }
    }

    /// Returns the edges ahead, the nearest first, as of the last reading.
    #[must_use]
    pub fn ahead(&self) -> &[EdgeAhead] {
        &self.ahead
    }

    /// Returns the checker, with its stamp.
    #[must_use]
    pub fn checker(&self) -> &EraChecker {
        &self.checker
    }

    /// Returns what to store, so that [`EraBook::resume`] goes on from here.
    #[must_use]
    pub fn state(&self) -> EraBookState {
        EraBookState {
            format: EraBookState::FORMAT,
            checker: self.checker.state().clone(),
            told: self.told.clone(),
            hooks: self.hooks.clone(),
        }
    }

    /// Takes back a call of the hook that was noted and not made.
    pub(crate) fn restore_hooks(&mut self, hooks: Vec<HookRecord>) {
        self.hooks = hooks;
    }

    fn with_checker(checker: EraChecker) -> Self {
        Self {
            checker,
            pace: EraPace::default(),
            lead: None,
            told: Vec::new(),
            hooks: Vec::new(),
            ahead: Vec::new(),
            last_read: None,
            failed: 0,
            halted: None,
            refused: None,
        }
    }

    /// Observes until the checker has nothing more to say.
    fn follow(
        &mut self,
        now: Moment,
        schedule: &EraSchedule,
        positions: &EraPositions,
        events: &mut Vec<EraEvent>,
    ) -> Result<(), EraError> {
        // Each answer but the last uses up one difference between two lists, or one switch.
        for _ in 0..=2 * EraSchedule::MAX_ERAS {
            match self.checker.observe(schedule, &positions.head, positions.finalized.as_ref())? {
                EraChange::Stay => break,
                EraChange::Approach { next, supported, .. } => match next.activation {
                    Activation::Unscheduled => events.push(EraEvent::Announced { era: next.era, supported }),
                    _ => break,
                },
                EraChange::Reschedule { era, from, to, supported, left } => {
                    let left = left.map(|left| self.pace.estimate(left));
                    if let (Some(left), Some(activation)) = (&left, to) {
                        let next = EraMarker::new(era.clone(), activation);
                        self.told.push(ToldEdge { next, rung: ladder::rung(left) });
                    }
                    events.push(EraEvent::Rescheduled { era, from, to, supported, left });
                }
                EraChange::Enter { from, to } => {
                    self.halted = None;
                    events.push(EraEvent::Entered { from, to });
                }
                EraChange::Halt { era } => {
                    if is_due(self.halted.as_ref(), &era.era, now) {
                        self.halted = Some((era.era.clone(), now));
                        events.push(EraEvent::UnsupportedNow { era });
                    }
                    break;
                }
            }
        }
        Ok(())
    }

    /// Lists the edges ahead.
    fn look_ahead(&mut self, schedule: &EraSchedule, positions: &EraPositions) -> Result<(), EraError> {
        let finalized = self.checker.state().finalized;
        let head = match finalized {
            Some(finalized) if finalized.height > positions.head.height => finalized,
            _ => positions.head,
        };
        let ahead = schedule.ahead(&finalized.unwrap_or(head))?;
        self.ahead = ahead.iter().filter_map(|next| self.edge(next, &head)).collect();
        // An edge that moved is another one: what was told and done for it before does not count.
        let is_ahead = |next: &EraMarker| ahead.contains(next);
        self.told.retain(|told| is_ahead(&told.next));
        self.hooks.retain(|hook| is_ahead(&hook.next));
        Ok(())
    }

    fn edge(&self, next: &EraMarker, head: &ChainPosition) -> Option<EdgeAhead> {
        let left: EraLeft = self.pace.estimate(next.activation.left(head)?);
        let supported = self.checker.stamp().supported().supports(&next.era);
        Some(EdgeAhead { next: next.clone(), supported, left })
    }

    /// Tells what is new about the edges ahead.
    fn tell_edges(&mut self, events: &mut Vec<EraEvent>) {
        for EdgeAhead { next, supported, left } in &self.ahead {
            let rung = ladder::rung(left);
            match self.told.iter_mut().find(|told| told.next == *next) {
                None => {
                    self.told.push(ToldEdge { next: next.clone(), rung });
                    events.push(EraEvent::Scheduled { next: next.clone(), supported: *supported, left: *left });
                }
                Some(told) if !supported && rung > told.rung => {
                    told.rung = rung;
                    events.push(EraEvent::ApproachingUnsupported { next: next.clone(), left: *left });
                }
                Some(_) => {}
            }
            if self.lead.is_none() || !left.distance.is_zero() {
                continue;
            }
            let known = self.hooks.iter_mut().find(|hook| hook.next == *next);
            let is_late = known.as_ref().is_none_or(|hook| hook.stage == HookStage::Begun);
            match known {
                Some(hook) if is_late => hook.stage = HookStage::Late,
                Some(_) => {}
                None => self.hooks.push(HookRecord { next: next.clone(), stage: HookStage::Late }),
            }
            if is_late {
                events.push(EraEvent::HookLate { next: next.clone() });
            }
        }
    }

    fn refuse(&mut self, now: Moment, error: EraError) -> Option<EraEvent> {
        if !is_due(self.refused.as_ref(), &error, now) {
            return None;
        }
        self.refused = Some((error.clone(), now));
        Some(EraEvent::Refused { error })
    }
}

/// Returns whether `what` is to be told: it is new, or was told long ago.
fn is_due<T: PartialEq>(told: Option<&(T, Moment)>, what: &T, now: Moment) -> bool {
    told.is_none_or(|(known, at)| known != what || now.since(*at) >= EraBook::REPEAT)
}
