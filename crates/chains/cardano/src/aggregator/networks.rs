//! Mithril's published list of networks and their aggregators, `networks.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Is one network of `networks.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedNetwork {
    /// Names the network of Cardano.
    pub cardano: String,
    /// Names the Mithril network, such as `release-mainnet`.
    pub name: String,
    /// Holds the base addresses of its aggregators.
    pub aggregators: Vec<String>,
    /// Is the least version of a Cardano node that a signer needs, if one is stated.
    pub minimum_node: Option<String>,
}

/// Reads `networks.json`. Whoever fetches it learns addresses from it, and never keys: those a person chooses.
///
/// # Errors
/// [`NetworksError`] if it is longer than 1 MiB or not of this form.
pub fn listed_networks(json: &[u8]) -> Result<Vec<ListedNetwork>, NetworksError> {
    if json.len() > MAX_BYTES {
        return Err(NetworksError { reason: format!("{} bytes, more than {MAX_BYTES}", json.len()) });
    }
    let wire: BTreeMap<String, Cardano> =
        serde_json::from_slice(json).map_err(|error| NetworksError { reason: error.to_string() })?;
    let mut listed = Vec::new();
    for (cardano, Cardano { minimum, networks }) in wire {
        for (name, network) in networks.into_iter().flatten() {
            listed.push(ListedNetwork {
                cardano: cardano.clone(),
                name,
                aggregators: network.aggregators.into_iter().map(|aggregator| aggregator.url).collect(),
                minimum_node: minimum.get("mithril-signer").cloned(),
            });
        }
    }
    Ok(listed)
}

/// Says why a text is not a list of networks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of mithril networks: {reason}")]
pub struct NetworksError {
    /// Says what is wrong.
    pub reason: String,
}

#[derive(Deserialize)]
struct Cardano {
    #[serde(default, rename = "cardano-minimum-version")]
    minimum: BTreeMap<String, String>,
    #[serde(rename = "mithril-networks")]
    networks: Vec<BTreeMap<String, Network>>,
}

#[derive(Deserialize)]
struct Network {
    aggregators: Vec<Aggregator>,
}

#[derive(Deserialize)]
struct Aggregator {
    url: String,
}

/// Bounds the list: five hundred times the published one.
const MAX_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::MithrilNetwork;

    #[test]
    fn the_published_list_names_the_aggregators_of_the_registry() {
        let Some(file) = nodewright_testkit::corpus("mithril/networks.json") else { return };
        let listed = listed_networks(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(listed.len(), MithrilNetwork::all().len());
        for network in listed {
            let known = MithrilNetwork::known(&network.name).unwrap();
            assert_eq!((network.cardano.as_str(), network.aggregators), (known.cardano.name(), known.aggregators));
            assert_eq!(network.minimum_node.as_deref(), Some("10.7.1"));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "[]", r#"{"mainnet":{}}"#, r#"{"mainnet":{"mithril-networks":[{"x":{}}]}}"#] {
            assert!(listed_networks(text.as_bytes()).is_err(), "{text}");
        }
        assert!(listed_networks(&vec![b' '; MAX_BYTES + 1]).unwrap_err().reason.contains("more than"));
    }
}
