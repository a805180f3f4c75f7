//! Following headers. Each is hashed and linked to the one before it before it is believed; where hashing is off, the id
//! that the node gave it is confirmed by the header that follows it.

use core::num::NonZeroU32;

use async_trait::async_trait;
use nodewright_core::{
    BlockHash, BlockHeight, BlockId, BlockPoint, BlockTime, Error, ErrorKind, Extension, Header, HeaderSource,
    HeightIndex, Membership, Result, Scope, Tips,
};

use super::UtxoSource;
use crate::client::{ChainInfo, MAX_REST_HEADERS, block_hash};
use crate::header::RawHeader;

#[async_trait]
impl HeaderSource for UtxoSource {
    async fn scope(&self) -> Result<Scope> {
        self.check_scope().await
    }

    async fn extend(&self, locator: &[BlockPoint], max: NonZeroU32) -> Result<Extension> {
        let Some(newest) = locator.first() else { return self.nothing_shared().await };
        // Nearly always the newest point is on the best chain, and one question tells that and brings the headers.
        if let Some(extension) = self.extend_from(newest, max).await? {
            return Ok(extension);
        }
        let mut left = locator;
        while let Some(place) = self.newest_active(left).await? {
            let (refused, older) = left.split_at_checked(place.saturating_add(1)).unwrap_or((left, &[]));
            if let Some(from) = refused.last()
                && let Some(extension) = self.extend_from(from, max).await?
            {
                return Ok(extension);
            }
            // The chain moved between the two questions, or two nodes answer in turn: an older point is on both.
            left = older;
        }
        self.nothing_shared().await
    }

    async fn membership(&self, point: &BlockPoint) -> Result<Membership> {
        Ok(match self.client.header_info(&point.id.hash).await? {
            Some(info) if info.height != point.id.height.0 => Membership::Unknown,
            Some(info) if info.is_active() => Membership::Canonical,
            Some(_) => Membership::Stale,
            None => Membership::Unknown,
        })
    }
}

#[async_trait]
impl HeightIndex for UtxoSource {
    async fn point_at(&self, height: BlockHeight) -> Result<Option<BlockPoint>> {
        let hash = self.client.block_hash(height).await?;
        Ok(hash.map(|hash| BlockId { height, hash }.into()))
    }
}

impl UtxoSource {
    /// Returns what follows `from`; `None` if it is not on the best chain.
    async fn extend_from(&self, from: &BlockPoint, max: NonZeroU32) -> Result<Option<Extension>> {
        if self.uses_rest() {
            match self.extend_by_rest(from, max).await {
                Err(error) if error.kind() == ErrorKind::NotFound => self.give_up_rest(),
                outcome => return outcome,
            }
        }
        self.extend_by_rpc(from, max).await
    }

    async fn extend_by_rest(&self, from: &BlockPoint, max: NonZeroU32) -> Result<Option<Extension>> {
        if !self.is_vouched(from.id) && self.membership(from).await? != Membership::Canonical {
            return Ok(None);
        }
        let mut chain = Links::new(self, *from);
        let mut at_head = false;
        while chain.count() < max.get() && !at_head {
            let left = max.get().saturating_sub(chain.count());
            // The first header that comes back is the one that is named; it shows that the chain still leads there.
            let asked = left.saturating_add(1).min(MAX_REST_HEADERS);
            let bytes = self.client.rest_headers(&chain.end().id.hash, asked).await?;
            let (headers, _) = bytes.as_chunks::<{ RawHeader::SIZE }>();
            let Some((first, rest)) = headers.split_first() else {
                if chain.count() == 0 {
                    return Ok(None);
                }
                break;
            };
            let end = chain.end().id;
            if self.hash_of(first) != end.hash {
                return Err(Error::new(ErrorKind::Unverified, "rest headers")
                    .with("asked for", end.hash.to_reversed_hex())
                    .with("answered with", self.hash_of(first).to_reversed_hex()));
            }
            // One answer comes from one view: a header that does not link was edited, and so may be the one before it.
            if !rest.iter().all(|header| chain.push(self.hash_of(header), header)) {
                return Err(Error::new(ErrorKind::Unverified, "rest headers")
                    .with("asked for", end.hash.to_reversed_hex())
                    .with("does not link behind", chain.end().id.hash.to_reversed_hex()));
            }
            at_head = u32::try_from(headers.len()).is_ok_and(|count| count < asked);
        }
        chain.finish(at_head).await.map(Some)
    }

