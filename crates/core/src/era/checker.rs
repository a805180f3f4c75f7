//! What an observation of schedule and positions means.

use core::cmp::Ordering;

use crate::era::activation::{Activation, EraAxis, EraDistance};
use crate::era::error::EraError;
use crate::era::id::EraId;
use crate::era::marker::EraMarker;
use crate::era::past::begun_since;
use crate::era::position::ChainPosition;
use crate::era::schedule::EraSchedule;
use crate::era::stamp::EraStamp;
use crate::era::state::EraState;
use crate::era::supported::SupportedEras;
use crate::id::Scope;

/// Follows a chain through its eras: a pure function of what it observes and remembers.
///
/// What lies ahead is measured from the head. Entering an era, and halting because it is not supported, follow the
/// finalized position alone, so a reorganisation flips neither, and no era is ever left for an earlier one. While nothing
/// is final, no era is entered.
///
/// An observation that ends in an error changes nothing. One that lags behind an earlier one, as two nodes behind one
/// address do, counts as that earlier one.
#[derive(Debug)]
pub struct EraChecker {
    stamp: EraStamp,
    state: EraState,
}

impl EraChecker {
    /// Makes a checker that has observed nothing.
    #[must_use]
    pub fn new(scope: Scope, supported: SupportedEras) -> Self {
        Self { stamp: EraStamp::new(supported), state: EraState::new(scope) }
    }

    /// Goes on from stored state. The stamp names the era that was entered at once, if this build supports the era
    /// that had begun last. Whether a schedule agrees with the state is found by the next observation.
    ///
    /// # Errors
    /// As [`EraState::check`]; [`EraError::EdgeTooFar`].
    pub fn resume(scope: &Scope, supported: SupportedEras, state: EraState) -> Result<Self, EraError> {
        state.check(scope)?;
        let stamp = EraStamp::new(supported);
        if let Some(begun) = state.begun.last() {
            if !stamp.supported().supports(&begun.era) {
                stamp.halt();
            } else if state.entered.as_ref() == Some(&begun.era) {
                stamp.publish(stamp.word_for(begun)?);
            }
        }
        Ok(Self { stamp, state })
    }

    /// Observes the schedule and the positions that were read together, and says the one thing that matters most:
    /// a halt, entering an era, a change of what lies ahead, how far the next edge is.
    ///
    /// What does not come first comes with the next observation: whoever wants all of it observes the same again until
    /// the answer is [`EraChange::Stay`], a halt, or the [`EraChange::Approach`] of an era with an edge.
    ///
    /// # Errors
    /// [`EraError::BeforeFirstEra`] where the final position is before every era; [`EraError::MissingAxis`],
    /// [`EraError::Contradiction`], [`EraError::PositionsDisagree`], [`EraError::EdgeTooFar`]; and
    /// [`EraError::PastRewritten`] where the schedule does not hold to what began at or before a final position.
    pub fn observe(
        &mut self,
        schedule: &EraSchedule,
        head: &ChainPosition,
        finalized: Option<&ChainPosition>,
    ) -> Result<EraChange, EraError> {
        schedule.begun(head)?;
        if let Some(finalized) = finalized {
            schedule.begun(finalized)?;
        }
        let known_at = self.state.finalized;
        let finalized = match (known_at, finalized) {
            (Some(known), Some(found)) => Some(later(schedule, &known, found)?),
            (known, found) => known.or(found.copied()),
        };
        let head = match &finalized {
            Some(finalized) => later(schedule, finalized, head)?,
            None => *head,
        };
        let Some(finalized) = finalized else {
            let ahead = schedule.ahead(&head)?;
            return Ok(self.look_ahead(schedule, ahead, &head));
        };
        let begun = begun_since(&self.state.begun, known_at.as_ref(), schedule, &finalized)?;
        let ahead = schedule.ahead(&finalized)?;
        let entered = self.enter(&begun)?;
        // Nothing fails from here on.
        if entered.is_some() {
            let passed = |known: &EraMarker| known.activation.is_reached(&finalized) == Some(true);
            self.state.ahead.retain(|known| !passed(known) || schedule.find(&known.era).is_some());
        }
        self.state.ahead.retain(|known| begun.iter().all(|begun| begun.era != known.era));
        (self.state.begun, self.state.finalized) = (begun, Some(finalized));
        Ok(entered.unwrap_or_else(|| self.look_ahead(schedule, ahead, &head)))
    }

    /// Returns the stamp that this checker writes.
    #[must_use]
    pub fn stamp(&self) -> EraStamp {
        self.stamp.clone()
    }

    /// Returns what to store, so that [`EraChecker::resume`] goes on from here.
    #[must_use]
    pub fn state(&self) -> &EraState {
        &self.state
    }

