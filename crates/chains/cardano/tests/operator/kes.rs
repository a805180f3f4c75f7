//! Operational certificates and KES signatures: real ones, generated ones, and broken ones.

use ed25519_dalek::{Signer as _, SigningKey};
use kes_summed_ed25519::kes::{Sum6Kes, Sum6KesSig};
use kes_summed_ed25519::traits::{KesSig as _, KesSk as _};
use mithril_common::crypto_helper::{KesEvolutions, KesVerifier as _, KesVerifierStandard, OpCert as TheirOpCert};
use nodewright_cardano::kes::{Evolutions, KesError, OpCert, RegistrationText, SignerRegistration, Sum6Signature};
use serde_json::Value;

/// Is a registration of the corpus, owned.
struct Recorded {
    party: String,
    key: String,
    signature: String,
    certificate: String,
    evolutions: u64,
}

impl Recorded {
    fn text(&self) -> RegistrationText<'_> {
        RegistrationText {
            party_id: &self.party,
            verification_key: &self.key,
            verification_key_signature: Some(&self.signature),
            operational_certificate: Some(&self.certificate),
            kes_period: Some(self.evolutions),
        }
    }

    fn read(&self) -> SignerRegistration {
        SignerRegistration::from_text(&self.text()).unwrap()
    }
}

fn recorded(signers: &Value) -> Vec<Recorded> {
    let text = |signer: &Value, key: &str| signer[key].as_str().unwrap().to_owned();
    let read = |signer: &Value| Recorded {
        party: text(signer, "party_id"),
        key: text(signer, "verification_key"),
        signature: text(signer, "verification_key_signature"),
        certificate: text(signer, "operational_certificate"),
        evolutions: signer["kes_period"].as_u64().unwrap(),
    };
    signers.as_array().unwrap().iter().map(read).collect()
}

/// Returns the registrations of three epochs of preprod, of 28 pools each.
fn preprod() -> Option<Vec<Recorded>> {
    let path = nodewright_testkit::corpus("mithril/preprod-2023/mithril-stake-distributions.json")?;
    let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    Some(all.as_object().unwrap().values().flat_map(|one| recorded(&one["signers"])).collect())
}

#[test]
fn all_84_real_registrations_of_preprod_verify() {
    let Some(all) = preprod() else { return };
    assert_eq!(all.len(), 84);
    for one in &all {
        let verified = one.read().verify().unwrap();
        assert_eq!(verified.pool().to_string(), one.party);
        assert!(verified.evolution().abs_diff(u8::try_from(one.evolutions).unwrap()) <= 1);
    }
}

#[test]
fn the_registrations_of_a_devnet_of_2026_verify() {
    let Some(path) = nodewright_testkit::corpus("mithril/devnet-2026/epoch-settings.json") else { return };
    let settings: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut all = recorded(&settings["current_signers"]);
    all.extend(recorded(&settings["next_signers"]));
    assert_eq!(all.len(), 4);
    for one in &all {
        assert_eq!(one.read().verify().unwrap().pool().to_string(), one.party);
    }
}

/// Is what the JSON of a real registration becomes as raw bytes: certificate as CBOR, signature, key.
fn raw(one: &Recorded) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    use mithril_common::crypto_helper::{
        ProtocolOpCert, ProtocolSignerVerificationKeyForConcatenation,
        ProtocolSignerVerificationKeySignatureForConcatenation,
    };
    let certificate = ProtocolOpCert::from_json_hex(&one.certificate).unwrap();
    let signature = ProtocolSignerVerificationKeySignatureForConcatenation::from_json_hex(&one.signature).unwrap();
    let key = ProtocolSignerVerificationKeyForConcatenation::from_json_hex(&one.key).unwrap();
    (
        hex::decode(certificate.to_bytes_hex().unwrap()).unwrap(),
        signature.to_bytes().to_vec(),
        key.to_canonical_bytes().to_vec(),
    )
}

#[test]
fn the_bytes_form_that_mithril_writes_is_read_as_the_same_registration() {
    let Some(all) = preprod() else { return };
    for one in all.iter().step_by(9) {
        let (certificate, signature, key) = raw(one);
        let bytes = Recorded {
            party: one.party.clone(),
            key: hex::encode(key),
            signature: hex::encode(signature),
            certificate: hex::encode(certificate),
            evolutions: one.evolutions,
        };
        assert_eq!(bytes.read(), one.read());
    }
}

