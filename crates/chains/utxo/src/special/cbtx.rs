//! The payload of a Dash coinbase (DIP-4, DIP-29).

use crate::bytes::{ParseError, Reader};

/// What a Dash coinbase commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CbTx {
    /// The payload's version, 1 to 3.
    pub version: u16,
    /// The height of the block.
    pub height: u32,
    /// The merkle root of the masternode list after this block, in wire order.
    pub merkle_root_mn_list: [u8; 32],
    /// The merkle root of the active quorum commitments, in wire order; `None` in version 1.
    pub merkle_root_quorums: Option<[u8; 32]>,
    /// The newest ChainLock the miner knew; `None` before version 3, and while there was none.
    pub best_chain_lock: Option<BestChainLock>,
    /// What is credited on the platform, in base units (1e-8 Dash); `None` before version 3.
    pub credit_pool_balance: Option<u64>,
}

/// A ChainLock as a coinbase carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BestChainLock {
    /// How many blocks lie between the locked block and this one: 0 locks the parent.
    pub height_diff: u32,
    /// The quorum's signature (BLS, G2, compressed).
    pub signature: [u8; 96],
}

impl CbTx {
    /// The type of the transaction that carries this payload.
    pub const KIND: u16 = 5;

    /// Parses a slice that holds exactly one payload.
    ///
    /// # Errors
    /// [`ParseError`]: truncated or with bytes behind it, an unknown version, a negative height or balance, or a
    /// missing ChainLock with a distance other than 0.
    pub fn parse(payload: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let version = reader.u16()?;
        if !(1..=3).contains(&version) {
            return Err(ParseError::Unsupported { what: "coinbase payload version", value: version.into(), at: 0 });
        }
        let at = reader.position();
        let height = reader.u32()?;
        if i32::try_from(height).is_err() {
            return Err(ParseError::OutOfRange { what: "coinbase height", value: height.into(), at });
        }
        let merkle_root_mn_list = reader.array()?;
        let merkle_root_quorums = if version >= 2 { Some(reader.array()?) } else { None };
        let (best_chain_lock, credit_pool_balance) = if version >= 3 {
            (BestChainLock::read(&mut reader)?, Some(read_balance(&mut reader)?))
        } else {
            (None, None)
        };
        reader.finish()?;
        Ok(Self { version, height, merkle_root_mn_list, merkle_root_quorums, best_chain_lock, credit_pool_balance })
    }

    /// Returns the height of the block that [`best_chain_lock`](Self::best_chain_lock) locks, on this block's branch.
    ///
    /// `None` without a ChainLock, and if the distance reaches below the genesis block.
    #[must_use]
    pub fn locked_height(&self) -> Option<u32> {
        self.height.checked_sub(self.best_chain_lock?.height_diff)?.checked_sub(1)
    }
}

impl BestChainLock {
    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, ParseError> {
        let at = reader.position();
        let value = reader.compact_u64()?;
        let height_diff =
            u32::try_from(value).map_err(|_| ParseError::OutOfRange { what: "ChainLock distance", value, at })?;
        let signature = reader.array()?;
        // Dash Core `src/evo/specialtxman.cpp`, `CheckCbTxBestChainlock`: without a signature the distance is 0.
        match (height_diff, signature == [0; 96]) {
            (0, true) => Ok(None),
            (_, true) => Err(ParseError::OutOfRange { what: "ChainLock distance", value, at }),
            (_, false) => Ok(Some(Self { height_diff, signature })),
        }
    }
}

fn read_balance(reader: &mut Reader<'_>) -> Result<u64, ParseError> {
    let at = reader.position();
    let value = reader.u64()?;
    match i64::try_from(value) {
        Ok(_) => Ok(value),
        Err(_) => Err(ParseError::OutOfRange { what: "credit pool balance", value, at }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn payload(version: u16, height: i32, diff: u8, signature: u8) -> Vec<u8> {
        let mut bytes = [&version.to_le_bytes()[..], &height.to_le_bytes(), &[1; 32]].concat();
        if version >= 2 {
            bytes.extend([2; 32]);
        }
        if version >= 3 {
            bytes.push(diff);
            bytes.extend([signature; 96]);
            bytes.extend(5_i64.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn reads_each_version_at_its_size() {
        assert_eq!(payload(2, 1, 0, 0).len(), 70);
        assert_eq!(payload(3, 1, 0, 0).len(), 175);
        let first = CbTx::parse(&payload(1, 7, 0, 0)).unwrap();
        assert_eq!((first.height, first.merkle_root_quorums, first.credit_pool_balance), (7, None, None));
        let second = CbTx::parse(&payload(2, 7, 0, 0)).unwrap();
        assert_eq!((second.merkle_root_quorums, second.best_chain_lock), (Some([2; 32]), None));
        let third = CbTx::parse(&payload(3, 7, 2, 9)).unwrap();
        assert_eq!(third.best_chain_lock, Some(BestChainLock { height_diff: 2, signature: [9; 96] }));
        assert_eq!(third.credit_pool_balance, Some(5));
    }

    #[test]
    fn locks_the_parent_at_distance_zero() {
        assert_eq!(CbTx::parse(&payload(3, 7, 0, 9)).unwrap().locked_height(), Some(6));
        assert_eq!(CbTx::parse(&payload(3, 7, 6, 9)).unwrap().locked_height(), Some(0));
        assert_eq!(CbTx::parse(&payload(3, 7, 7, 9)).unwrap().locked_height(), None);
        assert_eq!(CbTx::parse(&payload(3, 7, 0, 0)).unwrap().locked_height(), None);
        assert_eq!(CbTx::parse(&payload(2, 7, 0, 0)).unwrap().locked_height(), None);
    }

    #[test]
    fn refuses_what_no_block_holds() {
        for version in [0, 4, u16::MAX] {
            let error = CbTx::parse(&payload(version, 7, 0, 0)).unwrap_err();
            assert!(matches!(error, ParseError::Unsupported { value, .. } if value == u64::from(version)));
        }
        assert!(matches!(CbTx::parse(&payload(3, 7, 1, 0)), Err(ParseError::OutOfRange { at: 70, .. })));
        assert!(matches!(CbTx::parse(&payload(2, -1, 0, 0)), Err(ParseError::OutOfRange { at: 2, .. })));
        for version in 1..=3 {
            let bytes = payload(version, 7, 1, 9);
            for len in 0..bytes.len() {
                assert!(matches!(CbTx::parse(&bytes[..len]), Err(ParseError::Truncated { .. })), "{version}, {len}");
            }
            let long = [bytes.as_slice(), &[0]].concat();
            assert_eq!(CbTx::parse(&long), Err(ParseError::TrailingBytes { at: bytes.len(), len: 1 }));
        }
    }
}
