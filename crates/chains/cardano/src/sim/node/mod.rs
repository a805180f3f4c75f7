//! A simulated Cardano node: a real Unix socket on which node-to-client protocols are served over one connection each.
//!
//! The protocols are those of `pallas-network`; what the ledger says is a [`SimLedger`], and the blocks are a [`SimChain`],
//! both of which the test edits. Faults are planted by step, and the node can be killed and started again at the same socket.

mod chain;
mod chain_sync;
mod ledger;
mod state_query;

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nodewright_core::{BlockHash, BlockTime};
use pallas_network::facades::NodeServer;
use pallas_network::miniprotocols::handshake::n2c;
use pallas_network::multiplexer::Bearer;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::network::CardanoNetwork;
use crate::node::{Genesis, NodeStep};
pub use chain::SimChain;
pub use ledger::{SimDatum, SimLedger, SimOutput};

/// Is a node that listens on a Unix socket until it is stopped or dropped.
#[derive(Debug)]
pub struct SimNode {
    socket: PathBuf,
    state: Arc<State>,
    running: Option<Running>,
}

impl SimNode {
    /// Starts a node whose socket is `node.socket` in `folder`.
    ///
    /// # Errors
    /// When the socket cannot be bound; a Unix socket's path has about 100 bytes at most.
    pub fn start(folder: &Path, ledger: SimLedger) -> io::Result<Self> {
        let network = CardanoNetwork::custom("sim", ledger.magic);
        let genesis = Genesis::custom(network, BlockHash([0x9e; 32]), BlockTime(SYSTEM_START));
        Self::start_with_chain(folder, ledger, SimChain::new(genesis))
    }

    /// Starts a node that also has blocks. The tip that the ledger states is not made to agree with them.
    ///
    /// # Errors
    /// As [`SimNode::start`].
    pub fn start_with_chain(folder: &Path, ledger: SimLedger, chain: SimChain) -> io::Result<Self> {
        let mut node = Self {
            socket: folder.join("node.socket"),
            state: Arc::new(State {
                ledger: Mutex::new(ledger),
                chain: Mutex::new(chain),
                changed: watch::Sender::new(()),
                faults: Mutex::new(Vec::new()),
                script: Mutex::new(Vec::new()),
                counts: Mutex::new(SimNodeCounts::default()),
                stalled: watch::Sender::new(0),
            }),
            running: None,
        };
        node.restart()?;
        Ok(node)
    }

    /// Returns the path of the socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Returns the ledger as it is.
    #[must_use]
    pub fn ledger(&self) -> SimLedger {
        lock(&self.state.ledger).clone()
    }

    /// Changes the ledger. A client that has its state open goes on seeing the old one, as with a real node.
    pub fn update(&self, change: impl FnOnce(&mut SimLedger)) {
        change(&mut lock(&self.state.ledger));
    }

    /// Returns the chain as it is.
    #[must_use]
    pub fn chain(&self) -> SimChain {
        lock(&self.state.chain).clone()
    }

    /// Changes the chain; clients that wait for a block are told.
    pub fn update_chain(&self, change: impl FnOnce(&mut SimChain)) {
        change(&mut lock(&self.state.chain));
        self.state.changed.send_replace(());
    }

    /// Plants a fault for the next time that `step` is reached.
    pub fn fail_once(&self, step: NodeStep, fault: SimNodeFault) {
        lock(&self.state.faults).push(Planted { step, fault, once: true, after: 0 });
    }

    /// Plants a fault for one time that `step` is reached, after `count` more.
    pub fn fail_after(&self, step: NodeStep, count: u64, fault: SimNodeFault) {
        lock(&self.state.faults).push(Planted { step, fault, once: true, after: count });
    }

    /// Changes the chain when a client asks for the next block, after `count` more requests of that kind.
    pub fn change_after(&self, count: u64, change: impl FnOnce(&mut SimChain) + Send + 'static) {
        let at = lock(&self.state.counts).blocks.saturating_add(count);
        lock(&self.state.script).push(Change { at, change: Box::new(change) });
    }

    /// Plants a fault for every time that `step` is reached.
    pub fn fail_always(&self, step: NodeStep, fault: SimNodeFault) {
        lock(&self.state.faults).push(Planted { step, fault, once: false, after: 0 });
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        lock(&self.state.faults).clear();
    }

    /// Returns what happened so far.
    #[must_use]
    pub fn counts(&self) -> SimNodeCounts {
        *lock(&self.state.counts)
    }

    /// Waits until `count` answers were held back by [`SimNodeFault::Stall`] since the start.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn stalled(&self, count: u64) {
        let mut stalled = self.state.stalled.subscribe();
        // The sender lives in the state that this node holds, so the wait cannot fail.
        if stalled.wait_for(|stalls| *stalls >= count).await.is_err() {
            tracing::debug!("the simulated node is gone");
        }
    }

    /// Breaks all connections and stops listening. The socket's file stays, as after a kill.
    ///
    /// # Cancel safety
    /// If the future is dropped the node stops all the same, a little later.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            drop(running.stop);
            if let Err(error) = running.task.await {
                tracing::debug!(%error, "the simulated node's task ended badly");
            }
        }
    }

    /// Listens again at the same socket, with the ledger and the faults as they are.
    ///
    /// # Errors
    /// When the socket cannot be bound.
    pub fn restart(&mut self) -> io::Result<()> {
        self.running = None;
        match std::fs::remove_file(&self.socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&self.socket)?;
        let stop = watch::Sender::new(());
        let task = tokio::spawn(accept(listener, Arc::clone(&self.state), stop.subscribe()));
        self.running = Some(Running { stop, task });
        Ok(())
    }
}

