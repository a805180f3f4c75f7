//! Activations as eras that only a ChainLock settles, on a simulated network and on what a real node reported.

use nodewright_core::api::{AbilityName, Agreement, negotiate};
use nodewright_core::{Activation, BlockHeight, ChainPosition, EraChange, EraChecker, EraId};
use nodewright_dash::sim::{NodeOptions, SimNetwork};
use nodewright_dash::{KNOWN_DEPLOYMENTS, api_ranges};
use nodewright_utxo::deployment::{DeploymentReport, era_schedule, supported_eras};
use serde_json::{Value, json};

use crate::scene::{adapter, quick};

#[tokio::test]
async fn an_era_is_entered_when_a_chain_lock_covers_its_first_block_and_not_before() {
    let mut network = SimNetwork::start(21, NodeOptions::default()).unwrap();
    let forks = json!({ "v20": { "type": "buried", "height": 1 }, "mn_rr": { "type": "buried", "height": 4 },
        "v99": { "type": "buried", "height": 9 } });
    network.node().state().say("getblockchaininfo", "softforks", forks);
    let adapter = adapter(network.node(), quick()).await;
    let eras = adapter.eras.unwrap();
    let schedule = eras.schedule().await.unwrap();
    let supported = supported_eras(&schedule, KNOWN_DEPLOYMENTS).unwrap();
    assert!(!supported.supports(&EraId::try_new("v99").unwrap()));
    let mut checker = EraChecker::new(adapter.scope, supported);
    let mut log = Vec::new();
    for height in 1..=10_u64 {
        let block = network.mine(&[]);
        if [2, 6, 10].contains(&height) {
            network.lock(block);
        }
        let at = eras.positions().await.unwrap();
        let locked = [2, 6, 10].into_iter().rev().find(|locked| *locked <= height).map(BlockHeight);
        assert_eq!((at.head.height, at.finalized.map(|at| at.height)), (BlockHeight(height), locked));
        for _ in 0..8 {
            match checker.observe(&schedule, &at.head, at.finalized.as_ref()).unwrap() {
                EraChange::Enter { to, .. } => log.push((height, format!("enter {}", to.era))),
                EraChange::Halt { era } if log.last().is_none_or(|last| last.0 != height) => {
                    log.push((height, format!("halt before {}", era.era)));
                }
                _ => {}
            }
        }
    }
    let expected = [(2, "enter v20"), (6, "enter mn_rr"), (10, "halt before v99")];
    assert_eq!(log, expected.map(|(height, words)| (height, words.to_owned())));
}

#[tokio::test]
async fn a_lock_of_another_branch_settles_nothing() {
    let mut network = SimNetwork::start(22, NodeOptions::default()).unwrap();
    let fork = network.mine(&[]);
    let eras = adapter(network.node(), quick()).await.eras.unwrap();
    assert_eq!(eras.positions().await.unwrap().finalized, None, "no lock yet");
    let private = network.mine_on(fork, &[]);
    let hidden = network.mine_on(fork, &[]);
    network.switch(private);
    network.lock(hidden);
    assert_eq!(eras.positions().await.unwrap().finalized, None);
    network.switch(hidden);
    assert_eq!(eras.positions().await.unwrap().finalized, Some(ChainPosition::at(hidden.height)));
}

#[test]
fn what_a_real_node_reported_makes_a_schedule_at_every_point_of_its_life() {
    let Some(corpus) = nodewright_testkit::corpus("dash-regtest") else { return };
    let recording = std::fs::read_to_string(corpus.join("recording.jsonl")).unwrap();
    let snapshots = recording.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let forks: Vec<Value> =
        snapshots.filter_map(|entry| entry.pointer("/getblockchaininfo/softforks").cloned()).collect();
    assert!(forks.len() >= 10);
    let mut dummies = Vec::new();
    for report in forks {
        let report: DeploymentReport = serde_json::from_value(report).unwrap();
        let schedule = era_schedule(&report.deployments().unwrap(), |_| None).unwrap();
        let names = |at: u64| schedule.at(&ChainPosition::at(BlockHeight(at))).unwrap().era.to_string();
        assert_eq!((names(0), names(900), names(2_500)), ("genesis".into(), "dip0024+v19+v20".into(), "mn_rr".into()));
        let supported = supported_eras(&schedule, KNOWN_DEPLOYMENTS).unwrap();
        assert!(schedule.scheduled().iter().all(|marker| supported.supports(&marker.era)));
        let announced: Vec<_> = schedule.announced().iter().map(|marker| marker.era.as_str()).collect();
        assert!(announced.contains(&"withdrawals"));
        dummies.push(schedule.find(&EraId::try_new("testdummy").unwrap()).unwrap().activation);
    }
    assert_eq!(dummies.first(), Some(&Activation::Unscheduled));
    assert_eq!(dummies.last(), Some(&Activation::Height(BlockHeight(432))));
}

#[tokio::test]
async fn a_node_is_agreed_with_and_an_old_one_is_refused() {
    let network = SimNetwork::start(23, NodeOptions::default()).unwrap();
    let probe = adapter(network.node(), quick()).await.probe.unwrap();
    let agreement = negotiate(&api_ranges(), &probe.offer().await.unwrap(), None).unwrap();
    let terms = agreement.terms();
    for ability in ["scan", "chainlocks", "sporks", "rehydrate", "eras"] {
        assert!(terms.abilities.contains(&AbilityName::of(ability)), "{ability}: {agreement}");
    }
    let Agreement::Limited { missing, .. } = &agreement else { panic!("{agreement}") };
    assert!(missing.iter().any(|it| it.to_string() == "masternode-lists (node lacks protx)"), "{agreement}");
    network.node().state().say("getnetworkinfo", "subversion", json!("/Dash Core:19.2.0/"));
    let error = negotiate(&api_ranges(), &probe.offer().await.unwrap(), None).unwrap_err();
    assert!(error.to_string().ends_with("upgrade the node"), "{error}");
}
