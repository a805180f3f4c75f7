//! Carries one request to where it goes and brings the head of its answer, and the body piece by piece.
//!
//! - `direct`: `http`, over connections of our own, which acknowledge at once what they receive;
//! - `web`: `https` (feature `tls`), through `reqwest`.
//!
//! Neither follows a redirect, knows a proxy, undoes a compression or sends a request again that may have arrived: the
//! first two would hand the credentials to a machine that the operator did not name, a body limit must count what was
//! received, and retries are paid from a budget.

mod direct;
#[cfg(feature = "tls")]
mod web;

use std::error::Error as StdError;

use bytes::Bytes;
use hyper::{HeaderMap, Method};
use nodewright_core::{Error, ErrorKind, Result, Retry};
use url::Url;

use self::direct::Direct;
#[cfg(feature = "tls")]
use self::web::LazyWeb;
use crate::fault::TransportFault;
use crate::options::HttpOptions;
use crate::redact::{EXCERPT, Scrub};

/// Carries requests of either scheme.
pub(crate) struct Carrier {
    direct: Direct,
    #[cfg(feature = "tls")]
    web: LazyWeb,
}

impl Carrier {
    /// Makes a carrier; it opens no connection. What `https` needs is read now if `https` says that it will be used, and
    /// otherwise when it first is.
    #[cfg(feature = "tls")]
    pub(crate) fn try_new(options: &HttpOptions, https: bool) -> Result<Self> {
        let web = if https { LazyWeb::try_new(options)? } else { LazyWeb::later(options) };
        Ok(Self { direct: Direct::new(options), web })
    }

    /// Makes a carrier; it opens no connection.
    #[cfg(not(feature = "tls"))]
    pub(crate) fn try_new(options: &HttpOptions, _https: bool) -> Result<Self> {
        if options.extra_roots.is_empty() {
            return Ok(Self { direct: Direct::new(options) });
        }
        Err(Error::new(ErrorKind::Config, "http client").with("extra roots", "they need the feature `tls`"))
    }

    /// Sends `parcel` and waits for the head of its answer.
    pub(crate) async fn send(&self, parcel: Parcel, scrub: &Scrub) -> Result<Arrival> {
        #[cfg(feature = "tls")]
        if parcel.url.scheme() == "https" {
            return self.web.carrier(parcel.op).await?.send(parcel, scrub).await;
        }
        self.direct.send(parcel, scrub).await
    }
}

/// Is a request with everything that is to be sent but what HTTP itself adds.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) op: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Is the head of an answer, and its body to be read.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// Reads a body piece by piece.
#[derive(Debug)]
pub(crate) enum Body {
    Direct(hyper::body::Incoming),
    #[cfg(feature = "tls")]
    Web(Box<reqwest::Response>),
}

impl Body {
    /// Returns the length in bytes that the head announced.
    pub(crate) fn announced(&self) -> Option<u64> {
        match self {
            Self::Direct(body) => direct::announced(body),
            #[cfg(feature = "tls")]
            Self::Web(response) => response.content_length(),
        }
    }

    /// Waits for the next piece, `None` at the end; an error is the cause in words. Dropping the future loses nothing.
    pub(crate) async fn chunk(&mut self, scrub: &Scrub) -> core::result::Result<Option<Bytes>, String> {
        match self {
            Self::Direct(body) => direct::chunk(body).await.map_err(|error| innermost(&error, scrub)),
            #[cfg(feature = "tls")]
            Self::Web(response) => response.chunk().await.map_err(|error| web::cause(&error, scrub)),
        }
    }
}

/// Makes the error for a request that cannot be put into HTTP.
fn unsendable(op: &'static str, cause: String) -> Error {
    Error::new(ErrorKind::Config, op).with("request", cause)
}

/// Makes the error for a request that got no answer; `connected` says whether it may have arrived.
fn unanswered(op: &'static str, connected: bool, cause: String) -> Error {
    let fault = if connected { TransportFault::Lost { cause } } else { TransportFault::Connect { cause } };
    Error::new(ErrorKind::Unreachable, op).with_retry(Retry::After(None)).because(fault)
}

/// Returns the last cause in words: the system's. The outer errors say only that something failed.
fn innermost(error: &dyn StdError, scrub: &Scrub) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    scrub.excerpt(&cause.to_string(), EXCERPT)
}

#[cfg(all(test, not(feature = "tls")))]
mod tests {
    use super::*;
    use crate::options::RootCertificates;

    #[test]
    fn extra_roots_without_the_feature_say_which_feature() {
        let options = HttpOptions::default().with_extra_roots(RootCertificates::from_pem("a certificate"));
        let error = Carrier::try_new(&options, false).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("`tls`"), "{error}");
    }
}
