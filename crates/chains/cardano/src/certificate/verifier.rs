//! Verifies the chain of certificates from one of them to the genesis, or to a verified anchor.
//!
//! The walk goes backwards: it fetches a certificate, checks cheaply how the one before it links to it, and hands it to a
//! pool of threads that checks its content and signature, while the walk fetches on. Each certificate is checked on its
//! own, so that the order of the checks does not matter; the chain holds when all are done.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use nodewright_core::Epoch;

use super::anchor::{Anchor, AnchorDigest, AnchorError, AnchorStore, Anchors, NetworkFingerprint};
use super::digest::CertificateHash;
use super::pool::{Checked, Checks, Job};
use super::rules::{BrokenRule, check_link};
use super::source::CertificateSource;
use super::stm::{MultiSignatureVerifier, StmVerifier};
use super::types::{Certificate, FormatError, MAX_CERTIFICATE_BYTES};
use crate::network::MithrilNetwork;

/// Verifies chains of one network, whose name and genesis key it pins.
#[derive(Clone)]
pub struct ChainVerifier {
    network: MithrilNetwork,
    limits: ChainLimits,
    signatures: Arc<dyn MultiSignatureVerifier>,
    anchor_key: [u8; 32],
}

impl ChainVerifier {
    /// Makes a verifier that checks multi-signatures with [`StmVerifier`].
    #[must_use]
    pub fn new(network: MithrilNetwork) -> Self {
        Self { network, limits: ChainLimits::default(), signatures: Arc::new(StmVerifier), anchor_key: [0; 32] }
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: ChainLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets what checks multi-signatures.
    #[must_use]
    pub fn with_multi_signatures(mut self, signatures: Arc<dyn MultiSignatureVerifier>) -> Self {
        self.signatures = signatures;
        self
    }

    /// Sets a secret without which no one can make an anchor that this verifier accepts.
    #[must_use]
    pub fn with_anchor_key(mut self, key: nodewright_core::Secret<[u8; 32]>) -> Self {
        self.anchor_key = *key.expose();
        self
    }

    /// Returns the pinned network.
    #[must_use]
    pub fn network(&self) -> &MithrilNetwork {
        &self.network
    }

    /// Verifies the chain from the certificate `tip`.
    ///
    /// With `anchors`, the walk ends at the first certificate that is one, so that it costs as much as there is new; and
    /// after success, every certificate walked becomes an anchor. On any error nothing is stored. `events` is called for
    /// progress, in this task.
    ///
    /// If several certificates are at fault, the error is that of the latest of them.
    ///
    /// # Errors
    /// [`ChainError`], see there.
    ///
    /// # Cancel safety
    /// Nothing is stored before the end. Checks that have begun run on, at most one per thread, and are dropped.
    pub async fn verify(
        &self,
        source: &dyn CertificateSource,
        tip: CertificateHash,
        anchors: Option<&dyn AnchorStore>,
        events: &mut (dyn FnMut(ChainEvent) + Send),
    ) -> Result<VerifiedChain, ChainError> {
        let fingerprint = NetworkFingerprint::from(&self.network);
        let mut known = match anchors {
            Some(store) => store.load(&fingerprint).await?,
            None => Anchors::default(),
        };
        let mut walk = Walk::new(self, fingerprint, &known, events);
        let walked = walk.run(source, tip).await;
        // Also after an error, since an earlier certificate's fault may not have been reported yet.
        let checked = walk.finish().await;
        let (tip, end) = match (checked, walked) {
            (Err(fault), Err(walk_fault)) => return Err(first_of(fault, walk_fault)),
            (Err(fault), Ok(_)) | (Ok(_), Err(fault)) => return Err(fault.error),
            (Ok(_), Ok(done)) => done,
        };
        let Walk { rows, fetched, .. } = walk;
        if let Some(store) = anchors.filter(|_| !rows.is_empty()) {
            for (hash, anchor) in rows {
                known.insert(hash, anchor);
            }
            store.save(&fingerprint, &known).await?;
        }
        Ok(VerifiedChain { tip: VerifiedCertificate(tip), end, fetched })
    }
}

impl fmt::Debug for ChainVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainVerifier")
            .field("network", &self.network)
            .field("limits", &self.limits)
            .field("signatures", &self.signatures)
            .finish_non_exhaustive()
    }
}

/// Bounds what one verification may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainLimits {
    /// Bounds the certificates walked. Default 10,000: a chain has one or two per epoch.
    pub certificates: usize,
    /// Bounds the bytes of one certificate. Default [`MAX_CERTIFICATE_BYTES`], which is also the most.
    pub certificate_bytes: usize,
    /// Bounds the bytes of all certificates together. Default 2 GiB.
    pub total_bytes: u64,
    /// Says how many threads check certificates. Default: one per core.
    pub threads: NonZeroUsize,
}

impl Default for ChainLimits {
    fn default() -> Self {
        Self {
            certificates: 10_000,
            certificate_bytes: MAX_CERTIFICATE_BYTES,
            total_bytes: 2 << 30,
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }
}

impl ChainLimits {
    /// Bounds the certificates walked.
    #[must_use]
    pub fn with_certificates(mut self, certificates: usize) -> Self {
        self.certificates = certificates;
        self
    }

