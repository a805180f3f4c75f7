//! InstantSend locks: a quorum's promise that the inputs of a transaction will not be spent
//! otherwise.
//!
//! A verified lock says nothing about blocks: it never finalises one, and a ChainLock overrules
//! it. That is why [`VerifiedInstantLock`] is a type of its own.

use nodewright_core::{BlockHash, Trust};
use nodewright_utxo::bytes::{ParseError, Reader};
use nodewright_utxo::hash::{Txid, sha256d_parts};
use nodewright_utxo::tx::OutPoint;

use crate::bls::Signature;
use crate::quorum::{
    Choice, LlmqType, Network, QuorumHash, QuorumSet, SIGN_HEIGHT_OFFSET, Signer, SignerError, sign_hash,
};

/// An InstantSend lock as claimed by whoever sent it: the message `isdlock`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InstantLock {
    /// The outputs the transaction spends, in its order.
    pub inputs: Vec<OutPoint>,
    /// The locked transaction.
    pub txid: Txid,
    /// The block at which the cycle of the signing quorums began.
    pub cycle_hash: BlockHash,
    /// The signature.
    pub signature: Signature,
}

impl InstantLock {
    /// Reads the payload of an `isdlock` message.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: truncated, too many inputs for its length, trailing bytes, or a version
    /// other than 1 (version 0 has no cycle and is no longer in use).
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes);
        let at = reader.position();
        let version = reader.u8()?;
        if version != VERSION {
            return Err(ParseError::Unsupported { what: "instant lock version", value: version.into(), at });
        }
        let count = reader.count("instant lock inputs", INPUT_LEN)?;
        let mut inputs = Vec::with_capacity(count);
        for _ in 0..count {
            inputs.push(OutPoint::read(&mut reader)?);
        }
        let lock = Self {
            inputs,
            txid: Txid(reader.array()?),
            cycle_hash: BlockHash(reader.array()?),
            signature: Signature::new(reader.array()?),
        };
        reader.finish()?;
        Ok(lock)
    }

    /// Returns the payload of an `isdlock` message.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        self.write_inputs(&mut bytes);
        bytes.extend_from_slice(self.txid.as_bytes());
        bytes.extend_from_slice(&self.cycle_hash.0);
        bytes.extend_from_slice(self.signature.as_bytes());
        bytes
    }

    /// Returns the id of the signing request, which depends on the inputs alone: two transactions
    /// that spend the same outputs ask for the same signature.
    #[must_use]
    pub fn request_id(&self) -> [u8; 32] {
        let mut inputs = Vec::new();
        self.write_inputs(&mut inputs);
        sha256d_parts(&[REQUEST_PREFIX, &inputs])
    }

    /// Returns the 32 bytes that this quorum signs for this lock.
    #[must_use]
    pub fn sign_hash(&self, llmq_type: LlmqType, quorum_hash: &QuorumHash) -> [u8; 32] {
        sign_hash(llmq_type, quorum_hash, &self.request_id(), self.txid.as_bytes())
    }

    fn write_inputs(&self, out: &mut Vec<u8>) {
        crate::mnlist::write_compact_size(out, self.inputs.len());
        for input in &self.inputs {
            out.extend_from_slice(input.txid.as_bytes());
            out.extend_from_slice(&input.index.to_le_bytes());
        }
    }
}

/// Checks that the quorum which has to sign a lock's inputs did sign its transaction.
///
/// `cycle_height` is the height of the block [`InstantLock::cycle_hash`], if the caller's header
/// chain knows it; with it, and a set that is complete enough, the network's own choice is
/// repeated. Without it every quorum of the request's slot is tried.
///
/// # Errors
///
/// [`InstantLockError`] with the rule that is broken.
pub fn verify_instant_lock(
    lock: &InstantLock,
    set: &QuorumSet,
    network: Network,
    cycle_height: Option<u32>,
) -> Result<VerifiedInstantLock, InstantLockError> {
    let txid = lock.txid;
    if lock.inputs.is_empty() {
        return Err(InstantLockError::NoInputs { txid });
    }
    let llmq_type = network.instant_send_type();
    // The lock counts as signed at the last height of its cycle.
    let active_at = cycle_height
        .zip(llmq_type.params())
        .and_then(|(height, params)| height.checked_add(params.dkg_interval)?.checked_sub(1 + SIGN_HEIGHT_OFFSET));
    let signer = set
        .signer(llmq_type, &lock.request_id(), active_at, txid.as_bytes(), &lock.signature)
        .map_err(|source| InstantLockError::Unsigned { txid, source })?;
    Ok(VerifiedInstantLock { lock: lock.clone(), signer })
}

/// An InstantSend lock whose signature was checked. Weaker than a ChainLock: it speaks of one
/// transaction, and never makes a block final.
///
/// Made by [`verify_instant_lock`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedInstantLock {
    lock: InstantLock,
    signer: Signer,
}

impl VerifiedInstantLock {
    /// Returns the lock, for storing: loading it again means verifying it again.
    #[must_use]
    pub const fn instant_lock(&self) -> &InstantLock {
        &self.lock
    }

    /// Returns the locked transaction.
    #[must_use]
    pub const fn txid(&self) -> Txid {
        self.lock.txid
    }

    /// Returns the type of the quorum that signed.
    #[must_use]
    pub const fn llmq_type(&self) -> LlmqType {
        self.signer.llmq_type()
    }

    /// Returns the quorum that signed.
    #[must_use]
    pub const fn quorum_hash(&self) -> QuorumHash {
        self.signer.quorum_hash()
    }

    /// Returns what had to be believed about the quorum for this lock to hold.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.signer.trust()
    }

    /// Returns whether the protocol's rule named the quorum or candidates were tried.
    #[must_use]
    pub const fn choice(&self) -> Choice {
        self.signer.choice()
    }
}

/// Says why an InstantSend lock is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstantLockError {
    /// The lock names no inputs, so it locks nothing.
    #[error("instant lock for {txid} has no inputs")]
    NoInputs {
        /// The transaction named.
        txid: Txid,
    },
    /// No quorum that could have signed did sign.
    #[error("instant lock for {txid}: {source}")]
    Unsigned {
        /// The transaction named.
        txid: Txid,
        /// The rule that is broken.
        source: SignerError,
    },
}

/// The version of deterministic locks, the only one in use.
///
/// Source: `CInstantSendLock::CURRENT_VERSION`, Dash Core v22.
const VERSION: u8 = 1;

/// Bytes of one input: transaction id 32, index 4.
const INPUT_LEN: usize = 36;

/// What a request id is hashed from, before the inputs: the text `islock` with its length.
///
/// Source: `ISLOCK_REQUESTID_PREFIX` in Dash Core, serialized as a string.
const REQUEST_PREFIX: &[u8] = b"\x06islock";
