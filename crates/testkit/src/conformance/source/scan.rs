//! S-1 to S-10: a scan over the source, driven step by step.

use core::future::{Future, poll_fn};
use core::num::NonZeroU32;
use core::pin::pin;
use core::task::Poll;
use std::sync::Arc;

use nodewright_core::{
    BlockDelta, BlockHash, Certified, Depth, ErrorKind, EvidenceSource, Fallback, FinalityPolicy, Header, HoldReason,
    ScanEvent, ScanLimits,
};

use super::{Builder, Entry, Scenario, Stop, Subject, ability, ensure};
use crate::sim::{SimDriver, SimSink};

pub(super) const ALL: &[Entry] = &[
    Entry { id: "S-1", name: "every block is applied once and in order", run: |b| Box::pin(in_order(b)) },
    Entry { id: "S-2", name: "a node that lags makes the scan hold and not stop", run: |b| Box::pin(lag_holds(b)) },
    Entry { id: "S-2", name: "a reorganisation below finality stops the scan", run: |b| Box::pin(below_finality(b)) },
    Entry { id: "S-3", name: "a reorganisation is one rollback to the fork", run: |b| Box::pin(reorganise(b)) },
    Entry { id: "S-3", name: "a reorganisation to a lower tip is followed", run: |b| Box::pin(lower_tip(b)) },
    Entry { id: "S-4", name: "a certificate may come before its block", run: |b| Box::pin(early_certificate(b)) },
    Entry { id: "S-5", name: "two nodes behind one URL seal nothing wrong", run: |b| Box::pin(two_nodes(b)) },
    Entry { id: "S-6", name: "a scan that is cut off goes on from its commit", run: |b| Box::pin(cut_off(b)) },
    Entry { id: "S-6", name: "a node that restarts or fails is asked again", run: |b| Box::pin(node_fails(b)) },
    Entry { id: "S-7", name: "a long way is caught up with in a small window", run: |b| Box::pin(small_window(b)) },
    Entry { id: "S-8", name: "a slow consumer misses nothing", run: |b| Box::pin(slow_consumer(b)) },
    Entry { id: "S-9", name: "dropping futures half-way loses nothing", run: |b| Box::pin(dropped(b)) },
    Entry { id: "S-10", name: "a checkpoint of another ledger is refused", run: |b| Box::pin(other_ledger(b)) },
];

/// Holds a scan from genesis over a subject, certified where the subject has certificates.
struct Scan<'a> {
    subject: &'a Subject,
    limits: ScanLimits,
    sink: SimSink,
    driver: SimDriver<Arc<dyn FinalityPolicy>>,
}

impl<'a> Scan<'a> {
    async fn start(subject: &'a Subject, limits: ScanLimits) -> Result<Self, Stop> {
        let sink = SimSink::new(subject.adapter.scope.clone(), subject.genesis());
        let driver = resume(subject, &limits, &sink).await?;
        Ok(Self { subject, limits, sink, driver })
    }

    async fn restart(&mut self) -> Result<(), Stop> {
        self.driver = resume(self.subject, &self.limits, &self.sink).await?;
        Ok(())
    }

    /// Drives the scan through `waits` waits.
    async fn drive(&mut self, waits: usize) -> Result<(), Stop> {
        for _ in 0..waits {
            let settled =
                self.driver.settle(&*self.subject.adapter.headers, evidence(self.subject), &self.sink, 2_000).await?;
            ensure(settled, || "the scan asks and asks and does not wait".to_owned())?;
            self.driver.rest();
        }
        match self.driver.core().fault() {
            Some(fault) => Err(Stop::Fail(format!("the scan stopped: {fault}"))),
            None => Ok(()),
        }
    }

    /// Drives the scan and compares it with the chain as the source serves it.
    async fn arrive(&mut self) -> Result<Vec<Header>, Stop> {
        self.drive(4).await?;
        let truth = self.subject.chain(self.subject.genesis()).await?;
        let ours = self.sink.chain();
        let differ = ours.iter().zip(&truth).position(|(ours, theirs)| ours != theirs);
        ensure(ours == truth, || {
            format!("the scan holds {} blocks, the chain {}; first difference: {differ:?}", ours.len(), truth.len())
        })?;
        Ok(truth)
    }
}

async fn in_order(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 120 }).await?;
    let mut scan = Scan::start(&subject, ScanLimits::default()).await?;
    scan.arrive().await?;
    for count in [1, 3, 1] {
        subject.control.grow(count).await?;
        scan.arrive().await?;
    }
    let applied = scan.sink.events().iter().filter(|event| matches!(event, ScanEvent::Apply(_))).count();
    ensure(applied == 125, || format!("{applied} blocks were applied, not 125"))
}

