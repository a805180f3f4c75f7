//! Which observed transactions may still vanish, or did: what the driver must keep an eye on.

use std::collections::{BTreeSet, VecDeque};

use nodewright_core::{BlockPoint, BlockReport, ScanEvent, SpendKey, TxId, WatchSet};
use serde::{Deserialize, Serialize};

/// Remembers the observed transactions that are not final, and follows those whose block left the chain.
///
/// A removed transaction may be mined again, or another one may consume what it needs. Both show in later blocks if
/// its [`SpendKey`]s are watched, which [`FollowUps::watch`] arranges. It is followed until a block that holds it, or
/// its replacement, is final.
///
/// The state is a function of the events and reports alone. The driver stores it in `Checkpoint::notes` (see [`FollowUps::to_notes`]) with each
/// commit, so a restart goes on with the same keys, whatever the node still knows of removed blocks. Payments that do
/// not count (near-misses) are not followed.
///
/// Memory: one entry for each observed transaction above the final block, and at most 10,000 removed ones; when more
/// are removed, the oldest are given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FollowUps {
    /// Transactions of applied blocks that are not final, in the order of the chain.
    pub(super) unfinal: VecDeque<Applied>,
    /// Transactions whose block left the chain, longest gone first.
    pub(super) removed: VecDeque<Removed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Applied {
    txid: TxId,
    block: BlockPoint,
    spends: Vec<SpendKey>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removed {
    txid: TxId,
    spends: Vec<SpendKey>,
    /// Locates the block of the transaction that took its place, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced_in: Option<BlockPoint>,
}

impl FollowUps {
    /// Takes one event, with the report of its block, into account; returns whether other keys are watched now.
    pub fn fold(&mut self, event: &ScanEvent, report: Option<&BlockReport>) -> bool {
        match event {
            ScanEvent::Apply(_) => report.is_some_and(|report| self.apply(report)),
            ScanEvent::RollBack { dropped, .. } => self.roll_back(dropped),
            ScanEvent::Finalize(finality) => self.finalize(&finality.point),
            ScanEvent::Hold(_) | ScanEvent::Resume => false,
        }
    }

    /// Returns whether [`FollowUps::fold`] would change anything; much cheaper than a copy.
    #[must_use]
    pub fn concerns(&self, event: &ScanEvent, report: Option<&BlockReport>) -> bool {
        match event {
            ScanEvent::Apply(_) => report.is_some_and(|it| !(it.observations.is_empty() && it.spends.is_empty())),
            ScanEvent::RollBack { .. } | ScanEvent::Finalize(_) => !self.is_empty(),
            ScanEvent::Hold(_) | ScanEvent::Resume => false,
        }
    }

    /// Returns `base` with the keys of every removed transaction added.
    #[must_use]
    pub fn watch(&self, base: &WatchSet) -> WatchSet {
        let mut set = base.clone();
        self.removed.iter().flat_map(|removed| &removed.spends).for_each(|key| set.watch_spend(key.clone()));
        set
    }

    /// Returns the removed transactions of which no block tells what became, longest gone first.
    pub fn open(&self) -> impl Iterator<Item = &TxId> {
        self.removed.iter().filter(|removed| removed.replaced_in.is_none()).map(|removed| &removed.txid)
    }

    /// Returns whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unfinal.is_empty() && self.removed.is_empty()
    }

    fn apply(&mut self, report: &BlockReport) -> bool {
        let before = self.removed.len();
        for seen in &report.observations {
            self.mined(&seen.txid, report.point, &seen.spends);
        }
        for spend in &report.spends {
            let Some(at) = self.removed.iter().position(|removed| removed.spends.contains(&spend.key)) else {
                continue;
            };
            let Some(removed) = self.removed.get_mut(at) else { continue };
            if removed.txid != spend.by {
                removed.replaced_in = Some(report.point);
            } else if let Some(back) = self.removed.remove(at) {
                self.unfinal.push_back(Applied { txid: back.txid, block: report.point, spends: back.spends });
            }
        }
        self.removed.len() != before
    }

    /// Remembers a transaction of `block` once, however many of its outputs pay.
    fn mined(&mut self, txid: &TxId, block: BlockPoint, spends: &[SpendKey]) {
        self.removed.retain(|removed| removed.txid != *txid);
        let here = |known: &&Applied| known.block == block;
        if !self.unfinal.iter().rev().take_while(here).any(|known| known.txid == *txid) {
            self.unfinal.push_back(Applied { txid: txid.clone(), block, spends: spends.to_vec() });
        }
    }

    fn roll_back(&mut self, dropped: &[BlockPoint]) -> bool {
        let dropped: BTreeSet<BlockPoint> = dropped.iter().copied().collect();
        for removed in &mut self.removed {
            removed.replaced_in = removed.replaced_in.filter(|block| !dropped.contains(block));
        }
        let first = self.unfinal.partition_point(|known| !dropped.contains(&known.block));
        let gone = self.unfinal.split_off(first);
        let changed = !gone.is_empty();
        self.removed.extend(gone.into_iter().map(|known| Removed {
            txid: known.txid,
            spends: known.spends,
            replaced_in: None,
        }));
        let surplus = self.removed.len().saturating_sub(REMOVED_LIMIT);
        self.removed.drain(..surplus);
        changed
    }

    fn finalize(&mut self, point: &BlockPoint) -> bool {
        let exact = self.unfinal.iter().rposition(|known| known.block == *point).map(|at| at + 1);
        let below = || self.unfinal.partition_point(|known| known.block.id.height < point.id.height);
        self.unfinal.drain(..exact.unwrap_or_else(below));
        let before = self.removed.len();
        self.removed.retain(|removed| removed.replaced_in.is_none_or(|block| !is_settled(&block, point)));
        self.removed.len() != before
    }
}

/// Returns whether `block` of the applied chain is surely final when `point` is. Some chains repeat a height, so of two
/// blocks at one height only the one that is named counts; the other follows with the next final block.
pub(super) fn is_settled(block: &BlockPoint, point: &BlockPoint) -> bool {
    block == point || block.id.height < point.id.height
}

/// Is how many removed transactions are followed at most. A reorganisation 100 blocks deep that removes 100 deposits a
/// block fits; the keys of so many take a few megabytes.
const REMOVED_LIMIT: usize = 10_000;
