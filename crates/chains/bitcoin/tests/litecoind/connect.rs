//! Connecting: what the node offers is found by asking, and each wrong node has its own one-line error.

use nodewright_bitcoin::{Auth, ConnectOptions, UtxoSource, bitcoin, litecoin};
use nodewright_core::{ErrorKind, Secret};
use nodewright_rpc::{HttpOptions, RetryOptions};
use serde_json::{Value, json};

use crate::common::litecoind::Litecoind;
use crate::scan::source;

fn quick() -> ConnectOptions {
    ConnectOptions { http: HttpOptions::default().with_retry(RetryOptions::never()), ..ConnectOptions::default() }
}

#[tokio::test]
async fn genesis_and_words_of_every_network_are_those_of_the_node() {
    for (chain, network) in ["main", "test", "regtest"].into_iter().zip(litecoin::CHAIN.networks) {
        let Some(node) = Litecoind::start_on(chain, &[]).await else { return };
        let info: Value = node.call("getblockchaininfo", &[]).await;
        assert_eq!(info["chain"], network.name);
        assert_eq!(node.hash_at(0).await, network.genesis);
        let raw = node.raw_block(network.genesis).await;
        assert_eq!((litecoin::CHAIN.header_id)(raw.first_chunk().unwrap()), network.genesis.0);

        // What the node prints for a script is what we print, and what we read back.
        for script in [
            [&[0x76, 0xa9, 20][..], &[7; 20], &[0x88, 0xac]].concat(),
            [&[0xa9, 20][..], &[8; 20], &[0x87]].concat(),
            [&[0x00, 20][..], &[9; 20]].concat(),
            [&[0x00, 32][..], &[10; 32]].concat(),
            [&[0x51, 32][..], &[11; 32]].concat(),
        ] {
            let decoded: Value = node.call("decodescript", &[json!(hex::encode(&script))]).await;
            let theirs = decoded["addresses"][0].as_str().unwrap_or_else(|| panic!("{decoded}"));
            assert_eq!((network.address)(&script).as_deref(), Some(theirs));
            assert_eq!((network.script)(theirs).unwrap(), script);
            let valid: Value = node.call("validateaddress", &[json!(theirs)]).await;
            assert_eq!(valid["scriptPubKey"], hex::encode(&script));
        }

        let refused = UtxoSource::connect(&litecoin::CHAIN, &node.url(), node.auth(), quick()).await;
        match chain {
            "regtest" => drop(refused.unwrap()),
            // A node without peers is at its genesis block, years behind.
            _ => {
                let error = refused.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::WarmingUp, "{error}");
                assert!(error.to_string().contains("initial block download: block 0 of 0"), "{error}");
                let options = ConnectOptions { allow_initial_download: true, ..quick() };
                UtxoSource::connect(&litecoin::CHAIN, &node.url(), node.auth(), options).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn each_wrong_node_is_refused_with_one_clear_line() {
    let Some(node) = Litecoind::start(&[]).await else { return };
    node.mine(3).await;

    let error = bitcoin::connect(&node.url(), node.auth(), quick()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ScopeMismatch);
    assert!(error.to_string().contains("530827f38f93b43e") && error.to_string().contains("bitcoin"), "{error}");

    let options = ConnectOptions { network: Some("main".to_owned()), ..quick() };
    let error = litecoin::connect(&node.url(), node.auth(), options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ScopeMismatch);
    assert!(error.to_string().contains("node is on: litecoin regtest, wanted: main"), "{error}");

    let wrong = Auth::Basic { user: "u".to_owned(), password: Secret::new("hunter2".to_owned()) };
    let error = litecoin::connect(&node.url(), wrong, quick()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(!format!("{error} {error:?}").contains("hunter2") && !error.to_string().contains('\n'), "{error}");

    let error = litecoin::connect("http://127.0.0.1:1", Auth::None, quick()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    let error = litecoin::connect("localhost:1", Auth::None, quick()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");

    let adapter = litecoin::connect(&node.url(), node.auth(), ConnectOptions::default()).await.unwrap();
    assert_eq!(adapter.headers.scope().await.unwrap(), adapter.scope);
    assert_eq!(adapter.scope.network.name, "regtest");
    let watch = adapter.observations.unwrap();
    assert_eq!(watch.watch("ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9").unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(watch.watch("raw(5x)").unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(watch.watch(" raw(51) ").unwrap().key, [0x51]);
}

#[tokio::test]
async fn abilities_are_what_the_node_was_started_with() {
    let Some(mut node) = Litecoind::start(&["-rest=0", "-txindex=0"]).await else { return };
    let without = source(&node, ConnectOptions::default()).await.abilities().clone();
    assert!(!without.rest && without.tx_index == Some(false), "{without:?}");
    node.restart(&[]).await;
    node.mine(1).await;
    let with = source(&node, ConnectOptions::default()).await.abilities().clone();
    assert!(with.rest && with.zmq.is_empty() && with.pruned_below.is_none() && !with.spending_prevout, "{with:?}");
    assert!(with.version >= 210_000 && with.subversion.starts_with("/LitecoinCore:"), "{with:?}");
}
