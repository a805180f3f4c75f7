//! The verdicts of `mithril-common` beside ours, on real certificates and on changed ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use mithril_common::certificate_chain::{CertificateVerifier, MithrilCertificateVerifier};
use mithril_common::crypto_helper::GenesisVerifier;
use mithril_common::entities::Certificate as UpstreamCertificate;
use mithril_common::messages::CertificateMessage;
use mithril_common::test::double::FakeCertificaterRetriever;
use nodewright_cardano::certificate::StmVerifier;
use nodewright_cardano::certificate::rules::{
    check_content, check_genesis_signature, check_link, check_multi_signature,
};
use serde_json::{Value, json};

use crate::corpus;
use crate::shelf::{DEVNET_KEY, devnet_network, rehash, seal};

pub(crate) fn upstream(json: &Value) -> Option<UpstreamCertificate> {
    serde_json::from_value::<CertificateMessage>(json.clone()).ok()?.try_into().ok()
}

pub(crate) fn upstream_verifier(
    certificates: &[UpstreamCertificate],
    key: GenesisVerifier,
) -> MithrilCertificateVerifier {
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let retriever = Arc::new(FakeCertificaterRetriever::from_certificates(certificates));
    MithrilCertificateVerifier::new(logger, retriever, Arc::new(key))
}

/// Says whether we accept a certificate after `previous`.
fn ours(json: &Value, previous: Option<&Value>) -> bool {
    let certificate = corpus::parse(json);
    let content = check_content(&certificate, "devnet", &StmVerifier);
    let signature = match certificate.is_genesis() {
        true => check_genesis_signature(&certificate, &devnet_network().genesis_key),
        false => check_multi_signature(&certificate, &StmVerifier),
    };
    let link = previous.map_or(Ok(()), |previous| check_link(&certificate, &corpus::parse(previous)));
    content.and(signature).and(link).is_ok()
}

async fn theirs(verifier: &MithrilCertificateVerifier, json: &Value, previous: Option<&Value>) -> bool {
    let Some(certificate) = upstream(json) else { return false };
    match previous.map(|previous| upstream(previous).unwrap()) {
        Some(previous) => verifier.verify_standard_certificate(&certificate, &previous).await.is_ok(),
        None => verifier.verify_genesis_certificate(&certificate).await.is_ok(),
    }
}

#[tokio::test]
async fn verdicts_agree_on_every_devnet_certificate_and_on_every_change_of_it() {
    let Some(devnet) = corpus::devnet() else { return };
    let all: Vec<_> = devnet.values().filter_map(upstream).collect();
    assert_eq!(all.len(), 43);
    let verifier = upstream_verifier(&all, GenesisVerifier::try_from_hex(DEVNET_KEY).unwrap());
    let mut verdicts = BTreeMap::new();
    for json in devnet.values() {
        let previous = devnet.get(json["previous_hash"].as_str().unwrap());
        assert!(ours(json, previous) && theirs(&verifier, json, previous).await, "{}", json["hash"]);
    }
    // Changes on one certificate of each kind, and on the genesis.
    for json in ["05b960c3", "079de70b", "0efeba08", "11d62dfa", "5da186b2", "57c16dc2"]
        .map(|name| devnet.iter().find(|(hash, _)| hash.starts_with(name)).unwrap().1)
    {
        let previous = devnet.get(json["previous_hash"].as_str().unwrap());
        for (name, change) in changes() {
            let mut changed = json.clone();
            change(&mut changed);
            let (ours, theirs) = (ours(&changed, previous), theirs(&verifier, &changed, previous).await);
            *verdicts.entry((name, ours, theirs)).or_insert(0) += 1;
        }
    }
    let differing: Vec<_> = verdicts.iter().filter(|((_, ours, theirs), _)| ours != theirs).collect();
    // What our own rules add. Only of a genesis certificate does upstream ignore the previous hash.
    let by_our_own_rules = ["dates", "network", "part swallows the next", "previous hash"];
    for ((name, ours, _), count) in differing {
        assert!(!ours && by_our_own_rules.contains(name), "{name}: {verdicts:?}");
        assert!(*name != "previous hash" || *count == 1, "{verdicts:?}");
    }
    assert!(verdicts.keys().any(|(name, ours, theirs)| *name == "network" && !ours && *theirs), "{verdicts:?}");
}

type Change = fn(&mut Value);

/// Each change, with the hashes made right where that can be.
fn changes() -> Vec<(&'static str, Change)> {
    vec![
        ("hash", |json| json["hash"] = json!("00".repeat(32))),
        ("content", |json| json["metadata"]["version"] = json!("7")),
        ("message", |json| {
            json["signed_message"] = json!("00".repeat(32));
            rehash(json);
        }),
        ("epoch", |json| {
            json["epoch"] = json!(json["epoch"].as_u64().unwrap() + 1);
            rehash(json);
        }),
        ("signed epoch", |json| {
            json["protocol_message"]["message_parts"]["current_epoch"] = json!("99");
            seal(json);
        }),
        ("parameters", |json| {
            json["metadata"]["parameters"]["k"] = json!(1);
            rehash(json);
        }),
        ("previous hash", |json| {
            json["previous_hash"] = json!("ab".repeat(32));
            rehash(json);
        }),
        ("previous is itself", |json| json["previous_hash"] = json["hash"].clone()),
        ("avk", |json| {
            let parts = &json["protocol_message"]["message_parts"];
            json["aggregate_verification_key"] = parts["next_aggregate_verification_key"].clone();
            rehash(json);
        }),
        ("next avk", |json| {
            let avk = json["aggregate_verification_key"].clone();
            json["protocol_message"]["message_parts"]["next_aggregate_verification_key"] = avk;
            seal(json);
        }),
        ("dates", |json| {
            json["metadata"]["sealed_at"] = json!("2020-01-01T00:00:00Z");
            rehash(json);
        }),
        ("network", |json| {
            json["metadata"]["network"] = json!("preprod");
            rehash(json);
        }),
        ("part swallows the next", |json| {
            let parts = json["protocol_message"]["message_parts"].as_object_mut().unwrap();
            if let Some(block) = parts.remove("cardano_stake_distribution_merkle_root") {
                let epoch = parts["cardano_stake_distribution_epoch"].as_str().unwrap().to_owned();
                let swallowed = format!("{epoch}cardano_stake_distribution_merkle_root{}", block.as_str().unwrap());
                parts["cardano_stake_distribution_epoch"] = json!(swallowed);
            }
        }),
        ("signature of another", |json| {
            if json["genesis_signature"] == json!("") {
                let proof = hex::decode(json["multi_signature"].as_str().unwrap()).unwrap();
                let mut proof: Value = serde_json::from_slice(&proof).unwrap();
                let sigma = &mut proof["signatures"][0][0]["sigma"];
                sigma[47] = json!(sigma[47].as_u64().unwrap() ^ 1);
                json["multi_signature"] = json!(hex::encode(proof.to_string()));
            } else {
                json["genesis_signature"] = json!("00".repeat(64));
            }
            rehash(json);
        }),
    ]
}
