//! Litecoin addresses: base58 with its own prefixes, and bech32 with its own words.

use bech32::primitives::decode::SegwitHrpstring;
use bech32::{Fe32, Hrp, segwit};
use bitcoin::base58;
use nodewright_utxo::script::{ScriptKind, classify};
use nodewright_utxo::source::AddressError;

/// States how the addresses of one network look.
#[derive(Debug)]
pub(super) struct Forms {
    pub(super) network: &'static str,
    /// The version byte of a payment to a key's hash.
    pub(super) key: u8,
    /// The version byte of a payment to a script's hash, as it is printed.
    pub(super) script: u8,
    /// The version byte it used to have, which is still read (on the main network it is Bitcoin's).
    pub(super) old_script: u8,
    /// The word in front of a bech32 address.
    pub(super) hrp: &'static str,
}

impl Forms {
    /// Prints an output script as an address; `None` if it has none.
    pub(super) fn address(&self, script: &[u8]) -> Option<String> {
        let base58 = |version: u8, hash: &[u8]| Some(base58::encode_check(&[&[version], hash].concat()));
        match classify(script) {
            ScriptKind::P2pkh(hash) => base58(self.key, &hash),
            ScriptKind::P2sh(hash) => base58(self.script, &hash),
            ScriptKind::P2wpkh(hash) => self.bech32(segwit::VERSION_0, &hash),
            ScriptKind::P2wsh(hash) => self.bech32(segwit::VERSION_0, &hash),
            ScriptKind::P2tr(key) => self.bech32(segwit::VERSION_1, &key),
            _ => None,
        }
    }

    /// Reads an address of this network as its output script.
    pub(super) fn script(&self, text: &str) -> Result<Vec<u8>, AddressError> {
        if let Ok(parsed) = SegwitHrpstring::new(text) {
            if !parsed.hrp().as_str().eq_ignore_ascii_case(self.hrp) {
                return Err(self.foreign(text, ["ltc", "tltc", "rltc"].contains(&parsed.hrp().to_lowercase().as_str())));
            }
            let program: Vec<u8> = parsed.byte_iter().collect();
            return Ok([&[opcode(parsed.witness_version()), length(&program)], program.as_slice()].concat());
        }
        let bytes = base58::decode_check(text).map_err(|error| AddressError::malformed(text, error))?;
        match bytes.split_first() {
            Some((&version, hash)) if hash.len() == 20 => {
                if version == self.key {
                    Ok([&[0x76, 0xa9, 20], hash, &[0x88, 0xac]].concat())
                } else if version == self.script || version == self.old_script {
                    Ok([&[0xa9, 20], hash, &[0x87]].concat())
                } else {
                    Err(self.foreign(text, KNOWN_VERSIONS.contains(&version)))
                }
            }
            _ => Err(AddressError::malformed(text, "not a version byte and a hash of 20 bytes")),
        }
    }

    fn bech32(&self, version: Fe32, program: &[u8]) -> Option<String> {
        segwit::encode(Hrp::parse(self.hrp).ok()?, version, program).ok()
    }

    fn foreign(&self, text: &str, known: bool) -> AddressError {
        if known {
            AddressError::other_network(text, self.network)
        } else {
            AddressError::malformed(text, "a prefix that no Litecoin network has")
        }
    }
}

/// Returns the opcode that pushes a witness version: `OP_0`, or `OP_1` to `OP_16` (BIP 141).
fn opcode(version: Fe32) -> u8 {
    match version.to_u8() {
        0 => 0,
        version => 0x50 + version,
    }
}

/// Returns the length of a witness program, which has 2 to 40 bytes (BIP 141; checked when the address was parsed).
fn length(program: &[u8]) -> u8 {
    u8::try_from(program.len()).unwrap_or_default()
}

/// Holds the version bytes of all Litecoin networks.
const KNOWN_VERSIONS: [u8; 6] = [48, 50, 5, 111, 58, 196];
