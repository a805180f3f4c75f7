//! The simulated network against `mithril-common`, and restored from.

use std::sync::Arc;
use std::time::Duration;

use mithril_common::certificate_chain::{CertificateVerifier as _, MithrilCertificateVerifier};
use mithril_common::crypto_helper::GenesisVerifier;
use mithril_common::entities::Certificate as UpstreamCertificate;
use mithril_common::messages::CertificateMessage;
use mithril_common::test::double::FakeCertificaterRetriever;
use nodewright_cardano::certificate::{Certificate, ChainVerifier, EntityKind};
use nodewright_cardano::era::{MarkersDatum, MarkersPayload};
use nodewright_cardano::sim::devnet::{Devnet, DevnetError, DevnetOptions};
use nodewright_cardano::snapshot::{RestorePlan, Restorer, SnapshotChoice};
use nodewright_core::{Epoch, EraId};
use nodewright_rpc::DownloadLimits;

use crate::client;

fn small() -> Devnet {
    let mut devnet = Devnet::new(3, DevnetOptions::default()).unwrap();
    for _ in 0..3 {
        devnet.advance_epoch().unwrap();
        devnet.certify(EntityKind::MithrilStakeDistribution).unwrap();
        devnet.certify(EntityKind::CardanoStakeDistribution).unwrap();
        devnet.certify(EntityKind::CardanoDatabase).unwrap();
    }
    devnet
}

fn upstream(certificate: &Certificate) -> UpstreamCertificate {
    let json = serde_json::to_value(certificate).unwrap();
    serde_json::from_value::<CertificateMessage>(json).unwrap().try_into().unwrap()
}

#[tokio::test]
async fn mithrils_own_library_verifies_every_certificate() {
    let devnet = small();
    let all: Vec<_> = devnet.chain().iter().map(upstream).collect();
    assert_eq!(all.len(), 10);
    let key = GenesisVerifier::try_from_hex(&devnet.network().genesis_key.to_json_hex()).unwrap();
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let retriever = Arc::new(FakeCertificaterRetriever::from_certificates(&all));
    let verifier = MithrilCertificateVerifier::new(logger, retriever, Arc::new(key));
    for certificate in &all {
        assert_eq!(certificate.try_compute_hash().unwrap(), certificate.hash);
        verifier.verify_certificate_chain(certificate.clone()).await.unwrap();
    }
}

#[tokio::test]
async fn its_artifacts_are_what_its_certificates_sign() {
    let devnet = small();
    let server = devnet.serve().unwrap();
    let client = client(&server);
    for line in client.mithril_stake_distributions().await.unwrap() {
        let certificate = client.certificate_by(&line.certificate_hash).await.unwrap();
        client.mithril_stake_distribution(&line.hash).await.unwrap().check(&certificate).unwrap();
    }
    let stakes = client.cardano_stake_distributions().await.unwrap();
    for line in &stakes {
        let certificate = client.certificate_by(&line.certificate_hash).await.unwrap();
        client.cardano_stake_distribution(&line.hash).await.unwrap().check(&certificate).unwrap();
    }
    assert_eq!(stakes.len(), 3);
    assert_eq!(client.digests().await.unwrap(), devnet.digests());
    assert_eq!(client.epoch_settings().await.unwrap().current_signers.len(), 3);
    assert_eq!(client.signer_tickers().await.unwrap().signers.len(), 3);
    let configuration = client.protocol_configuration(devnet.epoch()).await.unwrap();
    assert_eq!(configuration.available_signed_entity_types.len(), 3);
}

#[tokio::test]
async fn its_database_is_restored_through_the_client() {
    let devnet = small();
    let server = devnet.serve().unwrap();
    let client = client(&server);
    let list = client.snapshots().await.unwrap();
    let snapshot = client.snapshot(&SnapshotChoice::Latest.find(&list).unwrap().hash).await.unwrap();
    let verifier = ChainVerifier::new(devnet.network());
    let chain = verifier.verify(&client, snapshot.certificate_hash, None, &mut |_| {}).await.unwrap();
    let network = devnet.network();
    let plan = RestorePlan::try_new(snapshot, chain.tip.certificate().clone(), network.cardano.clone()).unwrap();
    let plan = plan.with_ancillary(network.ancillary_key.unwrap());
    let limits = DownloadLimits { max_bytes: 1 << 20, idle_timeout: Duration::from_secs(20) };
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("db");
    Restorer::new(Arc::new(client.fetcher(limits))).run(&plan, &target).await.unwrap();
    for (file, _) in devnet.digests().iter() {
        assert_eq!(std::fs::read(target.join(format!("immutable/{file}"))).unwrap(), devnet.immutable(file), "{file}");
    }
}

#[test]
fn the_same_seed_makes_the_same_chain_and_another_seed_another() {
    assert_eq!(small().chain(), small().chain());
    let other = Devnet::new(4, DevnetOptions::default()).unwrap();
    assert_ne!(small().chain()[0].hash, other.chain()[0].hash);
}

#[test]
fn nothing_is_certified_in_the_epoch_of_the_genesis_nor_of_a_kind_that_is_not_there() {
    let mut devnet = Devnet::new(3, DevnetOptions::default()).unwrap();
    let early = devnet.certify(EntityKind::MithrilStakeDistribution).unwrap_err();
    assert_eq!(early, DevnetError::GenesisEpoch);
    devnet.advance_epoch().unwrap();
    let kind = EntityKind::CardanoTransactions;
    assert_eq!(devnet.certify(kind).unwrap_err(), DevnetError::Kind { kind });
    assert_eq!(devnet.chain().len(), 1);
}

#[tokio::test]
async fn an_era_is_announced_scheduled_activated_and_removed() {
    let mut devnet = Devnet::new(3, DevnetOptions::default()).unwrap();
    let server = devnet.serve().unwrap();
    let client = client(&server);
    let era = async || client.status().await.unwrap().mithril_era;
    let lagrange = EraId::try_new("lagrange").unwrap();
    let json = r#"[{"name":"pythagoras","epoch":0},{"name":"lagrange","epoch":null}]"#;
    assert_eq!(devnet.announce_era(lagrange.clone()).unwrap().to_json(), json);
    assert_eq!(era().await, "pythagoras");
    devnet.schedule_era(lagrange.clone(), Epoch(11)).unwrap();
    assert_eq!(era().await, "pythagoras");
    devnet.advance_epoch().unwrap();
    assert_eq!(era().await, "lagrange");
    let cbor = devnet.era_datum().unwrap().to_cbor();
    let payload = MarkersPayload::parse(MarkersDatum::from_cbor(&cbor).unwrap().payload()).unwrap();
    assert_eq!(payload.verify(&devnet.era_key()).unwrap().markers(), devnet.markers());
    devnet.remove_era(&lagrange).unwrap();
    assert_eq!(era().await, "pythagoras");
    devnet.activate_era(lagrange).unwrap();
    assert_eq!(era().await, "lagrange");
}
