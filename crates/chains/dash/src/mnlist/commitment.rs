//! A quorum's final commitment: the key it will sign with, and its members' word for it.

use nodewright_utxo::bytes::{BitSet, ParseError, Reader};
use nodewright_utxo::hash::{sha256d, sha256d_parts};
use nodewright_utxo::special::FinalCommitment;

use super::write_compact_size;
use crate::bls::{BlsError, PublicKey, Signature};
use crate::quorum::{LlmqType, QuorumEntry, QuorumHash};

/// A final commitment (`qfcommit`) as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// The BLS scheme: legacy commitments come from before V19.
    pub scheme: Scheme,
    /// The type of the quorum.
    pub llmq_type: LlmqType,
    /// The name of the quorum.
    pub quorum_hash: QuorumHash,
    /// The slot of a rotated quorum.
    pub index: Option<i16>,
    /// Who of the members signed the commitment.
    pub signers: Members,
    /// Who of the members takes part.
    pub valid_members: Members,
    /// The key the quorum signs with.
    pub public_key: PublicKey,
    /// The hash of the quorum's verification vector.
    pub vvec_hash: [u8; 32],
    /// The quorum's threshold signature over this commitment.
    pub quorum_signature: Signature,
    /// The aggregate of the members' own signatures. Not checked here: it is weighted by the
    /// members' operator keys, and the quorum's signature says the same.
    pub members_signature: Signature,
}

/// Which encoding and hash-to-curve a commitment's keys and signatures use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// The scheme since V19, which this crate verifies.
    Basic,
    /// The scheme before V19, which it does not.
    Legacy,
}

/// A bit for each member of a quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    size: usize,
    bits: Vec<u8>,
}

impl Members {
    /// Takes `size` bits from bytes; bit `i` is bit `i % 8` of byte `i / 8`.
    ///
    /// `None` if the bytes are not as many as `size` bits take, or a bit beyond them is set.
    #[must_use]
    pub fn new(size: usize, bits: Vec<u8>) -> Option<Self> {
        let unused = match size % 8 {
            0 => 0,
            used => bits.last().map_or(0, |last| last >> used),
        };
        (bits.len() == size.div_ceil(8) && unused == 0).then_some(Self { size, bits })
    }

    /// Returns the number of members.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Returns how many bits are set.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.bits.iter().map(|byte| byte.count_ones()).sum()
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_compact_size(out, self.size);
        out.extend_from_slice(&self.bits);
    }
}

impl From<BitSet<'_>> for Members {
    fn from(bits: BitSet<'_>) -> Self {
        Self { size: bits.len(), bits: bits.as_bytes().to_vec() }
    }
}

impl Commitment {
    /// Reads a commitment where the reader stands.
    ///
    /// # Errors
    ///
    /// As [`FinalCommitment::read`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        FinalCommitment::read(reader).map(Self::from)
    }

    /// Returns scheme and rotation for a version, `None` for an unknown one.
    pub(super) const fn layout(version: u16) -> Option<(Scheme, bool)> {
        match version {
            1 => Some((Scheme::Legacy, false)),
            2 => Some((Scheme::Legacy, true)),
            3 => Some((Scheme::Basic, false)),
            4 => Some((Scheme::Basic, true)),
            _ => None,
        }
    }

    /// Appends the commitment in the form that [`read`](Self::read) reads.
    pub fn write(&self, out: &mut Vec<u8>) {
        let version: u16 = match (self.scheme, self.index) {
            (Scheme::Legacy, None) => 1,
            (Scheme::Legacy, Some(_)) => 2,
            (Scheme::Basic, None) => 3,
            (Scheme::Basic, Some(_)) => 4,
        };
        out.extend_from_slice(&version.to_le_bytes());
        out.push(self.llmq_type.to_u8());
        out.extend_from_slice(self.quorum_hash.as_bytes());
        if let Some(index) = self.index {
            out.extend_from_slice(&index.to_le_bytes());
        }
        self.signers.write(out);
        self.valid_members.write(out);
        out.extend_from_slice(self.public_key.as_bytes());
        out.extend_from_slice(&self.vvec_hash);
        out.extend_from_slice(self.quorum_signature.as_bytes());
        out.extend_from_slice(self.members_signature.as_bytes());
    }

    /// Returns the commitment's leaf in the tree that coinbases commit to.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(FinalCommitment::MIN_SIZE + 128);
        self.write(&mut bytes);
        sha256d(&bytes)
    }

    /// Returns the 32 bytes that the quorum signs to vouch for its commitment.
    #[must_use]
    pub fn sign_hash(&self) -> [u8; 32] {
        let mut members = Vec::new();
        self.valid_members.write(&mut members);
        sha256d_parts(&[
            &[self.llmq_type.to_u8()],
            self.quorum_hash.as_bytes(),
            &members,
            self.public_key.as_bytes(),
            &self.vvec_hash,
        ])
    }

    /// Checks the quorum's signature over its commitment: whoever made the key holds its shares.
    ///
    /// # Errors
    ///
    /// [`BlsError`]. A legacy commitment fails as well, since its encodings differ: look at
    /// [`scheme`](Self::scheme) first.
    pub fn verify(&self) -> Result<(), BlsError> {
        self.public_key.prepare()?.verify(&self.sign_hash(), &self.quorum_signature)
    }

    /// Returns the quorum as an entry of a [`QuorumSet`](crate::quorum::QuorumSet).
    #[must_use]
    pub fn entry(&self) -> QuorumEntry {
        QuorumEntry {
            llmq_type: self.llmq_type,
            quorum_hash: self.quorum_hash,
            public_key: self.public_key,
            mined_height: None,
            index: self.index.and_then(|index| u16::try_from(index).ok()),
        }
    }
}

impl From<FinalCommitment<'_>> for Commitment {
    fn from(view: FinalCommitment<'_>) -> Self {
        Self {
            scheme: if view.is_legacy() { Scheme::Legacy } else { Scheme::Basic },
            llmq_type: LlmqType::new(view.llmq_type),
            quorum_hash: QuorumHash(view.quorum_hash),
            index: view.quorum_index,
            signers: view.signers.into(),
            valid_members: view.valid_members.into(),
            public_key: PublicKey::new(view.public_key),
            vvec_hash: view.vvec_hash,
            quorum_signature: Signature::new(view.quorum_signature),
            members_signature: Signature::new(view.members_signature),
        }
    }
}
