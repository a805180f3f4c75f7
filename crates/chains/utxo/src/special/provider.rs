//! The life of a masternode: registration, updates, revocation (DIP-3).

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::bytes::{ParseError, Reader};
use crate::tx::OutPoint;

/// Registers a masternode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProRegTx<'a> {
    /// The payload's version: 1 legacy BLS, 2 basic BLS.
    pub version: u16,
    /// The kind of masternode.
    pub mn_type: MasternodeType,
    /// The mode, 0 so far.
    pub mode: u16,
    /// The output that holds the collateral; an all-zero id names an output of this transaction.
    pub collateral: OutPoint,
    /// Where the masternode is reached.
    pub service: ServiceAddress,
    /// The hash of the owner's key.
    pub owner_key_id: [u8; 20],
    /// The operator's key (BLS, G1).
    pub operator_key: [u8; 48],
    /// The hash of the voter's key.
    pub voting_key_id: [u8; 20],
    /// The operator's share of the reward in hundredths of a percent.
    pub operator_reward: u16,
    /// The script the owner's reward is paid to.
    pub payout_script: &'a [u8],
    /// The hash of this transaction's inputs, which binds the payload to it; in wire order.
    pub inputs_hash: [u8; 32],
    /// Where the platform is reached; of evolution masternodes only.
    pub platform: Option<PlatformService>,
    /// The signature of the collateral's key; empty if the collateral is in this transaction.
    pub signature: &'a [u8],
}

impl<'a> ProRegTx<'a> {
    /// Parses a slice that holds exactly one payload.
    ///
    /// # Errors
    /// [`ParseError`]: truncated or with bytes behind it, an unknown version or kind of masternode.
    pub fn parse(payload: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let version = read_version(&mut reader)?;
        let mn_type = MasternodeType::read(&mut reader)?;
        let parsed = Self {
            version,
            mn_type,
            mode: reader.u16()?,
            collateral: OutPoint::read(&mut reader)?,
            service: ServiceAddress::read(&mut reader)?,
            owner_key_id: reader.array()?,
            operator_key: reader.array()?,
            voting_key_id: reader.array()?,
            operator_reward: reader.u16()?,
            payout_script: reader.var_bytes()?,
            inputs_hash: reader.array()?,
            platform: PlatformService::read(&mut reader, mn_type)?,
            signature: reader.var_bytes()?,
        };
        reader.finish()?;
        Ok(parsed)
    }
}

/// Updates where a masternode is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProUpServTx<'a> {
    /// The payload's version: 1 legacy BLS, 2 basic BLS.
    pub version: u16,
    /// The kind of masternode; always regular in version 1.
    pub mn_type: MasternodeType,
    /// The id of the registration, in wire order.
    pub pro_tx_hash: [u8; 32],
    /// Where the masternode is reached.
    pub service: ServiceAddress,
    /// The script the operator's reward is paid to.
    pub operator_payout_script: &'a [u8],
    /// The hash of this transaction's inputs, in wire order.
    pub inputs_hash: [u8; 32],
    /// Where the platform is reached; of evolution masternodes only.
    pub platform: Option<PlatformService>,
    /// The operator's signature (BLS, G2).
    pub signature: [u8; 96],
}

impl<'a> ProUpServTx<'a> {
    /// Parses a slice that holds exactly one payload.
    ///
    /// # Errors
    /// As [`ProRegTx::parse`].
    pub fn parse(payload: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let version = read_version(&mut reader)?;
        let mn_type = if version >= 2 { MasternodeType::read(&mut reader)? } else { MasternodeType::Regular };
        let parsed = Self {
            version,
            mn_type,
            pro_tx_hash: reader.array()?,
            service: ServiceAddress::read(&mut reader)?,
            operator_payout_script: reader.var_bytes()?,
            inputs_hash: reader.array()?,
            platform: PlatformService::read(&mut reader, mn_type)?,
            signature: reader.array()?,
        };
        reader.finish()?;
        Ok(parsed)
    }
}

/// Updates a masternode's operator, voter and payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProUpRegTx<'a> {
    /// The payload's version: 1 legacy BLS, 2 basic BLS.
    pub version: u16,
    /// The id of the registration, in wire order.
    pub pro_tx_hash: [u8; 32],
    /// The mode, 0 so far.
    pub mode: u16,
    /// The operator's key (BLS, G1).
    pub operator_key: [u8; 48],
    /// The hash of the voter's key.
    pub voting_key_id: [u8; 20],
    /// The script the owner's reward is paid to.
    pub payout_script: &'a [u8],
    /// The hash of this transaction's inputs, in wire order.
    pub inputs_hash: [u8; 32],
    /// The owner's signature.
    pub signature: &'a [u8],
}

