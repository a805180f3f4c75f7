//! Soft-fork deployments as a node reports them, and as eras.
//!
//! Nodes of the family switch rules in two ways: at a height that was written into the program once the switch was
//! history (*buried*), or by the blocks' own signals (BIP 9). A signalled deployment goes through a small state machine,
//! one step at most each period of blocks:
//!
//! ```text
//!   defined ──start time──► started ──enough signals──► locked in ──a period later──► active
//!                              └───────time-out───────► failed
//! ```
//!
//! - `stage`: where a deployment stands, and how many blocks are left to the next decision;
//! - `report`: reading it from `getblockchaininfo` or `getdeploymentinfo`;
//! - `schedule`: deployments as an era schedule;
//! - `reader`: a node as an `EraReader`.

mod reader;
mod report;
mod schedule;
mod stage;

pub use self::reader::{Confirmations, FinalHeight, UtxoEras};
pub use self::report::DeploymentReport;
pub use self::schedule::{BASE_ERA, DeploymentError, SEPARATOR, era_schedule, supported_eras};
pub use self::stage::{Deployment, Signals, Stage};
