//! Every rule broken once gives its own error.

use nodewright_cardano::certificate::rules::{check_content, check_link};
use nodewright_cardano::certificate::{
    BrokenRule, Certificate, HashError, MessageHashError, NotUnderstood, StmVerifier,
};
use nodewright_core::Epoch;
use serde_json::{Value, json};

use crate::corpus;
use crate::shelf::{rehash, seal};

type Change = fn(&mut Value);

fn content(json: &Value) -> Result<(), BrokenRule> {
    check_content(&corpus::parse(json), "devnet", &StmVerifier)
}

fn of_kind(devnet: &std::collections::BTreeMap<String, Value>, kind: &str) -> Value {
    devnet.values().find(|json| json["signed_entity_type"].get(kind).is_some()).unwrap().clone()
}

#[test]
fn each_rule_of_the_content_has_its_own_error() {
    let Some(devnet) = corpus::devnet() else { return };
    let blocks = of_kind(&devnet, "CardanoBlocksTransactions");
    let name = |rule: &BrokenRule| format!("{rule:?}").split(['(', ' ']).next().unwrap().to_owned();
    let cases: [(&str, Change); 20] = [
        ("Network", |json| json["metadata"]["network"] = json!("preprod")),
        ("Dates", |json| json["metadata"]["sealed_at"] = json!("2020-01-01T00:00:00Z")),
        ("Previous", |json| {
            json["previous_hash"] = json!("");
            rehash(json);
        }),
        ("Previous", |json| {
            json["genesis_signature"] = json!("00".repeat(64));
            json["multi_signature"] = json!("");
        }),
        ("Loop", |json| json["previous_hash"] = json["hash"].clone()),
        ("MessagePart", |json| part(json, "current_epoch", "23latest_block_number705")),
        ("MessagePart", |json| part(json, "next_protocol_parameters", "")),
        ("Hash", |json| json["metadata"]["version"] = json!("0.2.0")),
        ("Hash", |json| json["hash"] = json!("00".repeat(32))),
        ("Message", |json| {
            part(json, "latest_block_number", "9");
            rehash(json);
        }),
        ("Message", |json| {
            json["signed_message"] = json!("00".repeat(32));
            rehash(json);
        }),
        ("Epoch", |json| {
            part(json, "current_epoch", "24");
            seal(json);
        }),
        ("Epoch", |json| {
            json["protocol_message"]["message_parts"].as_object_mut().unwrap().remove("current_epoch");
            seal(json);
        }),
        ("Epoch", |json| {
            json["epoch"] = json!(24);
            rehash(json);
        }),
        ("Entity", |json| {
            json["signed_entity_type"]["CardanoBlocksTransactions"] = json!([23, 706, 1]);
            rehash(json);
        }),
        ("Entity", |json| {
            json["signed_entity_type"]["CardanoBlocksTransactions"] = json!([23, 705, 2]);
            rehash(json);
        }),
        ("Entity", |json| {
            json["signed_entity_type"]["CardanoBlocksTransactions"] = json!([22, 705, 1]);
            rehash(json);
        }),
        ("Entity", |json| {
            json["signed_entity_type"] = json!({"CardanoStakeDistribution": 22});
            rehash(json);
        }),
        ("NotUnderstood", |json| json["signed_entity_type"] = json!({"LeiosBlocks": 1})),
        ("NotUnderstood", |json| part(json, "leios_root", "00")),
    ];
    let blocks = match blocks["epoch"].as_u64() {
        Some(23) => blocks,
        _ => devnet["05b960c3d620c762184069d1079b9e26cca41608abc44e26b134eecec17354c2"].clone(),
    };
    assert_eq!(content(&blocks), Ok(()));
    for (index, (rule, change)) in cases.iter().enumerate() {
        let mut changed = blocks.clone();
        change(&mut changed);
        assert_ne!(changed, blocks);
        let broken = content(&changed).unwrap_err();
        assert_eq!(name(&broken), *rule, "case {index}: {broken}");
    }
}

#[test]
fn what_is_not_understood_is_told_apart_from_what_is_wrong() {
    let Some(devnet) = corpus::devnet() else { return };
    let mut scheme = of_kind(&devnet, "CardanoDatabase");
    scheme["protocol_message"]["hash_scheme"] = json!("rigid");
    let error = MessageHashError::UnsupportedScheme { scheme: "rigid".to_owned() };
    let not_understood = BrokenRule::NotUnderstood(NotUnderstood::Hash(HashError::Message(error)));
    assert_eq!(content(&scheme), Err(not_understood));
}

