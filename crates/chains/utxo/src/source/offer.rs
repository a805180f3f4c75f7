//! What a node speaks: its program, its methods, and what it serves beside JSON-RPC.

use async_trait::async_trait;
use nodewright_core::Result;
use nodewright_core::api::{
    AbilityName, ApiProbe, ApiRanges, Client, ClientKind, MethodName, NodeOffer, Silence, Version,
};

use super::UtxoSource;
use crate::client::NodeClient;

/// Names REST among the methods of an offer.
pub const REST: &str = "rest";

/// Names ZMQ notifications of new blocks among the methods of an offer.
pub const ZMQ_BLOCKS: &str = "zmq-blocks";

/// Is the ability to follow blocks and to fetch them; without it there is nothing to do with a node.
pub const SCAN: AbilityName = AbilityName::of("scan");

/// Returns the ranges that every chain of the family starts from: the abilities and the methods that each needs.
///
/// A node that does not list its methods is taken as it is: what it lacks is then found when it is asked for.
#[must_use]
pub fn family_ranges() -> ApiRanges {
    let ability = |ranges: ApiRanges, (name, methods): (&'static str, &[&'static str])| {
        ranges.with_ability(AbilityName::of(name), methods.iter().map(|method| MethodName::of(method)))
    };
    ABILITIES.iter().copied().fold(ApiRanges::new(Silence::Accept), ability)
}

#[async_trait]
impl ApiProbe for UtxoSource {
    async fn offer(&self) -> Result<NodeOffer> {
        let network = self.client.network_info().await?;
        let offer = NodeOffer::new(client_of(&network.subversion));
        let Some(mut methods) = self.client.methods().await? else { return Ok(offer) };
        if self.abilities.rest {
            methods.insert(REST.to_owned());
        }
        if publishes_blocks(&self.client).await? {
            methods.insert(ZMQ_BLOCKS.to_owned());
        }
        Ok(offer.with_methods(methods.into_iter().map(MethodName::new)))
    }
}

async fn publishes_blocks(client: &NodeClient) -> Result<bool> {
    let notifications = client.zmq_notifications().await?.unwrap_or_default();
    Ok(notifications.iter().any(|notification| matches!(notification.kind.as_str(), "pubhashblock" | "pubrawblock")))
}

/// Reads a node's name for its program, such as `/LitecoinCore:0.21.2.1/` or `/Dash Core:22.0.0(note)/` (BIP 14): the
/// kind is the name in lower case with dashes, the version its first three numbers. Bitcoin Core calls itself Satoshi.
fn client_of(subversion: &str) -> Client {
    let printed: String = subversion.chars().take(MAX_SUBVERSION).collect();
    let first = printed.trim_matches('/').split('/').next().unwrap_or_default();
    let (name, version) = first.split_once(':').unwrap_or((first, ""));
    let kind = match name {
        "Satoshi" => "bitcoin-core".to_owned(),
        "LitecoinCore" => "litecoin-core".to_owned(),
        other => other.to_lowercase().replace(' ', "-"),
    };
    let numbers = version.split(|character: char| !character.is_ascii_digit() && character != '.').next();
    let mut numbers = numbers.unwrap_or_default().split('.').map(str::parse);
    let version = match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Some(Version::new(major, minor, patch)),
        (Some(Ok(major)), Some(Ok(minor)), None) => Some(Version::new(major, minor, 0)),
        _ => None,
    };
    Client { kind: ClientKind::new(kind), printed, version }
}

/// What each ability needs.
const ABILITIES: &[(&str, &[&str])] = &[
    ("eras", &["getblockchaininfo"]),
    ("follow-transactions", &["getmempoolentry", "getrawtransaction", "gettxout"]),
    ("rest", &[REST]),
    ("scan", &["getblock", "getblockchaininfo", "getblockhash", "getblockheader", "getnetworkinfo"]),
    ("spenders-in-mempool", &["gettxspendingprevout"]),
    ("wake", &[ZMQ_BLOCKS]),
];

/// Bounds what is kept of a node's name in characters; BIP 14 nodes send at most 256.
const MAX_SUBVERSION: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_its_name_and_first_three_numbers() {
        let cases = [
            ("/LitecoinCore:0.21.2.1/", "litecoin-core", Some((0, 21, 2))),
            ("/Satoshi:25.0.0/", "bitcoin-core", Some((25, 0, 0))),
            ("/Satoshi:28.1.0(operator)/Knots:20250305/", "bitcoin-core", Some((28, 1, 0))),
            ("/Dash Core:22.0.0(dcg-masternode-27)/", "dash-core", Some((22, 0, 0))),
            ("/Dash Core:22.1.0-rc.1/", "dash-core", Some((22, 1, 0))),
            ("/btcwire:0.5.0/btcd:0.24.2/", "btcwire", Some((0, 5, 0))),
            ("/odd:v1/", "odd", None),
            ("", "", None),
            ("/x:99999999999999999999.0.0/", "x", None),
        ];
        for (text, kind, version) in cases {
            let client = client_of(text);
            assert_eq!(client.kind.as_str(), kind, "{text}");
            assert_eq!(client.version, version.map(|(a, b, c)| Version::new(a, b, c)), "{text}");
        }
    }
}
