//! HTTP to one node: bounded connections, credentials, rate limit and retries around each exchange.

use core::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method};
use nodewright_core::{Error, ErrorKind, Result};
use tokio::sync::Semaphore;
use url::Url;

use crate::auth::{Auth, Credentials, Login};
use crate::carrier::{Carrier, Parcel};
use crate::classify::status_error;
use crate::download::{Download, Resume};
use crate::endpoint::Endpoint;
use crate::fault::StatusFault;
use crate::options::{CallLimits, DownloadLimits, HttpOptions};
use crate::rate::RateLimiter;
use crate::redact::{EXCERPT, Scrub};
use crate::request::{HttpReply, HttpRequest, is_reply};
use crate::retry::{Repeat, Retrier};
use crate::transport::{Answer, Head, Opened};

/// Speaks HTTP/1.1 to one node. Clones share connections, credentials, rate limit and retry budget.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    carrier: Carrier,
    endpoint: Endpoint,
    credentials: Credentials,
    connections: Arc<Semaphore>,
    limiter: Option<RateLimiter>,
    retrier: Retrier,
    scrub: Arc<Scrub>,
    options: HttpOptions,
}

impl HttpClient {
    /// Makes a client; it opens no connection yet. For an `https` endpoint it reads the system's certificates.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the credentials cannot be sent or the TLS set-up fails.
    pub fn try_new(endpoint: Endpoint, auth: Auth, options: HttpOptions) -> Result<Self> {
        let mut scrub = endpoint.scrub();
        if let Auth::Basic { password, .. } = &auth {
            scrub.add(password.expose());
        }
        Ok(Self {
            inner: Arc::new(Inner {
                carrier: Carrier::try_new(&options, endpoint.is_https())?,
                credentials: Credentials::try_new(auth)?,
                connections: Arc::new(Semaphore::new(options.connections().min(Semaphore::MAX_PERMITS))),
                limiter: options.rate.map(RateLimiter::new),
                retrier: Retrier::new(options.retry),
                scrub: Arc::new(scrub),
                endpoint,
                options,
            }),
        })
    }

    /// Gets `path` (which may have a query) below the endpoint and returns the body of the 200 answer.
    ///
    /// # Errors
    /// - by refusal: the kind that the status stands for, such as [`ErrorKind::NotFound`] for 404;
    /// - [`ErrorKind::Limit`] if the body is larger than allowed, announced or not;
    /// - [`ErrorKind::Timeout`] if the time ran out;
    /// - [`ErrorKind::Unreachable`] if the connection failed or the body broke off.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection if an exchange was under way; nothing else is lost.
    pub async fn get(&self, op: &'static str, path: &str, limits: CallLimits) -> Result<Bytes> {
        let request = self.request(op, Method::GET, self.inner.endpoint.join(path));
        self.exchange(&request, limits, Repeat::Freely, is_ok, |answer| self.accept(op, answer)).await
    }

    /// Posts a JSON `body` that only reads to `path`, and returns the body of the 200 answer.
    ///
    /// # Errors
    /// As [`HttpClient::get`].
    ///
    /// # Cancel safety
    /// As [`HttpClient::get`].
    pub async fn post(
        &self,
        op: &'static str,
        path: &str,
        body: impl Into<Bytes>,
        limits: CallLimits,
    ) -> Result<Bytes> {
        let request = self.request(op, Method::POST, self.inner.endpoint.join(path)).with_json(body.into());
        self.exchange(&request, limits, Repeat::Freely, is_ok, |answer| self.accept(op, answer)).await
    }

    /// Does as [`HttpClient::post`] with a `body` that changes something: it is sent at most once.
    ///
    /// # Errors
    /// As [`HttpClient::get`]; an error that leaves open whether the node acted says
    /// [`Retry::Never`](nodewright_core::Retry::Never).
    ///
    /// # Cancel safety
    /// Not cancel-safe: after a drop it is unknown whether the node acted.
    pub async fn post_once(
        &self,
        op: &'static str,
        path: &str,
        body: impl Into<Bytes>,
        limits: CallLimits,
    ) -> Result<Bytes> {
        let request = self.request(op, Method::POST, self.inner.endpoint.join(path)).with_json(body.into());
        self.exchange(&request, limits, Repeat::Once, is_ok, |answer| self.accept(op, answer)).await
    }

