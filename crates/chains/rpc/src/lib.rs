//! The shell every Nodewright chain shares: JSON-RPC over HTTP with limits, retry budget and redaction.
//!
//! A chain crate says *what* to ask; this crate carries the question to a node and turns everything that can come
//! back into a value or a [`nodewright_core::Error`] whose kind and retry advice are decided in one place.
//!
//! ```text
//!   RpcClient ──► HttpClient ──► rate limit ─► connection permit ─► credentials ─► HTTP/1.1
//!      ▲                              ▲                                               │
//!      │                              └── back-off, if the retry budget allows ◄──────┤ status, body
//!      └── Reply / BatchReply (slices of the body) ◄───── classification ◄────────────┘
//! ```
//!
//! - Every call states its [`CallLimits`]: a total time and a body size. Neither can be switched off.
//! - Retries are paid from a budget shared by all calls of a client ([`RetryOptions`]), not counted per call.
//! - No URL, password, cookie or API key reaches an error, a log line or a `Debug` output.
//! - Plain `http` goes over connections that acknowledge at once what they receive, which older nodes need to be fast;
//!   `https` (feature `tls`) goes through `reqwest`.
//! - What is too large for memory is taken piece by piece ([`HttpClient::download`]).
//! - Proxies named by the environment are not used and redirects are not followed: either would hand the node's
//!   credentials to a machine the operator did not name.
//!
//! What this crate does *not* do: know a chain, cache, choose between nodes, or decide what to do about an error that
//! outlasts its budget.
//!
//! ```no_run
//! use nodewright_rpc::{CallLimits, Endpoint, HttpOptions, RpcClient};
//!
//! # async fn run() -> nodewright_core::Result<()> {
//! let (endpoint, auth) = Endpoint::parse("http://user:password@127.0.0.1:9998/")?;
//! let node = RpcClient::try_new(endpoint, auth, HttpOptions::default())?;
//! let height: u64 = node.call("getblockcount", &[], CallLimits::default()).await?;
//! # Ok(())
//! # }
//! ```

mod auth;
mod batch;
mod carrier;
mod classify;
mod download;
mod endpoint;
mod envelope;
mod fault;
#[cfg(fuzzing)]
pub mod fuzzing;
mod http;
mod options;
mod rate;
mod redact;
mod request;
mod retry;
mod retry_after;
mod rpc;
mod transport;

pub use auth::Auth;
pub use batch::BatchReply;
pub use download::{Download, Resume};
pub use endpoint::Endpoint;
pub use fault::{ReplyFault, RpcFault, TransportFault, http_status, rpc_fault};
pub use http::HttpClient;
pub use options::{CallLimits, DownloadLimits, HttpOptions, RateLimit, RetryOptions, RootCertificates, Version};
pub use request::{HttpMethod, HttpReply, HttpRequest};
pub use rpc::{Reply, RpcClient};
