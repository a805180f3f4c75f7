//! The rules of a chain of certificates, as pure functions with one error each.
//!
//! | rule | broken | what an operator should do |
//! |---|---|---|
//! | `metadata.network` is the pinned network | [`BrokenRule::Network`] | point to an aggregator of that network |
//! | the collecting of signatures began before it ended | [`BrokenRule::Dates`] | report the aggregator |
//! | a genesis certificate has no previous one, all others have | [`BrokenRule::Previous`] | report the aggregator |
//! | a certificate is not its own ancestor | [`BrokenRule::Loop`] | report the aggregator |
//! | values of the message have the form of their part | [`BrokenRule::MessagePart`] | report the aggregator |
//! | the hash is that of the content | [`BrokenRule::Hash`] | report the aggregator, ask another one |
//! | the signed message is the hash of its parts | [`BrokenRule::Message`] | report the aggregator, ask another one |
//! | the epoch is the one that was signed | [`BrokenRule::Epoch`] | report the aggregator, ask another one |
//! | the entity's numbers are those that were signed | [`BrokenRule::Entity`] | report the aggregator, ask another one |
//! | the genesis key signed the genesis | [`BrokenRule::GenesisSignature`] | check the genesis key: a re-genesis publishes a new one |
//! | a quorum signed any other certificate | [`BrokenRule::MultiSignature`] | report the aggregator, ask another one |
//! | the previous certificate is the one named | [`BrokenRule::PreviousHash`] | report the aggregator |
//! | the epoch does not run backwards | [`BrokenRule::EpochBackwards`] | report the aggregator |
//! | no epoch is left out | [`BrokenRule::EpochGap`] | wait for a re-genesis: the chain is interrupted |
//! | the key is the one that the previous epoch signed for | [`BrokenRule::AggregateKey`] | report: signers were exchanged |
//! | so are the parameters | [`BrokenRule::Parameters`] | report: the quorum was changed |
//!
//! The rules are those of `mithril-common` 0.8, and six of our own: network, dates, that a genesis names nothing before
//! it, the form of values, the entity's numbers, and that an epoch does not run backwards (upstream compares the
//! absolute difference).
//!
//! [`BrokenRule::NotUnderstood`] is no broken rule: the certificate is of a kind that this version cannot judge, and the
//! operator should update.

use nodewright_core::Epoch;

use super::avk::AvkParts;
use super::compute::HashError;
use super::digest::{CertificateHash, MessageHash};
use super::entity::SignedEntity;
use super::message::MessagePartKey;
use super::signature::CertificateSignature;
use super::stm::{MultiSignatureError, MultiSignatureVerifier};
use super::timestamp::Timestamp;
use super::types::Certificate;
use crate::keys::{KeyError, VerificationKey};
use crate::text::canonical_u64;

/// Checks all rules that need no other certificate and no multi-signature.
///
/// # Errors
/// The first broken rule, in the order of the table above.
pub fn check_content(
    certificate: &Certificate,
    network: &str,
    signatures: &dyn MultiSignatureVerifier,
) -> Result<(), BrokenRule> {
    check_network(certificate, network)?;
    check_dates(certificate)?;
    check_previous(certificate)?;
    check_message_parts(certificate)?;
    check_hash(certificate, signatures)?;
    check_message(certificate)?;
    check_epoch(certificate)?;
    check_entity(certificate)
}

/// Checks all rules that bind a certificate to the previous one.
///
/// # Errors
/// The first broken rule, in the order of the table above.
pub fn check_link(certificate: &Certificate, previous: &Certificate) -> Result<(), BrokenRule> {
    if certificate.previous_hash != Some(previous.hash) {
        return Err(BrokenRule::PreviousHash { named: certificate.previous_hash, found: previous.hash });
    }
    check_epoch_order(certificate, previous)?;
    check_aggregate_key(certificate, previous)?;
    check_parameters(certificate, previous)
}

/// Checks that the certificate is of the pinned network.
///
/// # Errors
/// [`BrokenRule::Network`].
pub fn check_network(certificate: &Certificate, network: &str) -> Result<(), BrokenRule> {
    if certificate.network() == network {
        return Ok(());
    }
    Err(BrokenRule::Network { expected: network.to_owned(), found: certificate.network().to_owned() })
}

