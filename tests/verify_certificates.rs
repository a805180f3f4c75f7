//! The example `verify_certificates`, as a person runs it.
#![allow(clippy::panic, reason = "a helper of a test stops where something is missing")]

mod support;

use std::fs;
use std::process::Output;

use nodewright::cardano::sim::aggregator::{SimFault, SimServer};
use nodewright::cardano::sim::devnet::{Devnet, DevnetOptions};
use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    support::run_example("verify_certificates", arguments)
}

/// Runs it with `--json`; returns the exit status and its lines.
fn run_json(arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
    let output = run(&[arguments, &["--json"]].concat());
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
    (output.status.code(), lines.collect())
}

fn only<'a>(lines: &'a [Value], event: &str) -> &'a Value {
    let mut found = lines.iter().filter(|line| line["event"] == event);
    let line = found.next().unwrap_or_else(|| panic!("no {event} in {lines:?}"));
    assert!(found.next().is_none(), "{event} twice in {lines:?}");
    line
}

/// Is a network that is served, and what a program needs to trust it.
struct World {
    devnet: Devnet,
    server: SimServer,
    key: String,
}

impl World {
    fn new() -> Self {
        let mut devnet = Devnet::new(5, DevnetOptions::default()).expect("the default works");
        devnet.run(4).expect("it signs");
        let server = devnet.serve().expect("a port is free");
        let key = devnet.network().genesis_key.to_json_hex();
        Self { devnet, server, key }
    }

    fn verify(&self, more: &[&str]) -> (Option<i32>, Vec<Value>) {
        let url = self.server.url();
        run_json(&[&["--aggregator", &url, "--genesis-key", &self.key, "--network-name", "devnet"], more].concat())
    }
}

