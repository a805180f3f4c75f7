//! What a chain crate gives to the scan: headers, blocks, observations, evidence.
//!
//! Every trait here is `Debug + Send + Sync + 'static` and object-safe, so that operator tools hold chains of
//! different kinds in one list. Dropping a future of any of these methods loses nothing but the answer.

use core::fmt::Debug;
use core::num::NonZeroU32;

use async_trait::async_trait;

use crate::error::Result;
use crate::evidence::{Evidence, EvidenceClaim};
use crate::header::Header;
use crate::id::{BlockId, BlockPoint, Scope};
use crate::observation::{BlockReport, TxFate, TxId, WatchItem, WatchSet};
use crate::units::BlockHeight;

/// Follows a chain's headers.
///
/// # Behaviour
/// - HS-1: within one [`Extension`] every header's parent is the header before it, and the first one's is `from`.
/// - HS-2: `from` is one of the locator's points, the newest that is on the source's best chain, or `None`.
/// - HS-3: an id is the hash of the header's bytes, computed here, unless the source says that hashing is off.
/// - HS-4: one extension comes from one view of the chain; if the chain moved meanwhile, it is cut, never mixed.
/// - HS-5: a source that is behind answers from what it has; it does not wait.
/// - HS-6: a point is canonical for [`HeaderSource::membership`] if [`HeaderSource::extend`] would answer from it.
#[async_trait]
pub trait HeaderSource: Debug + Send + Sync + 'static {
    /// Says which ledger this is; checked before a checkpoint is used.
    ///
    /// # Errors
    /// When the node cannot be asked.
    async fn scope(&self) -> Result<Scope>;

    /// Returns up to `max` blocks that follow the newest point of `locator` on the source's best chain.
    ///
    /// `locator` runs from newest to oldest. An empty `headers` with `from` at the source's head means: nothing new.
    ///
    /// # Errors
    /// When the node cannot be asked, or answers against its own format.
    async fn extend(&self, locator: &[BlockPoint], max: NonZeroU32) -> Result<Extension>;

    /// Says whether the source's best chain holds `point`.
    ///
    /// # Errors
    /// When the node cannot be asked.
    async fn membership(&self, point: &BlockPoint) -> Result<Membership>;
}

/// Holds what follows a known point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extension {
    /// Names the newest point of the locator that is on the best chain; `None` if none is.
    pub from: Option<BlockPoint>,
    /// Holds the blocks after `from`, oldest first.
    pub headers: Vec<Header>,
    /// Holds what the source says of its ends.
    pub tips: Tips,
}

/// Holds what a source says of the ends of its chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tips {
    /// Names the newest block.
    pub head: BlockId,
    /// Names a block that the source calls safe; this may be taken back.
    pub safe: Option<BlockId>,
    /// Names a block that the source calls final.
    pub reported_final: Option<BlockId>,
}

/// Says where a block stands in a source's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It is on the best chain.
    Canonical,
    /// The source knows it, and its best chain went another way. A block of which the source knows the header alone,
    /// because its best chain has not reached it yet, should rather be called unknown.
    Stale,
    /// The source does not know it.
    Unknown,
}

/// Finds the block at a height, on chains that can be asked so; used to choose where a scan starts.
///
/// # Behaviour
/// - HI-1: the answer is on the best chain; above the head it is `None`.
#[async_trait]
pub trait HeightIndex: Debug + Send + Sync + 'static {
    /// Returns the block at `height` on the best chain; `None` above the head.
    ///
    /// # Errors
    /// When the node cannot be asked.
    async fn point_at(&self, height: BlockHeight) -> Result<Option<BlockPoint>>;
}

/// Fetches whole blocks.
#[async_trait]
pub trait BlockSource: HeaderSource {
    /// Is the block as the chain crate holds it.
    type Block: ScanBlock;

    /// Fetches the blocks at `points` and returns them in the same order.
    ///
    /// Fetching is concurrent inside stated bounds. Each block is checked to be the one asked for.
    ///
    /// # Errors
    /// `NotFound` when the node does not have one of them; `Pruned` when it deleted it; `Unverified` when the bytes
    /// are not that block.
    async fn blocks(&self, points: &[BlockPoint]) -> Result<Vec<Self::Block>>;
}

/// Is what generic code needs to know of a block's body.
pub trait ScanBlock: Debug + Send + Sync + 'static {
    /// Locates the block.
    fn point(&self) -> BlockPoint;

    /// Returns the bytes that the block occupies in memory, for byte budgets.
    fn weight(&self) -> usize;
}

/// Turns blocks into observations; bodies stay inside the chain crate.
///
/// # Behaviour
/// - OS-1: there is one report for each block, in the order in which they were asked for.
/// - OS-2: a block that the node does not have is an error, not an empty report.
/// - OS-3: a text that is no address of this network is refused.
#[async_trait]
pub trait ObservationSource: Debug + Send + Sync + 'static {
    /// Reads an address or script in the chain's text form.
    ///
    /// # Errors
    /// `Config` with the text, when it is not one, or belongs to another network.
    fn watch(&self, text: &str) -> Result<WatchItem>;

    /// Fetches the blocks at `points` and reports what concerns `watch`: one report a point, in the same order.
    ///
    /// Taking many points in one call is what lets a chain crate batch and overlap its fetching; it keeps within its
    /// own stated byte budget whatever the number of points.
    ///
    /// # Errors
    /// As [`BlockSource::blocks`].
    async fn observe(&self, points: &[BlockPoint], watch: &WatchSet) -> Result<Vec<BlockReport>>;
}

/// Answers what became of a transaction, on chains whose nodes can be asked.
#[async_trait]
pub trait TxSource: Debug + Send + Sync + 'static {
    /// Says where `txid` is now, as far as the node can tell.
    ///
    /// # Errors
    /// When the node cannot be asked.
    async fn fate(&self, txid: &TxId) -> Result<TxFate>;
}

/// Provides verified finality evidence.
///
/// # Behaviour
/// - ES-1: what is handed out verifies again.
/// - ES-2: what does not verify is neither handed out nor vouched for.
/// - ES-3: where there is no certificate, the answer is empty, also after the node forgot what it knew.
#[async_trait]
pub trait EvidenceSource: Debug + Send + Sync + 'static {
    /// Returns evidence that the source has now. `window` holds the points that are waiting, oldest first.
    ///
    /// Two certificates of different blocks at one height exclude each other: a chain that issues certificates must not
    /// repeat heights. Evidence may name blocks outside the window: later ones, or another branch. Everything returned is verified
    /// to the trust that it states. An empty answer means: nothing new, and is normal.
    ///
    /// # Errors
    /// When the node cannot be asked. Evidence that fails verification is an `Unverified` error, never an answer.
    async fn evidence(&self, window: &[BlockPoint]) -> Result<Vec<Evidence>>;

    /// Verifies stored evidence again.
    ///
    /// # Errors
    /// `Unverified` when it does not hold; `NotFound` when what is needed to check it is no longer to be had.
    async fn verify(&self, claim: &EvidenceClaim) -> Result<Evidence>;
}

/// Wakes a driver early. A hint only: polling alone gives the same events.
#[async_trait]
pub trait WakeSource: Debug + Send + Sync + 'static {
    /// Completes when something may have changed; spurious completions are allowed, missed ones cost only time.
    async fn wake(&self);
}
