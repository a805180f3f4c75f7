//! Multi-signatures and the keys that they are checked against, in hex of JSON.

use nodewright_cardano::certificate::{
    AggregateVerificationKey, MultiSignature, MultiSignatureVerifier as _, PhiF, ProtocolParameters, StmVerifier,
};

use crate::plant::plant;

/// Takes the first byte of `data` as the length of the key's JSON in units of 4 bytes; the signature's JSON follows it.
///
/// The two are put into hex here, so that a search reaches what is behind it. None may verify.
pub fn multi_signature(data: &[u8]) {
    let Some((&length, rest)) = data.split_first() else { return };
    let (key, signature) = rest.split_at(rest.len().min(usize::from(length) * 4));
    let key = AggregateVerificationKey::from_text(hex(key));
    let parts = key.parts();
    let leaves = parts.as_ref().map_or(0, |parts| parts.leaves);
    plant!(leaves > 1, leaves > 3, leaves > 5, leaves > 7);
    let signature = MultiSignature::from_text(hex(signature));
    let Ok(phi_f) = PhiF::try_new(0.2) else { return };
    let parameters = ProtocolParameters { k: 5, m: 100, phi_f };
    let verified = StmVerifier.verify(b"message", &signature, &key, &parameters);
    assert!(verified.is_err(), "nobody signed this");
    drop(StmVerifier.to_json_hex(&signature));
}

fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes it");
        text
    })
}
