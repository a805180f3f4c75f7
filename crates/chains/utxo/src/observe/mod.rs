//! From a raw block to what an operator watches for.
//!
//! One walk over the bytes finds every output that pays a watched script, joins the memo of its transaction, and names
//! who paid. A payment that does not satisfy the rules is reported as a near miss with the reason, never dropped.

#[cfg(test)]
pub(crate) mod fixture;
pub mod memo;
pub mod sender;
#[cfg(test)]
mod tests;

use core::borrow::Borrow;

use nodewright_core::{
    Amount, BlockPoint, BlockReport, NearMiss, NearMissReason, Observation, Spend, SpendKey, TxId, WatchRules, WatchSet,
};

pub use self::memo::Memo;
use crate::hash::Txid;
use crate::merkle::MerkleError;
use crate::script::ScriptMap;
use crate::tx::{OutPoint, TxView};
use crate::walker::{BlockWalker, Dialect};

/// Finds in raw blocks what a [`WatchSet`] asks for, borrowed or shared.
#[derive(Debug)]
pub struct BlockObserver<W> {
    watch: W,
    scripts: ScriptMap<Box<str>>,
    dialect: Dialect,
    address: fn(&[u8]) -> Option<String>,
}

impl<W: Borrow<WatchSet>> BlockObserver<W> {
    /// Prepares the look-up of `watch`; `address` prints an output script as the chain's address.
    #[must_use]
    pub fn new(watch: W, dialect: Dialect, address: fn(&[u8]) -> Option<String>) -> Self {
        let mut scripts = ScriptMap::new();
        for (key, label) in watch.borrow().items() {
            scripts.insert(key, label.into());
        }
        Self { watch, scripts, dialect, address }
    }

    /// Reports what the block `raw`, known to be the one at `point`, has to say.
    ///
    /// The merkle root is checked on the way, so that what is reported is what the header commits to.
    ///
    /// # Errors
    /// [`MerkleError`] if the bytes are no block, or not the header's.
    pub fn report(&self, point: BlockPoint, raw: &[u8]) -> Result<BlockReport, MerkleError> {
        let mut report = BlockReport { point, ..BlockReport::default() };
        let mut walker = BlockWalker::new(raw, self.dialect)?.checked();
        while let Some((txid, tx)) = walker.next_tx()? {
            if report.reward.is_none() {
                report.reward = Some(Amount(tx.outputs().map(|output| u128::from(output.value)).sum()));
            }
            if self.watch.borrow().wants_spends() {
                self.find_spends(point, txid, &tx, &mut report);
            }
            if tx.outputs().any(|output| self.scripts.get(output.script).is_some()) {
                self.find_payments(point, txid, &tx, &mut report);
            }
        }
        walker.finish()?;
        Ok(report)
    }

    fn find_spends(&self, point: BlockPoint, txid: Txid, tx: &TxView<'_>, report: &mut BlockReport) {
        let keys = tx.inputs().map(|input| spend_key(&input.previous));
        let wanted = keys.filter(|key| self.watch.borrow().wants_spend(key));
        report.spends.extend(wanted.map(|key| Spend { block: point, key, by: TxId(txid.to_string()) }));
    }

    fn find_payments(&self, point: BlockPoint, txid: Txid, tx: &TxView<'_>, report: &mut BlockReport) {
        let watched = |script: &[u8]| self.scripts.get(script).is_some();
        let memo = memo::join(tx, watched);
        let coinbase = tx.is_coinbase();
        let sender = sender::script(tx).and_then(|script| (self.address)(&script));
        let spends: Vec<_> = if coinbase { Vec::new() } else { tx.inputs().map(|i| spend_key(&i.previous)).collect() };
        for output in tx.outputs() {
            let Some(label) = self.scripts.get(output.script) else { continue };
            let observation = Observation {
                block: point,
                txid: TxId(txid.to_string()),
                output: output.index,
                to: label.to_string(),
                value: Amount(output.value.into()),
                memo: memo.as_bytes().map(<[u8]>::to_vec),
                sender: sender.clone(),
                spends: spends.clone(),
            };
            match falls_short(self.watch.borrow().rules(), &observation, &memo, coinbase) {
                Some(reason) => report.near_misses.push(NearMiss { observation, reason }),
                None => report.observations.push(observation),
            }
        }
    }
}

/// Encodes an outpoint as what only one transaction can consume: 32 bytes of id in wire order, 4 of index.
#[must_use]
pub fn spend_key(outpoint: &OutPoint) -> SpendKey {
    let mut key = Vec::with_capacity(36);
    key.extend_from_slice(outpoint.txid.as_bytes());
    key.extend_from_slice(&outpoint.index.to_le_bytes());
    SpendKey(key)
}

/// Returns why a payment does not count, if it does not; the first reason in the order written here.
fn falls_short(rules: &WatchRules, payment: &Observation, memo: &Memo, coinbase: bool) -> Option<NearMissReason> {
    if coinbase {
        return Some(NearMissReason::Coinbase);
    }
    if payment.value < rules.min_value {
        return Some(NearMissReason::BelowMinimum);
    }
    match memo {
        Memo::Absent => rules.require_memo.then_some(NearMissReason::MemoMissing),
        Memo::Malformed(_) => Some(NearMissReason::MemoMalformed),
        Memo::Present(bytes) if bytes.len() > rules.max_memo => Some(NearMissReason::MemoTooLong),
        Memo::Present(bytes) => {
            let text = bytes.iter().all(|byte| (0x20..=0x7e).contains(byte));
            (rules.text_memo && !text).then_some(NearMissReason::MemoNotText)
        }
    }
}
