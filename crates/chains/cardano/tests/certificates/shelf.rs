//! A source of certificates in memory, which can lie.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use nodewright_cardano::certificate::{
    AnchorStore, Certificate, CertificateHash, CertificateSource, CertificateSummary, ChainError, ChainEvent,
    ChainLimits, ChainVerifier, VerifiedChain,
};
use nodewright_cardano::keys::VerificationKey;
use nodewright_cardano::network::{CardanoNetwork, MithrilNetwork};
use serde_json::Value;

/// The genesis key of Mithril's devnet (public, as is its secret).
pub(crate) const DEVNET_KEY: &str = "5b33322c3235332c3138362c3230312c3137372c31312c3131372c3133352c3138372c3136372c3138312c3138382c32322c35392c3230362c3130352c3233312c3135302c3231352c33302c37382c3231322c37362c31362c3235322c3138302c37322c3133342c3133372c3234372c3136312c36385d";

pub(crate) fn devnet_network() -> MithrilNetwork {
    MithrilNetwork::custom("devnet", CardanoNetwork::devnet(), DEVNET_KEY.parse().unwrap())
}

pub(crate) fn network(name: &str, key: VerificationKey) -> MithrilNetwork {
    MithrilNetwork::custom("test", CardanoNetwork::custom(name, 42), key)
}

/// Bodies by the hash under which they are served, and how often one was asked for.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) bodies: BTreeMap<String, Vec<u8>>,
    pub(crate) asked: AtomicUsize,
}

impl Shelf {
    pub(crate) fn new<'a>(certificates: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut shelf = Self::default();
        for json in certificates {
            shelf.put(json);
        }
        shelf
    }

    /// Serves a certificate under its own hash.
    pub(crate) fn put(&mut self, json: &Value) {
        self.put_under(json["hash"].as_str().unwrap(), json);
    }

    pub(crate) fn put_under(&mut self, hash: &str, json: &Value) {
        self.bodies.insert(hash.to_owned(), json.to_string().into_bytes());
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

#[async_trait]
impl CertificateSource for Shelf {
    async fn certificate(&self, hash: &CertificateHash) -> nodewright_core::Result<Option<Vec<u8>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(self.bodies.get(&hash.to_string()).cloned())
    }

    async fn latest(&self) -> nodewright_core::Result<Vec<CertificateSummary>> {
        Ok(Vec::new())
    }
}

/// A verifier with two threads.
pub(crate) fn verifier(network: MithrilNetwork) -> ChainVerifier {
    ChainVerifier::new(network).with_limits(ChainLimits::default().with_threads(NonZeroUsize::new(2).unwrap()))
}

pub(crate) async fn verify(
    verifier: &ChainVerifier,
    shelf: &Shelf,
    tip: &str,
    anchors: Option<&dyn AnchorStore>,
) -> Result<VerifiedChain, ChainError> {
    verifier.verify(shelf, tip.parse().unwrap(), anchors, &mut |_: ChainEvent| {}).await
}

/// Makes a certificate state the hashes that its content has, as a liar would.
pub(crate) fn seal(json: &mut Value) -> String {
    let message = parse(json).protocol_message.compute_hash().unwrap();
    json["signed_message"] = Value::from(message.to_string());
    rehash(json)
}

/// Makes a certificate state the hash that its content has, but for the signed message.
pub(crate) fn rehash(json: &mut Value) -> String {
    let hash = parse(json).compute_hash().unwrap().to_string();
    json["hash"] = Value::from(hash.clone());
    hash
}

fn parse(json: &Value) -> Certificate {
    Certificate::from_json(json.to_string().as_bytes()).unwrap()
}
