//! Final commitments of long-living masternode quorums (DIP-6, DIP-24).

use crate::bytes::{BitSet, ParseError, Reader};
use crate::hash::{sha256d, sha256d_parts};

/// A quorum's final commitment: its members agreed on a key.
///
/// Occurs in type-6 transactions ([`QuorumCommitment`]) and in masternode-list differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FinalCommitment<'a> {
    /// The version: 1 legacy BLS, 2 legacy with index, 3 basic BLS, 4 basic with index.
    pub version: u16,
    /// The kind of quorum (LLMQ type).
    pub llmq_type: u8,
    /// The block the quorum's members were drawn by, in wire order.
    pub quorum_hash: [u8; 32],
    /// Which of a cycle's rotated quorums this is; `None` in versions without index.
    pub quorum_index: Option<i16>,
    /// Which members signed the commitment.
    pub signers: BitSet<'a>,
    /// Which members are valid.
    pub valid_members: BitSet<'a>,
    /// The quorum's public key (BLS, G1, compressed).
    pub public_key: [u8; 48],
    /// The hash of the quorum's verification vector, in wire order.
    pub vvec_hash: [u8; 32],
    /// The threshold signature of the quorum over [`commitment_hash`](Self::commitment_hash).
    pub quorum_signature: [u8; 96],
    /// The aggregated signature of the signing members over the same hash.
    pub members_signature: [u8; 96],
    bytes: &'a [u8],
}

impl<'a> FinalCommitment<'a> {
    /// The fewest bytes a commitment can take: version 1 with empty bit sets.
    pub const MIN_SIZE: usize = 2 + 1 + 32 + 1 + 1 + 48 + 32 + 96 + 96;

    /// Reads a commitment from the front of `reader`.
    ///
    /// # Errors
    /// [`ParseError`]: truncated, an unknown version, a bit set larger than any quorum or with unused bits set.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, ParseError> {
        let start = *reader;
        let version = reader.u16()?;
        if !(1..=4).contains(&version) {
            let at = start.position();
            return Err(ParseError::Unsupported { what: "quorum commitment version", value: version.into(), at });
        }
        let llmq_type = reader.u8()?;
        let quorum_hash = reader.array()?;
        let quorum_index = if version.is_multiple_of(2) { Some(i16::from_le_bytes(reader.array()?)) } else { None };
        let signers = reader.dyn_bitset("quorum signers", MAX_MEMBERS)?;
        let valid_members = reader.dyn_bitset("valid quorum members", MAX_MEMBERS)?;
        let public_key = reader.array()?;
        let vvec_hash = reader.array()?;
        let quorum_signature = reader.array()?;
        let members_signature = reader.array()?;
        Ok(Self {
            version,
            llmq_type,
            quorum_hash,
            quorum_index,
            signers,
            valid_members,
            public_key,
            vvec_hash,
            quorum_signature,
            members_signature,
            bytes: reader.since(&start),
        })
    }

    /// Parses a slice that holds exactly one commitment.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`ParseError::TrailingBytes`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let commitment = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(commitment)
    }

    /// Returns the serialization it was read from.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Hashes the whole commitment: a leaf of the tree whose root a coinbase commits to
    /// ([`CbTx::merkle_root_quorums`](super::CbTx::merkle_root_quorums)).
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256d(self.bytes)
    }

    /// Hashes what both signatures sign: kind, quorum hash, valid members, public key, verification vector hash.
    #[must_use]
    pub fn commitment_hash(&self) -> [u8; 32] {
        // Dash Core `src/llmq/utils.cpp`, `BuildCommitmentHash`.
        let llmq_type = [self.llmq_type];
        let members = self.valid_members.encoded();
        sha256d_parts(&[&llmq_type, &self.quorum_hash, members, &self.public_key, &self.vvec_hash])
    }

    /// Returns whether keys and signatures are in the legacy BLS scheme (before the fork V19).
    #[must_use]
    pub const fn is_legacy(&self) -> bool {
        self.version <= 2
    }

    /// Returns whether this is a null commitment: mined where the quorum's members came to no agreement.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.signers.count_ones() == 0
            && self.valid_members.count_ones() == 0
            && self.public_key == [0; 48]
            && self.vvec_hash == [0; 32]
            && self.quorum_signature == [0; 96]
            && self.members_signature == [0; 96]
    }
}

