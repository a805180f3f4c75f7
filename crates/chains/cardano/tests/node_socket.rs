//! The reader over a real Unix socket, against the simulated node; and both against the types of `pallas-network`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use nodewright_cardano::node::{
    Address, AddressError, AddressNetwork, ChainReader, HandshakeRefusal, LedgerEra, NodeError, NodeSocket,
    NodeSocketOptions, NodeStep, RawDatum,
};
use nodewright_cardano::sim::node::{SimDatum, SimLedger, SimNode, SimNodeCounts, SimNodeFault};
use nodewright_core::{BlockHeight, Epoch, Error, ErrorKind, Retry, Slot};
use pallas_codec::utils::{AnyCbor, AnyUInt, CborWrap, KeyValuePairs};
use pallas_network::facades::{NodeClient, NodeServer};
use pallas_network::miniprotocols::Point;
use pallas_network::miniprotocols::localstate::{ClientQueryRequest, queries_v16};
use queries_v16::{BlockQuery, DatumOption, HardForkQuery, LedgerQuery, PlutusData, Request, TransactionOutput};
use tokio::net::UnixListener;

const MAGIC: u64 = 42;
const LONG: Duration = Duration::from_secs(20);
const INLINE: &[u8] = &[0xd8, 0x79, 0x9f, 0x43, b'a', b'b', b'c', 0xff];

fn address() -> Address {
    Address::enterprise(AddressNetwork::Testnet, [1; 28])
}

fn ledger() -> SimLedger {
    let mut ledger = SimLedger::new(MAGIC, Epoch(12));
    ledger.pay(9, 0, &address(), SimDatum::Inline(INLINE.to_vec()));
    ledger.pay(2, 1, &address(), SimDatum::Inline(vec![0x01]));
    ledger.pay(3, 0, &address(), SimDatum::Hash([7; 32]));
    ledger.pay(4, 0, &address(), SimDatum::None);
    ledger.pay(1, 0, &Address::enterprise(AddressNetwork::Testnet, [2; 28]), SimDatum::Inline(vec![0x02]));
    ledger
}

fn start() -> (tempfile::TempDir, SimNode) {
    let folder = tempfile::tempdir().unwrap();
    let node = SimNode::start(folder.path(), ledger()).unwrap();
    (folder, node)
}

/// Tries three times without waiting, with limits that a loaded machine does not reach.
fn options(node: &SimNode) -> NodeSocketOptions {
    let now = Duration::from_millis(1);
    NodeSocketOptions::new(node.socket(), MAGIC).with_limits(LONG, LONG * 3).with_attempts(3, now, now)
}

/// Waits until all conversations have ended, one way or the other.
async fn ended(node: &SimNode) -> SimNodeCounts {
    loop {
        let counts = node.counts();
        if counts.goodbyes + counts.broken == counts.accepted {
            return counts;
        }
        tokio::task::yield_now().await;
    }
}

/// Tries once.
fn once(node: &SimNode) -> NodeSocketOptions {
    options(node).with_attempts(1, Duration::ZERO, Duration::ZERO)
}

#[tokio::test]
async fn the_tip_the_datums_and_the_kes_clock_are_read_over_one_connection_that_ends_with_a_goodbye() {
    let (_folder, node) = start();
    let reader = NodeSocket::new(options(&node));
    let tip = reader.tip().await.unwrap();
    let block = tip.block.unwrap();
    assert_eq!((tip.epoch, tip.era, block.id.height), (Epoch(12), LedgerEra::Conway, BlockHeight(1)));
    assert_eq!(block.slot, Some(Slot(12 * 432_000)));

    let answer = reader.datums(&address()).await.unwrap();
    let names: Vec<_> = answer.datums.iter().map(|datum| (datum.output.tx[0], datum.output.index)).collect();
    assert_eq!((names, answer.without_datum, answer.tip), (vec![(2, 1), (9, 0)], 2, tip));
    assert_eq!(answer.datums[1].datum, RawDatum::Cbor(INLINE.to_vec()));

    let clock = reader.kes_clock().await.unwrap();
    assert_eq!((clock.period(), clock.slots_per_period.get(), clock.max_evolutions), (40, 129_600, Some(62)));
    let health = reader.health();
    assert!(health.since_success.is_some() && health.failures == 0 && health.last_error.is_none());

    reader.close().await.unwrap();
    let counts = ended(&node).await;
    assert_eq!((counts.accepted, counts.goodbyes, counts.broken), (1, 1, 0));
}

