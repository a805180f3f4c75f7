//! The REST paths, which share the RPC port and need no login.

use bytes::Bytes;
use nodewright_core::{BlockHash, BlockHeight, Error, ErrorKind, Result};

use super::reply::ChainInfo;
use super::{NodeClient, absent, block_hash};
use crate::header::RawHeader;

/// Dropping any of these futures loses nothing but the answer. A node whose REST server is off answers `NotFound`.
impl NodeClient {
    /// Asks for the state of the chain (`/rest/chaininfo.json`).
    ///
    /// # Errors
    /// As [`HttpClient::get`](nodewright_rpc::HttpClient::get); `InvalidData` if the body is something else.
    pub async fn rest_chain_info(&self) -> Result<ChainInfo> {
        let op = "rest chaininfo";
        let body = self.rpc().http().get(op, "/rest/chaininfo.json", self.limits()).await?;
        serde_json::from_slice(&body).map_err(|error| Error::new(ErrorKind::InvalidData, op).because(error))
    }

    /// Asks for up to `count` headers of the best chain, beginning with that of `first` itself
    /// (`/rest/headers/<count>/<hash>.bin`): 80 bytes each, and none if `first` is not on the best chain.
    ///
    /// `count` is cut to [`MAX_REST_HEADERS`]. All come from one view of the chain; they are not hashed here.
    ///
    /// # Errors
    /// As [`HttpClient::get`](nodewright_rpc::HttpClient::get); `InvalidData` if the body is not that many headers.
    pub async fn rest_headers(&self, first: &BlockHash, count: u32) -> Result<Bytes> {
        let op = "rest headers";
        let count = count.min(MAX_REST_HEADERS);
        let path = format!("/rest/headers/{count}/{}.bin", first.to_reversed_hex());
        let most = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(RawHeader::SIZE);
        let body = self.rpc().http().get(op, &path, self.limits().with_max_body(most)).await?;
        if body.len().is_multiple_of(RawHeader::SIZE) {
            Ok(body)
        } else {
            Err(Error::new(ErrorKind::InvalidData, op).with("bytes", body.len()))
        }
    }

    /// Asks for a whole block of at most `max` bytes (`/rest/block/<hash>.bin`). The bytes are not hashed here.
    ///
    /// # Errors
    /// As [`HttpClient::get`](nodewright_rpc::HttpClient::get): `NotFound` where the node lacks the block, has deleted
    /// it, or serves no REST; `Limit` if it is larger.
    pub async fn rest_block(&self, hash: &BlockHash, max: usize) -> Result<Bytes> {
        let path = format!("/rest/block/{}.bin", hash.to_reversed_hex());
        self.rpc().http().get("rest block", &path, self.limits().with_max_body(max)).await
    }

    /// Asks for the block at `height` of the best chain (`/rest/blockhashbyheight/<height>.hex`); `None` above the tip.
    ///
    /// # Errors
    /// As [`HttpClient::get`](nodewright_rpc::HttpClient::get); `InvalidData` if the body is no hash.
    pub async fn rest_block_hash(&self, height: BlockHeight) -> Result<Option<BlockHash>> {
        let op = "rest blockhashbyheight";
        let path = format!("/rest/blockhashbyheight/{height}.hex");
        let answer = self.rpc().http().get(op, &path, self.limits()).await;
        let Some(body) = absent(answer, ErrorKind::NotFound)? else { return Ok(None) };
        let text = core::str::from_utf8(&body).unwrap_or_default();
        block_hash(op, text.trim_end()).map(Some)
    }
}

/// Is the most headers that one request may ask for, the first included (`MAX_REST_HEADERS_RESULTS`, Bitcoin Core
/// `src/rest.cpp`).
pub const MAX_REST_HEADERS: u32 = 2_000;
