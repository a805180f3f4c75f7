//! Masternode quorums: their types, their keys, and which of them has to sign what.
//!
//! A quorum of masternodes holds one BLS key in shares. For every request (a height to lock, a
//! transaction to lock) the protocol names the one quorum that signs it, out of those that were
//! active a few blocks before. [`QuorumSet`] repeats that choice.

mod llmq;
mod report;
mod select;
mod set;

pub use self::llmq::{LlmqParams, LlmqType, Network};
pub use self::report::{QuorumTextError, ReportedQuorum};
pub use self::select::{Choice, SIGN_HEIGHT_OFFSET, Signer, SignerError, rotation_slot, score, sign_hash};
pub use self::set::{QuorumEntry, QuorumHash, QuorumSet, QuorumSetError};
