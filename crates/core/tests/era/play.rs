//! Seeded plays: whatever the chain and its planners do, the checker says what a plain reading of the facts says.

use std::collections::BTreeMap;

use nodewright_core::{
    Activation, ChainPosition, EraChange, EraChecker, EraError, EraId, EraMarker, EraSchedule, EraStanding, EraState,
    SupportedEras,
};
use nodewright_testkit::seeds;

use crate::fixture::{era, marker, scope};
use crate::world::{Axis, World};

/// Is how many seeds each promise is held against in the short form.
pub(crate) const SHORT: u64 = 3_000;
/// Is how many in the long form.
pub(crate) const LONG: u64 = 60_000;

struct Play {
    seed: u64,
    world: World,
    checker: EraChecker,
    supported: Vec<EraId>,
    /// Is the newest final position that the checker was shown.
    shown: Option<ChainPosition>,
    entered: Option<EraId>,
    /// Holds the eras that were entered or halted at, in order.
    path: Vec<EraId>,
    /// Holds what the checker was told to lie ahead; `None` where it had no occasion to say it.
    told: Option<BTreeMap<EraId, Activation>>,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let few = world.rng.bool();
        let supported: Vec<_> =
            (0..40).filter(|n| *n == 0 || !few || world.rng.bool()).map(|n| era(&format!("e{n}"))).collect();
        let checker = EraChecker::new(scope(1), list(&supported));
        Self { seed, world, checker, supported, shown: None, entered: None, path: Vec::new(), told: None }
    }

    fn run(mut self) -> Self {
        for _ in 0..40 {
            self.world.act();
            match self.world.rng.u8(..8) {
                0 => self.restart(),
                1 => self.lag(),
                2 => self.rewrite(),
                _ => {}
            }
            if self.world.rng.u8(..3) > 0 {
                let (head, finalized) = (self.world.head(), self.world.final_position());
                let unknown = self.world.rng.u8(..6) == 0;
                self.settle(head, (!unknown).then_some(finalized));
            }
        }
        self
    }

    /// Observes one thing until there is nothing more to say, and compares it with the facts.
    fn settle(&mut self, head: ChainPosition, finalized: Option<ChainPosition>) {
        let schedule = self.world.schedule();
        let newest = match (self.shown, finalized) {
            (Some(shown), Some(finalized)) if finalized.height < shown.height => Some(shown),
            (shown, finalized) => finalized.or(shown),
        };
        if newest.is_some_and(|position| plain_current(&self.world.markers, self.world.axis, &position).is_none()) {
            // What held at the newest final position shown so far is not listed any more: its successor was not shown.
            let error = self.checker.observe(&schedule, &head, finalized.as_ref()).unwrap_err();
            self.ensure(matches!(error, EraError::BeforeFirstEra { .. }), "it knows an era where none is listed");
            return;
        }
        let facts = newest.map(|position| plain(&self.world.markers, self.world.axis, &position));
        let mut moved = BTreeMap::new();
        let mut entered_now = false;
        for round in 0..24 {
            self.ensure(round < 20, "it does not settle");
            let change = match self.checker.observe(&schedule, &head, finalized.as_ref()) {
                Ok(change) => change,
                Err(error) => self.fail(&format!("{error}")),
            };
            match change {
                EraChange::Halt { era } => {
                    let (current, _) = facts.clone().unwrap();
                    self.ensure(era == current, "it halts at another era than the one that holds for good");
                    self.ensure(!self.supported.contains(&era.era), "it halts at a supported era");
                    self.ensure(self.checker.stamp().read() == EraStanding::Halted, "the stamp does not halt");
                    self.follow(&era.era);
                    (self.shown, self.told) = (newest, None);
                    return;
                }
                EraChange::Enter { from, to } => {
                    let (current, _) = facts.clone().unwrap();
                    self.ensure(to == current, "it enters another era than the one that holds for good");
                    self.ensure(self.supported.contains(&to.era), "it enters an unsupported era");
                    self.ensure(from == self.entered && from.as_ref() != Some(&to.era), "it comes from elsewhere");
                    self.follow(&to.era);
                    self.entered = Some(to.era);
                    entered_now = true;
                }
                EraChange::Reschedule { era, from, to, left, .. } => {
                    self.ensure(left == to.and_then(|to| to.left(&later(head, newest))), "it counts wrongly");
                    self.ensure(moved.insert(era, (from, to)).is_none(), "it says a change twice");
                }
                EraChange::Approach { next, supported, left } => {
                    self.ensure(supported == self.supported.contains(&next.era), "it errs about what is supported");
                    self.ensure(next.activation.left(&later(head, newest)) == Some(left), "it counts wrongly");
                    if next.activation != Activation::Unscheduled {
                        let ahead = plain_next(&self.world.markers, self.world.axis, &newest.unwrap_or(head));
                        self.ensure(Some(next) == ahead, "the next era is another one");
                        break;
                    }
                    let before = self.told.as_ref().is_some_and(|told| told.contains_key(&next.era));
                    self.ensure(!before, "it announces an era twice");
                }
                EraChange::Stay => {
                    let ahead = plain_next(&self.world.markers, self.world.axis, &newest.unwrap_or(head));
                    self.ensure(ahead.is_none(), "it says nothing of the next era");
                    break;
                }
            }
        }
        if let Some((current, _)) = facts {
            self.ensure(self.entered.as_ref() == Some(&current.era), "the era that holds for good was not entered");
            let since = current.activation;
            let stamp = self.checker.stamp();
            self.ensure(stamp.read() == EraStanding::Active { era: &current.era, since }, "the stamp says otherwise");
        } else {
            self.ensure(self.entered.is_none(), "it entered an era and nothing is final");
        }
        self.compare_moves(newest, entered_now, &moved);
        self.shown = newest;
    }

    /// Compares the changes that were said with the two lists.
    fn compare_moves(
        &mut self,
        newest: Option<ChainPosition>,
        entered_now: bool,
        moved: &BTreeMap<EraId, (Activation, Option<Activation>)>,
    ) {
        let begun = |edge: &Activation| newest.is_some_and(|position| edge.is_reached(&position) == Some(true));
        let now: BTreeMap<_, _> = self.world.markers.iter().map(|it| (it.era.clone(), it.activation)).collect();
        if let Some(told) = &self.told {
            let mut expected = BTreeMap::new();
            for (era, from) in told {
                let to = now.get(era).copied();
                let is_move = match to {
                    None => !(entered_now && begun(from)),
                    Some(to) => !begun(&to) && to != *from && *from != Activation::Unscheduled,
                };
                if is_move {
                    expected.insert(era.clone(), (*from, to));
                }
            }
            self.ensure(*moved == expected, &format!("it said {moved:?} of {expected:?}"));
        }
        self.told = Some(now.into_iter().filter(|(_, edge)| !begun(edge)).collect());
    }

    /// Notes that `era` holds, and that no era comes back.
    fn follow(&mut self, era: &EraId) {
        if self.path.last() != Some(era) {
            self.ensure(!self.path.contains(era), "it goes back to an era");
            self.path.push(era.clone());
        }
    }

    fn restart(&mut self) {
        let text = serde_json::to_string(self.checker.state()).unwrap();
        let state: EraState = serde_json::from_str(&text).unwrap();
        if self.world.rng.u8(..4) == 0 {
            self.supported = (0..60).map(|n| era(&format!("e{n}"))).collect();
        }
        self.checker = EraChecker::resume(&scope(1), list(&self.supported), state).unwrap();
    }

    /// Asks a node that is behind.
    fn lag(&mut self) {
        if self.shown.is_none() {
            return;
        }
        let finalized = self.world.rng.usize(..=self.world.finalized);
        let head = self.world.rng.usize(finalized..self.world.blocks.len());
        let (head, finalized) = (self.world.blocks[head], self.world.blocks[finalized]);
        // A node that is behind may be before every era that is still listed: that is an error, and changes nothing.
        let known = self.world.schedule().current(&finalized).unwrap().is_some();
        if known {
            self.settle(head, Some(finalized));
        }
    }

    /// Shows a list that begins something else in the past; it must be refused and change nothing.
    fn rewrite(&mut self) {
        let Some(shown) = self.shown else { return };
        let mut markers = self.world.markers.clone();
        let begun: Vec<_> =
            (0..markers.len()).filter(|at| markers[*at].activation.is_reached(&shown) == Some(true)).collect();
        let Some(current) = plain_current(&markers, self.world.axis, &shown) else { return };
        // The edge of the era that holds is at or before what was shown; another one there, or none, rewrites it.
        match self.world.rng.u8(..4) {
            0 => markers.retain(|marker| *marker != current),
            1 => {
                let at = *self.world.rng.choice(&begun).unwrap();
                markers[at].activation = Activation::Unscheduled;
            }
            2 => {
                let moved = earlier(current.activation);
                markers.iter_mut().filter(|it| it.era == current.era).for_each(|it| it.activation = moved);
            }
            _ => markers.push(marker("late", earlier(current.activation))),
        }
        let Ok(schedule) = EraSchedule::try_new(markers.clone()) else { return };
        if schedule == self.world.schedule() {
            return;
        }
        let finalized = self.world.final_position();
        let successor = plain_current(&markers, self.world.axis, &finalized);
        // Leaving the era out is right where another one has begun since.
        if markers.iter().all(|it| it.era != current.era)
            && successor.is_some_and(|it| it.activation.is_reached(&shown) == Some(false))
        {
            return;
        }
        let before = self.checker.state().clone();
        let standing = format!("{:?}", self.checker.stamp());
        let answer = self.checker.observe(&schedule, &self.world.head(), Some(&finalized));
        let refused = matches!(answer, Err(EraError::PastRewritten { .. } | EraError::BeforeFirstEra { .. }));
        self.ensure(refused, &format!("it takes a rewritten past: {answer:?}"));
        self.ensure(*self.checker.state() == before, "an error changed the state");
        self.ensure(format!("{:?}", self.checker.stamp()) == standing, "an error changed the stamp");
    }

    #[track_caller]
    fn ensure(&self, holds: bool, what: &str) {
        if !holds {
            self.fail(what);
        }
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        panic!("seed {}: {what}\n{:?}\n{:?}", self.seed, self.world.markers, self.checker)
    }
}

