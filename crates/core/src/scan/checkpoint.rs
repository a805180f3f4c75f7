//! What a scan remembers across a restart.

use std::collections::VecDeque;

#[cfg(feature = "serde")]
use crate::api::{UnknownFormat, Versioned, current_format};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{Evidence, EvidenceClaim, EvidenceKind, Finality};
use crate::id::{BlockId, BlockPoint, Scope};
use crate::scan::event::EventSeq;
use crate::scan::ledger::Ledger;
use crate::source::EvidenceSource;
use crate::units::BlockHeight;

/// Holds where a scan stands, as data. It proves nothing: see [`TrustedCheckpoint`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Checkpoint {
    /// Is the version of this format, [`Checkpoint::FORMAT`].
    #[cfg_attr(feature = "serde", serde(deserialize_with = "current_format::<Checkpoint, _>"))]
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
    /// Holds what the driver wants to find again with the checkpoint, in a form of its own; the core leaves it `None`.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub notes: Option<String>,
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
        let (block, finalized) = (self.finality.block, self.finalized.id);
        if block != finalized && block.height <= finalized.height && !self.may_repeat(block.height) {
            return Err(CheckpointError::OtherEvidence { block });
        }
        let ends = core::iter::once(&self.finalized);
        let heights: Vec<_> = self.history.iter().chain(ends).chain(&self.unfinal).map(|p| p.id.height).collect();
        match heights.windows(2).position(|pair| pair[0] > pair[1]) {
            Some(at) => Err(CheckpointError::OutOfOrder { at }),
            None => Ok(()),
        }
    }

    /// Returns whether a descendant of the final block may stand at `height`: chains without certificates repeat heights.
    fn may_repeat(&self, height: BlockHeight) -> bool {
        height == self.finalized.id.height && !matches!(self.finality.kind, EvidenceKind::Certificate(_))
    }
}

/// What is read is brought up to date, so that [`Checkpoint::format`] is the current one whatever was stored.
#[cfg(feature = "serde")]
impl Versioned for Checkpoint {
    const NAME: &'static str = "checkpoint";
    const OLDEST: u32 = 1;
    const FORMAT: u32 = Self::FORMAT;

    fn read<'de, D: serde::Deserializer<'de>>(format: u32, input: D) -> core::result::Result<Self, D::Error> {
        match format {
            1 => serde::Deserialize::deserialize(input),
            _ => Err(serde::de::Error::custom(UnknownFormat::of::<Self>(format))),
        }
    }
}

