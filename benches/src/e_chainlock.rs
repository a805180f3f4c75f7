//! Verifying ChainLocks beside bare `blst` on the same work: decompress the signature, check its group, verify it with
//! a key that was prepared before. What ours adds is choosing the quorum and building what it signs.

use std::hint::black_box;

use blst::{BLST_ERROR, min_pk};
use nodewright_core::BlockHash;
use nodewright_dash::bls::SecretKey;
use nodewright_dash::chainlock::{ChainLock, request_id, verify_chain_lock};
use nodewright_dash::quorum::{LlmqType, Network, QuorumEntry, QuorumHash, QuorumSet, SignerError, score, sign_hash};

use crate::measure::{Scale, versus};
use crate::report::Row;

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, String> {
    let network = Network::Mainnet;
    let llmq_type = network.chain_lock_type();
    let quorums: Vec<Quorum> = (0..QUORUMS).map(Quorum::new).collect();
    let entries = quorums.iter().map(|quorum| quorum.entry(llmq_type));
    let set = QuorumSet::from_node(entries).map_err(|error| error.to_string())?.complete_at(TIP);

    let signed: Vec<Signed> = (0..scale.pick(8, 2)).map(|n| Signed::new(llmq_type, &quorums, TIP - n)).collect();
    for Signed { lock, .. } in &signed {
        verify_chain_lock(lock, &set, network).map_err(|error| format!("ours refuses a lock: {error}"))?;
    }
    if !signed.iter().all(Signed::peer_verifies) {
        return Err("the peer refuses a lock".to_owned());
    }
    let mut forged = signed[0].lock;
    forged.block_hash.0[0] ^= 1;
    let refused = verify_chain_lock(&forged, &set, network);
    if !matches!(
        refused,
        Err(nodewright_dash::chainlock::LockError::Unsigned { source: SignerError::Mismatch { .. }, .. })
    ) {
        return Err(format!("a lock of another block gives {refused:?}"));
    }

    let ours = || signed.iter().for_each(|signed| _ = black_box(verify_chain_lock(&signed.lock, &set, network)));
    let peer = || signed.iter().for_each(|signed| _ = black_box(signed.peer_verifies()));
    let (ours, peer) = versus(scale, signed.len() as u64, ours, peer);
    Ok(vec![Row::more_is_better("e_chainlock", "locks/s", ours, peer).at_least_times_peer(0.9)])
}

/// A quorum whose key is known.
struct Quorum {
    key: SecretKey,
    hash: QuorumHash,
    mined: u32,
}

impl Quorum {
    fn new(n: u8) -> Self {
        let key = SecretKey::from_seed(&[n + 1; 32]);
        Self { key, hash: QuorumHash([n + 1; 32]), mined: TIP - 1_000 + u32::from(n) }
    }

    fn entry(&self, llmq_type: LlmqType) -> QuorumEntry {
        QuorumEntry {
            llmq_type,
            quorum_hash: self.hash,
            public_key: self.key.public_key(),
            mined_height: Some(self.mined),
            index: None,
        }
    }
}

/// A lock, and what a caller of bare `blst` would hold of it.
struct Signed {
    lock: ChainLock,
    key: min_pk::PublicKey,
    message: [u8; 32],
}

impl Signed {
    fn new(llmq_type: LlmqType, quorums: &[Quorum], height: u32) -> Self {
        let request = request_id(height);
        // The newest quorums are the active ones; of those, the smallest score signs.
        let active = llmq_type.params().map_or(quorums.len(), |params| usize::from(params.active));
        let signer = quorums.iter().rev().take(active).min_by_key(|quorum| score(llmq_type, &quorum.hash, &request));
        let signer = signer.expect("there are quorums");
        let mut block_hash = BlockHash([0xab; 32]);
        block_hash.0[..4].copy_from_slice(&height.to_le_bytes());
        let message = sign_hash(llmq_type, &signer.hash, &request, &block_hash.0);
        let key = signer.key.public_key();
        Self {
            lock: ChainLock { height, block_hash, signature: signer.key.sign(&message) },
            key: min_pk::PublicKey::key_validate(key.as_bytes()).expect("a key of its own making is valid"),
            message,
        }
    }

    fn peer_verifies(&self) -> bool {
        min_pk::Signature::uncompress(self.lock.signature.as_bytes()).is_ok_and(|signature| {
            signature.verify(true, &self.message, DOMAIN, &[], &self.key, false) == BLST_ERROR::BLST_SUCCESS
        })
    }
}

/// The ciphersuite of Dash's basic scheme (draft-irtf-cfrg-bls-signature-05, section 4.2.1).
const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";
/// Four of them are active at a time on mainnet; a node's list names some older ones too.
const QUORUMS: u8 = 8;
const TIP: u32 = 2_000_000;
