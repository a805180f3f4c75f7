//! One masternode of the simplified list that coinbases commit to.

use nodewright_utxo::bytes::{ParseError, Reader};
use nodewright_utxo::hash::{Txid, sha256d};

use crate::bls::PublicKey;

/// A masternode as the simplified list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasternodeEntry {
    /// The transaction that registered the masternode; its name.
    pub pro_reg_tx: Txid,
    /// The block in which the registration was confirmed, in wire byte order.
    pub confirmed_hash: [u8; 32],
    /// The IPv6 address, or an IPv4 address mapped into it; all zero if none is known.
    pub address: [u8; 16],
    /// The port.
    pub port: u16,
    /// The key the operator signs with, in the encoding that belongs to `details`.
    pub operator_key: PublicKey,
    /// The key hash that votes.
    pub voting_key_id: [u8; 20],
    /// Whether the masternode is in service: not banned for failing.
    pub is_valid: bool,
    /// What depends on the entry's version.
    pub details: MasternodeDetails,
}

/// What the entry of a masternode holds beyond the common fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasternodeDetails {
    /// Version 2, with Platform services.
    Evo {
        /// The port of the Platform gateway.
        platform_http_port: u16,
        /// The node's name on Platform.
        platform_node_id: [u8; 20],
    },
    /// Version 1: the operator key is in the encoding before V19.
    Legacy,
    /// Version 2, without Platform services.
    Regular,
}

impl MasternodeEntry {
    /// Reads an entry where the reader stands, as in `mnlistdiff` since protocol 70230.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: truncated, or an unknown version or type.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = reader.position();
        let version = reader.u16()?;
        if !(VERSION_LEGACY..=VERSION_BASIC).contains(&version) {
            let what = "masternode entry version";
            return Err(ParseError::Unsupported { what, value: version.into(), at });
        }
        Ok(Self {
            pro_reg_tx: Txid(reader.array()?),
            confirmed_hash: reader.array()?,
            address: reader.array()?,
            port: reader.u16_be()?,
            operator_key: PublicKey::new(reader.array()?),
            voting_key_id: reader.array()?,
            is_valid: reader.bool("masternode validity")?,
            details: MasternodeDetails::read(reader, version)?,
        })
    }

    /// Appends the entry in the form that [`read`](Self::read) reads.
    pub fn write(&self, out: &mut Vec<u8>) {
        let version = match self.details {
            MasternodeDetails::Legacy => VERSION_LEGACY,
            MasternodeDetails::Evo { .. } | MasternodeDetails::Regular => VERSION_BASIC,
        };
        out.extend_from_slice(&version.to_le_bytes());
        self.write_committed(out);
    }

    /// Returns the entry's leaf in the tree that coinbases commit to: its hash without version.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(MIN_LEN + EVO_LEN);
        self.write_committed(&mut bytes);
        sha256d(&bytes)
    }

    fn write_committed(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.pro_reg_tx.as_bytes());
        out.extend_from_slice(&self.confirmed_hash);
        out.extend_from_slice(&self.address);
        out.extend_from_slice(&self.port.to_be_bytes());
        out.extend_from_slice(self.operator_key.as_bytes());
        out.extend_from_slice(&self.voting_key_id);
        out.push(self.is_valid.into());
        match self.details {
            MasternodeDetails::Evo { platform_http_port, platform_node_id } => {
                out.extend_from_slice(&TYPE_EVO.to_le_bytes());
                out.extend_from_slice(&platform_http_port.to_le_bytes());
                out.extend_from_slice(&platform_node_id);
            }
            MasternodeDetails::Legacy => {}
            MasternodeDetails::Regular => out.extend_from_slice(&TYPE_REGULAR.to_le_bytes()),
        }
    }
}

impl MasternodeDetails {
    fn read(reader: &mut Reader<'_>, version: u16) -> Result<Self, ParseError> {
        if version == VERSION_LEGACY {
            return Ok(Self::Legacy);
        }
        let at = reader.position();
        match reader.u16()? {
            TYPE_REGULAR => Ok(Self::Regular),
            TYPE_EVO => Ok(Self::Evo { platform_http_port: reader.u16()?, platform_node_id: reader.array()? }),
            value => Err(ParseError::Unsupported { what: "masternode type", value: value.into(), at }),
        }
    }
}

/// The least an entry takes in bytes: version, four fixed fields of 32, 32, 18 and 48, 20, 1.
pub(super) const MIN_LEN: usize = 2 + 32 + 32 + 18 + 48 + 20 + 1;

/// What an Evo entry takes beyond that: type, port, node id.
const EVO_LEN: usize = 2 + 2 + 20;

/// Entry versions; source: `CSimplifiedMNListEntry` in Dash Core `src/evo/`.
pub(super) const VERSION_LEGACY: u16 = 1;
pub(super) const VERSION_BASIC: u16 = 2;

/// Masternode types; source: `MnType` in Dash Core `src/evo/dmn_types.h`.
pub(super) const TYPE_REGULAR: u16 = 0;
pub(super) const TYPE_EVO: u16 = 1;
