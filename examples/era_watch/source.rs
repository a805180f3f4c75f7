//! Where real eras are read: a Cardano node, a file of markers, an aggregator, or a node of the Bitcoin family.

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nodewright::bitcoin;
use nodewright::cardano::aggregator::{AggregatorClient, AggregatorOptions};
use nodewright::cardano::era::{
    ChainMarkers, FileMarkers, GuardFile, MarkerSource, MithrilEraReader, NodePositions, Pin, PositionSource,
    SetPositions,
};
use nodewright::cardano::keys::VerificationKey;
use nodewright::cardano::network::{CardanoNetwork, MithrilNetwork};
use nodewright::cardano::node::{Address, ChainReader, NodeSocket, NodeSocketOptions};
use nodewright::core::{
    BlockHash, BlockHeight, ChainId, ChainPosition, Epoch, EraPositions, EraReader, EraSchedule, NetworkId, Scope,
    Secret, SupportedEras,
};
use nodewright::dash;
use nodewright::ops::era::EraPace;
use nodewright::registry;
use nodewright::rpc::Auth;
use nodewright::utxo::deployment::supported_eras;

use crate::args::{Args, ChainName, MithrilArgs, NodeArgs};
use crate::live::explain;
use crate::reader::{FindingListener, TellingReader};
use crate::stated::StatedEras;

/// Is a place where eras are read.
pub(crate) struct Source {
    pub(crate) reader: Arc<dyn EraReader>,
    pub(crate) scope: Scope,
    pub(crate) pace: EraPace,
    /// Says what the edge of the era that holds is.
    pub(crate) since: &'static str,
    /// Holds the deployments that this build knows, where the command line does not say what is supported.
    known: &'static [&'static str],
}

impl Source {
    /// Opens what the command line names.
    pub(crate) async fn open(args: &Args, listener: Arc<dyn FindingListener>) -> Result<Self, String> {
        let MithrilArgs { node_socket, markers, aggregator, .. } = &args.mithril;
        match (node_socket, markers, aggregator, &args.node) {
            (Some(socket), ..) => on_chain(&args.mithril, socket, listener),
            (None, Some(file), ..) => in_file(&args.mithril, file, listener),
            (None, None, Some(url), _) => Ok(Self {
                reader: Arc::new(StatedEras::new(client(url)?)),
                scope: cardano("mithril"),
                pace: EraPace::default(),
                since: "seen since",
                known: &[],
            }),
            (None, None, None, NodeArgs { chain: Some(chain), url: Some(url), .. }) => {
                deployed(&args.node, *chain, url).await
            }
            _ => Err("nothing to watch".to_owned()),
        }
    }

    /// Returns the eras that the program supports: those of the command line, or those of `schedule` that this build knows.
    pub(crate) fn supported(&self, args: &Args, schedule: &EraSchedule) -> Result<SupportedEras, String> {
        let supported = match args.watch.supports.as_slice() {
            [] => supported_eras(schedule, self.known),
            names => SupportedEras::try_new(names.iter().cloned()),
        };
        supported.map_err(|error| format!("--supports: {error}"))
    }
}

fn on_chain(args: &MithrilArgs, socket: &Path, listener: Arc<dyn FindingListener>) -> Result<Source, String> {
    let network = args.network.clone().ok_or("--network is missing")?;
    let (address, key, pins) = match (&args.address, args.verification_key) {
        (Some(address), Some(key)) => (address.clone(), key, Vec::new()),
        _ => published(&network)?,
    };
    address.check(network.magic()).map_err(|error| format!("--address: {error}"))?;
    let node: Arc<dyn ChainReader> = Arc::new(NodeSocket::new(NodeSocketOptions::new(socket, network.magic())));
    let source = Arc::new(ChainMarkers::new(Arc::clone(&node), address, key));
    mithril(source, Arc::new(NodePositions::new(node)), &network, Some(key), pins, args, listener)
}

fn in_file(args: &MithrilArgs, file: &Path, listener: Arc<dyn FindingListener>) -> Result<Source, String> {
    let positions: Arc<dyn PositionSource> = match (args.epoch.map(Epoch), &args.aggregator) {
        (Some(epoch), _) => {
            let head = ChainPosition { epoch: Some(epoch), ..ChainPosition::at(BlockHeight(0)) };
            Arc::new(SetPositions::new(EraPositions { head, finalized: Some(head) }))
        }
        (None, Some(url)) => Arc::new(client(url)?),
        (None, None) => return Err("--epoch is missing".to_owned()),
    };
    let network = CardanoNetwork::custom("file", 0);
    mithril(Arc::new(FileMarkers::new(file)), positions, &network, None, Vec::new(), args, listener)
}

