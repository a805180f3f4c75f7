//! Sinks that misbehave, and one that checks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use nodewright_core::{Error, ErrorKind, Result, Retry, Revision, ScanBatch, ScanSink, Scope, Stored};
use nodewright_stores::MemorySink;
use nodewright_testkit::sim::SimSink;

/// Keeps records in one sink and holds the events to the scanner's promises in the other.
#[derive(Debug)]
pub struct Checked {
    pub kept: MemorySink,
    pub held: SimSink,
}

#[async_trait]
impl ScanSink for Checked {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        self.kept.load(scope).await
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        let revision = self.kept.commit(expected, batch.clone()).await?;
        assert_eq!(self.held.commit(expected, batch).await.unwrap(), revision);
        Ok(revision)
    }
}

/// Says how a commit goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It fails and nothing is stored.
    Before,
    /// It is stored and fails all the same.
    After,
}

/// Fails some commits and loads.
#[derive(Debug)]
pub struct Faulty {
    pub inner: Arc<dyn ScanSink>,
    pub plan: Mutex<Box<dyn Plan>>,
}

/// Decides which calls go wrong.
pub trait Plan: std::fmt::Debug + Send {
    fn commit(&mut self) -> Option<Trouble>;
    fn load(&mut self) -> bool;
}

/// Fails so many calls in a hundred, from a seed.
#[derive(Debug)]
pub struct Random(pub fastrand::Rng, pub u8);

impl Plan for Random {
    fn commit(&mut self) -> Option<Trouble> {
        let fails = self.0.u8(..100) < self.1;
        fails.then(|| if self.0.bool() { Trouble::Before } else { Trouble::After })
    }

    fn load(&mut self) -> bool {
        self.0.u8(..100) < self.1
    }
}

/// Fails the commits of these numbers, counted from 0.
#[derive(Debug)]
pub struct Listed(pub Vec<(u32, Trouble)>, pub u32);

impl Plan for Listed {
    fn commit(&mut self) -> Option<Trouble> {
        let number = self.1;
        self.1 += 1;
        self.0.iter().find(|(at, _)| *at == number).map(|(_, trouble)| *trouble)
    }

    fn load(&mut self) -> bool {
        false
    }
}

impl Faulty {
    pub fn new(inner: Arc<dyn ScanSink>, plan: impl Plan + 'static) -> Self {
        Self { inner, plan: Mutex::new(Box::new(plan)) }
    }
}

#[async_trait]
impl ScanSink for Faulty {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        if self.plan.lock().unwrap().load() {
            return Err(broken("load"));
        }
        self.inner.load(scope).await
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        let trouble = self.plan.lock().unwrap().commit();
        match trouble {
            None => self.inner.commit(expected, batch).await,
            Some(Trouble::Before) => Err(broken("commit")),
            Some(Trouble::After) => {
                self.inner.commit(expected, batch).await?;
                Err(broken("commit"))
            }
        }
    }
}

fn broken(op: &'static str) -> Error {
    Error::new(ErrorKind::Storage, op).with_retry(Retry::After(None))
}

/// Takes its time with each commit.
#[derive(Debug)]
pub struct Slow {
    pub inner: Arc<dyn ScanSink>,
    pub pause: Duration,
}

#[async_trait]
impl ScanSink for Slow {
    async fn load(&self, scope: &Scope) -> Result<Option<Stored>> {
        self.inner.load(scope).await
    }

    async fn commit(&self, expected: Revision, batch: ScanBatch) -> Result<Revision> {
        tokio::time::sleep(self.pause).await;
        self.inner.commit(expected, batch).await
    }
}
