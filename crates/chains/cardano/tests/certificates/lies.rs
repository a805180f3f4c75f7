//! Sources that lie: one typed error each, and nothing stored.

use nodewright_cardano::certificate::{
    AnchorStore as _, BrokenRule, ChainError, ChainLimits, FormatError, MemoryAnchors, NetworkFingerprint,
};
use serde_json::{Value, json};

use crate::corpus;
use crate::shelf::{Shelf, devnet_network, rehash, seal, verifier, verify};

/// The first certificates of the last three epochs.
const TIP: &str = "1e2e740710df0ee945d97586133d90e794a887b06739a614b6fac82b04e1b088";
const MIDDLE: &str = "196d68ff255ea4ef0e5cb837ebb91e4686dbcf29a06d6343a39f76999b5d37b0";
const BEFORE: &str = "9dca78286c8d0f58aa366a44b6988ebc9810e6f0a109a45dec5ba22e3567b6bd";

/// Verifies with a source that tells `lie`; asserts that nothing was stored.
async fn told(lie: impl FnOnce(&mut Shelf, &dyn Fn(&str) -> Value)) -> Option<ChainError> {
    let devnet = corpus::devnet()?;
    let mut shelf = Shelf::new(devnet.values());
    lie(&mut shelf, &|hash| devnet[hash].clone());
    let anchors = MemoryAnchors::default();
    let error = verify(&verifier(devnet_network()), &shelf, TIP, Some(&anchors)).await.unwrap_err();
    let stored = anchors.load(&NetworkFingerprint::from(&devnet_network())).await.unwrap();
    assert!(stored.is_empty(), "stored after {error}");
    Some(error)
}

macro_rules! assert_error {
    ($error:expr, $pattern:pat $(if $guard:expr)?) => {
        if let Some(error) = $error {
            assert!(matches!(&error, $pattern $(if $guard)?), "{error:?}");
        }
    };
}

#[tokio::test]
async fn another_certificate_under_the_hash_asked_for() {
    let error = told(|shelf, real| shelf.put_under(MIDDLE, &real(BEFORE))).await;
    assert_error!(error, ChainError::Substituted { asked, given }
        if asked.to_string() == MIDDLE && given.to_string() == BEFORE);
}

#[tokio::test]
async fn other_content_under_the_hash_asked_for() {
    let error = told(|shelf, real| {
        let mut forged = real(MIDDLE);
        forged["metadata"]["signers"][0]["stake"] = json!(1);
        shelf.put(&forged);
    })
    .await;
    assert_error!(error, ChainError::Rule { certificate, rule: BrokenRule::Hash { .. } }
        if certificate.to_string() == MIDDLE);
}

#[tokio::test]
async fn a_chain_that_names_itself() {
    let error = told(|shelf, real| {
        let mut forged = real(MIDDLE);
        forged["previous_hash"] = json!(MIDDLE);
        shelf.put(&forged);
    })
    .await;
    assert_error!(error, ChainError::Rule { certificate, rule: BrokenRule::Loop } if certificate.to_string() == MIDDLE);
}

#[tokio::test]
async fn a_chain_that_comes_back_to_an_earlier_certificate() {
    let Some(devnet) = corpus::devnet() else { return };
    let mut shelf = Shelf::new(devnet.values());
    let mut forged = devnet[BEFORE].clone();
    forged["previous_hash"] = json!(TIP);
    shelf.put(&forged);
    let error = verify(&verifier(devnet_network()), &shelf, TIP, None).await.unwrap_err();
    // The forged certificate's hash is wrong too: no one can make a loop of hashes that are right.
    assert!(
        matches!(&error, ChainError::Rule { certificate, rule: BrokenRule::Loop | BrokenRule::Hash { .. } }
            if certificate.to_string() == BEFORE),
        "{error:?}"
    );
    assert!(shelf.asked() <= 3, "it is not walked twice");
}

#[tokio::test]
async fn an_epoch_left_out() {
    let error = told(|shelf, real| {
        let mut forged = real(TIP);
        forged["previous_hash"] = json!(BEFORE);
        forged["epoch"] = json!(25);
        shelf.put(&forged);
    })
    .await;
    // The stated hash gives the lie away first, since it is a fault of the certificate itself.
    assert_error!(error, ChainError::Rule { rule: BrokenRule::Hash { .. }, .. });
}

#[tokio::test]
async fn an_epoch_left_out_with_hashes_that_are_right() {
    let Some(devnet) = corpus::devnet() else { return };
    let mut shelf = Shelf::new(devnet.values());
    let mut forged = devnet[TIP].clone();
    forged["previous_hash"] = json!(BEFORE);
    let tip = rehash(&mut forged);
    shelf.put(&forged);
    let error = verify(&verifier(devnet_network()), &shelf, &tip, None).await.unwrap_err();
    assert!(matches!(error, ChainError::Rule { rule: BrokenRule::EpochGap { .. }, .. }), "{error:?}");
}

