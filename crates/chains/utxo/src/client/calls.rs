//! The RPC calls.

use nodewright_core::{BlockHash, BlockHeight, Error, ErrorKind, Result};
use nodewright_rpc::CallLimits;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use super::reply::{
    ChainInfo, ChainTip, HeaderInfo, IndexInfo, MempoolEntry, NetworkInfo, TxInfo, UnspentOutput, ZmqNotification,
};
use super::{NodeClient, absent, block_hash};
use crate::deployment::DeploymentReport;
use crate::hash::Txid;
use crate::header::RawHeader;
use crate::tx::OutPoint;

/// Every call fails as [`RpcClient::call`](nodewright_rpc::RpcClient::call) does; what is absent is `None` where a call
/// says so. Dropping any of their futures loses nothing but the answer.
impl NodeClient {
    /// Asks for the state of the chain (`getblockchaininfo`).
    ///
    /// # Errors
    /// As every call.
    pub async fn chain_info(&self) -> Result<ChainInfo> {
        self.call("getblockchaininfo", &[]).await
    }

    /// Asks for the state of the chain and where a block stands in one request, so that both answers are of one node;
    /// `None` if it does not know the block.
    ///
    /// # Errors
    /// As every call.
    pub async fn chain_info_and_header(&self, hash: &BlockHash) -> Result<(ChainInfo, Option<HeaderInfo>)> {
        let header = vec![json!(hash.to_reversed_hex()), json!(true)];
        let calls = [("getblockchaininfo", Vec::new()), ("getblockheader", header)];
        let reply = self.rpc().batch_mixed(&calls, self.limits()).await?;
        Ok((reply.parse(0)?, absent(reply.parse(1), ErrorKind::NotFound)?))
    }

    /// Asks for the software's version (`getnetworkinfo`).
    ///
    /// # Errors
    /// As every call.
    pub async fn network_info(&self) -> Result<NetworkInfo> {
        self.call("getnetworkinfo", &[]).await
    }

    /// Asks for the block at `height` of the best chain (`getblockhash`); `None` above the tip.
    ///
    /// Two such answers can lie on both sides of a reorganisation: link them before believing them.
    ///
    /// # Errors
    /// As every call.
    pub async fn block_hash(&self, height: BlockHeight) -> Result<Option<BlockHash>> {
        let answer = self.call::<String>("getblockhash", &[json!(height.0)]).await;
        absent(answer, ErrorKind::OutOfRange)?.map(|text| block_hash("getblockhash", &text)).transpose()
    }

    /// Asks where a block stands (`getblockheader`, verbose); `None` if the node does not know it.
    ///
    /// # Errors
    /// As every call.
    pub async fn header_info(&self, hash: &BlockHash) -> Result<Option<HeaderInfo>> {
        let answer = self.call("getblockheader", &[json!(hash.to_reversed_hex()), json!(true)]).await;
        absent(answer, ErrorKind::NotFound)
    }

    /// Asks where several blocks stand, in one request; `None` for each that the node does not know.
    ///
    /// # Errors
    /// As every call.
    pub async fn header_infos(&self, hashes: &[BlockHash]) -> Result<Vec<Option<HeaderInfo>>> {
        let params: Vec<_> = hashes.iter().map(|hash| vec![json!(hash.to_reversed_hex()), json!(true)]).collect();
        let limits = self.limits().with_max_body(bytes_of(hashes.len(), VERBOSE_HEADER));
        let reply = self.rpc().batch("getblockheader", &params, limits).await?;
        (0..hashes.len()).map(|index| absent(reply.parse(index), ErrorKind::NotFound)).collect()
    }

    /// Asks for a block's header (`getblockheader`, raw); `None` if the node does not know the block.
    ///
    /// The bytes are not hashed here.
    ///
    /// # Errors
    /// As every call; `InvalidData` if the answer is not 80 bytes of hex.
    pub async fn header(&self, hash: &BlockHash) -> Result<Option<[u8; RawHeader::SIZE]>> {
        let answer = self.call::<String>("getblockheader", &[json!(hash.to_reversed_hex()), json!(false)]).await;
        absent(answer, ErrorKind::NotFound)?.map(|text| raw_header(&text)).transpose()
    }

