//! `mithril-client` as a real client of our simulated aggregator, and our own client beside it: a network that really
//! signs, over HTTP, in every way that aggregators treat versions.

use mithril_client::{AggregatorDiscoveryType, Client, ClientBuilder, GenesisVerificationKey};
use nodewright_cardano::aggregator::{AggregatorClient, AggregatorError, AggregatorOptions, VersionNotice};
use nodewright_cardano::certificate::{BrokenRule, Certificate, ChainEnd, ChainError, ChainVerifier, EntityKind};
use nodewright_cardano::sim::aggregator::{SimAggregator, SimRegime, SimServer};
use nodewright_cardano::sim::devnet::{Devnet, DevnetOptions};
use nodewright_core::api::{Version, VersionRule};

/// A devnet that certified `EPOCHS` epochs after its genesis, and both clients of it.
struct World {
    devnet: Devnet,
    theirs: Client,
    ours: AggregatorClient,
    _server: SimServer,
}

impl World {
    fn new() -> Self {
        let mut devnet = Devnet::new(3, DevnetOptions::default()).unwrap();
        devnet.run(EPOCHS).unwrap();
        devnet.certify(EntityKind::CardanoStakeDistribution).unwrap();
        let server = devnet.serve().unwrap();
        // It does not build without TLS, and of the ways to have it this one compiles the least. No call uses it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let key = GenesisVerificationKey::JsonHex(devnet.network().genesis_key.to_json_hex());
        let theirs =
            ClientBuilder::new(AggregatorDiscoveryType::Url(server.url())).set_genesis_verification_key(key).build();
        let ours = AggregatorClient::try_new(&server.url(), AggregatorOptions::default()).unwrap();
        Self { devnet, theirs: theirs.unwrap(), ours, _server: server }
    }

    fn aggregator(&self) -> &SimAggregator {
        self.devnet.aggregator()
    }

    fn tip(&self) -> String {
        self.devnet.chain().last().unwrap().hash.to_string()
    }

    /// Returns what `mithril-api-version` the requests since the last call carried.
    fn versions_sent(&self) -> Vec<Option<String>> {
        let requests = self.aggregator().take_requests();
        requests.iter().map(|request| request.header("mithril-api-version").map(str::to_owned)).collect()
    }

    async fn theirs_does_all(&self) {
        let listed = self.theirs.certificate().list().await.unwrap();
        let expected: Vec<_> =
            self.devnet.chain().iter().rev().map(|certificate| certificate.hash.to_string()).collect();
        assert_eq!(listed.iter().map(|line| line.hash.clone()).collect::<Vec<_>>(), expected);

        let verified = self.theirs.certificate().verify_chain(&self.tip()).await.unwrap();
        assert_eq!(verified.hash, self.tip());

        let distributions = self.theirs.mithril_stake_distribution().list().await.unwrap();
        assert_eq!(u64::try_from(distributions.len()).unwrap(), EPOCHS);
        let newest = &distributions[0];
        let distribution = self.theirs.mithril_stake_distribution().get(&newest.hash).await.unwrap().unwrap();
        assert_eq!(distribution.signers_with_stake.len(), 3);
        assert_eq!(distribution.certificate_hash, newest.certificate_hash);
        let stake = self.theirs.cardano_stake_distribution().list().await.unwrap();
        let stake = self.theirs.cardano_stake_distribution().get(&stake[0].hash).await.unwrap().unwrap();
        assert_eq!(stake.stake_distribution.len(), 3);
    }

    async fn ours_does_all(&self) {
        let listed = self.ours.certificates().await.unwrap();
        assert_eq!(listed.len(), self.devnet.chain().len());

        let verifier = ChainVerifier::new(self.devnet.network());
        let verified = verifier.verify(&self.ours, self.tip().parse().unwrap(), None, &mut |_| {}).await.unwrap();
        assert_eq!(verified.end, ChainEnd::Genesis(self.devnet.chain()[0].hash));
        // Each certificate links to the first one of the epoch before or of its own, here to all of them.
        assert_eq!(verified.fetched, self.devnet.chain().len());

        let distributions = self.ours.mithril_stake_distributions().await.unwrap();
        let newest = &distributions[0];
        let distribution = self.ours.mithril_stake_distribution(&newest.hash).await.unwrap();
        let certificate = self.ours.certificate_by(&newest.certificate_hash).await.unwrap();
        distribution.check(&certificate).unwrap();
    }
}

