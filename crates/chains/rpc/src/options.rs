//! What a caller states: the limits of one call and the behaviour of a client.

use core::fmt;
use core::num::NonZeroU32;
use core::time::Duration;

use bytes::Bytes;

/// Bounds one call: how long it may take in all, and how large its answer may be.
///
/// Built by literal on purpose: a call has these two limits and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// The time from the call to its answer, waiting for a connection, back-off and retries included.
    pub timeout: Duration,
    /// The largest accepted answer body in bytes.
    ///
    /// The body of a *refusal* (a status other than 200) is read up to 64 KiB whatever stands here, because it holds
    /// the reason.
    pub max_body: usize,
}

impl CallLimits {
    /// Returns these limits with another time limit.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Returns these limits with another body limit, in bytes.
    #[must_use]
    pub fn with_max_body(self, max_body: usize) -> Self {
        Self { max_body, ..self }
    }
}

impl Default for CallLimits {
    /// Allows 30 s and 1 MiB: Bitcoin Core's `-rpcservertimeout` default, and more than any answer that is not a block.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), max_body: 1024 * 1024 }
    }
}

/// Bounds one download.
///
/// Built by literal on purpose: a download has these two limits and no others. How long it takes in all is for the caller
/// to bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownloadLimits {
    /// The largest accepted content in bytes, what an earlier download brought of it included.
    pub max_bytes: u64,
    /// The longest time without a step forward: from the call to the head of the answer (waiting for a connection,
    /// back-off and retries included), and then from each call of [`Download::chunk`](crate::Download::chunk) to its
    /// return.
    pub idle_timeout: Duration,
}

/// States how a client behaves towards its node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpOptions {
    /// How long one TCP (and TLS) connection may take to open. Default 5 s: two lost SYN packets on Linux (1 s + 2 s)
    /// and a slow handshake.
    pub connect_timeout: Duration,
    /// Who may vouch for an `https` endpoint besides those whom the system trusts: an operator's own authority, or a
    /// server's self-signed certificate. Default none. With some, no client is made without the feature `tls`, and none
    /// for `https` on Android and iOS, whose verifiers take no more than their own.
    pub extra_roots: Vec<RootCertificates>,
    /// How long an unused connection is kept. Default 20 s: below the 30 s after which Bitcoin Core and its
    /// descendants close it (`-rpcservertimeout`), so that a request rarely meets a closing connection.
    pub idle_timeout: Duration,
    /// The version named in requests. Default [`Version::V2`]; answers of either version are read.
    pub json_rpc: Version,
    /// How many requests are under way at once, and so how many connections are open. Default 4: the `-rpcthreads`
    /// default of Litecoin 0.21 and Dash 22; more would only fill the node's work queue (16).
    pub max_connections: NonZeroU32,
    /// The longest `Retry-After` that is believed. Default 60 s: a longer one is cut to this.
    pub max_retry_after: Duration,
    /// How many requests a second are sent. Default `None`: one's own node needs no such limit.
    pub rate: Option<RateLimit>,
    /// When a failed request is sent again.
    pub retry: RetryOptions,
}

impl HttpOptions {
    /// Returns these options with another limit for opening a connection.
    #[must_use]
    pub fn with_connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Returns these options with more authorities trusted.
    #[must_use]
    pub fn with_extra_roots(mut self, roots: RootCertificates) -> Self {
        self.extra_roots.push(roots);
        self
    }

    /// Returns these options with another time to keep an unused connection.
    #[must_use]
    pub fn with_idle_timeout(self, idle_timeout: Duration) -> Self {
        Self { idle_timeout, ..self }
    }

    /// Returns these options with another version named in requests.
    #[must_use]
    pub fn with_json_rpc(self, json_rpc: Version) -> Self {
        Self { json_rpc, ..self }
    }

    /// Returns these options with another number of connections.
    #[must_use]
    pub fn with_max_connections(self, max_connections: NonZeroU32) -> Self {
        Self { max_connections, ..self }
    }

    /// Returns these options with another bound on `Retry-After`.
    #[must_use]
    pub fn with_max_retry_after(self, max_retry_after: Duration) -> Self {
        Self { max_retry_after, ..self }
    }

