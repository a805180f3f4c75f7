//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, ArgGroup, Parser, ValueEnum};
use nodewright::cardano::keys::VerificationKey;
use nodewright::cardano::network::CardanoNetwork;
use nodewright::cardano::node::Address;
use nodewright::core::EraId;

/// Watches the eras of a chain: which holds, which comes next, how long is left, and whether your program supports it.
///
/// Without arguments an era switch of Mithril is played on a simulated Cardano node inside the process, in front of two
/// builds: one that supports both eras, and one that does not support the new one. What both were told is checked against
/// what the network knows: exit status 1 if an event was missed, doubled or out of order.
///
/// With --node-socket, --markers, --aggregator or --chain real eras are watched until Ctrl-C. With --once they are read once, and the
/// exit status says what to do.
#[derive(Debug, Parser)]
#[command(name = "era_watch", version, after_help = EXAMPLES)]
#[command(group = ArgGroup::new("source").args(["node_socket", "markers", "aggregator", "chain"]).multiple(true))]
#[command(group = ArgGroup::new("place").args(["node_socket", "markers", "chain"]))]
#[command(group = ArgGroup::new("cardano").args(["node_socket", "markers"]).multiple(true))]
#[command(group = ArgGroup::new("clock").args(["epoch", "aggregator"]))]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) mithril: MithrilArgs,

    #[command(flatten)]
    pub(crate) node: NodeArgs,

    #[command(flatten)]
    pub(crate) watch: WatchArgs,

    #[command(flatten)]
    pub(crate) play: PlayArgs,

    /// Print one JSON object a line instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

impl Args {
    /// Returns whether there is something real to watch.
    pub(crate) fn is_live(&self) -> bool {
        let MithrilArgs { node_socket, markers, aggregator, .. } = &self.mithril;
        node_socket.is_some() || markers.is_some() || aggregator.is_some() || self.node.chain.is_some()
    }
}

/// Eras of Mithril, from the markers on the chain or in a file, or from an aggregator.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Eras of Mithril")]
pub(crate) struct MithrilArgs {
    /// The socket of a Cardano node; the signed markers are read from its chain
    #[arg(long, value_name = "PATH", requires = "network", requires = "supports")]
    pub(crate) node_socket: Option<PathBuf>,

    /// The node's network: mainnet, preprod, preview, or the magic of another one
    #[arg(long, value_name = "NETWORK", value_parser = network, requires = "node_socket")]
    pub(crate) network: Option<CardanoNetwork>,

    /// The address that carries the markers [default: the one that Mithril published for the network]
    #[arg(long, value_name = "ADDRESS", requires = "verification_key", requires = "node_socket")]
    pub(crate) address: Option<Address>,

    /// The key that signs the markers, as hex [default: the one that Mithril published for the network]
    #[arg(long, value_name = "KEY", requires = "address", requires = "node_socket")]
    pub(crate) verification_key: Option<VerificationKey>,

    /// A file that holds the list of markers, unsigned; it is read again each time
    #[arg(long, value_name = "FILE", requires = "clock", requires = "supports")]
    pub(crate) markers: Option<PathBuf>,

    /// The epoch in which the chain is
    #[arg(long, requires = "markers")]
    pub(crate) epoch: Option<u64>,

    /// An aggregator, which says in which epoch the chain is; without --markers, it says which era holds and no more
    #[arg(long, value_name = "URL", requires = "supports", conflicts_with_all = ["node_socket", "chain"])]
    pub(crate) aggregator: Option<String>,

    /// Where to keep which markers were believed, so that a replay between two runs is noticed [default: in memory]
    #[arg(long, value_name = "FILE", requires = "cardano")]
    pub(crate) guard: Option<PathBuf>,
}

/// Eras of a chain of the Bitcoin family: its node's deployments.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Deployments of the Bitcoin family")]
pub(crate) struct NodeArgs {
    /// The node's chain
    #[arg(long, value_enum, requires = "url")]
    pub(crate) chain: Option<ChainName>,

    /// The node's JSON-RPC address, such as http://127.0.0.1:8332
    #[arg(long, requires = "chain")]
    pub(crate) url: Option<String>,

    /// The node's cookie file; it is read again when the node restarts
    #[arg(long, value_name = "FILE", conflicts_with = "user", requires = "url")]
    pub(crate) cookie: Option<PathBuf>,

    /// The user name for the node
    #[arg(long, requires = "password_env", requires = "url")]
    pub(crate) user: Option<String>,

    /// The environment variable that holds the password for the node
    #[arg(long, value_name = "VAR", requires = "user")]
    pub(crate) password_env: Option<String>,
}

/// How to watch.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Watching")]
pub(crate) struct WatchArgs {
    /// The eras that your program supports [default with --chain: the deployments that this build knows]
    #[arg(long, value_name = "NAME", num_args = 1.., action = ArgAction::Append, requires = "source")]
    pub(crate) supports: Vec<EraId>,

    /// Read once and exit: 0 all is supported, 2 an era ahead is not, 3 the era that holds is not, 1 it cannot be said
    #[arg(long, requires = "source", conflicts_with = "interval")]
    pub(crate) once: bool,

    /// The time between two readings [default: 60; a quarter of what is left when an edge is near]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "source")]
    pub(crate) interval: Option<Duration>,
}

/// The simulated node.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "The simulated node")]
pub(crate) struct PlayArgs {
    /// Varies the epochs of the play
    #[arg(long, default_value_t = 1, conflicts_with = "source")]
    pub(crate) seed: u64,

    /// Break what the new build is told on purpose: the check must then fail
    #[arg(long, value_enum, conflicts_with = "source")]
    pub(crate) fault: Option<Fault>,
}

/// Names a chain whose deployments the program can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChainName {
    Bitcoin,
    Dash,
    Litecoin,
}

/// Says how an observer is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Takes one event twice
    Double,
    /// Loses one event
    Drop,
    /// Takes one event after the one that follows it
    Reorder,
}

/// Makes one line of what clap says over several.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let facts: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("For more")).collect();
    facts.join(" ")
}

fn network(text: &str) -> Result<CardanoNetwork, String> {
    match text.parse::<u64>() {
        Ok(magic) => {
            let known = [CardanoNetwork::mainnet(), CardanoNetwork::preprod(), CardanoNetwork::preview()];
            let known = known.into_iter().find(|network| network.magic() == magic);
            Ok(known.unwrap_or_else(|| CardanoNetwork::custom("private", magic)))
        }
        Err(_) => text.parse().map_err(|_| "expected mainnet, preprod, preview, or a magic number".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("expected a number of seconds from 1 to 86400".to_owned()),
    }
}

const EXAMPLES: &str = "\
Exit status:
  0  ready: every era that holds or lies ahead is supported (--once), or the play was observed rightly
  1  it cannot be said: the line on standard error tells why; or the play was observed wrongly
  2  an era that lies ahead is not supported (--once)
  3  the era that holds is not supported (--once)

Examples:
  era_watch
  era_watch --seed 7 --fault drop
  era_watch --node-socket /run/cardano/node.socket --network preprod --supports pythagoras lagrange
  era_watch --node-socket node.socket --network 42 --address addr_test1… --verification-key 5b31… --supports thales
  era_watch --markers markers.json --epoch 538 --supports thales --once || echo \"update the signer\"
  era_watch --markers markers.json --aggregator http://127.0.0.1:8080/aggregator --supports thales pythagoras
  era_watch --chain bitcoin --url http://127.0.0.1:8332 --cookie ~/.bitcoin/.cookie --once --json";
