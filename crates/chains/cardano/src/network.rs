//! Networks of Cardano, and the Mithril networks that run on them with the keys that each one trusts.
//!
//! Mithril's trust starts at keys that a person must choose: the key that signed the chain's genesis certificate, the
//! key of era markers and the key of ancillary files. [`MithrilNetwork::known`] holds what the Mithril project publishes
//! in `networks.json` and in `mithril-infra/configuration/<network>/` of its repository (IntersectMBO/mithril, read in
//! 2026-08). [`MithrilNetwork::custom`] is for a devnet, a fork or a private network.

use core::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::keys::VerificationKey;

/// Names a network of Cardano, by the word that Mithril's certificates use and by its magic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CardanoNetwork {
    name: String,
    magic: u64,
}

impl CardanoNetwork {
    /// Returns mainnet, magic 764824073.
    #[must_use]
    pub fn mainnet() -> Self {
        Self::custom("mainnet", 764_824_073)
    }

    /// Returns preprod, magic 1.
    #[must_use]
    pub fn preprod() -> Self {
        Self::custom("preprod", 1)
    }

    /// Returns preview, magic 2.
    #[must_use]
    pub fn preview() -> Self {
        Self::custom("preview", 2)
    }

    /// Returns the devnet of Mithril's own tests, magic 42.
    #[must_use]
    pub fn devnet() -> Self {
        Self::custom("devnet", 42)
    }

    /// Returns a network of other name or magic. Mithril calls a network of unlisted magic `private`.
    #[must_use]
    pub fn custom(name: impl Into<String>, magic: u64) -> Self {
        Self { name: name.into(), magic }
    }

    /// Returns the word that certificates state in `metadata.network`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the network magic, which nodes exchange when they connect.
    #[must_use]
    pub fn magic(&self) -> u64 {
        self.magic
    }

    /// Returns whether addresses of this network have the mainnet prefix and the CLI wants `--mainnet`.
    #[must_use]
    pub fn is_mainnet(&self) -> bool {
        *self == Self::mainnet()
    }
}

impl fmt::Display for CardanoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Reads the name of a network that has one: `mainnet`, `preprod`, `preview` or `devnet`.
impl FromStr for CardanoNetwork {
    type Err = NetworkError;

    fn from_str(name: &str) -> Result<Self, NetworkError> {
        [Self::mainnet(), Self::preprod(), Self::preview(), Self::devnet()]
            .into_iter()
            .find(|network| network.name == name)
            .ok_or_else(|| NetworkError::Unknown { name: name.to_owned() })
    }
}

/// Says where the era markers of a network stand and who signs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EraSource {
    /// Holds the bech32 address whose outputs carry the markers.
    pub address: String,
    /// Holds the key that signs the markers.
    pub verification_key: VerificationKey,
}

/// Holds everything one needs to trust before talking to a Mithril network.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MithrilNetwork {
    /// Names the Mithril network, such as `release-mainnet`.
    pub name: String,
    /// Names the network of Cardano that it certifies.
    pub cardano: CardanoNetwork,
    /// Holds the base addresses of its aggregators, without a slash at the end.
    pub aggregators: Vec<String>,
    /// Holds the key that signed the genesis certificate.
    pub genesis_key: VerificationKey,
    /// Says where era markers stand; `None` if the network publishes none on its chain.
    pub era: Option<EraSource>,
    /// Holds the key that signs ancillary files; `None` if the network publishes none.
    pub ancillary_key: Option<VerificationKey>,
}

impl MithrilNetwork {
    /// Makes a network of one's own: a devnet, a fork or a private network.
    #[must_use]
    pub fn custom(name: impl Into<String>, cardano: CardanoNetwork, genesis_key: VerificationKey) -> Self {
        Self { name: name.into(), cardano, aggregators: Vec::new(), genesis_key, era: None, ancillary_key: None }
    }

    /// Returns the network of that name from the published registry.
    ///
    /// # Errors
    /// [`NetworkError::Unknown`] if the registry does not list it.
    pub fn known(name: &str) -> Result<Self, NetworkError> {
        let unknown = || NetworkError::Unknown { name: name.to_owned() };
        REGISTRY.iter().find(|entry| entry.name == name).and_then(Entry::build).ok_or_else(unknown)
    }

    /// Returns every network of the published registry.
    #[must_use]
    pub fn all() -> Vec<Self> {
        REGISTRY.iter().filter_map(Entry::build).collect()
    }

