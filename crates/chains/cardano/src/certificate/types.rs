//! Certificates as an aggregator serves them: one in full, and one in a list.

use nodewright_core::Epoch;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::avk::AggregateVerificationKey;
use super::digest::{CertificateHash, MessageHash};
use super::entity::{DatabaseBeacon, SignedEntity, UnknownEntity};
use super::message::{MessagePartKey, ProtocolMessage};
use super::metadata::{CertificateMetadata, StakeParty, SummaryMetadata};
use super::parameters::ProtocolParameters;
use super::signature::{CertificateSignature, MultiSignature};
use super::timestamp::Timestamp;

/// Holds a certificate in full. Parsing checks its form; nothing in it is verified by that.
///
/// Serialization writes the JSON of the detail route, in the generation the certificate came in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// Names the certificate, as it states itself.
    pub hash: CertificateHash,
    /// Names the previous certificate of the chain; `None` in a genesis certificate.
    pub previous_hash: Option<CertificateHash>,
    /// Holds the epoch in which it was signed.
    pub epoch: Epoch,
    /// Names what it certifies.
    pub signed_entity: SignedEntity,
    /// Holds the point of the chain by which certificates of 2023 state epoch and network; `None` in later ones.
    pub beacon: Option<DatabaseBeacon>,
    /// Says how it came about.
    pub metadata: CertificateMetadata,
    /// Holds what was signed, part by part.
    pub protocol_message: ProtocolMessage,
    /// Holds the hash of what was signed, as the certificate states it.
    pub signed_message: MessageHash,
    /// Holds the key against which the multi-signature is checked.
    pub aggregate_verification_key: AggregateVerificationKey,
    /// Holds the signature.
    pub signature: CertificateSignature,
    /// Holds what certificates of the Lagrange era carry besides.
    pub extras: CertificateExtras,
}

impl Certificate {
    /// Reads a certificate from the body of the detail route.
    ///
    /// # Errors
    /// [`FormatError`] if the body is longer than [`MAX_CERTIFICATE_BYTES`] or is not a certificate's JSON.
    pub fn from_json(body: &[u8]) -> Result<Self, FormatError> {
        if body.len() > MAX_CERTIFICATE_BYTES {
            return Err(FormatError::TooLong { length: body.len(), limit: MAX_CERTIFICATE_BYTES });
        }
        serde_json::from_slice(body).map_err(|error| FormatError::Json { reason: error.to_string() })
    }

    /// Returns whether the genesis key signed this certificate.
    #[must_use]
    pub fn is_genesis(&self) -> bool {
        matches!(self.signature, CertificateSignature::Genesis(_))
    }

    /// Returns the network that the certificate states.
    #[must_use]
    pub fn network(&self) -> &str {
        &self.metadata.network
    }
}

/// Holds the optional fields of the Lagrange era, as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateExtras {
    /// Holds the key for SNARK multi-signatures.
    pub aggregate_verification_key_snark: Option<String>,
    /// Holds data for the prover of the next certificate, in hex. The certificate's hash covers it.
    pub ancillary_prover_data: Option<String>,
    /// Holds data for the verifier, in hex. The certificate's hash covers it.
    pub ancillary_verifier_data: Option<String>,
    /// Holds the second signature of a genesis certificate. The certificate's hash leaves it out on purpose.
    pub genesis_schnorr_signature: Option<String>,
}

/// Holds a certificate as it stands in an aggregator's list, without signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateSummary {
    /// Names the certificate.
    pub hash: CertificateHash,
    /// Names the previous certificate of the chain; `None` for a genesis certificate.
    pub previous_hash: Option<CertificateHash>,
    /// Holds the epoch in which it was signed.
    pub epoch: Epoch,
    /// Names what it certifies.
    pub signed_entity: SignedEntity,
    /// Says how it came about.
    pub metadata: SummaryMetadata,
    /// Holds what was signed, part by part.
    pub protocol_message: ProtocolMessage,
    /// Holds the hash of what was signed.
    pub signed_message: MessageHash,
    /// Holds the key against which the multi-signature is checked.
    pub aggregate_verification_key: AggregateVerificationKey,
}

