//! A quorum of one simulated network.

use nodewright_core::BlockId;

use crate::bls::{SecretKey, Signature};
use crate::chainlock::ChainLock;
use crate::quorum::{LlmqType, Network, QuorumHash};

/// Signs ChainLocks. The key of a real quorum is shared among its members; what comes out is the same kind of signature.
#[derive(Debug)]
pub struct SimQuorum {
    key: SecretKey,
    hash: QuorumHash,
}

impl SimQuorum {
    /// Makes the quorum of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut secret, mut hash) = ([0; 32], [0; 32]);
        rng.fill(&mut secret);
        rng.fill(&mut hash);
        Self { key: SecretKey::from_seed(&secret), hash: QuorumHash(hash) }
    }

    /// Returns the type that signs ChainLocks on a regtest.
    #[must_use]
    pub fn llmq_type(&self) -> LlmqType {
        Network::Regtest.chain_lock_type()
    }

    /// Returns the quorum's name.
    #[must_use]
    pub fn hash(&self) -> QuorumHash {
        self.hash
    }

    /// Returns the public key in hex.
    #[must_use]
    pub fn public_key(&self) -> String {
        hex::encode(self.key.public_key().as_bytes())
    }

    /// Signs the ChainLock of `id`.
    #[must_use]
    pub fn lock(&self, id: BlockId) -> ChainLock {
        let height = u32::try_from(id.height.0).unwrap_or(u32::MAX);
        let unsigned = ChainLock { height, block_hash: id.hash, signature: Signature::new([0; 96]) };
        let message = unsigned.sign_hash(self.llmq_type(), &self.hash);
        ChainLock { signature: self.key.sign(&message), ..unsigned }
    }
}
