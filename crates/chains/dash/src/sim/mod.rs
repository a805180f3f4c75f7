//! A Dash network inside the process: real serialized blocks, a quorum that really signs, a node on loopback.
//!
//! - [`build`] writes transactions and blocks as bytes;
//! - [`SimQuorum`] signs ChainLocks with a BLS key of its own;
//! - [`DashMint`] makes the blocks of a [`SimChain`](nodewright_testkit::sim::SimChain), ids hashed with X11;
//! - [`DashNode`] serves what one node knows over JSON-RPC and REST, with the habits of the real one;
//! - [`replay`] plays a recording of a real network on such a node;
//! - [`SimNetwork`] ties them together and plays: growth, forks, locks, restarts.
//!
//! The network says that it is a Dash regtest and starts at the real genesis block of one, so that a client treats it
//! as it would the real thing.

pub mod build;
mod control;
mod mint;
mod network;
mod node;
mod quorum;
pub mod replay;

pub use self::control::{SimBuilder, SimControl};
pub use self::mint::{DashBody, DashMint};
pub use self::network::SimNetwork;
pub use self::node::{DashNode, NodeOptions, NodeState};
pub use self::quorum::SimQuorum;
