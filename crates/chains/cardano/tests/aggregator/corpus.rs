//! Every list, detail and proof of a real devnet, served and read back.

use std::fs;

use nodewright_cardano::aggregator::{EpochChoice, Features};
use nodewright_cardano::certificate::{CertificateSource as _, EntityKind};
use nodewright_cardano::sim::aggregator::{SimAggregator, SimContents};
use nodewright_cardano::watch::AggregatorView as _;
use nodewright_core::Epoch;
use serde_json::{Map, Value, json};

use crate::client;

fn json_file(name: &str) -> Option<Value> {
    let file = nodewright_testkit::corpus(&format!("mithril/devnet-2026/{name}.json"))?;
    Some(serde_json::from_slice(&fs::read(file).unwrap()).unwrap())
}

fn objects(name: &str) -> Option<Map<String, Value>> {
    json_file(name)?.as_object().cloned()
}

/// Every list, its route, the details of it, and their route.
const ARTIFACTS: [(&str, &str, &str, &str); 5] = [
    ("cardano-databases-list", "/artifact/cardano-database", "cardano-databases", "/artifact/cardano-database/"),
    (
        "mithril-stake-distributions-list",
        "/artifact/mithril-stake-distributions",
        "mithril-stake-distributions",
        "/artifact/mithril-stake-distribution/",
    ),
    (
        "cardano-stake-distributions-list",
        "/artifact/cardano-stake-distributions",
        "cardano-stake-distributions",
        "/artifact/cardano-stake-distribution/",
    ),
    ("ctx-snapshots-list", "/artifact/cardano-transactions", "ctx-snapshots", "/artifact/cardano-transaction/"),
    (
        "cardano-blocks-txs-snapshots-list",
        "/artifact/cardano-blocks-transactions",
        "cardano-blocks-txs-snapshots",
        "/artifact/cardano-blocks-transactions/",
    ),
];

const PROOFS: [(&str, &str); 3] = [
    ("ctx-proofs", "/proof/cardano-transaction?transaction_hashes="),
    ("ctx-proofs-v2", "/proof/v2/cardano-transaction?transaction_hashes="),
    ("cblk-proofs", "/proof/v2/cardano-block?block_hashes="),
];

/// The devnet of 2026-05-21 as its aggregator would serve it.
pub(crate) fn devnet() -> Option<SimContents> {
    let mut contents = SimContents::default();
    for (list, list_path, details, detail_path) in ARTIFACTS {
        contents.put(list_path, json_file(list)?);
        for (hash, detail) in objects(details)? {
            contents.put(format!("{detail_path}{hash}"), detail);
        }
    }
    for (name, path) in PROOFS {
        for (hash, proof) in objects(name)? {
            contents.put(format!("{path}{hash}"), proof);
        }
    }
    let mut certificates: Vec<_> = objects("certificates")?.into_iter().map(|(_, json)| json).collect();
    certificates.sort_by_key(|json| json["metadata"]["sealed_at"].to_string());
    for certificate in certificates {
        contents.put_certificate(certificate);
    }
    contents.put("/certificates", json_file("certificates-list")?);
    contents.put("/status", json_file("status")?);
    contents.put("/epoch-settings", json_file("epoch-settings")?);
    Some(contents)
}

#[tokio::test]
async fn every_list_detail_and_proof_of_the_devnet_is_read() {
    let Some(contents) = devnet() else { return };
    let sim = SimAggregator::new(contents);
    let server = sim.serve().unwrap();
    let client = client(&server);

    let databases = client.snapshots().await.unwrap();
    for line in &databases {
        let detail = client.snapshot(&line.hash).await.unwrap();
        assert_eq!((&detail.merkle_root, &detail.beacon), (&line.merkle_root, &line.beacon));
    }
    let signers = client.mithril_stake_distributions().await.unwrap();
    for line in &signers {
        let detail = client.mithril_stake_distribution(&line.hash).await.unwrap();
        assert_eq!((detail.compute_hash(), detail.epoch), (line.hash.clone(), line.epoch));
        let certificate = client.certificate_by(&line.certificate_hash).await.unwrap();
        detail.check(&certificate).unwrap();
    }
    let stakes = client.cardano_stake_distributions().await.unwrap();
    for line in &stakes {
        let detail = client.cardano_stake_distribution(&line.hash).await.unwrap();
        detail.check(&client.certificate_by(&line.certificate_hash).await.unwrap()).unwrap();
    }
    let transactions = client.transactions_snapshots().await.unwrap();
    for line in &transactions {
        assert_eq!(&client.transactions_snapshot(&line.hash).await.unwrap(), line);
    }
    let blocks = client.blocks_transactions_snapshots().await.unwrap();
    for line in &blocks {
        assert_eq!(&client.blocks_transactions_snapshot(&line.hash).await.unwrap(), line);
    }
    let counts = [databases.len(), signers.len(), stakes.len(), transactions.len(), blocks.len()];
    assert_eq!(counts, [11, 9, 9, 18, 17]);
}