    /// Sends a request and returns its answer whatever the status, with its headers and its whole body. Only an answer
    /// that says no more than to ask again (408, 429, 502, 503, 504) is retried as the budget allows, and then an error.
    ///
    /// A redirect (3xx) is returned, not followed.
    ///
    /// # Errors
    /// - [`ErrorKind::Config`] if a header cannot be sent, or is one that the client sends by itself;
    /// - [`ErrorKind::Limit`] if the body is larger than [`CallLimits::max_body`], under any returned status;
    /// - otherwise as [`HttpClient::get`]; for a request that is sent at most once as [`HttpClient::post_once`].
    ///
    /// # Cancel safety
    /// As [`HttpClient::get`]; for a request that is sent at most once as [`HttpClient::post_once`].
    pub async fn send(&self, op: &'static str, request: HttpRequest, limits: CallLimits) -> Result<HttpReply> {
        let repeat = if request.once { Repeat::Once } else { Repeat::Freely };
        let mut wire = self.request(op, request.method.to_wire(), self.inner.endpoint.join(&request.path));
        wire.headers.extend(request.header_map(op)?);
        wire.body = request.body;
        self.exchange(&wire, limits, repeat, is_reply, |answer| HttpReply::try_new(self, op, answer)).await
    }

    /// Begins to download `target`: a path (which may have a query) below the endpoint, or an absolute URL.
    ///
    /// With `resume` only what is behind its first bytes is asked for; whether the server agreed, [`Download::is_resumed`]
    /// tells. A URL with another scheme, host or port is asked without the credentials and without the endpoint's query;
    /// its connection counts among the client's all the same. Who follows URLs that a server names decides beforehand
    /// which hosts to trust, and checks afterwards what came.
    ///
    /// # Errors
    /// - [`ErrorKind::Config`] if the URL is none, holds a user or password, or has a scheme that is not there; and for a
    ///   redirect, which is not followed;
    /// - [`ErrorKind::OutOfRange`] if there is nothing behind the bytes that are there already (HTTP 416);
    /// - [`ErrorKind::InvalidData`] if the server sends another part than the one asked for;
    /// - [`ErrorKind::Limit`] if the content is announced to be larger than [`DownloadLimits::max_bytes`];
    /// - [`ErrorKind::Timeout`] if no answer began within [`DownloadLimits::idle_timeout`], retries included;
    /// - otherwise as [`HttpClient::get`].
    ///
    /// # Cancel safety
    /// As [`HttpClient::get`].
    pub async fn download(
        &self,
        op: &'static str,
        target: &str,
        resume: Option<Resume<'_>>,
        limits: DownloadLimits,
    ) -> Result<Download> {
        let source = self.source(op, target)?;
        let mut request = self.request(op, Method::GET, source.url());
        request.login = source.shares_origin(&self.inner.endpoint);
        request.scrub = Arc::new(self.inner.scrub.and(&source.scrub()));
        if let Some(resume) = &resume {
            request.headers.extend(resume.headers(op)?);
        }
        let (request, source) = (&request, &source);
        let attempt = || async move {
            let mut opened = self.inner.open(request).await?;
            if !matches!(opened.head.status, 200 | 206) {
                let start = opened.start().await;
                return Err(refusal(op, opened.head, &start, &opened.scrub));
            }
            Download::try_new(opened, source.clone(), resume.map(|resume| resume.from), limits)
        };
        let outcome = self.inner.retrier.run(op, limits.idle_timeout, Repeat::Freely, attempt).await;
        outcome.map_err(|error| error.with("endpoint", source))
    }

    /// Returns where the node answers.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    /// Returns how the client behaves.
    #[must_use]
    pub fn options(&self) -> &HttpOptions {
        &self.inner.options
    }

    pub(crate) fn scrub(&self) -> &Arc<Scrub> {
        &self.inner.scrub
    }

    /// Posts `body` to the endpoint itself and lets `interpret` decide what each answer means.
    pub(crate) async fn post_rpc<T>(
        &self,
        op: &'static str,
        body: Bytes,
        limits: CallLimits,
        repeat: Repeat,
        interpret: impl Fn(Answer) -> Result<T>,
    ) -> Result<T> {
        let request = self.request(op, Method::POST, self.inner.endpoint.url()).with_json(body);
        self.exchange(&request, limits, repeat, is_ok, interpret).await
    }

    /// Makes the error for a refusal that no JSON-RPC fault explains.
    pub(crate) fn refusal(&self, op: &'static str, head: Head, body: &[u8]) -> Error {
        refusal(op, head, body, &self.inner.scrub)
    }

