//! Carries a scan's requests to a source and its events to a sink, one step at a time, with a clock that only moves when
//! it is told.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use nodewright_core::{
    BlockPoint, Error, ErrorKind, EventSeq, EvidenceSource, FinalityPolicy, HeaderSource, Moment, Reply, Result, Retry,
    Revision, ScanBatch, ScanCore, ScanLimits, ScanRecord, ScanRequest, ScanSink, Scope, TrustedCheckpoint,
};

/// Drives one scan. It is the least that a correct driver does; the one for real use is in `nodewright-ops`.
///
/// Dropping any of its futures loses nothing: the next call asks again, or finds out what the sink holds.
#[derive(Debug)]
pub struct SimDriver<P> {
    core: ScanCore<P>,
    scope: Scope,
    now: Moment,
    revision: Revision,
    /// Says that a commit was begun and its end was not seen.
    unsure: bool,
    /// Says that waiting evidence changed and was not stored.
    unstored: bool,
    requests: u64,
}

impl<P: FinalityPolicy> SimDriver<P> {
    /// Continues the scan that `sink` holds, or starts one after `start` where it holds none.
    ///
    /// The stored finality is verified with `evidence` where it is a certificate, and taken as an anchor otherwise.
    ///
    /// # Errors
    /// What the sink and the source say; `ScopeMismatch` if the sink belongs to another ledger.
    pub async fn resume(
        policy: P,
        limits: ScanLimits,
        scope: &Scope,
        start: BlockPoint,
        sink: &dyn ScanSink,
        evidence: Option<&dyn EvidenceSource>,
    ) -> Result<Self> {
        let stored = sink.load(scope).await?;
        let revision = stored.as_ref().map_or(Revision::default(), |stored| stored.revision);
        let trusted = match (&stored, evidence) {
            (None, _) => TrustedCheckpoint::start(scope.clone(), start),
            (Some(stored), None) => TrustedCheckpoint::anchor(&stored.checkpoint, scope)?,
            (Some(stored), Some(evidence)) => {
                let mut trusted = match TrustedCheckpoint::verify(&stored.checkpoint, scope, evidence).await {
                    Ok(trusted) => trusted,
                    Err(error) if error.kind() == ErrorKind::Unverified => {
                        TrustedCheckpoint::anchor(&stored.checkpoint, scope)?
                    }
                    Err(error) => return Err(error),
                };
                trusted.verify_pending(&stored.checkpoint, evidence).await;
                trusted
            }
        };
        let core = ScanCore::resume(policy, trusted, limits);
        Ok(Self {
            core,
            scope: scope.clone(),
            now: Moment::default(),
            revision,
            unsure: false,
            unstored: false,
            requests: 0,
        })
    }

    /// Returns the scan.
    #[must_use]
    pub fn core(&self) -> &ScanCore<P> {
        &self.core
    }

    /// Returns the scan, to poke at it.
    pub fn core_mut(&mut self) -> &mut ScanCore<P> {
        &mut self.core
    }

    /// Returns the time that the scan was told last.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Returns how many requests were carried out.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Carries out one request; returns whether the scan wanted one.
    ///
    /// # Errors
    /// What the source says, if trying again cannot help or it is `Unverified` evidence; the scan has been told.
    ///
    /// # Cancel safety
    /// Dropping the future forgets the request; the next call makes it again.
    pub async fn step(&mut self, headers: &dyn HeaderSource, evidence: Option<&dyn EvidenceSource>) -> Result<bool> {
        self.core.forget_request();
        let Some((id, request)) = self.core.poll_request() else { return Ok(false) };
        self.requests += 1;
        let answer = match request {
            ScanRequest::Extend { locator, max } => headers.extend(locator, max).await.map(Answer::Extend),
            ScanRequest::Membership { point } => headers.membership(&point).await.map(Answer::Membership),
            ScanRequest::Evidence { window } => match evidence {
                Some(evidence) => evidence.evidence(window).await.map(Answer::Evidence),
                None => Err(Error::new(ErrorKind::Unsupported, "evidence")),
            },
        };
        match answer {
            Ok(Answer::Extend(extension)) => self.core.handle_reply(self.now, id, Reply::Extend(&extension)),
            Ok(Answer::Membership(membership)) => self.core.handle_reply(self.now, id, Reply::Membership(membership)),
            Ok(Answer::Evidence(evidence)) => self.core.handle_reply(self.now, id, Reply::Evidence(&evidence)),
            Err(error) => {
                let wait = match error.retry() {
                    Retry::After(wait) => wait,
                    _ => None,
                };
                self.core.handle_failure(self.now, id, wait);
                if error.retry() == Retry::Never {
                    return Err(error);
                }
            }
        }
        Ok(true)
    }