/// Says why a checkpoint cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Its evidence names a block that is neither its final block nor above it.
    #[error("checkpoint's evidence names block {} {:?}, which is not above its final block", block.height, block.hash)]
    OtherEvidence {
        /// Is the block that the evidence names.
        block: BlockId,
    },
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
            CheckpointError::OtherEvidence { .. }
            | CheckpointError::OutOfOrder { .. }
            | CheckpointError::UnknownFormat { .. } => ErrorKind::InvalidData,
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
        checkpoint.check(scope)?;
        let claim = &checkpoint.finality;
        if !matches!(claim.kind, EvidenceKind::Certificate(_)) {
            return Err(Error::new(ErrorKind::Unverified, "checkpoint")
                .with("evidence without certificate", format!("{:?}", claim.kind)));
        }
        let evidence = source.verify(claim).await?;
        if evidence.block() != claim.block {
            return Err(Error::new(ErrorKind::Unverified, "checkpoint")
                .with("claimed", format!("{:?}", claim.block))
                .with("verified", format!("{:?}", evidence.block())));
        }
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

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    use super::*;
    use crate::evidence::Trust;
    use crate::fixture::{certificate, id, point, points, scope};
    use crate::id::ShardId;

    /// Vouches for whatever was signed by branch 0, and answers about `instead` if that is given.
    #[derive(Debug)]
    struct Verifier {
        instead: Option<Evidence>,
    }

    #[async_trait]
    impl EvidenceSource for Verifier {
        async fn evidence(&self, _window: &[BlockPoint]) -> Result<Vec<Evidence>> {
            Ok(Vec::new())
        }

        async fn verify(&self, claim: &EvidenceClaim) -> Result<Evidence> {
            match &self.instead {
                _ if claim.bytes != [0] => Err(Error::new(ErrorKind::Unverified, "verify")),
                Some(evidence) => Ok(evidence.clone()),
                None => Ok(Evidence::attest(claim.block, "test", Trust::NodeSet, &claim.bytes)),
            }
        }
    }

    fn ready<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it waits"),
        }
    }

    fn verify(checkpoint: &Checkpoint, instead: Option<Evidence>) -> Result<TrustedCheckpoint> {
        ready(TrustedCheckpoint::verify(checkpoint, &scope(1), &Verifier { instead }))
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            format: Checkpoint::FORMAT,
            scope: scope(1),
            next_seq: EventSeq(9),
            finalized: point(10, 0),
            finality: EvidenceClaim::from(certificate(10, 0)),
            unfinal: points(11..13, 0),
            history: points(8..10, 0),
            pending: vec![certificate(20, 0).into(), certificate(21, 1).into()],
            notes: None,
        }
    }

    #[test]
    fn another_ledger_is_refused_in_every_part_of_its_name() {
        let checkpoint = checkpoint();
        assert_eq!(checkpoint.check(&scope(1)), Ok(()));
        let sharded = Scope { shard: Some(ShardId(0)), ..scope(1) };
        for other in [scope(2), sharded] {
            let error = checkpoint.check(&other).unwrap_err();
            assert!(matches!(error, CheckpointError::OtherScope { .. }), "{error}");
            assert_eq!(TrustedCheckpoint::anchor(&checkpoint, &other).unwrap_err(), error);
            assert_eq!(Error::from(error).kind(), ErrorKind::ScopeMismatch);
        }
    }

    #[test]
    fn an_unknown_format_and_blocks_out_of_order_are_refused() {
        let unknown = Checkpoint { format: 2, ..checkpoint() };
        assert_eq!(unknown.check(&scope(1)), Err(CheckpointError::UnknownFormat { found: 2 }));
        let falling = Checkpoint { unfinal: points([11, 13, 12], 0), ..checkpoint() };
        assert_eq!(falling.check(&scope(1)), Err(CheckpointError::OutOfOrder { at: 4 }));
        let repeated = Checkpoint { unfinal: points([10, 11, 11], 0), ..checkpoint() };
        assert_eq!(repeated.check(&scope(1)), Ok(()));
    }

    #[test]
    fn evidence_for_a_block_that_is_not_the_final_one_or_above_is_refused() {
        for (other, refused) in [(id(9, 0), true), (id(10, 1), true), (id(10, 0), false), (id(500, 0), false)] {
            let mut checkpoint = checkpoint();
            checkpoint.finality.block = other;
            assert_eq!(checkpoint.check(&scope(1)).is_err(), refused, "{other:?}");
            assert_eq!(verify(&checkpoint, None).is_err(), refused, "{other:?}");
        }
    }

    #[test]
    fn a_certificate_is_verified_again_and_an_answer_about_another_block_is_refused() {
        assert_eq!(verify(&checkpoint(), None).unwrap().finality.evidence, certificate(10, 0));
        let answered = verify(&checkpoint(), Some(certificate(11, 0))).unwrap_err();
        assert_eq!(answered.kind(), ErrorKind::Unverified);
        let mut forged = checkpoint();
        forged.finality.bytes = vec![7];
        assert_eq!(verify(&forged, None).unwrap_err().kind(), ErrorKind::Unverified);
    }

    #[test]
    fn evidence_without_a_certificate_is_not_verified_but_may_be_taken_as_an_anchor() {
        let mut checkpoint = checkpoint();
        checkpoint.finality = EvidenceClaim::from(Evidence::depth(id(10, 0), crate::units::BlockDelta(5)));
        assert_eq!(verify(&checkpoint, None).unwrap_err().kind(), ErrorKind::Unverified);
        let trusted = TrustedCheckpoint::anchor(&checkpoint, &scope(1)).unwrap();
        assert_eq!(trusted.finality.evidence, Evidence::anchor(id(10, 0)));
        assert!(trusted.pending.is_empty());
    }

    #[test]
    fn waiting_certificates_are_verified_one_by_one() {
        let mut trusted = verify(&checkpoint(), None).unwrap();
        let refused = ready(trusted.verify_pending(&checkpoint(), &Verifier { instead: None }));
        assert_eq!((refused, trusted.pending), (1, vec![certificate(20, 0)]));
    }
}
