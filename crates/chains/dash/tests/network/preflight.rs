//! What is said of a node before it is relied on.

use nodewright_core::{BlockHeight, BlockTime, ErrorKind, Result};
use nodewright_dash::chainlock::{ChainLock, CoinbaseLock};
use nodewright_dash::finality::{best_chain_lock, rehydrate};
use nodewright_dash::quorum::Network;
use nodewright_dash::sim::{NodeOptions, SimNetwork};
use nodewright_dash::{Finding, connect_over, preflight};
use nodewright_rpc::{Auth, Endpoint, HttpOptions, RpcClient};
use nodewright_utxo::client::NodeClient;
use serde_json::{Value, json};

use crate::scene::quick;

#[tokio::test]
async fn a_node_with_a_lock_gives_no_cause_for_worry() {
    let mut network = SimNetwork::start(11, NodeOptions::default()).unwrap();
    assert_eq!(findings(&network).await, [Finding::NoChainLock]);
    let block = network.mine(&[]);
    network.lock(block);
    assert_eq!(findings(&network).await, []);
}

#[tokio::test]
async fn every_finding_is_named_in_one_line() {
    let (mut seen, long_ago, never) = (Vec::new(), json!(0), json!(4_070_908_800_u64));
    let cases = [
        ("getblockchaininfo", "initialblockdownload", json!(true)),
        ("getblockchaininfo", "pruned", json!(true)),
        ("getnetworkinfo", "version", json!(190_200)),
        ("spork", "SPORK_19_CHAINLOCKS_ENABLED", never),
        ("spork", "SPORK_19_CHAINLOCKS_ENABLED", Value::Null),
        ("spork", "SPORK_19_CHAINLOCKS_ENABLED", long_ago),
    ];
    for (method, field, value) in cases {
        let mut network = SimNetwork::start(12, NodeOptions::default()).unwrap();
        let block = network.mine(&[]);
        network.lock(block);
        network.node().state().say(method, field, value);
        network.node().state().say("getblockchaininfo", "pruneheight", json!(1));
        let found = findings(&network).await;
        let line = found.iter().map(Finding::to_string).collect::<Vec<_>>().join("; ");
        assert!(!line.contains('\n'));
        seen.extend(found);
    }
    let one = BlockHeight(1);
    assert_eq!(
        seen,
        [
            Finding::InitialDownload { blocks: one, headers: one },
            Finding::Pruned { from: one },
            Finding::OldNode { version: 190_200 },
            Finding::ChainLocksInactive,
            Finding::ChainLocksUnknown,
        ]
    );
}

#[tokio::test]
async fn a_node_of_another_network_is_refused() {
    let network = SimNetwork::start(13, NodeOptions::default()).unwrap();
    network.node().state().say("getblockchaininfo", "chain", json!("main"));
    let refused = connect_over(client(&network), quick()).await;
    assert_eq!(kind(refused), ErrorKind::ScopeMismatch, "its genesis block is of the regtest");

    let network = SimNetwork::start(14, NodeOptions::default()).unwrap();
    let mut options = quick();
    options.node.network = Some("main".to_owned());
    assert_eq!(kind(connect_over(client(&network), options).await), ErrorKind::ScopeMismatch);
}

#[tokio::test]
async fn a_node_that_forgot_its_lock_takes_it_back_from_the_chain() {
    let mut network = SimNetwork::start(15, NodeOptions::default()).unwrap();
    let locked = network.mine(&[]);
    network.lock(locked);
    let tip = network.mine(&[]);
    network.node_mut().restart(0).await.unwrap();
    let node = client(&network);
    assert_eq!(best_chain_lock(node.rpc(), Network::Regtest).await.unwrap(), None);

    let raw = node.block(&tip.hash, 1 << 20).await.unwrap();
    let lock = CoinbaseLock::from_block(&raw).unwrap().unwrap().with_block(locked.hash);
    let wrong = ChainLock { block_hash: tip.hash, ..lock };
    assert!(rehydrate(node.rpc(), &wrong).await.is_err());
    assert_eq!(rehydrate(node.rpc(), &lock).await.unwrap(), locked.height.0);
    assert_eq!(best_chain_lock(node.rpc(), Network::Regtest).await.unwrap(), Some(lock));
    assert_eq!(rehydrate(node.rpc(), &lock).await.unwrap(), locked.height.0, "again is no error");
}

async fn findings(network: &SimNetwork) -> Vec<Finding> {
    preflight(&client(network), BlockTime(1_700_000_000)).await.unwrap()
}

fn client(network: &SimNetwork) -> NodeClient {
    let (endpoint, _) = Endpoint::parse(&network.node().url()).unwrap();
    NodeClient::new(RpcClient::try_new(endpoint, Auth::None, HttpOptions::default()).unwrap())
}

fn kind<T>(refused: Result<T>) -> ErrorKind {
    match refused {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.kind(),
    }
}
