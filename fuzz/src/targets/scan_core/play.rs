//! The operations, and what holds after each.

use core::future::Future;
use core::num::NonZeroU32;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Arc;

use nodewright_core::{
    BlockDelta, BlockHash, BlockHeight, BlockId, BlockPoint, Certified, ChainId, Checkpoint, Depth, ErrorKind,
    EventSeq, EvidenceKind, Extension, Fallback, FinalityPolicy, Membership, Moment, NetworkId, Reply, Reported,
    RequestId, ScanCore, ScanLimits, ScanRequest, Scope, TrustedCheckpoint,
};

use super::Bytes;
use super::model::Model;
use super::tree::Tree;

type Core = ScanCore<Arc<dyn FinalityPolicy>>;

pub(super) struct Play {
    policy: Arc<dyn FinalityPolicy>,
    limits: ScanLimits,
    depth: u64,
    /// Certificates name heights, so that a chain with certificates does not repeat them.
    least_step: u64,
    tree: Tree,
    core: Core,
    /// Is where all events lead.
    ahead: Model,
    /// Is where the acknowledged events lead.
    acked: Model,
    /// Is what the store holds, and where the events lead that it holds; more than is acknowledged if its answer was
    /// lost.
    stored: (Checkpoint, Model),
    now: Moment,
    old_request: Option<RequestId>,
}

/// Holds a request without what it borrows.
enum Asked {
    Extend(Vec<BlockPoint>, NonZeroU32),
    Membership(BlockPoint),
    Evidence,
}

impl Play {
    pub(super) fn new(bytes: &mut Bytes<'_>) -> Self {
        let kind = bytes.next() % 4;
        let depth = u64::from(bytes.some(8));
        let after = BlockDelta(depth);
        let policy: Arc<dyn FinalityPolicy> = match kind {
            0 => Arc::new(Depth::try_new(after).expect("not 0")),
            1 => Arc::new(Certified::try_new(Fallback::Never).expect("no depth")),
            2 => Arc::new(Certified::try_new(Fallback::After(after)).expect("not 0")),
            _ => Arc::new(Reported),
        };
        let limits = ScanLimits {
            batch: NonZeroU32::MIN.saturating_add(bytes.next().into()),
            contradictions: bytes.some(6).into(),
            events: bytes.some(40).into(),
            history: usize::from(bytes.next() % 20),
            pending: usize::from(bytes.next() % 8),
            poll: Duration::from_secs(2),
            poll_max: Duration::from_secs(60),
            road: usize::from(bytes.next() % 17),
            unfinal: NonZeroU32::MIN.saturating_add(u32::from(bytes.next() % 18) + 2),
        };
        let tree = Tree::new();
        let network = NetworkId { name: "fuzz".to_owned(), genesis: tree.id(0).hash };
        let scope = Scope { chain: ChainId::new("fuzz"), network, shard: None };
        let start = TrustedCheckpoint::start(scope, tree.header(0).point);
        let core = Core::resume(Arc::clone(&policy), start, limits.clone());
        let model = Model::new(tree.header(0));
        Self {
            policy,
            limits,
            depth,
            least_step: u64::from(kind == 1 || kind == 2),
            tree,
            stored: (core.checkpoint(None), model.clone()),
            core,
            ahead: model.clone(),
            acked: model,
            now: Moment::default(),
            old_request: None,
        }
    }

    pub(super) fn operate(&mut self, bytes: &mut Bytes<'_>) {
        let faulted = self.core.fault().cloned();
        let before = self.core.events().len();
        let operation = bytes.next();
        match operation {
            0x80.. => self.serve(operation & 0x7f, bytes),
            _ => self.act(operation, bytes),
        }
        let restarted = operation < 0x80 && operation % 16 == RESTART;
        if faulted.is_some() && !restarted {
            assert_eq!(self.core.fault(), faulted.as_ref(), "a fault stays as it is");
            assert!(self.core.events().len() <= before, "nothing comes after a fault");
            assert!(self.core.poll_request().is_none() && self.core.poll_timeout().is_none());
        }
    }

