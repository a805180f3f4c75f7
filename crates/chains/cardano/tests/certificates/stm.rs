//! Real multi-signatures of 2023 and 2026, and what becomes of them with one bit flipped.

use nodewright_cardano::certificate::rules::check_multi_signature;
use nodewright_cardano::certificate::{
    AggregateVerificationKey, BrokenRule, Certificate, CertificateSignature, MultiSignature, MultiSignatureError,
    MultiSignatureVerifier as _, NotUnderstood, ProtocolParameters, StmVerifier,
};
use serde_json::{Value, json};

use crate::corpus;

fn check(certificate: &Certificate) -> Result<(), BrokenRule> {
    check_multi_signature(certificate, &StmVerifier)
}

#[test]
fn the_three_preprod_certificates_of_2023_are_signed_by_a_quorum() {
    let Some(certificates) = corpus::preprod_2023() else { return };
    for json in certificates.values() {
        assert_eq!(check(&corpus::parse(json)), Ok(()));
    }
}

#[test]
fn the_preprod_certificate_of_2026_is_signed_by_a_quorum() {
    let Some(json) = corpus::preprod_2026() else { return };
    assert_eq!(check(&corpus::parse(&json)), Ok(()));
}

#[test]
fn a_preview_certificate_of_2023_with_2422_tickets_is_signed_by_a_quorum() {
    let Some(golden) = corpus::json("preview-2023/golden-certificates.json") else { return };
    let golden = &golden["multi_signature_certificate"];
    let text = |name: &str| golden[name].as_str().unwrap();
    let parameters: ProtocolParameters = serde_json::from_value(golden["protocol_parameters"].clone()).unwrap();
    assert_eq!(parameters.k, 2422);
    let verify = |message: &str, parameters: &ProtocolParameters| {
        let signature = MultiSignature::from_text(text("multi_signature"));
        let key = AggregateVerificationKey::from_text(text("aggregate_verification_key"));
        StmVerifier.verify(message.as_bytes(), &signature, &key, parameters)
    };
    assert_eq!(verify(text("signed_message"), &parameters), Ok(()));
    let other_message = text("signed_message").replace('3', "4");
    assert!(matches!(verify(&other_message, &parameters), Err(MultiSignatureError::Invalid { .. })));
    let larger_quorum = ProtocolParameters { k: 4148, ..parameters };
    assert!(matches!(verify(text("signed_message"), &larger_quorum), Err(MultiSignatureError::Invalid { .. })));
}

/// Applies a change to the decoded multi-signature.
fn with_signature(json: &Value, change: impl FnOnce(&mut Value)) -> Certificate {
    let mut certificate = corpus::parse(json);
    let CertificateSignature::Multi(signature) = &certificate.signature else { panic!("a genesis") };
    let mut proof: Value = serde_json::from_slice(&hex::decode(signature.as_str()).unwrap()).unwrap();
    change(&mut proof);
    certificate.signature = CertificateSignature::Multi(MultiSignature::from_text(hex::encode(proof.to_string())));
    certificate
}

fn flip(number: &mut Value, bit: u32) {
    *number = json!(number.as_u64().unwrap() ^ (1 << bit));
}

#[test]
fn a_flipped_bit_in_sigma_index_stake_key_leaf_or_root_is_refused() {
    let Some(json) = corpus::preprod_2026() else { return };
    assert_eq!(check(&with_signature(&json, |_| {})), Ok(()), "unchanged");
    let mut refused = 0;
    let mut expect_refusal = |what: &str, certificate: &Certificate| {
        let answer = check(certificate);
        assert!(matches!(answer, Err(BrokenRule::MultiSignature(_))), "{what}: {answer:?}");
        refused += 1;
    };
    for bit in 0..8 {
        for byte in [0, 1, 47] {
            let certificate = with_signature(&json, |proof| flip(&mut proof["signatures"][0][0]["sigma"][byte], bit));
            expect_refusal("sigma", &certificate);
        }
        for byte in [0, 50, 95] {
            let certificate = with_signature(&json, |proof| flip(&mut proof["signatures"][0][1][0][byte], bit));
            expect_refusal("key", &certificate);
        }
        let certificate = with_signature(&json, |proof| flip(&mut proof["signatures"][0][1][1], bit));
        expect_refusal("stake", &certificate);
        let certificate = with_signature(&json, |proof| flip(&mut proof["batch_proof"]["values"][0][5], bit));
        expect_refusal("leaf", &certificate);
        let mut certificate = corpus::parse(&json);
        let mut parts = certificate.aggregate_verification_key.parts().unwrap();
        parts.root[3] ^= 1 << bit;
        certificate.aggregate_verification_key = AggregateVerificationKey::from_parts(&parts);
        expect_refusal("root", &certificate);
    }
    for bit in [0, 1, 2, 7, 20] {
        let certificate = with_signature(&json, |proof| flip(&mut proof["batch_proof"]["indices"][0], bit));
        expect_refusal("position of the leaf", &certificate);
        let certificate = with_signature(&json, |proof| flip(&mut proof["signatures"][0][0]["indexes"][0], 8 + bit));
        expect_refusal("index beyond m", &certificate);
    }
    let certificate = with_signature(&json, |proof| {
        let index = proof["signatures"][0][0]["indexes"][0].clone();
        proof["signatures"][0][0]["indexes"].as_array_mut().unwrap().push(index);
    });
    expect_refusal("an index twice", &certificate);
    let certificate = with_signature(&json, |proof| drop(proof["signatures"].as_array_mut().unwrap().pop()));
    expect_refusal("a signature less", &certificate);
    let mut certificate = corpus::parse(&json);
    certificate.metadata.parameters.k = 101;
    assert!(matches!(check(&certificate), Err(BrokenRule::NotUnderstood(_))), "k above m");
    assert_eq!(refused, 8 * 9 + 10 + 2);
}

