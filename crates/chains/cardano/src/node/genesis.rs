//! How a Cardano network begins: what a scan is checked against, and what its slots are counted by.

use core::time::Duration;

use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockPoint, BlockTime, ChainId, NetworkId, Scope, Slot};

use crate::network::CardanoNetwork;

/// Says how a network begins.
///
/// The hash is that of Byron's genesis file, which every network has. It is no block: it stands before the first one, as
/// the origin, with height 0, which the first block may have too.
///
/// Users build it by literal on top of [`Genesis::custom`] or [`Genesis::known`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Names the network.
    pub network: CardanoNetwork,
    /// Is the hash of Byron's genesis file, the parent of the first block.
    pub hash: BlockHash,
    /// Is when slot 0 began.
    pub start: BlockTime,
    /// Is the first slot after Byron; 0 for a network that began with a later era.
    pub byron_end: Slot,
    /// Is how long a slot of Byron took.
    pub byron_slot: Duration,
    /// Counts the slots of an epoch of Byron, ten times its security parameter.
    pub byron_epoch: u64,
    /// Is how long a slot takes after Byron.
    pub slot: Duration,
}

impl Genesis {
    /// Makes the beginning of a network of one's own that starts after Byron and has slots of one second.
    #[must_use]
    pub fn custom(network: CardanoNetwork, hash: BlockHash, start: BlockTime) -> Self {
        Self {
            network,
            hash,
            start,
            byron_end: Slot(0),
            byron_slot: Duration::from_secs(20),
            byron_epoch: 21_600,
            slot: Duration::from_secs(1),
        }
    }

    /// Returns how a public network begins; `None` if the network is none of mainnet, preprod and preview.
    #[must_use]
    pub fn known(network: &CardanoNetwork) -> Option<Self> {
        let known = KNOWN.iter().find(|known| (known.network)() == *network)?;
        let hash = BlockHash::from_hex(known.hash).ok()?;
        let genesis = Self::custom(network.clone(), hash, BlockTime(known.start));
        Some(genesis.with_byron_end(Slot(known.byron_end)))
    }

    /// Says that the network began with Byron, and which slot is the first after it.
    #[must_use]
    pub fn with_byron_end(mut self, slot: Slot) -> Self {
        self.byron_end = slot;
        self
    }

    /// Sets how long a slot takes after Byron.
    #[must_use]
    pub fn with_slot(mut self, length: Duration) -> Self {
        self.slot = length;
        self
    }

    /// Returns which ledger begins so.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let network = NetworkId { name: self.network.name().to_owned(), genesis: self.hash };
        Scope { chain: ChainId::new("cardano"), network, shard: None }
    }

    /// Returns the point before the first block, from which a whole chain is scanned. It has no slot.
    #[must_use]
    pub fn origin(&self) -> BlockPoint {
        BlockId { height: BlockHeight(0), hash: self.hash }.into()
    }

    /// Returns when `slot` began, in whole seconds.
    #[must_use]
    pub fn time(&self, slot: Slot) -> BlockTime {
        let millis =
            |slots: u64, length: Duration| slots.saturating_mul(u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
        let byron = millis(slot.0.min(self.byron_end.0), self.byron_slot);
        let later = millis(slot.0.saturating_sub(self.byron_end.0), self.slot);
        BlockTime(self.start.0.saturating_add(byron.saturating_add(later) / 1_000))
    }
}

struct Known {
    network: fn() -> CardanoNetwork,
    hash: &'static str,
    start: u64,
    byron_end: u64,
}

/// The public networks: `ByronGenesisHash` of the node's `config.json`, `startTime` of `byron-genesis.json` and the first
/// slot of Shelley (208 epochs of 21,600 slots on mainnet, 4 on preprod, none on preview), as the Cardano Operations Book
/// publishes them.
const KNOWN: &[Known] = &[
    Known {
        network: CardanoNetwork::mainnet,
        hash: "5f20df933584822601f9e3f8c024eb5eb252fe8cefb24d1317dc3d432e940ebb",
        start: 1_506_203_091,
        byron_end: 4_492_800,
    },
    Known {
        network: CardanoNetwork::preprod,
        hash: "d4b8de7a11d929a323373cbab6c1a9bdc931beffff11db111cf9d57356ee1937",
        start: 1_654_041_600,
        byron_end: 86_400,
    },
    Known {
        network: CardanoNetwork::preview,
        hash: "83de1d7302569ad56cf9139a41e2e11346d4cb4a31c00142557b6ab3fa550761",
        start: 1_666_656_000,
        byron_end: 0,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slots_of_byron_are_longer_than_those_after_it() {
        let mainnet = Genesis::known(&CardanoNetwork::mainnet()).unwrap();
        assert_eq!(mainnet.time(Slot(0)), BlockTime(1_506_203_091));
        assert_eq!(mainnet.time(Slot(1)), BlockTime(1_506_203_111));
        // 2020-07-29T21:44:51Z, when Shelley began.
        assert_eq!(mainnet.time(Slot(4_492_800)), BlockTime(1_596_059_091));
        assert_eq!(mainnet.time(Slot(4_492_801)), BlockTime(1_596_059_092));
        let preprod = Genesis::known(&CardanoNetwork::preprod()).unwrap();
        assert_eq!(preprod.time(Slot(86_400)), BlockTime(1_655_769_600));
        assert_eq!(preprod.time(Slot(u64::MAX)), BlockTime(1_654_041_600 + u64::MAX / 1_000));
    }

    #[test]
    fn a_network_that_is_not_public_has_no_known_beginning() {
        for network in [CardanoNetwork::mainnet(), CardanoNetwork::preprod(), CardanoNetwork::preview()] {
            assert_eq!(Genesis::known(&network).map(|genesis| genesis.network), Some(network));
        }
        assert_eq!(Genesis::known(&CardanoNetwork::devnet()), None);
        assert_eq!(Genesis::known(&CardanoNetwork::custom("mainnet", 2)), None);
    }
}