async fn lag_holds(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 40 }).await?;
    let mut scan = Scan::start(&subject, ScanLimits::default()).await?;
    scan.arrive().await?;
    for lag in [30, 3, 17] {
        subject.control.lag(lag).await?;
        scan.drive(12).await?;
    }
    subject.control.lag(0).await?;
    scan.arrive().await?;
    Ok(())
}

async fn below_finality(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 40 }).await?;
    let mut scan = Scan::start(&subject, ScanLimits::default()).await?;
    if subject.adapter.evidence.is_some() {
        let head = subject.points().await?[38];
        subject.control.lock(&head).await?;
    }
    scan.arrive().await?;
    let finality = scan.sink.finality().ok_or_else(|| Stop::Fail("nothing is final".to_owned()))?;
    subject.control.reorg(30, 32).await?;
    let stopped = scan.drive(12).await;
    if finality.evidence.is_certificate() {
        // The source's word does not outweigh a certificate: the scan waits for the source to come back.
        stopped?;
        let hold = scan.driver.core().progress().hold;
        ensure(hold == Some(HoldReason::SourceForked), || format!("the scan holds for {hold:?}"))?;
    } else {
        ensure(stopped.is_err(), || "the scan did not stop".to_owned())?;
    }
    ensure(scan.sink.finality() == Some(finality), || "finality moved".to_owned())
}

async fn reorganise(builder: &dyn Builder) -> Result<(), Stop> {
    for (depth, count, batch) in [(1, 2, 2_000), (3, 5, 2), (6, 7, 1)] {
        let subject = builder.build(Scenario { blocks: 20 }).await?;
        let batch = NonZeroU32::new(batch).unwrap_or(NonZeroU32::MIN);
        let mut scan = Scan::start(&subject, ScanLimits { batch, ..ScanLimits::default() }).await?;
        let before = scan.arrive().await?;
        let seen = scan.sink.len();
        subject.control.reorg(depth, count).await?;
        scan.arrive().await?;
        let fork = before[before.len() - depth - 1].point;
        rolled_back_once(&scan, seen, &[(fork.id.height.0, depth)])?;
    }
    Ok(())
}

async fn lower_tip(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 20 }).await?;
    let mut scan = Scan::start(&subject, ScanLimits::default()).await?;
    let before = scan.arrive().await?;
    let seen = scan.sink.len();
    subject.control.reorg(5, 2).await?;
    let after = scan.arrive().await?;
    ensure(after.len() == before.len() - 3, || format!("{} blocks after {}", after.len(), before.len()))?;
    rolled_back_once(&scan, seen, &[(15, 5)])?;
    subject.control.grow(9).await?;
    scan.arrive().await?;
    Ok(())
}

async fn early_certificate(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 20 }).await?;
    ability(subject.adapter.evidence.as_ref(), "evidence source")?;
    let mut scan = Scan::start(&subject, ScanLimits::default()).await?;
    scan.arrive().await?;
    subject.control.lag(3).await?;
    subject.control.grow(3).await?;
    let locked = subject.control.head().await?;
    subject.control.lock(&locked).await?;
    scan.drive(2).await?;
    let pending =
        scan.sink.stored().is_some_and(|stored| stored.checkpoint.pending.iter().any(|claim| claim.block == locked.id));
    ensure(pending, || "the certificate was not kept".to_owned())?;
    ensure(scan.sink.finals() == 0, || "something is final before its time".to_owned())?;
    scan.restart().await?;
    subject.control.lag(0).await?;
    scan.arrive().await?;
    let point = scan.sink.finality().map(|finality| finality.point.id);
    ensure(point == Some(locked.id), || format!("{point:?} is final, not {locked:?}"))
}

async fn two_nodes(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 30 }).await?;
    let mut scan = Scan::start(&subject, ScanLimits { contradictions: 20, ..ScanLimits::default() }).await?;
    scan.arrive().await?;
    subject.control.split(3, 2).await?;
    scan.drive(60).await?;
    let best = subject.control.head().await?;
    subject.control.heal().await?;
    subject.control.grow(1).await?;
    let truth = scan.arrive().await?;
    ensure(truth.iter().any(|header| header.point == best), || "the wrong branch won".to_owned())
}

async fn cut_off(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 60 }).await?;
    let batch = NonZeroU32::new(7).unwrap_or(NonZeroU32::MIN);
    let mut scan = Scan::start(&subject, ScanLimits { batch, ..ScanLimits::default() }).await?;
    for turn in 0..40_usize {
        scan.driver.step(&*subject.adapter.headers, evidence(&subject)).await?;
        scan.driver.deliver(&scan.sink, turn % 5).await?;
        scan.driver.rest();
        if turn % 4 == 3 {
            scan.restart().await?;
        }
        match turn {
            10 => subject.control.grow(2).await?,
            20 => subject.control.reorg(2, 3).await?,
            _ => {}
        }
    }
    scan.arrive().await?;
    Ok(())
}

