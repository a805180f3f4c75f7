//! A simulated chain and a source that serves it, well or badly.
//!
//! Everything is decided by seeds and answers at once: there is no clock, no network and no runtime in here.
//!
//! - [`SimChain`] is the truth: a tree of blocks, its best branch, its certificates. A chain's own simulator renders it
//!   in the chain's wire format, with a [`Mint`] that makes real blocks.
//! - [`SimSource`] serves a `SimChain` through the traits of the core, and lags, lies, fails and forgets when it is told to.
//! - [`SimDriver`] carries a scan's requests to a source and its events to a [`SimSink`].
//! - [`SimSink`] stores commits in memory and holds every event to the scanner's promises.

mod behaviour;
mod chain;
mod driver;
mod mint;
mod payments;
mod sink;
mod slow;
mod source;

pub use behaviour::{Backend, Behaviour, Lie};
pub use chain::{Heights, SimBlock, SimChain, SimView};
pub use driver::{SimDriver, block_on};
pub use mint::{Draft, Mint, Minted, PlainMint};
pub use sink::{Broken, SimSink};
pub use slow::Slow;
pub use source::SimSource;
