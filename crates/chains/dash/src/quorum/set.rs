//! The quorums a verifier believes in, and how much had to be believed for that.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use nodewright_core::Trust;
use nodewright_utxo::hash::{HashTextError, parse_reversed};

use super::LlmqType;
use crate::bls::{BlsError, PreparedKey, PublicKey};
use crate::mnlist::MasternodeList;

/// The name of a quorum within its type: the hash of the block its key generation began at.
///
/// Bytes are in wire order; the text form is the reversed hex that nodes print.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuorumHash(pub [u8; 32]);

impl QuorumHash {
    /// Borrows the bytes in wire order.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// One quorum: who it is and by which key it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumEntry {
    /// The type.
    pub llmq_type: LlmqType,
    /// The name within the type.
    pub quorum_hash: QuorumHash,
    /// The key the quorum signs with.
    pub public_key: PublicKey,
    /// The height of the block that holds the quorum's commitment. `None` where the source does
    /// not tell: masternode-list diffs never do.
    pub mined_height: Option<u32>,
    /// The slot of a rotated quorum within its cycle. `None` where the source does not tell, and
    /// for types without rotation.
    pub index: Option<u16>,
}

/// A set of quorums to check signatures against.
///
/// Keys are decompressed and group-checked at their first use and kept.
#[derive(Clone, Debug)]
pub struct QuorumSet {
    members: Vec<Member>,
    trust: Trust,
    complete_at: Option<u32>,
}

impl QuorumSet {
    /// Takes quorums on a node's word: what is verified with them has the trust
    /// [`Trust::NodeSet`].
    ///
    /// # Errors
    ///
    /// [`QuorumSetError::Duplicate`] if two entries have the same type and name.
    pub fn from_node(entries: impl IntoIterator<Item = QuorumEntry>) -> Result<Self, QuorumSetError> {
        let mut seen = BTreeSet::new();
        let mut members = Vec::new();
        for entry in entries {
            let (llmq_type, quorum_hash) = (entry.llmq_type, entry.quorum_hash);
            if !seen.insert((llmq_type, quorum_hash)) {
                return Err(QuorumSetError::Duplicate { llmq_type, quorum_hash });
            }
            members.push(Member::new(entry));
        }
        Ok(Self { members, trust: Trust::NodeSet, complete_at: None })
    }

    /// Takes the quorums of a masternode list that `trust` was established for.
    pub(crate) fn of_list(list: &MasternodeList, trust: Trust) -> Self {
        // A list names every quorum once.
        let members = list.quorums().map(|commitment| Member::new(commitment.entry())).collect();
        Self { members, trust, complete_at: None }
    }

    /// States that the set holds every quorum whose commitment was mined up to `height`, as far
    /// back as that type needs for signing.
    ///
    /// Together with mined heights this lets the protocol's own choice be repeated exactly;
    /// without it every quorum of the type is a candidate.
    #[must_use]
    pub const fn complete_at(mut self, height: u32) -> Self {
        self.complete_at = Some(height);
        self
    }

    /// Returns what had to be believed for this set to be right.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.trust
    }

    /// Returns the height up to which the set is known to be complete.
    #[must_use]
    pub const fn complete_height(&self) -> Option<u32> {
        self.complete_at
    }

    /// Iterates over the quorums, in the order they were given.
    pub fn entries(&self) -> impl Iterator<Item = &QuorumEntry> {
        self.members.iter().map(|member| &member.entry)
    }

    /// Returns the quorum of that type and name.
    #[must_use]
    pub fn find(&self, llmq_type: LlmqType, quorum_hash: &QuorumHash) -> Option<&QuorumEntry> {
        self.of_type(llmq_type).map(|member| &member.entry).find(|entry| entry.quorum_hash == *quorum_hash)
    }

    pub(super) fn of_type(&self, llmq_type: LlmqType) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.entry.llmq_type == llmq_type)
    }
}

/// A quorum and its key, prepared once it was needed.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) entry: QuorumEntry,
    key: OnceLock<Result<PreparedKey, BlsError>>,
}

impl Member {
    const fn new(entry: QuorumEntry) -> Self {
        Self { entry, key: OnceLock::new() }
    }

    pub(super) fn key(&self) -> Result<&PreparedKey, BlsError> {
        self.key.get_or_init(|| self.entry.public_key.prepare()).as_ref().map_err(|error| *error)
    }
}

/// Says why quorums do not make a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuorumSetError {
    /// Two quorums have the same type and name.
    #[error("{llmq_type} quorum {quorum_hash} is given twice")]
    Duplicate {
        /// The type.
        llmq_type: LlmqType,
        /// The name.
        quorum_hash: QuorumHash,
    },
}

impl fmt::Display for QuorumHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for QuorumHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QuorumHash({self})")
    }
}

impl FromStr for QuorumHash {
    type Err = HashTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_reversed(text).map(Self)
    }
}