    async fn extend_by_rpc(&self, from: &BlockPoint, max: NonZeroU32) -> Result<Option<Extension>> {
        let Some(info) = self.client.header_info(&from.id.hash).await? else { return Ok(None) };
        if !info.is_active() || info.height != from.id.height.0 {
            return Ok(None);
        }
        let above = u32::try_from(info.confirmations.saturating_sub(1)).unwrap_or(u32::MAX);
        let count = above.min(max.get()).min(MAX_BATCH);
        let mut chain = Links::new(self, *from);
        if let (Some(first), 1..) = (from.id.height.0.checked_add(1), count) {
            let headers = self.client.headers_from(BlockHeight(first), count).await?;
            // A header that does not link comes from after the chain moved: what came before it is one view.
            for (claimed, header) in &headers {
                self.check_id(claimed, header)?;
                if !chain.push(*claimed, header) {
                    break;
                }
            }
            tracing::trace!(asked = count, linked = chain.count(), "headers");
        }
        let at_head = chain.count() == above;
        chain.finish(at_head).await.map(Some)
    }

    /// Refuses a header whose bytes do not hash to the id that the node gave it, unless hashing is off.
    fn check_id(&self, claimed: &BlockHash, header: &[u8; RawHeader::SIZE]) -> Result<()> {
        let found = self.hash_of(header);
        if !self.hashes_ids || found == *claimed {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unverified, "getblockheader")
            .with("asked for", claimed.to_reversed_hex())
            .with("answered with", found.to_reversed_hex()))
    }

    /// Returns the place in `locator` of its newest point that is on the best chain.
    async fn newest_active(&self, locator: &[BlockPoint]) -> Result<Option<usize>> {
        for (chunk, points) in locator.chunks(LOCATOR_BATCH).enumerate() {
            let hashes: Vec<_> = points.iter().map(|point| point.id.hash).collect();
            let infos = self.client.header_infos(&hashes).await?;
            let active = points.iter().zip(infos).position(|(point, info)| {
                info.is_some_and(|info| info.is_active() && info.height == point.id.height.0)
            });
            if let Some(place) = active {
                if let Some(point) = points.get(place) {
                    self.vouch(point.id);
                }
                return Ok(Some(chunk.saturating_mul(LOCATOR_BATCH).saturating_add(place)));
            }
        }
        Ok(None)
    }

    /// Answers that no point of a locator is on the best chain.
    async fn nothing_shared(&self) -> Result<Extension> {
        let tips = Tips { head: self.head().await?, ..Tips::default() };
        Ok(Extension { from: None, headers: Vec::new(), tips })
    }

    async fn head(&self) -> Result<BlockId> {
        head_of(&self.client.chain_info().await?)
    }

    /// Returns the head of a view that has `end` on its best chain; `end` itself if the node that answers has not, because
    /// the chain moved or another node stands behind the same URL. One request, so that one view answers both questions.
    async fn head_above(&self, end: BlockId) -> Result<BlockId> {
        let (info, known) = self.client.chain_info_and_header(&end.hash).await?;
        let on_chain = known.is_some_and(|known| known.is_active() && known.height == end.height.0);
        if on_chain { head_of(&info) } else { Ok(end) }
    }
}

fn head_of(info: &ChainInfo) -> Result<BlockId> {
    let hash = block_hash("getblockchaininfo", &info.best_block_hash)?;
    Ok(BlockId { height: BlockHeight(info.blocks), hash })
}

/// Collects headers as long as each links to the one before.
struct Links<'a> {
    source: &'a UtxoSource,
    from: BlockPoint,
    headers: Vec<Header>,
}

impl<'a> Links<'a> {
    fn new(source: &'a UtxoSource, from: BlockPoint) -> Self {
        Self { source, from, headers: Vec::new() }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.headers.len()).unwrap_or(u32::MAX)
    }

    fn end(&self) -> BlockPoint {
        self.headers.last().map_or(self.from, |header| header.point)
    }

    /// Takes the header of the block `hash`; `false` if it does not link.
    fn push(&mut self, hash: BlockHash, bytes: &[u8; RawHeader::SIZE]) -> bool {
        let end = self.end().id;
        let (Ok(header), Some(height)) = (RawHeader::parse(bytes), end.height.0.checked_add(1)) else { return false };
        let parent = BlockHash(header.prev);
        if parent != end.hash {
            return false;
        }
        let id = BlockId { height: BlockHeight(height), hash };
        self.headers.push(Header { point: id.into(), parent, time: BlockTime(header.time.into()) });
        true
    }

    /// Ends the extension. If it ended `at_head`, what was read tells where the head is; else the node is asked.
    async fn finish(self, at_head: bool) -> Result<Extension> {
        let end = self.end().id;
        self.source.vouch(end);
        let head = if at_head { end } else { self.source.head_above(end).await? };
        Ok(Extension { from: Some(self.from), headers: self.headers, tips: Tips { head, ..Tips::default() } })
    }
}

/// Is the most points of a locator that are asked about in one request: more than a locator of the scan core has.
const LOCATOR_BATCH: usize = 256;

/// Is the most headers asked for in one batch over RPC; 2,000 of them are an answer of 0.6 MB.
const MAX_BATCH: u32 = 2_000;