#[test]
fn the_demonstration_verifies_resumes_and_finds_every_lie_out_whatever_its_seed() {
    for seed in ["1", "2"] {
        let output = run(&["--seed", seed, "--epochs", "9"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "seed {seed}: {text}");
        let told = [
            "checked    10 certificates",
            "multi-signature        9 signatures",
            "epoch gap              9 links",
            "2 of 12 certificates had to be checked",
            "rule: hash",
            "rule: loop",
            "rule: epoch gap",
            "the true chain was verified, and every lie was found out",
        ];
        for told in told {
            assert!(text.contains(told), "seed {seed}: {told:?} is not in {text}");
        }
        assert_eq!(text.matches("nothing was stored").count(), 3, "{text}");
        assert!(!text.contains("WRONG"), "seed {seed}: {text}");
    }
}

#[test]
fn a_chain_that_is_broken_on_purpose_is_refused_by_the_name_of_its_rule() {
    let faults = [("gap", "epoch gap"), ("hash", "hash"), ("loop", "loop"), ("signature", "multi-signature")];
    for (fault, rule) in faults {
        let (status, lines) = run_json(&["--fault", fault, "--epochs", "3"]);
        assert_eq!(status, Some(1), "fault {fault}: {lines:?}");
        let refused = only(&lines, "refused");
        assert_eq!((&refused["rule"], &refused["verdict"]), (&Value::from(rule), &Value::from("broken")), "{refused}");
        assert_eq!(only(&lines, "lie")["stored"], false);
    }
}

#[test]
fn json_output_is_one_object_a_line() {
    let (status, lines) = run_json(&["--epochs", "4", "--threads", "1"]);
    assert_eq!(status, Some(0), "{lines:?}");
    assert_eq!(lines.last().map(|line| &line["right"]), Some(&Value::Bool(true)));
    let verified: Vec<_> = lines.iter().filter(|line| line["event"] == "verified").collect();
    let counts: Vec<_> = verified.iter().map(|line| (&line["checked"], &line["fetched"], &line["end"])).collect();
    assert_eq!(
        counts,
        [(&5.into(), &5.into(), &Value::from("genesis")), (&2.into(), &3.into(), &Value::from("anchor"))]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aggregator_is_verified_and_the_next_run_checks_only_what_is_new() {
    let mut world = World::new();
    let folder = tempfile::tempdir().expect("a folder");
    let anchors = folder.path().join("anchors.json");
    let anchors = anchors.to_str().expect("text");
    let mut checked = |epochs| {
        world.devnet.run(epochs).expect("it signs");
        let (status, lines) = world.verify(&["--anchors", anchors]);
        assert_eq!(status, Some(0), "{lines:?}");
        only(&lines, "verified")["checked"].clone()
    };
    assert_eq!([checked(0), checked(0), checked(1)], [5, 0, 1]);
    let (status, lines) =
        run_json(&["--aggregator", &world.server.url(), "--network", "release-preprod", "--anchors", anchors]);
    assert_eq!(status, Some(2), "{lines:?}");
    assert!(only(&lines, "refused")["advice"].as_str().is_some_and(|advice| advice.contains("another file")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_certificate_is_verified_when_it_is_named() {
    let world = World::new();
    let hash = world.devnet.chain()[2].hash.to_string();
    let (status, lines) = world.verify(&["--certificate", &hash]);
    assert_eq!(status, Some(0), "{lines:?}");
    let verified = only(&lines, "verified");
    assert_eq!((&verified["certificate"], &verified["fetched"]), (&Value::from(hash), &3.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_genesis_key_or_network_is_a_broken_rule_and_leaves_no_anchor() {
    let world = World::new();
    let other = Devnet::new(6, DevnetOptions::default()).expect("the default works");
    let key = other.network().genesis_key.to_bytes_hex();
    let folder = tempfile::tempdir().expect("a folder");
    let anchors = folder.path().join("anchors.json");
    let url = world.server.url();
    for (key, name, rule) in [(&key, "devnet", "genesis signature"), (&world.key, "preview", "network")] {
        let arguments = ["--aggregator", &url, "--genesis-key", key, "--network-name", name, "--anchors"];
        let (status, lines) = run_json(&[&arguments[..], &[anchors.to_str().expect("text")]].concat());
        assert_eq!(status, Some(1), "{lines:?}");
        assert_eq!(only(&lines, "refused")["rule"], rule);
        assert!(!fs::exists(&anchors).expect("the folder is there"), "{rule}: something was stored");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aggregator_that_does_not_answer_as_one_leaves_it_undecided() {
    let world = World::new();
    let dead = run(&["--aggregator", "http://127.0.0.1:1/aggregator", "--network", "release-preprod"]);
    let text = String::from_utf8_lossy(&dead.stderr);
    assert_eq!(dead.status.code(), Some(2), "{text}");
    assert!(text.contains("cannot connect") && text.contains("check --aggregator"), "{text}");
    for fault in [SimFault::FutureEntity, SimFault::Garbage, SimFault::status(404, "")] {
        let path = format!("/certificate/{}", world.devnet.chain()[2].hash);
        world.devnet.aggregator().fail(path, fault.clone());
        let (status, lines) = world.verify(&[]);
        assert_eq!(status, Some(2), "{fault:?}: {lines:?}");
        let refused = only(&lines, "refused");
        assert_eq!((&refused["rule"], &refused["verdict"]), (&Value::Null, &Value::from("undecided")), "{refused}");
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused_with_a_reason() {
    let real = ["--aggregator", "http://127.0.0.1:1", "--network", "release-preprod"];
    let cases = [
        (&["--aggregator", "http://127.0.0.1:1"][..], "--genesis-key"),
        (&["--network", "release-preprod"], "--aggregator"),
        (&["--aggregator", "http://127.0.0.1:1", "--network", "nope"], "release-mainnet"),
        (&["--aggregator", "http://127.0.0.1:1", "--genesis-key", "xyz"], "genesis.vkey"),
        (&["--aggregator", "no url", "--network", "release-preprod"], "check --aggregator"),
        (&["--epochs", "2"], "3..=500"),
        (&[&real[..], &["--certificate", "12"]].concat(), "64 lower-case hexadecimal digits"),
        (&[&real[..], &["--anchors", "no/such/folder/anchors.json"]].concat(), "there is no folder"),
        (&[&real[..], &["--fault", "gap"]].concat(), "cannot be used with"),
        (&[&real[..], &["--threads", "0"]].concat(), "--threads"),
        #[cfg(not(feature = "tls"))]
        (&["--aggregator", "https://127.0.0.1:1", "--network", "release-preprod"], "--features tls"),
    ];
    for (arguments, reason) in cases {
        let output = run(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(reason), "{arguments:?}: {text}");
    }
}