#[tokio::test]
async fn a_reader_dropped_without_a_goodbye_is_a_broken_connection_for_the_node() {
    let (_folder, node) = start();
    let reader = NodeSocket::new(options(&node));
    reader.tip().await.unwrap();
    drop(reader);
    let counts = ended(&node).await;
    assert_eq!((counts.goodbyes, counts.broken), (0, 1));
}

#[tokio::test]
async fn an_address_of_another_network_is_refused_before_the_node_is_asked() {
    let (_folder, node) = start();
    let reader = NodeSocket::new(options(&node));
    let foreign = Address::enterprise(AddressNetwork::Mainnet, [1; 28]);
    let error = reader.datums(&foreign).await.unwrap_err();
    assert!(matches!(error, NodeError::Address(AddressError::WrongNetwork { .. })));
    assert_eq!(Error::from(error).kind(), ErrorKind::ScopeMismatch);
    assert_eq!(node.counts().accepted, 0);
}

#[tokio::test]
async fn a_node_of_another_network_refuses_the_handshake() {
    let (_folder, node) = start();
    let reader = NodeSocket::new(NodeSocketOptions::new(node.socket(), 2));
    let error = reader.tip().await.unwrap_err();
    assert!(matches!(error, NodeError::Handshake(HandshakeRefusal::Refused { .. })), "{error}");
    assert_eq!((node.counts().refused, Error::from(error).kind()), (1, ErrorKind::ScopeMismatch));
}

#[tokio::test]
async fn a_node_killed_and_restarted_between_two_calls_is_not_noticed() {
    let (_folder, mut node) = start();
    let reader = NodeSocket::new(once(&node));
    reader.tip().await.unwrap();
    node.stop().await;
    node.update(|ledger| ledger.enter(Epoch(13)));
    node.restart().unwrap();
    assert_eq!(reader.tip().await.unwrap().epoch, Epoch(13));
    assert_eq!(node.counts().accepted, 2);
}

#[tokio::test]
async fn a_node_killed_and_restarted_in_the_middle_of_a_query_is_asked_again_within_the_call() {
    let (_folder, mut node) = start();
    let reader = Arc::new(NodeSocket::new(options(&node)));
    node.fail_once(NodeStep::Utxo, SimNodeFault::Stall);
    let asked = tokio::spawn({
        let reader = Arc::clone(&reader);
        async move { reader.datums(&address()).await }
    });
    node.stalled(1).await;
    node.stop().await;
    node.restart().unwrap();
    assert_eq!(asked.await.unwrap().unwrap().datums.len(), 2);
    assert_eq!((node.counts().accepted, reader.health().failures), (2, 0));
}

#[tokio::test]
async fn a_stopped_node_a_removed_socket_and_a_closed_connection_are_told_apart_and_healed_by_a_restart() {
    let (_folder, mut node) = start();
    let reader = NodeSocket::new(once(&node));
    reader.tip().await.unwrap();
    node.stop().await;
    assert!(matches!(reader.tip().await.unwrap_err(), NodeError::NoListener { .. }));
    std::fs::remove_file(node.socket()).unwrap();
    let error = reader.tip().await.unwrap_err();
    assert!(matches!(error, NodeError::NotThere { .. }));
    assert_eq!(Error::from(error).retry(), Retry::After(None));
    let health = reader.health();
    assert!(health.since_success.is_some() && health.failures == 2, "{health:?}");
    assert!(matches!(health.last_error, Some(NodeError::NotThere { .. })));

    node.restart().unwrap();
    node.fail_once(NodeStep::Epoch, SimNodeFault::Close);
    assert!(matches!(reader.tip().await.unwrap_err(), NodeError::Closed { step: NodeStep::Epoch }));
    assert_eq!(reader.tip().await.unwrap().epoch, Epoch(12));
    assert_eq!(reader.health().failures, 0);
}