#[test]
fn no_registration_survives_a_flipped_bit() {
    let Some(all) = preprod() else { return };
    let mut rng = fastrand::Rng::with_seed(5);
    for one in all.iter().step_by(3) {
        let (certificate, signature, key) = raw(one);
        let evolution = one.read().verify().unwrap().evolution();
        let verify = |certificate: &[u8], signature: &[u8], key: &[u8]| {
            let texts = [certificate, signature, key].map(hex::encode);
            let text = RegistrationText {
                operational_certificate: Some(&texts[0]),
                verification_key_signature: Some(&texts[1]),
                verification_key: &texts[2],
                kes_period: Some(u64::from(evolution)),
                party_id: &one.party,
            };
            SignerRegistration::from_text(&text).and_then(|read| read.verify())
        };
        assert_eq!(verify(&certificate, &signature, &key).unwrap().evolution(), evolution);
        let flip = |bytes: &[u8], bit: usize| {
            let mut bytes = bytes.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        let bit = rng.usize(0..certificate.len() * 8);
        assert!(verify(&flip(&certificate, bit), &signature, &key).is_err(), "certificate, bit {bit}");
        let bit = rng.usize(0..key.len() * 8);
        assert!(verify(&certificate, &signature, &flip(&key, bit)).is_err(), "key, bit {bit}");
        for bit in [rng.usize(0..64 * 8), rng.usize(64 * 8..signature.len() * 8)] {
            assert!(verify(&certificate, &flip(&signature, bit), &key).is_err(), "signature, bit {bit}");
        }
    }
}

#[test]
fn a_registration_of_another_pool_or_without_its_parts_is_refused_by_name() {
    let Some(all) = preprod() else { return };
    let (one, other) = (&all[0], all.iter().find(|other| other.party != all[0].party).unwrap());
    let read = |text: RegistrationText<'_>| SignerRegistration::from_text(&text);
    let stolen = read(RegistrationText { party_id: &other.party, ..one.text() }).unwrap();
    assert!(matches!(stolen.verify(), Err(KesError::OtherPool { stated, .. }) if stated == other.party));
    let silent = read(RegistrationText { kes_period: None, ..one.text() }).unwrap();
    assert!(matches!(silent.verify(), Err(KesError::MissingPeriod { party }) if party == one.party));
    let bare = read(RegistrationText { operational_certificate: None, ..one.text() });
    assert!(matches!(bare, Err(KesError::MissingCertificate { .. })));
    let unsigned = read(RegistrationText { verification_key_signature: None, ..one.text() });
    assert!(matches!(unsigned, Err(KesError::MissingSignature { .. })));
    let foreign = read(RegistrationText { operational_certificate: Some(&other.certificate), ..one.text() }).unwrap();
    assert!(matches!(foreign.verify(), Err(KesError::OtherPool { .. })));
    let late = one.read().verify_at(Evolutions(one.evolutions + 3));
    assert!(matches!(late, Err(KesError::NoEvolution { .. })), "{late:?}");
}

#[test]
fn texts_of_any_length_and_content_are_refused_without_a_panic() {
    let Some(all) = preprod() else { return };
    let one = &all[0];
    let long = "5b".repeat(10_000_000);
    for text in ["", "5b", "7b7d", "zz", "82", "5b5b5b5d5d5d", long.as_str()] {
        assert!(OpCert::from_text(text).is_err());
        assert!(Sum6Signature::from_text(text).is_err());
        assert!(nodewright_cardano::kes::StmKey::from_text(text).is_err());
    }
    assert!(matches!(OpCert::from_text(&long), Err(KesError::TooLong { found: 20_000_000, .. })));
    for cut in (0..one.signature.len()).step_by(101) {
        assert!(Sum6Signature::from_text(&one.signature[..cut]).is_err(), "cut to {cut}");
    }
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..rng.usize(0..500)).map(|_| rng.u8(..)).collect();
        assert!(OpCert::from_cbor(&bytes).is_err());
    }
}

