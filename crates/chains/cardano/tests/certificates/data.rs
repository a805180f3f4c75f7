//! Certificates as data: what real ones hold is read, kept, and hashed as they say.

use mithril_common::entities::Certificate as UpstreamCertificate;
use mithril_common::messages::CertificateMessage;
use nodewright_cardano::certificate::{
    Certificate, CertificateSummary, EntityKind, FormatError, HashError, HashGeneration, MAX_CERTIFICATE_BYTES,
};
use serde_json::{Value, json};

use crate::corpus;

type Change = fn(&mut Value);

fn upstream(json: &Value) -> UpstreamCertificate {
    serde_json::from_value::<CertificateMessage>(json.clone()).unwrap().try_into().unwrap()
}

#[test]
fn real_certificates_read_and_print_as_they_came() {
    let (Some(devnet), Some(old), Some(new)) = (corpus::devnet(), corpus::preprod_2023(), corpus::preprod_2026())
    else {
        return;
    };
    for json in devnet.values().chain(old.values()).chain([&new]) {
        assert_eq!(&serde_json::to_value(corpus::parse(json)).unwrap(), json);
    }
}

#[test]
fn every_devnet_certificate_hashes_as_it_says_and_as_mithril_common_says() {
    let Some(devnet) = corpus::devnet() else { return };
    for (name, json) in devnet {
        let certificate = corpus::parse(&json);
        let hash = certificate.compute_hash().unwrap();
        assert_eq!(hash, certificate.hash);
        assert_eq!(hash.to_string(), name);
        assert_eq!(hash.to_string(), upstream(&json).try_compute_hash().unwrap());
        assert_eq!(certificate.protocol_message.compute_hash().unwrap(), certificate.signed_message);
        assert_eq!(certificate.protocol_message.malformed_part(), None);
        assert_eq!(certificate.hash_generation(), HashGeneration::Entity);
    }
}

#[test]
fn the_preprod_certificate_of_2026_hashes_as_it_says_and_as_mithril_common_says() {
    let Some(json) = corpus::preprod_2026() else { return };
    let certificate = corpus::parse(&json);
    assert_eq!(certificate.compute_hash(), Ok(certificate.hash));
    assert_eq!(certificate.hash.to_string(), upstream(&json).try_compute_hash().unwrap());
    assert_eq!(certificate.protocol_message.compute_hash(), Ok(certificate.signed_message));
}

#[test]
fn the_preprod_certificates_of_2023_hash_by_the_rule_of_their_time() {
    let Some(certificates) = corpus::preprod_2023() else { return };
    for json in certificates.values() {
        let certificate = corpus::parse(json);
        assert_eq!(certificate.hash_generation(), HashGeneration::Beacon);
        assert_eq!(certificate.compute_hash(), Ok(certificate.hash));
        assert_eq!(certificate.protocol_message.compute_hash(), Ok(certificate.signed_message));
        assert_eq!((certificate.epoch.0, certificate.network()), (113, "preprod"));
        assert_eq!(certificate.signed_entity.kind(), EntityKind::CardanoImmutableFilesFull);
    }
}

#[test]
fn a_change_of_any_hashed_field_changes_the_hash() {
    let Some(devnet) = corpus::devnet() else { return };
    let json = devnet.values().find(|json| json["signed_entity_type"].get("CardanoBlocksTransactions").is_some());
    let json = json.unwrap();
    let hash = corpus::parse(json).compute_hash().unwrap();
    let flip = |text: &Value| {
        let text = text.as_str().unwrap();
        Value::from(format!("{}{}", if text.starts_with('0') { '1' } else { '0' }, &text[1..]))
    };
    for (pointer, value) in [
        ("/previous_hash", flip(&json["previous_hash"])),
        ("/epoch", json!(24)),
        ("/signed_entity_type/CardanoBlocksTransactions/0", json!(24)),
        ("/signed_entity_type/CardanoBlocksTransactions/1", json!(7)),
        ("/signed_entity_type/CardanoBlocksTransactions/2", json!(7)),
        ("/metadata/network", json!("preprod")),
        ("/metadata/version", json!("0.2.0")),
        ("/metadata/parameters/k", json!(71)),
        ("/metadata/parameters/m", json!(106)),
        ("/metadata/parameters/phi_f", json!(0.94)),
        ("/metadata/initiated_at", json!("2026-05-21T14:42:19.370724261Z")),
        ("/metadata/sealed_at", json!("2026-05-21T14:42:20Z")),
        ("/metadata/signers/0/party_id", json!("pool1")),
        ("/metadata/signers/0/stake", json!(1)),
        ("/protocol_message/message_parts/current_epoch", json!("24")),
        ("/signed_message", flip(&json["signed_message"])),
        ("/aggregate_verification_key", flip(&json["aggregate_verification_key"])),
        ("/multi_signature", flip(&json["multi_signature"])),
    ] {
        let mut changed = json.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_ne!(changed, *json, "{pointer}");
        assert_ne!(corpus::parse(&changed).compute_hash(), Ok(hash), "{pointer}");
    }
    let mut ancillary = json.clone();
    ancillary["ancillary_verifier_data"] = json!("01ff");
    assert_ne!(corpus::parse(&ancillary).compute_hash(), Ok(hash));
    ancillary["ancillary_verifier_data"] = json!("0");
    assert_eq!(corpus::parse(&ancillary).compute_hash(), Err(HashError::Ancillary));
}

