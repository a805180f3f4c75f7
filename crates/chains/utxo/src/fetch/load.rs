//! One request for blocks: sent, bounded, checked, and read block by block.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use nodewright_core::{BlockHash, BlockPoint, Error, ErrorKind, Result};
use nodewright_rpc::BatchReply;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::gauge::{Gauge, Held};
use super::line::Delivery;
use super::{FetchOptions, HeaderId, about, digits, lost_task};
use crate::client::NodeClient;
use crate::header::RawHeader;

/// Knows how to ask one node for blocks.
#[derive(Clone, Debug)]
pub(super) struct Way {
    client: NodeClient,
    /// Computes ids to check; without one, blocks are taken for what they were asked for as.
    header_id: Option<HeaderId>,
    /// Whether the node serves REST; cleared when it turns out that it no longer does.
    rest: Arc<AtomicBool>,
    options: FetchOptions,
}

impl Way {
    pub(super) fn new(client: NodeClient, header_id: Option<HeaderId>, rest: bool, options: FetchOptions) -> Self {
        Self { client, header_id, rest: Arc::new(AtomicBool::new(rest)), options }
    }
}

/// Is one block's bytes, in memory of its own or in a buffer that is used again unless it is taken.
pub(super) enum Raw<'a> {
    Own(Bytes),
    Buffer(&'a mut Vec<u8>),
}

impl Raw<'_> {
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Buffer(bytes) => bytes,
        }
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::Own(bytes) => bytes,
            Self::Buffer(bytes) => core::mem::take(bytes).into(),
        }
    }
}

