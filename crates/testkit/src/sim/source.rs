//! A source that serves a simulated chain through the core's traits, and behaves as it is told.

use core::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use nodewright_core::{
    BlockHeight, BlockPoint, BlockReport, Error, ErrorKind, Evidence, EvidenceClaim, EvidenceSource, Extension,
    HeaderSource, HeightIndex, Membership, ObservationSource, Result, Scope, Tips, TxFate, TxId, TxSource, WatchItem,
    WatchSet,
};

use crate::sim::behaviour::{Backend, Behaviour, Lie, failure};
use crate::sim::chain::{SimChain, SimView};
use crate::sim::payments;

/// Serves a [`SimChain`]. Clones serve the same chain in the same way; [`SimSource::beside`] makes another node of it.
///
/// Answers are there at once: a future of this source is ready when it is first polled.
#[derive(Clone, Debug)]
pub struct SimSource {
    chain: Arc<Mutex<SimChain>>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    rng: fastrand::Rng,
    /// Counts the certificates that the node has forgotten.
    forgotten: usize,
    calls: u64,
}

impl SimSource {
    /// Serves `chain` honestly.
    #[must_use]
    pub fn new(chain: SimChain) -> Self {
        Self::over(Arc::new(Mutex::new(chain)))
    }

    /// Makes another, honest source of the same chain.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self::over(Arc::clone(&self.chain))
    }

    fn over(chain: Arc<Mutex<SimChain>>) -> Self {
        let seed = lock(&chain).scope().network.genesis.0[1];
        let rng = fastrand::Rng::with_seed(u64::from(seed));
        Self {
            chain,
            state: Arc::new(Mutex::new(State { behaviour: Behaviour::default(), rng, forgotten: 0, calls: 0 })),
        }
    }

    /// Returns the chain, to look at it or to change it. No call is answered while the guard lives, and a
    /// second guard is not given: take one in a statement of its own.
    pub fn chain(&self) -> MutexGuard<'_, SimChain> {
        lock(&self.chain)
    }

    /// Behaves like this from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state().behaviour = behaviour;
    }

    /// Changes the behaviour.
    pub fn adjust(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.state().behaviour);
    }

    /// Forgets every certificate that was issued so far, as a node does that keeps them in memory and restarts.
    pub fn forget_locks(&self) {
        let issued = self.chain().locks().len();
        self.state().forgotten = issued;
    }

    /// Returns how many calls were made.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call: fails it, or picks the node that answers.
    fn begin(&self, op: &'static str) -> Result<Call<'_>> {
        let mut state = self.state();
        state.calls += 1;
        let State { behaviour, rng, forgotten, .. } = &mut *state;
        if behaviour.fail_next > 0 {
            behaviour.fail_next -= 1;
            return Err(failure(op, rng));
        }
        if rng.u8(..100) < behaviour.fail_percent {
            return Err(failure(op, rng));
        }
        let backend = rng.choice(&behaviour.backends).copied().unwrap_or_default();
        let lie = (rng.u8(..100) < behaviour.lie_percent).then(|| rng.choice(&behaviour.lies).copied()).flatten();
        let (cut, forgotten, rng) = (behaviour.cut, *forgotten, rng.fork());
        drop(state);
        Ok(Call { chain: self.chain(), backend, lie, cut, forgotten, rng })
    }
}

/// Holds what one call is answered from.
struct Call<'a> {
    chain: MutexGuard<'a, SimChain>,
    backend: Backend,
    lie: Option<Lie>,
    cut: Option<usize>,
    forgotten: usize,
    rng: fastrand::Rng,
}

