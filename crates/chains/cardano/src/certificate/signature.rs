//! The signature of a certificate: of the genesis key, or of a quorum of stake.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::keys::Signature;

/// Holds what makes a certificate binding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateSignature {
    /// The genesis key signed: the chain starts here.
    Genesis(Signature),
    /// A quorum of stake signed.
    Multi(MultiSignature),
}

/// Holds a multi-signature in its text form, not yet checked.
///
/// The text is json-hex (or bytes-hex, which later releases of Mithril also read).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MultiSignature(String);

impl MultiSignature {
    /// Keeps a multi-signature in its text form.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, which is what certificates hash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Prints the length and the beginning: the text is long.
impl fmt::Debug for MultiSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start: String = self.0.chars().take(16).collect();
        write!(f, "MultiSignature({start}… {} characters)", self.0.len())
    }
}