    /// Adds an aggregator's base address.
    #[must_use]
    pub fn with_aggregator(mut self, url: impl Into<String>) -> Self {
        let url = url.into();
        self.aggregators.push(url.trim_end_matches('/').to_owned());
        self
    }

    /// Says where era markers stand.
    #[must_use]
    pub fn with_era(mut self, era: EraSource) -> Self {
        self.era = Some(era);
        self
    }

    /// Sets the key that signs ancillary files.
    #[must_use]
    pub fn with_ancillary_key(mut self, key: VerificationKey) -> Self {
        self.ancillary_key = Some(key);
        self
    }

    /// Returns a digest that binds the Cardano network (name and magic) and the genesis key.
    ///
    /// What was verified under one fingerprint says nothing under another: stored anchors carry it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"nodewright-mithril-network")
            .chain_update(Sha256::digest(self.cardano.name.as_bytes()))
            .chain_update(self.cardano.magic.to_be_bytes())
            .chain_update(self.genesis_key.to_bytes())
            .finalize()
            .into()
    }
}

/// Says why a network was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// Nothing of that name is listed.
    #[error("unknown network {name:?}")]
    Unknown {
        /// Holds the name that was looked for.
        name: String,
    },
}

/// One line of the registry.
struct Entry {
    name: &'static str,
    cardano: fn() -> CardanoNetwork,
    aggregator: &'static str,
    genesis: &'static str,
    era_address: &'static str,
    era: &'static str,
    ancillary: &'static str,
}

impl Entry {
    /// `None` only if a constant of the registry were mistyped, which a test excludes.
    fn build(&self) -> Option<MithrilNetwork> {
        let era = EraSource { address: self.era_address.to_owned(), verification_key: self.era.parse().ok()? };
        let network = MithrilNetwork::custom(self.name, (self.cardano)(), self.genesis.parse().ok()?)
            .with_aggregator(self.aggregator)
            .with_era(era)
            .with_ancillary_key(self.ancillary.parse().ok()?);
        Some(network)
    }
}

/// The networks of Mithril's `networks.json`, with the keys of `mithril-infra/configuration/` (read in 2026-08).
const REGISTRY: &[Entry] = &[
    Entry {
        name: "release-mainnet",
        cardano: CardanoNetwork::mainnet,
        aggregator: "https://aggregator.release-mainnet.api.mithril.network/aggregator",
        genesis: GENESIS_MAINNET,
        era_address: "addr1qy72kwgm6kypyc5maw0h8mfagwag8wjnx6emgfnsnhqaml6gx7gg4tzplw9l32nsgclqax7stc4u6c5dn0ctljwscm2sqv0teg",
        era: ERA_MAINNET,
        ancillary: ANCILLARY_MAINNET,
    },
    Entry {
        name: "release-preprod",
        cardano: CardanoNetwork::preprod,
        aggregator: "https://aggregator.release-preprod.api.mithril.network/aggregator",
        genesis: GENESIS_TESTNETS,
        era_address: "addr_test1qpkyv2ws0deszm67t840sdnruqgr492n80g3y96xw3p2ksk6suj5musy6w8lsg3yjd09cnpgctc2qh386rtxphxt248qr0npnx",
        era: ERA_TESTNETS,
        ancillary: ANCILLARY_TESTNETS,
    },
    Entry {
        name: "pre-release-preview",
        cardano: CardanoNetwork::preview,
        aggregator: "https://aggregator.pre-release-preview.api.mithril.network/aggregator",
        genesis: GENESIS_TESTNETS,
        era_address: "addr_test1qrv5xfwh043mlc3vk5d97s4nmhxu7cmleyssvhx37gkfyejfe8d38v3vsfgetjafgrsdc49krug8wf04h5rmtengtejqlxrksk",
        era: ERA_TESTNETS,
        ancillary: ANCILLARY_TESTNETS,
    },
    Entry {
        name: "testing-preview",
        cardano: CardanoNetwork::preview,
        aggregator: "https://aggregator.testing-preview.api.mithril.network/aggregator",
        genesis: GENESIS_TESTNETS,
        era_address: "addr_test1qzzngukkj9ydjemqjlgfn42sevy2xnvauay46weushlpuq9thd4ray00csjssf4sxftv04xeequ3xfx72nujg9y4d5ysgkxxlh",
        era: ERA_TESTNETS,
        ancillary: ANCILLARY_TESTNETS,
    },
];

