//! Fetching blocks: several requests at once, delivered in order, inside a stated number of bytes.
//!
//! What each file holds:
//!
//! - `line`: the requests under way and the order of what they bring;
//! - `load`: one request: by REST or by a batch of RPC calls, each block checked to be the one asked for;
//! - `gauge`: what was measured: block sizes, bytes held;
//! - `digits`: hex decoding straight from the reply's body.
//!
//! # How blocks are asked for
//! Small blocks come by batches of `getblock` with verbosity 0, large ones one by one over REST where the node serves
//! it; the recent mean size decides ([`FetchOptions::rest_from`]). A batch takes one place in the node's work queue and
//! is worked off by one of its threads, so that as many requests as connections are under way, and the node's queue
//! (16 places by default) never fills.
//!
//! # Memory
//! The budget is divided into equal places, one for each request under way. A place holds the body of an answer and what
//! is decoded from it; an answer that would not fit is cut off, and its blocks are asked for again in halves. A single
//! block that does not fit its place is fetched alone, when all places are free. The first block that is waited for is
//! therefore always admitted.

mod digits;
mod gauge;
mod line;
mod load;

use core::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use nodewright_core::{BlockPoint, Error, ErrorKind, Result, ScanBlock};
use tokio::sync::Semaphore;

pub use self::gauge::FetchStats;
use self::gauge::Gauge;
use self::line::{Delivery, Line};
use self::load::{Loader, Way};
use crate::client::NodeClient;
use crate::header::RawHeader;

/// Fetches blocks of one node.
#[derive(Clone, Debug)]
pub struct Fetcher {
    way: Way,
    options: FetchOptions,
    places: Arc<Semaphore>,
    gauge: Arc<Gauge>,
}

impl Fetcher {
    /// Makes a fetcher that checks each block by `header_id` to be the one asked for; without one, what the node shows is
    /// taken for it. REST is used where `rest` says that the node serves it.
    #[must_use]
    pub fn new(client: NodeClient, header_id: Option<HeaderId>, rest: bool, options: FetchOptions) -> Self {
        let gauge = Arc::new(Gauge::default());
        let places = Arc::new(Semaphore::new(options.places()));
        Self { way: Way::new(client, header_id, rest, options), options, places, gauge }
    }

    /// Begins to fetch the blocks at `points`, to be taken in that order.
    ///
    /// The stream has the whole byte budget for itself.
    #[must_use]
    pub fn stream<'a>(&self, points: &'a [BlockPoint]) -> BlockStream<'a> {
        let places = Arc::new(Semaphore::new(self.options.places()));
        let loader = Loader::new(self.way.clone(), places, Arc::clone(&self.gauge), keep).holding_places();
        BlockStream { line: Line::new(loader, points, self.options), ready: Delivery::default() }
    }

    /// Fetches the blocks at `points` and returns what `read` makes of each, in the same order.
    ///
    /// `read` sees each block as soon as it is there, on any thread, and does not keep it: the memory is free again when
    /// it returns. All calls of this method share one byte budget.
    ///
    /// # Errors
    /// The first failure: of a fetch, as [`BlockStream::next`], or of `read`.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connections of the requests under way; nothing else is lost.
    pub async fn read_all<T, F>(&self, points: &[BlockPoint], read: F) -> Result<Vec<T>>
    where
        T: Send + 'static,
        F: Fn(BlockPoint, &[u8]) -> Result<T> + Send + Sync + 'static,
    {
        let read = move |point, raw: load::Raw<'_>| read(point, raw.as_slice());
        let loader = Loader::new(self.way.clone(), Arc::clone(&self.places), Arc::clone(&self.gauge), read);
        let mut line = Line::new(loader, points, self.options);
        let mut all = Vec::with_capacity(points.len());
        while let Some(delivery) = line.next().await? {
            all.extend(delivery.items);
        }
        Ok(all)
    }

    /// Fetches the blocks at `points` and returns them all, in the same order. The caller bounds their number.
    ///
    /// # Errors
    /// As [`BlockStream::next`].
    ///
    /// # Cancel safety
    /// As [`Fetcher::read_all`].
    pub async fn fetch_all(&self, points: &[BlockPoint]) -> Result<Vec<RawBlock>> {
        let loader = Loader::new(self.way.clone(), Arc::clone(&self.places), Arc::clone(&self.gauge), keep);
        let mut line = Line::new(loader, points, self.options);
        let mut all = Vec::with_capacity(points.len());
        while let Some(delivery) = line.next().await? {
            all.extend(delivery.items);
        }
        Ok(all)
    }

    /// Returns what was measured so far.
    #[must_use]
    pub fn stats(&self) -> FetchStats {
        self.gauge.stats()
    }

    /// Returns how it fetches.
    #[must_use]
    pub fn options(&self) -> &FetchOptions {
        &self.options
    }
}

/// Computes a block's id in wire order from its header.
pub type HeaderId = fn(&[u8; RawHeader::SIZE]) -> [u8; 32];

