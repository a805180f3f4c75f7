//! The operator's view: every payment, and what became of it.

use std::collections::{BTreeSet, HashMap};

use nodewright_core::{
    Amount, BlockPoint, BlockReport, EvidenceClaim, NearMissReason, Observation, ScanEvent, ScanRecord, Spend, TxFate,
    TxId,
};

use crate::observer::deposit::{Deposit, DepositKey, DepositState, Fate};
use crate::observer::follow::is_settled;
use crate::observer::weight::{ValueWeight, Weighed, WeightError};

/// Folds committed records into deposits, in the order in which they were first seen.
///
/// Pure: the same records give the same book. After a restart it is rebuilt from the records that the sink stored, with
/// [`DepositBook::apply`], [`DepositBook::roll_back`] and [`DepositBook::finalize`], which take stored data: a store
/// gives back claims of evidence, never evidence. What a node said in between ([`DepositBook::tell`]) is asked again.
///
/// Memory: one entry a deposit. [`DepositBook::take_settled`] hands out those that cannot change any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DepositBook {
    deposits: Vec<Deposit>,
    index: HashMap<DepositKey, usize>,
    /// Indexes of the deposits that are not settled.
    open: BTreeSet<usize>,
}

impl DepositBook {
    /// Makes an empty book.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one committed record into account; returns the deposits that it changed.
    pub fn fold(&mut self, record: &ScanRecord) -> Vec<DepositKey> {
        match (&record.event, &record.report) {
            (ScanEvent::Apply(_), Some(report)) => self.apply(report),
            (ScanEvent::RollBack { dropped, .. }, _) => self.roll_back(dropped),
            (ScanEvent::Finalize(finality), _) => self.finalize(&finality.point, &(&finality.evidence).into()),
            (ScanEvent::Apply(_) | ScanEvent::Hold(_) | ScanEvent::Resume, _) => Vec::new(),
        }
    }

    /// Takes a node's word on a transaction whose block left the chain; returns the deposits that it changed.
    ///
    /// What blocks tell counts more: word of a transaction that is in a block, or was replaced in one, changes nothing,
    /// and word that it is mined waits for the block to be applied.
    pub fn tell(&mut self, txid: &TxId, word: &TxFate) -> Vec<DepositKey> {
        let told = match word {
            TxFate::Mempool => Fate::Mempool,
            TxFate::Mined(_) => return Vec::new(),
            TxFate::Replaced(by) => Fate::Replaced { by: by.clone(), block: None, settled: false },
            TxFate::Unknown => Fate::Unknown,
        };
        self.change_open(|deposit| match &mut deposit.state {
            DepositState::Gone { fate } if deposit.observation.txid == *txid => {
                let from_block = matches!(fate, Fate::Replaced { block: Some(_), .. });
                let changes = !from_block && *fate != told;
                if changes {
                    *fate = told.clone();
                }
                changes
            }
            _ => false,
        })
    }

    /// Returns every deposit and near-miss, in the order in which they were first seen.
    #[must_use]
    pub fn deposits(&self) -> &[Deposit] {
        &self.deposits
    }

    /// Returns the deposit with `key`.
    #[must_use]
    pub fn deposit(&self, key: &DepositKey) -> Option<&Deposit> {
        self.deposits.get(*self.index.get(key)?)
    }

    /// Removes the deposits that nothing can change any more and returns them.
    pub fn take_settled(&mut self) -> Vec<Deposit> {
        let (settled, kept): (Vec<_>, Vec<_>) = self.deposits.drain(..).partition(Deposit::is_settled);
        self.index = kept.iter().enumerate().map(|(at, deposit)| (deposit.key(), at)).collect();
        self.open = (0..kept.len()).collect();
        self.deposits = kept;
        settled
    }

    /// Weighs the deposit with `key` together with all others of its block; `None` if the book has no such deposit, it
    /// does not count, or its block left the chain.
    ///
    /// # Errors
    /// As [`ValueWeight::required`].
    #[must_use]
    pub fn weigh(&self, key: &DepositKey, weight: &ValueWeight) -> Option<Result<Weighed, WeightError>> {
        let deposit = self.deposit(key)?;
        if deposit.near_miss.is_some() || matches!(deposit.state, DepositState::Gone { .. }) {
            return None;
        }
        let height = deposit.observation.block.id.height;
        Some(weight.weigh(height, deposit.block_total, deposit.block_reward))
    }

