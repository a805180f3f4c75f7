//! BLS12-381 signatures as Dash uses them since its V19 upgrade: public keys in G1 (48 bytes),
//! signatures in G2 (96 bytes), the basic scheme, messages of exactly 32 bytes.
//!
//! [`PublicKey`] and [`Signature`] are encodings as they travel; holding one says nothing about
//! its contents. [`PreparedKey`] and [`PreparedSignature`] are points that were decompressed and
//! found to be in the right group. A quorum signs many ChainLocks, so its key is prepared once.

use core::fmt;

use blst::BLST_ERROR;
use blst::min_pk;

/// A compressed public key, as it stands in a quorum commitment. Unchecked.
///
/// The bytes may be malformed or, in commitments older than V19, in Dash's legacy encoding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; PublicKey::LEN]);

impl PublicKey {
    /// Length of the encoding in bytes.
    pub const LEN: usize = 48;

    /// Wraps an encoding without looking at it.
    #[must_use]
    pub const fn new(encoding: [u8; Self::LEN]) -> Self {
        Self(encoding)
    }

    /// Returns the encoding.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Decompresses the key and checks that it may be used.
    ///
    /// # Errors
    ///
    /// [`BlsError::KeyEncoding`], [`BlsError::KeyInfinite`] or [`BlsError::KeyOutsideGroup`].
    pub fn prepare(&self) -> Result<PreparedKey, BlsError> {
        match min_pk::PublicKey::key_validate(&self.0) {
            Ok(point) => Ok(PreparedKey { point, encoding: *self }),
            Err(BLST_ERROR::BLST_PK_IS_INFINITY) => Err(BlsError::KeyInfinite),
            Err(BLST_ERROR::BLST_POINT_NOT_IN_GROUP) => Err(BlsError::KeyOutsideGroup { key: *self }),
            Err(_) => Err(BlsError::KeyEncoding { key: *self }),
        }
    }
}

/// A compressed signature, as it stands in a ChainLock. Unchecked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature([u8; Signature::LEN]);

impl Signature {
    /// Length of the encoding in bytes.
    pub const LEN: usize = 96;

    /// Wraps an encoding without looking at it.
    #[must_use]
    pub const fn new(encoding: [u8; Self::LEN]) -> Self {
        Self(encoding)
    }

    /// Returns the encoding.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Returns whether every byte is zero: how a coinbase says "no ChainLock known yet".
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }

    /// Decompresses the signature and checks that it is a point of the right group.
    ///
    /// # Errors
    ///
    /// [`BlsError::SignatureEncoding`], [`BlsError::SignatureInfinite`] or
    /// [`BlsError::SignatureOutsideGroup`].
    pub fn prepare(&self) -> Result<PreparedSignature, BlsError> {
        match min_pk::Signature::sig_validate(&self.0, true) {
            Ok(point) => Ok(PreparedSignature { point }),
            Err(BLST_ERROR::BLST_PK_IS_INFINITY) => Err(BlsError::SignatureInfinite),
            Err(BLST_ERROR::BLST_POINT_NOT_IN_GROUP) => Err(BlsError::SignatureOutsideGroup),
            Err(_) => Err(BlsError::SignatureEncoding),
        }
    }
}

/// A public key that was decompressed and found to be a usable point of G1.
#[derive(Clone, Copy)]
pub struct PreparedKey {
    point: min_pk::PublicKey,
    encoding: PublicKey,
}

impl PreparedKey {
    /// Returns the encoding this key was prepared from.
    #[must_use]
    pub const fn encoding(&self) -> &PublicKey {
        &self.encoding
    }

    /// Checks that this key signed `message`.
    ///
    /// # Errors
    ///
    /// The errors of [`Signature::prepare`], and [`BlsError::Mismatch`] where a well-formed
    /// signature belongs to another key or another message.
    pub fn verify(&self, message: &[u8; 32], signature: &Signature) -> Result<(), BlsError> {
        self.verify_prepared(message, &signature.prepare()?)
    }

    /// Checks that this key signed `message`, with a signature that was prepared before.
    ///
    /// One signature tried against several keys is prepared once.
    ///
    /// # Errors
    ///
    /// [`BlsError::Mismatch`].
    pub fn verify_prepared(&self, message: &[u8; 32], signature: &PreparedSignature) -> Result<(), BlsError> {
        // Both points were group-checked when they were prepared.
        match signature.point.verify(false, message, DST, &[], &self.point, false) {
            BLST_ERROR::BLST_SUCCESS => Ok(()),
            _ => Err(BlsError::Mismatch),
        }
    }
}