/// Checks that the certificate was begun before it was sealed.
///
/// # Errors
/// [`BrokenRule::Dates`].
pub fn check_dates(certificate: &Certificate) -> Result<(), BrokenRule> {
    let (initiated_at, sealed_at) = (certificate.metadata.initiated_at, certificate.metadata.sealed_at);
    if initiated_at <= sealed_at { Ok(()) } else { Err(BrokenRule::Dates { initiated_at, sealed_at }) }
}

/// Checks that only a genesis certificate has no previous one, and that no certificate names itself.
///
/// # Errors
/// [`BrokenRule::Previous`] or [`BrokenRule::Loop`].
pub fn check_previous(certificate: &Certificate) -> Result<(), BrokenRule> {
    if certificate.is_genesis() != certificate.previous_hash.is_none() {
        return Err(BrokenRule::Previous { genesis: certificate.is_genesis() });
    }
    if certificate.previous_hash == Some(certificate.hash) { Err(BrokenRule::Loop) } else { Ok(()) }
}

/// Checks that every value of the message has the form of its part.
///
/// # Errors
/// [`BrokenRule::MessagePart`].
pub fn check_message_parts(certificate: &Certificate) -> Result<(), BrokenRule> {
    certificate.protocol_message.malformed_part().map_or(Ok(()), |key| Err(BrokenRule::MessagePart { key }))
}

/// Checks that the certificate's hash is that of its content. A multi-signature that came in bytes-hex is hashed in
/// json-hex, as Mithril does.
///
/// # Errors
/// [`BrokenRule::Hash`]; [`BrokenRule::NotUnderstood`] if the rule of the hash is not known.
pub fn check_hash(certificate: &Certificate, signatures: &dyn MultiSignatureVerifier) -> Result<(), BrokenRule> {
    let computed = match &certificate.signature {
        CertificateSignature::Multi(signature) if !signature.as_str().starts_with(JSON_OBJECT_HEX) => {
            let mut rewritten = certificate.clone();
            if let Some(signature) = signatures.to_json_hex(signature)? {
                rewritten.signature = CertificateSignature::Multi(signature);
            }
            rewritten.compute_hash()
        }
        _ => certificate.compute_hash(),
    };
    let computed = computed.map_err(NotUnderstood::Hash)?;
    if computed == certificate.hash { Ok(()) } else { Err(BrokenRule::Hash { stated: certificate.hash, computed }) }
}

/// Checks that the signed message is the hash of its parts.
///
/// # Errors
/// [`BrokenRule::Message`]; [`BrokenRule::NotUnderstood`] if the rule of the hash is not known.
pub fn check_message(certificate: &Certificate) -> Result<(), BrokenRule> {
    let stated = certificate.signed_message;
    let computed = certificate.protocol_message.compute_hash().map_err(|error| NotUnderstood::Hash(error.into()))?;
    if computed == stated { Ok(()) } else { Err(BrokenRule::Message { stated, computed }) }
}

/// Checks that the certificate's epoch is the one that was signed. Certificates of 2023 signed none.
///
/// # Errors
/// [`BrokenRule::Epoch`].
pub fn check_epoch(certificate: &Certificate) -> Result<(), BrokenRule> {
    let signed = certificate.protocol_message.current_epoch();
    if signed == Some(certificate.epoch) {
        return Ok(());
    }
    Err(BrokenRule::Epoch { stated: certificate.epoch, signed })
}

/// Checks that the numbers of the entity, which no signature covers, are those of the signed message.
///
/// # Errors
/// [`BrokenRule::Entity`].
pub fn check_entity(certificate: &Certificate) -> Result<(), BrokenRule> {
    let entity = &certificate.signed_entity;
    let signed = |key| certificate.protocol_message.part(key).and_then(canonical_u64);
    let agrees = match entity {
        SignedEntity::CardanoStakeDistribution(epoch) => {
            signed(MessagePartKey::CardanoStakeDistributionEpoch) == Some(epoch.0)
        }
        SignedEntity::CardanoTransactions { block, .. } => signed(MessagePartKey::LatestBlockNumber) == Some(block.0),
        SignedEntity::CardanoBlocksTransactions { block, offset, .. } => {
            signed(MessagePartKey::LatestBlockNumber) == Some(block.0)
                && signed(MessagePartKey::CardanoBlocksTransactionsBlockNumberOffset) == Some(*offset)
        }
        _ => true,
    };
    if agrees && entity.signing_epoch().is_none_or(|epoch| epoch == certificate.epoch) {
        return Ok(());
    }
    Err(BrokenRule::Entity { entity: entity.to_string() })
}

