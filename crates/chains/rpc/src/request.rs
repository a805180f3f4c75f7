//! Requests with headers of their own, and answers of any status.

use core::fmt;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};
use nodewright_core::{Error, ErrorKind, Result};

use crate::http::HttpClient;
use crate::transport::Answer;

/// States one request for [`HttpClient::send`].
///
/// `Debug` shows the names of its headers, not their values, which may be keys.
#[derive(Clone)]
#[must_use]
pub struct HttpRequest {
    pub(crate) method: HttpMethod,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) once: bool,
}

impl HttpRequest {
    /// Makes a request for `path` (which may have a query) below the endpoint.
    pub fn new(method: HttpMethod, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: None, once: false }
    }

    /// Makes a GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(HttpMethod::Get, path)
    }

    /// Makes a POST.
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(HttpMethod::Post, path).with_body(body)
    }

    /// Returns the request with a body; it is JSON unless a header `content-type` says otherwise.
    pub fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// Returns the request with one more header; names are case-insensitive, and the last of one name counts.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Returns the request as one that changes something: it is sent at most once.
    pub fn at_most_once(self) -> Self {
        Self { once: true, ..self }
    }

    /// Returns the headers in the form they are sent in.
    pub(crate) fn header_map(&self, op: &'static str) -> Result<HeaderMap> {
        let refuse = |name: &str, why: &str| {
            Error::new(ErrorKind::Config, op).with("header", format_args!("{} {why}", name.escape_debug()))
        };
        let mut map = HeaderMap::new();
        if self.body.is_some() {
            map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name).map_err(|_| refuse(name, "is no name of a header"))?;
            if OURS.contains(&name.as_str()) {
                return Err(refuse(name.as_str(), "is for the client to send"));
            }
            let mut value =
                HeaderValue::try_from(value).map_err(|_| refuse(name.as_str(), "has a value that cannot be sent"))?;
            value.set_sensitive(true);
            map.insert(name, value);
        }
        Ok(map)
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("headers", &names)
            .field("body", &self.body.as_ref().map(Bytes::len))
            .field("once", &self.once)
            .finish_non_exhaustive()
    }
}

/// Names what a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpMethod {
    /// Removes something.
    Delete,
    /// Reads.
    Get,
    /// Has the body worked on.
    Post,
    /// Puts the body in the place of something.
    Put,
}

impl HttpMethod {
    pub(crate) fn to_wire(self) -> Method {
        match self {
            Self::Delete => Method::DELETE,
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
        }
    }
}

/// Holds a whole answer, whatever its status.
pub struct HttpReply {
    client: HttpClient,
    op: &'static str,
    answer: Answer,
}

impl HttpReply {
    /// Takes an answer that is for the caller to read; of any other it makes the error that the answer stands for.
    pub(crate) fn try_new(client: &HttpClient, op: &'static str, answer: Answer) -> Result<Self> {
        if is_reply(answer.head.status) {
            Ok(Self { client: client.clone(), op, answer })
        } else {
            Err(client.refusal(op, answer.head, &answer.body))
        }
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.answer.head.status
    }

    /// Returns the first header of this name, case-insensitive; `None` too if its value is more than visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers.get(name)?.to_str().ok()
    }

    /// Returns the body, empty if there was none.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.answer.body
    }

    /// Returns the body without copying it.
    #[must_use]
    pub fn into_body(self) -> Bytes {
        self.answer.body
    }

    /// Makes the error that [`HttpClient::get`] returns for such an answer, for a caller to whom the status is a refusal.
    #[must_use]
    pub fn refusal(&self) -> Error {
        self.client.refusal(self.op, self.answer.head, &self.answer.body).with("endpoint", self.client.endpoint())
    }
}

impl fmt::Debug for HttpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpReply")
            .field("op", &self.op)
            .field("status", &self.status())
            .field("body", &self.answer.body.len())
            .finish_non_exhaustive()
    }
}

/// Says whether an answer is for the caller to read: any but one that says no more than to ask again.
///
/// 500 is to be read too: nodeos and the REST servers of the Cosmos family put ordinary refusals under it.
pub(crate) fn is_reply(status: u16) -> bool {
    !matches!(status, 408 | 429 | 502..=504)
}

/// Are the headers that a caller cannot set: what frames a message, names the server, or logs in.
const OURS: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