    /// Commits up to `most` of the events that wait, or waiting evidence alone, and acknowledges them; returns how many.
    ///
    /// # Errors
    /// What the sink says.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the commit done or not; the next call finds out.
    pub async fn deliver(&mut self, sink: &dyn ScanSink, most: usize) -> Result<usize> {
        if self.unsure {
            self.find_out(sink).await?;
        }
        let records: Vec<_> = (self.core.events().take(most))
            .map(|(seq, event)| ScanRecord { seq, event: event.clone(), report: None })
            .collect();
        let last = records.last().map(|record| record.seq);
        self.unstored |= self.core.take_evidence_changed();
        if last.is_none() && !self.unstored {
            return Ok(0);
        }
        let count = records.len();
        let batch = ScanBatch { records, checkpoint: self.core.checkpoint(last) };
        self.unsure = true;
        self.revision = sink.commit(self.revision, batch).await?;
        (self.unsure, self.unstored) = (false, false);
        if let Some(last) = last {
            self.core.ack(last);
        }
        Ok(count)
    }

    /// Forgets the events that were not committed and lets the scan produce them anew, as [`ScanCore::rewind`] says.
    ///
    /// # Errors
    /// What the sink says.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing; the scan may not have been rewound.
    pub async fn rewind(&mut self, sink: &dyn ScanSink) -> Result<()> {
        if self.unsure {
            self.find_out(sink).await?;
        }
        self.core.rewind();
        Ok(())
    }

    /// Moves the clock to where the scan's wait ends; returns whether it waits.
    pub fn rest(&mut self) -> bool {
        let Some(until) = self.core.poll_timeout() else { return false };
        self.now = self.now.max(until);
        self.core.handle_timeout(self.now);
        true
    }

    /// Runs until the scan waits with nothing left to tell, or has stopped; at most `steps` requests.
    /// Returns whether it got there.
    ///
    /// # Errors
    /// As [`SimDriver::step`] and [`SimDriver::deliver`].
    ///
    /// # Cancel safety
    /// As [`SimDriver::step`] and [`SimDriver::deliver`].
    pub async fn settle(
        &mut self,
        headers: &dyn HeaderSource,
        evidence: Option<&dyn EvidenceSource>,
        sink: &dyn ScanSink,
        steps: u64,
    ) -> Result<bool> {
        let end = self.requests.saturating_add(steps);
        let mut stuck = false;
        loop {
            let asked = self.step(headers, evidence).await?;
            let told = self.deliver(sink, usize::MAX).await? > 0;
            if !asked && (self.core.fault().is_some() || self.core.poll_timeout().is_some()) {
                return Ok(true);
            }
            // A scan that neither asks nor tells nor waits, twice, is stuck.
            if self.requests >= end || stuck && !asked && !told {
                return Ok(false);
            }
            stuck = !asked && !told;
        }
    }

    /// Learns whether the commit that was cut off landed, as [`ScanSink::commit`] says.
    async fn find_out(&mut self, sink: &dyn ScanSink) -> Result<()> {
        let stored = sink.load(&self.scope).await?;
        let landed = stored.filter(|stored| stored.revision == self.revision.next());
        if let Some(stored) = landed {
            self.revision = stored.revision;
            if let Some(last) = stored.checkpoint.next_seq.0.checked_sub(1) {
                self.core.ack(EventSeq(last));
            }
        }
        self.unsure = false;
        Ok(())
    }
}

enum Answer {
    Extend(nodewright_core::Extension),
    Membership(nodewright_core::Membership),
    Evidence(Vec<nodewright_core::Evidence>),
}

/// Runs a future of the simulation to its end on this thread, without a runtime: polls it until it is ready.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
