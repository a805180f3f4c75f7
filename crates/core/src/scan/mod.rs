//! The scan: a state machine that follows one chain, and what it remembers.
//!
//! [`ScanCore`] performs no I/O and reads no clock. A driver asks it for the next request, carries the request to a
//! source, brings the reply back, and moves events to a sink. What each file holds:
//!
//! - `core`: the machine, one request at a time;
//! - `branch`: what a reply means for the blocks that are applied: extend, reorganise, hold, or a contradiction;
//! - `edge`: waiting before the edge of an era that this build does not support;
//! - `road`: catching up towards a certificate far ahead, in segments of bounded size;
//! - `ledger`: the chain as the events describe it; kept twice, as produced and as acknowledged;
//! - `checkpoint`, `event`, `limits`, `request`: the data that goes in and out.

mod branch;
mod checkpoint;
mod core;
mod edge;
mod event;
mod fault;
mod ledger;
mod limits;
mod request;
mod road;

pub use self::checkpoint::{Checkpoint, CheckpointError, TrustedCheckpoint};
pub use self::core::{Progress, ScanCore};
pub use self::event::{EventSeq, HoldReason, ScanEvent};
pub use self::fault::ScanFault;
pub use self::limits::ScanLimits;
pub use self::request::{Reply, RequestId, ScanRequest};
