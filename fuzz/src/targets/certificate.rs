//! Mithril's certificates: in full, and in lists.

use nodewright_cardano::certificate::{Certificate, CertificateSummary};

use crate::plant::plant;

/// Takes the first byte of `data` as the choice between a certificate and a list; the rest is its JSON.
///
/// A certificate writes back to what reads the same, and its hash can be asked for.
pub fn certificate(data: &[u8]) {
    match data.split_first() {
        Some((0, json)) => {
            let Ok(certificate) = Certificate::from_json(json) else { return };
            let written = serde_json::to_vec(&certificate).expect("a certificate is JSON");
            assert_eq!(Certificate::from_json(&written).as_ref(), Ok(&certificate), "comes back");
            let k = certificate.metadata.parameters.k;
            plant!(k > 5, k > 6, k > 7, k > 8);
            drop(certificate.aggregate_verification_key.parts());
            drop(certificate.compute_hash());
        }
        Some((_, json)) => drop(serde_json::from_slice::<Vec<CertificateSummary>>(json)),
        None => {}
    }
}
