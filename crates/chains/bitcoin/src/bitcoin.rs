//! Bitcoin: networks, addresses, connection.

use std::sync::Arc;

use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, Network, Script};
use nodewright_core::{BlockDelta, BlockHash, ChainAdapter, Result};
use nodewright_rpc::Auth;
use nodewright_utxo::hash::sha256d;
use nodewright_utxo::source::{AddressError, ConnectOptions, UtxoChain, UtxoNetwork, UtxoSource};
use nodewright_utxo::walker::Dialect;

use crate::adapter::adapter;

/// Connects to a Bitcoin node.
///
/// # Errors
/// As [`UtxoSource::connect`].
///
/// # Cancel safety
/// Dropping the future loses nothing.
pub async fn connect(url: &str, auth: Auth, options: ConnectOptions) -> Result<ChainAdapter> {
    let source = UtxoSource::connect(&CHAIN, url, auth, options).await?;
    Ok(adapter(&Arc::new(source)))
}

/// Describes Bitcoin. Network words are those of `getblockchaininfo`; the genesis blocks are those of Bitcoin Core
/// `src/kernel/chainparams.cpp`, and a test compares them with those of the crate `bitcoin`.
pub static CHAIN: UtxoChain = UtxoChain {
    name: "bitcoin",
    dialect: Dialect::Bitcoin,
    header_id: |header| sha256d(header),
    networks: &[
        UtxoNetwork {
            name: "main",
            genesis: genesis(b"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
            private: false,
            signal_period: Some(BlockDelta(2_016)),
            address: |script| address(script, Network::Bitcoin),
            script: |text| script(text, Network::Bitcoin, "main"),
        },
        UtxoNetwork {
            name: "test",
            genesis: genesis(b"000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"),
            private: false,
            signal_period: Some(BlockDelta(2_016)),
            address: |script| address(script, Network::Testnet),
            script: |text| script(text, Network::Testnet, "test"),
        },
        UtxoNetwork {
            name: "testnet4",
            genesis: genesis(b"00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
            private: false,
            signal_period: Some(BlockDelta(2_016)),
            address: |script| address(script, Network::Testnet4),
            script: |text| script(text, Network::Testnet4, "testnet4"),
        },
        UtxoNetwork {
            name: "signet",
            genesis: genesis(b"00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"),
            private: false,
            signal_period: Some(BlockDelta(2_016)),
            address: |script| address(script, Network::Signet),
            script: |text| script(text, Network::Signet, "signet"),
        },
        UtxoNetwork {
            name: "regtest",
            genesis: genesis(b"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),
            private: true,
            signal_period: Some(BlockDelta(144)),
            address: |script| address(script, Network::Regtest),
            script: |text| script(text, Network::Regtest, "regtest"),
        },
    ],
};

fn address(script: &[u8], network: Network) -> Option<String> {
    Address::from_script(Script::from_bytes(script), network).ok().map(|address| address.to_string())
}

fn script(text: &str, network: Network, name: &'static str) -> core::result::Result<Vec<u8>, AddressError> {
    let address: Address<NetworkUnchecked> = text.parse().map_err(|error| AddressError::malformed(text, error))?;
    match address.require_network(network) {
        Ok(address) => Ok(address.script_pubkey().into_bytes()),
        Err(_) => Err(AddressError::other_network(text, name)),
    }
}

/// Reads a block id as it is printed; used on literals that a test compares.
pub(crate) const fn genesis(text: &[u8; 64]) -> BlockHash {
    let mut hash = [0; 32];
    let mut index = 0;
    while index < 32 {
        hash[31 - index] = digit(text[2 * index]) << 4 | digit(text[2 * index + 1]);
        index += 1;
    }
    BlockHash(hash)
}

const fn digit(character: u8) -> u8 {
    match character {
        b'0'..=b'9' => character - b'0',
        _ => character - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::constants::genesis_block;
    use bitcoin::hashes::Hash as _;

    use super::*;

    fn networks() -> Vec<(&'static UtxoNetwork, Network)> {
        let known = [Network::Bitcoin, Network::Testnet, Network::Testnet4, Network::Signet, Network::Regtest];
        CHAIN.networks.iter().zip(known).collect()
    }

    #[test]
    fn genesis_blocks_are_those_of_the_bitcoin_crate_and_hash_to_their_ids() {
        assert_eq!(networks().len(), 5);
        for (network, known) in networks() {
            let header = genesis_block(known).header;
            assert_eq!(network.genesis.0, header.block_hash().to_byte_array(), "{}", network.name);
            let bytes = bitcoin::consensus::serialize(&header);
            assert_eq!((CHAIN.header_id)(bytes.first_chunk().unwrap()), network.genesis.0);
            assert_eq!(network.private, known == Network::Regtest);
        }
    }

    #[test]
    fn addresses_of_every_kind_go_there_and_back() {
        // BIP 173, BIP 350 and BIP 86 test vectors, and the address of the first block's coinbase.
        let cases = [
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"),
            ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87"),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
            (
                "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
                "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
            ),
            (
                "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
                "5120a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c",
            ),
        ];
        let main = &CHAIN.networks[0];
        for (text, script) in cases {
            let script = hex::decode(script).unwrap();
            assert_eq!((main.script)(text), Ok(script.clone()), "{text}");
            assert_eq!((main.address)(&script).as_deref(), Some(text));
            let test = (CHAIN.networks[1].script)(text);
            assert!(matches!(test, Err(AddressError::OtherNetwork { network: "test", .. })), "{test:?}");
        }
        assert_eq!((main.address)(&[0x6a, 1, 2]), None);
        assert_eq!((main.address)(&[]), None);
    }

    #[test]
    fn what_is_no_address_is_repeated_in_the_error_as_one_line() {
        let error = (CHAIN.networks[0].script)("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5").unwrap_err();
        assert!(error.to_string().contains("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"), "{error}");
        assert!(!error.to_string().contains('\n'));
        assert!((CHAIN.networks[0].script)("").is_err());
    }
}