    fn act(&mut self, operation: u8, bytes: &mut Bytes<'_>) {
        match operation % 16 {
            0..=2 => {
                for _ in 0..=operation >> 4 {
                    self.tree.best = self.tree.add(self.tree.best, 1, 0);
                }
            }
            3 => {
                let (parent, step, time) = (self.tree.choose(bytes.index()), bytes.next() % 8, bytes.word());
                let step = if step < 3 { u64::from(step).max(self.least_step) } else { 1 };
                let at = self.tree.add(parent, step, time);
                if parent == self.tree.best || operation & 0x10 != 0 {
                    self.tree.best = at;
                }
            }
            4 => self.tree.best = self.tree.choose(bytes.index()),
            5 | 6 => {
                let at = self.tree.choose(bytes.index());
                if at != 0 && self.tree.locks.len() < 12 && !self.tree.locks.contains(&at) {
                    self.tree.locks.push(at);
                }
            }
            7 => {
                let id = self.tree.id(self.tree.choose(bytes.index()));
                self.tree.report(match operation >> 4 {
                    0 => None,
                    1 => Some(BlockId { hash: BlockHash([9; 32]), ..id }),
                    _ => Some(id),
                });
            }
            8 => self.core.handle_timeout(self.now),
            9 => self.rest(),
            10 => self.core.wake(),
            11 | 12 => self.deliver(bytes.index() % 8 + 1, operation & 0x10 == 0),
            13 => {
                self.core.rewind();
                self.ahead = self.acked.clone();
            }
            14 => {
                self.core.forget_request();
                self.core.take_evidence_changed();
                if let Some(old) = self.acked.next_seq.checked_sub(1 + u64::from(operation >> 4)) {
                    self.core.ack(EventSeq(old));
                }
            }
            _ => self.restart(),
        }
        self.take_events();
    }

    /// Answers one request; `mode` and what follows say how.
    fn serve(&mut self, mode: u8, bytes: &mut Bytes<'_>) {
        let Some((id, request)) = self.core.poll_request() else { return };
        let asked = match request {
            ScanRequest::Extend { locator, max } => Asked::Extend(locator.to_vec(), max),
            ScanRequest::Membership { point } => Asked::Membership(point),
            ScanRequest::Evidence { .. } => Asked::Evidence,
        };
        assert!(self.core.poll_request().is_none(), "one request at a time");
        if let Some(old) = self.old_request.replace(id) {
            self.core.handle_reply(self.now, old, Reply::Membership(Membership::Stale));
            assert!(self.core.poll_request().is_none(), "an old request is forgotten");
        }
        let tip = match mode & 3 {
            0 | 1 => self.tree.best,
            2 => self.tree.below(self.tree.best, bytes.index() % 32),
            _ => self.tree.choose(bytes.index()),
        };
        let lie = mode >> 2 & 15;
        match asked {
            _ if lie == 15 => {
                let wait = (mode & 0x40 != 0).then(|| Duration::from_secs(bytes.next().into()));
                self.core.handle_failure(self.now, id, wait);
            }
            _ if lie == 14 && mode & 0x40 != 0 => self.core.handle_reply(self.now, id, Reply::Evidence(&[])),
            Asked::Extend(locator, max) => {
                let extension = self.extension(tip, &locator, max, lie, bytes);
                self.core.handle_reply(self.now, id, Reply::Extend(&extension));
            }
            Asked::Membership(point) => {
                let membership = match lie {
                    12 => Membership::Stale,
                    13 => Membership::Unknown,
                    14 => Membership::Canonical,
                    _ if self.tree.holds(tip, &point) => Membership::Canonical,
                    _ if lie & 1 == 0 => Membership::Stale,
                    _ => Membership::Unknown,
                };
                self.core.handle_reply(self.now, id, Reply::Membership(membership));
            }
            Asked::Evidence => {
                let skip = if lie > 8 { bytes.index() % 12 } else { 0 };
                let evidence: Vec<_> = self.tree.locks.iter().skip(skip).map(|at| self.tree.evidence(*at)).collect();
                let evidence = if lie == 14 { &[] } else { &evidence[..] };
                self.core.handle_reply(self.now, id, Reply::Evidence(evidence));
            }
        }
        self.take_events();
    }

    /// Answers honestly, or with something wrong in it.
    fn extension(
        &self,
        tip: usize,
        locator: &[BlockPoint],
        max: NonZeroU32,
        lie: u8,
        bytes: &mut Bytes<'_>,
    ) -> Extension {
        let max = if lie == 8 { max.saturating_add(max.get()) } else { max };
        let skip = if lie == 9 { bytes.index() % locator.len().max(1) } else { 0 };
        let mut extension = self.tree.extend(tip, &locator[skip..], max);
        let headers = &mut extension.headers;
        let at = if (10..15).contains(&lie) { bytes.index() % headers.len().max(1) } else { 0 };
        match lie {
            7 => headers.truncate(bytes.index() % 8),
            10 if !headers.is_empty() => drop(headers.remove(at)),
            11 => extension.from = Some(self.tree.header(self.tree.choose(bytes.index())).point),
            12 => {
                if let Some(header) = headers.get_mut(at) {
                    header.point.id.height = match bytes.next() {
                        255 => BlockHeight(u64::MAX),
                        height => BlockHeight(height.into()),
                    };
                }
            }
            13 => *headers = (0..at + 1).map(|_| self.tree.header(self.tree.choose(bytes.index()))).collect(),
            14 => extension.tips.head.height = BlockHeight(bytes.word().into()),
            _ => {}
        }
        extension
    }