/// Delivers blocks in the order they were asked for; fetches ahead no further than its byte budget.
///
/// What is fetched ahead waits until it is taken, so that a slow consumer slows the fetching.
#[derive(Debug)]
pub struct BlockStream<'a> {
    line: Line<'a, RawBlock>,
    ready: Delivery<RawBlock>,
}

impl BlockStream<'_> {
    /// Returns the next block; `None` after the last. After an error it goes on with the first block that was not
    /// delivered: the one that failed, or one that was asked for together with it.
    ///
    /// # Errors
    /// `NotFound` when the node does not have the block; `Pruned` when it deleted it; `Unverified` when the bytes hash to
    /// another id; `Limit` when the block is larger than [`FetchOptions::max_block`]; what the transport says.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the next call goes on.
    pub async fn next(&mut self) -> Result<Option<RawBlock>> {
        loop {
            if let Some(block) = self.ready.items.next() {
                return Ok(Some(block));
            }
            // The place of what was taken is given back before more is waited for.
            self.ready = Delivery::default();
            match self.line.next().await? {
                Some(delivery) => self.ready = delivery,
                None => return Ok(None),
            }
        }
    }
}

/// Holds one block as the node serves it, known to be the one asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBlock {
    point: BlockPoint,
    bytes: Bytes,
}

impl RawBlock {
    /// Returns the block's bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl ScanBlock for RawBlock {
    fn point(&self) -> BlockPoint {
        self.point
    }

    fn weight(&self) -> usize {
        self.bytes.len()
    }
}

/// Bounds the fetching of blocks.
///
/// Users build it by literal on top of `Default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchOptions {
    /// Is how many requests are under way at once. Default 4, as many as the client keeps connections by default
    /// ([`HttpOptions`](nodewright_rpc::HttpOptions)): the `-rpcthreads` of Bitcoin Core, Litecoin Core and Dash Core, a
    /// quarter of their `-rpcworkqueue` (16).
    pub requests: NonZeroUsize,
    /// Is the most bytes that answers and what is decoded from them occupy. Default 48 MiB: with four requests, a place of
    /// 12 MiB takes a Bitcoin block of the largest size (4,000,000 bytes, `MAX_BLOCK_SERIALIZED_SIZE`) in hex.
    pub budget: usize,
    /// Is the largest block accepted, in bytes; fetched alone, it may exceed the budget. Default 8 MiB, twice the largest
    /// block of Bitcoin.
    pub max_block: usize,
    /// Is the most blocks in one batch. Default 32. Blocks of the smallest size are asked for in batches whose answer the
    /// node writes to its socket at once, about 30 of them. Larger ones gain nothing where answers are acknowledged at once
    /// (4,770 blocks/s at 32; 4,650 at 64 and 4,560 at 128, which is noise: litecoind 0.21.2 on loopback, two busy cores,
    /// the best of 18 runs each), and are slower where they are not (5,300 against 3,000 at 64).
    pub batch: NonZeroUsize,
    /// Is the body size aimed at in a batch, in bytes. Default 2 MiB: for blocks of 60 KB, batches of 16 were the
    /// fastest without quick acknowledgement, and with it 512 KiB, 2 MiB and 8 MiB do not differ by more than noise
    /// (measured as above).
    pub batch_bytes: usize,
    /// Is the mean block size in bytes from which REST is used, where the node serves it. Default 256 KiB: below, a request
    /// for each block costs more than hex does unless answers are acknowledged at once (60 KB: 100 blocks/s by REST against
    /// 1,100 in batches; 600 KB: 157 against 136). Where they are, 24 and 48 KiB do not differ from the default by more than
    /// noise (measured as above), so that it suits both.
    pub rest_from: usize,
}

impl FetchOptions {
    /// Returns how many requests may hold memory: no more than there are bytes for.
    fn places(&self) -> usize {
        self.requests.get().min(Semaphore::MAX_PERMITS)
    }

    /// Returns the bytes that one place holds.
    fn place(&self) -> usize {
        self.budget / self.places()
    }
}

impl Default for FetchOptions {
    fn default() -> Self {
        let least = NonZeroUsize::MIN;
        Self {
            requests: least.saturating_add(3),
            budget: 48 * 1024 * 1024,
            max_block: 8 * 1024 * 1024,
            batch: least.saturating_add(31),
            batch_bytes: 2 * 1024 * 1024,
            rest_from: 256 * 1024,
        }
    }
}

/// Keeps a block.
fn keep(point: BlockPoint, raw: load::Raw<'_>) -> Result<RawBlock> {
    Ok(RawBlock { point, bytes: raw.into_bytes() })
}

/// Makes an error about the block at `point`.
fn about(error: Error, point: &BlockPoint) -> Error {
    error.with("block", point.id.hash.to_reversed_hex()).with("height", point.id.height)
}

/// Says that a task that read blocks did not come to its end.
fn lost_task(error: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::InvalidData, "read blocks").because(error)
}