#[test]
fn an_unknown_entity_is_read_and_has_no_known_hash() {
    let Some(mut json) = corpus::preprod_2026() else { return };
    for entity in [json!({"LeiosBlocks": [1, 2]}), Value::Null] {
        json["signed_entity_type"] = entity.clone();
        let certificate = corpus::parse(&json);
        assert_eq!(certificate.hash_generation(), HashGeneration::Unknown);
        assert_eq!(certificate.compute_hash(), Err(HashError::UnknownEntity { json: entity.to_string() }));
    }
}

#[test]
fn a_real_list_is_read_and_agrees_with_the_certificates() {
    let (Some(devnet), Some(list)) = (corpus::devnet(), corpus::json("devnet-2026/certificates-list.json")) else {
        return;
    };
    let summaries: Vec<CertificateSummary> = serde_json::from_value(list.clone()).unwrap();
    assert_eq!(summaries.len(), 20);
    assert_eq!(serde_json::to_value(&summaries).unwrap(), list);
    for summary in summaries {
        let certificate = corpus::parse(&devnet[&summary.hash.to_string()]);
        assert_eq!(summary.previous_hash, certificate.previous_hash);
        assert_eq!(summary.signed_entity, certificate.signed_entity);
        assert_eq!(summary.protocol_message, certificate.protocol_message);
        assert_eq!(summary.metadata.total_signers, u64::try_from(certificate.metadata.signers.len()).unwrap());
    }
}

#[test]
fn a_list_with_an_unknown_entity_and_part_is_read() {
    let Some(mut list) = corpus::json("devnet-2026/certificates-list.json") else { return };
    list[3]["signed_entity_type"] = json!({"LeiosBlocks": {"epoch": 3}});
    list[3]["protocol_message"]["message_parts"]["leios_root"] = json!("00");
    list[4]["signed_entity_type"] = Value::Null;
    let summaries: Vec<CertificateSummary> = serde_json::from_value(list.clone()).unwrap();
    assert_eq!(summaries[3].signed_entity.tag(), "LeiosBlocks");
    assert_eq!(summaries[4].signed_entity.kind(), EntityKind::Unknown);
}

#[test]
fn what_is_no_certificate_is_refused() {
    let Some(json) = corpus::preprod_2026() else { return };
    let refused = |change: Change| {
        let mut json = json.clone();
        change(&mut json);
        match Certificate::from_json(json.to_string().as_bytes()).unwrap_err() {
            FormatError::Json { reason } => reason,
            other => panic!("{other}"),
        }
    };
    let cases: [(Change, &str); 9] = [
        (|json| json["multi_signature"] = json!(""), "neither a multi-signature"),
        (|json| json["genesis_signature"] = json!("00".repeat(64)), "both a multi-signature"),
        (|json| json["hash"] = json!("00"), "not 64 lower-case"),
        (|json| json["previous_hash"] = json!("zz"), "not 64 lower-case"),
        (|json| json["epoch"] = json!(-1), "invalid"),
        (|json| json["metadata"]["parameters"]["phi_f"] = json!(2), "phi_f must be"),
        (|json| json["metadata"]["sealed_at"] = json!("yesterday"), "RFC 3339"),
        (|json| drop(json["metadata"].as_object_mut().unwrap().remove("network")), "missing field `network`"),
        (|json| drop(json["metadata"].as_object_mut().unwrap().remove("signers")), "missing field `signers`"),
    ];
    for (change, reason) in cases {
        let told = refused(change);
        assert!(told.contains(reason), "{told}");
    }
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(500), "]".repeat(500));
    assert!(matches!(Certificate::from_json(deep.as_bytes()), Err(FormatError::Json { .. })));
    let long = vec![b' '; MAX_CERTIFICATE_BYTES + 1];
    assert!(matches!(Certificate::from_json(&long), Err(FormatError::TooLong { .. })));
}

#[test]
fn no_damage_to_a_certificate_makes_its_reading_panic() {
    let Some(json) = corpus::preprod_2026() else { return };
    let original = json.to_string().into_bytes();
    for seed in nodewright_testkit::seeds(2000, 200_000) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = original.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(0..bytes.len());
            match random.u8(0..3) {
                0 => bytes.truncate(at),
                1 => bytes[at] = random.u8(..),
                _ => bytes[at] = *random.choice(b"0123456789abcdef\"{}[],:").unwrap(),
            }
            if bytes.is_empty() {
                break;
            }
        }
        if let Ok(certificate) = Certificate::from_json(&bytes) {
            // Whatever is read can be hashed and written, and is read back as it was.
            drop(certificate.compute_hash());
            let written = serde_json::to_vec(&certificate).unwrap();
            assert_eq!(Certificate::from_json(&written).as_ref(), Ok(&certificate), "seed {seed}");
        }
    }
}
