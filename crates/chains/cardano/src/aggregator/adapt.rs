//! The traits by which the rest of this crate, and core, ask an aggregator; over one, and over several.

use async_trait::async_trait;
use nodewright_core::api::{ApiProbe, Client, ClientKind, MethodName, NodeOffer, Version};
use nodewright_core::{BlockHeight, ChainPosition, Epoch, EraPositions, Result};

use super::client::{AggregatorClient, format_error};
use super::error::AggregatorError;
use super::many::Aggregators;
use super::message::{EpochSettings, RegisteredSigner, SignerRegistrations};
use super::route::{EpochChoice, Route};
use super::version::AGGREGATOR_API;
use crate::certificate::{CertificateHash, CertificateSource, CertificateSummary, EntityKind};
use crate::era::PositionSource;
use crate::kes::StmKey;
use crate::watch::{AggregatorView, CertificateFact, SettingsReading, SignerKey};

/// Implements the traits over one aggregator or several. `$ask!` puts a question to a client; over several, to one after
/// another.
macro_rules! traits_over {
    ($name:ty, $ask:ident) => {
        #[async_trait]
        impl CertificateSource for $name {
            async fn certificate(&self, hash: &CertificateHash) -> Result<Option<Vec<u8>>> {
                let hash = *hash;
                match $ask!(self, |client| client.certificate_body(&hash)) {
                    Ok(body) => Ok(Some(body.into())),
                    Err(AggregatorError::NotFound { .. }) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }

            async fn latest(&self) -> Result<Vec<CertificateSummary>> {
                Ok($ask!(self, |client| client.certificates())?)
            }
        }

        #[async_trait]
        impl AggregatorView for $name {
            async fn certificates(&self) -> Result<Vec<CertificateFact>> {
                let list = $ask!(self, |client| client.certificates())?;
                Ok(list.iter().map(CertificateFact::from).collect())
            }

            async fn expected_kinds(&self) -> Result<Vec<EntityKind>> {
                Ok($ask!(self, |client| client.features())?.capabilities.kinds())
            }

            async fn registered(&self, epoch: Epoch) -> Result<Vec<String>> {
                let answer = $ask!(self, |client| client.registered_signers(EpochChoice::Epoch(epoch)));
                Ok(parties(epoch, answer)?)
            }

            async fn settings(&self) -> Result<SettingsReading> {
                Ok(settings(&$ask!(self, |client| client.epoch_settings())?)?)
            }
        }

        #[async_trait]
        impl ApiProbe for $name {
            async fn offer(&self) -> Result<NodeOffer> {
                Ok($ask!(self, |client| offer(client.clone()))?)
            }
        }

        /// The aggregator's epoch, by which it works itself. It states no block, so the height is 0; and it takes nothing
        /// back, so the position counts as final.
        #[async_trait]
        impl PositionSource for $name {
            async fn positions(&self) -> Result<EraPositions> {
                let status = $ask!(self, |client| client.status())?;
                let head = ChainPosition { epoch: Some(status.epoch), ..ChainPosition::at(BlockHeight(0)) };
                Ok(EraPositions { head, finalized: Some(head) })
            }
        }
    };
}

macro_rules! ask_one {
    ($client:expr, |$name:ident| $question:expr) => {{
        let $name = $client;
        $question.await
    }};
}

macro_rules! ask_several {
    ($aggregators:expr, |$name:ident| $question:expr) => {
        $aggregators.ask(|$name| async move { $question.await }).await
    };
}

traits_over!(AggregatorClient, ask_one);
traits_over!(Aggregators, ask_several);

/// Asks for version and abilities: of the API in `/`, of the program in `/status`. What it signs stands for methods.
async fn offer(client: AggregatorClient) -> core::result::Result<NodeOffer, AggregatorError> {
    let features = client.features().await?;
    let printed = client.status().await?.aggregator_node_version;
    let version = Version::parse(&printed).ok();
    let offer = NodeOffer::new(Client { kind: AGGREGATOR, printed, version })
        .with_methods(features.capabilities.signed_entity_types.into_iter().map(MethodName::new));
    Ok(match Version::parse(&features.open_api_version) {
        Ok(version) => offer.with_api(AGGREGATOR_API, version),
        Err(_) => offer,
    })
}

fn parties(
    epoch: Epoch,
    answer: core::result::Result<SignerRegistrations, AggregatorError>,
) -> core::result::Result<Vec<String>, AggregatorError> {
    match answer {
        // That is how an aggregator says that nobody registered yet.
        Err(AggregatorError::NotFound { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(answer) if answer.registered_at == epoch => {
            Ok(answer.registrations.into_iter().map(|party| party.party_id).collect())
        }
        Ok(answer) => {
            let reason = format!("asked for epoch {epoch}, was given {}", answer.registered_at);
            Err(format_error(Route::Registered(EpochChoice::Epoch(epoch)), &reason))
        }
    }
}

fn settings(settings: &EpochSettings) -> core::result::Result<SettingsReading, AggregatorError> {
    let keys = |signers: &[RegisteredSigner]| signers.iter().map(signer_key).collect::<core::result::Result<_, _>>();
    let (current, next) = (keys(&settings.current_signers)?, keys(&settings.next_signers)?);
    Ok(SettingsReading { epoch: settings.epoch, current, next })
}

fn signer_key(signer: &RegisteredSigner) -> core::result::Result<SignerKey, AggregatorError> {
    let key = StmKey::from_text(&signer.verification_key);
    let key = key.map_err(|error| format_error(Route::EpochSettings, &format_args!("{}: {error}", signer.party_id)))?;
    Ok(SignerKey { party: signer.party_id.clone(), key })
}

/// Names the program in [`NodeOffer`].
const AGGREGATOR: ClientKind = ClientKind::of("mithril-aggregator");