impl<'a> ProUpRegTx<'a> {
    /// Parses a slice that holds exactly one payload.
    ///
    /// # Errors
    /// [`ParseError`]: truncated or with bytes behind it, an unknown version.
    pub fn parse(payload: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let parsed = Self {
            version: read_version(&mut reader)?,
            pro_tx_hash: reader.array()?,
            mode: reader.u16()?,
            operator_key: reader.array()?,
            voting_key_id: reader.array()?,
            payout_script: reader.var_bytes()?,
            inputs_hash: reader.array()?,
            signature: reader.var_bytes()?,
        };
        reader.finish()?;
        Ok(parsed)
    }
}

/// Takes a masternode out of service until its operator is updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProUpRevTx {
    /// The payload's version: 1 legacy BLS, 2 basic BLS.
    pub version: u16,
    /// The id of the registration, in wire order.
    pub pro_tx_hash: [u8; 32],
    /// Why: 0 not said, 1 end of service, 2 compromised keys, 3 change of keys. Has no effect on the chain.
    pub reason: u16,
    /// The hash of this transaction's inputs, in wire order.
    pub inputs_hash: [u8; 32],
    /// The operator's signature (BLS, G2).
    pub signature: [u8; 96],
}

impl ProUpRevTx {
    /// Parses a slice that holds exactly one payload.
    ///
    /// # Errors
    /// As [`ProUpRegTx::parse`].
    pub fn parse(payload: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let parsed = Self {
            version: read_version(&mut reader)?,
            pro_tx_hash: reader.array()?,
            reason: reader.u16()?,
            inputs_hash: reader.array()?,
            signature: reader.array()?,
        };
        reader.finish()?;
        Ok(parsed)
    }
}

/// The kind of a masternode, which decides its collateral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MasternodeType {
    /// Runs the platform too: 4,000 Dash.
    Evo,
    /// 1,000 Dash.
    Regular,
}

impl MasternodeType {
    /// Reads the two bytes of a type.
    ///
    /// # Errors
    /// [`ParseError::Truncated`]; [`ParseError::Unsupported`] for a type other than 0 (regular) and 1 (evolution).
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let at = reader.position();
        match reader.u16()? {
            0 => Ok(Self::Regular),
            1 => Ok(Self::Evo),
            value => Err(ParseError::Unsupported { what: "masternode type", value: value.into(), at }),
        }
    }
}

/// The address of a masternode: an IPv6 address, in which IPv4 is mapped, and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceAddress {
    /// The address.
    pub ip: Ipv6Addr,
    /// The port.
    pub port: u16,
}

impl ServiceAddress {
    /// Reads the 18 bytes of an address; the port is big-endian.
    ///
    /// # Errors
    /// [`ParseError::Truncated`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let mut fields = Reader::new(reader.take(18)?);
        Ok(Self { ip: Ipv6Addr::from(fields.array::<16>()?), port: fields.u16_be()? })
    }

    /// Returns the address to connect to, or `None` if the masternode has stated none yet.
    #[must_use]
    pub fn to_socket_addr(self) -> Option<SocketAddr> {
        let ip = self.ip.to_ipv4_mapped().map_or(IpAddr::V6(self.ip), IpAddr::V4);
        (!ip.is_unspecified()).then_some(SocketAddr::new(ip, self.port))
    }
}

/// Where an evolution masternode serves the platform; at the same address as the masternode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PlatformService {
    /// The platform node's id.
    pub node_id: [u8; 20],
    /// The port of the platform's peer-to-peer network.
    pub p2p_port: u16,
    /// The port of the platform's HTTP interface.
    pub http_port: u16,
}

impl PlatformService {
    fn read(reader: &mut Reader<'_>, mn_type: MasternodeType) -> Result<Option<Self>, ParseError> {
        Ok(match mn_type {
            MasternodeType::Evo => {
                Some(Self { node_id: reader.array()?, p2p_port: reader.u16()?, http_port: reader.u16()? })
            }
            MasternodeType::Regular => None,
        })
    }
}