#[test]
fn eras_are_entered_and_halted_at_by_finality_alone_and_never_left_for_earlier_ones() {
    let (mut halts, mut entered) = (0, 0);
    for seed in seeds(SHORT, LONG) {
        let play = Play::new(seed).run();
        entered += play.path.len();
        halts += play.path.iter().filter(|era| !play.supported.contains(era)).count();
    }
    if seeds(2, 2).count() > 1 {
        assert!(entered > 6_000 && halts > 200, "the plays hardly switch: {entered} eras, {halts} halts");
    }
}

#[test]
fn with_finality_where_it_is_no_head_enters_halts_or_stamps_anything() {
    for seed in seeds(SHORT, LONG) {
        let mut play = Play::new(seed).run();
        let (head, finalized) = (play.world.head(), play.world.final_position());
        play.settle(head, Some(finalized));
        let halted = play.checker.stamp().read() == EraStanding::Halted;
        let standing = format!("{:?}", play.checker.stamp());
        for _ in 0..10 {
            play.world.blocks.truncate(play.world.finalized + 1);
            for _ in 0..play.world.rng.usize(..6) {
                play.world.act_on_head();
            }
            let schedule = play.world.schedule();
            let change = play.checker.observe(&schedule, &play.world.head(), Some(&finalized)).unwrap();
            let flips = matches!(change, EraChange::Enter { .. }) || matches!(change, EraChange::Halt { .. }) != halted;
            play.ensure(!flips, "a head flips an era");
            play.ensure(format!("{:?}", play.checker.stamp()) == standing, "a head changes the stamp");
        }
    }
}

