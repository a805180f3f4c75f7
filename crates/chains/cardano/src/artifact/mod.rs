//! What Mithril certifies, recomputed from the thing itself and bound to its certificate.
//!
//! | artifact | recomputed | bound to |
//! |---|---|---|
//! | immutable files | [`DigestList::root`] | `cardano_database_merkle_root` |
//! | signers of Mithril | [`MithrilStakeDistribution::aggregate_verification_key`] | `next_aggregate_verification_key` |
//! | stake of all pools | [`CardanoStakeDistribution::root`] | `cardano_stake_distribution_merkle_root` |
//! | transactions | [`TransactionProofs::verify`] | `cardano_transactions_merkle_root` |
//! | blocks and transactions | [`BlockProofs::verify`], [`TransactionProofsV2::verify`] | `cardano_blocks_transactions_merkle_root` |
//!
//! Every check takes a certificate that has been verified up to its genesis: an artifact is worth what its certificate is.

mod avk;
mod bind;
mod certified_digests;
mod chain_proof;
mod digest;
mod entity_hash;
mod evidence;
mod folder;
mod map_proof;
mod mmr;
mod mmr_proof;
mod proof_wire;
mod stake;

pub use avk::AvkComputeError;
pub use bind::BindError;
pub(crate) use bind::bind_database;
pub use certified_digests::{CertifiedDigests, CertifiedDigestsError};
pub use chain_proof::{
    BlockProofs, CertifiedBlock, CertifiedTransaction, ChainProofError, ItemSetProof, TransactionProofs,
    TransactionProofsV2, TransactionSetProof,
};
pub use digest::{DigestError, DigestList, ImmutableFile, ImmutableKind};
pub use entity_hash::{blocks_transactions_hash, database_hash, transactions_hash};
pub use evidence::{BlockEvidenceError, block_evidence, verify_block_claim};
pub use folder::{FaultKind, FileFault, FolderError, HashOptions, HashProgress, ImmutableFolder};
pub(crate) use folder::{IMMUTABLE, hash_file};
pub use map_proof::{BlockRange, MapError, MapProof};
pub use mmr::{MmrAccumulator, MmrNode, MmrTree};
pub use mmr_proof::{LeafForm, MmrError, MmrProof};
pub use proof_wire::ProofTextError;
pub use stake::{CardanoStakeDistribution, MithrilStakeDistribution, StakeError, StakedSigner};