    /// Returns the era that was entered last.
    #[must_use]
    pub fn entered(&self) -> Option<&EraId> {
        self.state.entered.as_ref()
    }

    /// Halts at, or enters, the last of `begun`, unless it was entered before.
    fn enter(&mut self, begun: &[EraMarker]) -> Result<Option<EraChange>, EraError> {
        let Some(current) = begun.last() else {
            return Ok(None);
        };
        if !self.stamp.supported().supports(&current.era) {
            self.stamp.halt();
            return Ok(Some(EraChange::Halt { era: current.clone() }));
        }
        let word = self.stamp.word_for(current)?;
        self.stamp.publish(word);
        if self.state.entered.as_ref() == Some(&current.era) {
            return Ok(None);
        }
        let from = self.state.entered.replace(current.era.clone());
        Ok(Some(EraChange::Enter { from, to: current.clone() }))
    }

    /// Says the first thing that is new about what lies ahead, else how far the next edge is from `head`.
    fn look_ahead(&mut self, schedule: &EraSchedule, ahead: &[EraMarker], head: &ChainPosition) -> EraChange {
        let begun = |marker: &&EraMarker| self.state.begun.iter().any(|begun| begun.era == marker.era);
        let open: Vec<_> = schedule.scheduled().iter().chain(schedule.announced()).filter(|it| !begun(it)).collect();
        let supported = |era: &EraId| self.stamp.supported().supports(era);
        let gone = self.state.ahead.iter().position(|known| schedule.find(&known.era).is_none());
        if let Some(index) = gone {
            let EraMarker { era, activation: from } = self.state.ahead.remove(index);
            return EraChange::Reschedule { supported: supported(&era), era, from, to: None, left: None };
        }
        for marker in open {
            let Some(known) = self.state.ahead.iter_mut().find(|known| known.era == marker.era) else {
                self.state.ahead.push(marker.clone());
                if marker.activation == Activation::Unscheduled {
                    return EraChange::Approach {
                        next: marker.clone(),
                        supported: supported(&marker.era),
                        left: EraDistance::Unscheduled,
                    };
                }
                continue;
            };
            let from = core::mem::replace(&mut known.activation, marker.activation);
            if from != marker.activation && from != Activation::Unscheduled {
                return EraChange::Reschedule {
                    supported: supported(&marker.era),
                    era: marker.era.clone(),
                    from,
                    to: Some(marker.activation),
                    left: marker.activation.left(head),
                };
            }
        }
        match ahead.first().and_then(|next| Some((next, next.activation.left(head)?))) {
            Some((next, left)) => EraChange::Approach { next: next.clone(), supported: supported(&next.era), left },
            None => EraChange::Stay,
        }
    }
}

/// Says what an observation means.
///
/// Exhaustive on purpose: whoever runs a node must decide about each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EraChange {
    /// Nothing is new, and no edge is ahead.
    Stay,
    /// An era lies ahead. Comes at every observation while the next era has an edge, since what is left differs each
    /// time; the edge is at zero when the head has reached it and finality has not. An era that is announced without a
    /// date is told once.
    Approach {
        /// Is the era, with its edge.
        next: EraMarker,
        /// Says whether this build supports it.
        supported: bool,
        /// Says how far the edge is from the head.
        left: EraDistance,
    },
    /// An era ahead has another edge than before, or was taken back.
    Reschedule {
        /// Names the era.
        era: EraId,
        /// Is its edge as it was last told.
        from: Activation,
        /// Is its edge now; `None` if it is no longer listed.
        to: Option<Activation>,
        /// Says whether this build supports it.
        supported: bool,
        /// Says how far the edge is from the head now; `None` if it is no longer listed.
        left: Option<EraDistance>,
    },
    /// An era began for good, and this build supports it.
    Enter {
        /// Names the era that was entered before; `None` for the first.
        from: Option<EraId>,
        /// Is the era, with its edge.
        to: EraMarker,
    },
    /// An era began for good, and this build does not support it. Comes at every observation from then on.
    Halt {
        /// Is the era, with its edge.
        era: EraMarker,
    },
}

/// Returns `found`, or `known` if `found` is before it.
fn later(schedule: &EraSchedule, known: &ChainPosition, found: &ChainPosition) -> Result<ChainPosition, EraError> {
    let mut axes = schedule.axes();
    if !axes.contains(&EraAxis::Height) {
        axes.push(EraAxis::Height);
    }
    match found.compare(known, &axes) {
        Some(Ordering::Less) => Ok(*known),
        Some(Ordering::Equal | Ordering::Greater) => Ok(*found),
        None => Err(EraError::PositionsDisagree { known: Box::new(*known), found: Box::new(*found) }),
    }
}
