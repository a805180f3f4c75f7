//! Checks of single certificates on a few threads, with a bound on how many are under way.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::anchor::{Anchor, AnchorDigest, NetworkFingerprint};
use super::digest::CertificateHash;
use super::rules::{BrokenRule, check_content, check_genesis_signature, check_multi_signature};
use super::stm::MultiSignatureVerifier;
use super::types::Certificate;
use super::verifier::{ChainError, Fault};
use crate::network::MithrilNetwork;

/// What one check needs.
pub(super) struct Job {
    pub(super) place: usize,
    pub(super) certificate: Arc<Certificate>,
    pub(super) network: MithrilNetwork,
    pub(super) signatures: Arc<dyn MultiSignatureVerifier>,
    pub(super) fingerprint: NetworkFingerprint,
    pub(super) anchor_key: [u8; 32],
}

impl Job {
    fn run(&self) -> Result<(CertificateHash, Anchor), Fault> {
        let certificate = &self.certificate;
        let fault = |error| Fault { place: self.place, error };
        let checked = catch_unwind(AssertUnwindSafe(|| self.check()));
        let checked = checked.map_err(|_| fault(ChainError::Threads { reason: "a check panicked".to_owned() }))?;
        checked.map_err(|rule| fault(ChainError::Rule { certificate: certificate.hash, rule }))?;
        let digest = AnchorDigest::of(&self.fingerprint, certificate, &self.anchor_key);
        let unwritable = || fault(ChainError::Threads { reason: "a certificate cannot be written".to_owned() });
        let digest = digest.ok_or_else(unwritable)?;
        Ok((certificate.hash, Anchor { epoch: certificate.epoch, digest }))
    }

    fn check(&self) -> Result<(), BrokenRule> {
        check_content(&self.certificate, self.network.cardano.name(), &*self.signatures)?;
        if self.certificate.is_genesis() {
            check_genesis_signature(&self.certificate, &self.network.genesis_key)
        } else {
            check_multi_signature(&self.certificate, &*self.signatures)
        }
    }
}

/// The outcome of one job.
pub(super) struct Checked {
    pub(super) outcome: Result<(CertificateHash, Anchor), Fault>,
}

/// Threads that run jobs. Its owner takes every outcome: [`Checks::next`] until it returns `None`.
pub(super) struct Checks {
    count: NonZeroUsize,
    /// Built with the first job: a resumed walk has none.
    threads: Option<rayon::ThreadPool>,
    sender: mpsc::Sender<Checked>,
    receiver: mpsc::Receiver<Checked>,
    under_way: usize,
    limit: usize,
}

impl Checks {
    pub(super) fn new(count: NonZeroUsize) -> Self {
        let limit = count.get().saturating_mul(AHEAD_PER_THREAD);
        let (sender, receiver) = mpsc::channel(limit);
        Self { count, threads: None, sender, receiver, under_way: 0, limit }
    }

    /// Returns a finished job, waiting for one if there is no room for another; `None` if there is room.
    pub(super) async fn make_room(&mut self) -> Option<Checked> {
        if let Ok(checked) = self.receiver.try_recv() {
            self.under_way = self.under_way.saturating_sub(1);
            return Some(checked);
        }
        if self.under_way < self.limit {
            return None;
        }
        self.next().await
    }

    /// Starts a job, after [`Checks::make_room`].
    pub(super) fn start(&mut self, job: Job) -> Result<(), ChainError> {
        let threads = match self.threads.take() {
            Some(threads) => threads,
            None => rayon::ThreadPoolBuilder::new()
                .num_threads(self.count.get())
                .thread_name(|index| format!("mithril-check-{index}"))
                .build()
                .map_err(|error| ChainError::Threads { reason: error.to_string() })?,
        };
        self.under_way += 1;
        let sender = self.sender.clone();
        threads.spawn_fifo(move || {
            // There is room for every job under way; it fails only if the verification was dropped.
            drop(sender.try_send(Checked { outcome: job.run() }));
        });
        self.threads = Some(threads);
        Ok(())
    }

    /// Waits for the next finished job; `None` if none is under way.
    pub(super) async fn next(&mut self) -> Option<Checked> {
        if self.under_way == 0 {
            return None;
        }
        let checked = self.receiver.recv().await;
        self.under_way = self.under_way.saturating_sub(1);
        checked
    }
}

/// Jobs under way per thread: one that runs, and enough behind it that the thread does not wait for a download.
const AHEAD_PER_THREAD: usize = 4;