#[tokio::test]
async fn a_node_that_stalls_at_any_step_is_given_up_with_the_step() {
    let (_folder, node) = start();
    let steps = [
        NodeStep::Handshake,
        NodeStep::Acquire,
        NodeStep::Point,
        NodeStep::Height,
        NodeStep::Era,
        NodeStep::Epoch,
        NodeStep::Utxo,
    ];
    for step in steps {
        node.fail_once(step, SimNodeFault::Stall);
        let limit = Duration::from_millis(200);
        let reader = NodeSocket::new(once(&node).with_limits(limit, LONG));
        let error = reader.datums(&address()).await.unwrap_err();
        assert_eq!(error, NodeError::TimedOut { step, limit });
        assert_eq!(Error::from(error).kind(), ErrorKind::Timeout);
    }
    let limit = Duration::from_millis(200);
    node.fail_always(NodeStep::Epoch, SimNodeFault::Stall);
    let reader = NodeSocket::new(options(&node).with_limits(LONG, limit));
    assert_eq!(reader.tip().await.unwrap_err(), NodeError::TimedOut { step: NodeStep::Call, limit });
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_not_read_to_its_end() {
    let (_folder, node) = start();
    let reader = NodeSocket::new(options(&node).with_max_reply(100_000));
    node.fail_always(NodeStep::Utxo, SimNodeFault::Oversize(50_000_000));
    let error = reader.datums(&address()).await.unwrap_err();
    assert_eq!(error, NodeError::TooLarge { step: NodeStep::Utxo, limit: 100_000 });
    assert_eq!((node.counts().accepted, Error::from(error).kind()), (1, ErrorKind::Limit));
    node.heal();
    assert_eq!(reader.datums(&address()).await.unwrap().datums.len(), 2);
}

#[tokio::test]
async fn an_answer_of_another_format_is_malformed_at_its_step_and_not_asked_for_again() {
    let (_folder, node) = start();
    for step in [NodeStep::Point, NodeStep::Height, NodeStep::Era, NodeStep::Epoch, NodeStep::Utxo] {
        let before = node.counts().accepted;
        node.fail_once(step, SimNodeFault::Garbage);
        let reader = NodeSocket::new(options(&node));
        let error = reader.datums(&address()).await.unwrap_err();
        assert!(matches!(&error, NodeError::Malformed { step: at, .. } if *at == step), "{error}");
        assert_eq!(node.counts().accepted, before + 1);
    }
}

#[tokio::test]
async fn a_refused_state_and_a_changed_era_are_asked_for_again() {
    let (_folder, node) = start();
    node.fail_once(NodeStep::Acquire, SimNodeFault::Refuse);
    node.fail_once(NodeStep::Epoch, SimNodeFault::EraMismatch);
    let reader = NodeSocket::new(options(&node));
    assert_eq!(reader.tip().await.unwrap().epoch, Epoch(12));
    assert_eq!(node.counts().accepted, 3);

    node.fail_once(NodeStep::Acquire, SimNodeFault::Refuse);
    let reader = NodeSocket::new(once(&node));
    assert_eq!(reader.tip().await.unwrap_err(), NodeError::Acquire { code: 1 });
    node.fail_once(NodeStep::Utxo, SimNodeFault::EraMismatch);
    let mismatch = NodeError::EraMismatch { asked: LedgerEra::Conway };
    assert_eq!(reader.datums(&address()).await.unwrap_err(), mismatch);
}

#[tokio::test]
async fn a_dropped_call_leaves_no_half_read_answer_to_the_next() {
    let (_folder, node) = start();
    let reader = NodeSocket::new(options(&node));
    reader.tip().await.unwrap();
    node.fail_once(NodeStep::Utxo, SimNodeFault::Stall);
    let place = address();
    tokio::select! {
        answer = reader.datums(&place) => panic!("{answer:?}"),
        () = node.stalled(1) => {}
    }
    assert_eq!(reader.datums(&address()).await.unwrap().datums.len(), 2);
    assert_eq!(node.counts().accepted, 2);
}

#[tokio::test]
async fn calls_at_once_use_a_connection_each_and_one_is_kept() {
    let (_folder, node) = start();
    let reader = NodeSocket::new(options(&node));
    let (place, other) = (address(), address());
    let (tip, datums, others) = tokio::join!(reader.tip(), reader.datums(&place), reader.datums(&other));
    assert_eq!((tip.unwrap().epoch, datums.unwrap().datums.len(), others.unwrap().datums.len()), (Epoch(12), 2, 2));
    reader.close().await.unwrap();
    let counts = ended(&node).await;
    assert_eq!((counts.goodbyes, counts.broken), (counts.accepted, 0), "{counts:?}");
}

#[tokio::test]
async fn a_state_once_open_does_not_change_under_the_reader() {
    let (_folder, node) = start();
    let mut client = NodeClient::connect(node.socket(), MAGIC).await.unwrap();
    let query = client.statequery();
    query.acquire(None).await.unwrap();
    node.update(|ledger| ledger.enter(Epoch(13)));
    assert_eq!(queries_v16::get_block_epoch_number(query, 6).await.unwrap(), 12);
    query.send_reacquire(None).await.unwrap();
    query.recv_while_acquiring().await.unwrap();
    assert_eq!(queries_v16::get_block_epoch_number(query, 6).await.unwrap(), 13);
    client.abort().await;
}

#[tokio::test]
async fn the_client_of_pallas_reads_the_simulated_node() {
    let (_folder, node) = start();
    let mut client = NodeClient::connect(node.socket(), MAGIC).await.unwrap();
    let query = client.statequery();
    query.acquire(None).await.unwrap();
    assert_eq!(queries_v16::get_current_era(query).await.unwrap(), 6);
    assert_eq!(queries_v16::get_chain_block_no(query).await.unwrap().block_number, 1);
    assert_eq!(queries_v16::get_chain_point(query).await.unwrap().slot_or_default(), 12 * 432_000);
    queries_v16::get_system_start(query).await.unwrap();
    let genesis = queries_v16::get_genesis_config(query, 6).await.unwrap();
    assert_eq!((genesis.slots_per_kes_period, genesis.max_kes_evolutions, genesis.network_magic), (129_600, 62, 42));
    let place = address();
    let outputs = queries_v16::get_utxo_by_address(query, 6, vec![place.as_bytes().to_vec().into()]).await.unwrap();
    let inline = |output: &TransactionOutput| match output {
        TransactionOutput::Current(output) => match &output.inline_datum {
            Some(DatumOption::Data(data)) => Some(pallas_codec::minicbor::to_vec(&data.0).unwrap()),
            _ => None,
        },
        TransactionOutput::Legacy(_) => panic!("an output of an old era"),
    };
    let datums: Vec<_> = outputs.iter().filter_map(|(_, output)| inline(output)).collect();
    assert_eq!((outputs.len(), datums), (4, vec![vec![0x01], INLINE.to_vec()]));
    query.send_release().await.unwrap();
    query.send_done().await.unwrap();
    assert_eq!(ended(&node).await.goodbyes, 1);
    client.abort().await;
}

#[tokio::test]
async fn the_reader_reads_answers_that_are_written_with_the_types_of_pallas() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("node.socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = tokio::spawn(async move {
        let mut server = NodeServer::accept(&listener, MAGIC).await.unwrap();
        let state = server.statequery();
        state.recv_while_idle().await.unwrap();
        state.send_acquired().await.unwrap();
        while let ClientQueryRequest::Query(query) = state.recv_while_acquired().await.unwrap() {
            state.send_result(answer_of_pallas(&query.into_decode().unwrap())).await.unwrap();
        }
    });
    let reader = NodeSocket::new(NodeSocketOptions::new(&socket, MAGIC));
    let answer = reader.datums(&address()).await.unwrap();
    assert_eq!(answer.tip.block.unwrap().id.height, BlockHeight(52_851_885));
    assert_eq!((answer.tip.epoch, answer.tip.era), (Epoch(8), LedgerEra::Alonzo));
    assert_eq!((answer.datums.len(), answer.without_datum), (1, 1));
    assert_eq!(answer.datums[0].datum, RawDatum::Cbor(INLINE.to_vec()));
    server.await.unwrap();
}