    fn accept(&self, op: &'static str, answer: Answer) -> Result<Bytes> {
        if is_ok(answer.head.status) { Ok(answer.body) } else { Err(self.refusal(op, answer.head, &answer.body)) }
    }

    fn request(&self, op: &'static str, method: Method, url: Url) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("nodewright/", env!("CARGO_PKG_VERSION"))));
        Request { op, method, url, headers, body: None, login: true, scrub: Arc::clone(&self.inner.scrub) }
    }

    /// Returns what the `target` of a download names.
    fn source(&self, op: &'static str, target: &str) -> Result<Endpoint> {
        if !is_absolute(target) {
            return Ok(self.inner.endpoint.below(target));
        }
        match Endpoint::parse(target)? {
            (source, Auth::None) => Ok(source),
            (source, _) => {
                let error = Error::new(ErrorKind::Config, op).with("url", "a user or password stands in it");
                Err(error.with("endpoint", source))
            }
        }
    }

    /// Sends `request`, reads the body whole if its status is `wanted`, and lets `interpret` decide what the answer means.
    async fn exchange<T>(
        &self,
        request: &Request,
        limits: CallLimits,
        repeat: Repeat,
        wanted: fn(u16) -> bool,
        interpret: impl Fn(Answer) -> Result<T>,
    ) -> Result<T> {
        let interpret = &interpret;
        let attempt = || async move {
            let opened = self.inner.open(request).await?;
            interpret(opened.read(limits.max_body, wanted).await?)
        };
        let outcome = self.inner.retrier.run(request.op, limits.timeout, repeat, attempt).await;
        outcome.map_err(|error| error.with("endpoint", &self.inner.endpoint))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("endpoint", &self.inner.endpoint)
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// Sends once, or twice if the login was refused and a newer one was found.
    async fn open(&self, request: &Request) -> Result<Opened> {
        let (mut opened, login) = self.open_once(request).await?;
        if opened.head.status == 401 && self.credentials.renew(request.op, login.as_ref()).await? {
            tracing::debug!(op = request.op, "the node's cookie changed; log in again");
            // Read, so that the connection can be used again; and given back, or the next request might wait for it.
            opened.start().await;
            drop(opened);
            return Ok(self.open_once(request).await?.0);
        }
        Ok(opened)
    }

    async fn open_once(&self, request: &Request) -> Result<(Opened, Option<Login>)> {
        let op = request.op;
        if let Some(limiter) = &self.limiter {
            limiter.acquire().await;
        }
        let permit = Arc::clone(&self.connections).acquire_owned().await;
        let permit = permit.map_err(|error| Error::new(ErrorKind::Unreachable, op).because(error))?;
        let login = if request.login { self.credentials.current(op).await? } else { None };
        let arrival = self.carrier.send(request.parcel(login.as_ref())?, &request.scrub).await?;
        let scrub = Arc::clone(&request.scrub);
        Ok((Opened::new(op, arrival, self.options.max_retry_after, scrub, permit), login))
    }
}

/// Is one request, kept so that it can be sent again.
struct Request {
    op: &'static str,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Bytes>,
    /// Whether the credentials go with it.
    login: bool,
    scrub: Arc<Scrub>,
}

impl Request {
    fn with_json(mut self, body: Bytes) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { body: Some(body), ..self }
    }

    fn parcel(&self, login: Option<&Login>) -> Result<Parcel> {
        let mut headers = self.headers.clone();
        if let Some(Login { user, password, .. }) = login {
            let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
            let value = HeaderValue::try_from(format!("Basic {pair}"));
            let mut value = value.map_err(|error| Error::new(ErrorKind::Config, self.op).because(error))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let body = self.body.clone().unwrap_or_default();
        Ok(Parcel { op: self.op, method: self.method.clone(), url: self.url.clone(), headers, body })
    }
}

fn refusal(op: &'static str, head: Head, body: &[u8], scrub: &Scrub) -> Error {
    let body = scrub.excerpt_bytes(body, EXCERPT);
    status_error(op, StatusFault { status: head.status, body }, head.retry_after)
}

fn is_ok(status: u16) -> bool {
    status == 200
}

/// Says whether `target` begins with a scheme.
fn is_absolute(target: &str) -> bool {
    let scheme = target.split_once("://").map_or("", |(scheme, _)| scheme);
    !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}
