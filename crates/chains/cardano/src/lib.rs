//! Cardano and Mithril for Nodewright: certificates, era markers, aggregators, snapshots, and an operator's watches.
//!
//! What each module holds:
//!
//! - [`certificate`]: certificates, their hashes and rules, and the chain to genesis; [`artifact`]: what they sign;
//! - [`era`]: era markers, signed and guarded; [`node`]: asking a node over its Unix socket or its command line;
//! - [`aggregator`]: Mithril's aggregators, in every version that they speak; `adapter`: a node as a chain to scan;
//! - [`snapshot`]: a node's database, downloaded, checked and put in place;
//! - [`kes`], [`watch`], [`runtime`]: registrations, what an operator should know in time, and the life of a signer;
//! - [`keys`], [`network`]: Ed25519 keys in the forms that Mithril writes, and the networks with theirs;
//! - `sim` (feature `sim`): a node and a network inside the process.

#[cfg(unix)]
mod adapter;
pub mod aggregator;
pub mod artifact;
pub mod certificate;
pub mod era;
pub mod kes;
pub mod keys;
pub mod network;
pub mod node;
pub mod runtime;
#[cfg(feature = "sim")]
pub mod sim;
pub mod snapshot;
mod text;
mod units;
pub mod watch;

#[cfg(unix)]
pub use adapter::{
    CardanoOptions, MITHRIL_DEPTH, MITHRIL_DEPTH_PREPROD, SECURITY_PARAMETER, certified_policy, connect, connect_over,
    depth_policy,
};
pub use units::{ImmutableFileNumber, Stake};
