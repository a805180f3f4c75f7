//! The scan core alone, fed from memory: how fast it is, and that no block makes it allocate.
//!
//! `depth` and `road` catch up in batches of 2,000 headers, by depth and towards a certificate at the far head; the
//! `-head` rows follow the head block by block, where a step is one request that was carried out and its reply taken in.
//! What the core keeps for a whole batch, such as the list of events that wait, has reached its size after the first
//! half of the blocks; allocations are counted over the second.

use std::hint::black_box;

use nodewright_core::{
    BlockDelta, Certified, Depth, Evidence, Extension, Fallback, FinalityPolicy, Membership, Moment, Reply, ScanCore,
    ScanEvent, ScanLimits, ScanRequest, TrustedCheckpoint,
};

use crate::alloc;
use crate::measure::{Scale, rate};
use crate::report::Row;
use crate::synthetic;

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, String> {
    let depth = Depth::try_new(BlockDelta(6)).map_err(|error| error.to_string())?;
    let certified = Certified::try_new(Fallback::Never).map_err(|error| error.to_string())?;
    let (far, near) = (scale.pick(200_000, 20_000), scale.pick(20_000, 2_000));
    let goal = [synthetic::certificate(far)];
    let each: Vec<Evidence> = (1..=near).map(synthetic::certificate).collect();
    let rows = [
        measure(scale, "depth", || Feed::catching_up(depth, &[], far), far)?,
        measure(scale, "road", || Feed::catching_up(certified, &goal, far), far)?,
        measure(scale, "depth-head", || Feed::at_head(depth, &[]), near)?,
        measure(scale, "certified-head", || Feed::at_head(certified, &each), near)?,
    ];
    Ok(rows.into_iter().flatten().collect())
}

fn measure<'a, P: FinalityPolicy>(
    scale: Scale,
    name: &str,
    start: impl Fn() -> Feed<'a, P>,
    blocks: u64,
) -> Result<[Row; 2], String> {
    let mut feed = start();
    let told = |reason: String| format!("{name}: {reason}");
    feed.advance(blocks / 2).map_err(told)?;
    let before = feed.applied;
    let mut outcome = Ok(());
    let counted = alloc::count(|| outcome = feed.advance(blocks));
    outcome.map_err(told)?;
    let finalized = feed.core.progress().finalized.id.height.0;
    if feed.applied != blocks || finalized + 6 <= blocks || before > blocks * 2 / 3 {
        return Err(format!("{name}: of {blocks} blocks {} were applied, up to {finalized} final", feed.applied));
    }
    let per_block = counted.allocations as f64 / (blocks - before) as f64;

    let (items, unit) = if feed.by_one { (feed.steps, "steps/s") } else { (blocks, "blocks/s") };
    let work = || {
        let mut feed = start();
        _ = black_box(feed.advance(blocks));
        black_box(feed.applied);
    };
    Ok([
        Row::alone(&format!("c_scan_core-{name}"), unit, rate(scale, items, work)),
        Row::alone(&format!("c_scan_core-{name}-allocations"), "allocations/block", per_block).at_most(0.0),
    ])
}

/// A scan core and a chain that answers it.
struct Feed<'a, P> {
    core: ScanCore<P>,
    head: u64,
    /// Whether the chain grows by one block each time the scan has caught up with it.
    by_one: bool,
    /// Filled anew for each reply, so that the source's own allocations are not counted.
    extension: Extension,
    certificates: &'a [Evidence],
    applied: u64,
    steps: u64,
}

impl<'a, P: FinalityPolicy> Feed<'a, P> {
    fn new(policy: P, certificates: &'a [Evidence], head: u64, by_one: bool) -> Self {
        let start = TrustedCheckpoint::start(synthetic::scope(), synthetic::block(0).into());
        let core = ScanCore::resume(policy, start, ScanLimits::default());
        Self { core, head, by_one, extension: Extension::default(), certificates, applied: 0, steps: 0 }
    }

    fn catching_up(policy: P, certificates: &'a [Evidence], head: u64) -> Self {
        Self::new(policy, certificates, head, false)
    }

    /// `certificates` holds one for each block, if the policy wants any.
    fn at_head(policy: P, certificates: &'a [Evidence]) -> Self {
        Self::new(policy, certificates, 0, true)
    }

    /// Goes on until `until` blocks were applied.
    fn advance(&mut self, until: u64) -> Result<(), String> {
        let now = Moment(0);
        while self.applied < until || (self.by_one && self.core.poll_timeout().is_none()) {
            let Some((id, request)) = self.core.poll_request() else {
                if !self.by_one || self.core.poll_timeout().is_none() {
                    return Err(format!("stands still after {} blocks: {:?}", self.applied, self.core.fault()));
                }
                self.head += 1;
                self.core.wake();
                continue;
            };
            self.steps += 1;
            match request {
                ScanRequest::Extend { locator, max } => {
                    synthetic::extend(locator, max, self.head, &mut self.extension);
                    self.core.handle_reply(now, id, Reply::Extend(&self.extension));
                }
                ScanRequest::Evidence { .. } => {
                    let newest = usize::try_from(self.head).unwrap_or_default().min(self.certificates.len());
                    let newest = self.certificates.get(newest.saturating_sub(1)..newest).unwrap_or_default();
                    self.core.handle_reply(now, id, Reply::Evidence(newest));
                }
                ScanRequest::Membership { .. } => {
                    self.core.handle_reply(now, id, Reply::Membership(Membership::Canonical));
                }
            }
            self.take_events();
        }
        Ok(())
    }

    fn take_events(&mut self) {
        let mut last = None;
        for (seq, event) in self.core.events() {
            self.applied += u64::from(matches!(black_box(event), ScanEvent::Apply(_)));
            last = Some(seq);
        }
        if let Some(last) = last {
            self.core.ack(last);
        }
    }
}
