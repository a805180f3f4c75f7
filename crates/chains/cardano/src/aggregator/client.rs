//! One aggregator: a call with its headers, its version and its bound.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;
use nodewright_core::EraId;
use nodewright_core::api::VersionAnswer;
use nodewright_rpc::{CallLimits, Endpoint, HttpClient, HttpReply, HttpRequest};
use serde::de::DeserializeOwned;

use super::error::AggregatorError;
use super::many::AggregatorEvent;
use super::options::AggregatorOptions;
use super::route::Route;
use super::version::{Judged, VersionReading, Versions};

/// Asks one aggregator. Clones share connections, the retry budget and what was learned about versions.
///
/// Every call carries `mithril-api-version`, `mithril-origin-tag` and `mithril-client-type`; a registration carries
/// `signer-node-version` too.
#[derive(Clone)]
pub struct AggregatorClient {
    inner: Arc<Inner>,
}

struct Inner {
    http: HttpClient,
    options: AggregatorOptions,
    versions: Versions,
}

impl AggregatorClient {
    /// Makes a client for the aggregator at `url`, such as
    /// `https://aggregator.release-preprod.api.mithril.network/aggregator`. It opens no connection yet.
    ///
    /// # Errors
    /// [`nodewright_core::ErrorKind::Config`] if the URL is none (`https` needs the feature `tls`);
    /// [`nodewright_core::ErrorKind::Unsupported`] if the options leave no version to send.
    pub fn try_new(url: &str, options: AggregatorOptions) -> nodewright_core::Result<Self> {
        let (endpoint, auth) = Endpoint::parse(url)?;
        let http = HttpClient::try_new(endpoint, auth, options.http.clone())?;
        let versions = Versions::try_new(options.apis.clone(), options.era.clone())?;
        Ok(Self { inner: Arc::new(Inner { http, options, versions }) })
    }

    /// Returns where the aggregator is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.inner.http.endpoint()
    }

    /// Returns what is known about versions.
    #[must_use]
    pub fn version(&self) -> VersionReading {
        self.inner.versions.reading()
    }

    /// Goes over to the versions of `era`, from the next call on.
    ///
    /// # Errors
    /// [`nodewright_core::ErrorKind::Unsupported`] if this program speaks none in that era; nothing changes then.
    pub fn set_era(&self, era: EraId) -> nodewright_core::Result<()> {
        Ok(self.inner.versions.set_era(era)?)
    }

    pub(super) fn http(&self) -> &HttpClient {
        &self.inner.http
    }

    /// Gets the body of a 200 answer.
    pub(super) async fn body(&self, route: Route<'_>) -> Result<Bytes, AggregatorError> {
        let reply = self.exchange(route, None, &[]).await?;
        if reply.status() == 200 { Ok(reply.into_body()) } else { Err(AggregatorError::of_reply(route.op(), &reply)) }
    }

    /// Gets the JSON of a 200 answer.
    pub(super) async fn json<T: DeserializeOwned>(&self, route: Route<'_>) -> Result<T, AggregatorError> {
        let body = self.body(route).await?;
        serde_json::from_slice(&body).map_err(|error| format_error(route, &error))
    }

    /// Sends a request, with other versions if one is refused, and returns the answer of whatever status.
    pub(super) async fn exchange(
        &self,
        route: Route<'_>,
        body: Option<Bytes>,
        headers: &[(&str, String)],
    ) -> Result<HttpReply, AggregatorError> {
        let Inner { http, options, versions } = &*self.inner;
        let (op, limits) = (route.op(), CallLimits { timeout: options.timeout, max_body: route.max_reply() });
        let mut attempt = versions.begin();
        loop {
            let path = route.path();
            let mut request = if route.is_post() {
                HttpRequest::post(path, body.clone().unwrap_or_default())
            } else {
                HttpRequest::get(path)
            };
            request = request
                .with_header(API_VERSION, attempt.version().to_string())
                .with_header(ORIGIN_TAG, options.origin.clone())
                .with_header(CLIENT_TYPE, options.client_type.as_str());
            for (name, value) in headers {
                request = request.with_header(*name, value.clone());
            }
            if is_counted(route) {
                request = request.at_most_once();
            }
            let reply = http.send(op, request, limits).await;
            let reply = reply.map_err(|error| AggregatorError::of_transport(op, error))?;
            let header = reply.header(API_VERSION).map(str::as_bytes);
            let answer = VersionAnswer { status: reply.status(), is_empty: reply.body().is_empty(), header };
            let Judged { again, news } = versions.judge(attempt, answer)?;
            if let Some(notice) = news {
                tracing::debug!(%notice, endpoint = %self.endpoint(), "aggregator");
                options.tell(&AggregatorEvent::Version { endpoint: self.endpoint().to_string(), notice });
            }
            match again {
                Some(next) => attempt = next,
                None => return Ok(reply),
            }
        }
    }
}

impl fmt::Debug for AggregatorClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AggregatorClient")
            .field("endpoint", self.endpoint())
            .field("options", &self.inner.options)
            .field("version", &self.version())
            .finish()
    }
}

/// Makes the error for a reply whose body is not of the route's format.
pub(super) fn format_error(route: Route<'_>, reason: &dyn fmt::Display) -> AggregatorError {
    AggregatorError::Format { op: route.op(), reason: reason.to_string() }
}

/// Says whether the aggregator counts each request, so that one must not be sent twice. A registration may be: it is
/// accepted again.
fn is_counted(route: Route<'_>) -> bool {
    route.is_post() && !matches!(route, Route::RegisterSigner | Route::RegisterSignature)
}

/// The version of the API, in requests and in all replies (Mithril's `mithril-common` 0.8, like the next two).
const API_VERSION: &str = "mithril-api-version";
/// Where a request comes from.
const ORIGIN_TAG: &str = "mithril-origin-tag";
/// Which kind of program sent it.
const CLIENT_TYPE: &str = "mithril-client-type";
