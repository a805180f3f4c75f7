//! The example `era_watch`: its play, and its answers for scripts.
#![cfg(unix)]

mod support;

use std::path::PathBuf;
use std::process::Output;

use nodewright::cardano::era::{Markers, MarkersDatum, SignedMarkers};
use nodewright::cardano::keys::SigningKey;
use nodewright::cardano::node::{Address, AddressNetwork};
use nodewright::cardano::sim::aggregator::{SimAggregator, SimContents};
use nodewright::cardano::sim::node::{SimDatum, SimLedger, SimNode};
use nodewright::core::Epoch;
use support::run_example;

fn run(arguments: &[&str]) -> Output {
    run_example("era_watch", arguments)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Writes a list of markers where a test may; the folder goes with the first value.
fn markers(json: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("markers.json");
    std::fs::write(&file, json).expect("it can be written");
    (folder, file)
}

/// Runs it once over the markers.
fn once(json: &str, epoch: &str, more: &[&str]) -> Output {
    let (_folder, file) = markers(json);
    let file = file.to_str().expect("text");
    run(&[&["--markers", file, "--epoch", epoch, "--once", "--supports"], more].concat())
}

#[test]
fn both_builds_are_told_rightly_whatever_the_seed() {
    for seed in ["1", "2", "3"] {
        let output = run(&["--seed", seed]);
        let text = text(&output.stdout);
        assert!(output.status.success(), "seed {seed}: {text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("nothing missed, nothing doubled, nothing out of order"), "seed {seed}: {text}");
        for part in ["epochs (about", "preparing for era pythagoras", "it was replaced by a later one already"] {
            assert!(text.contains(part), "seed {seed}, {part}: {text}");
        }
        assert!(text.contains("old critical era pythagoras"), "seed {seed}: {text}");
        assert!(!text.contains("WRONG"), "seed {seed}: {text}");
    }
}

#[test]
fn a_build_that_is_told_wrongly_on_purpose_is_found_out() {
    for (fault, verdict) in [("drop", "MISSED"), ("double", "DOUBLED"), ("reorder", "OUT OF ORDER")] {
        let output = run(&["--fault", fault]);
        let text = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "fault {fault}: {text}");
        assert!(text.contains(verdict) && text.contains("WRONG"), "fault {fault}: {text}");
    }
}

#[test]
fn json_output_is_one_object_a_line() {
    let output = run(&["--json"]);
    assert!(output.status.success());
    let text = text(&output.stdout);
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect();
    assert!(lines.iter().all(serde_json::Value::is_object), "{text}");
    assert!(lines.iter().any(|line| line["event"] == "unsupported_now" && line["build"] == "old"), "{text}");
    assert_eq!(lines.last().map(|line| &line["right"]), Some(&serde_json::Value::Bool(true)));
}

#[test]
fn the_status_of_one_reading_says_whether_the_build_is_ready() {
    let dated = r#"[{"name":"thales","epoch":1},{"name":"pythagoras","epoch":539}]"#;
    let announced = r#"[{"name":"thales","epoch":1},{"name":"pythagoras","epoch":null}]"#;
    let cases = [
        (dated, "538", &["thales", "pythagoras"][..], 0, "ready"),
        (dated, "538", &["thales"], 2, "epoch 539, in 1 epoch"),
        (dated, "539", &["thales"], 3, "since epoch 539"),
        (dated, "539", &["pythagoras"], 0, "ready"),
        (dated, "538", &["pythagoras"], 3, "the era that holds is not supported"),
        (announced, "538", &["thales"], 2, "no date yet"),
        (announced, "538", &["thales", "pythagoras"], 0, "no date yet"),
    ];
    for (list, epoch, supports, status, part) in cases {
        let output = once(list, epoch, supports);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(status), "{list} {epoch} {supports:?}: {said}");
        assert!(said.contains(part), "{list} {epoch} {supports:?}: {said}");
    }
    let output = once(dated, "538", &["thales", "--json"]);
    let said = text(&output.stdout);
    let last: serde_json::Value = serde_json::from_str(said.lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["status"], 2, "{said}");
}

