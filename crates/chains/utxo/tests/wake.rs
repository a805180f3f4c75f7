//! Hints over ZMQ, from a publisher that another implementation of the protocol makes.

#![cfg(feature = "zmq")]
#![allow(clippy::unwrap_used, clippy::panic)]

use core::time::Duration;

use nodewright_core::{ErrorKind, WakeSource};
use nodewright_utxo::source::{WakeOptions, WakeStats, ZmqWake};
use zeromq::{PubSocket, Socket, SocketSend, ZmqMessage};

#[tokio::test]
async fn a_message_wakes_and_a_gap_is_counted() {
    let (mut node, address) = publisher().await;
    let wake = ZmqWake::listen(&address, options()).unwrap();
    wake.wake().await;
    assert_eq!(wake.stats().connections, 1, "the first hint is the connection itself");
    probe(&mut node, &wake).await;
    for counter in [1, 5] {
        node.send(message("rawtx", &[1; 200], counter)).await.unwrap();
    }
    for counter in [5, 6, 9] {
        node.send(message("hashblock", &[0xaa; 32], counter)).await.unwrap();
    }
    until(&wake, |stats| stats.missed >= 2).await;
    assert_eq!(wake.stats().missed, 2, "7 and 8 never came, and rawtx was not asked for");
}

#[tokio::test]
async fn a_block_in_the_body_is_passed_over() {
    let (mut node, address) = publisher().await;
    let wake = ZmqWake::listen(&address, options()).unwrap();
    wake.wake().await;
    probe(&mut node, &wake).await;
    // This publisher drops a message that finds another one on its way: that is a gap, too.
    for counter in (1..).step_by(2) {
        if wake.stats().missed > 0 {
            return;
        }
        node.send(message("rawchainlocksig", &vec![7; 2_000_000], counter)).await.unwrap();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_publisher_that_restarts_is_found_again() {
    let (node, address) = publisher().await;
    let wake = ZmqWake::listen(&address, options()).unwrap();
    wake.wake().await;
    drop(node);
    let mut again = PubSocket::new();
    while again.bind(&address).await.is_err() {
        tokio::task::yield_now().await;
    }
    until(&wake, |stats| stats.connections >= 2).await;
    probe(&mut again, &wake).await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    for address in ["", "127.0.0.1:28332", "ipc:///tmp/x", "tcp://127.0.0.1", "tcp://:28332", "tcp://host:0"] {
        let refused = ZmqWake::listen(address, WakeOptions::default()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config, "{address}");
    }
}

#[tokio::test]
async fn a_peer_that_is_no_publisher_wakes_nobody() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let wake = ZmqWake::listen(&address, options()).unwrap();
    for _ in 0..3 {
        let (mut peer, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(
            &mut peer,
            b"SSH-2.0-something that is long enough to be a greeting of 64 bytes.",
        )
        .await
        .unwrap();
    }
    assert_eq!(wake.stats(), WakeStats::default());
}

/// Sends messages, numbered without a gap, until one arrives: a subscription takes a moment to reach the publisher.
async fn probe(node: &mut PubSocket, wake: &ZmqWake) {
    let before = wake.stats().messages;
    for counter in 0.. {
        if wake.stats().messages > before {
            return;
        }
        node.send(message("sequence", &[0; 33], counter)).await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// Waits until the counts satisfy `holds`.
async fn until(wake: &ZmqWake, holds: impl Fn(WakeStats) -> bool) {
    while !holds(wake.stats()) {
        wake.wake().await;
    }
}

async fn publisher() -> (PubSocket, String) {
    let mut node = PubSocket::new();
    let endpoint = node.bind("tcp://127.0.0.1:0").await.unwrap();
    (node, endpoint.to_string())
}

fn options() -> WakeOptions {
    WakeOptions { reconnect: Duration::from_millis(1), ..WakeOptions::default() }
}

fn message(topic: &str, body: &[u8], counter: u32) -> ZmqMessage {
    let mut message = ZmqMessage::from(topic);
    message.push_back(body.to_vec().into());
    message.push_back(counter.to_le_bytes().to_vec().into());
    message
}
