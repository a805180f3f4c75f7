//! What a scan remembers across a restart.

use std::collections::VecDeque;

use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{Evidence, EvidenceClaim, EvidenceKind, Finality};
use crate::id::{BlockPoint, Scope};
use crate::scan::event::EventSeq;
use crate::scan::ledger::Ledger;
use crate::source::EvidenceSource;

/// Holds where a scan stands, as data. It proves nothing: see [`TrustedCheckpoint`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Checkpoint {
    /// Is the version of this format, [`Checkpoint::FORMAT`].
    pub format: u32,
    /// Says which ledger the scan follows.
    pub scope: Scope,
    /// Numbers the event that comes next.
    pub next_seq: EventSeq,
    /// Locates the newest final block.
    pub finalized: BlockPoint,
    /// Says why it is final.
    pub finality: EvidenceClaim,
    /// Holds the applied blocks above it, oldest first.
    pub unfinal: Vec<BlockPoint>,
    /// Holds some of the final blocks below it, oldest first.
    pub history: Vec<BlockPoint>,
    /// Holds certificates that wait for their block.
    pub pending: Vec<EvidenceClaim>,
}

impl Checkpoint {
    /// Is the version of the format that this build reads and writes.
    pub const FORMAT: u32 = 1;

    /// Checks that the checkpoint is of this format and of `scope`, and describes a possible chain.
    ///
    /// # Errors
    /// One [`CheckpointError`] for each rule.
    pub fn check(&self, scope: &Scope) -> core::result::Result<(), CheckpointError> {
        if self.format != Self::FORMAT {
            return Err(CheckpointError::UnknownFormat { found: self.format });
        }
        if self.scope != *scope {
            return Err(CheckpointError::OtherScope {
                stored: Box::new(self.scope.clone()),
                asked: Box::new(scope.clone()),
            });
        }
        let ends = core::iter::once(&self.finalized);
        let heights: Vec<_> = self.history.iter().chain(ends).chain(&self.unfinal).map(|p| p.id.height).collect();
        match heights.windows(2).position(|pair| pair[0] > pair[1]) {
            Some(at) => Err(CheckpointError::OutOfOrder { at }),
            None => Ok(()),
        }
    }
}

/// Says why a checkpoint cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It belongs to another chain, network, shard or genesis.
    #[error("checkpoint is of {stored}, the source is {asked}")]
    OtherScope {
        /// Is the scope that it was written for.
        stored: Box<Scope>,
        /// Is the scope that was asked for.
        asked: Box<Scope>,
    },
    /// Its blocks do not follow one another.
    #[error("checkpoint blocks are out of order at entry {at}")]
    OutOfOrder {
        /// Counts the entries before the break, from the oldest remembered block.
        at: usize,
    },
    /// It was written by another version.
    #[error("checkpoint has format {found}, this build reads format {}", Checkpoint::FORMAT)]
    UnknownFormat {
        /// Is the version that was found.
        found: u32,
    },
}

impl From<CheckpointError> for Error {
    fn from(error: CheckpointError) -> Self {
        let kind = match error {
            CheckpointError::OtherScope { .. } => ErrorKind::ScopeMismatch,
            CheckpointError::OutOfOrder { .. } | CheckpointError::UnknownFormat { .. } => ErrorKind::InvalidData,
        };
        Self::new(kind, "checkpoint").because(error)
    }
}

/// Holds a checkpoint whose trust was established: verified again, or taken as an explicit anchor.
#[derive(Clone, Debug)]
pub struct TrustedCheckpoint {
    scope: Scope,
    next_seq: EventSeq,
    finality: Finality,
    unfinal: Vec<BlockPoint>,
    history: Vec<BlockPoint>,
    pending: Vec<Evidence>,
}

impl TrustedCheckpoint {
    /// Starts a scan after `point`, which the caller takes as final: the first block applied is its child.
    #[must_use]
    pub fn start(scope: Scope, point: BlockPoint) -> Self {
        let finality = Finality { point, evidence: Evidence::anchor(point.id) };
        let (unfinal, history, pending) = (Vec::new(), Vec::new(), Vec::new());
        Self { scope, next_seq: EventSeq::default(), finality, unfinal, history, pending }
    }

    /// Takes the checkpoint's final block as the operator's anchor, without verifying how it became final, and leaves
    /// waiting certificates behind unless [`TrustedCheckpoint::verify_pending`] brings them back.
    ///
    /// # Errors
    /// As [`Checkpoint::check`].
    pub fn anchor(checkpoint: &Checkpoint, scope: &Scope) -> core::result::Result<Self, CheckpointError> {
        let evidence = Evidence::anchor(checkpoint.finalized.id);
        Self::with_evidence(checkpoint, scope, evidence)
    }

    /// Verifies the certificate of the checkpoint's final block again.
    ///
    /// # Errors
    /// As [`Checkpoint::check`]; `Unverified` when the stored evidence is no certificate (take an anchor instead) or
    /// does not hold; what [`EvidenceSource::verify`] says.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn verify(checkpoint: &Checkpoint, scope: &Scope, source: &dyn EvidenceSource) -> Result<Self> {
        let claim = &checkpoint.finality;
        if !matches!(claim.kind, EvidenceKind::Certificate(_)) {
            return Err(Error::new(ErrorKind::Unverified, "checkpoint")
                .with("evidence without certificate", format!("{:?}", claim.kind)));
        }
        let evidence = source.verify(claim).await?;
        Ok(Self::with_evidence(checkpoint, scope, evidence)?)
    }

    /// Verifies the checkpoint's waiting certificates again and keeps those that hold; returns how many did not.
    ///
    /// # Cancel safety
    /// Dropping the future may leave some of them out; they only wait for their block and will be served again.
    pub async fn verify_pending(&mut self, checkpoint: &Checkpoint, source: &dyn EvidenceSource) -> usize {
        let mut refused = 0;
        for claim in &checkpoint.pending {
            match source.verify(claim).await {
                Ok(evidence) => self.pending.push(evidence),
                Err(_) => refused += 1,
            }
        }
        refused
    }

    /// Returns the scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    fn with_evidence(
        checkpoint: &Checkpoint,
        scope: &Scope,
        evidence: Evidence,
    ) -> core::result::Result<Self, CheckpointError> {
        checkpoint.check(scope)?;
        Ok(Self {
            scope: scope.clone(),
            next_seq: checkpoint.next_seq,
            finality: Finality { point: checkpoint.finalized, evidence },
            unfinal: checkpoint.unfinal.clone(),
            history: checkpoint.history.clone(),
            pending: Vec::new(),
        })
    }

    pub(crate) fn into_parts(self, history_limit: usize) -> (Scope, Ledger, Vec<Evidence>) {
        let (unfinal, history) = (VecDeque::from(self.unfinal), VecDeque::from(self.history));
        let ledger = Ledger::new(self.finality, unfinal, history, self.next_seq, history_limit);
        (self.scope, ledger, self.pending)
    }
}