#[test]
fn certificates_of_2023_have_no_signed_epoch() {
    let Some(certificates) = corpus::preprod_2023() else { return };
    for json in certificates.values() {
        let broken = check_content(&corpus::parse(json), "preprod", &StmVerifier);
        assert_eq!(broken, Err(BrokenRule::Epoch { stated: Epoch(113), signed: None }));
    }
}

#[test]
fn each_rule_of_the_link_has_its_own_error() {
    let Some(devnet) = corpus::devnet() else { return };
    let named = |name: &str| corpus::parse(devnet.iter().find(|(hash, _)| hash.starts_with(name)).unwrap().1);
    // The first certificates of epochs 17 and 16, and another one of epoch 17.
    let (first, before, second) = (named("0efeba08"), named("c6cbc52c"), named("55cec3fd"));
    assert_eq!(check_link(&first, &before), Ok(()));
    assert_eq!(check_link(&second, &first), Ok(()));
    let broken = |certificate: &Certificate, previous: &Certificate, change: fn(&mut Certificate, &mut Certificate)| {
        let (mut certificate, mut previous) = (certificate.clone(), previous.clone());
        change(&mut certificate, &mut previous);
        let broken = check_link(&certificate, &previous).unwrap_err();
        format!("{broken:?}").split(['(', ' ']).next().unwrap().to_owned()
    };
    assert_eq!(broken(&second, &before, |_, _| {}), "PreviousHash");
    assert_eq!(broken(&first, &before, |certificate, _| certificate.previous_hash = None), "PreviousHash");
    assert_eq!(broken(&first, &before, |_, previous| previous.epoch = Epoch(18)), "EpochBackwards");
    assert_eq!(broken(&first, &before, |_, previous| previous.epoch = Epoch(15)), "EpochGap");
    assert_eq!(broken(&first, &before, |certificate, _| certificate.epoch = Epoch(u64::MAX)), "EpochGap");
    // Across epochs the key must be the one that was signed, not the previous one's own; within one, the same.
    assert_eq!(
        broken(&first, &before, |certificate, previous| {
            certificate.aggregate_verification_key = previous.aggregate_verification_key.clone();
        }),
        "AggregateKey"
    );
    assert_eq!(
        broken(&second, &first, |certificate, previous| {
            let mut parts = previous.aggregate_verification_key.parts().unwrap();
            parts.total_stake.0 += 1;
            certificate.aggregate_verification_key =
                nodewright_cardano::certificate::AggregateVerificationKey::from_parts(&parts);
        }),
        "AggregateKey"
    );
    assert_eq!(broken(&second, &first, |certificate, _| certificate.metadata.parameters.k = 1), "Parameters");
    assert_eq!(broken(&first, &before, |certificate, _| certificate.metadata.parameters.m += 1), "Parameters");
    let without = |json: &Value, key: &str| {
        let mut json = json.clone();
        json["protocol_message"]["message_parts"].as_object_mut().unwrap().remove(key);
        corpus::parse(&json)
    };
    let json = devnet.iter().find(|(hash, _)| hash.starts_with("c6cbc52c")).unwrap().1;
    let missing = check_link(&first, &without(json, "next_aggregate_verification_key"));
    assert!(matches!(missing, Err(BrokenRule::AggregateKey { expected: None, found: Some(_) })));
    let missing = check_link(&first, &without(json, "next_protocol_parameters"));
    assert!(matches!(missing, Err(BrokenRule::Parameters { expected: None, .. })));
}

#[test]
fn unreadable_keys_are_not_equal_keys() {
    let Some(devnet) = corpus::devnet() else { return };
    let named = |name: &str| corpus::parse(devnet.iter().find(|(hash, _)| hash.starts_with(name)).unwrap().1);
    let (mut second, mut first) = (named("55cec3fd"), named("0efeba08"));
    for certificate in [&mut second, &mut first] {
        certificate.aggregate_verification_key =
            nodewright_cardano::certificate::AggregateVerificationKey::from_text("00");
    }
    let refused = check_link(&second, &first);
    assert_eq!(refused, Err(BrokenRule::AggregateKey { expected: None, found: None }));
}

fn part(json: &mut Value, key: &str, value: &str) {
    json["protocol_message"]["message_parts"][key] = json!(value);
}