    /// Returns these options with a rate limit, or with none.
    #[must_use]
    pub fn with_rate(self, rate: impl Into<Option<RateLimit>>) -> Self {
        Self { rate: rate.into(), ..self }
    }

    /// Returns these options with other retry options.
    #[must_use]
    pub fn with_retry(self, retry: RetryOptions) -> Self {
        Self { retry, ..self }
    }

    /// Returns `max_connections` as a size.
    pub(crate) fn connections(&self) -> usize {
        usize::try_from(self.max_connections.get()).unwrap_or(usize::MAX)
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            extra_roots: Vec::new(),
            idle_timeout: Duration::from_secs(20),
            json_rpc: Version::V2,
            max_connections: NonZeroU32::MIN.saturating_add(3),
            max_retry_after: Duration::from_secs(60),
            rate: None,
            retry: RetryOptions::default(),
        }
    }
}

/// Holds one or several certificates in PEM, as they stand in a file. They are read when a client is made of them.
#[derive(Clone, PartialEq, Eq)]
pub struct RootCertificates {
    pem: Bytes,
}

impl RootCertificates {
    /// Takes the content of a PEM file.
    #[must_use]
    pub fn from_pem(pem: impl Into<Bytes>) -> Self {
        Self { pem: pem.into() }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn pem(&self) -> &[u8] {
        &self.pem
    }
}

impl fmt::Debug for RootCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootCertificates({} bytes)", self.pem.len())
    }
}

/// States when a failed request is sent again: a budget shared by every call of a client, and a back-off.
///
/// The budget is a bucket of retries. Each call adds `percent` hundredths of a retry, each second adds `per_second`,
/// and each retry takes one; it starts full and never holds more than `burst`. A count of retries per call multiplies
/// the load exactly when the node is overloaded; a budget bounds the extra load to a fraction of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryOptions {
    /// The first wait. Default 100 ms: a full work queue of 16 small calls is empty by then (0.8 ms each, measured).
    /// Each further wait of a call doubles it; the wait is drawn from the upper half, so that callers spread out.
    pub base_delay: Duration,
    /// The longest wait of the back-off (a `Retry-After` may ask for more). Default 5 s.
    pub max_delay: Duration,
    /// The most retries saved up. Default 10: ten seconds of `per_second`, the window of tower's `TpsBudget`.
    pub burst: u32,
    /// Retries earned by 100 calls. Default 20, as in tower's `TpsBudget`.
    pub percent: u32,
    /// Retries earned in each second, so that a client that calls rarely can retry at all. Default 1: one node serves
    /// one client here, so the 10 that tower grants a whole service would be too many.
    pub per_second: u32,
}

impl RetryOptions {
    /// Retries nothing.
    #[must_use]
    pub fn never() -> Self {
        Self { burst: 0, percent: 0, per_second: 0, ..Self::default() }
    }

    /// Returns these options with another first and longest wait.
    #[must_use]
    pub fn with_delays(self, base_delay: Duration, max_delay: Duration) -> Self {
        Self { base_delay, max_delay, ..self }
    }

    /// Returns these options with another budget.
    #[must_use]
    pub fn with_budget(self, burst: u32, percent: u32, per_second: u32) -> Self {
        Self { burst, percent, per_second, ..self }
    }
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            base_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(5),
            burst: 10,
            percent: 20,
            per_second: 1,
        }
    }
}

/// Limits how many requests a second leave a client. A batch is one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// Requests a second over a long time.
    pub per_second: NonZeroU32,
    /// Requests that may leave at once after a pause.
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// Limits to `per_second` requests a second, `burst` of them at once after a pause.
    #[must_use]
    pub fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self { per_second, burst }
    }
}

/// Names the version of JSON-RPC that requests claim.
///
/// Litecoin 0.21 and Dash 22 answer both alike (errors under HTTP 500 or 404); Bitcoin Core 28 answers 2.0 with errors
/// under HTTP 200. Answers of every one of these forms are read whatever is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// JSON-RPC 1.0.
    V1,
    /// JSON-RPC 2.0.
    #[default]
    V2,
}

impl Version {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }
}
