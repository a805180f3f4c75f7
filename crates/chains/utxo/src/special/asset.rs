//! Credits that move between Dash and its platform (DIP-27).

use crate::bytes::{ParseError, Reader};
use crate::tx::Outputs;

/// Locks Dash: the transaction's `OP_RETURN` output holds the sum, these outputs say who is credited.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AssetLock<'a> {
    /// The payload's version, 1.
    pub version: u8,
    /// Who is credited with how much.
    pub credit_outputs: Outputs<'a>,
}

impl<'a> AssetLock<'a> {
    /// Parses a slice that holds exactly one payload.
    ///
    /// # Errors
    /// [`ParseError`]: truncated or with bytes behind it, an unknown version, a value above `i64::MAX`.
    pub fn parse(payload: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let version = read_version(&mut reader, "asset lock version")?;
        let credit_outputs = Outputs::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { version, credit_outputs })
    }
}

impl PartialEq for AssetLock<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && self.credit_outputs.eq(other.credit_outputs)
    }
}

impl Eq for AssetLock<'_> {}

/// Pays a withdrawal out of the credit pool; the transaction has no inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssetUnlock {
    /// The payload's version, 1.
    pub version: u8,
    /// The number of the withdrawal, which makes it unique.
    pub index: u64,
    /// The miner's fee in base units (1e-8 Dash).
    pub fee: u32,
    /// The height the platform knew when it asked for the signature.
    pub requested_height: u32,
    /// The quorum that signed, in wire order.
    pub quorum_hash: [u8; 32],
    /// Its signature (BLS, G2, compressed).
    pub quorum_signature: [u8; 96],
}

impl AssetUnlock {
    /// Parses a slice that holds exactly one payload.
    ///
    /// # Errors
    /// [`ParseError`]: truncated or with bytes behind it, an unknown version.
    pub fn parse(payload: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let unlock = Self {
            version: read_version(&mut reader, "asset unlock version")?,
            index: reader.u64()?,
            fee: reader.u32()?,
            requested_height: reader.u32()?,
            quorum_hash: reader.array()?,
            quorum_signature: reader.array()?,
        };
        reader.finish()?;
        Ok(unlock)
    }
}

fn read_version(reader: &mut Reader<'_>, what: &'static str) -> Result<u8, ParseError> {
    match reader.u8()? {
        1 => Ok(1),
        value => Err(ParseError::Unsupported { what, value: value.into(), at: 0 }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::tx::Output;

    #[test]
    fn reads_who_is_credited() {
        let bytes = [&[1, 2][..], &7_u64.to_le_bytes(), &[1, 0x51], &8_u64.to_le_bytes(), &[0]].concat();
        let lock = AssetLock::parse(&bytes).unwrap();
        let outputs: Vec<_> = lock.credit_outputs.collect();
        assert_eq!(
            outputs,
            [Output { index: 0, value: 7, script: &[0x51] }, Output { index: 1, value: 8, script: &[] }]
        );
        for len in 0..bytes.len() {
            assert!(AssetLock::parse(&bytes[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn reads_a_withdrawal() {
        let bytes =
            [&[1][..], &9_u64.to_le_bytes(), &190_u32.to_le_bytes(), &850_u32.to_le_bytes(), &[3; 32], &[4; 96]]
                .concat();
        assert_eq!(bytes.len(), 145);
        let unlock = AssetUnlock::parse(&bytes).unwrap();
        assert_eq!((unlock.index, unlock.fee, unlock.requested_height), (9, 190, 850));
        assert_eq!((unlock.quorum_hash, unlock.quorum_signature), ([3; 32], [4; 96]));
        for len in 0..bytes.len() {
            assert!(matches!(AssetUnlock::parse(&bytes[..len]), Err(ParseError::Truncated { .. })), "{len} bytes");
        }
        let other = [&[2], &bytes[1..]].concat();
        assert!(matches!(AssetUnlock::parse(&other), Err(ParseError::Unsupported { value: 2, .. })));
    }
}