    /// Bounds the bytes of one certificate.
    #[must_use]
    pub fn with_certificate_bytes(mut self, bytes: usize) -> Self {
        self.certificate_bytes = bytes.min(MAX_CERTIFICATE_BYTES);
        self
    }

    /// Bounds the bytes of all certificates together.
    #[must_use]
    pub fn with_total_bytes(mut self, bytes: u64) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// Sets how many threads check certificates.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }
}

/// Tells how far a verification is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainEvent {
    /// The walk met a verified anchor and ends here.
    Anchored {
        /// Names the certificate.
        hash: CertificateHash,
        /// Holds its epoch.
        epoch: Epoch,
    },
    /// A certificate's content and signature hold.
    Checked {
        /// Names the certificate.
        hash: CertificateHash,
        /// Counts the certificates checked so far.
        checked: usize,
        /// Counts the certificates fetched so far.
        fetched: usize,
    },
    /// A certificate was fetched and links to the one after it.
    Fetched {
        /// Names the certificate.
        hash: CertificateHash,
        /// Holds its epoch: it runs from the tip's down to the genesis's.
        epoch: Epoch,
        /// Counts the certificates fetched so far.
        fetched: usize,
    },
}

/// Holds a certificate that was verified with its whole chain. Only a [`ChainVerifier`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCertificate(Arc<Certificate>);

impl VerifiedCertificate {
    /// Returns the certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.0
    }

    /// Asserts that a certificate was verified by other means, such as in a test. Nothing is checked.
    #[must_use]
    pub fn attest(certificate: Certificate) -> Self {
        Self(Arc::new(certificate))
    }
}

/// Holds the outcome of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedChain {
    /// Holds the certificate that was asked for.
    pub tip: VerifiedCertificate,
    /// Says where the walk ended.
    pub end: ChainEnd,
    /// Counts the certificates fetched, the last one included.
    pub fetched: usize,
}

/// Says where a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainEnd {
    /// At a certificate that was verified before.
    Anchor(CertificateHash),
    /// At the genesis certificate.
    Genesis(CertificateHash),
}

/// Says why a chain was not verified. Nothing is stored then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The anchors cannot be used.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// A certificate that was verified before has other content now: the anchor or the certificate was edited.
    #[error("certificate {hash} is not the one that was verified before")]
    AnchorMismatch {
        /// Names the certificate.
        hash: CertificateHash,
    },
    /// The source served something that is no certificate, or one of a later format, or a too long one.
    #[error("certificate {hash}: {error}")]
    Format {
        /// Names the certificate that was asked for.
        hash: CertificateHash,
        /// Says what is wrong with the body.
        error: FormatError,
    },
    /// A limit was reached before the genesis.
    #[error("chain exceeds the limit of {limit} {what}")]
    Limit {
        /// Names what is limited.
        what: &'static str,
        /// Holds the limit.
        limit: u64,
    },
    /// The source does not have a certificate that the chain needs.
    #[error("the source has no certificate {hash}")]
    Missing {
        /// Names the certificate.
        hash: CertificateHash,
    },
    /// A certificate breaks a rule.
    #[error("certificate {certificate}: {rule}")]
    Rule {
        /// Names the certificate, as it was asked for.
        certificate: CertificateHash,
        /// Says which rule.
        rule: BrokenRule,
    },
    /// The source failed.
    #[error(transparent)]
    Source(#[from] nodewright_core::Error),
    /// The source served another certificate than the one asked for.
    #[error("asked for certificate {asked}, was given {given}")]
    Substituted {
        /// Names the certificate that was asked for.
        asked: CertificateHash,
        /// Names the one that came.
        given: CertificateHash,
    },
    /// The threads that check certificates cannot be used.
    #[error("checking threads: {reason}")]
    Threads {
        /// Says why.
        reason: String,
    },
}

/// A fault, and the place on the walk of the certificate that has it: 0 is the tip.
pub(super) struct Fault {
    pub(super) place: usize,
    pub(super) error: ChainError,
}

/// Returns the fault nearest to the tip; at the same place, what is wrong with the certificate itself.
fn first_of(content: Fault, walk: Fault) -> ChainError {
    if content.place <= walk.place { content.error } else { walk.error }
}

/// One walk from a tip.
struct Walk<'a> {
    verifier: &'a ChainVerifier,
    fingerprint: NetworkFingerprint,
    anchors: &'a Anchors,
    events: &'a mut (dyn FnMut(ChainEvent) + Send),
    checks: Checks,
    seen: HashSet<CertificateHash>,
    rows: Vec<(CertificateHash, Anchor)>,
    fetched: usize,
    bytes: u64,
}

