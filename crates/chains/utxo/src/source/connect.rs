//! From a URL to a source: every check that can be made before a scan begins, each with its own error.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use core::time::Duration;

use nodewright_core::{BlockHash, BlockHeight, Error, ErrorKind, Result, Retry};
use nodewright_rpc::{Auth, CallLimits, Endpoint, HttpOptions, RpcClient};

use super::{UtxoChain, UtxoNetwork, UtxoSource};
use crate::client::{Abilities, ChainInfo, NodeClient};
use crate::fetch::{FetchOptions, Fetcher};

/// States how to connect to a node.
///
/// Users build it by literal on top of `Default`.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// States how the HTTP client behaves.
    pub http: HttpOptions,
    /// Bounds each call, those for blocks excepted, which [`ConnectOptions::fetch`] bounds in size. Default 30 s and
    /// 1 MiB.
    pub limits: CallLimits,
    /// Bounds the fetching of blocks.
    pub fetch: FetchOptions,
    /// Names the network that the node must be on, in its own word, such as `main`; `None`, the default, takes any that
    /// the chain knows.
    pub network: Option<String>,
    /// Is the lowest height whose block will be wanted; a node that has deleted it is refused. Default `None`: found out
    /// when the block is fetched.
    pub start: Option<BlockHeight>,
    /// Says whether a node is taken that still catches up with its own network. Default false: the scan would crawl
    /// behind it.
    pub allow_initial_download: bool,
    /// Says whether block ids are hashed here. Default true. Where they are not, an id is what the node says, and the bytes
    /// shown for it may be any: whoever verifies evidence must then say that it rests on the node's word. Headers are
    /// asked for by RPC alone, which names them.
    pub hash_ids: bool,
    /// Says whether REST is used where the node serves it. Default true.
    pub rest: bool,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            http: HttpOptions::default(),
            limits: CallLimits::default(),
            fetch: FetchOptions::default(),
            network: None,
            start: None,
            allow_initial_download: false,
            hash_ids: true,
            rest: true,
        }
    }
}

impl UtxoSource {
    /// Connects to the node at `url`; a user and password in the URL are used unless `auth` says otherwise.
    ///
    /// # Errors
    /// - `Config` if the URL cannot be used;
    /// - `Unreachable`, `Auth`, `WarmingUp` or `Busy` if the node does not answer;
    /// - as [`UtxoSource::open`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn connect(chain: &'static UtxoChain, url: &str, auth: Auth, options: ConnectOptions) -> Result<Self> {
        let (endpoint, from_url) = Endpoint::parse(url)?;
        let auth = if matches!(auth, Auth::None) { from_url } else { auth };
        let rpc = RpcClient::try_new(endpoint, auth, options.http.clone())?;
        Self::open(chain, NodeClient::new(rpc).with_limits(options.limits), options).await
    }

    /// Checks the node behind `client` and makes the source.
    ///
    /// # Errors
    /// - `ScopeMismatch` if its genesis block is of no network of `chain`, or not of the one wanted;
    /// - `WarmingUp` if it still catches up with its own network;
    /// - `Pruned` if it has deleted the block at [`ConnectOptions::start`];
    /// - whatever keeps the node from being asked.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn open(chain: &'static UtxoChain, client: NodeClient, options: ConnectOptions) -> Result<Self> {
        // A wrong address should not take the patience that a busy node deserves later.
        let hello = options.limits.with_timeout(options.limits.timeout.min(HELLO));
        let network = find_network(chain, &client.clone().with_limits(hello)).await?;
        if let Some(wanted) = options.network.as_deref().filter(|wanted| *wanted != network.name) {
            return Err(Error::new(ErrorKind::ScopeMismatch, "connect")
                .with("node is on", format_args!("{} {}", chain.name, network.name))
                .with("wanted", wanted));
        }
        let info = client.chain_info().await?;
        if info.initial_block_download && !network.private && !options.allow_initial_download {
            return Err(still_downloading(&info));
        }
        let abilities = Abilities::probe(&client, &info).await?;
        if let (Some(start), Some(least)) = (options.start, abilities.pruned_below)
            && start < least
        {
            return Err(Error::new(ErrorKind::Pruned, "connect").with("start", start).with("oldest kept", least));
        }
        let rest = options.rest && abilities.rest;
        tracing::debug!(chain = chain.name, network = network.name, version = abilities.version, rest, "connected");
        Ok(Self {
            chain,
            network,
            fetcher: Fetcher::new(client.clone(), options.hash_ids.then_some(chain.header_id), rest, options.fetch),
            client,
            abilities,
            hashes_ids: options.hash_ids,
            rest: AtomicBool::new(rest && options.hash_ids),
            vouched: Mutex::new(None),
        })
    }
}

/// Asks the node for its genesis block and finds the network that it belongs to.
pub(super) async fn find_network(chain: &'static UtxoChain, client: &NodeClient) -> Result<&'static UtxoNetwork> {
    let genesis = client.block_hash(BlockHeight(0)).await?.unwrap_or_default();
    chain.network(&genesis).ok_or_else(|| unknown_network(chain, genesis))
}

fn unknown_network(chain: &UtxoChain, genesis: BlockHash) -> Error {
    Error::new(ErrorKind::ScopeMismatch, "connect")
        .with("genesis", genesis.to_reversed_hex())
        .with("which is no network of", chain.name)
}

fn still_downloading(info: &ChainInfo) -> Error {
    Error::new(ErrorKind::WarmingUp, "connect")
        .with_retry(Retry::After(Some(CATCH_UP_PAUSE)))
        .with("initial block download", format_args!("block {} of {}", info.blocks, info.headers))
}

/// Is when it is worth asking again a node that catches up: it takes hours, and somebody may watch.
const CATCH_UP_PAUSE: Duration = Duration::from_secs(30);

/// Is how long a node may take to answer for the first time, retries included.
const HELLO: Duration = Duration::from_secs(5);
