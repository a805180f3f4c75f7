//! From a stored checkpoint, or a start point, to a running core.

use std::sync::Arc;

use nodewright_core::{
    BlockDelta, BlockHeight, BlockId, BlockPoint, ChainAdapter, Checkpoint, Error, ErrorKind, EventSeq, EvidenceKind,
    FinalityPolicy, Result, Revision, ScanCore, ScanSink, Scope, Tips, TrustedCheckpoint,
};

use crate::observer::FollowUps;
use crate::scan::clock::Clock;
use crate::scan::listener::Notice;
use crate::scan::options::{ResumeTrust, ScanOptions, StartAt};

/// Holds what a driver works with.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) adapter: ChainAdapter,
    pub(crate) sink: Arc<dyn ScanSink>,
    pub(crate) options: ScanOptions,
    pub(crate) clock: Clock,
}

/// Holds a scan between two runs: everything in it agrees with what the sink holds.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) core: ScanCore<Arc<dyn FinalityPolicy>>,
    pub(crate) revision: Revision,
    /// Is the height of the newest final block that is committed.
    pub(crate) finalized: BlockHeight,
    /// Holds what is followed after the committed events.
    pub(crate) followed: Arc<FollowUps>,
    /// Says that the checkpoint is worth storing although no event waits.
    pub(crate) unsaved: bool,
    /// Counts the removed transactions before the one that the next round of questions begins with.
    pub(crate) enquired: usize,
}

impl Parts {
    /// Opens the scan. The source's scope is checked before the sink is read, and nothing is written.
    pub(crate) async fn open(&self) -> Result<Session> {
        let scope = self.check_source().await?;
        let policy = self.policy()?;
        let limits = self.options.limits.clone();
        let Some(stored) = self.sink.load(scope).await? else {
            let anchor = self.start().await?;
            tracing::info!(%scope, height = %anchor.id.height, "scan starts");
            self.notice(Notice::Opened { next_seq: EventSeq::default() });
            let trusted = TrustedCheckpoint::start(scope.clone(), anchor);
            return Ok(Session {
                core: self.gated(ScanCore::resume(policy, trusted, limits)),
                revision: Revision::default(),
                finalized: anchor.id.height,
                followed: Arc::default(),
                unsaved: self.options.start == StartAt::Head,
                enquired: 0,
            });
        };
        let checkpoint = &stored.checkpoint;
        let trusted = self.trust(checkpoint, scope).await?;
        let followed = FollowUps::from_notes(checkpoint.notes.as_deref())?;
        let tip = checkpoint.unfinal.last().unwrap_or(&checkpoint.finalized).id.height;
        tracing::info!(%scope, final_height = %checkpoint.finalized.id.height, tip_height = %tip, "scan resumes");
        self.notice(Notice::Opened { next_seq: checkpoint.next_seq });
        Ok(Session {
            core: self.gated(ScanCore::resume(policy, trusted, limits)),
            revision: stored.revision,
            finalized: checkpoint.finalized.id.height,
            followed: Arc::new(followed),
            unsaved: false,
            enquired: 0,
        })
    }

    /// Puts the gate of the options before `core`.
    fn gated<P: FinalityPolicy>(&self, mut core: ScanCore<P>) -> ScanCore<P> {
        core.set_gate(self.options.gate.clone());
        core
    }

    /// Returns the scope after the source has confirmed it.
    pub(crate) async fn check_source(&self) -> Result<&Scope> {
        let served = self.adapter.headers.scope().await?;
        let scope = &self.adapter.scope;
        if served != *scope {
            return Err(Error::new(ErrorKind::ScopeMismatch, "scan").with("wanted", scope).with("served", served));
        }
        Ok(scope)
    }

    fn policy(&self) -> Result<Arc<dyn FinalityPolicy>> {
        let policy = self.options.policy.as_ref().unwrap_or(&self.adapter.policy);
        if policy.wants_evidence() && self.adapter.evidence.is_none() {
            return Err(
                Error::new(ErrorKind::Config, "scan").with("no source of certificates for", &self.adapter.scope.chain)
            );
        }
        if self.observes() && self.adapter.observations.is_none() {
            return Err(Error::new(ErrorKind::Unsupported, "observe").with("chain", &self.adapter.scope.chain));
        }
        Ok(Arc::clone(policy))
    }

    /// Returns whether blocks are looked into.
    pub(crate) fn observes(&self) -> bool {
        self.options.watch.items().next().is_some()
    }

    async fn trust(&self, checkpoint: &Checkpoint, scope: &Scope) -> Result<TrustedCheckpoint> {
        let mut trusted = match self.options.resume {
            ResumeTrust::AnchorFinalized => TrustedCheckpoint::anchor(checkpoint, scope)?,
            ResumeTrust::Verify if self.is_own_anchor(checkpoint).await? => {
                TrustedCheckpoint::anchor(checkpoint, scope)?
            }
            ResumeTrust::Verify => {
                let Some(evidence) = &self.adapter.evidence else {
                    return Err(Error::new(ErrorKind::Config, "scan").with("nothing to verify with for", &scope.chain));
                };
                TrustedCheckpoint::verify(checkpoint, scope, &**evidence).await?
            }
        };
        if let Some(evidence) = &self.adapter.evidence {
            let refused = trusted.verify_pending(checkpoint, &**evidence).await;
            if refused > 0 {
                tracing::warn!(refused, "stored certificates did not verify and were left out");
            }
        }
        Ok(trusted)
    }

    /// Returns whether the checkpoint's final block is the anchor that the options name, taken as such.
    async fn is_own_anchor(&self, checkpoint: &Checkpoint) -> Result<bool> {
        if checkpoint.finality.kind != EvidenceKind::Anchor {
            return Ok(false);
        }
        Ok(match self.options.start {
            StartAt::Anchor(point) => point == checkpoint.finalized,
            StartAt::Head => false,
            StartAt::Height(height) => self.point_before(height).await? == checkpoint.finalized,
        })
    }

    async fn start(&self) -> Result<BlockPoint> {
        match self.options.start {
            StartAt::Anchor(point) => Ok(point),
            StartAt::Head => self.near_head().await,
            StartAt::Height(height) => self.point_before(height).await,
        }
    }

    async fn near_head(&self) -> Result<BlockPoint> {
        let tips = self.tips().await?;
        if let Some(reported) = tips.reported_final {
            return Ok(reported.into());
        }
        self.point_at(BlockHeight(tips.head.height.0.saturating_sub(HEAD_MARGIN.0))).await
    }

    pub(crate) async fn tips(&self) -> Result<Tips> {
        let genesis = BlockId { height: BlockHeight(0), hash: self.adapter.scope.network.genesis };
        let one = core::num::NonZeroU32::MIN;
        Ok(self.adapter.headers.extend(&[genesis.into()], one).await?.tips)
    }

    pub(crate) async fn point_before(&self, height: BlockHeight) -> Result<BlockPoint> {
        self.point_at(BlockHeight(height.0.saturating_sub(1))).await
    }

    async fn point_at(&self, height: BlockHeight) -> Result<BlockPoint> {
        let Some(heights) = &self.adapter.heights else {
            return Err(Error::new(ErrorKind::Unsupported, "block at height").with("chain", &self.adapter.scope.chain));
        };
        let beyond = || Error::new(ErrorKind::OutOfRange, "block at height").with("height", height);
        heights.point_at(height).await?.ok_or_else(beyond)
    }
}

/// Is how far below a source's newest block a scan from the head begins: six blocks, the depth at which exchanges of the
/// Bitcoin family have long called a payment settled.
const HEAD_MARGIN: BlockDelta = BlockDelta(6);
