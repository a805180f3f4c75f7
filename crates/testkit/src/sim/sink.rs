//! A sink in memory that holds every event to the scanner's promises.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use nodewright_core::{
    BlockPoint, Checkpoint, Error, ErrorKind, EventSeq, Finality, Header, Result, Revision, ScanBatch, ScanEvent,
    ScanRecord, ScanSink, Scope, Stored,
};

/// Stores what is committed and rebuilds the chain from the events alone; the first event or checkpoint that breaks a
/// promise is refused with [`Broken`], and everything after it too. Clones are the same sink.
#[derive(Clone, Debug)]
pub struct SimSink {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    scope: Scope,
    start: BlockPoint,
    chain: Vec<Header>,
    /// Counts the blocks of `chain` that are final.
    finals: usize,
    finality: Option<Finality>,
    next_seq: EventSeq,
    events: Vec<ScanEvent>,
    stored: Option<Stored>,
    revision: Revision,
    broken: Option<Broken>,
}

/// Says which promise an event broke, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{promise} is broken by event {seq}: {how}")]
pub struct Broken {
    /// Is the promise's id, such as `S-1`.
    pub promise: &'static str,
    /// Numbers the event.
    pub seq: EventSeq,
    /// Says what is wrong.
    pub how: String,
}

impl SimSink {
    /// Makes an empty sink for a scan of `scope` that begins after `start`.
    #[must_use]
    pub fn new(scope: Scope, start: BlockPoint) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                scope,
                start,
                chain: Vec::new(),
                finals: 0,
                finality: None,
                next_seq: EventSeq::default(),
                events: Vec::new(),
                stored: None,
                revision: Revision::default(),
                broken: None,
            })),
        }
    }

    /// Returns what broke a promise, if anything did.
    #[must_use]
    pub fn broken(&self) -> Option<Broken> {
        self.inner().broken.clone()
    }

    /// Returns the chain that the events describe, from the first block after the start.
    #[must_use]
    pub fn chain(&self) -> Vec<Header> {
        self.inner().chain.clone()
    }

    /// Returns the final part of it.
    #[must_use]
    pub fn final_chain(&self) -> Vec<Header> {
        let inner = self.inner();
        inner.chain.iter().take(inner.finals).copied().collect()
    }

    /// Returns how many blocks are final.
    #[must_use]
    pub fn finals(&self) -> usize {
        self.inner().finals
    }

    /// Returns the newest finality.
    #[must_use]
    pub fn finality(&self) -> Option<Finality> {
        self.inner().finality.clone()
    }

    /// Returns the newest block.
    #[must_use]
    pub fn tip(&self) -> BlockPoint {
        self.inner().tip()
    }

    /// Returns every event that was stored.
    #[must_use]
    pub fn events(&self) -> Vec<ScanEvent> {
        self.inner().events.clone()
    }

    /// Returns how many events were stored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner().events.len()
    }

    /// Returns whether nothing was stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what [`ScanSink::load`] returns.
    #[must_use]
    pub fn stored(&self) -> Option<Stored> {
        self.inner().stored.clone()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ScanSink for SimSink {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        let inner = self.inner();
        if inner.scope != *scope {
            return Err(Error::new(ErrorKind::ScopeMismatch, "load").with("stored", &inner.scope).with("asked", scope));
        }
        Ok(inner.stored.clone())
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        let mut inner = self.inner();
        if inner.scope != batch.checkpoint.scope {
            return Err(Error::new(ErrorKind::ScopeMismatch, "commit").with("asked", &batch.checkpoint.scope));
        }
        if inner.revision != expected {
            return Err(Error::new(ErrorKind::Conflict, "commit")
                .with("expected", expected)
                .with("stored", inner.revision));
        }
        if inner.broken.is_none() {
            inner.broken = inner.take(&batch).err();
        }
        if let Some(broken) = inner.broken.clone() {
            return Err(Error::new(ErrorKind::Inconsistent, "commit").because(broken));
        }
        inner.revision = expected.next();
        inner.stored = Some(Stored { checkpoint: batch.checkpoint, revision: inner.revision });
        Ok(inner.revision)
    }
}

