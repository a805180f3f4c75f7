//! The node's own list of the quorums that sign ChainLocks.

use std::collections::HashMap;

use nodewright_core::{Error, ErrorKind, Result};
use nodewright_rpc::{CallLimits, RpcClient};
use serde_json::{Value, json};

use crate::quorum::{Network, QuorumSet, ReportedQuorum};

/// Asks the node for its newest quorums of the type that signs ChainLocks on `network`, with their keys.
///
/// Twice as many as are active are asked for. A lock is signed by a quorum that was active eight blocks below it, and by
/// the time it is checked a newer one may have taken that one's place; and a scan that resumes checks an older lock.
///
/// Two requests: the names, then one batch for the keys.
pub(super) async fn fetch(client: &RpcClient, network: Network) -> Result<QuorumSet> {
    let llmq_type = network.chain_lock_type();
    let active = llmq_type.params().map_or(0, |params| u32::from(params.active));
    let count = active.saturating_mul(2);
    let asked = [json!("list"), json!(count)];
    let listed: HashMap<String, Vec<String>> = client.call("quorum", &asked, CallLimits::default()).await?;
    let hashes = llmq_type.name().and_then(|name| listed.get(name)).map(Vec::as_slice).unwrap_or_default();
    let info = |hash| vec![json!("info"), json!(llmq_type.to_u8()), json!(hash)];
    let asked: Vec<Vec<Value>> = hashes.iter().take(MAX_QUORUMS).map(info).collect();
    let reply = client.batch("quorum", &asked, CallLimits::default().with_max_body(MAX_BODY)).await?;
    let mut entries = Vec::with_capacity(reply.len());
    for index in 0..reply.len() {
        match reply.parse::<ReportedQuorum>(index) {
            Ok(reported) => entries.push(reported.entry(llmq_type, None).map_err(invalid)?),
            // The node's chain went on between the two requests, or moved to another branch.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::OutOfRange) => {}
            Err(error) => return Err(error),
        }
    }
    QuorumSet::from_node(entries).map_err(invalid)
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::InvalidData, "quorum").because(error)
}

/// Is the most quorums asked for: twice the 24 that are active at once on the network with the most (testnet, LLMQ_50_60;
/// Dash Core v22 `src/llmq/params.h`).
const MAX_QUORUMS: usize = 48;

/// Is the largest answer in bytes: 48 quorums of 400 members at about 400 bytes each.
const MAX_BODY: usize = 8 << 20;
