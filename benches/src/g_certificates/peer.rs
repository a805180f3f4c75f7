//! The certificate client of `mithril-client` with its own verifier, fed from memory instead of over HTTP.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use mithril_client::certificate_client::{CertificateAggregatorRequest, CertificateClient, MithrilCertificateVerifier};
use mithril_client::feedback::FeedbackSender;
use mithril_client::{MithrilCertificate, MithrilCertificateListItem, MithrilResult};
use slog::Logger;

use super::chain::Chain;

pub(super) struct Peer {
    client: CertificateClient,
    shelf: Arc<Shelf>,
}

impl Peer {
    pub(super) fn new(chain: &Chain) -> Result<Self, String> {
        let shelf = Arc::new(Shelf { bodies: chain.texts(), asked: AtomicUsize::new(0) });
        let logger = Logger::root(slog::Discard, slog::o!());
        let verifier = MithrilCertificateVerifier::new(
            Arc::clone(&shelf) as Arc<dyn CertificateAggregatorRequest>,
            chain.key(),
            FeedbackSender::new(&[]),
            logger.clone(),
        );
        let verifier = Arc::new(verifier.map_err(|error| format!("the peer: {error:?}"))?);
        let client = CertificateClient::new(Arc::clone(&shelf) as _, verifier, logger);
        Ok(Self { client, shelf })
    }

    /// Verifies the chain, and returns how many certificates that took.
    pub(super) async fn verify(&self, tip: &str) -> Result<usize, String> {
        self.client.verify_chain(tip).await.map_err(|error| format!("the peer: {error:?}"))?;
        Ok(self.shelf.asked.swap(0, Relaxed))
    }
}

/// What the HTTP client of `mithril-client` does with a body, without the HTTP.
struct Shelf {
    bodies: HashMap<String, Vec<u8>>,
    asked: AtomicUsize,
}

#[async_trait]
impl CertificateAggregatorRequest for Shelf {
    async fn list_latest(&self) -> MithrilResult<Vec<MithrilCertificateListItem>> {
        Ok(Vec::new())
    }

    async fn get_by_hash(&self, hash: &str) -> MithrilResult<Option<MithrilCertificate>> {
        self.asked.fetch_add(1, Relaxed);
        Ok(self.bodies.get(hash).map(|body| serde_json::from_slice(body)).transpose()?)
    }
}
