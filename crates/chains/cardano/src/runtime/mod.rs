//! The life of a Mithril signer and of an aggregator, as pure state models.
//!
//! A model takes what was observed and says where it stands; it reads nothing and waits for nothing. What could not be
//! done is a fault of a [`FaultClass`], and an [`ErrorPolicy`](nodewright_core::policy::ErrorPolicy) decides what
//! becomes of the model: [`MithrilPolicy`] as Mithril's own programs do, or the operator's.
//!
//! ```text
//! signer:      Init ──► Unregistered{e} ──► ReadyToSign{e} | RegisteredNotAbleToSign{e} ──(epoch)──► Unregistered{e+1}
//! aggregator:  Idle ──► Blocked(no genesis | genesis epoch | epoch gap) ──(epoch)──► Idle
//!              Idle ──► Ready ◄──► Signing                              ──(epoch)──► Idle
//! ```
//!
//! States and transitions are those of Mithril's signer and aggregator of August 2026.

mod aggregator;
mod fault;
mod signer;
mod step;

pub use aggregator::{AggregatorEvent, AggregatorFault, AggregatorModel, AggregatorState, BlockedReason, ChainVerdict};
pub use fault::{Fault, FaultClass, MithrilPolicy};
pub use signer::{SignerEvent, SignerFault, SignerModel, SignerState};
pub use step::{OutOfPlace, Step};
