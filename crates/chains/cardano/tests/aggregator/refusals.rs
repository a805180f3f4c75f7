//! What an aggregator refuses, and how it fails: one typed error each.

use std::time::Duration;

use nodewright_cardano::aggregator::{AggregatorClient, AggregatorError, GoneReason, SignatureAnswer};
use nodewright_cardano::sim::aggregator::{SimAggregator, SimFault};
use nodewright_cardano::watch::RegistrationAnswer;
use nodewright_core::{Error, ErrorKind, Retry};

use crate::headers::{registration, signature, signer_version};
use crate::{client, options};

#[tokio::test]
async fn answers_to_a_signature_are_told_apart() {
    let sim = SimAggregator::default();
    let server = sim.serve().unwrap();
    let client = client(&server);
    assert_eq!(client.register_signature(&signature()).await.unwrap(), SignatureAnswer::Registered);
    sim.update(|contents| contents.answer_posts("/register-signatures", 202));
    assert_eq!(client.register_signature(&signature()).await.unwrap(), SignatureAnswer::Buffered);
    for (label, expected) in [
        ("already_certified", GoneReason::AlreadyCertified),
        ("expired", GoneReason::Expired),
        ("Discontinued signed entity type", GoneReason::Discontinued),
        ("of the future", GoneReason::Other("of the future".to_owned())),
    ] {
        sim.fail("/register-signatures", SimFault::status(410, label));
        let error = client.register_signature(&signature()).await.unwrap_err();
        assert!(matches!(&error, AggregatorError::Gone { reason, .. } if *reason == expected), "{error:?}");
    }
    sim.fail("/register-signatures", SimFault::status(404, ""));
    let error = client.register_signature(&signature()).await.unwrap_err();
    assert!(matches!(error, AggregatorError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn answers_to_a_registration_are_told_apart() {
    let sim = SimAggregator::default();
    let server = sim.serve().unwrap();
    let client = client(&server);
    let register = async || {
        let outcome = client.register_signer(&registration(), &signer_version()).await;
        AggregatorError::registration_answer(&outcome)
    };
    assert_eq!(register().await, RegistrationAnswer::Accepted);
    for (status, expected) in [
        (550, RegistrationAnswer::RoundNotOpen),
        (400, RegistrationAnswer::Refused),
        (500, RegistrationAnswer::Failed),
        (503, RegistrationAnswer::Failed),
    ] {
        sim.heal();
        sim.fail("/register-signer", SimFault::status(status, "failed_signer_registration"));
        assert_eq!(register().await, expected, "{status}");
    }
}

#[tokio::test]
async fn each_refusal_has_its_kind_and_advice() {
    let sim = SimAggregator::default();
    let server = sim.serve().unwrap();
    let client = client(&server);
    for (status, kind, retry) in [
        (400, ErrorKind::Rejected, Retry::Never),
        (403, ErrorKind::Auth, Retry::Never),
        (404, ErrorKind::NotFound, Retry::Never),
        (410, ErrorKind::Rejected, Retry::Never),
        (500, ErrorKind::Busy, Retry::After(None)),
        (503, ErrorKind::Busy, Retry::After(None)),
        (550, ErrorKind::WarmingUp, Retry::After(None)),
        (302, ErrorKind::InvalidData, Retry::Never),
    ] {
        sim.heal();
        sim.fail("/status", SimFault::status(status, "invalid_epoch"));
        let error = Error::from(client.status().await.unwrap_err());
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{status}: {error}");
    }
}

#[tokio::test]
async fn the_aggregators_words_are_kept_and_cut() {
    let sim = SimAggregator::default();
    let server = sim.serve().unwrap();
    sim.fail("/status", SimFault::status(400, format!("a\nb{}", "x".repeat(1000))));
    let error = client(&server).status().await.unwrap_err();
    let AggregatorError::Refused { status: 400, label, message, .. } = &error else { panic!("{error:?}") };
    assert!(label.starts_with("a bxxx") && label.len() == 200, "{label}");
    assert_eq!(message, "planted");
}

#[tokio::test]
async fn a_body_that_is_too_long_or_no_json_is_refused() {
    let sim = SimAggregator::default();
    let server = sim.serve().unwrap();
    let client = client(&server);
    sim.fail("/", SimFault::Huge(100 << 20));
    for error in [
        Error::from(client.status().await.unwrap_err()),
        client.certificates().await.unwrap_err().into(),
        client.genesis_certificate().await.unwrap_err().into(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    }
    sim.fail("/", SimFault::Garbage);
    let error = client.status().await.unwrap_err();
    assert!(matches!(error, AggregatorError::Format { op: "status", .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_never_comes_is_a_timeout() {
    let sim = SimAggregator::default();
    let server = sim.serve().unwrap();
    sim.fail("/", SimFault::Stall);
    let client = AggregatorClient::try_new(&server.url(), options().with_timeout(Duration::from_millis(50))).unwrap();
    let error = Error::from(client.status().await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}
