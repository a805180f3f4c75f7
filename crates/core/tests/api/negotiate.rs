//! What this build and a node can do together.

use std::collections::BTreeSet;

use nodewright_core::api::{
    AbilityName, Agreement, ApiName, ApiRanges, Client, ClientKind, Lack, MethodName, NegotiateError, NodeOffer,
    Silence, Unseen, VersionRule, negotiate,
};
use nodewright_core::{EraId, Error, ErrorKind};

use super::{random_version, version};

const REST: ApiName = ApiName::of("rest");
const NODE: ClientKind = ClientKind::of("testnode");

fn client(text: Option<&str>) -> Client {
    Client { kind: NODE, printed: "/Test:1/".to_owned(), version: text.map(version) }
}

fn ranges(silence: Silence) -> ApiRanges {
    ApiRanges::new(silence)
        .with_client(NODE, version("0.21.0"))
        .with_api(REST, VersionRule::Series(version("0.1.69")))
        .with_api(REST, VersionRule::Series(version("0.3.0")))
        .with_ability(AbilityName::of("blocks"), [MethodName::of("getblock"), MethodName::of("getblockhash")])
        .with_ability(AbilityName::of("locks"), [MethodName::of("getbestchainlock")])
        .with_ability(AbilityName::of("headers"), [])
}

