//! Simulated chain, scripted nodes, loopback server, fault proxy and the conformance suite of Nodewright.

pub mod conformance;
pub mod fault_proxy;
mod golden;
mod litecoind;
pub mod loopback;
pub mod nodes;
pub mod sim;
mod skip;

pub use golden::{GoldenError, NEW_GOLDEN, check_golden};
pub use litecoind::Litecoind;
pub use skip::{CORPUS, LONG, SEED, SKIP_LOG, corpus, long, seeds, skip, skip_allowed};
