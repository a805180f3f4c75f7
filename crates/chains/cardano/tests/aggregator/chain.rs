//! Every lie of an aggregator is one typed error, and leaves no anchor.

use nodewright_cardano::certificate::{
    AnchorStore as _, BrokenRule, ChainEnd, ChainError, ChainVerifier, EntityKind, MemoryAnchors, NetworkFingerprint,
};
use nodewright_cardano::sim::aggregator::SimFault;
use nodewright_cardano::sim::devnet::{Devnet, DevnetOptions};
use nodewright_core::ErrorKind;

use crate::client;

/// Verifies the chain of `devnet` over HTTP, with a fault on the certificate before the last; nothing may be stored.
async fn told(devnet: &Devnet, fault: Option<SimFault>) -> ChainError {
    let [.., before, last] = devnet.chain() else { panic!("a short chain") };
    if let Some(fault) = fault {
        devnet.aggregator().fail(format!("/certificate/{}", before.hash), fault);
    }
    let server = devnet.serve().unwrap();
    let anchors = MemoryAnchors::default();
    let verifier = ChainVerifier::new(devnet.network());
    let verified = verifier.verify(&client(&server), last.hash, Some(&anchors), &mut |_| {}).await;
    let stored = anchors.load(&NetworkFingerprint::from(&devnet.network())).await.unwrap();
    assert!(stored.is_empty(), "stored");
    verified.unwrap_err()
}

fn devnet() -> Devnet {
    let mut devnet = Devnet::new(9, DevnetOptions::default()).unwrap();
    devnet.run(4).unwrap();
    devnet
}

macro_rules! assert_told {
    ($fault:expr, $pattern:pat $(if $guard:expr)?) => {
        let error = told(&devnet(), Some($fault)).await;
        assert!(matches!(&error, $pattern $(if $guard)?), "{error:?}");
    };
}

#[tokio::test]
async fn each_lie_is_one_typed_error_and_leaves_no_anchor() {
    assert_told!(SimFault::AlteredContent, ChainError::Rule { rule: BrokenRule::Hash { .. }, .. });
    assert_told!(SimFault::Substitute, ChainError::Substituted { .. });
    assert_told!(SimFault::Loop, ChainError::Rule { rule: BrokenRule::Loop, .. });
    assert_told!(SimFault::FutureEntity, ChainError::Rule { rule: BrokenRule::NotUnderstood(_), .. });
    assert_told!(SimFault::FutureScheme, ChainError::Rule { rule: BrokenRule::NotUnderstood(_), .. });
    assert_told!(SimFault::FutureFormat, ChainError::Format { .. });
    assert_told!(SimFault::Garbage, ChainError::Format { .. });
    assert_told!(SimFault::status(404, ""), ChainError::Missing { .. });
    assert_told!(SimFault::Huge(100 << 20), ChainError::Source(error) if error.kind() == ErrorKind::Limit);
    assert_told!(SimFault::status(500, ""), ChainError::Source(error) if error.kind() == ErrorKind::Busy);
    assert_told!(SimFault::status(503, ""), ChainError::Source(error) if error.kind() == ErrorKind::Busy);
}

#[tokio::test]
async fn an_epoch_without_a_certificate_is_a_gap_though_all_signatures_hold() {
    let mut devnet = devnet();
    devnet.advance_epoch().unwrap();
    devnet.run(1).unwrap();
    let error = told(&devnet, None).await;
    assert!(matches!(error, ChainError::Rule { rule: BrokenRule::EpochGap { .. }, .. }), "{error:?}");
}

#[tokio::test]
async fn another_genesis_key_is_refused() {
    let (devnet, other) = (devnet(), Devnet::new(10, DevnetOptions::default()).unwrap());
    let server = devnet.serve().unwrap();
    let tip = devnet.chain().last().unwrap().hash;
    let verified = ChainVerifier::new(other.network()).verify(&client(&server), tip, None, &mut |_| {}).await;
    let error = verified.unwrap_err();
    assert!(matches!(error, ChainError::Rule { rule: BrokenRule::GenesisSignature(_), .. }), "{error:?}");
}

#[tokio::test]
async fn a_chain_is_verified_over_http_and_the_second_time_from_its_anchor() {
    let mut devnet = devnet();
    devnet.certify(EntityKind::CardanoDatabase).unwrap();
    let server = devnet.serve().unwrap();
    let (client, anchors) = (client(&server), MemoryAnchors::default());
    let verifier = ChainVerifier::new(devnet.network());
    let tip = devnet.chain().last().unwrap().hash;
    let chain = verifier.verify(&client, tip, Some(&anchors), &mut |_| {}).await.unwrap();
    // The genesis, four epochs, and the database.
    assert_eq!((chain.fetched, chain.end), (6, ChainEnd::Genesis(devnet.chain()[0].hash)));
    devnet.run(1).unwrap();
    let tip = devnet.chain().last().unwrap().hash;
    let chain = verifier.verify(&client, tip, Some(&anchors), &mut |_| {}).await.unwrap();
    assert_eq!(chain.fetched, 2);
}
