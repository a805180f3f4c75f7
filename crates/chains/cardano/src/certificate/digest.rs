//! The two hashes of a certificate: of itself, and of the message that was signed.

use core::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::text::hash_bytes;

/// Names a certificate: SHA-256 over its content, see [`Certificate::compute_hash`](super::Certificate::compute_hash).
///
/// The text form is 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateHash(pub [u8; 32]);

/// Names a protocol message: SHA-256 over its parts. The 64 digits of its text form are the bytes that signers sign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageHash(pub [u8; 32]);

/// Says that a text is not a hash as Mithril writes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 64 lower-case hexadecimal digits: {text:?}")]
pub struct HashFormatError {
    /// Holds the text, cut to 80 characters.
    pub text: String,
}

macro_rules! hash_text {
    ($hash:ident) => {
        impl fmt::Debug for $hash {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($hash), "({})"), self)
            }
        }

        impl fmt::Display for $hash {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl FromStr for $hash {
            type Err = HashFormatError;

            fn from_str(text: &str) -> Result<Self, HashFormatError> {
                hash_bytes(text).map(Self).ok_or_else(|| HashFormatError { text: text.chars().take(80).collect() })
            }
        }

        impl Serialize for $hash {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $hash {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

hash_text!(CertificateHash);
hash_text!(MessageHash);