/// `release-mainnet/genesis.vkey`.
const GENESIS_MAINNET: &str = "bf428cb98a0bedcffa901b02bc1e0c519bcc0ab34b178ac4d9050e14394f27b0";
/// `genesis.vkey` of release-preprod and of all preview networks.
const GENESIS_TESTNETS: &str = "7f497ca1068983d5cf75c655b0c7a2f1447b77910de8f331e502f9cdcd27eb2c";
/// `release-mainnet/era.vkey`.
const ERA_MAINNET: &str = "0b86d74c8ddc6f9a3fe6720c574a5eac841b60ba7eb213721ef3408d6e535613";
/// `era.vkey` of release-preprod and of all preview networks: one key, so a payload of one verifies on the others.
const ERA_TESTNETS: &str = "37e490578a8830080ebb559461e8ffe526f4f7ccc60d1fde19a434665b78d093";
/// `release-mainnet/ancillary.vkey`.
const ANCILLARY_MAINNET: &str = "174760852ffde288eb39a46aba02151d78a35979b18ad08ad6633a16003a0345";
/// `ancillary.vkey` of release-preprod and of all preview networks.
const ANCILLARY_TESTNETS: &str = "bdc0d89672d8edd22d1215c4d0f69202fcf3fbc51c9dcc911e0ee4a881538824";

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_entry_of_the_registry_builds() {
        assert_eq!(MithrilNetwork::all().len(), REGISTRY.len());
        for entry in REGISTRY {
            assert_eq!(MithrilNetwork::known(entry.name).unwrap().name, entry.name);
        }
        assert_eq!(
            MithrilNetwork::known("release-sanchonet"),
            Err(NetworkError::Unknown { name: "release-sanchonet".to_owned() })
        );
    }

    #[test]
    fn genesis_fingerprints_are_the_published_ones() {
        let fingerprint = |name| hex::encode(MithrilNetwork::known(name).unwrap().genesis_key.genesis_fingerprint());
        assert_eq!(fingerprint("release-mainnet"), "89bdee9e2eb088f911578208a84b8852437ef09a7915ce07e1f77965187837e8");
        assert_eq!(fingerprint("release-preprod"), "0ce8a401139ec88f0bafb6a8b5150e34614e708e8cda0e11ff70a6355ac0bf83");
    }

    #[test]
    fn the_registry_agrees_with_the_published_key_files() {
        let Some(folder) = nodewright_testkit::corpus("mithril/network-keys") else { return };
        for network in MithrilNetwork::all() {
            let file = |name: &str| fs::read_to_string(folder.join(&network.name).join(name)).unwrap();
            assert_eq!(file("genesis.vkey").parse(), Ok(network.genesis_key), "{}", network.name);
            assert_eq!(file("ancillary.vkey").parse().ok(), network.ancillary_key, "{}", network.name);
            let era = EraSource {
                address: file("era.addr").trim().to_owned(),
                verification_key: file("era.vkey").parse().unwrap(),
            };
            assert_eq!(network.era, Some(era), "{}", network.name);
        }
    }

    #[test]
    fn the_registry_agrees_with_networks_json() {
        let Some(file) = nodewright_testkit::corpus("mithril/networks.json") else { return };
        let listed: serde_json::Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let mut found = 0;
        for (cardano, entry) in listed.as_object().unwrap() {
            for networks in entry["mithril-networks"].as_array().unwrap() {
                for (name, published) in networks.as_object().unwrap() {
                    let network = MithrilNetwork::known(name).unwrap();
                    assert_eq!(network.cardano, cardano.parse().unwrap());
                    assert_eq!(network.aggregators, [published["aggregators"][0]["url"].as_str().unwrap()]);
                    found += 1;
                }
            }
        }
        assert_eq!(found, REGISTRY.len());
    }

    #[test]
    fn a_fingerprint_binds_name_magic_and_genesis_key() {
        let known = |name| MithrilNetwork::known(name).unwrap();
        let preprod = known("release-preprod");
        assert_ne!(preprod.fingerprint(), known("release-mainnet").fingerprint());
        assert_ne!(preprod.fingerprint(), known("pre-release-preview").fingerprint(), "same key, other network");
        let renamed = CardanoNetwork::custom("preprod", 7);
        assert_ne!(preprod.fingerprint(), MithrilNetwork::custom("x", renamed, preprod.genesis_key).fingerprint());
        let rekeyed = MithrilNetwork::custom("x", CardanoNetwork::preprod(), known("release-mainnet").genesis_key);
        assert_ne!(preprod.fingerprint(), rekeyed.fingerprint());
    }
}
