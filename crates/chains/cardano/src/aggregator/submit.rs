//! The routes to which something is sent: registrations, signatures, statistics.

use bytes::Bytes;
use nodewright_core::Epoch;
use nodewright_core::api::Version;
use serde::{Deserialize, Serialize};

use super::client::AggregatorClient;
use super::error::AggregatorError;
use super::route::Route;
use crate::certificate::{MessageHash, SignedEntity};

impl AggregatorClient {
    /// Registers a signer. A registration that the aggregator has already is accepted again.
    ///
    /// `version` is the signer's own, such as `0.2.276+5d5571e`: by it the network counts which stake is ready for an
    /// era, so it is no option.
    ///
    /// # Errors
    /// [`AggregatorError::RegistrationRoundNotOpen`] if it is too early; [`AggregatorError::Refused`] if the registration
    /// is wrong; otherwise see [`AggregatorError`].
    ///
    /// # Cancel safety
    /// After a drop it is unknown whether the aggregator has the registration; registering again does no harm.
    pub async fn register_signer(&self, signer: &SignerMessage, version: &Version) -> Result<(), AggregatorError> {
        let route = Route::RegisterSigner;
        let headers = [(SIGNER_VERSION, version.to_string())];
        let reply = self.exchange(route, Some(json(route, signer)?), &headers).await?;
        if reply.status() == 201 { Ok(()) } else { Err(AggregatorError::of_reply(route.op(), &reply)) }
    }

    /// Hands in a single signature.
    ///
    /// # Errors
    /// [`AggregatorError::Gone`] if it is too late; [`AggregatorError::NotFound`] if the aggregator does not collect
    /// signatures for this entity; otherwise see [`AggregatorError`].
    ///
    /// # Cancel safety
    /// After a drop it is unknown whether the aggregator has the signature; handing it in again does no harm.
    pub async fn register_signature(&self, signature: &SignatureMessage) -> Result<SignatureAnswer, AggregatorError> {
        let route = Route::RegisterSignature;
        let reply = self.exchange(route, Some(json(route, signature)?), &[]).await?;
        match reply.status() {
            201 => Ok(SignatureAnswer::Registered),
            202 => Ok(SignatureAnswer::Buffered),
            _ => Err(AggregatorError::of_reply(route.op(), &reply)),
        }
    }

    /// Tells the aggregator that something was restored, for its statistics. It is sent once at most.
    ///
    /// # Errors
    /// [`AggregatorError`], see there. A restore is as good without it.
    ///
    /// # Cancel safety
    /// After a drop it is unknown whether the aggregator counted it.
    pub async fn record(&self, statistic: RestoreStatistic) -> Result<(), AggregatorError> {
        let (route, body) = match statistic {
            RestoreStatistic::Ancillary => (Route::AncillaryRestored, Bytes::new()),
            RestoreStatistic::Complete => (Route::CompleteRestoration, Bytes::new()),
            RestoreStatistic::Immutables { files } => {
                let body = serde_json::json!({ "nb_immutable_files": files }).to_string();
                (Route::ImmutableFilesRestored, body.into())
            }
            RestoreStatistic::Partial => (Route::PartialRestoration, Bytes::new()),
        };
        let reply = self.exchange(route, Some(body), &[]).await?;
        if reply.status() == 201 { Ok(()) } else { Err(AggregatorError::of_reply(route.op(), &reply)) }
    }
}

/// Is a registration, as `/register-signer` takes it. Keys and signatures are in the texts of Mithril, json-hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerMessage {
    /// Is the epoch for which it is recorded: one more than the epoch in which it is sent.
    pub epoch: Epoch,
    /// Is the bech32 id of the pool.
    pub party_id: String,
    /// Is the key for multi-signatures with its proof of possession.
    pub verification_key: String,
    /// Is the KES signature over that key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_key_signature: Option<String>,
    /// Is the operational certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operational_certificate: Option<String>,
    /// Says how often the KES key had evolved when it signed; the field has the wrong name upstream.
    #[serde(default, rename = "kes_period", skip_serializing_if = "Option::is_none")]
    pub kes_evolutions: Option<u32>,
}

/// Is a single signature, as `/register-signatures` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureMessage {
    /// Names what is signed.
    pub entity_type: SignedEntity,
    /// Is the bech32 id of the pool.
    pub party_id: String,
    /// Is the signature, in json-hex.
    pub signature: String,
    /// Lists the lotteries won.
    pub indexes: Vec<u64>,
    /// Is the hash of the signed message.
    pub signed_message: MessageHash,
}

/// Is what an aggregator does with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAnswer {
    /// It keeps it until it collects signatures for this entity (status 202).
    Buffered,
    /// It counts (status 201).
    Registered,
}

/// Names something that was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestoreStatistic {
    /// The ancillary files.
    Ancillary,
    /// A whole database.
    Complete,
    /// Immutable files.
    Immutables {
        /// How many.
        files: u64,
    },
    /// A part of a database.
    Partial,
}

fn json(route: Route<'_>, message: &impl Serialize) -> Result<Bytes, AggregatorError> {
    let json = serde_json::to_vec(message);
    json.map(Bytes::from).map_err(|error| AggregatorError::Format { op: route.op(), reason: error.to_string() })
}

/// The version of a signer, from which the adoption of an era is counted (`mithril-common` 0.8).
const SIGNER_VERSION: &str = "signer-node-version";
