//! What a verification does not tell by itself: who signed, and how long signatures take. Both are wrapped from outside.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use nodewright::cardano::Stake;
use nodewright::cardano::certificate::{
    AggregateVerificationKey, Certificate, CertificateHash, CertificateSource, CertificateSummary, MultiSignature,
    MultiSignatureError, MultiSignatureVerifier, ProtocolParameters, StmVerifier,
};
use nodewright::core::{Epoch, Result};

/// Is who signed one certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed {
    pub(crate) epoch: Epoch,
    pub(crate) signers: usize,
    pub(crate) stake: Stake,
    /// Is the stake of all who could have signed.
    pub(crate) total: Stake,
}

/// Passes certificates on and notes who signed them. The notes are worth as much as the verification that follows.
#[derive(Debug)]
pub(crate) struct Noting<'a> {
    source: &'a dyn CertificateSource,
    signed: Mutex<Vec<Signed>>,
}

impl<'a> Noting<'a> {
    pub(crate) fn new(source: &'a dyn CertificateSource) -> Self {
        Self { source, signed: Mutex::default() }
    }

    pub(crate) fn into_signed(self) -> Vec<Signed> {
        self.signed.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, certificate: &Certificate) {
        let Ok(parts) = certificate.aggregate_verification_key.parts() else { return };
        let signers = &certificate.metadata.signers;
        let stake = signers.iter().fold(0_u64, |sum, party| sum.saturating_add(party.stake.0));
        let (epoch, signers, stake) = (certificate.epoch, signers.len(), Stake(stake));
        if !certificate.is_genesis() {
            let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
            signed.push(Signed { epoch, signers, stake, total: parts.total_stake });
        }
    }
}

#[async_trait]
impl CertificateSource for Noting<'_> {
    async fn certificate(&self, hash: &CertificateHash) -> Result<Option<Vec<u8>>> {
        let body = self.source.certificate(hash).await?;
        if let Some(Ok(certificate)) = body.as_deref().map(Certificate::from_json) {
            self.note(&certificate);
        }
        Ok(body)
    }

    async fn latest(&self) -> Result<Vec<CertificateSummary>> {
        self.source.latest().await
    }
}

/// Checks multi-signatures and takes the time.
#[derive(Debug, Default)]
pub(crate) struct Timed {
    held: AtomicUsize,
    nanos: AtomicU64,
}

impl Timed {
    /// Returns how many held, and the time of all threads together.
    pub(crate) fn held(&self) -> (usize, Duration) {
        (self.held.load(Ordering::Relaxed), Duration::from_nanos(self.nanos.load(Ordering::Relaxed)))
    }
}

impl MultiSignatureVerifier for Timed {
    fn verify(
        &self,
        message: &[u8],
        signature: &MultiSignature,
        key: &AggregateVerificationKey,
        parameters: &ProtocolParameters,
    ) -> core::result::Result<(), MultiSignatureError> {
        let begun = Instant::now();
        StmVerifier.verify(message, signature, key, parameters)?;
        let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.held.fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        Ok(())
    }

    fn to_json_hex(
        &self,
        signature: &MultiSignature,
    ) -> core::result::Result<Option<MultiSignature>, MultiSignatureError> {
        StmVerifier.to_json_hex(signature)
    }
}
