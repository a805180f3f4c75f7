//! The command line.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{ArgAction, Parser, ValueEnum};
use nodewright::core::{BlockDelta, BlockHeight};

/// Watches a node for payments: seen, final and why, or gone.
///
/// Without arguments a simulated Dash network is played inside the process, and the observer is checked against it: exit
/// status 1 if anything was missed, doubled or out of order.
///
/// With --chain, --url and --watch a real node is followed until Ctrl-C. What was found is kept in --store together with
/// the position, so that the next start goes on where this one stopped.
#[derive(Debug, Parser)]
#[command(name = "observe", version, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) node: NodeArgs,

    #[command(flatten)]
    pub(crate) play: PlayArgs,

    /// Print one JSON object a line instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// A real node.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A real node")]
pub(crate) struct NodeArgs {
    /// The node's chain
    #[arg(long, value_enum, requires = "url")]
    pub(crate) chain: Option<ChainName>,

    /// The node's JSON-RPC address, such as http://127.0.0.1:9998
    #[arg(long, requires = "chain", requires = "watch")]
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

    /// An address to watch; may be given several times
    #[arg(long, value_name = "ADDRESS", num_args = 1.., action = ArgAction::Append, requires = "url")]
    pub(crate) watch: Vec<String>,

    /// The first block of a new store [default: the node's newest final block]
    #[arg(long, value_name = "HEIGHT", requires = "url")]
    pub(crate) from: Option<u64>,

    /// Look at these blocks once more, without reading or moving the stored position
    #[arg(long, value_name = "FROM..TO", value_parser = range, requires = "url", conflicts_with = "from")]
    pub(crate) rescan: Option<RangeInclusive<BlockHeight>>,

    /// Where payments and position are kept, an SQLite file [default: in memory, lost at the end]
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) store: Option<PathBuf>,

    /// When a block is final: `chainlock` (Dash), `depth:N` confirmations, or `value`: the chain's own rule, and each
    /// payment counts after as many blocks as its value outweighs their rewards
    #[arg(long, value_parser = policy, requires = "url")]
    pub(crate) policy: Option<PolicyArg>,
}

/// The simulated network.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "The simulated network")]
pub(crate) struct PlayArgs {
    /// Varies the play
    #[arg(long, default_value_t = 1, conflicts_with = "url")]
    pub(crate) seed: u64,

    /// Break the observer on purpose: the check must then fail
    #[arg(long, value_enum, conflicts_with = "url")]
    pub(crate) fault: Option<Fault>,
}

/// Names a chain that the program can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChainName {
    Bitcoin,
    Dash,
    Litecoin,
}

/// Says how the observer is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Takes a record with a payment twice
    Double,
    /// Loses a record with a payment
    Drop,
    /// Takes a record with a payment after the one that follows it
    Reorder,
}

/// Says when a block is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PolicyArg {
    Chainlock,
    Depth(BlockDelta),
    Value,
}

fn policy(text: &str) -> Result<PolicyArg, String> {
    match (text, text.strip_prefix("depth:").map(str::parse)) {
        ("chainlock", _) => Ok(PolicyArg::Chainlock),
        ("value", _) => Ok(PolicyArg::Value),
        (_, Some(Ok(depth @ 1..))) => Ok(PolicyArg::Depth(BlockDelta(depth))),
        _ => Err("expected chainlock, value, or depth:N with N at least 1".to_owned()),
    }
}

fn range(text: &str) -> Result<RangeInclusive<BlockHeight>, String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    match ends {
        Some((from, to)) if from <= to => Ok(BlockHeight(from)..=BlockHeight(to)),
        _ => Err("expected FROM..TO, two heights, the first not above the second".to_owned()),
    }
}

const EXAMPLES: &str = "\
Examples:
  observe
  observe --seed 7 --fault drop
  observe --chain dash --url http://127.0.0.1:9998 --cookie ~/.dashcore/.cookie \\
          --watch XtAG1982HcYJVibHxRZrBmdzL5YTzj4cA1 --from 2100000 --store deposits.sqlite
  observe --chain bitcoin --url http://127.0.0.1:8332 --user rpc --password-env RPC_PASSWORD \\
          --watch bc1q… --policy depth:3 --json";