/// Reads a provider payload's version. Version 3 (extended addresses) was still changing when this was written.
fn read_version(reader: &mut Reader<'_>) -> Result<u16, ParseError> {
    let at = reader.position();
    match reader.u16()? {
        version @ 1..=2 => Ok(version),
        value => Err(ParseError::Unsupported { what: "provider payload version", value: value.into(), at }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    const SERVICE: [u8; 18] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4, 0x27, 0x0f];

    fn registration(version: u16, mn_type: u16) -> Vec<u8> {
        let mut bytes = [version, mn_type, 0].map(u16::to_le_bytes).concat();
        bytes.extend([&[1; 32][..], &3_u32.to_le_bytes(), &SERVICE, &[2; 20], &[3; 48], &[4; 20]].concat());
        bytes.extend([&500_u16.to_le_bytes()[..], &[2, 0x51, 0x52], &[5; 32]].concat());
        if mn_type == 1 {
            bytes.extend([&[6; 20][..], &26656_u16.to_le_bytes(), &443_u16.to_le_bytes()].concat());
        }
        bytes.extend([3, 7, 8, 9]);
        bytes
    }

    fn update(version: u16, mn_type: u16) -> Vec<u8> {
        let mut bytes = version.to_le_bytes().to_vec();
        if version >= 2 {
            bytes.extend(mn_type.to_le_bytes());
        }
        bytes.extend([&[1; 32][..], &SERVICE, &[1, 0x51], &[5; 32]].concat());
        if mn_type == 1 {
            bytes.extend([&[6; 20][..], &26656_u16.to_le_bytes(), &443_u16.to_le_bytes()].concat());
        }
        bytes.extend([9; 96]);
        bytes
    }

    #[test]
    fn reads_both_kinds_of_registration() {
        for (version, kind) in [(1, 0), (2, 0), (2, 1)] {
            let bytes = registration(version, kind);
            let parsed = ProRegTx::parse(&bytes).unwrap();
            assert_eq!(parsed.version, version);
            assert_eq!(parsed.collateral.index, 3);
            assert_eq!(parsed.service.to_socket_addr(), Some("1.2.3.4:9999".parse().unwrap()));
            assert_eq!((parsed.operator_reward, parsed.payout_script), (500, &[0x51, 0x52][..]));
            assert_eq!(
                parsed.platform.map(|platform| (platform.p2p_port, platform.http_port)),
                match kind {
                    1 => Some((26656, 443)),
                    _ => None,
                }
            );
            assert_eq!(parsed.signature, [7, 8, 9]);
            for len in 0..bytes.len() {
                assert!(ProRegTx::parse(&bytes[..len]).is_err(), "{version}, {kind}, {len}");
            }
        }
    }

    #[test]
    fn reads_every_update() {
        for (version, kind) in [(1, 0), (2, 0), (2, 1)] {
            let bytes = update(version, kind);
            let parsed = ProUpServTx::parse(&bytes).unwrap();
            assert_eq!((parsed.pro_tx_hash, parsed.signature), ([1; 32], [9; 96]));
            assert_eq!(parsed.platform.is_some(), kind == 1);
        }
        let bytes = [&[2, 0][..], &[1; 32], &[0, 0], &[3; 48], &[4; 20], &[1, 0x51], &[5; 32], &[2, 7, 8]].concat();
        let parsed = ProUpRegTx::parse(&bytes).unwrap();
        assert_eq!((parsed.operator_key, parsed.signature), ([3; 48], &[7, 8][..]));
        let bytes = [&[2, 0][..], &[1; 32], &[3, 0], &[5; 32], &[9; 96]].concat();
        assert_eq!(ProUpRevTx::parse(&bytes).unwrap().reason, 3);
    }

    #[test]
    fn refuses_unknown_versions_and_types() {
        for version in [0, 3, u16::MAX] {
            let error = ParseError::Unsupported { what: "provider payload version", value: version.into(), at: 0 };
            assert_eq!(ProRegTx::parse(&registration(version, 0)), Err(error));
            assert_eq!(ProUpServTx::parse(&update(version, 0)), Err(error));
            assert_eq!(ProUpRegTx::parse(&version.to_le_bytes()), Err(error));
            assert_eq!(ProUpRevTx::parse(&version.to_le_bytes()), Err(error));
        }
        let error = ParseError::Unsupported { what: "masternode type", value: 2, at: 2 };
        assert_eq!(ProRegTx::parse(&registration(2, 2)), Err(error));
    }

    #[test]
    fn has_no_socket_address_before_one_was_stated() {
        let none = ServiceAddress { ip: Ipv6Addr::UNSPECIFIED, port: 0 };
        assert_eq!(none.to_socket_addr(), None);
    }
}
