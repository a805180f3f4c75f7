//! The loop: three lanes on one task, and the core between them.
//!
//! ```text
//!   core.events():  | being committed | ready | being observed (two chunks) | not planned yet |
//!                   ^ acknowledged up to here                                ^ headers arrive here
//! ```
//!
//! Nothing is spawned, and nothing is done for a single block that can be done for a chunk. The core's bound on waiting
//! events is what slows the fetching of headers, and with it everything else, when the sink is slow.

use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use nodewright_core::policy::Stage;
use nodewright_core::{
    BlockReport, Error, HoldReason, Moment, Progress, Result, ScanBatch, ScanRecord, TxFate, TxId, WatchSet,
};

use crate::observer::FollowUps;
use crate::scan::ask::{Answered, Asking, Enquiry, ask, enquire};
use crate::scan::driver::{ScanError, Stop};
use crate::scan::failures::Failures;
use crate::scan::open::{Parts, Session};
use crate::scan::pace::Pace;
use crate::scan::plan::{Chunk, Observing};
use crate::scan::store::{Commit, Outcome};

/// Says when a run ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    Forever,
    Idle,
}

/// Says how a pipeline ended without an error.
#[derive(Debug)]
pub(crate) enum End {
    /// The session must be loaded again, after this wait.
    Reopen(Duration),
    /// The run is over.
    Stop(Stop),
}

pub(crate) type Shutdown<'s> = Pin<&'s mut (dyn Future<Output = ()> + Send)>;

pub(crate) struct Pipeline<'a> {
    pub(super) parts: &'a Parts,
    pub(super) failures: &'a mut Failures,
    pub(super) pace: &'a mut Pace,
    /// Says that an earlier run was dropped: its last commit may still land, so one conflict is no surprise.
    pub(super) dropped_before: &'a mut bool,
    pub(super) session: Session,
    /// Holds what is followed after every observed event.
    pub(super) followed: Arc<FollowUps>,
    pub(super) watch: Arc<WatchSet>,
    pub(super) request: Option<Asking<'a>>,
    pub(super) observing: FuturesOrdered<Observing<'a>>,
    pub(super) ready: Vec<ScanRecord>,
    pub(super) commit: Option<Commit<'a>>,
    /// Counts the events that are in a chunk, ready, or being committed.
    pub(super) planned: usize,
    /// Holds observing and rewinding back until then.
    pub(super) pause: Option<Moment>,
    /// Says that the core is to be rewound as soon as nothing is ready or being committed.
    pub(super) rewind: bool,
    pub(super) rewinds: u32,
    pub(super) stopping: bool,
    pub(super) wake: Option<BoxFuture<'a, ()>>,
    pub(super) enquiry: Option<Enquiry<'a>>,
    pub(super) enquiry_due: bool,
    /// Counts the rounds of questions that must end before the scan is idle: one for each run, and one after blocks left
    /// the chain. More follow while the scan waits, but nothing waits for them.
    pub(super) rounds_owed: usize,
    pub(super) shown: Option<Progress>,
    pub(super) hold: Option<HoldReason>,
}

enum Turn {
    Answered(Answered),
    Committed(Outcome),
    Fates(Vec<(TxId, Result<TxFate>)>),
    Observed(Chunk, Result<Vec<BlockReport>>),
    Shutdown,
    Timeout,
    Wake,
}

impl<'a> Pipeline<'a> {
    pub(crate) fn new(
        parts: &'a Parts,
        session: Session,
        failures: &'a mut Failures,
        pace: &'a mut Pace,
        dropped_before: &'a mut bool,
    ) -> Self {
        Self {
            followed: Arc::clone(&session.followed),
            watch: Arc::new(session.followed.watch(&parts.options.watch)),
            hold: session.core.progress().hold,
            parts,
            failures,
            pace,
            dropped_before,
            session,
            request: None,
            observing: FuturesOrdered::new(),
            ready: Vec::new(),
            commit: None,
            planned: 0,
            pause: None,
            rewind: false,
            rewinds: 0,
            stopping: false,
            wake: None,
            enquiry: None,
            enquiry_due: false,
            rounds_owed: 1,
            shown: None,
        }
    }

