//! Where the blocks of a simulated chain come from.

use core::fmt::Debug;

use nodewright_core::{BlockHash, BlockHeight, BlockTime};

use crate::sim::chain::SimBlock;

/// Makes the blocks of a [`SimChain`](crate::sim::SimChain): a chain's simulator makes real ones, serialized and
/// hashed as that chain does.
pub trait Mint: Debug + Send + 'static {
    /// Is what the simulator keeps with each block, such as its bytes.
    type Body: Debug + Send + 'static;

    /// Makes the block that follows `parent`; genesis where that is `None`.
    ///
    /// Two drafts that differ in `nonce` alone must give different hashes.
    fn mint(&mut self, parent: Option<&SimBlock<Self::Body>>, draft: Draft) -> Minted<Self::Body>;
}

/// Says what the chain wants of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Is the block's height.
    pub height: BlockHeight,
    /// Is the time that it shall state.
    pub time: BlockTime,
    /// Tells it from its siblings; drawn from the chain's seed.
    pub nonce: u64,
}

/// Holds a block as it was made.
#[derive(Clone, Debug)]
pub struct Minted<B> {
    /// Is the block's id, in wire byte order.
    pub hash: BlockHash,
    /// Is kept with the block.
    pub body: B,
}

/// Makes blocks that are nothing but a hash, mixed from the parent's and the nonce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlainMint;

impl Mint for PlainMint {
    type Body = ();

    fn mint(&mut self, parent: Option<&SimBlock<()>>, draft: Draft) -> Minted<()> {
        let parent = parent.map(|block| block.header().point.id.hash).unwrap_or_default();
        Minted { hash: mix(&parent, draft.nonce), body: () }
    }
}

/// Mixes a hash and a number into a new hash. Not for secrets: it only spreads well and is the same everywhere.
pub(crate) fn mix(hash: &BlockHash, number: u64) -> BlockHash {
    let mut state = number;
    let mut mixed = [0; 32];
    for word in hash.0.chunks_exact(8) {
        let word = word.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        state = scramble(state ^ word);
    }
    for word in mixed.chunks_exact_mut(8) {
        state = scramble(state);
        word.copy_from_slice(&state.to_le_bytes());
    }
    BlockHash(mixed)
}

/// One step of `SplitMix64`: the constants are those of its reference implementation,
/// <https://prng.di.unimi.it/splitmix64.c>.
fn scramble(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
