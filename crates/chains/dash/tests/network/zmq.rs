//! Hints over ZMQ, some of them dropped: the same is told as by polling alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use nodewright_core::{
    BlockHeight, BlockPoint, Evidence, EvidenceClaim, EvidenceSource, Result, ScanLimits, WakeSource,
};
use nodewright_dash::sim::{NodeOptions, SimNetwork};
use nodewright_ops::scan::{ScanDriver, ScanOptions, StartAt};
use nodewright_stores::MemorySink;
use nodewright_utxo::source::{WakeOptions, ZmqWake};
use tokio::sync::{Notify, oneshot};
use zeromq::{PubSocket, Socket, SocketSend, ZmqMessage};

use crate::scene::{Scan, adapter, quick, words};

#[tokio::test]
async fn hints_with_gaps_give_the_event_log_of_polling_alone() {
    let mut rng = fastrand::Rng::with_seed(21);
    let mut network = SimNetwork::start(21, NodeOptions::default()).unwrap();
    let mut publisher = Publisher::start().await;
    let wake = Arc::new(ZmqWake::listen(&publisher.address, WakeOptions::default()).unwrap());
    publisher.greet(&wake).await;

    let mut polled = Scan::start(adapter(network.node(), quick()).await, StartAt::Height(BlockHeight(1)));
    let mut woken = adapter(network.node(), quick()).await;
    let rounds = Arc::new(Rounds::new(woken.evidence.take().unwrap()));
    woken.evidence = Some(Arc::clone(&rounds) as _);
    woken.wake = Some(Arc::clone(&wake) as _);
    let sink = MemorySink::new();
    let options = ScanOptions {
        start: StartAt::Height(BlockHeight(1)),
        limits: ScanLimits { poll: Duration::from_secs(3_600), ..ScanLimits::default() },
        ..ScanOptions::default()
    };
    let mut driver = ScanDriver::new(woken, Arc::new(sink.clone()), options);
    let (stop, stopped) = oneshot::channel::<()>();
    let driving = tokio::spawn(async move { driver.run_until(async { drop(stopped.await) }).await });
    rounds.reach(1).await;

    for _ in 0..25 {
        // What happens while messages are dropped is seen together with what the next one tells of.
        for _ in 0..rng.u8(..3) {
            turn(&mut network, &mut rng);
            publisher.drop_message();
        }
        turn(&mut network, &mut rng);
        let before = rounds.count();
        publisher.publish("hashblock").await;
        polled.catch_up().await;
        rounds.reach(before + 1).await;
    }
    assert!(wake.stats().missed > 10, "{:?}", wake.stats());
    network.lock(network.chain().head());
    let before = rounds.count();
    publisher.publish("rawchainlocksig").await;
    polled.catch_up().await;
    rounds.reach(before + 1).await;
    drop(stop);
    driving.await.unwrap().unwrap();

    let all = |sink: &MemorySink| words(&sink.records(Default::default(), usize::MAX));
    let (told, expected) = (all(&sink), all(&polled.sink));
    assert_eq!(told, expected);
    assert!(told.iter().any(|word| word.starts_with("roll back")));
    let head = network.chain().head();
    assert_eq!(sink.stored().unwrap().checkpoint.finalized.id, head);
}

/// Adds a block, or replaces unlocked ones; sometimes locks the head.
fn turn(network: &mut SimNetwork, rng: &mut fastrand::Rng) {
    let locked = network.chain().locks().iter().map(|id| id.height.0).max().unwrap_or_default();
    let unlocked = usize::try_from(network.chain().head().height.0 - locked).unwrap();
    let depth = if rng.bool() { 0 } else { rng.usize(..=unlocked.min(3)) };
    let mut tip = network.chain().below_head(depth);
    for _ in 0..=depth {
        tip = network.mine_on(tip, &[]);
    }
    network.switch(tip);
    if rng.u8(..3) == 0 {
        network.lock(tip);
    }
}

/// Publishes as a node does: each topic counts its messages, whether anybody gets them or not.
struct Publisher {
    socket: PubSocket,
    address: String,
    next: u32,
}

impl Publisher {
    async fn start() -> Self {
        let mut socket = PubSocket::new();
        let address = socket.bind("tcp://127.0.0.1:0").await.unwrap().to_string();
        Self { socket, address, next: 0 }
    }

    async fn publish(&mut self, topic: &str) {
        let mut message = ZmqMessage::from(topic);
        message.push_back(vec![0xaa; 32].into());
        message.push_back(self.next.to_le_bytes().to_vec().into());
        self.socket.send(message).await.unwrap();
        self.next += 1;
    }

    fn drop_message(&mut self) {
        self.next += 1;
    }

    /// Publishes until the listener has heard something, and then lets it hear everything there is.
    async fn greet(&mut self, wake: &ZmqWake) {
        wake.wake().await;
        while wake.stats().messages == 0 {
            self.publish("sequence").await;
            tokio::task::yield_now().await;
        }
        self.drop_message();
        self.publish("sequence").await;
        while wake.stats().missed == 0 {
            wake.wake().await;
        }
        // The hint of the last message may still wait.
        tokio::select! {
            biased;
            () = wake.wake() => {}
            () = core::future::ready(()) => {}
        }
    }
}

/// Counts how often certificates were asked for: the last thing that a scan does before it waits.
#[derive(Debug)]
struct Rounds {
    source: Arc<dyn EvidenceSource>,
    count: AtomicU64,
    changed: Notify,
}

impl Rounds {
    fn new(source: Arc<dyn EvidenceSource>) -> Self {
        Self { source, count: AtomicU64::new(0), changed: Notify::new() }
    }

    fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    async fn reach(&self, count: u64) {
        while self.count() < count {
            self.changed.notified().await;
        }
    }
}

#[async_trait]
impl EvidenceSource for Rounds {
    async fn evidence(&self, window: &[BlockPoint]) -> Result<Vec<Evidence>> {
        let evidence = self.source.evidence(window).await;
        self.count.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_one();
        evidence
    }

    async fn verify(&self, claim: &EvidenceClaim) -> Result<Evidence> {
        self.source.verify(claim).await
    }
}