fn mithril(
    source: Arc<dyn MarkerSource>,
    positions: Arc<dyn PositionSource>,
    network: &CardanoNetwork,
    key: Option<VerificationKey>,
    pins: Vec<Pin>,
    args: &MithrilArgs,
    listener: Arc<dyn FindingListener>,
) -> Result<Source, String> {
    let scope = format!("{} {}", network.name(), network.magic());
    let mut reader = MithrilEraReader::new(source, positions).with_pins(pins);
    if let Some(path) = &args.guard {
        let file = GuardFile::new(path, scope.clone(), key);
        reader = reader.with_file(file).map_err(|error| format!("--guard {}: {error}", path.display()))?;
    }
    Ok(Source {
        reader: Arc::new(TellingReader::new(reader, listener)),
        scope: cardano(&scope),
        since: "since",
        pace: EraPace { epoch: epoch_length(network), block: None },
        known: &[],
    })
}

fn client(url: &str) -> Result<AggregatorClient, String> {
    AggregatorClient::try_new(url, AggregatorOptions::default().with_timeout(PATIENCE)).map_err(|error| explain(&error))
}

fn cardano(network: &str) -> Scope {
    // What is followed here is kept in memory, and the guard's file names the network by itself.
    let network = NetworkId { name: network.to_owned(), genesis: BlockHash([0; 32]) };
    Scope { chain: ChainId::new("cardano"), network, shard: None }
}

/// Returns where the markers of a network stand, who signs them, and what is known of its eras.
fn published(network: &CardanoNetwork) -> Result<(Address, VerificationKey, Vec<Pin>), String> {
    let known = MithrilNetwork::all().into_iter().find(|known| known.cardano == *network);
    let Some((known, Some(era))) = known.map(|mut known| (known.name.clone(), known.era.take())) else {
        let magic = network.magic();
        return Err(format!(
            "no markers are published for network {network} ({magic}): give --address and --verification-key"
        ));
    };
    let address = era.address.parse().map_err(|error| format!("the address of {known}: {error}"))?;
    Ok((address, era.verification_key, Pin::known(&known)))
}

async fn deployed(args: &NodeArgs, chain: ChainName, url: &str) -> Result<Source, String> {
    let (name, known, block) = match chain {
        ChainName::Bitcoin => ("bitcoin", bitcoin::KNOWN_DEPLOYMENTS, 600),
        ChainName::Dash => ("dash", dash::KNOWN_DEPLOYMENTS, 157),
        ChainName::Litecoin => ("litecoin", bitcoin::KNOWN_DEPLOYMENTS, 150),
    };
    let chain = registry::find(name).ok_or_else(|| format!("this build does not have the chain {name}"))?;
    let auth = match (&args.cookie, &args.user, &args.password_env) {
        (Some(path), _, _) => Auth::Cookie(path.clone()),
        (None, Some(user), Some(variable)) => {
            let password = env::var(variable).map_err(|_| format!("the environment variable {variable} is not set"))?;
            Auth::Basic { user: user.clone(), password: Secret::new(password) }
        }
        _ => Auth::None,
    };
    let adapter = chain.connect(url, auth).await.map_err(|error| explain(&error))?;
    let reader = adapter.eras.ok_or_else(|| format!("{name} does not say which eras it goes through"))?;
    let pace = EraPace { block: Some(Duration::from_secs(block)), epoch: None };
    Ok(Source { reader, scope: adapter.scope, pace, since: "since", known })
}

/// Returns how long an epoch lasts: 432,000 slots of a second on mainnet and preprod, 86,400 on preview (the Shelley
/// genesis of each).
fn epoch_length(network: &CardanoNetwork) -> Option<Duration> {
    let seconds = match network.name() {
        "mainnet" | "preprod" => 432_000,
        "preview" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(seconds))
}

/// Is how long an aggregator may take, attempts included: a script waits for the answer, and a watch asks again by itself.
const PATIENCE: Duration = Duration::from_secs(5);