/// A signature that was decompressed and found to be a point of G2 other than infinity.
#[derive(Clone, Copy)]
pub struct PreparedSignature {
    point: min_pk::Signature,
}

/// A secret key: for simulated quorums and tests. Wiped when dropped, never printed.
pub struct SecretKey(min_pk::SecretKey);

impl SecretKey {
    /// Derives a key from a seed: the same seed gives the same key.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(min_pk::SecretKey::key_gen(seed, &[]).expect("a seed of 32 bytes is long enough"))
    }

    /// Returns the public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.sk_to_pk().compress())
    }

    /// Signs a 32-byte message.
    #[must_use]
    pub fn sign(&self, message: &[u8; 32]) -> Signature {
        Signature(self.0.sign(message, DST, &[]).compress())
    }
}

/// Says what is wrong with a key or a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlsError {
    /// The key is not an encoding of a curve point.
    #[error("public key {key} is not an encoded G1 point")]
    KeyEncoding {
        /// The key as given.
        key: PublicKey,
    },
    /// The key is the point at infinity, for which everyone can sign.
    #[error("public key is the point at infinity")]
    KeyInfinite,
    /// The key is on the curve but outside the prime-order group.
    #[error("public key {key} is outside the prime-order group")]
    KeyOutsideGroup {
        /// The key as given.
        key: PublicKey,
    },
    /// Key and signature are well formed, and do not belong together.
    #[error("signature does not belong to this key and message")]
    Mismatch,
    /// The signature is not an encoding of a curve point.
    #[error("signature is not an encoded G2 point")]
    SignatureEncoding,
    /// The signature is the point at infinity.
    #[error("signature is the point at infinity")]
    SignatureInfinite,
    /// The signature is on the curve but outside the prime-order group.
    #[error("signature is outside the prime-order group")]
    SignatureOutsideGroup,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreparedKey({})", self.encoding)
    }
}

impl fmt::Debug for PreparedSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreparedSignature({})", Signature(self.point.compress()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// Domain of the basic scheme in the IETF draft, which Dash follows since V19: ciphersuite name
/// `BLS_SIG_` + suite of RFC 9380 section 8.8.2 + `_NUL_`
/// (draft-irtf-cfrg-bls-signature-05, section 4.2.1). Checked on recorded ChainLocks.
const DST: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_signature_verifies_under_its_own_key_and_message_only() {
        let (key, other) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let prepared = key.public_key().prepare().unwrap();
        let signature = key.sign(&[7; 32]);
        assert_eq!(prepared.verify(&[7; 32], &signature), Ok(()));
        assert_eq!(prepared.verify(&[8; 32], &signature), Err(BlsError::Mismatch));
        let foreign = other.public_key().prepare().unwrap();
        assert_eq!(foreign.verify(&[7; 32], &signature), Err(BlsError::Mismatch));
    }

    #[test]
    fn the_point_at_infinity_is_refused_as_key_and_as_signature() {
        let mut key = [0; 48];
        key[0] = 0xc0;
        assert_eq!(PublicKey::new(key).prepare().unwrap_err(), BlsError::KeyInfinite);
        let mut signature = [0; 96];
        signature[0] = 0xc0;
        assert_eq!(Signature::new(signature).prepare().unwrap_err(), BlsError::SignatureInfinite);
    }

    #[test]
    fn bytes_that_are_no_point_are_refused() {
        for byte in [0x00, 0x7f, 0x9f, 0xff] {
            let key = PublicKey::new([byte; 48]);
            assert_eq!(key.prepare().unwrap_err(), BlsError::KeyEncoding { key });
            let signature = Signature::new([byte; 96]);
            assert_eq!(signature.prepare().unwrap_err(), BlsError::SignatureEncoding);
        }
    }

    #[test]
    fn curve_points_outside_the_group_are_refused() {
        // x small enough to be canonical: about half of all x are on the curve, and nearly none
        // of those points lies in the prime-order group.
        let outside_keys = (1..=40).filter(|x| {
            let mut bytes = [0; 48];
            bytes[0] = 0x80;
            bytes[47] = *x;
            let key = PublicKey::new(bytes);
            key.prepare().unwrap_err() == BlsError::KeyOutsideGroup { key }
        });
        assert!(outside_keys.count() > 5);
        let outside_signatures = (1..=40).filter(|x| {
            let mut bytes = [0; 96];
            bytes[0] = 0x80;
            bytes[95] = *x;
            Signature::new(bytes).prepare().unwrap_err() == BlsError::SignatureOutsideGroup
        });
        assert!(outside_signatures.count() > 5);
    }

    #[test]
    fn a_secret_key_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", SecretKey::from_seed(&[3; 32])), "SecretKey(..)");
    }
}