async fn node_fails(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 40 }).await?;
    let mut scan = Scan::start(&subject, ScanLimits::default()).await?;
    scan.arrive().await?;
    subject.control.grow(2).await?;
    subject.control.restart().await?;
    scan.arrive().await?;
    subject.control.grow(2).await?;
    subject.control.fail_next(3).await?;
    scan.drive(6).await?;
    scan.arrive().await?;
    Ok(())
}

async fn small_window(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: Scenario::MOST }).await?;
    let small = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
    let limits = ScanLimits { batch: small(6), events: 12, road: 4, unfinal: small(11), ..ScanLimits::default() };
    if subject.adapter.evidence.is_some() {
        let head = subject.control.head().await?;
        subject.control.lock(&head).await?;
    }
    let mut scan = Scan::start(&subject, limits).await?;
    let head = scan.arrive().await?;
    let finals = scan.sink.finals();
    ensure(finals + 11 > head.len(), || format!("{finals} of {} blocks are final", head.len()))
}

async fn slow_consumer(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 60 }).await?;
    let mut scan = Scan::start(&subject, ScanLimits { events: 5, ..ScanLimits::default() }).await?;
    for turn in 0..60 {
        scan.driver.step(&*subject.adapter.headers, evidence(&subject)).await?;
        let waiting = scan.driver.core().events().len();
        ensure(waiting <= 9, || format!("{waiting} events wait, 5 may"))?;
        if turn % 6 == 0 {
            scan.driver.deliver(&scan.sink, 2).await?;
        }
    }
    scan.arrive().await?;
    Ok(())
}

async fn dropped(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 60 }).await?;
    let batch = NonZeroU32::new(5).unwrap_or(NonZeroU32::MIN);
    let mut scan = Scan::start(&subject, ScanLimits { batch, ..ScanLimits::default() }).await?;
    for polls in (0..60).map(|turn| turn % 4) {
        let drive = scan.driver.settle(&*subject.adapter.headers, evidence(&subject), &scan.sink, 20);
        if let Some(result) = drop_after(polls, drive).await {
            result?;
        }
        scan.driver.rest();
    }
    scan.arrive().await?;
    Ok(())
}

async fn other_ledger(builder: &dyn Builder) -> Result<(), Stop> {
    let subject = builder.build(Scenario { blocks: 10 }).await?;
    let mut scan = Scan::start(&subject, ScanLimits::default()).await?;
    scan.arrive().await?;
    let (stored, mut other) = (scan.sink.stored(), subject.adapter.scope.clone());
    other.network.genesis = BlockHash([1; 32]);
    let resumed = SimDriver::resume(
        policy(&subject),
        ScanLimits::default(),
        &other,
        subject.genesis(),
        &scan.sink,
        evidence(&subject),
    );
    match resumed.await {
        Ok(_) => return Err(Stop::Fail("a checkpoint of another genesis was taken".to_owned())),
        Err(error) => ensure(error.kind() == ErrorKind::ScopeMismatch, || error.to_string())?,
    }
    ensure(scan.sink.stored() == stored, || "the refused checkpoint was touched".to_owned())
}

async fn resume(
    subject: &Subject,
    limits: &ScanLimits,
    sink: &SimSink,
) -> Result<SimDriver<Arc<dyn FinalityPolicy>>, Stop> {
    let (scope, start) = (&subject.adapter.scope, subject.genesis());
    Ok(SimDriver::resume(policy(subject), limits.clone(), scope, start, sink, evidence(subject)).await?)
}

fn policy(subject: &Subject) -> Arc<dyn FinalityPolicy> {
    let policy: Result<Arc<dyn FinalityPolicy>, _> = if subject.adapter.evidence.is_some() {
        Certified::try_new(Fallback::Never).map(|policy| Arc::new(policy) as _)
    } else {
        Depth::try_new(BlockDelta(DEPTH)).map(|policy| Arc::new(policy) as _)
    };
    policy.unwrap_or_else(|_| Arc::clone(&subject.adapter.policy))
}

fn evidence(subject: &Subject) -> Option<&dyn EvidenceSource> {
    subject.adapter.evidence.as_deref()
}

/// Checks that the events from `seen` on hold exactly these rollbacks: the fork's height and how many blocks went.
fn rolled_back_once(scan: &Scan<'_>, seen: usize, expected: &[(u64, usize)]) -> Result<(), Stop> {
    let rollbacks: Vec<_> = (scan.sink.events().iter().skip(seen))
        .filter_map(|event| match event {
            ScanEvent::RollBack { to, dropped } => Some((to.id.height.0, dropped.len())),
            _ => None,
        })
        .collect();
    ensure(rollbacks == expected, || format!("rolled back to {rollbacks:?}, not {expected:?}"))
}

/// Polls `future` up to `polls` times, then drops it.
async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Is how many confirmations make a block final in these cases: deeper than every reorganisation but the one that is to
/// be refused.
const DEPTH: u64 = 10;
