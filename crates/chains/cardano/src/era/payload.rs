//! The markers with their signature, as they stand on chain.

use serde::{Deserialize, Serialize};

use super::{Markers, MarkersError};
use crate::keys::{KeyError, Signature, SigningKey, VerificationKey};

/// Is a list of markers with a signature that nobody has checked, or with none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkersPayload {
    markers: Markers,
    signature: Option<Signature>,
}

impl MarkersPayload {
    /// Is the greatest length of a payload's JSON in bytes: the greatest transaction of Cardano's networks
    /// (`maxTxSize` of their protocol parameters), which must hold it.
    pub const MAX_JSON: usize = 16 << 10;

    /// Reads a payload from its JSON, `{"markers":[…],"signature":"<128 hex digits>"}`.
    ///
    /// # Errors
    /// [`PayloadError::Json`] and [`PayloadError::Markers`].
    pub fn parse(json: &[u8]) -> Result<Self, PayloadError> {
        if json.len() > Self::MAX_JSON {
            return Err(MarkersError::TooLarge { length: json.len() }.into());
        }
        serde_json::from_slice(json).map_err(|error| PayloadError::Json { reason: error.to_string() })
    }

    /// Returns the markers, which may be anybody's.
    #[must_use]
    pub fn unverified(&self) -> &Markers {
        &self.markers
    }

    /// Checks that `key` signed the compact form of the markers, strictly and byte by byte.
    ///
    /// # Errors
    /// [`PayloadError::Unsigned`] and [`PayloadError::Signature`].
    pub fn verify(self, key: &VerificationKey) -> Result<SignedMarkers, PayloadError> {
        let signature = self.signature.ok_or(PayloadError::Unsigned)?;
        SignedMarkers::try_new(self.markers, signature, key)
    }
}

/// Is a list of markers that a key signed. It can be made only by checking, or by signing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedMarkers {
    markers: Markers,
    signature: Signature,
}

impl SignedMarkers {
    /// Checks a signature.
    ///
    /// # Errors
    /// [`PayloadError::Signature`].
    pub fn try_new(markers: Markers, signature: Signature, key: &VerificationKey) -> Result<Self, PayloadError> {
        key.verify(markers.to_json().as_bytes(), &signature)?;
        Ok(Self { markers, signature })
    }

    /// Signs the markers; the same markers give the same signature.
    #[must_use]
    pub fn sign(markers: Markers, key: &SigningKey) -> Self {
        let signature = key.sign(markers.to_json().as_bytes());
        Self { markers, signature }
    }

    /// Returns the markers.
    #[must_use]
    pub fn markers(&self) -> &Markers {
        &self.markers
    }

    /// Returns the signature.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Returns the payload's compact JSON, as Mithril writes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!(r#"{{"markers":{},"signature":"{}"}}"#, self.markers.to_json(), self.signature.to_bytes_hex())
    }
}

/// Says why a payload is not one that the key signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// It is not the JSON of a payload.
    #[error("not a payload of era markers: {reason}")]
    Json {
        /// Says what is wrong.
        reason: String,
    },
    /// The markers are out of bounds.
    #[error(transparent)]
    Markers(#[from] MarkersError),
    /// Another key signed it, or other markers.
    #[error("the era markers are not signed by the era key: {0}")]
    Signature(#[from] KeyError),
    /// There is no signature.
    #[error("the era markers are not signed")]
    Unsigned,
}
