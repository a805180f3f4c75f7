//! Why a certificate, a KES signature or a registration is refused.

use core::ops::RangeInclusive;

use thiserror::Error;

use crate::kes::{Evolutions, KesPeriod, PoolId};

/// Says why a certificate, a KES signature or a registration is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KesError {
    /// The bytes are not the CBOR of an operational certificate.
    #[error("operational certificate is not the CBOR that Cardano writes: {reason}")]
    Cbor {
        /// Says what was met.
        reason: String,
    },
    /// The cold key in the certificate is no Ed25519 key.
    #[error("cold key {} is not an ed25519 key", hex::encode(key))]
    ColdKey {
        /// Holds the key as it was given.
        key: [u8; 32],
    },
    /// The certificate was not signed by the cold key in it.
    #[error("operational certificate {issue} of {pool} is not signed by its cold key")]
    ColdSignature {
        /// Names the pool of the cold key.
        pool: PoolId,
        /// Holds the certificate's issue number.
        issue: u64,
    },
    /// The key would have evolved further than 63 times.
    #[error("{evolutions} evolutions are more than the 63 of a KES key that started in period {start}")]
    Exhausted {
        /// Counts the evolutions asked for.
        evolutions: Evolutions,
        /// Is the period in which the key started.
        start: KesPeriod,
    },
    /// The text is not hexadecimal.
    #[error("{what} is not hexadecimal: {source}")]
    Hex {
        /// Names what was read.
        what: &'static str,
        /// Says where.
        source: hex::FromHexError,
    },
    /// The text is hexadecimal, but not of the JSON expected.
    #[error("{what} is not the expected JSON: {source}")]
    Json {
        /// Names what was read.
        what: &'static str,
        /// Says where.
        source: serde_json::Error,
    },
    /// A pair of keys in the signature does not hash to the key above it.
    #[error("KES signature: the pair of keys at level {level} does not hash to the key above it")]
    KeyPair {
        /// Is the level, 0 just below the certificate's key.
        level: usize,
    },
    /// A part has another length than its format says.
    #[error("{what} has {found} bytes instead of {expected}")]
    Length {
        /// Names what was read.
        what: &'static str,
        /// Is the length of the format, in bytes.
        expected: usize,
        /// Is the length found, in bytes.
        found: usize,
    },
    /// The registration has no operational certificate.
    #[error("registration of {party} has no operational certificate")]
    MissingCertificate {
        /// Names the party as the registration does.
        party: String,
    },
    /// The registration does not say how often its key has evolved. Taking 0 instead is how signers came to fail with
    /// `CurrentKesPeriod=0`.
    #[error("registration of {party} states no KES period; 0 must not be taken instead")]
    MissingPeriod {
        /// Names the party as the registration does.
        party: String,
    },
    /// The registration has no KES signature.
    #[error("registration of {party} has no KES signature over its key")]
    MissingSignature {
        /// Names the party as the registration does.
        party: String,
    },
    /// The signature holds at none of the evolutions that were tried.
    #[error(
        "KES signature holds at none of the evolutions {} to {} of the key that started in period {start}",
        tried.start(), tried.end()
    )]
    NoEvolution {
        /// Is the range that was tried.
        tried: RangeInclusive<u8>,
        /// Is the period in which the key started.
        start: KesPeriod,
    },
    /// The registration states another pool than its certificate proves.
    #[error("registration says {stated}, but its operational certificate belongs to {proven}")]
    OtherPool {
        /// Names the party as the registration does.
        stated: String,
        /// Names the pool of the cold key.
        proven: PoolId,
    },
    /// The signature does not hold at this evolution.
    #[error("KES signature does not hold at evolution {evolution}")]
    Signature {
        /// Is the evolution tried.
        evolution: u8,
    },
    /// The text is longer than any honest one.
    #[error("{what} has {found} characters, more than {max}")]
    TooLong {
        /// Names what was read.
        what: &'static str,
        /// Is the longest allowed, in characters.
        max: usize,
        /// Is the length found, in characters.
        found: usize,
    },
}
