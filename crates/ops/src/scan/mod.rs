//! Driving a scan: requests to sources, blocks to reports, events to a sink, and what to do when something fails.
//!
//! What each file holds:
//!
//! - `driver`: [`ScanDriver`], the public face;
//! - `options`: what a scan is to do, with its defaults;
//! - `open`: from a stored checkpoint, or a start point, to a running core;
//! - `pipeline`: the loop;
//! - `ask`, `plan`, `store`: its three lanes: requests, observed chunks, commits; `settle`: what the end of each means;
//! - `policy`: what to do about a failure; `failures` counts them;
//! - `listener`, `pace`: what a user interface is told, and how fast the scan is;
//! - `rescan`: looking at a range again without touching the checkpoint;
//! - `clock`: the driver's monotonic time.

mod ask;
pub(crate) mod clock;
mod driver;
mod failures;
mod listener;
mod open;
mod options;
mod pace;
mod pipeline;
mod plan;
mod policy;
mod rescan;
mod settle;
mod store;

pub use driver::{ScanDriver, ScanError, Stop};
pub use listener::{Notice, ScanListener, ScanProgress};
pub use nodewright_core::policy::{Action, ErrorPolicy, Failure, Stage};
pub use options::{ResumeTrust, ScanOptions, StartAt};
pub use policy::StandardPolicy;
