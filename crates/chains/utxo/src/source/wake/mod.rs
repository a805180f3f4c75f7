//! ZMQ notifications as a wake-up hint, with gap detection.
//!
//! A node publishes over ZMQ without knowing who listens: a message that does not fit the socket's buffer is dropped in
//! silence (`-zmqpub…hwm`, 1,000 messages by default). The counter at the end of each message, one for each topic, is the
//! only sign of that. So nothing is learned here from what a message says: it wakes whoever waits, and polling finds out
//! what happened. A gap wakes too.
//!
//! What is spoken is version 3.0 of ZMTP, the protocol of ZeroMQ sockets (<https://rfc.zeromq.org/spec/23/>), by the
//! little that a subscriber needs: `wire` reads a message of any size without keeping more of it than topic and counter.

mod gap;
mod wire;

use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use nodewright_core::{Error, ErrorKind, Result, WakeSource};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use self::gap::Counters;
use self::wire::Subscriber;

/// Listens to a node's ZMQ publisher and wakes whoever waits.
///
/// A task of its own reads as long as this lives, so that a slow consumer never makes the node drop messages; waiting
/// wakes are merged into one. A lost connection is made again, and wakes, because something may have been missed.
#[derive(Debug)]
pub struct ZmqWake {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl ZmqWake {
    /// Begins to listen at `address`, such as `tcp://127.0.0.1:28332`, to what [`WakeOptions::topics`] says.
    ///
    /// It returns before the connection is there: a node that is down is asked again and again.
    ///
    /// # Errors
    /// `Config` with the address, if it is not `tcp://host:port`; `Unsupported` outside a Tokio runtime.
    pub fn listen(address: &str, options: WakeOptions) -> Result<Self> {
        let peer = address.strip_prefix("tcp://").filter(|peer| is_host_and_port(peer));
        let Some(peer) = peer else {
            let shown: String = address.chars().take(100).collect();
            return Err(Error::new(ErrorKind::Config, "zmq").with("address", shown));
        };
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|error| Error::new(ErrorKind::Unsupported, "zmq").because(error))?;
        let shared = Arc::new(Shared::default());
        let task = runtime.spawn(listen(peer.to_owned(), options, Arc::clone(&shared)));
        Ok(Self { shared, task })
    }

    /// Returns what was counted so far.
    #[must_use]
    pub fn stats(&self) -> WakeStats {
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let Shared { connections, messages, missed, .. } = &*self.shared;
        WakeStats { connections: count(connections), messages: count(messages), missed: count(missed) }
    }
}

#[async_trait]
impl WakeSource for ZmqWake {
    async fn wake(&self) {
        self.shared.notify.notified().await;
    }
}

impl Drop for ZmqWake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// States what is listened to, and when a connection is given up.
///
/// Users build it by literal on top of `Default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WakeOptions {
    /// Names the topics. Default `hashblock`, `rawchainlocksig` and `sequence`: a new block, a new ChainLock (Dash), and
    /// every block that joins or leaves the chain. What the node does not publish never comes.
    pub topics: Vec<String>,
    /// Is how long nothing may come before the connection is made again. Default 30 minutes: a connection that a firewall
    /// has forgotten looks the same as a quiet node.
    pub quiet: Duration,
    /// Is the wait before a lost connection is made again. Default 1 s: about what a node takes to restart.
    pub reconnect: Duration,
}

impl Default for WakeOptions {
    fn default() -> Self {
        Self {
            topics: ["hashblock", "rawchainlocksig", "sequence"].map(str::to_owned).to_vec(),
            quiet: Duration::from_secs(30 * 60),
            reconnect: Duration::from_secs(1),
        }
    }
}

/// Counts what a listener saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WakeStats {
    /// Counts the connections that were made.
    pub connections: u64,
    /// Counts the messages that came.
    pub messages: u64,
    /// Counts the messages that the counters show to be missing.
    pub missed: u64,
}

#[derive(Debug, Default)]
struct Shared {
    notify: Notify,
    connections: AtomicU64,
    messages: AtomicU64,
    missed: AtomicU64,
}

/// Connects and reads without end.
async fn listen(peer: String, options: WakeOptions, shared: Arc<Shared>) {
    loop {
        if let Err(error) = follow(&peer, &options, &shared).await {
            tracing::debug!(%peer, %error, "zmq connection lost");
        }
        sleep(options.reconnect).await;
    }
}

/// Reads one connection until it breaks.
async fn follow(peer: &str, options: &WakeOptions, shared: &Shared) -> io::Result<()> {
    let topics = options.topics.iter().map(String::as_bytes);
    let mut subscriber =
        timeout(options.quiet, async { Subscriber::open(TcpStream::connect(peer).await?, topics).await }).await??;
    shared.connections.fetch_add(1, Ordering::Relaxed);
    shared.notify.notify_one();
    let mut counters = Counters::default();
    loop {
        let message = timeout(options.quiet, subscriber.message()).await??;
        shared.messages.fetch_add(1, Ordering::Relaxed);
        let missed = counters.missed(&message);
        if missed > 0 {
            tracing::debug!(%peer, missed, "zmq messages were dropped");
            shared.missed.fetch_add(missed, Ordering::Relaxed);
        }
        shared.notify.notify_one();
    }
}

fn is_host_and_port(peer: &str) -> bool {
    peer.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}
