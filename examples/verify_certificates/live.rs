//! A real aggregator: ask for the newest certificate, and verify its chain.

use std::path::Path;

use nodewright::cardano::aggregator::{AggregatorClient, AggregatorOptions, ClientType};
use nodewright::cardano::certificate::{AnchorStore, CertificateHash, CertificateSource as _, FileAnchors};
use nodewright::cardano::network::{CardanoNetwork, MithrilNetwork};
use nodewright::rpc::{HttpOptions, RetryOptions};

use crate::args::{Args, RealArgs};
use crate::check::Check;
use crate::print::Printer;
use crate::verdict::{Finding, Verdict, explain};

/// Verifies a chain of the aggregator at `url`.
pub(crate) async fn run(args: &Args, url: &str) -> Result<Verdict, String> {
    let real = &args.real;
    let network = network(real)?;
    let anchors = real.anchors.as_deref().map(anchors).transpose()?;
    let printer = Printer::new(args.json);
    let options = AggregatorOptions::default().with_client_type(ClientType::Cli).with_http(http());
    let client = AggregatorClient::try_new(url, options).map_err(|error| explain(&error))?;
    let tip = match real.certificate {
        Some(hash) => hash,
        None => newest(&client).await?,
    };
    printer.headline(&format!("The aggregator {} of {}", client.endpoint(), network.name));
    let mut check = Check::new(network, args.threads);
    // For the progress bar alone, so that it may be missing or a lie.
    check.first_epoch = client.genesis_certificate().await.ok().map(|genesis| genesis.epoch);
    let anchors = anchors.as_ref().map(|anchors| anchors as &dyn AnchorStore);
    match check.run(&client, tip, anchors).await {
        Ok(report) => {
            printer.verified(&report, true);
            Ok(Verdict::Verified)
        }
        Err(error) => {
            let finding = Finding::of(&error);
            printer.refused(&finding);
            Ok(finding.verdict)
        }
    }
}

/// Gives up sooner than a service would: someone is waiting.
fn http() -> HttpOptions {
    let mut retry = RetryOptions::default();
    (retry.burst, retry.per_second) = (4, 0);
    HttpOptions::default().with_retry(retry)
}

fn network(real: &RealArgs) -> Result<MithrilNetwork, String> {
    match (&real.network, real.genesis_key) {
        (Some(network), _) => Ok(network.clone()),
        (None, Some(key)) => {
            let name = real.network_name.as_deref().unwrap_or("devnet");
            // Certificates do not state a magic: it only tells files of anchors apart.
            let cardano = name.parse().unwrap_or_else(|_| CardanoNetwork::custom(name, 0));
            Ok(MithrilNetwork::custom(name, cardano, key))
        }
        (None, None) => Err("--aggregator needs --network or --genesis-key".to_owned()),
    }
}

/// Finds out before the work whether its fruit can be stored.
fn anchors(path: &Path) -> Result<FileAnchors, String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() {
        return Err(format!("--anchors {}: a folder, not a file", path.display()));
    }
    if !folder.is_dir() {
        return Err(format!("--anchors {}: there is no folder {}", path.display(), folder.display()));
    }
    Ok(FileAnchors::new(path))
}

async fn newest(client: &AggregatorClient) -> Result<CertificateHash, String> {
    let latest = client.latest().await.map_err(|error| explain(&error))?;
    let newest =
        latest.first().ok_or("the aggregator lists no certificate (wait for its genesis, or ask another one)")?;
    Ok(newest.hash)
}