/// Checks the genesis key's signature strictly, over the text of the signed message.
///
/// # Errors
/// [`BrokenRule::GenesisSignature`], and [`BrokenRule::Previous`] for a certificate that is no genesis.
pub fn check_genesis_signature(certificate: &Certificate, key: &VerificationKey) -> Result<(), BrokenRule> {
    let CertificateSignature::Genesis(signature) = &certificate.signature else {
        return Err(BrokenRule::Previous { genesis: false });
    };
    Ok(key.verify(certificate.signed_message.to_string().as_bytes(), signature)?)
}

/// Checks the multi-signature, over the text of the signed message, by the certificate's own key and parameters.
///
/// # Errors
/// [`BrokenRule::MultiSignature`]; [`BrokenRule::NotUnderstood`] if it cannot be judged; [`BrokenRule::Previous`] for
/// a genesis certificate, which has none.
pub fn check_multi_signature(
    certificate: &Certificate,
    signatures: &dyn MultiSignatureVerifier,
) -> Result<(), BrokenRule> {
    let CertificateSignature::Multi(signature) = &certificate.signature else {
        return Err(BrokenRule::Previous { genesis: true });
    };
    let message = certificate.signed_message.to_string();
    let key = &certificate.aggregate_verification_key;
    Ok(signatures.verify(message.as_bytes(), signature, key, &certificate.metadata.parameters)?)
}

/// Checks that the epoch is that of the previous certificate or the next one.
///
/// # Errors
/// [`BrokenRule::EpochBackwards`] or [`BrokenRule::EpochGap`].
pub fn check_epoch_order(certificate: &Certificate, previous: &Certificate) -> Result<(), BrokenRule> {
    let (epoch, previous) = (certificate.epoch, previous.epoch);
    match epoch.since(previous) {
        None => Err(BrokenRule::EpochBackwards { epoch, previous }),
        Some(passed) if passed.0 > 1 => Err(BrokenRule::EpochGap { epoch, previous }),
        Some(_) => Ok(()),
    }
}

/// Checks that the aggregate verification key is the previous certificate's (same epoch) or the one that it signed for
/// the next epoch.
///
/// # Errors
/// [`BrokenRule::AggregateKey`].
pub fn check_aggregate_key(certificate: &Certificate, previous: &Certificate) -> Result<(), BrokenRule> {
    let expected = if certificate.epoch == previous.epoch {
        previous.aggregate_verification_key.parts().ok()
    } else {
        let next = previous.protocol_message.part(MessagePartKey::NextAggregateVerificationKey);
        next.and_then(|text| super::avk::AggregateVerificationKey::from_text(text).parts().ok())
    };
    let found = certificate.aggregate_verification_key.parts().ok();
    if found.is_some() && found == expected {
        return Ok(());
    }
    Err(BrokenRule::AggregateKey { expected: expected.map(Box::new), found: found.map(Box::new) })
}

/// Checks that the parameters are the previous certificate's (same epoch) or those that it signed for the next epoch.
///
/// # Errors
/// [`BrokenRule::Parameters`].
pub fn check_parameters(certificate: &Certificate, previous: &Certificate) -> Result<(), BrokenRule> {
    let found = hex::encode(certificate.metadata.parameters.compute_hash());
    let expected = if certificate.epoch == previous.epoch {
        Some(hex::encode(previous.metadata.parameters.compute_hash()))
    } else {
        previous.protocol_message.part(MessagePartKey::NextProtocolParameters).map(str::to_owned)
    };
    if expected.as_ref() == Some(&found) { Ok(()) } else { Err(BrokenRule::Parameters { expected, found }) }
}

