//! Several aggregators, of which some are out or lie.

use std::sync::{Arc, Mutex};

use nodewright_cardano::aggregator::{AggregatorError, AggregatorEvent, AggregatorOptions, Aggregators, Unusable};
use nodewright_cardano::certificate::{BrokenRule, CertificateSource as _, ChainError, ChainVerifier, EntityKind};
use nodewright_cardano::era::PositionSource as _;
use nodewright_cardano::sim::aggregator::{SimFault, SimServer};
use nodewright_cardano::sim::devnet::{Devnet, DevnetOptions};
use nodewright_core::{Error, ErrorKind};

use crate::options;

fn devnet() -> Devnet {
    let mut devnet = Devnet::new(5, DevnetOptions::default()).unwrap();
    devnet.run(3).unwrap();
    devnet
}

/// An address at which nothing listens.
async fn dead() -> String {
    let server = devnet().serve().unwrap();
    let url = server.url();
    server.stop().await;
    url
}

fn several(urls: &[String], options: &AggregatorOptions) -> Aggregators {
    Aggregators::try_new(urls.iter().map(String::as_str), options).unwrap()
}

#[tokio::test]
async fn a_dead_aggregator_is_passed_over_and_the_one_alive_is_kept() {
    let devnet = devnet();
    let server = devnet.serve().unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = events.clone();
    let options = options().with_events(move |event| {
        if let AggregatorEvent::Failover { to, .. } = event {
            told.lock().unwrap().push(to.clone());
        }
    });
    let aggregators = several(&[dead().await, server.url()], &options);
    for _ in 0..3 {
        assert_eq!(aggregators.latest().await.unwrap().len(), 4);
    }
    assert_eq!(*events.lock().unwrap(), [server.url()], "one failover: the good one is remembered");
    assert_eq!(aggregators.current().unwrap().endpoint().to_string(), server.url());
    assert_eq!(aggregators.positions().await.unwrap().head.epoch, Some(devnet.epoch()));
}

#[tokio::test]
async fn a_failing_or_busy_aggregator_is_passed_over_until_it_is_the_only_one() {
    let (ill, well) = (devnet(), devnet());
    let servers = [ill.serve().unwrap(), well.serve().unwrap()];
    let urls: Vec<_> = servers.iter().map(SimServer::url).collect();
    for status in [500, 503, 504] {
        ill.aggregator().heal();
        ill.aggregator().fail("/", SimFault::status(status, ""));
        let status = several(&urls, &options()).ask(|client| async move { client.status().await }).await.unwrap();
        assert_eq!(status.epoch, well.epoch());
    }
    well.aggregator().fail("/", SimFault::status(503, ""));
    let error = several(&urls, &options()).ask(|client| async move { client.status().await }).await.unwrap_err();
    let AggregatorError::AllFailed { attempts } = &error else { panic!("{error:?}") };
    assert_eq!(attempts.len(), 2);
    assert_eq!(Error::from(error).kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn what_an_aggregator_says_is_its_answer() {
    let (first, second) = (devnet(), devnet());
    let servers = [first.serve().unwrap(), second.serve().unwrap()];
    let urls: Vec<_> = servers.iter().map(SimServer::url).collect();
    for status in [400, 404, 410, 550] {
        first.aggregator().heal();
        first.aggregator().fail("/status", SimFault::status(status, ""));
        let answer = several(&urls, &options()).ask(|client| async move { client.status().await }).await;
        assert!(!answer.unwrap_err().is_outage(), "{status}");
    }
    assert!(second.aggregator().take_requests().is_empty());
}

#[tokio::test]
async fn a_liar_is_reported_and_not_passed_over() {
    let (liar, honest) = (devnet(), devnet());
    let servers = [liar.serve().unwrap(), honest.serve().unwrap()];
    liar.aggregator().fail("/certificate/", SimFault::AlteredContent);
    let aggregators = several(&servers.each_ref().map(SimServer::url), &options());
    let tip = liar.chain().last().unwrap().hash;
    let error = ChainVerifier::new(liar.network()).verify(&aggregators, tip, None, &mut |_| {}).await.unwrap_err();
    assert!(matches!(error, ChainError::Rule { rule: BrokenRule::Hash { .. }, .. }), "{error:?}");
    assert!(honest.aggregator().take_requests().is_empty(), "the honest one was not asked in its place");
}

#[tokio::test]
async fn discovery_keeps_those_that_answer_and_sign_what_is_needed() {
    let (partial, full) = (devnet(), devnet());
    partial.aggregator().update(|contents| {
        contents.document_mut("/").unwrap()["capabilities"]["signed_entity_types"] =
            serde_json::json!(["MithrilStakeDistribution"]);
    });
    let servers = [partial.serve().unwrap(), full.serve().unwrap()];
    let urls = [dead().await, servers[0].url(), servers[1].url()];
    let options = options();
    let urls = urls.each_ref().map(String::as_str);
    let found = Aggregators::discover(urls, &[EntityKind::CardanoDatabase], &options).await.unwrap();
    assert_eq!(found.aggregators.clients().len(), 1);
    assert!(matches!(
        &found.unusable[..],
        [Unusable::Failed(_), Unusable::Incapable { missing, .. }] if missing[..] == [EntityKind::CardanoDatabase]
    ));
    let none = Aggregators::discover([urls[0]], &[], &options).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Config, "{none}");
}