#[test]
fn a_list_that_is_replayed_between_two_runs_is_refused() {
    let (folder, file) = markers(r#"[{"name":"thales","epoch":1},{"name":"pythagoras","epoch":null}]"#);
    let guard = folder.path().join("guard.json");
    let (path, guard) = (file.to_str().expect("text"), guard.to_str().expect("text"));
    let arguments = ["--markers", path, "--epoch", "5", "--guard", guard, "--once", "--supports", "thales"];
    assert_eq!(run(&arguments).status.code(), Some(2));
    let old = std::fs::read(&file).expect("it can be read");
    std::fs::write(&file, r#"[{"name":"thales","epoch":1},{"name":"pythagoras","epoch":9}]"#).expect("written");
    assert_eq!(run(&arguments).status.code(), Some(2));
    std::fs::write(&file, old).expect("written");
    let output = run(&arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("replaced by a later one already"), "{said}");
}

#[tokio::test]
async fn an_aggregator_says_which_era_holds_and_in_which_epoch_a_list_is_read() {
    let mut contents = SimContents::default();
    let parameters = serde_json::json!({ "k": 5, "m": 100, "phi_f": 0.65 });
    let status = serde_json::json!({
        "epoch": 538, "cardano_era": "Conway", "cardano_network": "devnet", "mithril_era": "thales",
        "cardano_node_version": "11.0.1", "aggregator_node_version": "0.8.53",
        "protocol": parameters, "next_protocol": parameters, "total_signers": 2, "total_next_signers": 2,
        "total_stakes_signers": 10, "total_next_stakes_signers": 10, "total_cardano_spo": 2, "total_cardano_stake": 10,
    });
    contents.put("/status", status);
    let server = SimAggregator::new(contents).serve().expect("it listens");
    let (_folder, file) = markers(r#"[{"name":"thales","epoch":1},{"name":"pythagoras","epoch":539}]"#);
    let (url, path) = (server.url(), file.to_str().expect("text").to_owned());
    let cases = [
        (vec!["--supports", "thales"], 0, "seen since epoch 538"),
        (vec!["--supports", "pythagoras"], 3, "the era that holds is not supported"),
        (vec!["--markers", &path, "--supports", "thales"], 2, "epoch 539, in 1 epoch"),
        (vec!["--markers", &path, "--supports", "thales", "pythagoras"], 0, "ready"),
    ];
    for (more, status, part) in cases {
        let arguments: Vec<_> =
            ["--aggregator", &url, "--once"].iter().chain(&more).map(|it| (*it).to_owned()).collect();
        let output =
            tokio::task::spawn_blocking(move || run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
        let output = output.await.expect("it runs");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{more:?}: {said}");
        assert!(said.contains(part), "{more:?}: {said}");
    }
}

#[tokio::test]
async fn markers_on_a_chain_are_read_through_the_nodes_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = SimNode::start(folder.path(), SimLedger::new(42, Epoch(538))).expect("it starts");
    let (address, key) = (Address::enterprise(AddressNetwork::Testnet, [1; 28]), SigningKey::from_bytes(&[2; 32]));
    let list = Markers::parse(br#"[{"name":"thales","epoch":1},{"name":"pythagoras","epoch":539}]"#).expect("a list");
    let datum = MarkersDatum::try_new(SignedMarkers::sign(list, &key).to_json()).expect("a datum");
    node.update(|ledger| ledger.pay(7, 0, &address, SimDatum::Inline(datum.to_cbor())));
    let socket = node.socket().to_str().expect("text").to_owned();
    let hex = key.verification_key().to_bytes_hex();
    let stranger = SigningKey::from_bytes(&[3; 32]).verification_key().to_bytes_hex();
    for (magic, key, status, part) in [
        ("42", &hex, 2, "epoch 539, in 1 epoch"),
        ("42", &stranger, 1, "no valid era markers, 1 rejected"),
        ("43", &hex, 1, "refused"),
    ] {
        let arguments = ["--node-socket", &socket, "--network", magic, "--address", address.as_str()];
        let more = ["--verification-key", key, "--supports", "thales", "--once"];
        let arguments: Vec<_> = arguments.iter().chain(&more).map(|it| (*it).to_owned()).collect();
        let output =
            tokio::task::spawn_blocking(move || run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
        let output = output.await.expect("it runs");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{magic} {key}: {said}");
        assert!(said.contains(part), "{magic} {key}: {said}");
    }
}

#[test]
fn wrong_input_is_refused_with_one_line_and_status_one() {
    let (_folder, file) = markers("[{]");
    let broken = file.to_str().expect("text");
    let address =
        "addr_test1qpkyv2ws0deszm67t840sdnruqgr492n80g3y96xw3p2ksk6suj5musy6w8lsg3yjd09cnpgctc2qh386rtxphxt248qr0npnx";
    let cases = [
        (&["--chain", "dash"][..], "--url"),
        (&["--chain", "doge", "--url", "http://127.0.0.1:1"], "doge"),
        (&["--chain", "bitcoin", "--url", "http://127.0.0.1:1", "--once"], "node unreachable"),
        (&["--markers", broken, "--supports", "thales"], "--epoch"),
        (&["--markers", broken, "--epoch", "5"], "--supports"),
        (&["--markers", broken, "--epoch", "5", "--supports", "thales", "--once"], "not a list of era markers"),
        (&["--markers", "/nowhere", "--epoch", "5", "--supports", "thales", "--once"], "/nowhere"),
        (&["--markers", broken, "--epoch", "5", "--supports", " "], "--supports"),
        (&["--markers", broken, "--epoch", "5", "--supports", "a", "a"], "--supports: era a is listed twice"),
        (
            &["--markers", "x", "--epoch", "5", "--aggregator", "http://127.0.0.1:1", "--supports", "a"],
            "cannot be used",
        ),
        (&["--markers", "x", "--epoch", "5", "--chain", "dash", "--url", "x", "--supports", "a"], "cannot be used"),
        (&["--aggregator", "ftp://x", "--supports", "thales", "--once"], "neither http nor https"),
        (&["--aggregator", "http://127.0.0.1:1", "--supports", "thales", "--once"], "node unreachable"),
        (&["--node-socket", "/nowhere", "--supports", "thales"], "--network"),
        (&["--node-socket", "/nowhere", "--network", "sancho", "--supports", "thales"], "sancho"),
        (&["--node-socket", "/nowhere", "--network", "42", "--supports", "thales"], "--verification-key"),
        (&["--node-socket", "/nowhere", "--network", "preprod", "--supports", "thales", "--once"], "/nowhere"),
        (&["--node-socket", "x", "--network", "1", "--supports", "a", "--address", address], "--verification-key"),
        (&["--node-socket", "x", "--network", "1", "--supports", "a", "--address", "addr1"], "--address"),
        (&["--seed", "x"], "--seed"),
        (&["--supports", "thales"], "required"),
        (&["--once"], "required"),
        (&["--nothing"], "--nothing"),
    ];
    for (arguments, reason) in cases {
        let output = run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(reason), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    }
}

#[test]
fn the_help_names_every_source_and_every_status() {
    let output = run(&["--help"]);
    let help = text(&output.stdout);
    assert!(output.status.success());
    for part in
        ["--node-socket", "--markers", "--aggregator", "--chain", "--supports", "--once", "Exit status:", "--fault"]
    {
        assert!(help.contains(part), "{part}: {help}");
    }
}
