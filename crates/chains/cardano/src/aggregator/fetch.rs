//! Files over the same HTTP shell: those that an aggregator serves, and those on the storage that it names.

use async_trait::async_trait;
use bytes::Bytes;
use nodewright_core::{Error, ErrorKind};
use nodewright_rpc::{Download, DownloadLimits, HttpClient, Resume as Continue, http_status};

use super::client::AggregatorClient;
use crate::snapshot::{ArtifactBody, ArtifactFetcher, FetchError, OpenArtifact, Resume};

/// Fetches files for a [`crate::snapshot::Restorer`], which checks all of them against their certificate.
///
/// Hosts other than the aggregator's are asked without its credentials; redirects are not followed.
#[derive(Clone, Debug)]
pub struct AggregatorFetcher {
    http: HttpClient,
    limits: DownloadLimits,
}

impl AggregatorClient {
    /// Returns a fetcher that shares this client's connections. `limits` bound one file, and the wait for its next bytes.
    #[must_use]
    pub fn fetcher(&self, limits: DownloadLimits) -> AggregatorFetcher {
        AggregatorFetcher { http: self.http().clone(), limits }
    }
}

#[async_trait]
impl ArtifactFetcher for AggregatorFetcher {
    async fn open(&self, uri: &str, resume: Option<&Resume>) -> Result<OpenArtifact, FetchError> {
        let part = resume.map(|resume| Continue { from: resume.offset, validator: resume.validator.as_deref() });
        let download = self.http.download(OP, uri, part, self.limits).await;
        let download = download.map_err(|error| fetch_error(&error, self.limits))?;
        let start = if download.is_resumed() { resume.map_or(0, |resume| resume.offset) } else { 0 };
        Ok(OpenArtifact {
            start,
            total: download.total_len(),
            validator: download.validator().map(str::to_owned),
            body: Box::new(Body { download, limits: self.limits }),
        })
    }
}

struct Body {
    download: Download,
    limits: DownloadLimits,
}

#[async_trait]
impl ArtifactBody for Body {
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        self.download.chunk().await.map_err(|error| fetch_error(&error, self.limits))
    }
}

fn fetch_error(error: &Error, limits: DownloadLimits) -> FetchError {
    match (error.kind(), http_status(error)) {
        (ErrorKind::OutOfRange, _) => FetchError::Range { total: None },
        (_, Some(status)) => FetchError::Status { status },
        (ErrorKind::Limit, None) => FetchError::Long { limit: limits.max_bytes },
        (ErrorKind::Config, None) => FetchError::Uri { reason: error.to_string() },
        (ErrorKind::InvalidData, None) => FetchError::Protocol { reason: error.to_string() },
        (_, None) => FetchError::Transport { reason: error.to_string() },
    }
}

const OP: &str = "fetch artifact";
