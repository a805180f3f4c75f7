//! JSON-RPC over [`HttpClient`]: one call, or many in one request.

use core::fmt;
use core::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use nodewright_core::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::auth::Auth;
use crate::batch::BatchReply;
use crate::classify::fault_error;
use crate::endpoint::Endpoint;
use crate::envelope::{Envelope, Outcome, not_json_rpc, range_in, short};
use crate::fault::ReplyFault;
use crate::http::HttpClient;
use crate::options::{CallLimits, HttpOptions};
use crate::redact::{EXCERPT, Scrub};
use crate::retry::Repeat;
use crate::transport::{Answer, Head};

/// Calls the methods of one node. Clones share everything.
#[derive(Clone)]
pub struct RpcClient {
    http: HttpClient,
    next_id: Arc<AtomicU64>,
}

impl RpcClient {
    /// Makes a client; it opens no connection and reads no file yet.
    ///
    /// # Errors
    /// As [`HttpClient::try_new`].
    pub fn try_new(endpoint: Endpoint, auth: Auth, options: HttpOptions) -> Result<Self> {
        HttpClient::try_new(endpoint, auth, options).map(Self::over)
    }

    /// Calls through `http`, sharing its connections and budgets.
    #[must_use]
    pub fn over(http: HttpClient) -> Self {
        Self { http, next_id: Arc::new(AtomicU64::new(0)) }
    }

    /// Calls a method that only reads, and parses its result.
    ///
    /// A result that holds the same key twice is up to `T`: derived structs refuse it, [`Value`] keeps the last.
    ///
    /// # Errors
    /// - the node's error, its kind decided by status and code, with [`RpcFault`](crate::RpcFault) as its cause;
    /// - [`ErrorKind::InvalidData`] if the answer is not JSON-RPC, answers another request, or is not a `T`;
    /// - transport and limits as [`HttpClient::get`].
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection if an exchange was under way; nothing else is lost.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &[Value],
        limits: CallLimits,
    ) -> Result<T> {
        self.call_raw(method, params, limits).await?.parse()
    }

    /// Does as [`RpcClient::call`] and returns the result unparsed, so that large ones can be read in place.
    ///
    /// # Errors
    /// As [`RpcClient::call`].
    ///
    /// # Cancel safety
    /// As [`RpcClient::call`].
    pub async fn call_raw(&self, method: &'static str, params: &[Value], limits: CallLimits) -> Result<Reply> {
        self.exchange(method, params, limits, Repeat::Freely).await
    }

    /// Calls a method that changes something, such as `sendrawtransaction`: the request is sent at most once.
    ///
    /// # Errors
    /// As [`RpcClient::call`]; an error that leaves open whether the node acted says
    /// [`Retry::Never`](nodewright_core::Retry::Never).
    ///
    /// # Cancel safety
    /// Not cancel-safe: after a drop it is unknown whether the node acted.
    pub async fn call_once<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &[Value],
        limits: CallLimits,
    ) -> Result<T> {
        self.exchange(method, params, limits, Repeat::Once).await?.parse()
    }

    /// Calls one reading method with many parameter lists in one HTTP request; no parameters, no request.
    ///
    /// A node executes a batch one by one on one thread, in one place of its work queue.
    ///
    /// # Errors
    /// Errors of single requests are in the reply. The batch as a whole fails if its answers cannot be matched to its
    /// requests ([`ErrorKind::InvalidData`] with [`ReplyFault`] as its cause), if every request failed in a way that may
    /// pass (the first such error, after retries), and as [`HttpClient::get`].
    ///
    /// # Cancel safety
    /// As [`RpcClient::call`].
    pub async fn batch(&self, method: &'static str, params: &[Vec<Value>], limits: CallLimits) -> Result<BatchReply> {
        let calls = params.iter().map(|params| (method, params.as_slice()));
        self.exchange_batch(method, calls, limits).await
    }

    /// Does as [`RpcClient::batch`] with different methods.
    ///
    /// # Errors
    /// As [`RpcClient::batch`].
    ///
    /// # Cancel safety
    /// As [`RpcClient::call`].
    pub async fn batch_mixed(&self, calls: &[(&'static str, Vec<Value>)], limits: CallLimits) -> Result<BatchReply> {
        let calls = calls.iter().map(|(method, params)| (*method, params.as_slice()));
        self.exchange_batch("batch", calls, limits).await
    }

    /// Returns the HTTP client, for REST on the same port.
    #[must_use]
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    async fn exchange(
        &self,
        method: &'static str,
        params: &[Value],
        limits: CallLimits,
        repeat: Repeat,
    ) -> Result<Reply> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let body = encode(method, &self.request(id, method, params))?;
        self.http.post_rpc(method, body, limits, repeat, |answer| self.read(method, id, answer)).await
    }

    async fn exchange_batch<'a>(
        &self,
        op: &'static str,
        calls: impl Iterator<Item = (&'static str, &'a [Value])> + Clone,
        limits: CallLimits,
    ) -> Result<BatchReply> {
        let methods: Vec<_> = calls.clone().map(|(method, _)| method).collect();
        if methods.is_empty() {
            return Ok(BatchReply::empty());
        }
        let count = u64::try_from(methods.len()).unwrap_or(u64::MAX);
        let first = self.next_id.fetch_add(count, Ordering::Relaxed);
        let requests: Vec<_> =
            calls.zip(first..).map(|((method, params), id)| self.request(id, method, params)).collect();
        let body = encode(op, &requests)?;
        drop(requests);
        let read = |answer| self.read_batch(op, first, &methods, answer);
        self.http.post_rpc(op, body, limits, Repeat::Freely, read).await
    }

    fn request<'a>(&self, id: u64, method: &'static str, params: &'a [Value]) -> Request<'a> {
        Request { jsonrpc: self.http.options().json_rpc.as_str(), id, method, params }
    }

    fn read(&self, op: &'static str, id: u64, answer: Answer) -> Result<Reply> {
        let (text, head) = self.text(op, answer)?;
        let scrub = self.http.scrub();
        match outcome(&text, id, head.status, scrub) {
            Ok(Outcome::Fault(fault)) => Err(fault_error(op, fault, head.retry_after)),
            Ok(Outcome::Result(result)) if head.status == 200 => {
                let range = range_in(&text, result);
                Ok(Reply { op, text, range, scrub: Arc::clone(scrub) })
            }
            Ok(Outcome::Result(_)) => Err(self.http.refusal(op, head, text.as_bytes())),
            Err(fault) => Err(self.unreadable(op, head, text.as_bytes(), fault)),
        }
    }

    fn read_batch(&self, op: &'static str, first: u64, methods: &[&'static str], answer: Answer) -> Result<BatchReply> {
        let (text, head) = self.text(op, answer)?;
        let scrub = self.http.scrub();
        if head.status == 200 && text.trim_start().starts_with('[') {
            let reply = BatchReply::try_new(text, first, methods.to_vec(), scrub);
            let reply = reply.map_err(|fault| self.unreadable(op, head, &[], fault))?;
            return reply.passing_failure().map_or(Ok(reply), Err);
        }
        // One object for the whole batch: the node could not read it, or refused it before looking inside.
        match Envelope::parse(&text, scrub).and_then(|envelope| envelope.outcome(head.status, scrub)) {
            Ok(Outcome::Fault(fault)) => Err(fault_error(op, fault, head.retry_after)),
            Ok(Outcome::Result(_)) => {
                let fault = not_json_rpc(&text, &"one result for a batch", scrub);
                Err(self.unreadable(op, head, text.as_bytes(), fault))
            }
            Err(fault) => Err(self.unreadable(op, head, text.as_bytes(), fault)),
        }
    }

    /// Takes the body as text without copying it.
    fn text(&self, op: &'static str, answer: Answer) -> Result<(String, Head)> {
        match String::from_utf8(answer.body.into()) {
            Ok(text) => Ok((text, answer.head)),
            Err(error) => {
                let start = self.http.scrub().excerpt_bytes(error.as_bytes(), EXCERPT);
                let fault = ReplyFault::NotJsonRpc { reason: "not UTF-8".to_owned(), start };
                Err(self.unreadable(op, answer.head, error.as_bytes(), fault))
            }
        }
    }

    /// Makes the error for a body that is not what was asked for: under 200 it is bad data, else the status decides.
    fn unreadable(&self, op: &'static str, head: Head, body: &[u8], fault: ReplyFault) -> Error {
        if head.status == 200 {
            Error::new(ErrorKind::InvalidData, op).because(fault)
        } else {
            self.http.refusal(op, head, body)
        }
    }
}