#[tokio::test]
async fn both_clients_read_and_verify_all_from_an_aggregator_that_enforces_their_series() {
    let world = World::new();
    world.aggregator().speak(SimRegime::Enforce(VersionRule::Series(Version::new(0, 1, 60))));
    world.theirs_does_all().await;
    let sent = world.versions_sent();
    assert!(sent.len() > 5 && sent.iter().all(|version| version.as_deref() == Some(SPOKEN)), "{sent:?}");
    world.ours_does_all().await;
    let sent = world.versions_sent();
    assert!(sent.len() > 5 && sent.iter().all(|version| version.as_deref() == Some(SPOKEN)), "{sent:?}");
    assert!(matches!(world.ours.version().notice, Some(VersionNotice::Agreed { .. })), "{:?}", world.ours.version());
}

#[tokio::test]
async fn both_clients_read_and_verify_all_from_an_aggregator_that_only_warns() {
    let world = World::new();
    let later = Version::new(0, 2, 0);
    for regime in [SimRegime::default(), SimRegime::Warn(later.clone()), SimRegime::Silent] {
        world.aggregator().speak(regime.clone());
        world.theirs_does_all().await;
        world.ours_does_all().await;
        let notice = world.ours.version().notice;
        let expected = match &regime {
            SimRegime::Silent => matches!(notice, Some(VersionNotice::Silent { .. })),
            SimRegime::Warn(version) if *version == later => matches!(notice, Some(VersionNotice::Ahead { .. })),
            _ => matches!(notice, Some(VersionNotice::Agreed { .. })),
        };
        assert!(expected, "{regime:?}: {notice:?}");
    }
}

#[tokio::test]
async fn an_aggregator_that_enforces_another_series_refuses_both_and_only_ours_says_why() {
    let world = World::new();
    world.aggregator().speak(SimRegime::Enforce(VersionRule::Series(Version::new(0, 2, 3))));
    let theirs = format!("{:?}", world.theirs.certificate().list().await.unwrap_err());
    assert!(theirs.contains("precondition failed") && !theirs.contains("0.2.3"), "{theirs}");
    let ours = world.ours.certificates().await.unwrap_err();
    assert!(matches!(ours, AggregatorError::ApiVersion { .. }), "{ours:?}");
    assert!(ours.to_string().contains("0.2.3"), "{ours}");
}

#[tokio::test]
async fn a_certificate_with_the_signature_of_another_is_refused_by_both_clients() {
    let world = World::new();
    let json = |certificate: &Certificate| serde_json::to_value(certificate).unwrap();
    let mut forged = json(world.devnet.chain().last().unwrap());
    forged["multi_signature"] = json(&world.devnet.chain()[1])["multi_signature"].clone();
    let tip = Certificate::from_json(forged.to_string().as_bytes()).unwrap().compute_hash().unwrap();
    forged["hash"] = tip.to_string().into();
    world.aggregator().update(|contents| contents.put_certificate(forged));

    let theirs = world.theirs.certificate().verify_chain(&tip.to_string()).await.unwrap_err();
    assert!(format!("{theirs:?}").contains("signature"), "{theirs:?}");
    let verifier = ChainVerifier::new(world.devnet.network());
    let ours = verifier.verify(&world.ours, tip, None, &mut |_| {}).await.unwrap_err();
    assert!(matches!(ours, ChainError::Rule { rule: BrokenRule::MultiSignature(_), .. }), "{ours:?}");
}

const EPOCHS: u64 = 6;
/// What `mithril-client` 0.14.34 speaks, and we.
const SPOKEN: &str = "0.1.71";
