//! Where certificates come from.

use std::fmt;

use async_trait::async_trait;

use super::digest::CertificateHash;
use super::types::CertificateSummary;

/// Serves certificates: an aggregator, a mirror, a folder.
///
/// Nothing it serves is trusted. Bodies come as bytes, so that whoever verifies them bounds and parses them.
///
/// | id | behaviour |
/// |---|---|
/// | CS-1 | `certificate` returns the body that the source has for that hash, unverified, or `None` if it has none. |
/// | CS-2 | `latest` returns the newest certificates, newest first; it may be a bounded part of all. |
/// | CS-3 | A failure is an error with its retry advice, never `None` and never an empty list. |
#[async_trait]
pub trait CertificateSource: fmt::Debug + Send + Sync {
    /// Fetches the JSON of one certificate.
    ///
    /// # Errors
    /// Any failure to ask the source.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    async fn certificate(&self, hash: &CertificateHash) -> nodewright_core::Result<Option<Vec<u8>>>;

    /// Fetches the list of the newest certificates.
    ///
    /// # Errors
    /// Any failure to ask the source.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    async fn latest(&self) -> nodewright_core::Result<Vec<CertificateSummary>>;
}
