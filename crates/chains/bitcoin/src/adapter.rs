//! The adapter of both chains: what they have beside blocks.

use std::sync::Arc;

use nodewright_core::ChainAdapter;
use nodewright_core::api::{ApiRanges, ClientKind, Version};
use nodewright_utxo::deployment::{Confirmations, UtxoEras};
use nodewright_utxo::source::{UtxoSource, family_ranges};

use crate::policy::{CONFIRMATIONS, default_policy};

/// Makes the adapter: eras from the node's deployments, settled with the same confirmations as blocks.
pub(crate) fn adapter(source: &Arc<UtxoSource>) -> ChainAdapter {
    let finality = Arc::new(Confirmations(CONFIRMATIONS));
    let eras = UtxoEras::new(source.client().clone(), finality, source.network().signal_period);
    let probe = Arc::clone(source);
    ChainAdapter { eras: Some(Arc::new(eras)), probe: Some(probe), ..Arc::clone(source).adapter(default_policy()) }
}

/// Returns what this build speaks: the oldest programs it supports, and the methods that each ability needs.
///
/// Bitcoin Core 0.21 and Litecoin Core 0.21 are the first with `getindexinfo` and the `softforks` object that are read
/// here; Litecoin Core 0.21.2 is what the tests run.
#[must_use]
pub fn api_ranges() -> ApiRanges {
    family_ranges()
        .with_client(ClientKind::of("bitcoin-core"), Version::new(0, 21, 0))
        .with_client(ClientKind::of("litecoin-core"), Version::new(0, 21, 0))
}

/// Names the deployments whose rules this build's parsers know: all that the two chains have had. None of them changes
/// how a block or an output is read, except segwit and MWEB, which the walker reads.
pub const KNOWN_DEPLOYMENTS: &[&str] = &["bip34", "bip65", "bip66", "csv", "mweb", "segwit", "taproot", "testdummy"];