    /// Runs until `goal`, `shutdown` or an error; a commit that is under way then is awaited.
    pub(crate) async fn run(&mut self, goal: Goal, shutdown: Shutdown<'_>) -> core::result::Result<End, ScanError> {
        let end = self.run_lanes(goal, shutdown).await;
        if let Some(commit) = &mut self.commit {
            let outcome = (&mut commit.outcome).await;
            if let Err(error) = self.committed(outcome) {
                tracing::debug!(%error, "the last commit failed too");
            }
        }
        end
    }

    async fn run_lanes(&mut self, goal: Goal, mut shutdown: Shutdown<'_>) -> core::result::Result<End, ScanError> {
        loop {
            self.rewind_if_due();
            self.ask();
            self.plan()?;
            self.store()?;
            if let Some(stop) = self.finished(goal)? {
                return Ok(End::Stop(stop));
            }
            let turn = self.turn(shutdown.as_mut()).await;
            let end = match turn {
                Turn::Answered(answered) => self.answered(answered)?,
                Turn::Committed(outcome) => self.committed(outcome)?,
                Turn::Fates(fates) => self.tell_fates(&fates),
                Turn::Observed(chunk, reports) => self.observed(chunk, reports)?,
                Turn::Shutdown => {
                    self.stopping = true;
                    None
                }
                Turn::Timeout => {
                    let now = self.parts.clock.now();
                    self.pause = self.pause.filter(|until| now < *until);
                    self.session.core.handle_timeout(now);
                    None
                }
                Turn::Wake => {
                    self.session.core.wake();
                    None
                }
            };
            if let Some(wait) = end {
                return Ok(End::Reopen(wait));
            }
        }
    }

    /// Gives the session back, with nothing under way.
    pub(crate) fn into_session(mut self) -> Session {
        self.session.core.forget_request();
        self.session
    }

    /// Waits for the next thing to happen.
    async fn turn(&mut self, shutdown: Shutdown<'_>) -> Turn {
        let parts = self.parts;
        let Self { failures, session, request, observing, commit, wake, enquiry, pause, stopping, .. } = self;
        let waits = session.core.poll_timeout();
        let listens = waits.is_some() && !failures.of_requests();
        let timeout = match (waits, *pause) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        if listens
            && wake.is_none()
            && let Some(source) = &parts.adapter.wake
        {
            let from = parts.clock.after(WAKE_GAP);
            *wake = Some(Box::pin(async move {
                parts.clock.until(Some(from)).await;
                source.wake().await;
            }));
        }
        tokio::select! {
            biased;
            () = shutdown, if !*stopping => Turn::Shutdown,
            outcome = slot(commit.as_mut().map(|commit| &mut commit.outcome)) => Turn::Committed(outcome),
            Some((chunk, reports)) = observing.next(), if !observing.is_empty() => Turn::Observed(chunk, reports),
            answered = slot(request.as_mut()) => {
                *request = None;
                Turn::Answered(answered)
            }
            fates = slot(enquiry.as_mut()) => {
                *enquiry = None;
                Turn::Fates(fates)
            }
            () = slot(wake.as_mut()), if listens => {
                *wake = None;
                Turn::Wake
            }
            () = parts.clock.until(timeout), if timeout.is_some() => Turn::Timeout,
        }
    }

    fn ask(&mut self) {
        if self.stopping || self.rewind || self.request.is_some() {
            return;
        }
        if let Some((id, request)) = self.session.core.poll_request() {
            self.request = Some(ask(&self.parts.adapter, id, request));
        } else if self.enquiry_due && self.enquiry.is_none() && self.session.core.is_idle() {
            self.enquiry_due = false;
            self.enquire();
        }
    }

    /// Asks after a few of the removed transactions, and next time after the next few.
    fn enquire(&mut self) {
        let open = self.session.followed.open().count();
        let from = self.session.enquired.checked_rem(open).unwrap_or(0);
        let txids: Vec<TxId> = self.session.followed.open().skip(from).take(FATES_A_ROUND).cloned().collect();
        self.session.enquired = from.saturating_add(txids.len());
        self.enquiry = if txids.is_empty() { None } else { enquire(&self.parts.adapter, txids) };
        if self.enquiry.is_none() {
            self.rounds_owed = 0;
        }
    }

