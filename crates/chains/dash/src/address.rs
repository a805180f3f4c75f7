//! Addresses: scripts that pay a key hash or a script hash, as base58 text with a version byte.

use bitcoin::base58;
use nodewright_utxo::script::{ScriptKind, classify};
use nodewright_utxo::source::AddressError;

use crate::quorum::Network;

/// Holds the version bytes of one kind of network.
///
/// Source: `base58Prefixes` in Dash Core v22 `src/chainparams.cpp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Versions {
    network: &'static str,
    key_hash: u8,
    script_hash: u8,
}

/// Prints what `script` pays to as an address of `network`; `None` if it pays neither a key hash nor a script hash.
#[must_use]
pub fn address(network: Network, script: &[u8]) -> Option<String> {
    versions(network).print(script)
}

/// Reads an address of `network` and returns the script that pays to it.
///
/// # Errors
/// [`AddressError`] with the text, if it is no address, or one of another network.
pub fn script(network: Network, text: &str) -> Result<Vec<u8>, AddressError> {
    versions(network).read(text)
}

const fn versions(network: Network) -> Versions {
    match network {
        Network::Mainnet => MAIN,
        Network::Devnet | Network::Regtest | Network::Testnet => TEST,
    }
}

impl Versions {
    fn print(self, script: &[u8]) -> Option<String> {
        let (version, hash) = match classify(script) {
            ScriptKind::P2pkh(hash) => (self.key_hash, hash),
            ScriptKind::P2sh(hash) => (self.script_hash, hash),
            _ => return None,
        };
        let mut bytes = [version; 21];
        bytes.get_mut(1..)?.copy_from_slice(&hash);
        Some(base58::encode_check(&bytes))
    }

    const fn has(self, version: u8) -> bool {
        version == self.key_hash || version == self.script_hash
    }

    fn read(self, text: &str) -> Result<Vec<u8>, AddressError> {
        let bytes = base58::decode_check(text).map_err(|error| AddressError::malformed(text, error))?;
        match <[u8; 21]>::try_from(bytes.as_slice()) {
            Ok([version, hash @ ..]) if version == self.key_hash => {
                Ok([&[OP_DUP, OP_HASH160, 20][..], &hash, &[OP_EQUALVERIFY, OP_CHECKSIG]].concat())
            }
            Ok([version, hash @ ..]) if version == self.script_hash => {
                Ok([&[OP_HASH160, 20][..], &hash, &[OP_EQUAL]].concat())
            }
            Ok([version, ..]) if MAIN.has(version) || TEST.has(version) => {
                Err(AddressError::other_network(text, self.network))
            }
            Ok([version, ..]) => Err(AddressError::malformed(text, format_args!("version {version} is not of Dash"))),
            Err(_) => Err(AddressError::malformed(text, format_args!("{} bytes instead of 21", bytes.len()))),
        }
    }
}

const MAIN: Versions = Versions { network: "main", key_hash: 76, script_hash: 16 };
const TEST: Versions = Versions { network: "test", key_hash: 140, script_hash: 19 };

const OP_DUP: u8 = 0x76;
const OP_EQUAL: u8 = 0x87;
const OP_EQUALVERIFY: u8 = 0x88;
const OP_HASH160: u8 = 0xa9;
const OP_CHECKSIG: u8 = 0xac;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn an_address_and_its_script_lead_to_one_another_on_every_network() {
        let hash = [0x5a; 20];
        let key = [&[0x76, 0xa9, 20][..], &hash, &[0x88, 0xac]].concat();
        let held = [&[0xa9, 20][..], &hash, &[0x87]].concat();
        for (network, first) in
            [(Network::Mainnet, ["X", "7"]), (Network::Testnet, ["y", "8"]), (Network::Regtest, ["y", "8"])]
        {
            for (paid, first) in [&key, &held].into_iter().zip(first) {
                let text = address(network, paid).unwrap();
                assert!(text.starts_with(first), "{text}");
                assert_eq!(script(network, &text).as_ref(), Ok(paid));
            }
        }
    }

    #[test]
    fn reads_the_vault_of_the_recorded_network() {
        let paid = script(Network::Regtest, "yZJAKchDbbmYdCCxttRifr7F9QKoSJeCqs").unwrap();
        assert_eq!(hex::encode(paid), "76a9148e5b6c4208b81c5a53f1a010d175700adbf3f71e88ac");
    }

    #[test]
    fn refuses_an_address_of_another_network_and_a_mistyped_one() {
        let text = "yZJAKchDbbmYdCCxttRifr7F9QKoSJeCqs";
        assert!(matches!(script(Network::Mainnet, text), Err(AddressError::OtherNetwork { network: "main", .. })));
        assert!(matches!(script(Network::Regtest, &text.replace('Q', "R")), Err(AddressError::Malformed { .. })));
        assert!(matches!(script(Network::Regtest, "bad0OIl"), Err(AddressError::Malformed { .. })));
        let bitcoin = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
        assert!(matches!(script(Network::Mainnet, bitcoin), Err(AddressError::Malformed { .. })));
        let short = base58::encode_check(&[140; 20]);
        assert!(matches!(script(Network::Regtest, &short), Err(AddressError::Malformed { .. })));
    }

    #[test]
    fn other_scripts_have_no_address() {
        assert_eq!(address(Network::Mainnet, &[0x6a, 1, 7]), None);
        assert_eq!(address(Network::Mainnet, &[]), None);
    }
}
