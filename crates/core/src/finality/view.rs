//! What a policy sees of the chain: the blocks that were applied and are not final.

use std::collections::VecDeque;

use crate::id::{BlockId, BlockPoint};
use crate::source::Tips;

/// Shows the applied, unfinal blocks, the newest final one below them, and what the source says of its ends.
#[derive(Clone, Copy, Debug)]
pub struct ChainView<'a> {
    /// Locates the newest final block.
    pub finalized: BlockPoint,
    /// Holds the unfinal blocks above it, oldest first, each linked to the one before.
    pub unfinal: &'a VecDeque<BlockPoint>,
    /// Holds what the source said last.
    pub tips: Option<Tips>,
}

impl ChainView<'_> {
    /// Returns the newest block of the view.
    #[must_use]
    pub fn tip(&self) -> BlockPoint {
        self.unfinal.back().copied().unwrap_or(self.finalized)
    }

    /// Returns whether `id` is an unfinal block of the view.
    ///
    /// Heights never fall along a branch, so this is a binary search; blocks that repeat a height are compared one by one.
    #[must_use]
    pub fn holds(&self, id: BlockId) -> bool {
        let first = self.unfinal.partition_point(|point| point.id.height < id.height);
        self.unfinal.iter().skip(first).take_while(|point| point.id.height == id.height).any(|point| point.id == id)
    }
}