    fn plan(&mut self) -> core::result::Result<(), ScanError> {
        let blocks = self.parts.options.observe_batch.get();
        let source = self.parts.adapter.observations.as_deref().filter(|_| self.parts.observes());
        while !self.stopping && !self.rewind && self.pause.is_none() && self.observing.len() < CHUNKS_AT_ONCE {
            let all_known = self.observing.is_empty();
            let Some(chunk) = Chunk::cut(&self.session.core, self.planned, blocks, all_known) else { break };
            self.planned = self.planned.saturating_add(chunk.len());
            match source {
                Some(source) if !(chunk.is_bare() && all_known) => {
                    self.observing.push_back(chunk.observe(source, Arc::clone(&self.watch)));
                }
                _ => self.take_records(chunk.into_bare_records()),
            }
        }
        Ok(())
    }

    /// Takes records whose predecessors were all taken.
    pub(super) fn take_records(&mut self, records: Vec<ScanRecord>) {
        for record in &records {
            let (event, report) = (&record.event, record.report.as_ref());
            if self.followed.concerns(event, report) && Arc::make_mut(&mut self.followed).fold(event, report) {
                self.watch = Arc::new(self.followed.watch(&self.parts.options.watch));
            }
        }
        self.ready.extend(records);
    }

    fn store(&mut self) -> core::result::Result<(), ScanError> {
        if self.commit.is_some() || self.stopping {
            return Ok(());
        }
        let enough = self.ready.len() >= self.parts.options.commit_events.get() || self.observing.is_empty();
        let records = match (self.ready.is_empty(), enough) {
            (false, false) => return Ok(()),
            (false, true) => core::mem::take(&mut self.ready),
            (true, _) if self.session.unsaved && self.session.core.peek_event().is_none() => Vec::new(),
            (true, _) => return Ok(()),
        };
        let mut checkpoint = self.session.core.checkpoint(records.last().map(|record| record.seq));
        checkpoint.notes = self.followed.to_notes().map_err(ScanError::Halted)?;
        self.session.unsaved = false;
        let tell = self.parts.options.listener.is_some();
        let batch = ScanBatch { records, checkpoint };
        let followed = Arc::clone(&self.followed);
        self.commit = Some(Commit::send(&*self.parts.sink, self.session.revision, batch, followed, tell));
        Ok(())
    }

    fn rewind_if_due(&mut self) {
        let clear = self.ready.is_empty() && self.commit.is_none() && self.pause.is_none();
        if !self.rewind || !clear {
            return;
        }
        self.rewind = false;
        self.request = None;
        self.session.core.rewind();
        self.planned = 0;
        self.followed = Arc::clone(&self.session.followed);
        self.watch = Arc::new(self.followed.watch(&self.parts.options.watch));
    }

    fn finished(&mut self, goal: Goal) -> core::result::Result<Option<Stop>, ScanError> {
        if self.commit.is_some() {
            return Ok(None);
        }
        if self.stopping {
            tracing::info!(final_height = %self.session.finalized, "scan stops as asked");
            return Ok(Some(Stop::Shutdown));
        }
        if self.parts.options.until.is_some_and(|until| self.session.finalized >= until) && !self.session.unsaved {
            return Ok(Some(Stop::Reached));
        }
        let core = &self.session.core;
        if core.peek_event().is_some() || self.session.unsaved {
            return Ok(None);
        }
        if let Some(fault) = core.fault() {
            let error = Error::from(fault);
            tracing::error!(%error, "scan stops");
            return Err(ScanError::Halted(error));
        }
        if !core.is_idle() || self.failures.of_requests() {
            return Ok(None);
        }
        self.recovered(Stage::Observe);
        self.recovered(Stage::Commit);
        Ok((goal == Goal::Idle && self.rounds_owed == 0).then_some(Stop::Idle))
    }
}

/// Waits for the future in a slot; for ever if the slot is empty.
async fn slot<F: Future + Unpin>(future: Option<&mut F>) -> F::Output {
    match future {
        Some(future) => future.await,
        None => core::future::pending().await,
    }
}

/// Is how many chunks are observed at once: one, and one ahead of it, so that fetching never waits for a commit.
const CHUNKS_AT_ONCE: usize = 2;

/// Is how many removed transactions a node is asked after while the scan waits once.
const FATES_A_ROUND: usize = 16;

/// Is the least time between the start of a wait and a hint that ends it: a burst of hints costs ten polls a second.
const WAKE_GAP: Duration = Duration::from_millis(100);