/// Is a KES key with the certificate of a cold key, as both libraries see it.
struct Generated {
    root: [u8; 32],
    /// Signatures over `message`, one for each evolution.
    signatures: Vec<Sum6KesSig>,
    message: Vec<u8>,
    certificate: String,
    theirs: TheirOpCert,
    cold: SigningKey,
}

fn generate(seed: u8, start: u64) -> Generated {
    let mut buffer = [0; Sum6Kes::SIZE + 4];
    let mut secret = [seed; 32];
    let message: Vec<u8> = (0..192).map(|byte: u8| byte ^ seed).collect();
    let (mut key, root) = Sum6Kes::keygen(&mut buffer, &mut secret);
    let mut signatures = vec![key.sign(&message)];
    while key.update().is_ok() {
        signatures.push(key.sign(&message));
    }
    let root: [u8; 32] = root.as_bytes().try_into().unwrap();
    let cold = SigningKey::from_bytes(&[seed ^ 0xff; 32]);
    let signed = [&root[..], &1_u64.to_be_bytes(), &start.to_be_bytes()].concat();
    let parts = ((root.to_vec(), 1, start, cold.sign(&signed).to_vec()), cold.verifying_key().to_bytes().to_vec());
    let json = serde_json::to_vec(&parts).unwrap();
    let certificate = hex::encode(&json);
    Generated { root, signatures, message, certificate, theirs: serde_json::from_slice(&json).unwrap(), cold }
}

#[test]
fn a_generated_key_verifies_at_each_of_its_64_evolutions_and_at_no_other() {
    let key = generate(3, 100);
    assert_eq!(key.signatures.len(), 64);
    let root = kes_summed_ed25519::PublicKey::from_bytes(&key.root).unwrap();
    for (signed_at, signature) in (0..).zip(&key.signatures) {
        let ours = Sum6Signature::from_bytes(&signature.to_bytes());
        for evolution in 0..64_u8 {
            let verdict = ours.verify(evolution, &key.root, &key.message).is_ok();
            assert_eq!(verdict, evolution == signed_at, "signed at {signed_at}, tried at {evolution}");
            if evolution.abs_diff(signed_at) < 2 {
                assert_eq!(verdict, signature.verify(u32::from(evolution), &root, &key.message).is_ok());
            }
        }
        assert!(ours.verify(64, &key.root, &key.message).is_err());
        assert!(ours.verify(signed_at, &key.root, b"another message").is_err());
        assert!(ours.verify(signed_at, &[0; 32], &key.message).is_err());
    }
}

#[test]
fn the_verdict_is_that_of_mithril_at_all_evolutions_but_those_that_no_key_has() {
    let key = generate(9, 300);
    assert!(key.theirs.validate().is_ok());
    let party = key.theirs.compute_protocol_party_id().unwrap();
    let mut differ = Vec::new();
    for signed_at in [0, 1, 2, 31, 32, 62, 63] {
        let signature = &key.signatures[signed_at];
        let texts = [hex::encode(&key.message), hex::encode(signature.to_bytes())];
        let ours = SignerRegistration::from_text(&RegistrationText {
            party_id: &party,
            verification_key: &texts[0],
            verification_key_signature: Some(&texts[1]),
            operational_certificate: Some(&key.certificate),
            kes_period: None,
        });
        let ours = ours.unwrap();
        for stated in [0, 1, 31, 32, 62, 63, 64, 65, 66, u64::MAX].into_iter().chain(nearby(signed_at)) {
            let verdict = ours.verify_at(Evolutions(stated));
            let theirs = KesVerifierStandard.verify(&key.message, signature, &key.theirs, KesEvolutions(stated));
            if verdict.is_ok() != theirs.is_ok() {
                differ.push((signed_at, stated, verdict.is_ok()));
            } else if let Ok(verified) = verdict {
                assert_eq!(usize::from(verified.evolution()), signed_at);
            }
        }
    }
    // Mithril tries evolution 64, and its library takes it for 63; a 65th evolution does not exist.
    differ.dedup();
    assert_eq!(differ, [(63, 65, false)]);
    assert_eq!(key.cold.verifying_key().as_bytes(), key.theirs.get_cold_verification_key().as_bytes());
}

fn nearby(signed_at: usize) -> impl Iterator<Item = u64> {
    let at = u64::try_from(signed_at).unwrap();
    at.saturating_sub(2)..at + 3
}
