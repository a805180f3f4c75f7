//! HTTP to one node: bounded connections, credentials, rate limit and retries around each exchange.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;
use nodewright_core::{Error, ErrorKind, Result};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, Url, redirect, retry};
use tokio::sync::Semaphore;

use crate::auth::{Auth, Credentials, Login};
use crate::classify::status_error;
use crate::endpoint::Endpoint;
use crate::fault::StatusFault;
use crate::options::{CallLimits, HttpOptions};
use crate::rate::RateLimiter;
use crate::redact::{EXCERPT, Scrub};
use crate::retry::{Repeat, Retrier};
use crate::transport::{Answer, Head, exchange};

/// Speaks HTTP/1.1 to one node. Clones share connections, credentials, rate limit and retry budget.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    endpoint: Endpoint,
    credentials: Credentials,
    connections: Semaphore,
    limiter: Option<RateLimiter>,
    retrier: Retrier,
    scrub: Arc<Scrub>,
    options: HttpOptions,
}

impl HttpClient {
    /// Makes a client; it opens no connection and reads no file yet.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the credentials cannot be sent or the TLS set-up fails.
    pub fn try_new(endpoint: Endpoint, auth: Auth, options: HttpOptions) -> Result<Self> {
        let mut scrub = endpoint.scrub();
        if let Auth::Basic { password, .. } = &auth {
            scrub.add(password.expose());
        }
        let connections = usize::try_from(options.max_connections.get()).unwrap_or(usize::MAX);
        let client = Client::builder()
            .user_agent(concat!("nodewright/", env!("CARGO_PKG_VERSION")))
            // One request at a time on a connection, so that the permits count connections.
            .http1_only()
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(options.idle_timeout)
            .pool_max_idle_per_host(connections)
            // Retries are paid from our budget only.
            .retry(retry::never())
            // Both would hand the credentials to a machine that the operator did not name; a redirected POST would
            // also become a GET.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            // Features of reqwest unify across a program; a body limit must count what was received.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .build()
            .map_err(|error| Error::new(ErrorKind::Config, "http client").because(error.without_url()))?;
        Ok(Self {
            inner: Arc::new(Inner {
                client,
                credentials: Credentials::try_new(auth)?,
                connections: Semaphore::new(connections.min(Semaphore::MAX_PERMITS)),
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
        let url = self.inner.endpoint.join(path);
        let request = Request { op, method: Method::GET, url, body: None };
        self.send(&request, limits, Repeat::Freely, |answer| self.accept(op, answer)).await
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
        let request =
            Request { op, method: Method::POST, url: self.inner.endpoint.join(path), body: Some(body.into()) };
        self.send(&request, limits, Repeat::Freely, |answer| self.accept(op, answer)).await
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
        let request =
            Request { op, method: Method::POST, url: self.inner.endpoint.join(path), body: Some(body.into()) };
        self.send(&request, limits, Repeat::Once, |answer| self.accept(op, answer)).await
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
        let request = Request { op, method: Method::POST, url: self.inner.endpoint.url(), body: Some(body) };
        self.send(&request, limits, repeat, interpret).await
    }

    /// Makes the error for a refusal that no JSON-RPC fault explains.
    pub(crate) fn refusal(&self, op: &'static str, head: Head, body: &[u8]) -> Error {
        let body = self.inner.scrub.excerpt_bytes(body, EXCERPT);
        status_error(op, StatusFault { status: head.status, body }, head.retry_after)
    }

    fn accept(&self, op: &'static str, answer: Answer) -> Result<Bytes> {
        if answer.head.status == 200 { Ok(answer.body) } else { Err(self.refusal(op, answer.head, &answer.body)) }
    }

    async fn send<T>(
        &self,
        request: &Request,
        limits: CallLimits,
        repeat: Repeat,
        interpret: impl Fn(Answer) -> Result<T>,
    ) -> Result<T> {
        let interpret = &interpret;
        let attempt = || async move { interpret(self.inner.attempt(request, limits.max_body).await?) };
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
    /// Exchanges once, or twice if the login was refused and a newer one was found.
    async fn attempt(&self, request: &Request, max_body: usize) -> Result<Answer> {
        let (answer, login) = self.exchange(request, max_body).await?;
        if answer.head.status == 401 && self.credentials.renew(request.op, login.as_ref()).await? {
            tracing::debug!(op = request.op, "the node's cookie changed; log in again");
            return Ok(self.exchange(request, max_body).await?.0);
        }
        Ok(answer)
    }

    async fn exchange(&self, request: &Request, max_body: usize) -> Result<(Answer, Option<Login>)> {
        if let Some(limiter) = &self.limiter {
            limiter.acquire().await;
        }
        let permit = self.connections.acquire().await;
        let _permit = permit.map_err(|error| Error::new(ErrorKind::Unreachable, request.op).because(error))?;
        let login = self.credentials.current(request.op).await?;
        let mut builder = self.client.request(request.method.clone(), request.url.clone());
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.clone());
        }
        if let Some(login) = &login {
            builder = builder.basic_auth(&login.user, Some(login.password.expose()));
        }
        let answer = exchange(request.op, builder, max_body, self.options.max_retry_after, &self.scrub).await?;
        tracing::trace!(op = request.op, status = answer.head.status, bytes = answer.body.len(), "answer");
        Ok((answer, login))
    }
}

/// Is one request, kept so that it can be sent again.
struct Request {
    op: &'static str,
    method: Method,
    url: Url,
    body: Option<Bytes>,
}
