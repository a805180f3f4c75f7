//! What the watches need to know of a certificate.

use core::time::Duration;

use nodewright_core::Epoch;

use crate::certificate::{Certificate, CertificateSummary, EntityKind, Timestamp};

/// Holds what an aggregator's list says of a certificate, as far as the watches are concerned. None of it is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateFact {
    /// Is the epoch in which it was signed.
    pub epoch: Epoch,
    /// Is the kind of what it certifies.
    pub kind: EntityKind,
    /// Says when the collecting of signatures began.
    pub initiated_at: Timestamp,
    /// Says when the quorum was reached.
    pub sealed_at: Timestamp,
    /// Counts the signers whose signatures are in.
    pub signers: u64,
}

impl From<&CertificateSummary> for CertificateFact {
    fn from(summary: &CertificateSummary) -> Self {
        Self {
            epoch: summary.epoch,
            kind: summary.signed_entity.kind(),
            initiated_at: summary.metadata.initiated_at,
            sealed_at: summary.metadata.sealed_at,
            signers: summary.metadata.total_signers,
        }
    }
}

impl From<&Certificate> for CertificateFact {
    fn from(certificate: &Certificate) -> Self {
        Self {
            epoch: certificate.epoch,
            kind: certificate.signed_entity.kind(),
            initiated_at: certificate.metadata.initiated_at,
            sealed_at: certificate.metadata.sealed_at,
            signers: u64::try_from(certificate.metadata.signers.len()).unwrap_or(u64::MAX),
        }
    }
}

/// Returns the time from `earlier` to `later`; zero if it is the other way round.
pub(super) fn since(later: Timestamp, earlier: Timestamp) -> Duration {
    let nanos = i128::from(later.nanos()) - i128::from(earlier.nanos());
    Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}