fn offer(client_version: Option<&str>, rest: Option<&str>, methods: &[&'static str]) -> NodeOffer {
    let offer = NodeOffer::new(client(client_version)).with_methods(methods.iter().map(|word| MethodName::of(word)));
    rest.into_iter().fold(offer, |offer, text| offer.with_api(REST, version(text)))
}

const ALL: [&str; 3] = ["getblock", "getblockhash", "getbestchainlock"];

fn era(name: &str) -> EraId {
    EraId::try_new(name).unwrap()
}

#[test]
fn a_node_that_has_everything_is_agreed_on_at_the_newest_version_that_fits() {
    for (theirs, ours) in [("0.1.0", "0.1.69"), ("0.1.99", "0.1.69"), ("0.3.7", "0.3.0")] {
        let agreement = negotiate(&ranges(Silence::Refuse), &offer(Some("0.21.0"), Some(theirs), &ALL), None).unwrap();
        assert!(matches!(agreement, Agreement::Full { .. }), "{agreement}");
        assert_eq!(agreement.terms().apis[&REST].ours, version(ours));
        assert_eq!(agreement.terms().apis[&REST].theirs, Some(version(theirs)));
        assert!(agreement.terms().unseen.is_empty());
        assert_eq!(agreement.to_string(), format!("testnode \"/Test:1/\", rest {ours}"));
    }
}

#[test]
fn a_missing_method_takes_its_ability_away_by_name() {
    let agreement =
        negotiate(&ranges(Silence::Refuse), &offer(Some("1.0.0"), Some("0.3.0"), &["getblock"]), None).unwrap();
    assert_eq!(
        agreement.to_string(),
        "testnode \"/Test:1/\", rest 0.3.0; without blocks (node lacks getblockhash); \
         without locks (node lacks getbestchainlock)"
    );
    assert_eq!(agreement.require(&AbilityName::of("headers")), Ok(()));
    let missing = agreement.require(&AbilityName::of("blocks")).unwrap_err();
    assert_eq!(missing.lack, Lack::Methods(vec![MethodName::of("getblockhash")]));
    assert_eq!(Error::from(missing).kind(), ErrorKind::Unsupported);
    let unnamed = agreement.require(&AbilityName::of("mining")).unwrap_err();
    assert_eq!(unnamed.to_string(), "mining (unknown to this build)");
}

#[test]
fn an_unknown_list_of_methods_is_not_an_empty_one() {
    let mute = NodeOffer { methods: None, ..offer(Some("1.0.0"), Some("0.3.0"), &[]) };
    let refused = negotiate(&ranges(Silence::Refuse), &mute, None).unwrap();
    assert_eq!(refused.missing()[1].lack, Lack::Unreported(vec![MethodName::of("getbestchainlock")]));
    let accepted = negotiate(&ranges(Silence::Accept), &mute, None).unwrap();
    assert!(matches!(accepted, Agreement::Full { .. }));
    let unseen = ["blocks", "locks"].map(|word| Unseen::Methods(AbilityName::of(word)));
    assert_eq!(accepted.terms().unseen, unseen);
    let none = negotiate(&ranges(Silence::Accept), &offer(Some("1.0.0"), Some("0.3.0"), &[]), None).unwrap();
    assert_eq!(none.missing().len(), 2, "{none}");
}

#[test]
fn each_refusal_is_one_line_that_says_what_to_do() {
    let table = [
        (
            offer(Some("0.20.9"), Some("0.3.0"), &ALL),
            "node testnode \"/Test:1/\" is at 0.20.9, this build speaks 0.21.0 or later: upgrade the node",
        ),
        (
            offer(Some("0.21.0"), Some("0.4.0"), &ALL),
            "API rest is at 0.4.0, this build speaks 0.3.*, 0.1.*: upgrade this program",
        ),
        (
            offer(Some("0.21.0"), Some("0.0.9"), &ALL),
            "API rest is at 0.0.9, this build speaks 0.3.*, 0.1.*: upgrade the node",
        ),
        (
            offer(Some("0.21.0"), Some("0.2.0"), &ALL),
            "API rest is at 0.2.0, this build speaks 0.3.*, 0.1.*: upgrade the node",
        ),
        (
            offer(None, Some("0.3.0"), &ALL),
            "node does not state the version of its program: let it state that, or accept silence",
        ),
        (
            offer(Some("0.21.0"), None, &ALL),
            "node does not state the version of API rest: let it state that, or accept silence",
        ),
    ];
    for (offer, line) in table {
        let error = negotiate(&ranges(Silence::Refuse), &offer, None).unwrap_err();
        assert_eq!(error.to_string(), line);
        assert_eq!(Error::from(error).kind(), ErrorKind::Unsupported);
    }
    let other = NodeOffer::new(Client { kind: ClientKind::of("other"), ..client(Some("1.0.0")) });
    let error = negotiate(&ranges(Silence::Accept), &other, None).unwrap_err();
    assert_eq!(error.to_string(), "node runs other \"/Test:1/\", this build supports testnode: run one of these");
}

#[test]
fn what_a_node_prints_of_itself_stays_on_one_short_line() {
    let loud = Client { printed: format!("/Test:1/\n{}", "x".repeat(100_000)), ..client(Some("0.1.0")) };
    let line = negotiate(&ranges(Silence::Accept), &NodeOffer::new(loud), None).unwrap_err().to_string();
    assert!(line.starts_with(r#"node testnode "/Test:1/\nxxx"#) && !line.contains('\n') && line.len() < 250, "{line}");
}

#[test]
fn accepted_silence_is_named_in_the_agreement() {
    let agreement = negotiate(&ranges(Silence::Accept), &offer(None, None, &ALL), None).unwrap();
    assert_eq!(agreement.terms().unseen, [Unseen::ClientVersion, Unseen::ApiVersion(REST)]);
    assert_eq!(agreement.terms().apis[&REST].ours, version("0.3.0"));
    assert_eq!(agreement.terms().apis[&REST].theirs, None);
}

#[test]
fn build_metadata_does_not_make_a_client_older_or_newer() {
    let ranges = ApiRanges::new(Silence::Refuse).with_client(NODE, version("0.2.276+5d5571e"));
    for (found, fits) in [("0.2.276", true), ("0.2.276+000", true), ("0.2.275+fff", false), ("0.2.276-rc.1", false)] {
        let result = negotiate(&ranges, &NodeOffer::new(client(Some(found))), None);
        assert_eq!(result.is_ok(), fits, "{found}");
    }
}

#[test]
fn the_version_that_holds_depends_on_the_era() {
    let two = || {
        ApiRanges::new(Silence::Refuse).with_api(REST, VersionRule::Series(version("0.1.9"))).with_api_in(
            era("lagrange"),
            REST,
            VersionRule::Series(version("0.2.0")),
        )
    };
    let at = |theirs: &str, name: &str| negotiate(&two(), &offer(None, Some(theirs), &[]), Some(&era(name)));
    assert_eq!(at("0.1.5", "pythagoras").unwrap().terms().apis[&REST].ours, version("0.1.9"));
    assert_eq!(at("0.2.5", "lagrange").unwrap().terms().apis[&REST].ours, version("0.2.0"));
    assert!(matches!(at("0.1.5", "lagrange"), Err(NegotiateError::NodeTooOld { .. })));
    assert!(matches!(at("0.2.5", "pythagoras"), Err(NegotiateError::NodeTooNew { .. })));

    let unknown = negotiate(&two(), &offer(None, Some("0.1.5"), &[]), None).unwrap_err();
    assert_eq!(unknown, NegotiateError::EraUnreported { api: REST });
    let only =
        ApiRanges::new(Silence::Accept).with_api_in(era("lagrange"), REST, VersionRule::Series(version("0.2.0")));
    let error = negotiate(&only, &offer(None, None, &[]), Some(&era("thales"))).unwrap_err();
    assert_eq!(error.to_string(), "this build speaks no version of API rest in era thales: upgrade this program");
    let list = two().try_list(&REST, Some(&era("lagrange"))).unwrap().unwrap();
    assert_eq!(*list.head(), version("0.2.0"));
    assert_eq!(two().try_list(&ApiName::of("other"), None), Ok(None));
}

#[test]
fn more_methods_never_give_fewer_abilities() {
    let words = ["a", "b", "c", "d", "e", "f"].map(MethodName::of);
    let mut grown = 0;
    for seed in nodewright_testkit::seeds(3_000, 30_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let some =
            |rng: &mut fastrand::Rng| -> Vec<MethodName> { words.iter().filter(|_| rng.bool()).cloned().collect() };
        let silence = if rng.bool() { Silence::Accept } else { Silence::Refuse };
        let abilities = ["one", "two", "three"].map(AbilityName::of);
        let ranges = abilities
            .iter()
            .fold(ApiRanges::new(silence), |ranges, ability| ranges.with_ability(ability.clone(), some(&mut rng)));
        let fewer = some(&mut rng);
        let more: Vec<_> = fewer.iter().cloned().chain(some(&mut rng)).collect();
        let agreed = |methods: &[MethodName]| {
            let offer = NodeOffer::new(client(None)).with_methods(methods.iter().cloned());
            let agreement = negotiate(&ranges, &offer, None).unwrap();
            let present = agreement.terms().abilities.clone();
            let missing: BTreeSet<_> = agreement.missing().iter().map(|missing| missing.ability.clone()).collect();
            assert_eq!(matches!(agreement, Agreement::Full { .. }), missing.is_empty(), "seed {seed}");
            assert!(present.is_disjoint(&missing) && present.len() + missing.len() == abilities.len(), "seed {seed}");
            present
        };
        let (before, after) = (agreed(&fewer), agreed(&more));
        assert!(before.is_subset(&after), "seed {seed}: {before:?} became {after:?}");
        grown += usize::from(before != after);
    }
    assert!(grown > 300, "{grown}");
}

#[test]
fn an_api_is_agreed_on_at_the_newest_own_version_that_accepts_the_nodes() {
    let mut seen = [0_usize; 3];
    for seed in nodewright_testkit::seeds(5_000, 50_000) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let own: Vec<_> = (0..rng.usize(1..5)).map(|_| VersionRule::Series(random_version(&mut rng))).collect();
        let theirs = random_version(&mut rng);
        let ranges =
            own.iter().fold(ApiRanges::new(Silence::Refuse), |ranges, rule| ranges.with_api(REST, rule.clone()));
        let offer = NodeOffer::new(client(None)).with_api(REST, theirs.clone());
        let newest = own.iter().filter(|rule| rule.accepts(&theirs)).map(VersionRule::own).max();
        match (negotiate(&ranges, &offer, None), newest) {
            (Ok(agreement), Some(newest)) => {
                seen[0] += 1;
                assert_eq!(agreement.terms().apis[&REST].ours, *newest, "seed {seed}");
            }
            (Err(NegotiateError::NodeTooNew { .. }), None) => {
                seen[1] += 1;
                assert!(own.iter().all(|rule| *rule.own() < theirs), "seed {seed}");
            }
            (Err(NegotiateError::NodeTooOld { .. }), None) => {
                seen[2] += 1;
                assert!(own.iter().any(|rule| *rule.own() > theirs), "seed {seed}");
            }
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(seen.iter().all(|count| *count > 200), "{seen:?}");
}
