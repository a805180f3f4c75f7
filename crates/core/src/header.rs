//! What the scan core knows of a block.

use crate::id::{BlockHash, BlockPoint};
use crate::time::BlockTime;

/// Describes one block by its place and its parent.
///
/// A source hands one out only if the id is the hash of the header's bytes, unless its documentation says that
/// hashing is switched off; evidence then says [`Trust::NodeWord`](crate::Trust::NodeWord).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Header {
    /// Locates the block.
    pub point: BlockPoint,
    /// Holds the id of the block before it; all zero for genesis.
    pub parent: BlockHash,
    /// Holds the time that the block states.
    pub time: BlockTime,
}
