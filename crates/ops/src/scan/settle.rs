//! What a finished step means for the scan: an answer, a chunk of reports, a commit, or a failure of one of them.

use core::time::Duration;

use futures_util::stream::FuturesOrdered;
use nodewright_core::policy::{Action, Failure, Stage};
use nodewright_core::{BlockReport, Error, ErrorKind, Result, ScanEvent, TxFate, TxId};

use crate::scan::ask::Answered;
use crate::scan::driver::ScanError;
use crate::scan::failures::{asked_wait, wait_after};
use crate::scan::listener::Notice;
use crate::scan::open::Parts;
use crate::scan::pipeline::Pipeline;
use crate::scan::plan::Chunk;
use crate::scan::store::{Commit, Outcome, Sent};

impl Pipeline<'_> {
    pub(super) fn answered(&mut self, answered: Answered) -> core::result::Result<Option<Duration>, ScanError> {
        let Answered { id, stage, answer } = answered;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let asked = asked_wait(&error);
                return Ok(match self.failed(stage, error)? {
                    Next::Reopen(wait) => Some(wait),
                    Next::Retry(_) => {
                        self.session.core.handle_failure(self.parts.clock.now(), id, asked);
                        None
                    }
                });
            }
        };
        self.recovered(stage);
        let core = &mut self.session.core;
        core.handle_reply(self.parts.clock.now(), id, answer.as_reply());
        self.session.unsaved |= core.take_evidence_changed();
        self.enquiry_due |= core.poll_timeout().is_some();
        self.show_progress();
        Ok(None)
    }

    pub(super) fn observed(
        &mut self,
        chunk: Chunk,
        reports: Result<Vec<BlockReport>>,
    ) -> core::result::Result<Option<Duration>, ScanError> {
        let error = match reports.and_then(|reports| chunk.into_records(reports)) {
            Ok(records) => {
                self.recovered(Stage::Observe);
                self.take_records(records);
                return Ok(None);
            }
            Err(error) => error,
        };
        self.observing = FuturesOrdered::new();
        self.planned = self.ready.len().saturating_add(self.commit.as_ref().map_or(0, |commit| commit.sent.events));
        if let Some(fault) = self.session.core.fault() {
            return Err(ScanError::Halted(Error::from(fault).with("unread events", error)));
        }
        self.rewind = error.kind() == ErrorKind::NotFound;
        self.rewinds = self.rewinds.saturating_add(u32::from(self.rewind));
        let wait = if self.rewind && self.rewinds <= FREE_REWINDS {
            tracing::debug!(%error, rewinds = self.rewinds, "a block to observe is gone, the scan goes back");
            self.parts.options.limits.poll.saturating_mul(self.rewinds.saturating_sub(1))
        } else {
            match self.failed(Stage::Observe, error)? {
                Next::Reopen(wait) => return Ok(Some(wait)),
                Next::Retry(wait) => wait,
            }
        };
        self.pause = (!wait.is_zero()).then(|| self.parts.clock.after(wait));
        Ok(None)
    }

    pub(super) fn committed(&mut self, outcome: Outcome) -> core::result::Result<Option<Duration>, ScanError> {
        let Some(Commit { sent, .. }) = self.commit.take() else { return Ok(None) };
        let revision = match outcome {
            Outcome::Landed(revision) => revision,
            Outcome::Failed(error) if error.kind() == ErrorKind::Conflict && core::mem::take(self.dropped_before) => {
                tracing::info!(%error, "a commit of a dropped run landed late, the scan loads again");
                return Ok(Some(Duration::ZERO));
            }
            Outcome::Failed(error) => {
                return match self.failed(Stage::Commit, error)? {
                    Next::Reopen(wait) | Next::Retry(wait) => Ok(Some(wait)),
                };
            }
        };
        self.recovered(Stage::Commit);
        self.rewinds = 0;
        *self.dropped_before = false;
        if let Some(last_seq) = sent.last_seq {
            self.session.core.ack(last_seq);
        }
        self.planned = self.planned.saturating_sub(sent.events);
        self.session.revision = revision;
        self.session.finalized = sent.finalized;
        self.pace.count(self.parts.clock.now(), sent.blocks);
        if sent.turns.iter().any(|event| matches!(event, ScanEvent::RollBack { .. })) {
            // A round that is under way does not ask after what was removed now.
            self.rounds_owed = 1 + usize::from(self.enquiry.is_some());
        }
        self.log_turns(&sent);
        for record in &sent.told {
            self.notice(Notice::Committed(record));
        }
        self.session.followed = sent.followed;
        self.shown = None;
        self.show_progress();
        Ok(None)
    }

    pub(super) fn tell_fates(&mut self, fates: &[(TxId, Result<TxFate>)]) -> Option<Duration> {
        self.rounds_owed = self.rounds_owed.saturating_sub(1);
        for (txid, fate) in fates {
            match fate {
                Ok(fate) => self.notice(Notice::Fate { txid, fate }),
                Err(error) => tracing::debug!(%txid, %error, "the node did not say where a transaction is"),
            }
        }
        None
    }

    /// Counts a failure and does what the policy says.
    fn failed(&mut self, stage: Stage, error: Error) -> core::result::Result<Next, ScanError> {
        let attempt = self.failures.count(stage);
        let wait = wait_after(&error, attempt, &self.parts.options.limits);
        match self.parts.decide(stage, &error, attempt) {
            Action::Escalate => Err(ScanError::Escalated(error)),
            Action::Halt => Err(ScanError::Halted(error)),
            Action::Reinit => Ok(Next::Reopen(wait)),
            Action::Retry => Ok(Next::Retry(wait)),
        }
    }

    pub(super) fn recovered(&mut self, stage: Stage) {
        if self.failures.clear(stage) {
            tracing::info!(%stage, "works again");
            self.notice(Notice::Recovered(stage));
        }
    }

    fn show_progress(&mut self) {
        let progress = self.session.core.progress();
        if progress.hold != self.hold {
            self.hold = progress.hold;
            self.notice(Notice::Hold(progress.hold));
        }
        if self.shown != Some(progress) {
            self.shown = Some(progress);
            let shown = self.pace.show(self.parts.clock.now(), progress);
            self.notice(Notice::Progress(&shown));
        }
    }

    fn log_turns(&self, sent: &Sent) {
        for event in &sent.turns {
            match event {
                ScanEvent::RollBack { to, dropped } => {
                    tracing::warn!(height = %to.id.height, blocks = dropped.len(), "blocks left the chain");
                }
                ScanEvent::Hold(reason) => tracing::warn!(%reason, "scan holds"),
                ScanEvent::Resume => tracing::info!("scan goes on"),
                ScanEvent::Apply(_) | ScanEvent::Finalize(_) => {}
            }
        }
    }

    fn notice(&self, notice: Notice<'_>) {
        self.parts.notice(notice);
    }
}

/// Says how it goes on after a failure.
enum Next {
    Reopen(Duration),
    Retry(Duration),
}

impl Parts {
    /// Asks the error policy, and says what it answered.
    pub(crate) fn decide(&self, stage: Stage, error: &Error, attempt: u32) -> Action {
        let action = self.options.errors.decide(&Failure { error, stage, attempt });
        self.notice(Notice::Failed { stage, error, attempt, action });
        match action {
            Action::Escalate | Action::Halt => tracing::error!(%stage, %error, attempt, ?action, "scan stops"),
            Action::Reinit | Action::Retry if attempt == 1 => tracing::warn!(%stage, %error, ?action, "failed"),
            Action::Reinit | Action::Retry => tracing::debug!(%stage, %error, attempt, ?action, "failed again"),
        }
        action
    }

    pub(crate) fn notice(&self, notice: Notice<'_>) {
        if let Some(listener) = &self.options.listener {
            listener.notice(notice);
        }
    }
}

/// Is how often in a row, without a commit in between, a block that is gone may send the scan back before that counts
/// as a failure. A node that knows a header before it has the block needs a few polls.
const FREE_REWINDS: u32 = 5;
