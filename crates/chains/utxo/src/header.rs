//! The 80-byte block header that the Bitcoin family and Dash share.

use crate::bytes::{ParseError, Reader};

/// A block header as its fields, not yet hashed: which hash makes its id depends on the chain.
///
/// Bitcoin and Litecoin name a block by the double SHA-256 of these 80 bytes, Dash by their X11 hash. The fields have
/// been fixed since the first block, so the struct is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawHeader {
    /// The version, whose upper bits signal soft forks (BIP 9).
    pub version: i32,
    /// The id of the parent, in wire order; all zero in a genesis block.
    pub prev: [u8; 32],
    /// The merkle root of the transaction ids, in wire order.
    pub merkle_root: [u8; 32],
    /// The miner's clock in seconds since the Unix epoch.
    pub time: u32,
    /// The proof-of-work target in its compact form.
    pub bits: u32,
    /// The number the miner varied.
    pub nonce: u32,
}

impl RawHeader {
    /// The serialized size in bytes.
    pub const SIZE: usize = 80;

    /// Reads a header from the front of `reader`; any 80 bytes are one.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] if fewer than 80 bytes are left.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let mut fields = Reader::new(reader.take(Self::SIZE)?);
        Ok(Self {
            version: fields.i32()?,
            prev: fields.array()?,
            merkle_root: fields.array()?,
            time: fields.u32()?,
            bits: fields.u32()?,
            nonce: fields.u32()?,
        })
    }

    /// Decodes a slice that holds exactly one header.
    ///
    /// # Errors
    /// [`ParseError::Truncated`] or [`ParseError::TrailingBytes`] if the slice is not 80 bytes long.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let header = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(header)
    }

    /// Encodes the header as the 80 bytes that are hashed.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0_u8; Self::SIZE];
        let fields: [&[u8]; 6] = [
            &self.version.to_le_bytes(),
            &self.prev,
            &self.merkle_root,
            &self.time.to_le_bytes(),
            &self.bits.to_le_bytes(),
            &self.nonce.to_le_bytes(),
        ];
        for (byte, value) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *byte = *value;
        }
        bytes
    }

    /// Computes the block's id, in wire order, with the chain's header hash.
    pub fn id(&self, hasher: impl FnOnce(&[u8; Self::SIZE]) -> [u8; 32]) -> [u8; 32] {
        hasher(&self.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::hash::{parse_reversed, sha256d};

    /// The header of Bitcoin's genesis block.
    const GENESIS: &str = "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e\
                           67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c";

    #[test]
    fn names_the_genesis_block_of_bitcoin() {
        let bytes = hex::decode(GENESIS).unwrap();
        let header = RawHeader::parse(&bytes).unwrap();
        assert_eq!(header.version, 1);
        assert_eq!(header.prev, [0; 32]);
        assert_eq!((header.time, header.bits, header.nonce), (1_231_006_505, 0x1d00_ffff, 2_083_236_893));
        assert_eq!(header.to_bytes().as_slice(), bytes);
        let id = parse_reversed("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f").unwrap();
        assert_eq!(header.id(|bytes| sha256d(bytes)), id);
    }

    #[test]
    fn refuses_any_other_length() {
        let bytes = hex::decode(GENESIS).unwrap();
        for len in 0..80 {
            assert!(matches!(RawHeader::parse(&bytes[..len]), Err(ParseError::Truncated { at: 0, need: 80, .. })));
        }
        let long = [bytes.as_slice(), &[0]].concat();
        assert_eq!(RawHeader::parse(&long), Err(ParseError::TrailingBytes { at: 80, len: 1 }));
    }
}
