//! From a URL to an adapter.

use std::sync::Arc;

use nodewright_core::{Certified, ChainAdapter, Error, ErrorKind, Fallback, Result};
use nodewright_rpc::{Auth, Endpoint, RpcClient};
use nodewright_utxo::client::NodeClient;
use nodewright_utxo::deployment::UtxoEras;
use nodewright_utxo::header::RawHeader;
use nodewright_utxo::source::{ConnectOptions, UtxoChain, UtxoNetwork, UtxoSource};
use nodewright_utxo::walker::Dialect;

use crate::address;
use crate::eras::ChainLocked;
use crate::finality::{ChainLockOptions, ChainLocks};
use crate::quorum::Network;
use crate::x11;

/// Describes Dash: headers named by X11, its own transactions, its networks.
///
/// Devnets are left out: all of them begin with the block of the regtest, so that a checkpoint could not tell them apart.
pub static DASH: UtxoChain = UtxoChain {
    name: "dash",
    dialect: Dialect::Dash,
    header_id,
    networks: &[
        UtxoNetwork {
            name: "main",
            genesis: Network::Mainnet.genesis(),
            private: false,
            signal_period: None,
            address: |script| address::address(Network::Mainnet, script),
            script: |text| address::script(Network::Mainnet, text),
        },
        UtxoNetwork {
            name: "test",
            genesis: Network::Testnet.genesis(),
            private: false,
            signal_period: None,
            address: |script| address::address(Network::Testnet, script),
            script: |text| address::script(Network::Testnet, text),
        },
        UtxoNetwork {
            name: "regtest",
            genesis: Network::Regtest.genesis(),
            private: true,
            signal_period: None,
            address: |script| address::address(Network::Regtest, script),
            script: |text| address::script(Network::Regtest, text),
        },
    ],
};

/// States how a Dash node is used.
///
/// Users build it by literal on top of `Default`.
#[derive(Clone, Debug, Default)]
pub struct DashOptions {
    /// Says what a ChainLock is believed for, and where else locks are looked for. Ids are hashed here unless either of the
    /// two options says otherwise.
    pub chain_locks: ChainLockOptions,
    /// States how to connect, what to fetch at once, and which network the node must be on.
    pub node: ConnectOptions,
}

/// Connects to the node at `url`; a user and password in the URL are used unless `auth` says otherwise.
///
/// The adapter's policy calls a block final when it or a descendant has a ChainLock, and never without.
///
/// # Errors
/// - `Config` if the HTTP client cannot be made of what is given;
/// - as [`connect_over`].
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn connect(url: &str, auth: Auth, options: DashOptions) -> Result<ChainAdapter> {
    let (endpoint, in_url) = Endpoint::parse(url)?;
    let auth = if matches!(auth, Auth::None) { in_url } else { auth };
    let rpc = RpcClient::try_new(endpoint, auth, options.node.http.clone())?;
    connect_over(NodeClient::new(rpc).with_limits(options.node.limits), options).await
}

/// Does as [`connect`] with a client that is there already, such as the one that [`preflight`](crate::preflight()) asked.
///
/// # Errors
/// - `ScopeMismatch` if the node is of another chain or network than Dash's main, test or regtest;
/// - `WarmingUp`, `Pruned` and the rest as [`UtxoSource::open`].
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn connect_over(client: NodeClient, options: DashOptions) -> Result<ChainAdapter> {
    let hash_ids = options.node.hash_ids && options.chain_locks.ids_hashed;
    let node = ConnectOptions { hash_ids, ..options.node };
    let chain_locks = ChainLockOptions { ids_hashed: hash_ids, ..options.chain_locks };
    let source = Arc::new(UtxoSource::open(&DASH, client.clone(), node).await?);
    let network = network(&client, source.network()).await?;
    let locks = Arc::new(ChainLocks::new(client.rpc().clone(), network, Arc::clone(&source) as _, chain_locks));
    let finality = ChainLocked { client: client.clone(), locks: Arc::clone(&locks) };
    let eras = UtxoEras::new(client, Arc::new(finality), source.network().signal_period);
    let probe = Arc::clone(&source);
    let policy =
        Certified::try_new(Fallback::Never).map_err(|error| Error::new(ErrorKind::Config, "policy").because(error))?;
    Ok(ChainAdapter {
        eras: Some(Arc::new(eras)),
        evidence: Some(locks),
        probe: Some(probe),
        ..source.adapter(Arc::new(policy))
    })
}

/// Returns the network that the node names, if its genesis block says the same.
async fn network(client: &NodeClient, found: &UtxoNetwork) -> Result<Network> {
    let chain = client.chain_info().await?.chain;
    match Network::from_chain(&chain) {
        Some(network) if chain == found.name => Ok(network),
        _ => Err(Error::new(ErrorKind::ScopeMismatch, "connect")
            .with("node says it is on", chain)
            .with("its genesis block is of", found.name)),
    }
}

fn header_id(header: &[u8; RawHeader::SIZE]) -> [u8; 32] {
    x11(header)
}
