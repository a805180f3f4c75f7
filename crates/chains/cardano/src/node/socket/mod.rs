//! A reader over the node's own Unix socket: node-to-client, local-state-query.

mod reply;
mod session;
mod tries;
mod wire;

use core::time::Duration;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use nodewright_core::Slot;

use super::{Address, AddressDatums, ChainReader, ChainTip, KesClock, NodeError};
pub(in crate::node) use session::Session;
use session::{Reading, Want};
pub use tries::ReaderHealth;
pub(in crate::node) use tries::{Health, Tries};

/// Reads a node through its Unix socket.
///
/// It keeps one connection between calls and lets go of the ledger's state after each, so an idle reader holds nothing
/// in the node's memory. A connection that broke meanwhile, as when the node was restarted, is replaced within the call.
/// Calls that run at once use a connection each.
///
/// Call [`NodeSocket::close`] at the end: a reader that is only dropped leaves a broken connection in the node's log.
#[derive(Debug)]
pub struct NodeSocket {
    options: NodeSocketOptions,
    idle: Mutex<Option<Session>>,
    health: Mutex<Health>,
}

impl NodeSocket {
    /// Makes a reader; nothing is connected yet.
    #[must_use]
    pub fn new(options: NodeSocketOptions) -> Self {
        Self { options, idle: Mutex::new(None), health: Mutex::new(Health::default()) }
    }

    /// Says how the reader is doing.
    #[must_use]
    pub fn health(&self) -> ReaderHealth {
        lock(&self.health).report()
    }

    /// Says goodbye to the node. The reader can be used again afterwards.
    ///
    /// # Errors
    /// [`NodeError::Closed`] or [`NodeError::TimedOut`] if the node was gone already.
    ///
    /// # Cancel safety
    /// The connection is closed in any case; if the future is dropped, the node may not have heard the goodbye.
    pub async fn close(&self) -> Result<(), NodeError> {
        let idle = lock(&self.idle).take();
        match idle {
            Some(session) => session.close().await,
            None => Ok(()),
        }
    }

    async fn read(&self, want: Want<'_>) -> Result<Reading, NodeError> {
        let mut tries = Tries::new(&self.options);
        let outcome = loop {
            match tries.within(self.attempt(want)).await {
                Ok(reading) => break Ok(reading),
                Err(error) => {
                    if let Err(error) = tries.again(error).await {
                        break Err(error);
                    }
                }
            }
        };
        lock(&self.health).note(&outcome);
        outcome
    }

    async fn attempt(&self, want: Want<'_>) -> Result<Reading, NodeError> {
        let kept = lock(&self.idle).take();
        if let Some(session) = kept {
            match self.converse(session, want).await {
                // The connection was old: the node may have been restarted since. A new one shows.
                Err(NodeError::Closed { .. } | NodeError::Io { .. }) => {}
                outcome => return outcome,
            }
        }
        let session = Session::open(&self.options).await?;
        self.converse(session, want).await
    }

    /// Takes a reading. The connection is kept only after a whole one, so no half-read answer is left in it.
    async fn converse(&self, mut session: Session, want: Want<'_>) -> Result<Reading, NodeError> {
        let reading = session.read(want).await?;
        let spare = lock(&self.idle).replace(session);
        if let Some(spare) = spare
            && let Err(error) = spare.close().await
        {
            tracing::debug!(%error, "a spare connection was gone");
        }
        Ok(reading)
    }
}

#[async_trait]
impl ChainReader for NodeSocket {
    async fn tip(&self) -> Result<ChainTip, NodeError> {
        self.read(Want::Tip).await.map(|reading| reading.tip)
    }

    async fn datums(&self, address: &Address) -> Result<AddressDatums, NodeError> {
        address.check(self.options.magic)?;
        let reading = self.read(Want::Outputs(address)).await?;
        let outputs = reading.outputs.ok_or(NodeError::Unavailable { what: "outputs" })?;
        Ok(AddressDatums { tip: reading.tip, datums: outputs.datums, without_datum: outputs.without_datum })
    }

    async fn kes_clock(&self) -> Result<KesClock, NodeError> {
        let reading = self.read(Want::Genesis).await?;
        let genesis = reading.genesis.ok_or(NodeError::Unavailable { what: "genesis parameters" })?;
        Ok(KesClock {
            slot: reading.tip.block.and_then(|block| block.slot).unwrap_or(Slot(0)),
            slots_per_period: genesis.slots_per_kes_period,
            max_evolutions: Some(genesis.max_kes_evolutions),
        })
    }
}

/// Says where the node is and how long it may take.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeSocketOptions {
    /// Is the node's socket.
    pub path: PathBuf,
    /// Is the magic of the node's network; a node of another network refuses the handshake.
    pub magic: u64,
    /// Is the time for one step, such as the handshake or one query; 10 s unless set.
    pub step_limit: Duration,
    /// Is the time for a whole call with all its attempts; 60 s unless set.
    pub total_limit: Duration,
    /// Is the greatest answer in bytes; 4 MiB unless set, about 25,000 outputs.
    pub max_reply: usize,
    /// Counts the attempts of one call; 3 unless set.
    pub attempts: u32,
    /// Is the wait before the second attempt, doubled for each that follows; 200 ms unless set.
    pub base_delay: Duration,
    /// Is the longest wait between attempts; 5 s unless set.
    pub max_delay: Duration,
}

impl NodeSocketOptions {
    /// Makes options for the node whose socket is at `path`, on the network of `magic`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, magic: u64) -> Self {
        Self {
            path: path.into(),
            magic,
            step_limit: Duration::from_secs(10),
            total_limit: Duration::from_secs(60),
            max_reply: 4 << 20,
            attempts: 3,
            base_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(5),
        }
    }

    /// Sets the time for one step and for a whole call.
    #[must_use]
    pub fn with_limits(mut self, step: Duration, total: Duration) -> Self {
        (self.step_limit, self.total_limit) = (step, total);
        self
    }

    /// Sets the greatest answer in bytes.
    #[must_use]
    pub fn with_max_reply(mut self, bytes: usize) -> Self {
        self.max_reply = bytes;
        self
    }

    /// Sets how often a call tries, and the waits between.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32, base_delay: Duration, max_delay: Duration) -> Self {
        (self.attempts, self.base_delay, self.max_delay) = (attempts, base_delay, max_delay);
        self
    }
}

pub(in crate::node) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What the locks guard is replaced as a whole, so a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