    /// Asks for the ids at `count` heights from `first` on and then for their headers, in two requests: ids and raw
    /// headers, up to the first height that the best chain lacks.
    ///
    /// The chain may move between and within the two, so that what comes back is not known to be linked; where the node
    /// that answers the second has not heard of a block, the list ends. The bytes are not hashed here.
    ///
    /// # Errors
    /// As every call; `InvalidData` if an answer is not a hash, or not 80 bytes of hex.
    pub async fn headers_from(
        &self,
        first: BlockHeight,
        count: u32,
    ) -> Result<Vec<(BlockHash, [u8; RawHeader::SIZE])>> {
        let heights: Vec<_> = (first.0..).take(usize::try_from(count).unwrap_or(usize::MAX)).collect();
        let params: Vec<_> = heights.iter().map(|height| vec![json!(height)]).collect();
        let limits = self.limits().with_max_body(bytes_of(params.len(), RAW_HASH));
        let reply = self.rpc().batch("getblockhash", &params, limits).await?;
        let mut hashes = Vec::with_capacity(reply.len());
        for index in 0..reply.len() {
            let Some(text) = absent(reply.parse::<&str>(index), ErrorKind::OutOfRange)? else { break };
            hashes.push(block_hash("getblockhash", text)?);
        }
        let params: Vec<_> = hashes.iter().map(|hash| vec![json!(hash.to_reversed_hex()), json!(false)]).collect();
        let limits = self.limits().with_max_body(bytes_of(params.len(), RAW_HEADER));
        let reply = self.rpc().batch("getblockheader", &params, limits).await?;
        let mut headers = Vec::with_capacity(hashes.len());
        for (index, hash) in hashes.into_iter().enumerate() {
            let Some(text) = absent(reply.parse::<&str>(index), ErrorKind::NotFound)? else { break };
            headers.push((hash, raw_header(text)?));
        }
        Ok(headers)
    }

    /// Asks for a whole block (`getblock` with verbosity 0), at most `max` bytes of it.
    ///
    /// The bytes are not hashed here. A scan fetches through [`Fetcher`](crate::fetch::Fetcher), which is faster.
    ///
    /// # Errors
    /// As every call; `Limit` if the block is larger; `InvalidData` if the answer is no hex.
    pub async fn block(&self, hash: &BlockHash, max: usize) -> Result<Vec<u8>> {
        let limits = self.limits().with_max_body(bytes_of(max, 2));
        let reply = self.rpc().call_raw("getblock", &[json!(hash.to_reversed_hex()), json!(0)], limits).await?;
        hex::decode(reply.parse::<&str>()?).map_err(|error| invalid("getblock", error))
    }

    /// Asks for the ends of all branches that the node knows (`getchaintips`).
    ///
    /// # Errors
    /// As every call.
    pub async fn chain_tips(&self) -> Result<Vec<ChainTip>> {
        self.call("getchaintips", &[]).await
    }

    /// Asks for a transaction (`getrawtransaction`, verbose); `None` if the node cannot find it, which without a
    /// transaction index says only that it is not in the memory pool.
    ///
    /// # Errors
    /// As every call.
    pub async fn transaction(&self, txid: &Txid) -> Result<Option<TxInfo>> {
        let answer = self.call("getrawtransaction", &[json!(txid.to_string()), json!(true)]).await;
        absent(answer, ErrorKind::NotFound)
    }

    /// Asks for the outputs 0 to `count` − 1 of a transaction (`gettxout`), the memory pool left aside, in one request;
    /// `None` for each that does not exist or was spent.
    ///
    /// # Errors
    /// As every call.
    pub async fn unspent_outputs(&self, txid: &Txid, count: u32) -> Result<Vec<Option<UnspentOutput>>> {
        let text = txid.to_string();
        let params: Vec<_> = (0..count).map(|index| vec![json!(text), json!(index), json!(false)]).collect();
        let reply = self.rpc().batch("gettxout", &params, self.limits()).await?;
        (0..reply.len()).map(|index| reply.parse(index)).collect()
    }

    /// Asks whether a transaction waits in the memory pool (`getmempoolentry`).
    ///
    /// # Errors
    /// As every call.
    pub async fn mempool_entry(&self, txid: &Txid) -> Result<Option<MempoolEntry>> {
        let answer = self.call("getmempoolentry", &[json!(txid.to_string())]).await;
        absent(answer, ErrorKind::NotFound)
    }

    /// Asks which transactions of the memory pool spend `outputs` (`gettxspendingprevout`, Bitcoin Core 24 and later);
    /// `None` if the node lacks the call.
    ///
    /// # Errors
    /// As every call.
    pub async fn spending_transactions(&self, outputs: &[OutPoint]) -> Result<Option<Vec<Option<Txid>>>> {
        #[derive(Deserialize)]
        struct Spent {
            #[serde(default, rename = "spendingtxid")]
            by: Option<String>,
        }
        let outputs: Vec<_> =
            outputs.iter().map(|output| json!({"txid": output.txid.to_string(), "vout": output.index})).collect();
        let answer = self.call::<Vec<Spent>>("gettxspendingprevout", &[Value::Array(outputs)]).await;
        let Some(spent) = absent(answer, ErrorKind::Unsupported)? else { return Ok(None) };
        let txid = |text: String| text.parse().map_err(|error| invalid("gettxspendingprevout", error));
        spent.into_iter().map(|spent| spent.by.map(txid).transpose()).collect::<Result<_>>().map(Some)
    }