#[tokio::test]
async fn every_proof_of_the_devnet_holds_under_its_certificate() {
    let Some(contents) = devnet() else { return };
    let server = SimAggregator::new(contents).serve().unwrap();
    let client = client(&server);
    let mut proven = 0;
    for (name, _) in PROOFS {
        for hash in objects(name).unwrap().keys() {
            let hashes = [hash.clone()];
            proven += match name {
                "ctx-proofs" => {
                    let proofs = client.transaction_proofs(&hashes).await.unwrap();
                    let certificate = client.certificate_by(&proofs.certificate_hash).await.unwrap();
                    proofs.verify(&certificate).unwrap().len()
                }
                "ctx-proofs-v2" => {
                    let proofs = client.transaction_proofs_v2(&hashes).await.unwrap();
                    let certificate = client.certificate_by(&proofs.certificate_hash).await.unwrap();
                    proofs.verify(&certificate).unwrap().len()
                }
                _ => {
                    let proofs = client.block_proofs(&hashes).await.unwrap();
                    let certificate = client.certificate_by(&proofs.certificate_hash).await.unwrap();
                    proofs.verify(&certificate).unwrap().len()
                }
            };
        }
    }
    assert_eq!(proven, 28);
}

#[tokio::test]
async fn certificates_status_and_settings_of_the_devnet_are_read() {
    let Some(contents) = devnet() else { return };
    let server = SimAggregator::new(contents).serve().unwrap();
    let client = client(&server);
    let list = client.certificates().await.unwrap();
    assert_eq!(list.len(), 20);
    assert_eq!(client.latest().await.unwrap(), list);
    assert!(client.genesis_certificate().await.unwrap().is_genesis());
    let status = client.status().await.unwrap();
    assert_eq!((status.epoch, status.mithril_era.as_str(), status.total_signers), (Epoch(24), "pythagoras", 2));
    let settings = client.settings().await.unwrap();
    assert_eq!((settings.epoch, settings.current.len(), settings.next.len()), (Epoch(24), 2, 2));
}

#[tokio::test]
async fn the_list_that_the_simulation_makes_is_the_one_that_the_real_aggregator_served() {
    let (Some(contents), Some(Value::Array(real))) = (devnet(), json_file("certificates-list")) else { return };
    let mut made = SimContents::default();
    let mut newest: Vec<_> = real.iter().map(|line| line["hash"].as_str().unwrap().to_owned()).collect();
    newest.reverse();
    for hash in newest {
        if let Some(certificate) = contents.certificate(&hash) {
            made.put_certificate(certificate.clone());
        }
    }
    let server = SimAggregator::new(made).serve().unwrap();
    let ours: Vec<_> = client(&server).certificates().await.unwrap();
    let real: Vec<_> = serde_json::from_value(Value::Array(real)).unwrap();
    assert_eq!(ours, real);
}

#[tokio::test]
async fn what_a_newer_aggregator_adds_is_passed_over() {
    let Some(mut contents) = devnet() else { return };
    let mut lines = json_file("certificates-list").unwrap();
    lines[0]["signed_entity_type"] = json!({ "LeiosBlocks": { "epoch": 24, "votes": [1, 2] } });
    lines[1]["of_the_future"] = json!(true);
    contents.put("/certificates", lines);
    let features = json!({
        "open_api_version": "0.1.99",
        "documentation_url": "https://mithril.network",
        "capabilities": {
            "signed_entity_types": ["MithrilStakeDistribution", "LeiosBlocks"],
            "aggregate_signature_type": "Snark",
            "of_the_future": {},
        },
        "of_the_future": 1,
    });
    contents.put("/", features);
    let server = SimAggregator::new(contents).serve().unwrap();
    let client = client(&server);
    let list = client.certificates().await.unwrap();
    assert_eq!((list[0].signed_entity.kind(), list[0].signed_entity.tag()), (EntityKind::Unknown, "LeiosBlocks"));
    let Features { capabilities, .. } = client.features().await.unwrap();
    assert_eq!(capabilities.kinds(), [EntityKind::MithrilStakeDistribution, EntityKind::Unknown]);
    let facts = nodewright_cardano::watch::AggregatorView::certificates(&client).await.unwrap();
    assert_eq!((facts.len(), facts[0].kind), (20, EntityKind::Unknown));
}

#[tokio::test]
async fn nobody_registered_yet_is_an_empty_list_and_another_epoch_is_an_error() {
    let mut contents = SimContents::default();
    contents.put("/signers/registered/8", json!({ "registered_at": 7, "signing_at": 9, "registrations": [] }));
    let server = SimAggregator::new(contents).serve().unwrap();
    let client = client(&server);
    assert!(client.registered(Epoch(7)).await.unwrap().is_empty());
    let error = client.registered(Epoch(8)).await.unwrap_err();
    assert!(error.to_string().contains("asked for epoch 8, was given 7"), "{error}");
    let asked = client.registered_signers(EpochChoice::Epoch(Epoch(8))).await.unwrap();
    assert_eq!(asked.signing_at, Epoch(9));
}