/// Says which rule a certificate breaks. The module's table says what to do about each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BrokenRule {
    /// The signers are not those that the previous epoch signed for.
    #[error("aggregate verification key {found:?}, but {expected:?} was signed")]
    AggregateKey {
        /// Holds the key that was signed; `None` if none was, or not in a known format.
        expected: Option<Box<AvkParts>>,
        /// Holds the certificate's key; `None` if its format is not known.
        found: Option<Box<AvkParts>>,
    },
    /// It was sealed before it was begun.
    #[error("sealed at {sealed_at}, before it was initiated at {initiated_at}")]
    Dates {
        /// Holds the date on which collecting began.
        initiated_at: Timestamp,
        /// Holds the date on which the quorum was reached.
        sealed_at: Timestamp,
    },
    /// The entity's numbers are not those that were signed.
    #[error("signed entity {entity} contradicts the signed message")]
    Entity {
        /// Holds the entity's JSON.
        entity: String,
    },
    /// The epoch is not the one that was signed.
    #[error("epoch {stated}, but {signed:?} was signed")]
    Epoch {
        /// Holds the certificate's epoch.
        stated: Epoch,
        /// Holds the signed epoch; `None` if none was signed.
        signed: Option<Epoch>,
    },
    /// The epoch is before that of the previous certificate.
    #[error("epoch {epoch} after epoch {previous}")]
    EpochBackwards {
        /// Holds the certificate's epoch.
        epoch: Epoch,
        /// Holds the previous certificate's epoch.
        previous: Epoch,
    },
    /// An epoch is left out.
    #[error("epoch {epoch} directly after epoch {previous}")]
    EpochGap {
        /// Holds the certificate's epoch.
        epoch: Epoch,
        /// Holds the previous certificate's epoch.
        previous: Epoch,
    },
    /// The genesis key did not sign it.
    #[error("genesis signature: {0}")]
    GenesisSignature(#[from] KeyError),
    /// The hash is not that of the content.
    #[error("states hash {stated}, but its content has {computed}")]
    Hash {
        /// Holds the hash that it states.
        stated: CertificateHash,
        /// Holds the hash of its content.
        computed: CertificateHash,
    },
    /// The certificate is its own ancestor.
    #[error("the chain loops")]
    Loop,
    /// The signed message is not the hash of its parts.
    #[error("states signed message {stated}, but its parts have {computed}")]
    Message {
        /// Holds the hash that it states.
        stated: MessageHash,
        /// Holds the hash of its parts.
        computed: MessageHash,
    },
    /// A value of the message has not the form of its part.
    #[error("malformed value of message part {key}")]
    MessagePart {
        /// Names the part.
        key: MessagePartKey,
    },
    /// No quorum signed it.
    #[error("{0}")]
    MultiSignature(MultiSignatureError),
    /// It is of another network.
    #[error("of network {found:?}, not {expected:?}")]
    Network {
        /// Names the pinned network.
        expected: String,
        /// Names the certificate's network.
        found: String,
    },
    /// No rule is known to be broken: this version cannot judge the certificate.
    #[error("not understood: {0}")]
    NotUnderstood(#[from] NotUnderstood),
    /// The parameters are not those that the previous epoch signed for.
    #[error("parameters with hash {found}, but {expected:?} was signed")]
    Parameters {
        /// Holds the hash that was signed; `None` if none was.
        expected: Option<String>,
        /// Holds the hash of the certificate's parameters.
        found: String,
    },
    /// A genesis certificate names a previous one, or another one does not.
    #[error("{}", if *genesis { "a genesis certificate in the place of another" } else { "no genesis, but nothing before it" })]
    Previous {
        /// Says whether it is a genesis certificate.
        genesis: bool,
    },
    /// The previous certificate is not the one named.
    #[error("names {named:?} as the previous certificate, not {found}")]
    PreviousHash {
        /// Holds the hash that it names.
        named: Option<CertificateHash>,
        /// Holds the hash of the certificate that stands before it.
        found: CertificateHash,
    },
}

/// Sorts what cannot be judged from what is wrong.
impl From<MultiSignatureError> for BrokenRule {
    fn from(error: MultiSignatureError) -> Self {
        match error {
            MultiSignatureError::UnsupportedParameters { .. } | MultiSignatureError::UnsupportedSignature { .. } => {
                Self::NotUnderstood(NotUnderstood::MultiSignature(error))
            }
            error => Self::MultiSignature(error),
        }
    }
}

/// Says why a certificate can be called neither valid nor invalid: it is later than this version, or from another rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotUnderstood {
    /// The rule of a hash is not known.
    #[error(transparent)]
    Hash(HashError),
    /// The kind of multi-signature is not known.
    #[error(transparent)]
    MultiSignature(MultiSignatureError),
}

/// The hex of `{`, with which json-hex of an object begins.
const JSON_OBJECT_HEX: &str = "7b";
