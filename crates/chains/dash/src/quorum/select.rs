//! Which quorum signs a request, what exactly it signs, and whether it did.

use nodewright_core::Trust;
use nodewright_utxo::hash::sha256d_parts;

use super::set::Member;
use super::{LlmqType, QuorumHash, QuorumSet};
use crate::bls::{BlsError, Signature};

/// How many blocks below the signed height the active quorums are counted.
///
/// Source: `SIGN_HEIGHT_OFFSET` in Dash Core `src/llmq/`: a short reorganisation must not change
/// who signs.
pub const SIGN_HEIGHT_OFFSET: u32 = 8;

/// Returns what a quorum signs: the hash of its type, its name, the request and the message.
#[must_use]
pub fn sign_hash(llmq_type: LlmqType, quorum_hash: &QuorumHash, request_id: &[u8; 32], message: &[u8; 32]) -> [u8; 32] {
    sha256d_parts(&[&[llmq_type.to_u8()], quorum_hash.as_bytes(), request_id, message])
}

/// Returns a quorum's score for a request: among the active quorums of a type without rotation
/// the one with the smallest score signs, compared byte by byte from the first.
#[must_use]
pub fn score(llmq_type: LlmqType, quorum_hash: &QuorumHash, request_id: &[u8; 32]) -> [u8; 32] {
    sha256d_parts(&[&[llmq_type.to_u8()], quorum_hash.as_bytes(), request_id])
}

/// Returns the slot whose quorum signs a request, for a rotated type with `active` slots (DIP-24).
///
/// With 2^k slots these are k bits of the request id's last eight bytes, read as a little-endian
/// number, below its highest bit.
#[must_use]
pub fn rotation_slot(active: u8, request_id: &[u8; 32]) -> u16 {
    let bits = active.max(1).ilog2();
    let high = request_id.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let slot = (high >> (63 - bits)) & ((1 << bits) - 1);
    // At most seven bits are left of it.
    u16::try_from(slot).unwrap_or_default()
}

/// How it was known which quorum had to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Mined heights were known and the protocol's rule named the one quorum.
    Selected,
    /// They were not; the candidates were tried, and this one's signature verified.
    Tried,
}

/// A quorum that was found to have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer {
    llmq_type: LlmqType,
    quorum_hash: QuorumHash,
    trust: Trust,
    choice: Choice,
}

impl Signer {
    /// Returns the quorum's type.
    #[must_use]
    pub const fn llmq_type(&self) -> LlmqType {
        self.llmq_type
    }

    /// Returns the quorum's name.
    #[must_use]
    pub const fn quorum_hash(&self) -> QuorumHash {
        self.quorum_hash
    }

    /// Returns what had to be believed about the set the quorum was taken from.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.trust
    }

    /// Returns how this quorum came to be the one checked.
    #[must_use]
    pub const fn choice(&self) -> Choice {
        self.choice
    }
}

/// Says why no quorum could be found to have signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The one quorum that had to sign has an unusable key.
    #[error("{llmq_type} quorum {quorum_hash} has an unusable key: {source}")]
    Key {
        /// The type.
        llmq_type: LlmqType,
        /// The quorum.
        quorum_hash: QuorumHash,
        /// What is wrong with its key.
        source: BlsError,
    },
    /// The signature is not that of the one quorum that had to sign.
    #[error("signature is not that of {llmq_type} quorum {quorum_hash}, which had to sign")]
    Mismatch {
        /// The type.
        llmq_type: LlmqType,
        /// The quorum that had to sign.
        quorum_hash: QuorumHash,
    },
    /// The set holds no quorum that could have signed: none of the type, none old enough, or
    /// none of the slot.
    #[error("no {llmq_type} quorum known that could have signed")]
    NoQuorum {
        /// The type that has to sign.
        llmq_type: LlmqType,
    },
    /// The signature is not that of any quorum that could have signed.
    #[error("signature is not that of any of {tried} {llmq_type} quorums")]
    NoneMatches {
        /// The type that has to sign.
        llmq_type: LlmqType,
        /// How many quorums were tried.
        tried: usize,
    },
    /// The signature itself is unusable.
    #[error("unusable signature: {source}")]
    Signature {
        /// What is wrong with it.
        source: BlsError,
    },
}