/// Finds the era that holds and the one after it, by looking at every marker.
fn plain(markers: &[EraMarker], axis: Axis, position: &ChainPosition) -> (EraMarker, Option<EraMarker>) {
    (plain_current(markers, axis, position).unwrap(), plain_next(markers, axis, position))
}

fn plain_current(markers: &[EraMarker], axis: Axis, position: &ChainPosition) -> Option<EraMarker> {
    let begun = markers.iter().filter(|marker| number(marker, axis).is_some() && is_begun(marker, position));
    begun.max_by_key(|marker| number(marker, axis)).cloned()
}

fn plain_next(markers: &[EraMarker], axis: Axis, position: &ChainPosition) -> Option<EraMarker> {
    let ahead = markers.iter().filter(|marker| number(marker, axis).is_some() && !is_begun(marker, position));
    ahead.min_by_key(|marker| number(marker, axis)).cloned()
}

fn is_begun(marker: &EraMarker, position: &ChainPosition) -> bool {
    match marker.activation {
        Activation::Epoch(edge) => position.epoch.unwrap() >= edge,
        Activation::Height(edge) => position.height >= edge,
        Activation::Protocol(edge) => position.protocol.unwrap() >= edge,
        Activation::Time(edge) => position.time.unwrap() >= edge,
        Activation::Unscheduled => false,
    }
}

/// Orders the markers of a world: where axes are mixed, all heights come before all times.
fn number(marker: &EraMarker, axis: Axis) -> Option<(u64, u64, u64)> {
    let by_time = u64::from(axis == Axis::Mixed);
    match marker.activation {
        Activation::Epoch(edge) => Some((0, edge.0, 0)),
        Activation::Height(edge) => Some((0, edge.0, 0)),
        Activation::Protocol(edge) => Some((0, edge.major, edge.minor)),
        Activation::Time(edge) => Some((by_time, edge.0, 0)),
        Activation::Unscheduled => None,
    }
}

/// Moves an edge to just before it.
fn earlier(edge: Activation) -> Activation {
    match edge {
        Activation::Epoch(mut epoch) => {
            epoch.0 = epoch.0.saturating_sub(1);
            Activation::Epoch(epoch)
        }
        Activation::Height(mut height) => {
            height.0 = height.0.saturating_sub(1);
            Activation::Height(height)
        }
        Activation::Protocol(mut version) => {
            version.major = version.major.saturating_sub(1);
            Activation::Protocol(version)
        }
        Activation::Time(mut time) => {
            time.0 = time.0.saturating_sub(1);
            Activation::Time(time)
        }
        Activation::Unscheduled => Activation::Unscheduled,
    }
}

fn later(head: ChainPosition, newest: Option<ChainPosition>) -> ChainPosition {
    newest.filter(|newest| newest.height > head.height).unwrap_or(head)
}

fn list(eras: &[EraId]) -> SupportedEras {
    SupportedEras::try_new(eras.iter().cloned()).unwrap()
}