/// Is what a planted fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimNodeFault {
    /// Breaks the connection instead of an answer.
    Close,
    /// Sends a block whose body is not the one that its header states.
    EditedBody,
    /// Sends a block whose header was changed, so that it has another id.
    EditedHeader,
    /// Says that the ledger is in another era than the one asked for.
    EraMismatch,
    /// Answers with something that is not of the format.
    Garbage,
    /// Answers with a byte string of this many bytes.
    Oversize(usize),
    /// Refuses to open the ledger's state.
    Refuse,
    /// Never answers.
    Stall,
    /// Rolls the client back to a block that never was.
    UnknownPoint,
    /// Names its newest block by a wrong hash.
    WrongTip,
}

/// Counts what happened to a simulated node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SimNodeCounts {
    /// Counts the connections whose handshake was accepted.
    pub accepted: u64,
    /// Counts the connections whose handshake was refused.
    pub refused: u64,
    /// Counts the conversations that ended with a goodbye; those about the ledger's state and those about blocks count
    /// apart, though they share a connection.
    pub goodbyes: u64,
    /// Counts the conversations that the client broke off without one.
    pub broken: u64,
    /// Counts the searches for a common block.
    pub intersections: u64,
    /// Counts the requests for a next block.
    pub blocks: u64,
}

#[derive(Debug)]
struct Running {
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    ledger: Mutex<SimLedger>,
    chain: Mutex<SimChain>,
    changed: watch::Sender<()>,
    faults: Mutex<Vec<Planted>>,
    script: Mutex<Vec<Change>>,
    counts: Mutex<SimNodeCounts>,
    stalled: watch::Sender<u64>,
}

impl State {
    /// Takes the fault that is planted for `step`.
    fn fault(&self, step: NodeStep) -> Option<SimNodeFault> {
        let mut faults = lock(&self.faults);
        let index = faults.iter().position(|planted| planted.step == step)?;
        let planted = faults.get_mut(index)?;
        if planted.after > 0 {
            planted.after -= 1;
            return None;
        }
        let Planted { fault, once, .. } = *planted;
        if once {
            faults.remove(index);
        }
        Some(fault)
    }

    /// Counts a request for the next block, and changes the chain if that was to happen now.
    fn count_block(&self) {
        let count = {
            let mut counts = lock(&self.counts);
            counts.blocks += 1;
            counts.blocks
        };
        let due: Vec<_> = lock(&self.script).extract_if(.., |change| change.at < count).collect();
        for change in due {
            (change.change)(&mut lock(&self.chain));
        }
    }

    fn count(&self, change: impl FnOnce(&mut SimNodeCounts)) {
        change(&mut lock(&self.counts));
    }

    /// Never returns; whoever waits for stalls is told.
    async fn stall(&self) -> std::convert::Infallible {
        self.stalled.send_modify(|stalls| *stalls += 1);
        std::future::pending().await
    }
}

/// Is a change of the chain that waits for its time.
struct Change {
    at: u64,
    change: Box<dyn FnOnce(&mut SimChain) + Send>,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").field("at", &self.at).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug)]
struct Planted {
    step: NodeStep,
    fault: SimNodeFault,
    once: bool,
    /// Counts how often the step is still passed without it.
    after: u64,
}

async fn accept(listener: UnixListener, state: Arc<State>, stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    let mut stopped = stop.clone();
    loop {
        tokio::select! {
            accepted = Bearer::accept_unix(&listener) => {
                if let Ok((bearer, _)) = accepted {
                    connections.spawn(connection(bearer, Arc::clone(&state), stop.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
            // The sender is dropped to stop; it never sends.
            _ = stopped.changed() => break,
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn connection(bearer: Bearer, state: Arc<State>, mut stop: watch::Receiver<()>) {
    let mut server = NodeServer::new(bearer).await;
    let agreed = tokio::select! {
        agreed = shake_hands(&mut server, &state) => agreed,
        _ = stop.changed() => false,
    };
    if !agreed {
        server.abort().await;
        return;
    }
    let NodeServer { plexer, chainsync, statequery, .. } = server;
    tokio::select! {
        // In this order, so that what was said about blocks is counted before the other protocol ends the connection.
        biased;
        () = chain_sync::serve(chainsync, &state) => {}
        () = state_query::serve(statequery, &state) => {}
        _ = stop.changed() => {}
    }
    plexer.abort().await;
}

/// Agrees on a version and the network; returns whether it did.
async fn shake_hands(server: &mut NodeServer, state: &State) -> bool {
    match state.fault(NodeStep::Handshake) {
        None => {}
        Some(SimNodeFault::Stall) => match state.stall().await {},
        Some(_) => return false,
    }
    let magic = lock(&state.ledger).magic;
    let agreed = server.handshake().handshake(n2c::VersionTable::v10_and_above(magic)).await;
    match agreed {
        Ok(Some(_)) => state.count(|counts| counts.accepted += 1),
        // The refusal is on its way; the client closes when it has read it.
        Ok(None) => {
            state.count(|counts| counts.refused += 1);
            drop(server.statequery().recv_while_idle().await);
        }
        Err(_) => {}
    }
    matches!(agreed, Ok(Some(_)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Is when a simulated network begins, in Unix seconds: the start of day 91 of 2022.
pub(crate) const SYSTEM_START: u64 = 1_648_771_200;