#[test]
fn an_index_that_was_not_won_is_refused() {
    let Some(json) = corpus::preprod_2026() else { return };
    let won = |index: u64| {
        check(&with_signature(&json, |proof| proof["signatures"][0][0]["indexes"] = json!([index]))).map_or_else(
            |error| match error {
                BrokenRule::MultiSignature(MultiSignatureError::Invalid { reason }) => !reason.contains("ottery"),
                other => panic!("{other:?}"),
            },
            |()| true,
        )
    };
    let lost = (0..100).filter(|index| !won(*index)).count();
    assert!((1..100).contains(&lost), "{lost} of 100 lotteries lost");
}

#[test]
fn a_signature_in_bytes_hex_is_the_same_signature() {
    let Some(json) = corpus::preprod_2026() else { return };
    let certificate = corpus::parse(&json);
    let CertificateSignature::Multi(signature) = &certificate.signature else { panic!("a genesis") };
    let upstream = mithril_common::crypto_helper::ProtocolMultiSignature::try_from(signature.as_str()).unwrap();
    let bytes_hex = MultiSignature::from_text(upstream.to_bytes_hex().unwrap());
    assert_ne!(bytes_hex.as_str(), signature.as_str());
    assert_eq!(StmVerifier.to_json_hex(&bytes_hex).unwrap().as_ref(), Some(signature));
    assert_eq!(StmVerifier.to_json_hex(signature), Ok(None));
    let mut certificate = certificate.clone();
    certificate.signature = CertificateSignature::Multi(bytes_hex);
    assert_eq!(check(&certificate), Ok(()));
    assert_eq!(nodewright_cardano::certificate::rules::check_hash(&certificate, &StmVerifier), Ok(()));
}

#[test]
fn no_damage_to_a_signature_makes_its_check_panic() {
    let Some(json) = corpus::preprod_2026() else { return };
    let mut certificate = corpus::parse(&json);
    let CertificateSignature::Multi(signature) = certificate.signature.clone() else { panic!("a genesis") };
    let upstream = mithril_common::crypto_helper::ProtocolMultiSignature::try_from(signature.as_str()).unwrap();
    let forms = [signature.as_str().to_owned(), upstream.to_bytes_hex().unwrap()];
    let mut refused = 0;
    for seed in nodewright_testkit::seeds(300, 30_000) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = hex::decode(random.choice(&forms).unwrap()).unwrap();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(0..bytes.len());
            match random.u8(0..4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = random.u8(..),
                2 => bytes[at] = random.u8(b'0'..=b'9'),
                _ => bytes.insert(at, random.u8(..)),
            }
        }
        certificate.signature = CertificateSignature::Multi(MultiSignature::from_text(hex::encode(bytes)));
        refused += usize::from(check(&certificate).is_err());
    }
    // A few changes touch what is not checked, such as the signer's own statement of its index.
    assert!(refused > 250, "{refused}");
}

#[test]
fn a_snark_is_not_called_invalid() {
    let Some(json) = corpus::preprod_2026() else { return };
    let mut certificate = corpus::parse(&json);
    let snark = MultiSignature::from_text(hex::encode(r#"{"Snark":{"proof":[]}}"#));
    certificate.signature = CertificateSignature::Multi(snark);
    match check(&certificate) {
        Err(BrokenRule::NotUnderstood(NotUnderstood::MultiSignature(MultiSignatureError::UnsupportedSignature {
            kind,
        }))) => assert_eq!(kind, "Snark"),
        other => panic!("{other:?}"),
    }
}
