//! Chains made by the test builder of `mithril-common`, whole and broken.

use mithril_common::certificate_chain::CertificateVerifier as _;
use mithril_common::crypto_helper::ProtocolClerk;
use mithril_common::entities::{
    CardanoDbBeacon, Certificate as UpstreamCertificate, CertificateSignature, Epoch as UpstreamEpoch,
    ProtocolMessagePartKey, SignedEntityType,
};
use mithril_common::messages::CertificateMessage;
use mithril_common::test::builder::{
    CertificateChainBuilder, CertificateChainFixture, CertificateChainingMethod, MithrilFixture, MithrilFixtureBuilder,
};
use mithril_stm::{AggregateSignatureType, AncillaryGenesisData, AncillaryProofInput};
use nodewright_cardano::certificate::{BrokenRule, ChainEnd, ChainError, VerifiedChain};
use serde_json::Value;

use crate::oracle::upstream_verifier;
use crate::shelf::{Shelf, network, verifier, verify};

/// Verifies a generated chain from its latest certificate; also says whether upstream accepts it.
async fn judge(fixture: &CertificateChainFixture) -> (Result<VerifiedChain, ChainError>, bool) {
    let messages: Vec<CertificateMessage> = fixture.clone().try_into().unwrap();
    let jsons: Vec<Value> = messages.iter().map(|message| serde_json::to_value(message).unwrap()).collect();
    let latest = fixture.latest_certificate();
    let key = fixture.genesis_verifier.to_ed25519_verification_key().to_json_hex().unwrap();
    let verifier = verifier(network(&latest.metadata.network, key.parse().unwrap()));
    let ours = verify(&verifier, &Shelf::new(&jsons), &latest.hash, None).await;
    let upstream = upstream_verifier(fixture, fixture.genesis_verifier.clone());
    (ours, upstream.verify_certificate_chain(latest.clone()).await.is_ok())
}

fn rule(judged: (Result<VerifiedChain, ChainError>, bool)) -> (String, bool) {
    match judged.0.unwrap_err() {
        ChainError::Rule { rule, .. } => (format!("{rule:?}").split(['(', ' ']).next().unwrap().to_owned(), judged.1),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn generated_chains_verify_in_both_ways_of_chaining() {
    for method in [CertificateChainingMethod::ToMasterCertificate, CertificateChainingMethod::Sequential] {
        let fixture = CertificateChainBuilder::new()
            .with_total_certificates(13)
            .with_certificates_per_epoch(3)
            .with_certificate_chaining_method(method)
            .build();
        let (ours, theirs) = judge(&fixture).await;
        let chain = ours.unwrap();
        assert!(theirs);
        assert_eq!(chain.end, ChainEnd::Genesis(fixture.genesis_certificate().hash.parse().unwrap()));
        // Twelve certificates in four epochs after the genesis.
        let expected = if method == CertificateChainingMethod::Sequential { 13 } else { 6 };
        assert_eq!(chain.fetched, expected);
    }
}

/// Has all signers of `fixture` sign the certificate in `epoch`, as they would if they followed another chain.
fn sign(mut certificate: UpstreamCertificate, fixture: &MithrilFixture, epoch: UpstreamEpoch) -> UpstreamCertificate {
    certificate.epoch = epoch;
    certificate.protocol_message.set_message_part(ProtocolMessagePartKey::CurrentEpoch, epoch.to_string());
    certificate.signed_message = certificate.protocol_message.compute_hash();
    certificate.aggregate_verification_key = fixture.compute_concatenation_aggregate_verification_key();
    let signers = fixture.signers_fixture();
    let message = certificate.signed_message.as_bytes();
    let singles: Vec<_> = signers.iter().filter_map(|signer| signer.protocol_signer.sign(message)).collect();
    let input = AncillaryProofInput::new(None, AncillaryGenesisData::new());
    let (signature, _) = ProtocolClerk::new_clerk_from_signer(&signers[0].protocol_signer)
        .aggregate_signatures_with_type(&singles, message, AggregateSignatureType::Concatenation, input)
        .unwrap();
    let entity = SignedEntityType::CardanoDatabase(CardanoDbBeacon::new(*epoch, 1));
    certificate.signature = CertificateSignature::MultiSignature(entity, signature.into());
    certificate
}

#[tokio::test]
async fn an_epoch_that_no_certificate_is_of_is_refused_though_a_quorum_signed_all() {
    let fixture = CertificateChainBuilder::new()
        .with_total_certificates(5)
        .with_certificates_per_epoch(1)
        .with_certificate_chaining_method(CertificateChainingMethod::Sequential)
        .with_standard_certificate_processor(&|certificate, context| {
            let later = UpstreamEpoch(*context.epoch + 1);
            if context.is_last_certificate() { sign(certificate, context.fixture, later) } else { certificate }
        })
        .build();
    assert_eq!(rule(judge(&fixture).await), ("EpochGap".to_owned(), false));
}

#[tokio::test]
async fn an_epoch_that_runs_backwards_is_refused_though_a_quorum_signed_all() {
    let fixture = CertificateChainBuilder::new()
        .with_total_certificates(5)
        .with_certificates_per_epoch(1)
        .with_certificate_chaining_method(CertificateChainingMethod::Sequential)
        .with_standard_certificate_processor(&|certificate, context| {
            let earlier = UpstreamEpoch(*context.epoch - 2);
            if context.is_last_certificate() { sign(certificate, context.next_fixture, earlier) } else { certificate }
        })
        .build();
    let (rule, _) = rule(judge(&fixture).await);
    assert_eq!(rule, "EpochBackwards");
}

#[tokio::test]
async fn strangers_are_refused_though_they_are_a_quorum_of_their_own() {
    for in_the_same_epoch in [false, true] {
        let fixture = CertificateChainBuilder::new()
            .with_total_certificates(5)
            .with_certificates_per_epoch(if in_the_same_epoch { 2 } else { 1 })
            .with_standard_certificate_processor(&|certificate, context| {
                let strangers = || MithrilFixtureBuilder::default().with_signers(7).build();
                if context.is_last_certificate() { sign(certificate, &strangers(), context.epoch) } else { certificate }
            })
            .build();
        assert_eq!(rule(judge(&fixture).await), ("AggregateKey".to_owned(), false), "{in_the_same_epoch}");
    }
}

#[tokio::test]
async fn a_generated_chain_under_another_genesis_key_is_refused() {
    let fixture = CertificateChainBuilder::new().with_total_certificates(3).build();
    let messages: Vec<CertificateMessage> = fixture.clone().try_into().unwrap();
    let jsons: Vec<Value> = messages.iter().map(|message| serde_json::to_value(message).unwrap()).collect();
    let latest = fixture.latest_certificate();
    let other = nodewright_cardano::network::MithrilNetwork::known("release-mainnet").unwrap().genesis_key;
    let verifier = verifier(network(&latest.metadata.network, other));
    let refused = verify(&verifier, &Shelf::new(&jsons), &latest.hash, None).await.unwrap_err();
    assert!(matches!(refused, ChainError::Rule { rule: BrokenRule::GenesisSignature(_), .. }), "{refused:?}");
}
