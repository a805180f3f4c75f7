//! Every route carries the headers by which the network is run.

use std::collections::BTreeSet;

use nodewright_cardano::aggregator::{EpochChoice, RestoreStatistic, SignatureMessage, SignerMessage};
use nodewright_cardano::certificate::{CertificateHash, MessageHash, SignedEntity};
use nodewright_cardano::sim::aggregator::SimAggregator;
use nodewright_core::Epoch;
use nodewright_core::api::Version;
use nodewright_testkit::loopback::Request;
use serde_json::json;

use crate::client;

pub(crate) fn registration() -> SignerMessage {
    let json = json!({ "epoch": 8, "party_id": "pool1", "verification_key": "7b7d" });
    serde_json::from_value(json).unwrap()
}

pub(crate) fn signature() -> SignatureMessage {
    SignatureMessage {
        entity_type: SignedEntity::MithrilStakeDistribution(Epoch(8)),
        party_id: "pool1".to_owned(),
        signature: "7b7d".to_owned(),
        indexes: vec![1, 5],
        signed_message: MessageHash([7; 32]),
    }
}

pub(crate) fn signer_version() -> Version {
    Version::parse("0.2.276+5d5571e").unwrap()
}

/// Asks every route, of an aggregator that has nothing, and returns the requests.
async fn every_request() -> Vec<Request> {
    let sim = SimAggregator::default();
    let server = sim.serve().unwrap();
    let client = client(&server);
    let (hashes, epoch) = (["aa".to_owned()], EpochChoice::Latest);
    macro_rules! call {
        ($($call:expr;)*) => { $(drop($call.await);)* };
    }
    call! {
        client.features();
        client.status();
        client.epoch_settings();
        client.protocol_configuration(Epoch(7));
        client.certificates();
        client.certificate_by(&CertificateHash([1; 32]));
        client.genesis_certificate();
        client.snapshots();
        client.snapshots_of(epoch);
        client.snapshot("aa");
        client.digests();
        client.mithril_stake_distributions();
        client.mithril_stake_distribution("aa");
        client.cardano_stake_distributions();
        client.cardano_stake_distribution("aa");
        client.cardano_stake_distribution_of(epoch);
        client.transactions_snapshots();
        client.transactions_snapshot("aa");
        client.blocks_transactions_snapshots();
        client.blocks_transactions_snapshot("aa");
        client.transaction_proofs(&hashes);
        client.transaction_proofs_v2(&hashes);
        client.block_proofs(&hashes);
        client.registered_signers(epoch);
        client.signer_tickers();
        client.register_signer(&registration(), &signer_version());
        client.register_signature(&signature());
        client.record(RestoreStatistic::Ancillary);
        client.record(RestoreStatistic::Complete);
        client.record(RestoreStatistic::Immutables { files: 15 });
        client.record(RestoreStatistic::Partial);
    }
    sim.take_requests()
}

#[tokio::test]
async fn every_route_carries_version_origin_and_type() {
    let requests = every_request().await;
    for request in &requests {
        assert_eq!(request.header("mithril-api-version"), Some("0.1.71"), "{}", request.path);
        assert_eq!(request.header("mithril-origin-tag"), Some("NODEWRIGHT"), "{}", request.path);
        assert_eq!(request.header("mithril-client-type"), Some("LIBRARY"), "{}", request.path);
        let version = (request.path == "/register-signer").then_some("0.2.276+5d5571e");
        assert_eq!(request.header("signer-node-version"), version, "{}", request.path);
    }
    let paths: BTreeSet<_> = requests.iter().map(|request| request.path.clone()).collect();
    assert_eq!((requests.len(), paths.len()), (31, 31), "{paths:?}");
}

#[tokio::test]
async fn every_route_of_the_published_description_is_asked_once() {
    let Some(file) = nodewright_testkit::corpus("mithril/openapi.yaml") else { return };
    let text = std::fs::read_to_string(file).unwrap();
    let described: Vec<_> = text.lines().filter(|line| line.starts_with("  /") && line.ends_with(':')).collect();
    assert_eq!(described.len(), 31);
    let requests = every_request().await;
    for template in described {
        let template = template.trim().trim_end_matches(':');
        let asked = requests.iter().filter(|request| fits(template, request.path.split('?').next().unwrap())).count();
        assert_eq!(asked, 1, "{template}");
    }
}

/// Says whether a path is one of a template such as `/certificate/{certificate_hash}`. The arguments here are no
/// words of another route.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let same = |(expected, found): (&&str, &&str)| match expected.starts_with('{') {
        true => found.len() == 64 || ["aa", "latest", "7"].contains(found),
        false => expected == found,
    };
    template.len() == path.len() && template.iter().zip(&path).all(same)
}

#[tokio::test]
async fn bodies_are_those_that_the_published_description_shows() {
    let sim = SimAggregator::default();
    let server = sim.serve().unwrap();
    let client = client(&server);
    client.register_signature(&signature()).await.unwrap();
    client.register_signer(&registration(), &signer_version()).await.unwrap();
    client.record(RestoreStatistic::Immutables { files: 15 }).await.unwrap();
    let bodies: Vec<serde_json::Value> =
        sim.take_requests().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    let expected = [
        json!({
            "entity_type": { "MithrilStakeDistribution": 8 },
            "party_id": "pool1",
            "signature": "7b7d",
            "indexes": [1, 5],
            "signed_message": "07".repeat(32),
        }),
        json!({ "epoch": 8, "party_id": "pool1", "verification_key": "7b7d" }),
        json!({ "nb_immutable_files": 15 }),
    ];
    assert_eq!(bodies, expected);
}
