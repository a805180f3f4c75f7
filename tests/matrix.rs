//! The table in the README says what the adapters really hold.

use std::fs;

use nodewright::core::ChainAdapter;
use nodewright::dash::sim::{NodeOptions, SimNetwork};
use nodewright::registry::{CHAINS, find};
use nodewright::rpc::Auth;
use nodewright_testkit::Litecoind;
use nodewright_testkit::loopback::{HttpServer, Request, Response};
use serde_json::{Value, json};

#[test]
fn every_chain_of_the_build_has_a_row() {
    let mut rows: Vec<_> = table().into_iter().map(|row| row.chain).collect();
    rows.sort();
    // A Cardano node has no URL, so that the registry cannot connect to it.
    let mut chains: Vec<_> = CHAINS.iter().map(|chain| chain.name().to_owned()).chain(["cardano".to_owned()]).collect();
    chains.sort();
    assert_eq!(rows, chains);
}

#[cfg(unix)]
#[tokio::test]
async fn cardano_holds_what_its_row_says() {
    use nodewright::cardano::sim::{devnet, node};
    use nodewright::cardano::{CardanoOptions, aggregator, certificate, connect, era, network, node as socket};
    use nodewright::core::{BlockHash, BlockTime, Epoch};
    use std::sync::Arc;

    let network = network::CardanoNetwork::custom("sim", 42);
    let genesis = socket::Genesis::custom(network, BlockHash([1; 32]), BlockTime(1_654_041_600));
    let mut chain = node::SimChain::new(genesis.clone());
    chain.grow(3);
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = node::SimLedger::new(42, Epoch(1));
    let node = node::SimNode::start_with_chain(folder.path(), ledger, chain).expect("a node");
    let devnet = devnet::Devnet::new(1, devnet::DevnetOptions::default()).expect("a network");
    let server = devnet.serve().expect("an aggregator");
    let client = aggregator::AggregatorClient::try_new(&server.url(), aggregator::AggregatorOptions::default());
    let client = Arc::new(client.expect("a client"));
    let markers = Arc::new(era::DummyMarkers::new(devnet.markers().clone()));
    let eras = era::MithrilEraReader::new(markers, Arc::clone(&client) as _);
    let options = aggregator::AggregatorOptions::default();
    let aggregators = aggregator::Aggregators::try_new([server.url().as_str()], &options).expect("aggregators");
    let (verifier, anchors) =
        (certificate::ChainVerifier::new(devnet.network()), certificate::MemoryAnchors::default());
    let blocks = aggregator::MithrilBlocks::new(Arc::new(aggregators), verifier, Arc::new(anchors), genesis.clone());
    let options = CardanoOptions {
        eras: Some(Arc::new(eras)),
        evidence: Some(Arc::new(blocks)),
        probe: Some(client),
        ..Default::default()
    };
    let adapter = connect(node.socket(), genesis, options).await.expect("an adapter");
    compare("cardano", &adapter, true);
}

#[tokio::test]
async fn dash_holds_what_its_row_says() {
    let network = SimNetwork::start(1, NodeOptions::default()).expect("a network");
    let dash = find("dash").expect("the chain");
    let adapter = dash.connect(&network.node().url(), Auth::None).await.expect("an adapter");
    compare("dash", &adapter, true);
}

#[tokio::test]
async fn litecoin_holds_what_its_row_says() {
    let Some(node) = Litecoind::start(&[]).expect("litecoind starts") else { return };
    node.mine(1).expect("it mines");
    let litecoin = find("litecoin").expect("the chain");
    let adapter = litecoin.connect(&node.url(), Auth::Cookie(node.cookie())).await.expect("an adapter");
    compare("litecoin", &adapter, false);
}

#[tokio::test]
async fn bitcoin_holds_what_its_row_says() {
    let server = HttpServer::start(|request| core::future::ready(bitcoin_node(&request))).expect("a server");
    let bitcoin = find("bitcoin").expect("the chain");
    let adapter = bitcoin.connect(&server.url(), Auth::None).await.expect("an adapter");
    compare("bitcoin", &adapter, false);
}

fn compare(chain: &str, adapter: &ChainAdapter, simulator: bool) {
    let row = table().into_iter().find(|row| row.chain == chain).expect("a row");
    let held = [
        // Following headers is what every adapter does.
        ("scan", true),
        ("observe", adapter.observations.is_some()),
        ("evidence", adapter.evidence.is_some()),
        ("eras", adapter.eras.is_some()),
        ("API versions", adapter.probe.is_some()),
        // An adapter has no parts for these yet.
        ("lifecycle", false),
        ("duty", false),
        ("simulator", simulator),
    ];
    for (ability, held) in held {
        let said = row.abilities.iter().find(|(name, _)| name == ability).map(|(_, said)| *said);
        assert_eq!(said, Some(held), "{chain}: {ability}");
    }
    assert_eq!(row.abilities.len(), held.len());
}

struct Row {
    chain: String,
    abilities: Vec<(String, bool)>,
}

/// Reads the table whose first column is `chain`.
fn table() -> Vec<Row> {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("README.md");
    let mut lines = readme.lines().skip_while(|line| !line.starts_with("| chain |"));
    let head = cells(lines.next().expect("a table of chains"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells);
    rows.map(|row| {
        assert!(row.iter().skip(1).all(|cell| cell == "yes" || cell == "–"), "{row:?}");
        let said = row.iter().skip(1).map(|cell| cell == "yes");
        Row { chain: row[0].clone(), abilities: head.iter().skip(1).cloned().zip(said).collect() }
    })
    .collect()
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// Answers as a Bitcoin regtest that holds its genesis block alone.
fn bitcoin_node(request: &Request) -> Response {
    if request.method == "GET" {
        return Response::new(404, "");
    }
    let asked: Value = serde_json::from_slice(&request.body).expect("a call");
    match asked.as_array() {
        Some(calls) => Response::json(Value::Array(calls.iter().map(bitcoin_answer).collect()).to_string()),
        None => Response::json(bitcoin_answer(&asked).to_string()),
    }
}

fn bitcoin_answer(call: &Value) -> Value {
    const GENESIS: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
    let result = match call["method"].as_str().unwrap_or_default() {
        "getblockhash" | "getbestblockhash" => json!(GENESIS),
        "getblockchaininfo" => json!({ "chain": "regtest", "blocks": 0, "headers": 0, "bestblockhash": GENESIS,
            "initialblockdownload": false, "verificationprogress": 1.0, "pruned": false, "warnings": "" }),
        "getnetworkinfo" => json!({ "version": 280_000, "subversion": "/Satoshi:28.0.0/", "protocolversion": 70_016,
            "connections": 1, "warnings": [] }),
        _ => {
            return json!({ "id": call["id"], "result": null, "error": { "code": -32_601, "message": "Method not found" } });
        }
    };
    json!({ "id": call["id"], "result": result, "error": null })
}
