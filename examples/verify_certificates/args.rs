//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;
use nodewright::cardano::certificate::CertificateHash;
use nodewright::cardano::keys::VerificationKey;
use nodewright::cardano::network::MithrilNetwork;

use crate::lies::Fault;

/// Verifies a chain of Mithril certificates back to its genesis, and names the rule that a chain breaks.
///
/// Without arguments a simulated Mithril network signs some epochs inside the process and serves them over HTTP. Its
/// chain is verified, then verified again from the anchors of the first time, then the aggregator tells three lies. Exit
/// status 0 if all of that went as it must, else 1.
///
/// With --aggregator and the network whose genesis key you trust, a real chain is verified. Nothing that the aggregator
/// says is believed: only the genesis key is.
#[derive(Debug, Parser)]
#[command(name = "verify_certificates", version, after_help = AFTER)]
pub(crate) struct Args {
    /// How many threads check certificates [default: one per core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Print one JSON object a line instead of text
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) real: RealArgs,

    #[command(flatten)]
    pub(crate) demo: DemoArgs,
}

/// A real aggregator.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A real aggregator")]
pub(crate) struct RealArgs {
    /// The aggregator's base address, such as http://127.0.0.1:8080/aggregator; https needs a build with --features tls
    #[arg(long, value_name = "URL", requires = "trust")]
    pub(crate) aggregator: Option<String>,

    /// The Mithril network whose published genesis key is trusted: release-mainnet, release-preprod,
    /// pre-release-preview or testing-preview
    #[arg(long, value_name = "NAME", group = "trust", value_parser = network, requires = "aggregator")]
    pub(crate) network: Option<MithrilNetwork>,

    /// The genesis key that is trusted, of any other network: the hex text of its genesis.vkey
    #[arg(long, value_name = "KEY", group = "trust", value_parser = genesis_key, requires = "aggregator")]
    pub(crate) genesis_key: Option<VerificationKey>,

    /// How certificates name the network of Cardano, with --genesis-key [default: devnet]
    #[arg(long, value_name = "NAME", requires = "genesis_key", conflicts_with = "network")]
    pub(crate) network_name: Option<String>,

    /// The certificate to verify, 64 hex digits [default: the newest one]
    #[arg(long, value_name = "HASH", requires = "aggregator")]
    pub(crate) certificate: Option<CertificateHash>,

    /// Where verified certificates are remembered, so that the next run checks only what is new; made if it is not there.
    /// Whoever can write this file can make the program believe a certificate
    #[arg(long, value_name = "FILE", requires = "aggregator")]
    pub(crate) anchors: Option<PathBuf>,
}

/// The simulated network.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "The simulated network")]
pub(crate) struct DemoArgs {
    /// How many epochs are signed, 3 to 500
    #[arg(long, value_name = "N", default_value_t = 24, conflicts_with = "aggregator",
        value_parser = clap::value_parser!(u64).range(3..=500))]
    pub(crate) epochs: u64,

    /// Makes other keys and stakes
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "aggregator")]
    pub(crate) seed: u64,

    /// Break the chain on purpose: the rule that it breaks is named, and the exit status is 1
    #[arg(long, value_enum, conflicts_with = "aggregator")]
    pub(crate) fault: Option<Fault>,
}

fn network(name: &str) -> Result<MithrilNetwork, String> {
    MithrilNetwork::known(name).map_err(|error| {
        let known: Vec<_> = MithrilNetwork::all().into_iter().map(|network| network.name).collect();
        format!("{error}: expected one of {}, or --genesis-key instead", known.join(", "))
    })
}

fn genesis_key(text: &str) -> Result<VerificationKey, String> {
    text.trim().parse().map_err(|error| format!("{error}; expected the text of a genesis.vkey, or 64 hex digits"))
}

const AFTER: &str = "\
Exit status:
  0  verified (without --aggregator: and every lie was found out)
  1  the chain breaks a rule, which is named together with what to do
  2  undecided: a bad command line, an aggregator that could not be asked or did not have what the chain needs, an
     unusable file of anchors, or certificates later than this program

Examples:
  verify_certificates
  verify_certificates --epochs 40 --seed 7
  verify_certificates --fault gap
  verify_certificates --aggregator https://aggregator.release-preprod.api.mithril.network/aggregator \\
                      --network release-preprod --anchors anchors.json
  verify_certificates --aggregator http://127.0.0.1:8080/aggregator --genesis-key \"$(cat genesis.vkey)\" \\
                      --network-name devnet --threads 2 --json";
