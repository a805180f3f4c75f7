//! One node as the sources that `nodewright-core` asks for.
//!
//! [`UtxoSource`] is the same for every chain of the family; a [`UtxoChain`] says in what they differ. What each file
//! holds:
//!
//! - `chain`: the description of a chain and its networks;
//! - `connect`: from a URL to a source, with every check that can be made before a scan begins;
//! - `headers`: following headers, by REST or RPC;
//! - `offer`: the node's program, methods and what else it serves;
//! - `blocks`: blocks and observations;
//! - `fate`: what became of a transaction;
//! - `wake`: hints over ZMQ (feature `zmq`).

mod blocks;
mod chain;
mod connect;
mod fate;
mod headers;
mod offer;
#[cfg(feature = "zmq")]
mod wake;

use core::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use nodewright_core::{BlockHash, BlockId, ChainAdapter, Error, ErrorKind, FinalityPolicy, Result, Scope};

pub use self::chain::{AddressError, UtxoChain, UtxoNetwork};
pub use self::connect::ConnectOptions;
pub use self::offer::{REST, SCAN, ZMQ_BLOCKS, family_ranges};
#[cfg(feature = "zmq")]
pub use self::wake::{WakeOptions, WakeStats, ZmqWake};
use crate::client::{Abilities, NodeClient};
use crate::fetch::Fetcher;

/// Reads one node of one chain: headers, heights, blocks, observations and transactions.
pub struct UtxoSource {
    chain: &'static UtxoChain,
    network: &'static UtxoNetwork,
    client: NodeClient,
    abilities: Abilities,
    fetcher: Fetcher,
    /// Whether ids are hashed here, or taken as the node gives them.
    hashes_ids: bool,
    /// Whether headers are asked for by REST; cleared when the node no longer serves it.
    rest: AtomicBool,
    /// A block whose height the node confirmed: what a scan continues from is mostly what it got last.
    vouched: Mutex<Option<BlockId>>,
}

impl UtxoSource {
    /// Returns the chain's description.
    #[must_use]
    pub fn chain(&self) -> &'static UtxoChain {
        self.chain
    }

    /// Returns the network that the node is on.
    #[must_use]
    pub fn network(&self) -> &'static UtxoNetwork {
        self.network
    }

    /// Returns the client, for calls that only one chain has.
    #[must_use]
    pub fn client(&self) -> &NodeClient {
        &self.client
    }

    /// Returns what the node offered when it was connected to.
    #[must_use]
    pub fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    /// Returns what fetches the blocks.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// Returns the adapter of a chain that has no evidence of its own, with the policy that it recommends.
    #[must_use]
    pub fn adapter(self: Arc<Self>, policy: Arc<dyn FinalityPolicy>) -> ChainAdapter {
        ChainAdapter {
            scope: self.chain.scope(self.network),
            headers: Arc::clone(&self) as _,
            heights: Some(Arc::clone(&self) as _),
            observations: Some(Arc::clone(&self) as _),
            evidence: None,
            transactions: Some(self as _),
            eras: None,
            wake: None,
            probe: None,
            policy,
            hash_text: |hash| hash.to_reversed_hex(),
        }
    }

    /// Asks the node for its genesis block and refuses another network than the one connected to.
    async fn check_scope(&self) -> Result<Scope> {
        let network = connect::find_network(self.chain, &self.client).await?;
        if network.genesis != self.network.genesis {
            return Err(Error::new(ErrorKind::ScopeMismatch, "scope")
                .with("connected to", self.chain.scope(self.network))
                .with("now", self.chain.scope(network)));
        }
        Ok(self.chain.scope(self.network))
    }

    fn uses_rest(&self) -> bool {
        self.rest.load(Relaxed)
    }

    fn give_up_rest(&self) {
        tracing::debug!(chain = self.chain.name, "the node no longer serves REST; go on by RPC");
        self.rest.store(false, Relaxed);
    }

    fn is_vouched(&self, id: BlockId) -> bool {
        *self.vouched.lock().unwrap_or_else(PoisonError::into_inner) == Some(id)
    }

    fn vouch(&self, id: BlockId) {
        *self.vouched.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
    }

    fn hash_of(&self, header: &[u8; crate::header::RawHeader::SIZE]) -> BlockHash {
        BlockHash((self.chain.header_id)(header))
    }
}

impl fmt::Debug for UtxoSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UtxoSource")
            .field("chain", &self.chain.name)
            .field("network", &self.network.name)
            .field("endpoint", &self.client.rpc().http().endpoint())
            .finish_non_exhaustive()
    }
}
