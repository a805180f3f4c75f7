//! ChainLocks as evidence: asked from a node, verified here to the stated trust.

mod coinbase;
mod locks;
mod quorums;
mod sporks;

pub use self::locks::{ChainLockOptions, ChainLocks, LockTrust, best_chain_lock};
pub use self::sporks::{SporkState, rehydrate, spork_state, sporks};
