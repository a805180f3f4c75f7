//! What a pool registers with: operational certificates, KES signatures and STM keys.

use nodewright_cardano::kes::{OpCert, StmKey, Sum6Signature};

use crate::plant::plant;

/// Takes the first byte of `data` as the form; the rest is what is read in it.
pub fn opcert(data: &[u8]) {
    let Some((&form, bytes)) = data.split_first() else { return };
    match (form, core::str::from_utf8(bytes)) {
        (0, _) => look(OpCert::from_cbor(bytes).ok()),
        (1, Ok(text)) => look(OpCert::from_text(text).ok()),
        (2, Ok(json)) => look(OpCert::from_envelope(json).ok()),
        (3, Ok(text)) => drop(StmKey::from_text(text)),
        (_, Ok(text)) => {
            let Ok(signature) = Sum6Signature::from_text(text) else { return };
            assert!(signature.verify(form % 64, &[7; 32], b"message").is_err(), "nobody signed this");
        }
        _ => {}
    }
}

fn look(certificate: Option<OpCert>) {
    let Some(certificate) = certificate else { return };
    let issue = certificate.issue();
    plant!(issue > 3, issue > 7, issue > 15, issue > 20);
    assert!(certificate.verify().is_err() || certificate.verify().ok() == Some(certificate.pool()));
}