/// Says why a body is not a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The body is not the JSON of a certificate, or of one that is later than this version.
    #[error("not a certificate: {reason}")]
    Json {
        /// Says what is wrong and where.
        reason: String,
    },
    /// The body is too long.
    #[error("a certificate of {length} bytes, more than {limit}")]
    TooLong {
        /// Holds the length of the body.
        length: usize,
        /// Holds the limit.
        limit: usize,
    },
}

/// Bounds the JSON of one certificate: twenty times one with 300 signers at mainnet's parameters (220 KB, measured).
pub const MAX_CERTIFICATE_BYTES: usize = 4 << 20;

impl Serialize for Certificate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CertificateWire::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Certificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CertificateWire::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

impl Serialize for CertificateSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SummaryWire::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CertificateSummary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SummaryWire::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}

/// The fields that both routes share. `epoch`, `signed_entity_type` and `metadata.network` are absent in 2023,
/// `beacon` is absent since.
#[derive(Serialize, Deserialize)]
struct Head {
    hash: CertificateHash,
    previous_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<Epoch>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed_entity_type: Option<SignedEntity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beacon: Option<DatabaseBeacon>,
    metadata: MetadataWire,
    protocol_message: ProtocolMessage,
    signed_message: MessageHash,
    aggregate_verification_key: AggregateVerificationKey,
}

impl Head {
    /// Settles the facts that the two generations state in different places: epoch, entity, network.
    fn facts(&self) -> Result<(Epoch, SignedEntity, String), &'static str> {
        let beacon = self.beacon.as_ref();
        let epoch = self.epoch.or(beacon.map(|beacon| beacon.epoch)).ok_or("missing field `epoch`")?;
        let entity = match (&self.signed_entity_type, self.epoch, beacon) {
            (Some(entity), ..) => entity.clone(),
            // In 2023 only the parts of the message tell what was certified.
            (None, None, Some(beacon)) => match self.protocol_message.part(MessagePartKey::SnapshotDigest) {
                Some(_) => SignedEntity::CardanoImmutableFilesFull(beacon.clone()),
                None => SignedEntity::MithrilStakeDistribution(epoch),
            },
            (None, ..) => SignedEntity::Unknown(UnknownEntity::new(Value::Null)),
        };
        let network = self.metadata.network.clone().or_else(|| beacon.and_then(|beacon| beacon.network.clone()));
        Ok((epoch, entity, network.ok_or("missing field `network`")?))
    }

    fn previous_hash(&self) -> Result<Option<CertificateHash>, String> {
        match self.previous_hash.as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|error| format!("{error}")),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct MetadataWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    version: String,
    parameters: ProtocolParameters,
    initiated_at: Timestamp,
    sealed_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signers: Option<Vec<StakeParty>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total_signers: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct CertificateWire {
    #[serde(flatten)]
    head: Head,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aggregate_verification_key_snark: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ancillary_prover_data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ancillary_verifier_data: Option<String>,
    multi_signature: String,
    genesis_signature: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    genesis_schnorr_signature: Option<String>,
}

impl TryFrom<CertificateWire> for Certificate {
    type Error = String;

    fn try_from(wire: CertificateWire) -> Result<Self, String> {
        let head = wire.head;
        let (epoch, signed_entity, network) = head.facts()?;
        let previous_hash = head.previous_hash()?;
        let signature = match (wire.multi_signature.as_str(), wire.genesis_signature.as_str()) {
            ("", "") => return Err("neither a multi-signature nor a genesis signature".to_owned()),
            (_, "") => CertificateSignature::Multi(MultiSignature::from_text(wire.multi_signature)),
            ("", text) => CertificateSignature::Genesis(text.parse().map_err(|error| format!("{error}"))?),
            _ => return Err("both a multi-signature and a genesis signature".to_owned()),
        };
        let metadata = CertificateMetadata {
            network,
            version: head.metadata.version,
            parameters: head.metadata.parameters,
            initiated_at: head.metadata.initiated_at,
            sealed_at: head.metadata.sealed_at,
            signers: head.metadata.signers.ok_or("missing field `signers`")?,
        };
        let generation_of_2023 = head.epoch.is_none();
        Ok(Self {
            hash: head.hash,
            previous_hash,
            epoch,
            signed_entity,
            beacon: head.beacon.filter(|_| generation_of_2023),
            metadata,
            protocol_message: head.protocol_message,
            signed_message: head.signed_message,
            aggregate_verification_key: head.aggregate_verification_key,
            signature,
            extras: CertificateExtras {
                aggregate_verification_key_snark: wire.aggregate_verification_key_snark,
                ancillary_prover_data: wire.ancillary_prover_data,
                ancillary_verifier_data: wire.ancillary_verifier_data,
                genesis_schnorr_signature: wire.genesis_schnorr_signature,
            },
        })
    }
}