    /// Asks for the soft-fork deployments (`getdeploymentinfo`, Bitcoin Core 23 and later; else `softforks` of
    /// `getblockchaininfo`).
    ///
    /// # Errors
    /// As every call; `Unsupported` if the node reports none, or in the form of Bitcoin Core before 0.19.
    pub async fn deployments(&self) -> Result<DeploymentReport> {
        #[derive(Deserialize)]
        struct Info {
            deployments: DeploymentReport,
        }
        let info = self.call::<Info>("getdeploymentinfo", &[]).await;
        if let Some(info) = absent(info, ErrorKind::Unsupported)? {
            return Ok(info.deployments);
        }
        let info: Value = self.call("getblockchaininfo", &[]).await?;
        let Some(forks @ Value::Object(_)) = info.get("softforks") else {
            return Err(
                Error::new(ErrorKind::Unsupported, "getblockchaininfo").with("softforks", "not reported by name")
            );
        };
        DeploymentReport::deserialize(forks).map_err(|error| invalid("getblockchaininfo", error))
    }

    /// Asks for the methods that the node has (`help`), by the first word of each line; `None` if it does not tell, as
    /// where the user may not call `help`.
    ///
    /// # Errors
    /// As every call.
    pub async fn methods(&self) -> Result<Option<BTreeSet<String>>> {
        let text = match self.call::<String>("help", &[]).await {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::Auth | ErrorKind::Rejected | ErrorKind::Unsupported) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let first_words = text.lines().filter_map(|line| line.split_whitespace().next());
        let is_method = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let methods: BTreeSet<_> = first_words.filter(is_method).map(str::to_owned).collect();
        Ok((!methods.is_empty()).then_some(methods))
    }

    /// Asks which indexes the node keeps (`getindexinfo`, Bitcoin Core 0.21 and later), by name, such as `txindex`;
    /// `None` if the node lacks the call.
    ///
    /// # Errors
    /// As every call.
    pub async fn index_info(&self) -> Result<Option<BTreeMap<String, IndexInfo>>> {
        absent(self.call("getindexinfo", &[]).await, ErrorKind::Unsupported)
    }

    /// Asks what the node publishes over ZMQ (`getzmqnotifications`); `None` if it was built without.
    ///
    /// # Errors
    /// As every call.
    pub async fn zmq_notifications(&self) -> Result<Option<Vec<ZmqNotification>>> {
        absent(self.call("getzmqnotifications", &[]).await, ErrorKind::Unsupported)
    }

    /// Asks how long the node has been running, in seconds of its own clock (`uptime`), which a test may have set back.
    ///
    /// # Errors
    /// As every call.
    pub async fn uptime(&self) -> Result<i64> {
        self.call("uptime", &[]).await
    }

    async fn call<T: serde::de::DeserializeOwned>(&self, method: &'static str, params: &[Value]) -> Result<T> {
        self.rpc().call(method, params, self.limits()).await
    }
}

fn raw_header(text: &str) -> Result<[u8; RawHeader::SIZE]> {
    let mut header = [0; RawHeader::SIZE];
    hex::decode_to_slice(text, &mut header).map_err(|error| invalid("getblockheader", error))?;
    Ok(header)
}

fn invalid(op: &'static str, error: impl core::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::InvalidData, op).because(error)
}

/// Returns the body limit for `count` answers of `each` bytes.
fn bytes_of(count: usize, each: usize) -> usize {
    count.saturating_mul(each).saturating_add(CallLimits::default().max_body / 16)
}

/// Bounds one answer of a batch with a hash: 64 digits and the envelope.
const RAW_HASH: usize = 64 + ENVELOPE;

/// Bounds one answer of a batch with a raw header: 160 digits and the envelope.
const RAW_HEADER: usize = 160 + ENVELOPE;

/// Bounds one answer of a batch with a decoded header: 0.7 KiB with Litecoin 0.21, and as much again for what other
/// versions add.
const VERBOSE_HEADER: usize = 1536;

/// Bounds what stands around a result in a batch: `{"result":…,"error":null,"id":18446744073709551615},` and spaces.
const ENVELOPE: usize = 128;