#[tokio::test]
async fn parameters_that_make_a_quorum_easy() {
    let Some(devnet) = corpus::devnet() else { return };
    let mut shelf = Shelf::new(devnet.values());
    let mut forged = devnet[TIP].clone();
    forged["metadata"]["parameters"]["k"] = json!(1);
    let tip = rehash(&mut forged);
    shelf.put(&forged);
    let error = verify(&verifier(devnet_network()), &shelf, &tip, None).await.unwrap_err();
    assert!(matches!(error, ChainError::Rule { rule: BrokenRule::Parameters { .. }, .. }), "{error:?}");
}

#[tokio::test]
async fn a_message_that_no_quorum_signed() {
    let Some(devnet) = corpus::devnet() else { return };
    let mut shelf = Shelf::new(devnet.values());
    let mut forged = devnet[TIP].clone();
    forged["protocol_message"]["message_parts"]["next_protocol_parameters"] = json!("00".repeat(32));
    let tip = seal(&mut forged);
    shelf.put(&forged);
    let error = verify(&verifier(devnet_network()), &shelf, &tip, None).await.unwrap_err();
    assert!(matches!(error, ChainError::Rule { rule: BrokenRule::MultiSignature(_), .. }), "{error:?}");
}

#[tokio::test]
async fn a_previous_certificate_that_does_not_exist() {
    let error = told(|shelf, _| drop(shelf.bodies.remove(BEFORE))).await;
    assert_error!(error, ChainError::Missing { hash } if hash.to_string() == BEFORE);
}

#[tokio::test]
async fn a_hundred_megabytes() {
    let error = told(|shelf, _| {
        shelf.bodies.insert(MIDDLE.to_owned(), vec![b' '; 100 << 20]);
    })
    .await;
    assert_error!(error, ChainError::Format { error: FormatError::TooLong { length: 104_857_600, .. }, .. });
}

#[tokio::test]
async fn a_future_format() {
    let error = told(|shelf, real| {
        let mut future = real(MIDDLE);
        future["epoch"] = json!({"era": "leios", "number": 24});
        shelf.put(&future);
    })
    .await;
    assert_error!(error, ChainError::Format { hash, error: FormatError::Json { .. } } if hash.to_string() == MIDDLE);
    let error = told(|shelf, real| {
        let mut future = real(MIDDLE);
        future["signed_entity_type"] = json!({"LeiosBlocks": 24});
        shelf.put(&future);
    })
    .await;
    assert_error!(error, ChainError::Rule { rule: BrokenRule::NotUnderstood(_), .. });
    let error = told(|shelf, _| {
        shelf.bodies.insert(MIDDLE.to_owned(), b"<html>".to_vec());
    })
    .await;
    assert_error!(error, ChainError::Format { error: FormatError::Json { .. }, .. });
}

#[tokio::test]
async fn more_than_the_limits_allow() {
    let Some(devnet) = corpus::devnet() else { return };
    let shelf = Shelf::new(devnet.values());
    let limited = |limits: ChainLimits| verifier(devnet_network()).with_limits(limits);
    let few = limited(ChainLimits::default().with_certificates(5));
    let error = verify(&few, &shelf, TIP, None).await.unwrap_err();
    assert!(matches!(error, ChainError::Limit { what: "certificates", limit: 5 }), "{error:?}");
    assert_eq!(shelf.asked(), 5);
    let short = limited(ChainLimits::default().with_total_bytes(20_000));
    let error = verify(&short, &shelf, TIP, None).await.unwrap_err();
    assert!(matches!(error, ChainError::Limit { what: "bytes", limit: 20_000 }), "{error:?}");
    let small = limited(ChainLimits::default().with_certificate_bytes(1000));
    let error = verify(&small, &shelf, TIP, None).await.unwrap_err();
    assert!(matches!(error, ChainError::Format { error: FormatError::TooLong { limit: 1000, .. }, .. }), "{error:?}");
}

#[tokio::test]
async fn of_two_faults_the_one_nearest_to_the_tip_is_told() {
    let error = told(|shelf, real| {
        for hash in [MIDDLE, BEFORE] {
            let mut forged = real(hash);
            forged["metadata"]["version"] = json!("9");
            shelf.put(&forged);
        }
        shelf.bodies.remove("77d7ddc1");
    })
    .await;
    assert_error!(error, ChainError::Rule { certificate, rule: BrokenRule::Hash { .. } }
        if certificate.to_string() == MIDDLE);
}
