//! What stops a scan for good.

use crate::era::EraError;
use crate::error::{Error, ErrorKind};
use crate::evidence::Evidence;
use crate::id::BlockId;

/// Says why a scan stopped; it is never retried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanFault {
    /// The era of a block cannot be told, so neither can whether this build can decode it.
    #[error("era of block {} {:?} is not known: {error}", at.height, at.hash)]
    EraUnknown {
        /// Names the block.
        at: BlockId,
        /// Says why.
        error: EraError,
    },
    /// A final block is contradicted: by a certificate, or, where finality had none, persistently by the source.
    #[error(
        "final block {} {:?} is contradicted by block {} {:?}",
        ours.block().height, ours.block().hash, theirs.height, theirs.hash
    )]
    FinalityViolated {
        /// Says what made our block final.
        ours: Evidence,
        /// Names the block that cannot be on the same chain as ours.
        theirs: BlockId,
        /// Holds the certificate of theirs, if there is one.
        certificate: Option<Evidence>,
    },
    /// The source gave, again and again, answers that contradict themselves.
    #[error("{count} answers in a row do not link to the chain they claim to extend; the last began at height {}", at.height)]
    Inconsistent {
        /// Counts the answers.
        count: u32,
        /// Names the first block of the last answer that did not link.
        at: BlockId,
    },
}

impl From<&ScanFault> for Error {
    fn from(fault: &ScanFault) -> Self {
        let kind = match fault {
            ScanFault::FinalityViolated { .. } => ErrorKind::FinalityViolated,
            ScanFault::EraUnknown { .. } | ScanFault::Inconsistent { .. } => ErrorKind::Inconsistent,
        };
        Error::new(kind, "scan").because(fault.clone())
    }
}