impl Inner {
    fn tip(&self) -> BlockPoint {
        self.chain.last().map_or(self.start, |header| header.point)
    }

    fn final_point(&self) -> BlockPoint {
        let newest = self.finals.checked_sub(1).and_then(|last| self.chain.get(last));
        newest.map_or(self.start, |header| header.point)
    }

    fn take(&mut self, batch: &ScanBatch) -> core::result::Result<(), Broken> {
        for ScanRecord { seq, event, .. } in &batch.records {
            self.ensure(*seq == self.next_seq, "S-6", || format!("its number is {seq}"))?;
            self.take_event(event)?;
            self.events.push(event.clone());
            self.next_seq = seq.next();
        }
        self.check_checkpoint(&batch.checkpoint)
    }

    fn take_event(&mut self, event: &ScanEvent) -> core::result::Result<(), Broken> {
        match event {
            ScanEvent::Apply(header) => {
                let tip = self.tip();
                let linked = header.parent == tip.id.hash && header.point.id.height >= tip.id.height;
                self.ensure(linked, "S-1", || format!("{header:?} does not link to {tip:?}"))?;
                self.chain.push(*header);
            }
            ScanEvent::RollBack { to, dropped } => {
                let kept = self.chain.len().saturating_sub(dropped.len());
                let tail = self.chain.iter().skip(kept).rev().map(|header| header.point);
                let exact = !dropped.is_empty() && tail.eq(dropped.iter().copied());
                self.ensure(exact, "S-3", || format!("the newest blocks are not {dropped:?}"))?;
                self.ensure(kept >= self.finals, "S-2", || format!("{dropped:?} holds final blocks"))?;
                self.chain.truncate(kept);
                let end = self.tip();
                self.ensure(end == *to, "S-3", || format!("the end is {end:?}, not {to:?}"))?;
            }
            ScanEvent::Finalize(finality) => {
                let above = self.chain.iter().skip(self.finals).position(|header| header.point == finality.point);
                let finals = above.map(|at| self.finals.saturating_add(at).saturating_add(1));
                self.ensure(finals.is_some(), "S-2", || format!("{:?} is not unfinal", finality.point))?;
                let (block, point) = (finality.evidence.block(), finality.point.id);
                // On a chain that repeats heights a descendant may stand at the same one.
                let beside = block.height == point.height && !finality.evidence.is_certificate();
                let names = block == point || block.height > point.height || beside;
                self.ensure(names, "S-5", || format!("{point:?} is final by evidence of {block:?}"))?;
                self.finals = finals.unwrap_or(self.finals);
                self.finality = Some(finality.clone());
            }
            ScanEvent::Hold(_) | ScanEvent::Resume => {}
        }
        Ok(())
    }

    fn check_checkpoint(&self, checkpoint: &Checkpoint) -> core::result::Result<(), Broken> {
        let unfinal = self.chain.iter().skip(self.finals).map(|header| header.point);
        self.ensure(checkpoint.next_seq == self.next_seq, "S-6", || format!("checkpoint at {}", checkpoint.next_seq))?;
        self.ensure(checkpoint.finalized == self.final_point(), "S-6", || {
            format!("checkpoint says {:?} is final, the events say {:?}", checkpoint.finalized, self.final_point())
        })?;
        self.ensure(unfinal.eq(checkpoint.unfinal.iter().copied()), "S-6", || {
            format!("checkpoint says {:?} is applied", checkpoint.unfinal)
        })?;
        let history = checkpoint.history.iter().rev().copied();
        let below = self.chain.iter().take(self.finals.saturating_sub(1)).rev().map(|header| header.point);
        let remembered = history.zip(below).all(|(ours, theirs)| ours == theirs);
        self.ensure(remembered, "S-6", || "checkpoint remembers another history".to_owned())
    }

    fn ensure(
        &self,
        holds: bool,
        promise: &'static str,
        how: impl FnOnce() -> String,
    ) -> core::result::Result<(), Broken> {
        if holds { Ok(()) } else { Err(Broken { promise, seq: self.next_seq, how: how() }) }
    }
}
