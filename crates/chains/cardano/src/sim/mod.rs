//! Simulated counterparts for tests and examples, which speak the real protocols.

pub mod aggregator;
pub mod devnet;
#[cfg(unix)]
pub mod node;