impl QuorumSet {
    /// Finds the quorum that signed `message` for `request_id`.
    ///
    /// `active_at` is the height at which the active quorums are counted, if it is known.
    /// A signature names its quorum inside the signed hash, so at most one can verify.
    pub(crate) fn signer(
        &self,
        llmq_type: LlmqType,
        request_id: &[u8; 32],
        active_at: Option<u32>,
        message: &[u8; 32],
        signature: &Signature,
    ) -> Result<Signer, SignerError> {
        let (candidates, choice) = self.candidates(llmq_type, request_id, active_at);
        let Some(first) = candidates.first() else {
            return Err(SignerError::NoQuorum { llmq_type });
        };
        let prepared = signature.prepare().map_err(|source| SignerError::Signature { source })?;
        let mut bad_key = None;
        for member in &candidates {
            let quorum_hash = member.entry.quorum_hash;
            match member.key() {
                Ok(key) => {
                    let signed = sign_hash(llmq_type, &quorum_hash, request_id, message);
                    if key.verify_prepared(&signed, &prepared).is_ok() {
                        return Ok(Signer { llmq_type, quorum_hash, trust: self.trust(), choice });
                    }
                }
                Err(source) => {
                    bad_key = bad_key.or(Some(SignerError::Key { llmq_type, quorum_hash, source }));
                }
            }
        }
        Err(bad_key.unwrap_or(match choice {
            Choice::Selected => SignerError::Mismatch { llmq_type, quorum_hash: first.entry.quorum_hash },
            Choice::Tried => SignerError::NoneMatches { llmq_type, tried: candidates.len() },
        }))
    }

