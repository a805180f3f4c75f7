//! Whether ChainLocks are switched on, and how a node that forgot its lock is told again.

use std::collections::BTreeMap;

use nodewright_core::{BlockTime, Error, ErrorKind, Result};
use nodewright_rpc::{CallLimits, RpcClient};
use serde_json::{Value, json};

use crate::chainlock::ChainLock;

/// Says whether a node enforces ChainLocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SporkState {
    /// Spork 19 is active: flags and locks can be relied on.
    Active,
    /// Spork 19 is known and not active.
    Inactive,
    /// The node has not heard of spork 19, as after a start without peers.
    Unknown,
}

/// Asks the node for every spork that it has heard of (`spork show`): by name, the time in seconds from which it holds, or
/// whatever else its value means. A spork that has never been sent to the node has the value of its program.
///
/// # Errors
/// When the node cannot be asked; `InvalidData` if a value is no whole number.
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn sporks(client: &RpcClient) -> Result<BTreeMap<String, i64>> {
    client.call("spork", &[json!("show")], CallLimits::default()).await
}

/// Asks the node whether spork 19 (`SPORK_19_CHAINLOCKS_ENABLED`) is active: its value is the time from which it holds.
/// `now` is the wall clock.
///
/// # Errors
/// When the node cannot be asked.
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn spork_state(client: &RpcClient, now: BlockTime) -> Result<SporkState> {
    let now = i64::try_from(now.0).unwrap_or(i64::MAX);
    Ok(match sporks(client).await?.get("SPORK_19_CHAINLOCKS_ENABLED") {
        Some(from) if *from <= now => SporkState::Active,
        Some(_) => SporkState::Inactive,
        None => SporkState::Unknown,
    })
}

/// Tells a node a lock that it forgot (`submitchainlock`); returns the height of its best lock afterwards.
///
/// A node keeps its locks in memory only. After a restart the lock that the tip's coinbase carries, handed back, makes
/// the flags of every block up to it true again, without the network.
///
/// # Errors
/// `Rejected` or `InvalidData` when the node refuses the lock; when it cannot be asked.
///
/// # Cancel safety
/// Dropping the future may leave the lock submitted, which is harmless: submitting it again is accepted.
pub async fn rehydrate(client: &RpcClient, lock: &ChainLock) -> Result<u64> {
    let signature = hex::encode(lock.signature.as_bytes());
    let params = [json!(lock.block_hash.to_reversed_hex()), json!(signature), json!(lock.height)];
    let best: Value = client.call("submitchainlock", &params, CallLimits::default()).await?;
    best.as_u64().ok_or_else(|| Error::new(ErrorKind::InvalidData, "submitchainlock").with("result", best))
}
