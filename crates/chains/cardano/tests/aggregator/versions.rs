//! The three ways in which aggregators treat API versions.

use std::sync::{Arc, Mutex};

use nodewright_cardano::aggregator::{
    AGGREGATOR_API, AggregatorClient, AggregatorError, AggregatorEvent, VersionNotice, aggregator_api,
};
use nodewright_cardano::sim::aggregator::{SimAggregator, SimRegime, SimServer};
use nodewright_cardano::sim::devnet::{Devnet, DevnetOptions};
use nodewright_cardano::watch::{Finding as _, Severity};
use nodewright_core::api::{ApiProbe as _, ApiRanges, Silence, Version, VersionRule, negotiate};
use nodewright_core::{EraId, Error, ErrorKind};

use crate::options;

type Notices = Arc<Mutex<Vec<VersionNotice>>>;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn series(text: &str) -> VersionRule {
    VersionRule::Series(version(text))
}

/// A client that speaks 0.3.1 and 0.2.4 besides 0.1.71, and what it is told.
fn client(server: &SimServer, apis: ApiRanges) -> (AggregatorClient, Notices) {
    let notices = Notices::default();
    let told = notices.clone();
    let options = options().with_apis(apis).with_events(move |event| {
        if let AggregatorEvent::Version { notice, .. } = event {
            told.lock().unwrap().push(notice.clone());
        }
    });
    (AggregatorClient::try_new(&server.url(), options).unwrap(), notices)
}

fn three() -> ApiRanges {
    aggregator_api().with_api(AGGREGATOR_API, series("0.2.4")).with_api(AGGREGATOR_API, series("0.3.1"))
}

fn sim() -> (SimAggregator, SimServer) {
    let devnet = Devnet::new(1, DevnetOptions::default()).unwrap();
    let server = devnet.serve().unwrap();
    (devnet.aggregator().clone(), server)
}

fn sent(sim: &SimAggregator) -> Vec<String> {
    sim.take_requests().iter().map(|request| request.header("mithril-api-version").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_refused_version_is_followed_by_the_next_and_the_one_that_fits_is_kept() {
    let (sim, server) = sim();
    sim.speak(SimRegime::Enforce(series("0.1.20")));
    let (client, notices) = client(&server, three());
    client.status().await.unwrap();
    // The first refusal tells the server's version; what fits is tried in turn all the same.
    assert_eq!(sent(&sim), ["0.3.1", "0.2.4", "0.1.71"]);
    client.status().await.unwrap();
    assert_eq!(sent(&sim), ["0.1.71"]);
    let theirs = version("0.1.20");
    let refused = |ours| VersionNotice::Refused { ours: version(ours), theirs: Some(theirs.clone()) };
    let agreed = VersionNotice::Agreed { ours: version("0.1.71"), theirs: theirs.clone() };
    assert_eq!(*notices.lock().unwrap(), [refused("0.3.1"), refused("0.2.4"), agreed.clone()]);
    assert_eq!(client.version().notice, Some(agreed));
}

#[tokio::test]
async fn a_server_that_was_upgraded_is_met_with_every_version_again() {
    let (sim, server) = sim();
    let (client, _) = client(&server, three());
    sim.speak(SimRegime::Enforce(series("0.1.20")));
    client.status().await.unwrap();
    sim.speak(SimRegime::Enforce(series("0.3.0")));
    let _ = sent(&sim);
    client.status().await.unwrap();
    assert_eq!(sent(&sim), ["0.1.71", "0.3.1"]);
}

#[tokio::test]
async fn a_server_that_refuses_every_version_is_an_error_with_both_sides() {
    let (sim, server) = sim();
    for regime in [SimRegime::Enforce(series("0.9.0")), SimRegime::SilentlyEnforce(series("0.9.0"))] {
        sim.speak(regime.clone());
        let (client, _) = client(&server, three());
        let error = client.status().await.unwrap_err();
        let AggregatorError::ApiVersion { exhausted } = &error else { panic!("{error:?}") };
        let stated = matches!(regime, SimRegime::Enforce(_)).then(|| version("0.9.0"));
        assert_eq!((exhausted.ours.0.len(), &exhausted.theirs), (3, &stated));
        assert_eq!(Error::from(error).kind(), ErrorKind::Unsupported);
        // A registration is refused before it is looked at, so it may be sent again too.
        assert_eq!(sent(&sim), ["0.3.1", "0.2.4", "0.1.71"]);
    }
}

#[tokio::test]
async fn a_server_that_is_ahead_is_reported_and_used() {
    let (sim, server) = sim();
    sim.speak(SimRegime::Warn(version("0.1.99")));
    let (client, notices) = client(&server, aggregator_api());
    client.status().await.unwrap();
    client.status().await.unwrap();
    let notices = notices.lock().unwrap();
    assert_eq!(*notices, [VersionNotice::Ahead { ours: version("0.1.71"), theirs: version("0.1.99") }], "told once");
    assert_eq!(notices[0].severity(), Severity::Warning);
    assert!(notices[0].to_string().ends_with("upgrade this program"));
}

#[tokio::test]
async fn a_silent_server_is_used_and_reported_or_refused_as_is_chosen() {
    let (sim, server) = sim();
    sim.speak(SimRegime::Silent);
    let (quiet, notices) = client(&server, aggregator_api());
    quiet.status().await.unwrap();
    assert_eq!(*notices.lock().unwrap(), [VersionNotice::Silent { ours: version("0.1.71") }]);
    let strict = ApiRanges::new(Silence::Refuse).with_api(AGGREGATOR_API, series("0.1.71"));
    let (strict, _) = client(&server, strict);
    let error = strict.status().await.unwrap_err();
    assert!(matches!(error, AggregatorError::VersionHeader(_)), "{error:?}");
}

#[tokio::test]
async fn the_era_decides_about_the_version_where_it_has_one_of_its_own() {
    let (sim, server) = sim();
    let lagrange = EraId::try_new("lagrange").unwrap();
    let apis = aggregator_api().with_api_in(lagrange.clone(), AGGREGATOR_API, series("0.2.0"));
    let pythagoras = options().with_apis(apis.clone()).with_era(EraId::try_new("pythagoras").unwrap());
    let client = AggregatorClient::try_new(&server.url(), pythagoras).unwrap();
    client.status().await.unwrap();
    client.set_era(lagrange).unwrap();
    client.status().await.unwrap();
    assert_eq!(sent(&sim), ["0.1.71", "0.2.0"]);
    let error = AggregatorClient::try_new(&server.url(), options().with_apis(apis)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}

#[tokio::test]
async fn a_probe_says_what_the_aggregator_speaks_and_signs() {
    let (_sim, server) = sim();
    let (client, _) = client(&server, aggregator_api());
    let offer = client.offer().await.unwrap();
    assert_eq!(offer.apis.get(&AGGREGATOR_API), Some(&version("0.1.71")));
    assert_eq!(offer.client.version, Some(version("0.8.53")));
    assert_eq!(offer.methods.as_ref().map(std::collections::BTreeSet::len), Some(3));
    negotiate(&aggregator_api(), &offer, None).unwrap();
}
