//! Traits and pure state machines for following a blockchain without losing a block.
//!
//! This crate knows no chain, no network, no runtime and no clock. It holds
//!
//! - the **units and names** that every chain shares ([`BlockHeight`], [`BlockId`], [`Scope`], …),
//! - the **sources** that a chain crate implements ([`HeaderSource`], [`ObservationSource`], [`EvidenceSource`], …),
//! - the **finality policies** that decide which block is final, and by what [`Evidence`],
//! - the **scan core** ([`ScanCore`]): a state machine that asks for headers and evidence, and answers with
//!   [`ScanEvent`]s in order. It performs no I/O; a driver carries its requests to a source and its events to a sink,
//! - the **sink** contract ([`ScanSink`]): events, their effects and the checkpoint commit together,
//! - the **error policy** ([`policy::ErrorPolicy`]): the place where somebody decides what to do about a failure,
//! - **eras**: an [`EraSchedule`] says which rules hold where, an [`EraChecker`] follows a chain through them by finality,
//!   an [`EraStamp`] tells any thread which holds, and an [`EraGate`] holds a scan before rules that the build does not know.
//!
//! ```text
//!   HeaderSource ──replies──► ScanCore ──events──► driver ──batch──► ScanSink
//!   EvidenceSource ─────────►    │                    ▲
//!                                └──── requests ──────┘   (the driver lives in nodewright-ops)
//! ```
//!
//! # The scanner's promises
//!
//! | id | promise |
//! |---|---|
//! | S-1 | Net of rollbacks, every block of the final chain is applied exactly once, in order, each linked to its parent. |
//! | S-2 | `Finalize` never moves back and never names a block that was not applied; contradicting evidence stops the scan. |
//! | S-3 | A reorganisation is one `RollBack` to the fork point, then `Apply`s; a certified branch wins against a longer one. |
//! | S-4 | Evidence that arrives before its block is kept, across a restart too, and takes effect when the block does. |
//! | S-5 | Finality is decided by block id, never by height. |
//! | S-6 | After a crash at any instant the scan resumes from the last commit. |
//! | S-7 | Memory is bounded by stated limits, however far behind the scan is and however long no certificate comes. |
//! | S-8 | A slow consumer slows the fetching; nothing is dropped. |
//! | S-9 | Every future is cancel-safe, or its documentation says what is lost. |
//! | S-10 | A checkpoint of another network, shard or genesis is refused, untouched. |
//!
//! What this crate does *not* do: fetch, sleep, retry, log, or decide what an operator should do about an error.

mod adapter;
pub mod api;
mod era;
mod error;
mod evidence;
mod finality;
#[cfg(test)]
mod fixture;
mod header;
mod id;
mod observation;
pub mod policy;
mod scan;
mod secret;
mod sink;
mod source;
mod time;
mod units;

pub use adapter::ChainAdapter;
pub use era::{
    Activation, ChainPosition, EraAxis, EraChange, EraChecker, EraDistance, EraError, EraGate, EraId, EraMarker,
    EraPositions, EraReader, EraSchedule, EraStamp, EraStanding, EraState, SupportedEras,
};
pub use error::{Error, ErrorKind, Result, Retry};
pub use evidence::{Evidence, EvidenceClaim, EvidenceKind, Finality, Trust};
pub use finality::{
    Certified, ChainView, Depth, EvidencePool, Fallback, FinalityPolicy, PolicyError, Reported, Verdict,
};
pub use header::Header;
pub use id::{BlockHash, BlockId, BlockPoint, ChainId, HashTextError, NetworkId, Scope, ShardId};
pub use observation::{
    Amount, BlockReport, NearMiss, NearMissReason, Observation, Spend, SpendKey, TxFate, TxId, WatchItem, WatchRules,
    WatchSet,
};
pub use scan::{
    Checkpoint, CheckpointError, EventSeq, HoldReason, Progress, Reply, RequestId, ScanCore, ScanEvent, ScanFault,
    ScanLimits, ScanRequest, TrustedCheckpoint,
};
pub use secret::Secret;
pub use sink::{Revision, ScanBatch, ScanRecord, ScanSink, Stored};
pub use source::{
    BlockSource, EvidenceSource, Extension, HeaderSource, HeightIndex, Membership, ObservationSource, ScanBlock, Tips,
    TxSource, WakeSource,
};
pub use time::{BlockTime, Moment};
pub use units::{BlockDelta, BlockHeight, Epoch, EpochDelta, ProtocolVersion, Slot};