impl fmt::Debug for RpcClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcClient").field("http", &self.http).finish_non_exhaustive()
    }
}

/// Holds the result of one call where it lies in the body.
pub struct Reply {
    op: &'static str,
    text: String,
    range: Range<usize>,
    scrub: Arc<Scrub>,
}

impl Reply {
    /// Returns the raw JSON of the result: a slice of the body, `null` included.
    #[must_use]
    pub fn get(&self) -> &str {
        self.text.get(self.range.clone()).unwrap_or_default()
    }

    /// Parses the result. With `&str` a string without escapes, such as the hex of a block, is not copied.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] if the result is not a `T`.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_str(self.get())
            .map_err(|error| Error::new(ErrorKind::InvalidData, self.op).with("reason", short(&error, &self.scrub)))
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("op", &self.op).field("len", &self.range.len()).finish()
    }
}

#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'static str,
    id: u64,
    method: &'static str,
    params: &'a [Value],
}

fn encode(op: &'static str, request: &impl Serialize) -> Result<Bytes> {
    let encoded = serde_json::to_vec(request);
    encoded.map(Bytes::from).map_err(|error| Error::new(ErrorKind::Rejected, op).because(error))
}

/// Returns what `text` answers to request `id`.
fn outcome<'a>(text: &'a str, id: u64, status: u16, scrub: &Scrub) -> core::result::Result<Outcome<'a>, ReplyFault> {
    let envelope = Envelope::parse(text, scrub)?;
    let outcome = envelope.outcome(status, scrub)?;
    match (envelope.id(scrub)?, &outcome) {
        (Some(found), _) if found == id => Ok(outcome),
        (None, Outcome::Fault(_)) => Ok(outcome),
        (Some(found), _) => Err(ReplyFault::ForeignId { id: found.to_string() }),
        (None, Outcome::Result(_)) => Err(ReplyFault::ForeignId { id: "null".to_owned() }),
    }
}