/// The payload of a type-6 transaction: a commitment and the height it was mined for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuorumCommitment<'a> {
    /// The payload's version, 1.
    pub version: u16,
    /// The height of the block.
    pub height: u32,
    /// The commitment.
    pub commitment: FinalCommitment<'a>,
}

impl<'a> QuorumCommitment<'a> {
    /// The type of the transaction that carries this payload.
    pub const KIND: u16 = 6;

    /// Parses a slice that holds exactly one payload.
    ///
    /// # Errors
    /// As [`FinalCommitment::parse`]; the payload itself has only version 1.
    pub fn parse(payload: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload);
        let version = reader.u16()?;
        if version != 1 {
            return Err(ParseError::Unsupported { what: "quorum payload version", value: version.into(), at: 0 });
        }
        let height = reader.u32()?;
        let commitment = FinalCommitment::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { version, height, commitment })
    }
}

/// The members of the largest kind of quorum: Dash Core `src/llmq/params.h`, `LLMQ_400_60` and `LLMQ_400_85`.
const MAX_MEMBERS: usize = 400;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn bytes(version: u16, members: &[u8]) -> Vec<u8> {
        let mut bytes = [&version.to_le_bytes()[..], &[100], &[1; 32]].concat();
        if version.is_multiple_of(2) {
            bytes.extend((-2_i16).to_le_bytes());
        }
        bytes.extend(members);
        bytes.extend(members);
        bytes.extend([[3; 48].as_slice(), &[4; 32], &[5; 96], &[6; 96]].concat());
        bytes
    }

    #[test]
    fn reads_the_index_where_the_version_has_one() {
        for version in 1..=4 {
            let bytes = bytes(version, &[3, 0b101]);
            let commitment = FinalCommitment::parse(&bytes).unwrap();
            assert_eq!(commitment.quorum_index, (version.is_multiple_of(2)).then_some(-2));
            assert_eq!(commitment.is_legacy(), version < 3);
            assert_eq!(commitment.signers.iter().collect::<Vec<_>>(), [true, false, true]);
            assert_eq!(commitment.valid_members.count_ones(), 2);
            assert_eq!(commitment.as_bytes(), bytes);
            assert!(!commitment.is_null());
            for len in 0..bytes.len() {
                assert!(FinalCommitment::parse(&bytes[..len]).is_err(), "{version}, {len}");
            }
        }
        for version in [0, 5, u16::MAX] {
            assert!(matches!(FinalCommitment::parse(&bytes(version, &[0])), Err(ParseError::Unsupported { .. })));
        }
    }

    #[test]
    fn hashes_the_members_with_their_count() {
        let bytes = bytes(3, &[3, 0b101]);
        let commitment = FinalCommitment::parse(&bytes).unwrap();
        let signed = [&[100][..], &[1; 32], &[3, 0b101], &[3; 48], &[4; 32]].concat();
        assert_eq!(commitment.commitment_hash(), sha256d(&signed));
        assert_eq!(commitment.hash(), sha256d(&bytes));
    }

    #[test]
    fn refuses_bit_sets_that_no_quorum_has() {
        let too_many = FinalCommitment::parse(&bytes(3, &[0xfd, 0x91, 0x01])).unwrap_err();
        assert_eq!(too_many, ParseError::TooMany { what: "quorum signers", count: 401, max: 400, at: 35 });
        let unused = FinalCommitment::parse(&bytes(3, &[3, 0b1101])).unwrap_err();
        assert_eq!(unused, ParseError::NonCanonical { what: "quorum signers", at: 36 });
    }
}