impl From<&Certificate> for CertificateWire {
    fn from(certificate: &Certificate) -> Self {
        let metadata = &certificate.metadata;
        let old = certificate.beacon.is_some();
        let (multi_signature, genesis_signature) = match &certificate.signature {
            CertificateSignature::Genesis(signature) => (String::new(), signature.to_bytes_hex()),
            CertificateSignature::Multi(signature) => (signature.as_str().to_owned(), String::new()),
        };
        let extras = certificate.extras.clone();
        Self {
            head: Head {
                hash: certificate.hash,
                previous_hash: certificate.previous_hash.map(|hash| hash.to_string()).unwrap_or_default(),
                epoch: (!old).then_some(certificate.epoch),
                signed_entity_type: (!old).then(|| certificate.signed_entity.clone()),
                beacon: certificate.beacon.clone(),
                metadata: MetadataWire {
                    network: (!old).then(|| metadata.network.clone()),
                    version: metadata.version.clone(),
                    parameters: metadata.parameters,
                    initiated_at: metadata.initiated_at,
                    sealed_at: metadata.sealed_at,
                    signers: Some(metadata.signers.clone()),
                    total_signers: None,
                },
                protocol_message: certificate.protocol_message.clone(),
                signed_message: certificate.signed_message,
                aggregate_verification_key: certificate.aggregate_verification_key.clone(),
            },
            aggregate_verification_key_snark: extras.aggregate_verification_key_snark,
            ancillary_prover_data: extras.ancillary_prover_data,
            ancillary_verifier_data: extras.ancillary_verifier_data,
            multi_signature,
            genesis_signature,
            genesis_schnorr_signature: extras.genesis_schnorr_signature,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct SummaryWire {
    #[serde(flatten)]
    head: Head,
}

impl TryFrom<SummaryWire> for CertificateSummary {
    type Error = String;

    fn try_from(wire: SummaryWire) -> Result<Self, String> {
        let head = wire.head;
        let (epoch, signed_entity, network) = head.facts()?;
        let previous_hash = head.previous_hash()?;
        Ok(Self {
            hash: head.hash,
            previous_hash,
            epoch,
            signed_entity,
            metadata: SummaryMetadata {
                network,
                version: head.metadata.version,
                parameters: head.metadata.parameters,
                initiated_at: head.metadata.initiated_at,
                sealed_at: head.metadata.sealed_at,
                total_signers: head.metadata.total_signers.ok_or("missing field `total_signers`")?,
            },
            protocol_message: head.protocol_message,
            signed_message: head.signed_message,
            aggregate_verification_key: head.aggregate_verification_key,
        })
    }
}

impl From<&CertificateSummary> for SummaryWire {
    fn from(summary: &CertificateSummary) -> Self {
        let metadata = &summary.metadata;
        let head = Head {
            hash: summary.hash,
            previous_hash: summary.previous_hash.map(|hash| hash.to_string()).unwrap_or_default(),
            epoch: Some(summary.epoch),
            signed_entity_type: Some(summary.signed_entity.clone()),
            beacon: None,
            metadata: MetadataWire {
                network: Some(metadata.network.clone()),
                version: metadata.version.clone(),
                parameters: metadata.parameters,
                initiated_at: metadata.initiated_at,
                sealed_at: metadata.sealed_at,
                signers: None,
                total_signers: Some(metadata.total_signers),
            },
            protocol_message: summary.protocol_message.clone(),
            signed_message: summary.signed_message,
            aggregate_verification_key: summary.aggregate_verification_key.clone(),
        };
        Self { head }
    }
}
