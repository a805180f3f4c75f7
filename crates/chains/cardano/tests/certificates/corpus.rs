//! Real certificates.

use std::collections::BTreeMap;
use std::fs;

use nodewright_cardano::certificate::Certificate;
use serde_json::Value;

/// Reads a JSON file of the corpus; `None` after a skip.
pub(crate) fn json(path: &str) -> Option<Value> {
    let file = nodewright_testkit::corpus(&format!("mithril/{path}"))?;
    Some(serde_json::from_slice(&fs::read(file).unwrap()).unwrap())
}

/// The 43 certificates of a devnet run of 2026: a whole chain from its genesis.
pub(crate) fn devnet() -> Option<BTreeMap<String, Value>> {
    by_hash("devnet-2026/certificates.json", 43)
}

/// Three certificates of release-preprod of 2023-12.
pub(crate) fn preprod_2023() -> Option<BTreeMap<String, Value>> {
    by_hash("preprod-2023/certificates.json", 3)
}

/// One certificate of release-preprod of 2026-06.
pub(crate) fn preprod_2026() -> Option<Value> {
    json("preprod-2026/cardano_database_certificate.json")
}

pub(crate) fn parse(json: &Value) -> Certificate {
    Certificate::from_json(json.to_string().as_bytes()).unwrap()
}

fn by_hash(path: &str, count: usize) -> Option<BTreeMap<String, Value>> {
    let certificates: BTreeMap<String, Value> = serde_json::from_value(json(path)?).unwrap();
    assert_eq!(certificates.len(), count, "{path}");
    Some(certificates)
}
