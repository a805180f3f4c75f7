//! What tells one Dash network from another.

use nodewright_core::BlockHash;

use crate::quorum::Network;

impl Network {
    /// Returns the id of the block at height 0, in wire byte order.
    ///
    /// Every devnet begins with the block of the regtest; its name is in the block after it.
    ///
    /// Source: `hashGenesisBlock` in Dash Core v22 `src/chainparams.cpp`; each is the X11 hash of its header (tested).
    #[must_use]
    pub const fn genesis(self) -> BlockHash {
        BlockHash(match self {
            Self::Mainnet => MAIN,
            Self::Devnet | Self::Regtest => REGTEST,
            Self::Testnet => TEST,
        })
    }
}

const MAIN: [u8; 32] = [
    0xb6, 0x7a, 0x40, 0xf3, 0xcd, 0x58, 0x04, 0x43, 0x7a, 0x10, 0x8f, 0x10, 0x55, 0x33, 0x73, 0x9c, //
    0x37, 0xe6, 0x22, 0x9b, 0xc1, 0xad, 0xca, 0xb3, 0x85, 0x14, 0x0b, 0x59, 0xfd, 0x0f, 0x00, 0x00,
];

const REGTEST: [u8; 32] = [
    0x2e, 0x3d, 0xf2, 0x3e, 0xec, 0x5c, 0xd6, 0xa8, 0x6e, 0xdd, 0x50, 0x95, 0x39, 0x02, 0x8e, 0x2c, //
    0x3a, 0x3d, 0xc0, 0x53, 0x15, 0xeb, 0x28, 0xf2, 0xba, 0xa4, 0x32, 0x18, 0xca, 0x08, 0x00, 0x00,
];

const TEST: [u8; 32] = [
    0x2c, 0xbc, 0xf8, 0x3b, 0x62, 0x91, 0x3d, 0x56, 0xf6, 0x05, 0xc0, 0xe5, 0x81, 0xa4, 0x88, 0x72, //
    0x83, 0x94, 0x28, 0xc9, 0x2e, 0x5e, 0xb7, 0x6c, 0xd7, 0xad, 0x94, 0xbc, 0xaf, 0x0b, 0x00, 0x00,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use nodewright_utxo::hash::parse_reversed;
    use nodewright_utxo::header::RawHeader;

    use super::*;
    use crate::x11;

    #[test]
    fn each_genesis_id_is_the_x11_hash_of_its_header() {
        // Time, bits and nonce from `CreateGenesisBlock` calls in Dash Core v22 `src/chainparams.cpp`.
        let headers = [
            (Network::Mainnet, 1_390_095_618, 0x1e0f_fff0, 28_917_698),
            (Network::Testnet, 1_390_666_206, 0x1e0f_fff0, 3_861_367_235),
            (Network::Regtest, 1_417_713_337, 0x207f_ffff, 1_096_447),
        ];
        let merkle_root = parse_reversed("e0028eb9648db56b1ac77cf090b99048a8007e2bb64b68f092c03c7f56a662c7").unwrap();
        for (network, time, bits, nonce) in headers {
            let header = RawHeader { version: 1, prev: [0; 32], merkle_root, time, bits, nonce };
            assert_eq!(network.genesis().0, header.id(|bytes| x11(bytes)), "{network:?}");
        }
    }

    #[test]
    fn genesis_ids_print_as_nodes_print_them() {
        assert!(Network::Mainnet.genesis().to_reversed_hex().starts_with("00000ffd590b"));
        assert!(Network::Testnet.genesis().to_reversed_hex().starts_with("00000bafbc94"));
        assert!(Network::Regtest.genesis().to_reversed_hex().starts_with("000008ca1832"));
    }
}
