//! A random play: a chain that grows, forks and certifies, a source that lags, fails and lies, and a scan over both.
//!
//! The play keeps to what each policy assumes of its chain (a depth policy's chain does not reorganise deeper than that
//! depth, certificates do not contradict each other, …), so a correct scan never stops in it.

use std::sync::Arc;

use fastrand::Rng;
use nodewright_core::{BlockId, BlockPoint, EvidenceSource, FinalityPolicy, ScanEvent, ScanLimits};
use nodewright_testkit::sim::{Backend, Behaviour, Heights, Lie, SimChain, SimDriver, SimSink, SimSource, block_on};

use crate::kind::{Kind, limits};

/// Is how many seeds each promise is held against in the short form.
pub(crate) const SHORT: u64 = 3_000;
/// Is how many in the long form.
pub(crate) const LONG: u64 = 60_000;

/// Says what happens in a play besides growth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) reorgs: bool,
    pub(crate) lies: bool,
    pub(crate) faults: bool,
    pub(crate) backends: bool,
    pub(crate) restarts: bool,
    pub(crate) turns: usize,
}

impl Script {
    /// Nothing happens but growth.
    pub(crate) const QUIET: Self =
        Self { reorgs: false, lies: false, faults: false, backends: false, restarts: false, turns: 20 };

    /// Everything happens.
    pub(crate) const ALL: Self =
        Self { reorgs: true, lies: true, faults: true, backends: true, restarts: true, turns: 40 };
}

pub(crate) struct Play {
    pub(crate) seed: u64,
    pub(crate) rng: Rng,
    pub(crate) kind: Kind,
    pub(crate) limits: ScanLimits,
    pub(crate) source: SimSource,
    pub(crate) sink: SimSink,
    pub(crate) driver: SimDriver<Arc<dyn FinalityPolicy>>,
    pub(crate) start: BlockPoint,
    script: Script,
    /// Counts the blocks of the longest branch so far.
    longest: usize,
    pub(crate) forks: Vec<BlockId>,
    /// Names the highest certificate that the node has forgotten.
    forgotten: Option<BlockId>,
}

impl Play {
    pub(crate) fn new(seed: u64, script: Script) -> Self {
        let mut rng = Rng::with_seed(seed);
        let kind = Kind::any(&mut rng);
        Self::with(seed, script, kind)
    }

