//! The chains that are verified: a real one of the corpus, and generated ones.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::iter::successors;

use nodewright_cardano::certificate::{Certificate, CertificateHash, PhiF, ProtocolParameters};
use nodewright_cardano::keys::VerificationKey;
use nodewright_cardano::network::{CardanoNetwork, MithrilNetwork};
use nodewright_cardano::sim::devnet::{Devnet, DevnetOptions};
use nodewright_testkit::corpus;
use serde_json::Value;

/// Certificates by their hash, and the key that signed the genesis.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    key: String,
    certificates: BTreeMap<String, Value>,
    tips: Vec<String>,
}

impl Chain {
    /// The whole chain of a devnet run of 2026 that is in the corpus; `None`, after saying so, without one.
    pub(super) fn devnet() -> Result<Option<Self>, String> {
        let Some(file) = corpus("mithril/devnet-2026/certificates.json") else { return Ok(None) };
        let bytes = fs::read(file).map_err(|error| error.to_string())?;
        let certificates: BTreeMap<_, _> = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        if certificates.len() != DEVNET_CERTIFICATES {
            return Err(format!("the devnet has {} certificates", certificates.len()));
        }
        Ok(Some(Self::new(DEVNET_KEY.to_owned(), certificates)))
    }

    /// A chain of so many certificates, one in an epoch, with the parameters of the devnet. It is the same each time.
    pub(super) fn generated(certificates: u64) -> Result<Self, String> {
        let phi_f = PhiF::try_new(0.95).map_err(|error| error.to_string())?;
        let options = DevnetOptions::default().with_parameters(ProtocolParameters { k: 70, m: 105, phi_f });
        let mut devnet = Devnet::new(1, options).map_err(|error| error.to_string())?;
        devnet.run(certificates - 1).map_err(|error| error.to_string())?;
        let by_hash =
            |certificate: &Certificate| Ok((certificate.hash.to_string(), serde_json::to_value(certificate)?));
        let certificates: Result<_, serde_json::Error> = devnet.chain().iter().map(by_hash).collect();
        Ok(Self::new(devnet.network().genesis_key.to_json_hex(), certificates.map_err(|error| error.to_string())?))
    }

    fn new(key: String, certificates: BTreeMap<String, Value>) -> Self {
        let linked: HashSet<_> = certificates.values().map(|json| text(json, "previous_hash")).collect();
        let tips = certificates.keys().filter(|hash| !linked.contains(hash.as_str())).cloned().collect();
        Self { key, tips, certificates }
    }

    /// The certificates that no other one links to: walked to the genesis from each of them, all are verified.
    pub(super) fn tips(&self) -> &[String] {
        &self.tips
    }

    /// How many certificates are met on the way from a tip to the genesis.
    pub(super) fn height(&self, tip: &str) -> usize {
        successors(self.certificates.get(tip), |json| self.certificates.get(text(json, "previous_hash"))).count()
    }

    /// The hash that a certificate links to.
    pub(super) fn previous(&self, hash: &str) -> &str {
        self.certificates.get(hash).map_or("", |json| text(json, "previous_hash"))
    }

    /// The genesis key, as Mithril writes it.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn network(&self) -> Result<MithrilNetwork, String> {
        let key = self.key.parse::<VerificationKey>().map_err(|error| error.to_string())?;
        let name = self.certificates.values().next().map_or("", |json| text(&json["metadata"], "network"));
        Ok(MithrilNetwork::custom("bench", CardanoNetwork::custom(name, 42), key))
    }

    pub(super) fn texts(&self) -> HashMap<String, Vec<u8>> {
        self.certificates.iter().map(|(hash, json)| (hash.clone(), json.to_string().into_bytes())).collect()
    }

    pub(super) fn bodies(&self) -> Result<BTreeMap<CertificateHash, Vec<u8>>, String> {
        let parsed = |hash: String| hash.parse::<CertificateHash>().map_err(|error| error.to_string());
        self.texts().into_iter().map(|(hash, body)| Ok((parsed(hash)?, body))).collect()
    }

    /// The same chain, with a tip more: the certificate of a tip with another one's signature, and a hash that fits.
    pub(super) fn with_a_forged_tip(&self) -> Result<Self, String> {
        let signature = |json: &Value| text(json, "multi_signature").to_owned();
        let mut tip = self.tips.first().and_then(|tip| self.certificates.get(tip)).ok_or("the chain is empty")?.clone();
        let mut signatures = self.certificates.values().map(signature);
        let other = signatures.find(|other| !other.is_empty() && *other != signature(&tip));
        tip["multi_signature"] = other.ok_or("the chain is too short")?.into();
        let parsed = Certificate::from_json(tip.to_string().as_bytes()).map_err(|error| error.to_string())?;
        let hash = parsed.compute_hash().map_err(|error| error.to_string())?.to_string();
        tip["hash"] = hash.clone().into();
        let mut forged = self.clone();
        forged.tips = vec![hash.clone()];
        forged.certificates.insert(hash, tip);
        Ok(forged)
    }
}

fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_default()
}

const DEVNET_CERTIFICATES: usize = 43;

/// The genesis key of Mithril's devnet, of which the secret key is public too.
const DEVNET_KEY: &str = "5b33322c3235332c3138362c3230312c3137372c31312c3131372c3133352c3138372c3136372c3138312c3138382c32322c35392c3230362c3130352c3233312c3135302c3231352c33302c37382c3231322c37362c31362c3235322c3138302c37322c3133342c3133372c3234372c3136312c36385d";
