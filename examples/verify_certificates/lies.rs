//! Lies about a chain, each of which one rule finds out.

use clap::ValueEnum;
use nodewright::cardano::certificate::{Certificate, CertificateHash};
use nodewright::cardano::sim::aggregator::SimFault;
use nodewright::cardano::sim::devnet::Devnet;

/// Names a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// The newest certificate leaves out an epoch; all its hashes and signatures hold
    Gap,
    /// A certificate in the middle was edited
    Hash,
    /// A certificate in the middle names itself as the one before it
    Loop,
    /// The newest certificate carries the signature of another one
    Signature,
}

impl Fault {
    /// Says what the aggregator does.
    pub(crate) fn story(self) -> &'static str {
        match self {
            Self::Gap => "an epoch left out: the newest certificate links to the one before the last",
            Self::Hash => "an edited certificate in the middle of the chain",
            Self::Loop => "a chain that runs in a circle and never comes to a genesis",
            Self::Signature => "the newest certificate with the signature of another epoch",
        }
    }

    /// Names the rule that it breaks.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Gap => "epoch gap",
            Self::Hash => "hash",
            Self::Loop => "loop",
            Self::Signature => "multi-signature",
        }
    }

    /// Has the aggregator tell the lie; returns the certificate from which the chain is then to be verified.
    pub(crate) fn tell(self, devnet: &Devnet) -> Result<CertificateHash, String> {
        let chain = devnet.chain();
        let [.., before_last, last, tip] = chain else { return Err("the chain is too short to lie".to_owned()) };
        match self {
            Self::Hash | Self::Loop => {
                let middle = chain.get(chain.len() / 2).unwrap_or(last);
                let fault = if self == Self::Hash { SimFault::AlteredContent } else { SimFault::Loop };
                devnet.aggregator().fail(format!("/certificate/{}", middle.hash), fault);
                Ok(tip.hash)
            }
            Self::Gap => {
                let mut forged = tip.clone();
                forged.previous_hash = Some(before_last.hash);
                serve(devnet, forged)
            }
            Self::Signature => {
                let mut forged = tip.clone();
                forged.signature = last.signature.clone();
                serve(devnet, forged)
            }
        }
    }
}

/// Serves a certificate under the hash that its content has, as a careful liar would.
fn serve(devnet: &Devnet, mut forged: Certificate) -> Result<CertificateHash, String> {
    forged.hash = forged.compute_hash().map_err(|error| error.to_string())?;
    let json = serde_json::to_value(&forged).map_err(|error| error.to_string())?;
    devnet.aggregator().update(|contents| contents.put_certificate(json));
    Ok(forged.hash)
}
