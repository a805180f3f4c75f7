//! What the aggregator of a simulated network says of itself and of each epoch.

use nodewright_core::Epoch;
use serde_json::{Value, json};

use super::Devnet;
use super::error::DevnetError;
use crate::artifact::StakedSigner;
use crate::certificate::EntityKind;
use crate::sim::aggregator::SimContents;

impl Devnet {
    /// Publishes what changes with the epoch.
    pub(super) fn enter_epoch(&mut self) -> Result<(), DevnetError> {
        let epoch = self.epoch;
        let later = |epochs| Epoch(epoch.0.saturating_add(epochs));
        let (current, next) = (self.signers(epoch)?, self.signers(later(1))?);
        let registered = self.signers(later(2))?;
        let (parameters, era, network) =
            (json!(self.options.parameters), self.era(), self.options.network.name().to_owned());
        let tags: Vec<_> = CERTIFIED.iter().map(|kind| kind.tag()).collect();
        self.aggregator.update(|contents| {
            contents.put(
                "/",
                json!({
                    "open_api_version": API,
                    "documentation_url": "https://mithril.network",
                    "capabilities": { "signed_entity_types": tags, "aggregate_signature_type": "Concatenation" },
                }),
            );
            contents.put(
                STATUS,
                json!({
                    "epoch": epoch,
                    "cardano_era": "Conway",
                    "cardano_network": network,
                    "mithril_era": era,
                    "cardano_node_version": "11.0.1",
                    "aggregator_node_version": "0.8.53",
                    "protocol": parameters,
                    "next_protocol": parameters,
                    "total_signers": current.len(),
                    "total_next_signers": next.len(),
                    "total_stakes_signers": total(&current),
                    "total_next_stakes_signers": total(&next),
                    "total_cardano_spo": current.len(),
                    "total_cardano_stake": total(&current),
                }),
            );
            contents.put(
                "/epoch-settings",
                json!({
                    "epoch": epoch,
                    "signer_registration_protocol": parameters,
                    "current_signers": keys(&current),
                    "next_signers": keys(&next),
                }),
            );
            contents.put(
                format!("/protocol-configuration/{epoch}"),
                json!({
                    "protocol_parameters": parameters,
                    "available_signed_entity_types": tags,
                }),
            );
            let registrations: Vec<_> = registered.iter().map(stake).collect();
            let registrations =
                json!({ "registered_at": epoch, "signing_at": later(2), "registrations": registrations });
            contents.put("/signers/registered/latest", registrations.clone());
            contents.put(format!("/signers/registered/{epoch}"), registrations);
            let tickers = registered.iter().enumerate().map(|(index, signer)| {
                json!({ "party_id": signer.party_id, "pool_ticker": format!("[SIM{index}]"), "has_registered": true })
            });
            let tickers: Vec<_> = tickers.collect();
            contents.put("/signers/tickers", json!({ "network": network, "signers": tickers }));
        });
        Ok(())
    }
}

/// Lets the aggregator state another era.
pub(super) fn status_era(contents: &mut SimContents, era: &str) {
    if let Some(stated) = contents.document_mut(STATUS).and_then(|status| status.get_mut("mithril_era")) {
        *stated = json!(era);
    }
}

fn keys(signers: &[StakedSigner]) -> Vec<Value> {
    let key =
        |signer: &StakedSigner| json!({ "party_id": signer.party_id, "verification_key": signer.verification_key });
    signers.iter().map(key).collect()
}

fn stake(signer: &StakedSigner) -> Value {
    json!({ "party_id": signer.party_id, "stake": signer.stake })
}

fn total(signers: &[StakedSigner]) -> u64 {
    signers.iter().fold(0, |total, signer| signer.stake.0.saturating_add(total))
}

/// What is certified here.
const CERTIFIED: [EntityKind; 3] =
    [EntityKind::MithrilStakeDistribution, EntityKind::CardanoStakeDistribution, EntityKind::CardanoDatabase];
const STATUS: &str = "/status";
/// The version of the API that is stated (`mithril-common` 0.8.3).
const API: &str = "0.1.71";
