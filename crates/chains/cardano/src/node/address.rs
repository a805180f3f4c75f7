//! Addresses that can hold outputs, in bech32, checked against the network.

use core::fmt;
use core::str::FromStr;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};

/// Is an address of the Shelley kind that can hold outputs: base, pointer or enterprise (CIP-19).
///
/// Its bytes, its prefix and its network agree; the text is the one that was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    text: String,
    bytes: Vec<u8>,
    network: AddressNetwork,
}

impl Address {
    /// Is the greatest length of an address's text in bytes; the longest in use, a base address of a testnet, has 108.
    pub const MAX_TEXT: usize = 256;

    /// Reads an address from its text.
    ///
    /// # Errors
    /// [`AddressError`] when it is not bech32, is of a kind that holds no outputs, or contradicts itself.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > Self::MAX_TEXT {
            return Err(AddressError::TooLong { length: text.len() });
        }
        let refuse = |reason: String| AddressError::NotBech32 { text: text.to_owned(), reason };
        let decoded = CheckedHrpstring::new::<Bech32>(text).map_err(|error| refuse(error.to_string()))?;
        let bytes: Vec<u8> = decoded.byte_iter().collect();
        let header = *bytes.first().ok_or_else(|| refuse("no data".to_owned()))?;
        let network = match header & 0x0f {
            0 => AddressNetwork::Testnet,
            1 => AddressNetwork::Mainnet,
            id => return Err(AddressError::UnknownNetwork { text: text.to_owned(), id }),
        };
        if !network.prefix().eq_ignore_ascii_case(decoded.hrp().as_str()) {
            return Err(AddressError::PrefixMismatch { text: text.to_owned(), network });
        }
        check_length(header >> 4, bytes.len()).map_err(|kind| AddressError::Kind {
            text: text.to_owned(),
            kind,
            length: bytes.len(),
        })?;
        Ok(Self { text: text.to_owned(), bytes, network })
    }

    /// Makes the text of an enterprise address, whose only part is the hash of a payment key.
    #[must_use]
    pub fn enterprise(network: AddressNetwork, key_hash: [u8; 28]) -> Self {
        let mut bytes = vec![ENTERPRISE << 4 | network.id()];
        bytes.extend_from_slice(&key_hash);
        // The prefix is one of two known texts and the data have 29 bytes, so there is nothing to refuse.
        let hrp = Hrp::parse_unchecked(network.prefix());
        let text = bech32::encode::<Bech32>(hrp, &bytes).unwrap_or_default();
        Self { text, bytes, network }
    }

    /// Checks that the address belongs to the network of `magic`.
    ///
    /// An address says no more than "mainnet" or "some testnet", so an address of one testnet passes for another.
    ///
    /// # Errors
    /// [`AddressError::WrongNetwork`].
    pub fn check(&self, magic: u64) -> Result<(), AddressError> {
        let wanted = AddressNetwork::of_magic(magic);
        if self.network == wanted {
            return Ok(());
        }
        Err(AddressError::WrongNetwork { text: self.text.clone(), wanted })
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the bytes that the ledger uses.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the network that the address states.
    #[must_use]
    pub fn network(&self) -> AddressNetwork {
        self.network
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

/// Is what an address says about its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressNetwork {
    /// Is the main network, network id 1.
    Mainnet,
    /// Is any other network, network id 0.
    Testnet,
}

impl AddressNetwork {
    /// Returns what addresses of the network with this magic say.
    #[must_use]
    pub fn of_magic(magic: u64) -> Self {
        if magic == MAINNET_MAGIC { Self::Mainnet } else { Self::Testnet }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Mainnet => "addr",
            Self::Testnet => "addr_test",
        }
    }

    fn id(self) -> u8 {
        match self {
            Self::Mainnet => 1,
            Self::Testnet => 0,
        }
    }
}

impl fmt::Display for AddressNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mainnet => "mainnet",
            Self::Testnet => "a testnet",
        })
    }
}

/// Says why a text is not an address that can be asked about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is of a kind that holds no outputs, or has the wrong length for its kind.
    #[error("{text} is of address kind {kind} with {length} bytes, which cannot hold outputs")]
    Kind {
        /// Is the text.
        text: String,
        /// Is the kind, the upper half of the first byte.
        kind: u8,
        /// Counts the bytes.
        length: usize,
    },
    /// The text is not bech32, or its checksum is wrong.
    #[error("{text:?} is not bech32: {reason}")]
    NotBech32 {
        /// Is the text.
        text: String,
        /// Says what is wrong.
        reason: String,
    },
    /// The prefix and the first byte name different networks.
    #[error("the prefix of {text} does not fit its network, {network}")]
    PrefixMismatch {
        /// Is the text.
        text: String,
        /// Is the network that the first byte names.
        network: AddressNetwork,
    },
    /// The text is longer than an address can be.
    #[error("a text of {length} bytes is no address")]
    TooLong {
        /// Counts the bytes.
        length: usize,
    },
    /// The network id is neither 0 nor 1.
    #[error("{text} names the unknown network {id}")]
    UnknownNetwork {
        /// Is the text.
        text: String,
        /// Is the lower half of the first byte.
        id: u8,
    },
    /// The address belongs to another network than the node.
    #[error("{text} is not an address of {wanted}")]
    WrongNetwork {
        /// Is the text.
        text: String,
        /// Is the node's network.
        wanted: AddressNetwork,
    },
}