fn answer_of_pallas(request: &Request) -> AnyCbor {
    let output = |datum| {
        TransactionOutput::Current(queries_v16::PostAlonsoTransactionOutput {
            address: address().as_bytes().to_vec().into(),
            amount: queries_v16::Value::Coin(AnyUInt::U32(2_100_000)),
            inline_datum: datum,
            script_ref: None,
        })
    };
    match request {
        Request::GetChainPoint => AnyCbor::from_encode(Point::Specific(52_851_885, vec![1; 32])),
        Request::GetChainBlockNo => {
            AnyCbor::from_encode(queries_v16::ChainBlockNumber { slot_timeline: 1, block_number: 52_851_885 })
        }
        Request::LedgerQuery(LedgerQuery::HardForkQuery(HardForkQuery::GetCurrentEra)) => AnyCbor::from_encode(4),
        Request::LedgerQuery(LedgerQuery::BlockQuery(4, BlockQuery::GetEpochNo)) => AnyCbor::from_encode([8]),
        Request::LedgerQuery(LedgerQuery::BlockQuery(4, BlockQuery::GetUTxOByAddress(_))) => {
            let data: PlutusData = pallas_codec::minicbor::decode(INLINE).unwrap();
            let name = |index| queries_v16::UTxO { transaction_id: [5; 32].into(), index: AnyUInt::MajorByte(index) };
            AnyCbor::from_encode([KeyValuePairs::from(vec![
                (name(0), output(None)),
                (name(1), output(Some(DatumOption::Data(CborWrap(data))))),
            ])])
        }
        other => panic!("{other:?}"),
    }
}
