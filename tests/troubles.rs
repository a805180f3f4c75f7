//! What goes wrong with a node is told in one line, and the store is left as it was.

mod support;

use std::fs;
use std::path::Path;

use nodewright::dash::sim::{NodeOptions, SimNetwork};
use nodewright_testkit::Litecoind;
use support::run;

#[test]
fn a_url_where_nobody_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = trouble(&["--chain", "dash", "--url", "http://127.0.0.1:1", "--watch", VAULT], &folder.path().join("s"));
    assert!(line.contains("unreachable") && line.contains("--url"), "{line}");
}

#[test]
fn a_url_that_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = trouble(&["--chain", "dash", "--url", "127.0.0.1", "--watch", VAULT], &folder.path().join("s"));
    assert!(line.contains("bad configuration"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_node_with_a_password_and_a_wrong_address() {
    // Basic authorization of `user:right`.
    let options = NodeOptions { authorization: Some("Basic dXNlcjpyaWdodA==".to_owned()), ..NodeOptions::default() };
    let network = SimNetwork::start(1, options).expect("a network");
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("s");
    let at = |user: &str| network.node().url().replace("http://", &format!("http://{user}@"));
    let line = trouble(&["--chain", "dash", "--url", &at("user:wrong"), "--watch", VAULT], &store);
    assert!(line.contains("credentials") && !line.contains("wrong@"), "{line}");
    let line = trouble(&["--chain", "dash", "--url", &at("user:right"), "--watch", "notanaddress"], &store);
    assert!(line.contains("notanaddress"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_network_is_left_alone() {
    let Some(node) = Litecoind::start(&[]).expect("litecoind starts") else { return };
    node.mine(20).expect("it mines");
    let cookie = node.cookie();
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("deposits.sqlite");
    let arguments =
        ["--chain", "litecoin", "--url", &node.url(), "--cookie", &cookie.to_string_lossy()].map(str::to_owned);
    let rest = ["--watch", LITECOIN, "--from", "1", "--store", &store.to_string_lossy(), "--json"].map(str::to_owned);
    let observe = support::Observe::start(&[&arguments[..], &rest].concat(), &[]);
    while !fs::exists(&store).unwrap_or(false) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert!(observe.interrupt());
    let before = fs::read(&store).expect("a store");

    let network = SimNetwork::start(1, NodeOptions::default()).expect("a network");
    let line = trouble(&["--chain", "dash", "--url", &network.node().url(), "--watch", VAULT], &store);
    assert!(line.contains("wrong chain or network"), "{line}");
    let line = trouble(
        &["--chain", "dash", "--url", &node.url(), "--cookie", &cookie.to_string_lossy(), "--watch", VAULT],
        &store,
    );
    assert!(line.contains("wrong chain or network"), "{line}");
    assert_eq!(fs::read(&store).expect("a store"), before, "the store is as it was");
}

/// Runs the example, which must fail with one line; returns it.
fn trouble(arguments: &[&str], store: &Path) -> String {
    let output = run(&[arguments, &["--store", &store.to_string_lossy()]].concat());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(text.starts_with("error: "), "{text}");
    text
}

/// Is an address on Dash's test networks.
const VAULT: &str = "yZJAKchDbbmYdCCxttRifr7F9QKoSJeCqs";

/// Is an address on Litecoin's regtest.
const LITECOIN: &str = "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8";
