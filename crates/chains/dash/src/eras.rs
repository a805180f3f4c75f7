//! Dash's activations as eras, settled by ChainLocks, and what this build speaks.

use std::sync::Arc;

use async_trait::async_trait;
use nodewright_core::api::{AbilityName, ApiRanges, ClientKind, MethodName, Version};
use nodewright_core::{BlockHeight, EvidenceSource as _, Result};
use nodewright_utxo::client::NodeClient;
use nodewright_utxo::deployment::FinalHeight;
use nodewright_utxo::source::family_ranges;

use crate::finality::ChainLocks;

/// Calls final what a ChainLock covers that verifies to the trust asked for, and that is on the node's best chain.
#[derive(Debug)]
pub(crate) struct ChainLocked {
    pub(crate) client: NodeClient,
    pub(crate) locks: Arc<ChainLocks>,
}

#[async_trait]
impl FinalHeight for ChainLocked {
    async fn final_height(&self, head: BlockHeight) -> Result<Option<BlockHeight>> {
        let mut newest = None;
        for evidence in self.locks.evidence(&[]).await? {
            let block = evidence.block();
            let header = self.client.header_info(&block.hash).await?;
            if block.height <= head && header.is_some_and(|header| header.is_active()) {
                newest = newest.max(Some(block.height));
            }
        }
        Ok(newest)
    }
}

/// Returns what this build speaks: Dash Core from 20.0 on, the first whose coinbases carry ChainLocks, and the methods
/// that each ability needs.
#[must_use]
pub fn api_ranges() -> ApiRanges {
    let methods = |names: &'static [&'static str]| names.iter().map(|name| MethodName::of(name));
    family_ranges()
        .with_client(ClientKind::of("dash-core"), Version::new(20, 0, 0))
        .with_ability(AbilityName::of("chainlocks"), methods(&["getbestchainlock", "quorum"]))
        .with_ability(AbilityName::of("masternode-lists"), methods(&["protx"]))
        .with_ability(AbilityName::of("rehydrate"), methods(&["submitchainlock"]))
        .with_ability(AbilityName::of("sporks"), methods(&["spork"]))
}

/// Names the deployments whose rules this build's parsers know: those of Dash Core 22 (`src/deploymentinfo.cpp`).
pub const KNOWN_DEPLOYMENTS: &[&str] = &[
    "bip147",
    "bip34",
    "bip65",
    "bip66",
    "csv",
    "dip0001",
    "dip0003",
    "dip0008",
    "dip0020",
    "dip0024",
    "mn_rr",
    "realloc",
    "testdummy",
    "v19",
    "v20",
    "withdrawals",
];