impl Call<'_> {
    fn view(&self) -> SimView<'_> {
        let view = self.backend.tip.map_or_else(|| self.chain.best_view(), |tip| self.chain.view(tip));
        if self.backend.lag == 0 {
            return view;
        }
        let depth = view.head().depth().saturating_sub(self.backend.lag);
        let behind = view.at_depth(depth).map(|block| block.id());
        behind.map_or(view, |head| self.chain.view(head))
    }

    fn extend(&mut self, locator: &[BlockPoint], max: NonZeroU32) -> Extension {
        let (asked, lie) = (usize::try_from(max.get()).unwrap_or(usize::MAX), self.lie);
        let most = if lie == Some(Lie::Overlong) {
            asked.saturating_mul(2)
        } else {
            self.cut.map_or(asked, |cut| cut.min(asked))
        };
        let skip = if lie == Some(Lie::OldFrom) { self.rng.usize(..locator.len().max(1)) } else { 0 };
        let view = self.view();
        let (from, headers) = view.after(locator.get(skip..).unwrap_or_default(), most);
        let reported_final = self.chain.reported_final().filter(|id| view.holds(&BlockPoint::from(*id)));
        let tips = Tips { head: view.head().id(), safe: None, reported_final };
        let mut answer = Extension { from, headers, tips };
        if let Some(lie) = lie {
            let any = self.rng.usize(..self.chain.best().len());
            let foreign = self.chain.below_head(any);
            lie.bend(&mut answer, foreign, &mut self.rng);
        }
        answer
    }

    fn membership(&self, point: &BlockPoint) -> Membership {
        let view = self.view();
        let truth = if view.holds(point) {
            Membership::Canonical
        } else if self.backend.headers_first && self.chain.block(&point.id.hash).is_some()
            || view.has_seen(point) && !self.backend.forgetful
        {
            Membership::Stale
        } else {
            Membership::Unknown
        };
        match (self.lie, truth) {
            (Some(Lie::Membership), Membership::Canonical) => Membership::Stale,
            (Some(Lie::Membership), Membership::Stale | Membership::Unknown) => Membership::Canonical,
            _ => truth,
        }
    }
}

#[async_trait]
impl HeaderSource for SimSource {
    async fn scope(&self) -> Result<Scope> {
        Ok(self.begin("scope")?.chain.scope().clone())
    }

    async fn extend(&self, locator: &[BlockPoint], max: NonZeroU32) -> Result<Extension> {
        Ok(self.begin("extend")?.extend(locator, max))
    }

    async fn membership(&self, point: &BlockPoint) -> Result<Membership> {
        Ok(self.begin("membership")?.membership(point))
    }
}

#[async_trait]
impl HeightIndex for SimSource {
    async fn point_at(&self, height: BlockHeight) -> Result<Option<BlockPoint>> {
        let call = self.begin("point_at")?;
        let point = call.view().at_height(height).map(|block| block.header().point);
        Ok(point)
    }
}

/// Serves what a Dash node serves: the newest certificate, and which blocks of the window have one.
#[async_trait]
impl EvidenceSource for SimSource {
    async fn evidence(&self, window: &[BlockPoint]) -> Result<Vec<Evidence>> {
        let call = self.begin("evidence")?;
        if call.lie == Some(Lie::Evidence) {
            return Err(Error::new(ErrorKind::Unverified, "evidence").with("block", format!("{:?}", call.chain.head())));
        }
        let known = call.chain.locks().get(call.forgotten..).unwrap_or_default();
        let newest = known.iter().max_by_key(|id| id.height).copied();
        let in_window = |id: &&_| Some(**id) != newest && window.iter().any(|point| point.id == **id);
        Ok(known.iter().filter(in_window).chain(newest.as_ref()).map(|id| call.chain.evidence(*id)).collect())
    }

    async fn verify(&self, claim: &EvidenceClaim) -> Result<Evidence> {
        let call = self.begin("verify")?;
        let refused = || Error::new(ErrorKind::Unverified, "verify").with("block", format!("{:?}", claim.block));
        call.chain.verify(claim).ok_or_else(refused)
    }
}

#[async_trait]
impl ObservationSource for SimSource {
    fn watch(&self, text: &str) -> Result<WatchItem> {
        payments::read_address(text)
    }

    async fn observe(&self, points: &[BlockPoint], watch: &WatchSet) -> Result<Vec<BlockReport>> {
        let call = self.begin("observe")?;
        if let Some(unknown) = points.iter().find(|point| !call.view().has_seen(point)) {
            return Err(Error::new(ErrorKind::NotFound, "observe").with("block", format!("{unknown:?}")));
        }
        Ok(points.iter().map(|point| payments::report(point, watch)).collect())
    }
}

#[async_trait]
impl TxSource for SimSource {
    async fn fate(&self, txid: &TxId) -> Result<TxFate> {
        let call = self.begin("fate")?;
        let fate = payments::fate(txid, &call.view());
        Ok(fate)
    }
}

fn lock(chain: &Mutex<SimChain>) -> MutexGuard<'_, SimChain> {
    chain.lock().unwrap_or_else(PoisonError::into_inner)
}