    pub(crate) fn with(seed: u64, script: Script, kind: Kind) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x5eed);
        let heights = match rng.u8(..4) {
            0 => Heights::Skipping,
            1 if !kind.is_certified() => Heights::Repeating,
            _ => Heights::Rising,
        };
        let mut chain = SimChain::new(seed).with_heights(heights);
        chain.grow(rng.usize(..6));
        let start = BlockPoint::from(chain.head());
        chain.grow(rng.usize(..60));
        let longest = chain.best().len();
        let limits = limits(&mut rng, kind);
        let source = SimSource::new(chain);
        let scope = source.chain().scope().clone();
        let sink = SimSink::new(scope, start);
        let driver = resume(kind, &limits, &source, start, &sink);
        Self {
            seed,
            rng,
            kind,
            limits,
            source,
            sink,
            driver,
            start,
            script,
            longest,
            forks: Vec::new(),
            forgotten: None,
        }
    }

    /// Plays to the end and checks that the scan arrives where the chain is.
    pub(crate) fn run(mut self) -> Self {
        for _ in 0..self.script.turns {
            self.act();
            self.drive_a_little();
            self.check();
        }
        self.calm();
        self.arrive();
        self
    }

    pub(crate) fn act(&mut self) {
        match self.rng.u8(..24) {
            0..=5 => self.grow(),
            6 | 7 if self.script.reorgs => self.reorg(),
            8 if self.script.reorgs => self.fork(),
            9..=11 => self.certify(),
            12 | 13 => self.change_backends(),
            14 | 15 => self.change_behaviour(),
            16 if self.script.restarts => self.restart(),
            17 if self.amnesia_is_harmless() => self.forget(),
            18 => self.source.chain().follow_locks(),
            19 if self.script.restarts => block_on(self.driver.rewind(&self.sink)).unwrap(),
            _ => {}
        }
        let length = self.source.chain().best().len();
        self.longest = self.longest.max(length);
        self.drop_dead_forks();
    }

    fn grow(&mut self) {
        let count = if self.rng.u8(..8) == 0 { self.rng.usize(1..50) } else { self.rng.usize(1..4) };
        self.source.chain().grow(count);
    }

    /// The lowest depth at which a branch may leave the best one without breaking what the policy assumes.
    fn floor(&self) -> usize {
        let chain = self.source.chain();
        let depth_of = |id: BlockId| chain.block(&id.hash).map_or(0, |block| block.depth());
        let reported = chain.reported_final().map_or(0, depth_of);
        let buried = self.kind.depth().map_or(0, |depth| self.longest.saturating_sub(depth));
        // Nothing but depth speaks against a branch without a certificate that was forgotten.
        let forgotten = self.forgotten.filter(|_| self.kind != Kind::Never).map_or(0, depth_of);
        depth_of(self.start.id).max(reported).max(buried).max(forgotten)
    }

    fn reorg(&mut self) {
        let length = self.source.chain().best().len();
        let deepest = (length - 1).saturating_sub(self.floor());
        let depth = if self.rng.bool() { deepest } else { deepest.min(3) };
        let (depth, count) = (self.rng.usize(..=depth), self.rng.usize(..6));
        let count = if self.rng.bool() { depth + count } else { count };
        self.source.chain().reorg(depth, count);
    }

    /// Makes a branch beside the best one; it never gets long enough to be final by depth.
    fn fork(&mut self) {
        let length = self.source.chain().best().len();
        let deepest = (length - 1).saturating_sub(self.floor());
        let depth = self.rng.usize(..=deepest);
        let most = self.kind.depth().map_or(8, |depth| depth - 1);
        let count = self.rng.usize(..=most);
        let from = self.source.chain().below_head(depth);
        let mut chain = self.source.chain();
        let tip = chain.fork(from, count);
        // A scan that follows this branch may call as much of it final.
        self.longest = self.longest.max(chain.view(tip).head().depth() + 1);
        self.forks.push(tip);
    }

    /// Certifies a block on a branch that holds every certified block so far, or moves the reported final block on.
    fn certify(&mut self) {
        let below = self.rng.usize(..5);
        let mut chain = self.source.chain();
        if self.kind == Kind::Reported {
            let next = chain.below_head(below);
            let last = chain.reported_final();
            if last.is_none_or(|last| chain.view(next).holds(&last.into())) {
                chain.report_final(Some(next));
            }
            return;
        }
        if !self.kind.is_certified() {
            return;
        }
        let tip = self.rng.choice(&self.forks).copied().filter(|_| self.rng.u8(..3) == 0).unwrap_or(chain.head());
        let view = chain.view(tip);
        let depth = view.head().depth().saturating_sub(below);
        let Some(id) = view.at_depth(depth).map(|block| block.id()) else { return };
        let view = chain.view(id);
        let consistent = chain.locks().iter().all(|lock| view.holds(&(*lock).into()));
        let above_floor = view.holds(&self.start) && id.height > self.start.id.height;
        let shared =
            (0..=depth).rev().find(|depth| view.at_depth(*depth).is_some_and(|block| chain.is_best(&block.id())));
        drop(view);
        drop(chain);
        if consistent && above_floor && shared >= Some(self.floor().min(depth)) {
            self.source.chain().lock(id);
        }
    }

    fn change_backends(&mut self) {
        let mut backends = Vec::new();
        if self.script.backends {
            for _ in 0..self.rng.usize(..3) {
                let tip = self.rng.choice(&self.forks).copied().filter(|_| self.rng.bool());
                let lag = if self.rng.bool() { self.rng.usize(..8) } else { 0 };
                backends.push(Backend { tip, lag, forgetful: self.rng.bool(), headers_first: self.rng.bool() });
            }
        }
        self.source.adjust(|behaviour| behaviour.backends = backends);
    }

    fn change_behaviour(&mut self) {
        let lies: Vec<_> = Lie::ALL.into_iter().filter(|_| self.rng.bool()).collect();
        let lie_percent = if self.script.lies && self.rng.bool() { self.rng.u8(..40) } else { 0 };
        let fail_percent = if self.script.faults && self.rng.bool() { self.rng.u8(..40) } else { 0 };
        let cut = self.rng.bool().then(|| self.rng.usize(1..10));
        self.source.adjust(|behaviour| {
            *behaviour = Behaviour { lies, lie_percent, fail_percent, cut, ..behaviour.clone() };
        });
    }

    fn forget(&mut self) {
        self.source.forget_locks();
        self.forgotten = self.source.chain().locks().iter().max_by_key(|id| id.height).copied();
    }

    /// Whether no branch can become final by depth that a forgotten certificate contradicts.
    fn amnesia_is_harmless(&self) -> bool {
        let chain = self.source.chain();
        self.kind == Kind::Never || chain.locks().iter().all(|lock| chain.is_best(lock))
    }

    /// A node whose branch left the chain below what is final contradicts it for good: the play leaves that to others.
    fn drop_dead_forks(&mut self) {
        let floor = self.floor();
        let chain = self.source.chain();
        let alive = |tip: BlockId| {
            let view = chain.view(tip);
            view.at_depth(floor).is_some_and(|block| chain.is_best(&block.id()))
        };
        let kind = self.kind;
        self.forks.retain(|tip| kind == Kind::Never && chain.view(*tip).holds(&self.start) || alive(*tip));
        drop(chain);
        let forks = &self.forks;
        self.source.adjust(|behaviour| {
            behaviour.backends.retain(|backend| backend.tip.is_none_or(|tip| forks.contains(&tip)));
        });
    }

    pub(crate) fn restart(&mut self) {
        self.driver = resume(self.kind, &self.limits, &self.source, self.start, &self.sink);
    }

    pub(crate) fn drive_a_little(&mut self) {
        for _ in 0..self.rng.usize(..10) {
            self.step();
            if self.rng.u8(..4) == 0 {
                self.driver.rest();
            }
        }
    }

    /// Does one request, and delivers some of the events.
    pub(crate) fn step(&mut self) {
        self.request();
        self.deliver();
        if self.rng.u8(..4) == 0 {
            self.driver.core_mut().wake();
        }
    }

    /// Does one request.
    pub(crate) fn request(&mut self) {
        let evidence = self.kind.is_certified().then_some(&self.source as &dyn EvidenceSource);
        let before = self.driver.core().events().len();
        // Unverified evidence is an error that a driver may decide to stop at; this one goes on.
        drop(block_on(self.driver.step(&self.source, evidence)));
        self.check_reorganisation(before);
    }

    /// Delivers some of the events.
    pub(crate) fn deliver(&mut self) {
        let most = self.rng.usize(..8);
        block_on(self.driver.deliver(&self.sink, most)).unwrap_or_else(|error| self.fail(&error.to_string()));
    }

    /// Delivers every event.
    pub(crate) fn deliver_all(&mut self) {
        block_on(self.driver.deliver(&self.sink, usize::MAX)).unwrap_or_else(|error| self.fail(&error.to_string()));
    }

    /// Drives the scan until it waits.
    pub(crate) fn settle(&mut self) {
        let length = u64::try_from(self.source.chain().best().len()).unwrap();
        let evidence = self.kind.is_certified().then_some(&self.source as &dyn EvidenceSource);
        let done = block_on(self.driver.settle(&self.source, evidence, &self.sink, 200 + 8 * length));
        let done = done.unwrap_or_else(|error| self.fail(&error.to_string()));
        self.ensure(done, "it asks and asks and does not wait");
    }

    /// Lets the scan wait and go on, `times` times.
    pub(crate) fn wait(&mut self, times: u32) {
        for _ in 0..times {
            self.driver.rest();
            self.settle();
        }
    }

    /// Returns the applied blocks that the scan remembers, with those that were not delivered.
    pub(crate) fn applied(&self) -> Vec<BlockPoint> {
        let core = self.driver.core();
        let last = core.events().last().map(|(seq, _)| seq);
        let checkpoint = core.checkpoint(last);
        checkpoint.history.into_iter().chain([checkpoint.finalized]).chain(checkpoint.unfinal).collect()
    }

    /// Checks that one answer rolls back once at most, and not below where the branches fork.
    fn check_reorganisation(&self, before: usize) {
        let new: Vec<_> = self.driver.core().events().skip(before).map(|(_, event)| event).collect();
        let rolled_back = new.iter().filter_map(|event| match event {
            ScanEvent::RollBack { dropped, .. } => Some(dropped),
            _ => None,
        });
        let dropped: Vec<_> = rolled_back.collect();
        self.ensure(dropped.len() <= 1, "S-3: one answer rolled back twice");
        let again = new.iter().any(|event| match event {
            ScanEvent::Apply(header) => dropped.iter().any(|dropped| dropped.contains(&header.point)),
            _ => false,
        });
        self.ensure(!again, "S-3: a block was rolled back and applied again");
    }

    pub(crate) fn check(&self) {
        let core = self.driver.core();
        if let Some(fault) = core.fault() {
            self.fail(&format!("it stopped: {fault}"));
        }
        let progress = core.progress();
        let unfinal = usize::try_from(self.limits.unfinal.get()).unwrap();
        self.ensure(progress.unfinal <= unfinal, "too many unfinal blocks");
        self.ensure(core.events().len() <= self.limits.events + 4, "too many events");
    }

    /// Lets the chain end in one branch that everyone serves, certified or reported as the policy wants it.
    pub(crate) fn calm(&mut self) {
        self.source.behave(Behaviour::default());
        let mut chain = self.source.chain();
        chain.follow_locks();
        // A branch is certain to win once it is higher than every other.
        let highest = self.driver.core().progress().tip.id.height.max(self.sink.tip().id.height);
        while chain.head().height <= highest {
            chain.grow(1);
        }
        chain.grow(2 + self.rng.usize(..3));
        if self.kind == Kind::Never || self.kind.is_certified() && self.rng.bool() {
            let id = chain.below_head(self.rng.usize(..2));
            chain.lock(id);
        }
        if self.kind == Kind::Reported {
            let id = chain.below_head(self.rng.usize(..2));
            chain.report_final(Some(id));
        }
    }

    /// Drives the scan to the head within a bounded number of requests and waits, and compares it with the truth.
    pub(crate) fn arrive(&mut self) {
        let length = self.source.chain().best().len();
        let mut settled = 0;
        for _ in 0..6 + length / 4 {
            self.settle();
            self.check();
            settled = if self.is_there() { settled + 1 } else { 0 };
            if settled == 2 {
                return self.compare();
            }
            self.driver.rest();
        }
        self.compare();
    }

    pub(crate) fn is_there(&self) -> bool {
        self.sink.tip().id == self.source.chain().head() && self.expected_finals() <= self.sink.finals()
    }

    pub(crate) fn expected_finals(&self) -> usize {
        let chain = self.source.chain();
        let start = chain.block(&self.start.id.hash).unwrap().depth();
        let depth_of = |id: BlockId| chain.block(&id.hash).unwrap().depth() - start;
        let by_depth =
            (self.kind.depth()).map_or(0, |depth| (chain.best().len() - 1 - start).saturating_sub(depth - 1));
        let newest_lock = chain.locks().last().filter(|_| self.kind == Kind::Never).copied();
        by_depth.max(newest_lock.map_or(0, depth_of)).max(chain.reported_final().map_or(0, depth_of))
    }

    fn compare(&self) {
        let truth: Vec<_> = self.source.chain().best().map(|block| *block.header()).collect();
        let start = truth.iter().position(|header| header.point == self.start).unwrap();
        let ours = self.sink.chain();
        if ours != truth[start + 1..] {
            let at = ours.iter().zip(&truth[start + 1..]).position(|(a, b)| a != b);
            self.fail(&format!(
                "it holds {} blocks, the chain {}; first difference at {at:?}; {:?}",
                ours.len(),
                truth.len() - start - 1,
                self.driver.core().progress()
            ));
        }
        let (finals, expected) = (self.sink.finals(), self.expected_finals());
        if finals < expected {
            self.fail(&format!("{finals} blocks are final, not {expected}; {:?}", self.driver.core().progress()));
        }
    }

    pub(crate) fn ensure(&self, holds: bool, what: &str) {
        if !holds {
            self.fail(what);
        }
    }

    pub(crate) fn fail(&self, what: &str) -> ! {
        if std::env::var_os("NODEWRIGHT_SEED").is_some() {
            let best: Vec<_> = self.source.chain().best().rev().take(12).map(|block| block.id()).collect();
            panic!(
                "seed {} under {:?} with {:?}: {what}\nchain {best:?}\nscan {:?}\nevents {:?}",
                self.seed,
                self.kind,
                self.limits,
                self.driver.core().progress(),
                self.sink.events().iter().collect::<Vec<_>>()
            );
        }
        panic!("seed {} under {:?} with {:?}: {what}", self.seed, self.kind, self.limits)
    }
}

pub(crate) fn resume(
    kind: Kind,
    limits: &ScanLimits,
    source: &SimSource,
    start: BlockPoint,
    sink: &SimSink,
) -> SimDriver<Arc<dyn FinalityPolicy>> {
    let scope = source.chain().scope().clone();
    let evidence = kind.is_certified().then_some(source as &dyn EvidenceSource);
    // A node that fails for a moment is asked again.
    for _ in 0..100 {
        if let Ok(driver) = block_on(SimDriver::resume(kind.policy(), limits.clone(), &scope, start, sink, evidence)) {
            return driver;
        }
    }
    panic!("the node fails for ever")
}
