//! Blocks of one transaction whose quorums' keys the tests hold.

use nodewright_core::BlockHash;
use nodewright_dash::bls::{PublicKey, SecretKey, Signature};
use nodewright_dash::chainlock::ChainLock;
use nodewright_dash::mnlist::{
    CertifiedHeader, Commitment, MasternodeDetails, MasternodeEntry, MasternodeList, Members, MnListDiff, Scheme,
};
use nodewright_dash::quorum::{LlmqType, QuorumHash, sign_hash};
use nodewright_dash::x11;
use nodewright_utxo::hash::{Txid, sha256d};
use nodewright_utxo::header::RawHeader;

/// A quorum and the key it signs with.
pub(crate) struct Quorum {
    pub(crate) commitment: Commitment,
    pub(crate) key: SecretKey,
}

impl Quorum {
    pub(crate) fn new(llmq_type: LlmqType, seed: u8) -> Self {
        let key = SecretKey::from_seed(&[seed; 32]);
        let params = llmq_type.params().unwrap();
        let size = usize::from(params.size);
        let mut bits = vec![0xff; size.div_ceil(8)];
        if size % 8 != 0 {
            *bits.last_mut().unwrap() = (1 << (size % 8)) - 1;
        }
        let members = Members::new(size, bits).unwrap();
        let mut commitment = Commitment {
            scheme: Scheme::Basic,
            llmq_type,
            quorum_hash: QuorumHash([seed; 32]),
            index: params.rotated.then_some(0),
            signers: members.clone(),
            valid_members: members,
            public_key: key.public_key(),
            vvec_hash: [seed ^ 0x55; 32],
            quorum_signature: Signature::new([0; 96]),
            members_signature: Signature::new([seed; 96]),
        };
        commitment.quorum_signature = key.sign(&commitment.sign_hash());
        Self { commitment, key }
    }

    /// The lock of a block by this quorum.
    pub(crate) fn lock(&self, height: u32, block: BlockHash) -> ChainLock {
        let mut lock = ChainLock { height, block_hash: block, signature: Signature::new([0; 96]) };
        let Commitment { llmq_type, quorum_hash, .. } = &self.commitment;
        lock.signature = self.key.sign(&lock.sign_hash(*llmq_type, quorum_hash));
        lock
    }

    /// This quorum's signature for any request.
    pub(crate) fn sign(&self, request_id: &[u8; 32], message: &[u8; 32]) -> Signature {
        let Commitment { llmq_type, quorum_hash, .. } = &self.commitment;
        self.key.sign(&sign_hash(*llmq_type, quorum_hash, request_id, message))
    }
}

pub(crate) fn masternode(seed: u8) -> MasternodeEntry {
    MasternodeEntry {
        pro_reg_tx: Txid([seed; 32]),
        confirmed_hash: [seed; 32],
        address: [seed; 16],
        port: 9999,
        operator_key: PublicKey::new([seed; 48]),
        voting_key_id: [seed; 20],
        is_valid: true,
        details: match seed % 3 {
            0 => MasternodeDetails::Legacy,
            1 => MasternodeDetails::Regular,
            _ => MasternodeDetails::Evo { platform_http_port: 443, platform_node_id: [seed; 20] },
        },
    }
}

/// A coinbase with a payload of the given version.
pub(crate) fn coinbase(version: u16, height: i32, roots: [[u8; 32]; 2]) -> Vec<u8> {
    let mut payload = version.to_le_bytes().to_vec();
    payload.extend(height.to_le_bytes());
    payload.extend(roots[0]);
    if version >= 2 {
        payload.extend(roots[1]);
    }
    if version >= 3 {
        payload.extend([0; 105]);
    }
    transaction(5, &payload)
}

/// A coinbase of any special type with any payload shorter than 253 bytes.
pub(crate) fn transaction(special_type: u16, payload: &[u8]) -> Vec<u8> {
    let mut tx = 3_u16.to_le_bytes().to_vec();
    tx.extend(special_type.to_le_bytes());
    tx.push(1);
    tx.extend([0; 32]);
    tx.extend([0xff; 4]);
    tx.extend([2, 1, 1]);
    tx.extend([0xff; 4]);
    tx.push(1);
    tx.extend(5_000_000_000_u64.to_le_bytes());
    tx.extend([1, 0x51]);
    tx.extend([0; 4]);
    if special_type != 0 {
        tx.push(u8::try_from(payload.len()).unwrap());
        tx.extend(payload);
    }
    tx
}

/// The header of a block with this one transaction on top of `prev`.
pub(crate) fn header(prev: BlockHash, tx: &[u8]) -> RawHeader {
    RawHeader {
        version: 0x2000_0000,
        prev: prev.0,
        merkle_root: sha256d(tx),
        time: 1_700_000_000,
        bits: 0x207f_ffff,
        nonce: 0,
    }
}

pub(crate) fn id(header: &RawHeader) -> BlockHash {
    BlockHash(header.id(|bytes| x11(bytes)))
}

/// The proof that a block has this one transaction.
pub(crate) fn proof(tx: &[u8]) -> Vec<u8> {
    let mut proof = 1_u32.to_le_bytes().to_vec();
    proof.push(1);
    proof.extend(sha256d(tx));
    proof.extend([1, 1]);
    proof
}

/// A block of the small chain: its header, and the diff that leads to its list.
pub(crate) struct Block {
    pub(crate) header: RawHeader,
    pub(crate) diff: MnListDiff,
}

impl Block {
    /// A block on `prev` that commits to `base` changed as `diff` says.
    pub(crate) fn commit(
        base: &MasternodeList,
        prev: BlockHash,
        height: i32,
        change: impl FnOnce(&mut MnListDiff),
    ) -> Self {
        let mut diff = MnListDiff {
            base_block: base.block(),
            block: BlockHash::default(),
            merkle_proof: Vec::new(),
            coinbase: Vec::new(),
            deleted_masternodes: Vec::new(),
            updated_masternodes: Vec::new(),
            deleted_quorums: Vec::new(),
            new_quorums: Vec::new(),
            quorum_locks: Vec::new(),
        };
        change(&mut diff);
        let list = base.apply(&diff).unwrap();
        let roots = [list.masternode_root().unwrap(), list.quorum_root().unwrap()];
        Self::with_coinbase(diff, prev, coinbase(3, height, roots))
    }

    /// A block on `prev` with this coinbase, whatever it commits to.
    pub(crate) fn with_coinbase(mut diff: MnListDiff, prev: BlockHash, coinbase: Vec<u8>) -> Self {
        let header = header(prev, &coinbase);
        diff.merkle_proof = proof(&coinbase);
        diff.coinbase = coinbase;
        diff.block = id(&header);
        Self { header, diff }
    }

    pub(crate) fn id(&self) -> BlockHash {
        id(&self.header)
    }

    pub(crate) fn anchored(&self) -> CertifiedHeader {
        CertifiedHeader::anchor(&self.header, self.id()).unwrap()
    }
}
