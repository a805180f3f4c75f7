//! Certificates that wait for their block.

use std::collections::VecDeque;

use crate::evidence::Evidence;
use crate::units::BlockHeight;

/// Holds verified certificates above the final block, newest heights last, within a stated bound.
///
/// When it is full, a new lowest or highest takes the place of one in the middle, and no other gets in: the lowest says
/// which block is final soonest, the highest says where the chain leads, and each descendant's certificate covers its
/// ancestors.
#[derive(Clone, Debug)]
pub struct EvidencePool {
    waiting: VecDeque<Evidence>,
    capacity: usize,
}

impl EvidencePool {
    /// Makes a pool for up to `capacity` certificates; at least 2 are always held.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { waiting: VecDeque::new(), capacity: capacity.max(2) }
    }

    /// Adds `evidence`; returns whether it was new and there was a place for it.
    pub fn insert(&mut self, evidence: Evidence) -> bool {
        let height = evidence.block().height;
        let at = self.waiting.partition_point(|held| held.block().height < height);
        let mut same = self.waiting.iter_mut().skip(at).take_while(|held| held.block().height == height);
        if let Some(held) = same.find(|held| held.block() == evidence.block()) {
            let stronger = evidence.trust() < held.trust();
            if stronger {
                *held = evidence;
            }
            return stronger;
        }
        if self.waiting.len() >= self.capacity {
            if at > 0 && at < self.waiting.len() {
                return false;
            }
            self.waiting.remove(self.waiting.len() / 2);
        }
        self.waiting.insert(at.min(self.waiting.len()), evidence);
        true
    }

    /// Forgets what is at or below `height`.
    pub fn prune(&mut self, height: BlockHeight) {
        while self.waiting.front().is_some_and(|held| held.block().height <= height) {
            self.waiting.pop_front();
        }
    }

    /// Returns the certificates, lowest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Evidence> {
        self.waiting.iter()
    }

    /// Returns the certificates above `low`, up to and including `high`.
    pub fn within(&self, low: BlockHeight, high: BlockHeight) -> impl Iterator<Item = &Evidence> {
        let first = self.waiting.partition_point(|held| held.block().height <= low);
        self.waiting.iter().skip(first).take_while(move |held| held.block().height <= high)
    }

    /// Returns how many certificates wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Trust;
    use crate::fixture::{certificate, id};

    fn heights(pool: &EvidencePool) -> Vec<u64> {
        pool.iter().map(|held| held.block().height.0).collect()
    }

    fn pool(capacity: usize, order: &[u64]) -> EvidencePool {
        let mut pool = EvidencePool::new(capacity);
        for height in order {
            assert!(pool.insert(certificate(*height, 0)), "{height}");
        }
        pool
    }

    #[test]
    fn certificates_are_held_once_and_in_order_of_height() {
        let mut pool = pool(8, &[5, 9, 1, 7]);
        assert!(!pool.insert(certificate(7, 0)));
        assert!(pool.insert(certificate(7, 1)));
        assert_eq!(heights(&pool), [1, 5, 7, 7, 9]);
        pool.prune(BlockHeight(5));
        assert_eq!(heights(&pool), [7, 7, 9]);
        assert_eq!((pool.len(), pool.is_empty()), (3, false));
    }

    #[test]
    fn a_full_pool_keeps_the_lowest_and_the_highest_and_settles() {
        let mut pool = pool(4, &[10, 20, 30, 40, 50, 5]);
        assert_eq!(heights(&pool).len(), 4);
        assert_eq!((heights(&pool)[0], heights(&pool)[3]), (5, 50));
        // What was served before is served again: nothing changes any more.
        let held = heights(&pool);
        assert!([10, 20, 30, 40, 50, 5].iter().all(|height| !pool.insert(certificate(*height, 0))));
        assert_eq!(heights(&pool), held);
        assert_eq!(EvidencePool::new(0).capacity, 2);
    }

    #[test]
    fn stronger_evidence_takes_the_place_of_weaker_for_the_same_block() {
        let mut pool = pool(4, &[5]);
        assert!(!pool.insert(Evidence::attest(id(5, 0), "test", Trust::NodeWord, &[])));
        assert!(pool.insert(Evidence::attest(id(5, 0), "test", Trust::Checkpoint, &[])));
        assert_eq!(pool.iter().map(Evidence::trust).collect::<Vec<_>>(), [Trust::Checkpoint]);
    }

    #[test]
    fn a_range_leaves_its_low_end_out() {
        let pool = pool(8, &[1, 5, 7, 9]);
        let within = |low, high| pool.within(BlockHeight(low), BlockHeight(high)).count();
        assert_eq!([within(0, 9), within(1, 9), within(5, 5), within(5, 7), within(9, 100)], [4, 3, 0, 1, 0]);
    }
}
