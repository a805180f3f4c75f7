//! Core's `HeaderSource` over the node's own Unix socket: node-to-client, chain-sync.

mod session;

use core::num::NonZeroU32;
use std::sync::Mutex;

use async_trait::async_trait;
use nodewright_core::{BlockPoint, Extension, HeaderSource, Membership, Result, Scope};

use super::socket::{Health, NodeSocketOptions, ReaderHealth, Tries, lock};
use super::{Genesis, NodeError};
use session::ChainSession;

/// Follows the blocks of a node through its Unix socket.
///
/// Blocks come whole; their ids are computed here, each must follow the one before it, and from Shelley on each body
/// must be its header's. Of this, core's headers remain. Byron's boundary blocks are blocks like others: they have
/// the height of the block before them, so that only the parent's hash links them.
///
/// It keeps one connection between calls, with the place that was read up to; a call that goes on from there asks for
/// the next block at once. A connection that broke meanwhile, as when the node was restarted, is replaced within the
/// call. Calls that run at once use a connection each. On each new connection the network's magic and the start of
/// its slot 0 are checked; on [`HeaderSource::scope`] also its first block.
///
/// A call ends within `total_limit` of the options: [`HeaderSource::extend`] returns what it has after half of that.
/// `max_reply` is the greatest block (mainnet's protocol parameters allow 90,112 bytes; Byron's 2,000,000).
///
/// The protocol does not tell whether a node knows a block off its chain. [`HeaderSource::membership`] calls a block
/// stale if the node's chain has passed its slot without it, and unknown if the chain has not come so far.
///
/// Call [`ChainSync::close`] at the end: a source that is only dropped leaves a broken connection in the node's log.
#[derive(Debug)]
pub struct ChainSync {
    options: NodeSocketOptions,
    genesis: Genesis,
    idle: Mutex<Option<ChainSession>>,
    health: Mutex<Health>,
}

impl ChainSync {
    /// Makes a source of the network that begins with `genesis`; nothing is connected yet. The magic of the options is
    /// replaced by the network's.
    #[must_use]
    pub fn new(options: NodeSocketOptions, genesis: Genesis) -> Self {
        let options = NodeSocketOptions { magic: genesis.network.magic(), ..options };
        Self { options, genesis, idle: Mutex::new(None), health: Mutex::new(Health::default()) }
    }

    /// Says how the network begins.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Says how the source is doing.
    #[must_use]
    pub fn health(&self) -> ReaderHealth {
        lock(&self.health).report()
    }

    /// Says goodbye to the node. The source can be used again afterwards.
    ///
    /// # Errors
    /// [`NodeError::Closed`] or [`NodeError::TimedOut`] if the node was gone already.
    ///
    /// # Cancel safety
    /// The connection is closed in any case; if the future is dropped, the node may not have heard the goodbye.
    pub async fn close(&self) -> core::result::Result<(), NodeError> {
        let idle = lock(&self.idle).take();
        match idle {
            Some(session) => session.close().await,
            None => Ok(()),
        }
    }

    async fn call(&self, ask: Ask<'_>) -> core::result::Result<Told, NodeError> {
        let mut tries = Tries::new(&self.options);
        let outcome = loop {
            match tries.within(self.attempt(ask)).await {
                Ok(told) => break Ok(told),
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

    async fn attempt(&self, ask: Ask<'_>) -> core::result::Result<Told, NodeError> {
        let kept = lock(&self.idle).take();
        if let Some(session) = kept {
            match self.converse(session, ask).await {
                // The connection was old: the node may have been restarted since. A new one shows.
                Err(NodeError::Closed { .. } | NodeError::Io { .. }) => {}
                outcome => return outcome,
            }
        }
        let session = ChainSession::open(&self.options, &self.genesis).await?;
        self.converse(session, ask).await
    }

    /// Asks on `session`, which is kept for the next call unless it broke or waits for a block.
    async fn converse(&self, mut session: ChainSession, ask: Ask<'_>) -> core::result::Result<Told, NodeError> {
        let genesis = &self.genesis;
        let outcome = match ask {
            Ask::Extend(locator, max) => {
                let patience = self.options.total_limit / 2;
                session
                    .extend(genesis, locator, max, patience)
                    .await
                    .map(|extension| Told::Extension(Box::new(extension)))
            }
            Ask::First => session.check_first(genesis).await.map(|()| Told::First),
            Ask::Membership(point) => session.membership(genesis, point).await.map(Told::Membership),
        };
        let surplus = match &outcome {
            Ok(_) if session.is_at_rest() => lock(&self.idle).replace(session),
            _ => Some(session),
        };
        if let Some(session) = surplus
            && let Err(error) = session.close().await
        {
            tracing::debug!(%error, "a connection was gone before its goodbye");
        }
        outcome
    }
}

#[async_trait]
impl HeaderSource for ChainSync {
    async fn scope(&self) -> Result<Scope> {
        self.call(Ask::First).await?;
        Ok(self.genesis.scope())
    }

    async fn extend(&self, locator: &[BlockPoint], max: NonZeroU32) -> Result<Extension> {
        match self.call(Ask::Extend(locator, max)).await? {
            Told::Extension(extension) => Ok(*extension),
            Told::First | Told::Membership(_) => Err(NodeError::Unavailable { what: "an extension" }.into()),
        }
    }

    async fn membership(&self, point: &BlockPoint) -> Result<Membership> {
        match self.call(Ask::Membership(point)).await? {
            Told::Membership(membership) => Ok(membership),
            Told::First | Told::Extension(_) => Err(NodeError::Unavailable { what: "a membership" }.into()),
        }
    }
}

/// Says what a call wants.
#[derive(Clone, Copy, Debug)]
enum Ask<'a> {
    Extend(&'a [BlockPoint], NonZeroU32),
    First,
    Membership(&'a BlockPoint),
}

/// Is what a call was told.
#[derive(Debug)]
enum Told {
    Extension(Box<Extension>),
    First,
    Membership(Membership),
}