    /// Returns the quorums that may sign a request: exactly one where the set allows the
    /// protocol's own choice, otherwise all that cannot be ruled out, likeliest first.
    fn candidates(&self, llmq_type: LlmqType, request_id: &[u8; 32], active_at: Option<u32>) -> (Vec<&Member>, Choice) {
        let params = llmq_type.params();
        let slot = params.filter(|params| params.rotated).map(|params| rotation_slot(params.active, request_id));
        let known = self.complete_height().is_some()
            && self
                .of_type(llmq_type)
                .all(|member| member.entry.mined_height.is_some() && (slot.is_none() || member.entry.index.is_some()));
        let complete = known && active_at.is_some() && active_at <= self.complete_height();

        let mut candidates: Vec<&Member> = self
            .of_type(llmq_type)
            .filter(|member| match (member.entry.mined_height, active_at) {
                (Some(mined), Some(at)) => mined <= at,
                _ => true,
            })
            .filter(|member| match (slot, member.entry.index) {
                (Some(slot), Some(index)) => slot == index,
                _ => true,
            })
            .collect();

        // Newest first; a rotated slot is filled by its newest quorum, other types count back.
        let active = match slot {
            Some(_) => 1,
            None => params.map_or(usize::MAX, |params| usize::from(params.active)),
        };
        candidates.sort_by_key(|member| core::cmp::Reverse(member.entry.mined_height));
        let exact = complete && candidates.len() >= active;
        if exact {
            candidates.truncate(active);
        }
        if slot.is_none() {
            candidates.sort_by_cached_key(|member| score(llmq_type, &member.entry.quorum_hash, request_id));
        }
        if exact {
            candidates.truncate(1);
            (candidates, Choice::Selected)
        } else {
            (candidates, Choice::Tried)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::SecretKey;
    use crate::quorum::QuorumEntry;

    const TYPE: LlmqType = LlmqType::LLMQ_DEVNET;
    const REQUEST: [u8; 32] = [9; 32];
    const MESSAGE: [u8; 32] = [4; 32];

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed(&[seed; 32])
    }

    fn entry(seed: u8, mined_height: Option<u32>) -> QuorumEntry {
        QuorumEntry {
            llmq_type: TYPE,
            quorum_hash: QuorumHash([seed; 32]),
            public_key: key(seed).public_key(),
            mined_height,
            index: None,
        }
    }

    /// Quorums 1 to 6, mined at 100, 200, …
    fn six() -> QuorumSet {
        QuorumSet::from_node((1..=6).map(|seed| entry(seed, Some(u32::from(seed) * 100)))).unwrap()
    }

    fn signed(seed: u8) -> Signature {
        key(seed).sign(&sign_hash(TYPE, &QuorumHash([seed; 32]), &REQUEST, &MESSAGE))
    }

    fn signer(set: &QuorumSet, seed: u8, active_at: Option<u32>) -> Result<Signer, SignerError> {
        set.signer(TYPE, &REQUEST, active_at, &MESSAGE, &signed(seed))
    }

    /// Of some seeds, the one whose quorum has the smallest score.
    fn smallest(seeds: core::ops::RangeInclusive<u8>) -> u8 {
        seeds.min_by_key(|seed| score(TYPE, &QuorumHash([*seed; 32]), &REQUEST)).unwrap()
    }

    #[test]
    fn the_smallest_score_among_the_newest_four_signs() {
        let set = six().complete_at(1_000);
        for (active_at, active) in [(599, 2..=5), (600, 3..=6), (1_000, 3..=6), (400, 1..=4)] {
            let chosen = smallest(active.clone());
            for seed in 1..=6 {
                let found = signer(&set, seed, Some(active_at));
                if seed == chosen {
                    assert_eq!(found.unwrap().choice(), Choice::Selected);
                } else {
                    let quorum_hash = QuorumHash([chosen; 32]);
                    let refused = SignerError::Mismatch { llmq_type: TYPE, quorum_hash };
                    assert_eq!(found, Err(refused), "{seed} at {active_at}");
                }
            }
        }
    }

    #[test]
    fn every_quorum_is_tried_where_the_set_may_be_incomplete() {
        let without_heights = QuorumSet::from_node((1..=6).map(|seed| entry(seed, None))).unwrap().complete_at(1_000);
        let one_unknown = (1..=6).map(|seed| entry(seed, (seed != 3).then_some(100)));
        let one_unknown = QuorumSet::from_node(one_unknown).unwrap().complete_at(1_000);
        let not_stated = six();
        let stale = six().complete_at(699);
        for (set, active_at) in [
            (&without_heights, Some(700)),
            (&one_unknown, Some(700)),
            (&not_stated, Some(700)),
            (&stale, Some(700)),
            (&six().complete_at(1_000), None),
        ] {
            for seed in 1..=6 {
                assert_eq!(signer(set, seed, active_at).unwrap().choice(), Choice::Tried);
            }
            let refused = SignerError::NoneMatches { llmq_type: TYPE, tried: 6 };
            assert_eq!(signer(set, 7, active_at), Err(refused));
        }
    }

    #[test]
    fn quorums_mined_later_are_never_tried() {
        // Three of four are too few to be sure that none is missing, but 400 was not there yet.
        let set = six().complete_at(1_000);
        assert_eq!(signer(&set, 3, Some(399)).unwrap().choice(), Choice::Tried);
        let refused = SignerError::NoneMatches { llmq_type: TYPE, tried: 3 };
        assert_eq!(signer(&set, 4, Some(399)), Err(refused));
        let refused = SignerError::NoQuorum { llmq_type: TYPE };
        assert_eq!(signer(&set, 1, Some(99)), Err(refused));
    }

    #[test]
    fn a_quorum_with_an_unusable_key_does_not_hide_the_one_that_signed() {
        let mut broken = entry(1, None);
        broken.public_key = crate::bls::PublicKey::new([0; 48]);
        let set = QuorumSet::from_node([broken.clone(), entry(2, None)]).unwrap();
        assert_eq!(signer(&set, 2, None).unwrap().quorum_hash(), QuorumHash([2; 32]));
        let refused = signer(&set, 1, None).unwrap_err();
        let source = BlsError::KeyEncoding { key: broken.public_key };
        let quorum_hash = broken.quorum_hash;
        assert_eq!(refused, SignerError::Key { llmq_type: TYPE, quorum_hash, source });
    }

    #[test]
    fn a_malformed_signature_is_told_from_one_that_does_not_match() {
        let malformed = Signature::new([0xff; 96]);
        let refused = six().signer(TYPE, &REQUEST, None, &MESSAGE, &malformed);
        assert_eq!(refused, Err(SignerError::Signature { source: BlsError::SignatureEncoding }));
    }

    #[test]
    fn slots_are_the_bits_below_the_highest_of_the_ids_end() {
        let slot = |active, high: u64| {
            let mut id = [0xa5; 32];
            id[24..].copy_from_slice(&high.to_le_bytes());
            rotation_slot(active, &id)
        };
        assert_eq!(slot(32, 0x8000_0000_0000_0000), 0);
        assert_eq!(slot(32, 0x7fff_ffff_ffff_ffff), 31);
        assert_eq!(slot(32, 0b0_10110 << 58), 0b10110);
        assert_eq!(slot(32, 0b1_00001 << 58), 1);
        assert_eq!(slot(2, 0x4000_0000_0000_0000), 1);
        assert_eq!(slot(2, 0xbfff_ffff_ffff_ffff), 0);
        assert_eq!(slot(1, u64::MAX), 0);
    }

    #[test]
    fn the_same_quorum_twice_is_no_set() {
        let quorum_hash = QuorumHash([1; 32]);
        assert_eq!(
            QuorumSet::from_node([entry(1, None), entry(1, Some(5))]).unwrap_err(),
            crate::quorum::QuorumSetError::Duplicate { llmq_type: TYPE, quorum_hash }
        );
    }
}
