//! What makes one chain of the family differ from another, as constants and functions.

use core::fmt;

use nodewright_core::{BlockDelta, BlockHash, ChainId, NetworkId, Scope};

use crate::fetch::HeaderId;
use crate::walker::Dialect;

/// States what a chain is. A chain crate holds one of these as a `static`.
///
/// Built by literal, which is why it is not `non_exhaustive`: whoever describes a chain must state everything.
#[derive(Clone, Copy)]
pub struct UtxoChain {
    /// Is the chain's lower-case word, such as `litecoin`.
    pub name: &'static str,
    /// Says how its transactions are serialized.
    pub dialect: Dialect,
    /// Computes a block's id, in wire order, from its header.
    pub header_id: HeaderId,
    /// Holds the networks that are known.
    pub networks: &'static [UtxoNetwork],
}

impl UtxoChain {
    /// Returns the network whose genesis block is `genesis`.
    #[must_use]
    pub fn network(&self, genesis: &BlockHash) -> Option<&'static UtxoNetwork> {
        self.networks.iter().find(|network| network.genesis == *genesis)
    }

    /// Returns the scope of `network`.
    #[must_use]
    pub fn scope(&self, network: &UtxoNetwork) -> Scope {
        let id = NetworkId { name: network.name.to_owned(), genesis: network.genesis };
        Scope { chain: ChainId::new(self.name), network: id, shard: None }
    }
}

impl fmt::Debug for UtxoChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UtxoChain").field("name", &self.name).field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// States what one network of a chain is.
#[derive(Clone, Copy)]
pub struct UtxoNetwork {
    /// Is the network's word as its nodes print it in `getblockchaininfo`, such as `main`, `test` or `regtest`.
    pub name: &'static str,
    /// Is the id of the block at height 0.
    pub genesis: BlockHash,
    /// Says that blocks come when somebody asks for them, as on a regtest: an old newest block means nothing there.
    pub private: bool,
    /// Is the length in blocks of the periods in which blocks signal for soft forks; `None` where deployments differ in it.
    pub signal_period: Option<BlockDelta>,
    /// Prints an output script as an address; `None` if it has none.
    pub address: fn(&[u8]) -> Option<String>,
    /// Reads an address of this network as the output script that it stands for.
    pub script: fn(&str) -> Result<Vec<u8>, AddressError>,
}

impl fmt::Debug for UtxoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UtxoNetwork")
            .field("name", &self.name)
            .field("genesis", &self.genesis.to_reversed_hex())
            .finish_non_exhaustive()
    }
}

/// Says why a text is no address of a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is no address at all, or one that names no output script.
    #[error("not an address: {text:?}, {reason}")]
    Malformed {
        /// What was to be read, cut to a readable length.
        text: String,
        /// Why it cannot be.
        reason: String,
    },
    /// It is an address of another network.
    #[error("address {text:?} is not of network {network}")]
    OtherNetwork {
        /// The address.
        text: String,
        /// The network it should be of.
        network: &'static str,
    },
}

impl AddressError {
    /// Says that `text` is no address.
    #[must_use]
    pub fn malformed(text: &str, reason: impl fmt::Display) -> Self {
        Self::Malformed { text: text.chars().take(MAX_SHOWN).collect(), reason: reason.to_string() }
    }

    /// Says that `text` is an address, but not of `network`.
    #[must_use]
    pub fn other_network(text: &str, network: &'static str) -> Self {
        Self::OtherNetwork { text: text.chars().take(MAX_SHOWN).collect(), network }
    }
}

/// Is how much of a refused text is repeated: the longest address (bech32, BIP 173) has 90 characters.
const MAX_SHOWN: usize = 100;
