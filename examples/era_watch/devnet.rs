//! The embedded network: a simulated node on a Unix socket, the era key, and the address that carries its markers.

use std::path::Path;

use nodewright::cardano::era::{Marker, Markers, MarkersDatum, SignedMarkers};
use nodewright::cardano::keys::{SigningKey, VerificationKey};
use nodewright::cardano::network::CardanoNetwork;
use nodewright::cardano::node::{Address, AddressNetwork};
use nodewright::cardano::sim::node::{SimDatum, SimLedger, SimNode};
use nodewright::core::{Epoch, EraId};

/// Is a network whose clock goes when it is told to.
pub(crate) struct Devnet {
    pub(crate) node: SimNode,
    pub(crate) address: Address,
    key: SigningKey,
    /// Counts the lists that were published.
    published: u8,
}

impl Devnet {
    /// Starts the node in `folder`, at the first block of `epoch`.
    pub(crate) fn start(folder: &Path, epoch: u64) -> Result<Self, String> {
        let ledger = SimLedger::new(CardanoNetwork::devnet().magic(), Epoch(epoch));
        let node = SimNode::start(folder, ledger).map_err(|error| format!("the simulated node: {error}"))?;
        let address = Address::enterprise(AddressNetwork::Testnet, [0x11; 28]);
        Ok(Self { node, address, key: SigningKey::from_bytes(&[0x22; 32]), published: 0 })
    }

    pub(crate) fn verification_key(&self) -> VerificationKey {
        self.key.verification_key()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.node.ledger().tip.epoch.0
    }

    /// Adds a block to the epoch.
    pub(crate) fn block(&self) {
        self.node.update(|ledger| ledger.enter(ledger.tip.epoch));
    }

    /// Adds the first block of the next epoch.
    pub(crate) fn next_epoch(&self) {
        self.node.update(|ledger| ledger.enter(Epoch(ledger.tip.epoch.0 + 1)));
    }

    /// Publishes a list as the operator does: the output that carries the one before is spent.
    pub(crate) fn publish(&mut self, markers: &Markers) -> Result<(), String> {
        let datum = signed(markers, &self.key)?;
        let old = OPERATOR | self.published;
        self.published += 1;
        let new = OPERATOR | self.published;
        self.node.update(|ledger| {
            ledger.spend(old);
            ledger.pay(new, 0, &self.address, datum);
        });
        Ok(())
    }

    /// Pays a list that was published before to the address once more, as anybody can.
    pub(crate) fn replay(&self, markers: &Markers) -> Result<(), String> {
        let datum = signed(markers, &self.key)?;
        self.node.update(|ledger| ledger.pay(REPLAY, 0, &self.address, datum));
        Ok(())
    }

    /// Pays a list to the address that a stranger has signed.
    pub(crate) fn intrude(&self, markers: &Markers) -> Result<(), String> {
        let datum = signed(markers, &SigningKey::from_bytes(&[0x33; 32]))?;
        self.node.update(|ledger| ledger.pay(STRANGER, 0, &self.address, datum));
        Ok(())
    }
}

/// Makes a list of markers.
pub(crate) fn markers(list: &[(&str, Option<u64>)]) -> Result<Markers, String> {
    let marker = |(name, epoch): &(&str, Option<u64>)| {
        let era = EraId::try_new(*name).map_err(|error| error.to_string())?;
        Ok(Marker::new(era, epoch.map(Epoch)))
    };
    let list: Result<Vec<_>, String> = list.iter().map(marker).collect();
    Markers::try_new(list?).map_err(|error| error.to_string())
}

fn signed(markers: &Markers, key: &SigningKey) -> Result<SimDatum, String> {
    let payload = SignedMarkers::sign(markers.clone(), key).to_json();
    let datum = MarkersDatum::try_new(payload).map_err(|error| error.to_string())?;
    Ok(SimDatum::Inline(datum.to_cbor()))
}

/// Is the byte of the ids of the operator's transactions; the node lists them after the others.
const OPERATOR: u8 = 0x80;
const REPLAY: u8 = 0x01;
const STRANGER: u8 = 0x02;
