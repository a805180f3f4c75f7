//! Deposits: what was paid to the watched scripts, and what became of it.
//!
//! Everything here is pure: it takes committed records and gives answers; it asks no node and reads no clock.
//!
//! - [`FollowUps`] remembers which transactions may still vanish or did, so that the driver can watch what they
//!   consume. It travels with the checkpoint (`Checkpoint::notes`), so a restart loses none of it.
//! - [`DepositBook`] is the operator's view. After a restart it is rebuilt by folding what the sink stored again.
//! - [`ValueWeight`] turns the value of the deposits of one block into confirmations.

mod book;
mod deposit;
mod follow;
mod notes;
mod weight;

pub use book::DepositBook;
pub use deposit::{Deposit, DepositKey, DepositState, Fate};
pub use follow::FollowUps;
pub use weight::{ValueWeight, Weighed, WeightError};
