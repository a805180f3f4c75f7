//! Certificates that wait for their block.

use std::collections::VecDeque;

use crate::evidence::Evidence;
use crate::units::BlockHeight;

/// Holds verified certificates above the final block, newest heights last, within a stated bound.
///
/// When it is full, the certificate in the middle of the line gives way: the lowest says which block is final
/// soonest, the highest says where the chain leads, and each descendant's certificate covers its ancestors.
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

    /// Adds `evidence`; returns whether it was new.
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
        self.waiting.insert(at, evidence);
        if self.waiting.len() > self.capacity {
            self.waiting.remove(self.waiting.len() / 2);
        }
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

    /// Returns the certificates at exactly `height`.
    pub fn at(&self, height: BlockHeight) -> impl Iterator<Item = &Evidence> {
        let first = self.waiting.partition_point(|held| held.block().height < height);
        self.waiting.iter().skip(first).take_while(move |held| held.block().height == height)
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