/// Checks the number of bytes against the kind (CIP-19); returns the kind if it cannot hold outputs.
fn check_length(kind: u8, length: usize) -> Result<(), u8> {
    match (kind, length) {
        (0..=3, 57) | (ENTERPRISE | 7, 29) => Ok(()),
        // A pointer is three numbers of one to ten bytes each behind the 29 bytes.
        (4 | 5, 32..=59) => Ok(()),
        _ => Err(kind),
    }
}

/// Is the kind of address that has a payment key and nothing else (CIP-19).
const ENTERPRISE: u8 = 6;

/// Is the magic of the main network (its Byron genesis file).
const MAINNET_MAGIC: u64 = 764_824_073;

#[cfg(test)]
mod tests {
    use super::*;

    /// The era addresses that Mithril's networks state (`networks.json` and its configuration folders).
    const ERA_ADDRESSES: [(&str, AddressNetwork); 4] = [
        (
            "addr1qy72kwgm6kypyc5maw0h8mfagwag8wjnx6emgfnsnhqaml6gx7gg4tzplw9l32nsgclqax7stc4u6c5dn0ctljwscm2sqv0teg",
            AddressNetwork::Mainnet,
        ),
        (
            "addr_test1qpkyv2ws0deszm67t840sdnruqgr492n80g3y96xw3p2ksk6suj5musy6w8lsg3yjd09cnpgctc2qh386rtxphxt248qr0npnx",
            AddressNetwork::Testnet,
        ),
        (
            "addr_test1qrv5xfwh043mlc3vk5d97s4nmhxu7cmleyssvhx37gkfyejfe8d38v3vsfgetjafgrsdc49krug8wf04h5rmtengtejqlxrksk",
            AddressNetwork::Testnet,
        ),
        (
            "addr_test1qzzngukkj9ydjemqjlgfn42sevy2xnvauay46weushlpuq9thd4ray00csjssf4sxftv04xeequ3xfx72nujg9y4d5ysgkxxlh",
            AddressNetwork::Testnet,
        ),
    ];

    #[test]
    fn the_era_addresses_of_all_four_networks_are_read_and_belong_to_their_network_only() {
        for (text, network) in ERA_ADDRESSES {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.network(), address.as_bytes().len()), (network, 57));
            assert_eq!(address.check(MAINNET_MAGIC).is_ok(), network == AddressNetwork::Mainnet);
            assert_eq!(address.check(2).is_ok(), network == AddressNetwork::Testnet);
        }
    }

    #[test]
    fn one_changed_letter_is_a_wrong_checksum() {
        let (text, _) = ERA_ADDRESSES[1];
        for index in 10..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[index] = if bytes[index] == b'q' { b'p' } else { b'q' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(matches!(Address::parse(&changed), Err(AddressError::NotBech32 { .. })), "{changed}");
        }
    }

    #[test]
    fn stake_addresses_mixed_prefixes_and_long_texts_are_refused() {
        let encode = |prefix, bytes: &[u8]| bech32::encode::<Bech32>(Hrp::parse_unchecked(prefix), bytes).unwrap();
        let stake = encode("addr", &[[0xe1].as_slice(), &[7; 28]].concat());
        assert!(matches!(Address::parse(&stake), Err(AddressError::Kind { kind: 14, length: 29, .. })));
        let mixed = encode("addr_test", &[[0x61].as_slice(), &[7; 28]].concat());
        assert!(matches!(Address::parse(&mixed), Err(AddressError::PrefixMismatch { .. })));
        let unknown = encode("addr_test", &[[0x6f].as_slice(), &[7; 28]].concat());
        assert!(matches!(Address::parse(&unknown), Err(AddressError::UnknownNetwork { id: 15, .. })));
        assert!(matches!(Address::parse(&"q".repeat(257)), Err(AddressError::TooLong { length: 257 })));
        assert!(matches!(Address::parse(&encode("addr", &[])), Err(AddressError::NotBech32 { .. })));
    }

    #[test]
    fn an_enterprise_address_reads_back_as_itself() {
        for network in [AddressNetwork::Mainnet, AddressNetwork::Testnet] {
            let address = Address::enterprise(network, [9; 28]);
            assert_eq!(Address::parse(address.as_str()), Ok(address));
        }
    }
}
