//! HTTPS through `reqwest`: certificates are judged by the system's store and the extra roots of the options.

use std::error::Error as StdError;

use nodewright_core::{Error, ErrorKind, Result};
use reqwest::{Certificate, Client, redirect, retry};
use tokio::sync::OnceCell;

use super::{Arrival, Body, Parcel, innermost, unanswered, unsendable};
use crate::options::HttpOptions;
use crate::redact::Scrub;

/// Makes a [`Web`] when one is needed, because it reads the system's certificates.
pub(super) struct LazyWeb {
    web: OnceCell<Web>,
    options: HttpOptions,
}

impl LazyWeb {
    pub(super) fn later(options: &HttpOptions) -> Self {
        Self { web: OnceCell::new(), options: options.clone() }
    }

    pub(super) fn try_new(options: &HttpOptions) -> Result<Self> {
        Ok(Self { web: OnceCell::new_with(Some(Web::try_new(options)?)), options: options.clone() })
    }

    pub(super) async fn carrier(&self, op: &'static str) -> Result<&Web> {
        let make = || async {
            let options = self.options.clone();
            let made = tokio::task::spawn_blocking(move || Web::try_new(&options)).await;
            made.unwrap_or_else(|error| Err(Error::new(ErrorKind::Config, op).because(error)))
        };
        self.web.get_or_try_init(make).await
    }
}

/// Carries requests over TLS.
pub(super) struct Web {
    client: Client,
}

impl Web {
    fn try_new(options: &HttpOptions) -> Result<Self> {
        let client = Client::builder()
            // One request at a time on a connection, so that the permits count connections.
            .http1_only()
            .https_only(true)
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(options.idle_timeout)
            .pool_max_idle_per_host(options.connections())
            .retry(retry::never())
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            // Features of reqwest unify across a program.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .tls_certs_merge(roots(options)?)
            .build()
            .map_err(|error| set_up(&error))?;
        Ok(Self { client })
    }

    pub(super) async fn send(&self, parcel: Parcel, scrub: &Scrub) -> Result<Arrival> {
        let op = parcel.op;
        let mut request = reqwest::Request::new(parcel.method, parcel.url);
        *request.headers_mut() = parcel.headers;
        *request.body_mut() = Some(parcel.body.into());
        let response = self.client.execute(request).await.map_err(|error| {
            let words = cause(&error, scrub);
            if error.is_builder() { unsendable(op, words) } else { unanswered(op, !error.is_connect(), words) }
        })?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Arrival { status, headers, body: Body::Web(Box::new(response)) })
    }
}

/// Reads the extra roots; a text that holds no certificate is refused, for it would be left out in silence.
fn roots(options: &HttpOptions) -> Result<Vec<Certificate>> {
    let mut roots = Vec::new();
    for file in &options.extra_roots {
        let some = Certificate::from_pem_bundle(file.pem()).map_err(|error| set_up(&error))?;
        if some.is_empty() {
            return Err(Error::new(ErrorKind::Config, "http client").with("extra roots", "no PEM certificate"));
        }
        roots.extend(some);
    }
    Ok(roots)
}

fn set_up(error: &reqwest::Error) -> Error {
    Error::new(ErrorKind::Config, "http client").with("tls", cause(error, &Scrub::default()))
}

/// Returns the last cause in words. The outermost error may name the URL, so that it is never repeated.
pub(super) fn cause(error: &reqwest::Error, scrub: &Scrub) -> String {
    match error.source() {
        Some(source) => innermost(source, scrub),
        None if error.is_timeout() => "timed out".to_owned(),
        None => "no cause given".to_owned(),
    }
}
