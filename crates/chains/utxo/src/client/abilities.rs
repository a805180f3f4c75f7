//! What a node was found to offer.

use nodewright_core::{BlockHeight, ErrorKind, Result};

use super::NodeClient;
use super::reply::{ChainInfo, ZmqNotification};

/// Holds what a node offers, as it was found by asking.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Abilities {
    /// The software's version as a number, such as `210201` for 0.21.2.1.
    pub version: u64,
    /// The software's name and version, such as `/LitecoinCore:0.21.2.1/`.
    pub subversion: String,
    /// Whether REST is served (`-rest=1`).
    pub rest: bool,
    /// What is published over ZMQ; empty where it is off or was left out of the build.
    pub zmq: Vec<ZmqNotification>,
    /// Whether transactions of the whole best chain can be looked up; `None` if the node cannot say.
    pub tx_index: Option<bool>,
    /// The lowest height whose block is still there, if the node deletes old blocks.
    pub pruned_below: Option<BlockHeight>,
    /// Whether the memory pool can be asked who spends an output (`gettxspendingprevout`).
    pub spending_prevout: bool,
}

impl Abilities {
    /// Asks a node, of which `chain` is known already, what it offers.
    ///
    /// # Errors
    /// When the node cannot be asked; an ability that is merely absent is not an error.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn probe(client: &NodeClient, chain: &ChainInfo) -> Result<Self> {
        let network = client.network_info().await?;
        let indexes = client.index_info().await?;
        Ok(Self {
            version: network.version,
            subversion: network.subversion,
            rest: serves_rest(client, chain).await?,
            zmq: client.zmq_notifications().await?.unwrap_or_default(),
            tx_index: indexes.map(|indexes| indexes.get("txindex").is_some_and(|index| index.synced)),
            pruned_below: chain.prune_height.filter(|_| chain.pruned).map(BlockHeight),
            spending_prevout: has_spending_prevout(client).await?,
        })
    }
}

/// Returns whether REST is served, and by the same node as RPC: what stands in front of a node may answer anything.
async fn serves_rest(client: &NodeClient, chain: &ChainInfo) -> Result<bool> {
    use ErrorKind::{Auth, Config, InvalidData, Limit, NotFound, Rejected, Unsupported};
    match client.rest_chain_info().await {
        Ok(info) => Ok(info.chain == chain.chain),
        Err(error)
            if matches!(error.kind(), Auth | Config | InvalidData | Limit | NotFound | Rejected | Unsupported) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Asks about no output at all: whoever has the call refuses that, and whoever has not says so.
async fn has_spending_prevout(client: &NodeClient) -> Result<bool> {
    match client.spending_transactions(&[]).await {
        Ok(answer) => Ok(answer.is_some()),
        Err(error) if matches!(error.kind(), ErrorKind::OutOfRange | ErrorKind::Rejected) => Ok(true),
        Err(error) => Err(error),
    }
}