/// Makes something of a block.
type Read<T> = dyn Fn(BlockPoint, Raw<'_>) -> Result<T> + Send + Sync;

/// Loads blocks and reads each.
pub(super) struct Loader<T> {
    way: Way,
    places: Arc<Semaphore>,
    gauge: Arc<Gauge>,
    read: Arc<Read<T>>,
    /// Whether what `read` returns holds the block, so that its place stays taken.
    holds: bool,
}

/// Says how a request ended.
pub(super) enum Load<T> {
    Done(Delivery<T>),
    /// The answer would not have fitted its place.
    TooLarge,
}

impl<T: Send + 'static> Loader<T> {
    pub(super) fn new(
        way: Way,
        places: Arc<Semaphore>,
        gauge: Arc<Gauge>,
        read: impl Fn(BlockPoint, Raw<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Self {
        Self { way, places, gauge, read: Arc::new(read), holds: false }
    }

    /// Keeps the place of each request until what it brought was taken and dropped.
    pub(super) fn holding_places(self) -> Self {
        Self { holds: true, ..self }
    }

    /// Returns how many blocks the next request should ask for.
    pub(super) fn batch(&self) -> usize {
        match self.gauge.mean() {
            // Of the first block nothing is known.
            None => 1,
            Some(mean) if self.wants_rest(mean) => 1,
            Some(mean) => {
                let each = mean.saturating_mul(2).saturating_add(RECORD);
                let small = ONE_WRITE / each;
                let aim = self.way.options.batch_bytes.min(self.body_limit());
                let size = if small >= WORTHWHILE { small } else { aim / each };
                size.clamp(1, self.way.options.batch.get())
            }
        }
    }

    /// Loads `points` into one place.
    pub(super) async fn load(self, points: Vec<BlockPoint>) -> Result<Load<T>> {
        let permit = Arc::clone(&self.places).acquire_owned().await.map_err(closed)?;
        let raw_limit = self.way.options.place();
        match self.ask(&points, raw_limit, self.body_limit()).await {
            Ok(answer) => self.read_all(points, answer, permit).await.map(Load::Done),
            Err(error) if error.kind() == ErrorKind::Limit => {
                self.gauge.learn(raw_limit / points.len().max(1));
                Ok(Load::TooLarge)
            }
            Err(error) => Err(error),
        }
    }

    /// Loads one block that does not fit a place, when all places are free.
    pub(super) async fn load_alone(self, point: BlockPoint) -> Result<Delivery<T>> {
        let options = self.way.options;
        let all = u32::try_from(options.places()).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.places).acquire_many_owned(all).await.map_err(closed)?;
        let body_limit = options.max_block.saturating_mul(2).saturating_add(ENVELOPE);
        let answer = self.ask(&[point], options.max_block, body_limit).await.map_err(|error| about(error, &point))?;
        self.read_all(vec![point], answer, permit).await
    }

    /// Returns the largest body of a batch that a place takes: half as much again is decoded from it.
    fn body_limit(&self) -> usize {
        self.way.options.place() / 3 * 2
    }

    fn wants_rest(&self, mean: usize) -> bool {
        mean >= self.way.options.rest_from && self.way.rest.load(Relaxed)
    }

    /// Asks by REST if blocks are large, and in a batch otherwise.
    async fn ask(&self, points: &[BlockPoint], raw_limit: usize, body_limit: usize) -> Result<Answer> {
        if let [point] = points
            && self.wants_rest(self.gauge.mean().unwrap_or(0))
        {
            match self.way.client.rest_block(&point.id.hash, raw_limit).await {
                Ok(bytes) => return Ok(Answer::Rest(bytes)),
                // Whether the block is missing or the REST server, RPC can tell.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            let answer = self.ask_batch(points, body_limit).await?;
            if matches!(&answer, Answer::Batch(reply) if reply.get(0).is_ok()) {
                self.way.rest.store(false, Relaxed);
            }
            return Ok(answer);
        }
        self.ask_batch(points, body_limit).await
    }

    async fn ask_batch(&self, points: &[BlockPoint], max_body: usize) -> Result<Answer> {
        let params: Vec<_> =
            points.iter().map(|point| vec![json!(point.id.hash.to_reversed_hex()), json!(0)]).collect();
        let limits = self.way.client.limits().with_max_body(max_body);
        self.way.client.rpc().batch("getblock", &params, limits).await.map(Answer::Batch)
    }

    /// Reads an answer; on another thread if it is large, so that other answers are taken in meanwhile.
    async fn read_all(
        &self,
        points: Vec<BlockPoint>,
        answer: Answer,
        permit: OwnedSemaphorePermit,
    ) -> Result<Delivery<T>> {
        let way = self.way.clone();
        let gauge = Arc::clone(&self.gauge);
        let read = Arc::clone(&self.read);
        let size = answer.len();
        let mut held = Held::new(&gauge);
        held.add(size);
        let rest = matches!(answer, Answer::Rest(_));
        let holds = self.holds;
        let work = move || {
            let (items, bytes) = read_blocks(&way, &points, answer, holds.then_some(&mut held), |p, raw| read(p, raw))?;
            Ok((items, bytes, points.len(), held, permit))
        };
        let done = if size >= OFFLOAD {
            tokio::task::spawn_blocking(work).await.map_err(lost_task)?
        } else {
            // Lets the request that waits for this connection be sent first.
            tokio::task::yield_now().await;
            work()
        };
        let (items, bytes, blocks, mut held, permit) = match done {
            Ok(done) => done,
            Err((point, error)) => return Err(self.explain(error, &point).await),
        };
        self.gauge.count(blocks, bytes);
        // The body of a batch is gone now; what stays is the blocks.
        held.sub(if rest { 0 } else { size });
        Ok(Delivery::new(items, holds.then_some((held, permit))))
    }

    /// Says why the node refused a block: deleted blocks are refused with a code that says nothing (−1).
    async fn explain(&self, error: Error, point: &BlockPoint) -> Error {
        let error = about(error, point);
        if !matches!(error.kind(), ErrorKind::Rejected | ErrorKind::NotFound) {
            return error;
        }
        match self.way.client.chain_info().await {
            Ok(info) => match info.prune_height.filter(|least| info.pruned && point.id.height.0 < *least) {
                Some(least) => about(Error::new(ErrorKind::Pruned, "getblock"), point).with("oldest kept", least),
                None => error,
            },
            Err(unreachable) => unreachable,
        }
    }
}

impl<T> Clone for Loader<T> {
    fn clone(&self) -> Self {
        Self {
            way: self.way.clone(),
            places: Arc::clone(&self.places),
            gauge: Arc::clone(&self.gauge),
            read: Arc::clone(&self.read),
            holds: self.holds,
        }
    }
}

impl<T> fmt::Debug for Loader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader").field("way", &self.way).field("holds", &self.holds).finish_non_exhaustive()
    }
}