impl<'a> Walk<'a> {
    fn new(
        verifier: &'a ChainVerifier,
        fingerprint: NetworkFingerprint,
        anchors: &'a Anchors,
        events: &'a mut (dyn FnMut(ChainEvent) + Send),
    ) -> Self {
        let checks = Checks::new(verifier.limits.threads);
        Self {
            verifier,
            fingerprint,
            anchors,
            events,
            checks,
            seen: HashSet::new(),
            rows: Vec::new(),
            fetched: 0,
            bytes: 0,
        }
    }

    /// Walks to the end; returns the tip and where the end is. Checks may still be under way then.
    async fn run(
        &mut self,
        source: &dyn CertificateSource,
        tip: CertificateHash,
    ) -> Result<(Arc<Certificate>, ChainEnd), Fault> {
        let mut first: Option<Arc<Certificate>> = None;
        let mut later: Option<Arc<Certificate>> = None;
        let mut next = tip;
        loop {
            let place = self.fetched;
            let certificate = Arc::new(self.fetch(source, next).await.map_err(|error| Fault { place, error })?);
            if let Some(later) = later.replace(certificate.clone()) {
                // The rule binds the later certificate, at the place before this one.
                check_link(&later, &certificate).map_err(|rule| Fault {
                    place: place.saturating_sub(1),
                    error: ChainError::Rule { certificate: later.hash, rule },
                })?;
            }
            let (hash, epoch) = (certificate.hash, certificate.epoch);
            let first = first.get_or_insert_with(|| certificate.clone());
            (self.events)(ChainEvent::Fetched { hash, epoch, fetched: self.fetched });
            if let Some(anchor) = self.anchors.find(&hash) {
                self.check_anchor(&certificate, anchor).map_err(|error| Fault { place, error })?;
                (self.events)(ChainEvent::Anchored { hash, epoch });
                return Ok((first.clone(), ChainEnd::Anchor(hash)));
            }
            let first = first.clone();
            let previous = certificate.previous_hash;
            self.check(place, certificate).await?;
            match previous {
                None => return Ok((first, ChainEnd::Genesis(hash))),
                Some(previous) if self.seen.contains(&previous) => {
                    let error = ChainError::Rule { certificate: hash, rule: BrokenRule::Loop };
                    return Err(Fault { place, error });
                }
                Some(previous) => next = previous,
            }
        }
    }

    async fn fetch(
        &mut self,
        source: &dyn CertificateSource,
        hash: CertificateHash,
    ) -> Result<Certificate, ChainError> {
        let limits = &self.verifier.limits;
        let count = |limit: usize| u64::try_from(limit).unwrap_or(u64::MAX);
        if self.fetched >= limits.certificates {
            return Err(ChainError::Limit { what: "certificates", limit: count(limits.certificates) });
        }
        let body = source.certificate(&hash).await?.ok_or(ChainError::Missing { hash })?;
        if body.len() > limits.certificate_bytes {
            let error = FormatError::TooLong { length: body.len(), limit: limits.certificate_bytes };
            return Err(ChainError::Format { hash, error });
        }
        self.bytes = self.bytes.saturating_add(count(body.len()));
        if self.bytes > limits.total_bytes {
            return Err(ChainError::Limit { what: "bytes", limit: limits.total_bytes });
        }
        let certificate = Certificate::from_json(&body).map_err(|error| ChainError::Format { hash, error })?;
        if certificate.hash != hash {
            return Err(ChainError::Substituted { asked: hash, given: certificate.hash });
        }
        self.fetched += 1;
        self.seen.insert(hash);
        Ok(certificate)
    }

    /// Checks that an anchor's certificate has the content it was verified with.
    fn check_anchor(&self, certificate: &Certificate, anchor: &Anchor) -> Result<(), ChainError> {
        let digest = AnchorDigest::of(&self.fingerprint, certificate, &self.verifier.anchor_key);
        let same = digest == Some(anchor.digest) && anchor.epoch == certificate.epoch;
        if same { Ok(()) } else { Err(ChainError::AnchorMismatch { hash: certificate.hash }) }
    }

    /// Hands a certificate to the threads, and takes what they have finished.
    async fn check(&mut self, place: usize, certificate: Arc<Certificate>) -> Result<(), Fault> {
        while let Some(checked) = self.checks.make_room().await {
            self.record(checked)?;
        }
        let job = Job {
            place,
            certificate,
            network: self.verifier.network.clone(),
            signatures: self.verifier.signatures.clone(),
            fingerprint: self.fingerprint,
            anchor_key: self.verifier.anchor_key,
        };
        self.checks.start(job).map_err(|error| Fault { place, error })
    }

    /// Waits for all checks; of several faults, returns the one nearest to the tip.
    async fn finish(&mut self) -> Result<(), Fault> {
        let mut first: Option<Fault> = None;
        while let Some(checked) = self.checks.next().await {
            if let Err(fault) = self.record(checked) {
                first = Some(match first {
                    Some(first) if first.place <= fault.place => first,
                    _ => fault,
                });
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn record(&mut self, checked: Checked) -> Result<(), Fault> {
        let (hash, anchor) = checked.outcome?;
        self.rows.push((hash, anchor));
        let checked = self.rows.len();
        (self.events)(ChainEvent::Checked { hash, checked, fetched: self.fetched });
        Ok(())
    }
}