    /// Takes the report of an applied block into account; returns the deposits that it changed.
    pub fn apply(&mut self, report: &BlockReport) -> Vec<DepositKey> {
        let sum = |total: Amount, seen: &Observation| Amount(total.0.saturating_add(seen.value.0));
        let total = report.observations.iter().fold(Amount(0), sum);
        let mut changed = Vec::new();
        for seen in &report.observations {
            changed.push(self.enter(seen, None, total, report.reward));
        }
        for miss in &report.near_misses {
            changed.push(self.enter(&miss.observation, Some(miss.reason.clone()), total, report.reward));
        }
        for spend in &report.spends {
            changed.extend(self.consume(report.point, spend));
        }
        changed
    }

    fn enter(
        &mut self,
        seen: &Observation,
        near_miss: Option<NearMissReason>,
        block_total: Amount,
        block_reward: Option<Amount>,
    ) -> DepositKey {
        let key = DepositKey::from(seen);
        let known = self.index.get(&key).copied();
        let before = known.and_then(|at| self.deposits.get(at));
        let moved_from = before.and_then(|deposit| {
            let last = deposit.observation.block;
            (last != seen.block).then_some(last).or(deposit.moved_from)
        });
        let state = DepositState::Seen;
        let deposit = Deposit { observation: seen.clone(), near_miss, state, moved_from, block_total, block_reward };
        let at = known.unwrap_or(self.deposits.len());
        match self.deposits.get_mut(at) {
            Some(entry) => *entry = deposit,
            None => self.deposits.push(deposit),
        }
        self.index.insert(key.clone(), at);
        self.open.insert(at);
        key
    }

    fn consume(&mut self, block: BlockPoint, spend: &Spend) -> Vec<DepositKey> {
        self.change_open(|deposit| match &mut deposit.state {
            DepositState::Gone { fate }
                if deposit.observation.txid != spend.by && deposit.observation.spends.contains(&spend.key) =>
            {
                let told = Fate::Replaced { by: spend.by.clone(), block: Some(block), settled: false };
                let changes = *fate != told;
                *fate = told;
                changes
            }
            _ => false,
        })
    }

    /// Takes into account that the blocks in `dropped` left the chain; returns the deposits that it changed.
    pub fn roll_back(&mut self, dropped: &[BlockPoint]) -> Vec<DepositKey> {
        let dropped: BTreeSet<&BlockPoint> = dropped.iter().collect();
        self.change_open(|deposit| match &mut deposit.state {
            DepositState::Seen if dropped.contains(&deposit.observation.block) => {
                deposit.state = DepositState::Gone { fate: Fate::Awaited };
                true
            }
            DepositState::Gone { fate } => {
                let undone = matches!(&*fate, Fate::Replaced { block: Some(block), .. } if dropped.contains(block));
                if undone {
                    *fate = Fate::Awaited;
                }
                undone
            }
            DepositState::Final { .. } | DepositState::Seen => false,
        })
    }

    /// Takes into account that the block at `point` and its ancestors are final; returns the deposits that it changed.
    pub fn finalize(&mut self, point: &BlockPoint, evidence: &EvidenceClaim) -> Vec<DepositKey> {
        let changed = self.change_open(|deposit| match &mut deposit.state {
            DepositState::Seen if is_settled(&deposit.observation.block, point) => {
                deposit.state = DepositState::Final { point: *point, evidence: evidence.clone() };
                true
            }
            DepositState::Gone { fate: Fate::Replaced { block: Some(block), settled, .. } } => {
                let changes = !*settled && is_settled(block, point);
                *settled |= changes;
                changes
            }
            _ => false,
        });
        self.open.retain(|at| self.deposits.get(*at).is_some_and(|deposit| !deposit.is_settled()));
        changed
    }

    /// Lets `change` see each deposit that is not settled and returns those for which it says that it changed them.
    fn change_open(&mut self, mut change: impl FnMut(&mut Deposit) -> bool) -> Vec<DepositKey> {
        let mut changed = Vec::new();
        for at in &self.open {
            if let Some(deposit) = self.deposits.get_mut(*at)
                && change(deposit)
            {
                changed.push(deposit.key());
            }
        }
        changed
    }
}