enum Answer {
    Batch(BatchReply),
    Rest(Bytes),
}

impl Answer {
    fn len(&self) -> usize {
        match self {
            Self::Batch(reply) => reply.body_len(),
            Self::Rest(bytes) => bytes.len(),
        }
    }
}

/// Decodes and checks each block of an answer and passes it to `read`; returns what that made, and the blocks' bytes.
///
/// What is decoded is counted in `held`, if the blocks are kept. A failure comes with the point that it is about.
fn read_blocks<T>(
    way: &Way,
    points: &[BlockPoint],
    answer: Answer,
    mut held: Option<&mut Held>,
    read: impl Fn(BlockPoint, Raw<'_>) -> Result<T>,
) -> core::result::Result<(Vec<T>, usize), (BlockPoint, Error)> {
    let mut items = Vec::with_capacity(points.len());
    let mut total = 0;
    match answer {
        Answer::Rest(bytes) => {
            for point in points {
                check(way, point, &bytes).map_err(|error| (*point, error))?;
                total += bytes.len();
                items.push(read(*point, Raw::Own(bytes.clone())).map_err(|error| (*point, error))?);
            }
        }
        Answer::Batch(reply) => {
            let mut buffer = Vec::new();
            for (index, point) in points.iter().enumerate() {
                let mut one = || {
                    decode(reply.get(index)?, &mut buffer)?;
                    check(way, point, &buffer)?;
                    total += buffer.len();
                    if let Some(held) = &mut held {
                        held.add(buffer.len());
                    }
                    read(*point, Raw::Buffer(&mut buffer))
                };
                items.push(one().map_err(|error| (*point, error))?);
            }
        }
    }
    Ok((items, total))
}

/// Decodes a JSON string of hex digits.
fn decode(json: &str, buffer: &mut Vec<u8>) -> Result<()> {
    let digits = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match digits {
        Some(text) if digits::decode(text.as_bytes(), buffer) => Ok(()),
        _ => Err(Error::new(ErrorKind::InvalidData, "getblock").with("result", "not a string of hex digits")),
    }
}

/// Checks that `raw` is the block that `point` names.
fn check(way: &Way, point: &BlockPoint, raw: &[u8]) -> Result<()> {
    let header = raw.first_chunk::<{ RawHeader::SIZE }>();
    let found = header.map(|header| way.header_id.map_or(point.id.hash, |header_id| BlockHash(header_id(header))));
    if found == Some(point.id.hash) {
        return Ok(());
    }
    let found = found.map_or_else(|| "shorter than a header".to_owned(), BlockHash::to_reversed_hex);
    Err(Error::new(ErrorKind::Unverified, "getblock").with("answered with", found))
}

/// Says that the places are gone, which no code does.
fn closed(error: tokio::sync::AcquireError) -> Error {
    Error::new(ErrorKind::InvalidData, "fetch").because(error)
}

/// Bounds what stands around a block in a batch.
const ENVELOPE: usize = 128;

/// Is what stands around a block in a batch: `{"result":"…","error":null,"id":12345},` and a line end.
const RECORD: usize = 48;

/// Is the size of an answer in bytes that the node writes to its socket at once: 16 KiB (`EVBUFFER_MAX_READ` and the
/// default of `bufferevent_set_max_single_write` in libevent 2.1) less the head. The rest of a larger answer waits for the
/// other side's acknowledgement: up to 40 ms on Linux, unless the client acknowledges at once.
const ONE_WRITE: usize = 15 * 1024;

/// Is from how many blocks on a batch that fits one write is taken, rather than a larger one whose wait is shared by more.
const WORTHWHILE: usize = 8;

/// Is the size of an answer in bytes from which it is read on another thread: reading it takes a quarter of a millisecond,
/// ten times what handing it over costs.
const OFFLOAD: usize = 256 * 1024;
