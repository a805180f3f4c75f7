//! Dash for Nodewright: X11 ids, ChainLocks verified at three trust levels, InstantSend locks.
//!
//! [`connect`] makes a [`ChainAdapter`](nodewright_core::ChainAdapter) of a node. What each module holds:
//!
//! - `adapter`, [`preflight`](mod@preflight): from a URL to an adapter, and what an operator should know first;
//! - `eras`: activations as eras, and what this build speaks;
//! - [`finality`]: ChainLocks as evidence, at the trust that is asked for;
//! - [`chainlock`], [`islock`], [`quorum`], [`mnlist`], [`bls`]: claims and their verification, without I/O;
//! - [`x11()`]: the hash that names a block; [`address`]: scripts as text;
//! - `sim` (feature `sim`): a network inside the process.

mod adapter;
pub mod address;
pub mod bls;
pub mod chainlock;
mod eras;
pub mod finality;
pub mod islock;
pub mod mnlist;
mod params;
pub mod preflight;
pub mod quorum;
#[cfg(feature = "sim")]
pub mod sim;
mod x11;

pub use adapter::{DASH, DashOptions, connect, connect_over};
pub use eras::{KNOWN_DEPLOYMENTS, api_ranges};
pub use preflight::{Finding, preflight};
pub use x11::x11;