    /// Stores up to `most` events, and acknowledges them if the answer of the store comes.
    fn deliver(&mut self, most: usize, answered: bool) {
        let Some(last) = self.core.events().take(most).map(|(seq, _)| seq).last() else { return };
        let checkpoint = self.core.checkpoint(Some(last));
        let mut model = self.acked.clone();
        for (seq, event) in self.core.events().take(most) {
            model.take(seq, event, &self.tree, self.depth);
        }
        model.check(&checkpoint, &self.limits);
        self.stored = (checkpoint, model.clone());
        if answered {
            self.core.ack(last);
            self.acked = model;
        }
    }

    /// Goes on from what is stored, as after a crash.
    fn restart(&mut self) {
        let (stored, model) = &self.stored;
        let scope = stored.scope.clone();
        let certified = matches!(stored.finality.kind, EvidenceKind::Certificate(_));
        let mut trusted = match block_on(TrustedCheckpoint::verify(stored, &scope, &self.tree)) {
            Ok(trusted) => trusted,
            Err(error) => {
                assert!(!certified && error.kind() == ErrorKind::Unverified, "{error}");
                TrustedCheckpoint::anchor(stored, &scope).expect("it was checked when it was stored")
            }
        };
        let refused = block_on(trusted.verify_pending(stored, &self.tree));
        assert_eq!(refused, 0, "only what was certified waits");
        self.acked = model.clone();
        self.acked.forget_hold();
        self.ahead = self.acked.clone();
        self.core = Core::resume(Arc::clone(&self.policy), trusted, self.limits.clone());
        self.old_request = None;
    }

    fn rest(&mut self) {
        if let Some(until) = self.core.poll_timeout() {
            self.now = self.now.max(until);
            self.core.handle_timeout(self.now);
            assert!(self.core.poll_timeout().is_none(), "a wait ends");
        }
    }

    fn take_events(&mut self) {
        let seen = self.ahead.next_seq;
        for (seq, event) in self.core.events().filter(|(seq, _)| seq.0 >= seen) {
            self.ahead.take(seq, event, &self.tree, self.depth);
        }
    }

    pub(super) fn check(&self) {
        let (progress, limits) = (self.core.progress(), &self.limits);
        assert_eq!((progress.tip, progress.finalized), (self.ahead.tip(), self.ahead.final_point()));
        assert_eq!((progress.unfinal, progress.hold), (self.ahead.unfinal(), self.ahead.hold()));
        assert!(progress.unfinal <= usize::try_from(limits.unfinal.get()).unwrap_or(usize::MAX), "S-7: the window");
        assert!(progress.certificates <= limits.pending.max(2), "S-7: certificates that wait");
        assert!(progress.milestones <= ROADS * (limits.road.max(4) + 2), "S-7: points on the road");
        assert!(self.core.events().len() <= limits.events + 4, "S-7: events that wait");
    }

    /// Checks that the checkpoints say where the events lead.
    pub(super) fn check_checkpoints(&self) {
        let limits = &self.limits;
        self.acked.check(&self.core.checkpoint(None), limits);
        let last = self.core.events().last().map(|(seq, _)| seq);
        self.ahead.check(&self.core.checkpoint(last), limits);
    }

    /// Answers honestly until the scan waits or stops, which it must do soon.
    pub(super) fn settle(&mut self) {
        self.core.forget_request();
        for _ in 0..300 + 8 * self.tree.len() {
            self.deliver(usize::MAX, true);
            if self.core.fault().is_some() || self.core.poll_timeout().is_some() {
                return;
            }
            self.serve(0, &mut Bytes { rest: &[] });
            self.check();
        }
        panic!("it asks and asks and does not wait: {:?}", self.core.progress());
    }
}

/// Runs a future that is ready at once.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// Is the operation that may end a fault.
const RESTART: u8 = 15;

/// Is the most roads within roads: each holds its goal and as many points as the limits say.
const ROADS: usize = 6;
