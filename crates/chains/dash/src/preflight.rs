//! What an operator should know about a node before relying on it.

use core::fmt;

use nodewright_core::{BlockHeight, BlockTime, Result};
use nodewright_utxo::client::NodeClient;

use crate::finality::{SporkState, best_chain_lock, spork_state};
use crate::quorum::Network;

/// Says one thing about a node that may keep a scan from working as expected. `Display` is one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// ChainLocks are switched off on this network (spork 19 is known and not active): no new block becomes final.
    ChainLocksInactive,
    /// The node has not heard of spork 19, as after a start without peers: it takes no ChainLock until it has.
    ChainLocksUnknown,
    /// The node is catching up: what it calls its newest block is not the network's.
    InitialDownload {
        /// Is the height of its newest block.
        blocks: BlockHeight,
        /// Is the height of its newest header.
        headers: BlockHeight,
    },
    /// The node knows no ChainLock now, as after a restart. Locks that coinbases carry are used meanwhile.
    NoChainLock,
    /// The node is older than the first version whose coinbases carry ChainLocks.
    OldNode {
        /// Is its version as the node says it, such as 190200 for 19.2.0.
        version: u64,
    },
    /// The node has deleted old blocks: a scan can start no earlier than this.
    Pruned {
        /// Is the height of the oldest block that it has.
        from: BlockHeight,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChainLocksInactive => f.write_str("chainlocks are switched off on this network (spork 19)"),
            Self::ChainLocksUnknown => {
                f.write_str("the node does not know whether chainlocks are on (spork 19): no peers yet?")
            }
            Self::InitialDownload { blocks, headers } => {
                write!(f, "the node is catching up: block {blocks} of {headers}")
            }
            Self::NoChainLock => f.write_str("the node knows no chainlock yet, as after a restart"),
            Self::OldNode { version } => {
                write!(f, "the node has version {version}, chainlocks in coinbases need {FIRST}")
            }
            Self::Pruned { from } => write!(f, "the node is pruned: its oldest block is {from}"),
        }
    }
}

/// Asks a node what an operator should know before relying on it; an empty list is good news. `now` is the wall clock.
///
/// # Errors
/// When the node cannot be asked.
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn preflight(client: &NodeClient, now: BlockTime) -> Result<Vec<Finding>> {
    let chain = client.chain_info().await?;
    let version = client.network_info().await?.version;
    let mut findings = Vec::new();
    if version < FIRST {
        findings.push(Finding::OldNode { version });
    }
    if chain.initial_block_download {
        let (blocks, headers) = (BlockHeight(chain.blocks), BlockHeight(chain.headers));
        findings.push(Finding::InitialDownload { blocks, headers });
    }
    if chain.pruned {
        findings.push(Finding::Pruned { from: BlockHeight(chain.prune_height.unwrap_or_default()) });
    }
    match spork_state(client.rpc(), now).await? {
        SporkState::Active => {}
        SporkState::Inactive => findings.push(Finding::ChainLocksInactive),
        SporkState::Unknown => findings.push(Finding::ChainLocksUnknown),
    }
    let network = Network::from_chain(&chain.chain).unwrap_or(Network::Devnet);
    if best_chain_lock(client.rpc(), network).await?.is_none() {
        findings.push(Finding::NoChainLock);
    }
    Ok(findings)
}

/// Is the first version whose coinbases carry ChainLocks: 20.0.0 (cbTx version 3, activated with V20; Dash Core release
/// notes 20.0.0).
const FIRST: u64 = 200_000;
