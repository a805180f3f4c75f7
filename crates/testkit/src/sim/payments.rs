//! Payments on a simulated chain: computed from each block's height and hash, so that they cost nothing to keep.
//!
//! The block at height `h` holds `h % 3` transactions, named `simtx-h-i-v`. Each spends the key `h-i`, and the variant
//! `v` is a bit of the block's hash: so after a reorganisation a transaction is mined again, or another one has spent
//! what it needs.

use nodewright_core::{
    Amount, BlockHeight, BlockPoint, BlockReport, Error, ErrorKind, NearMiss, NearMissReason, Observation, Result,
    Spend, SpendKey, TxFate, TxId, WatchItem, WatchSet,
};

use crate::sim::chain::SimView;

/// Reads an address, such as `sim:3`.
pub(crate) fn read_address(text: &str) -> Result<WatchItem> {
    let number = text.strip_prefix(PREFIX).and_then(|digits| digits.parse::<u64>().ok());
    match number.filter(|number| *number < ADDRESSES) {
        Some(_) => Ok(WatchItem { label: text.to_owned(), key: text.as_bytes().to_vec() }),
        None => Err(Error::new(ErrorKind::Config, "watch").with("not an address of this chain", text)),
    }
}

/// Reports what the block at `point` has to say to `watch`.
pub(crate) fn report(point: &BlockPoint, watch: &WatchSet) -> BlockReport {
    let mut report = BlockReport { point: *point, reward: Some(Amount(REWARD)), ..BlockReport::default() };
    let variant = variant(point);
    for index in 0..point.id.height.0 % 3 {
        let txid = txid(point.id.height, index, variant);
        let key = spend_key(point.id.height, index);
        if watch.wants_spend(&key) {
            report.spends.push(Spend { block: *point, key: key.clone(), by: txid.clone() });
        }
        let address = format!("{PREFIX}{}", (point.id.height.0 + index) % ADDRESSES);
        let Some(to) = watch.label(address.as_bytes()) else { continue };
        let value = Amount(1_000 + u128::from(point.id.height.0 * 10 + index));
        let memo = Some(format!("=:SIM:{}", point.id.height).into_bytes());
        let (to, sender) = (to.to_owned(), Some("sim:payer".to_owned()));
        let observation = Observation { block: *point, txid, output: 0, to, value, memo, sender, spends: vec![key] };
        if value < watch.rules().min_value {
            report.near_misses.push(NearMiss { observation, reason: NearMissReason::BelowMinimum });
        } else {
            report.observations.push(observation);
        }
    }
    report
}

/// Says what became of a transaction, as a node on this branch knows.
pub(crate) fn fate(name: &TxId, view: &SimView<'_>) -> TxFate {
    let mut parts = name.0.strip_prefix(TX).unwrap_or_default().splitn(3, '-').map(str::parse::<u64>);
    let (Some(Ok(height)), Some(Ok(index)), Some(Ok(variant))) = (parts.next(), parts.next(), parts.next()) else {
        return TxFate::Unknown;
    };
    let height = BlockHeight(height);
    match view.at_height(height).map(|block| block.header().point) {
        _ if index >= height.0 % 3 || variant > 1 => TxFate::Unknown,
        Some(point) if self::variant(&point) == variant => TxFate::Mined(point),
        Some(_) => TxFate::Replaced(txid(height, index, 1 - variant)),
        None if height > view.head().id().height => TxFate::Mempool,
        None => TxFate::Unknown,
    }
}

fn txid(height: BlockHeight, index: u64, variant: u64) -> TxId {
    TxId(format!("{TX}{height}-{index}-{variant}"))
}

fn spend_key(height: BlockHeight, index: u64) -> SpendKey {
    SpendKey(format!("{height}-{index}").into_bytes())
}

fn variant(point: &BlockPoint) -> u64 {
    u64::from(point.id.hash.0[0] & 1)
}

const PREFIX: &str = "sim:";
const TX: &str = "simtx-";

/// Is how many addresses there are; few, so that each is paid often.
const ADDRESSES: u64 = 8;

/// Is what each block's producer is paid; any number would do.
const REWARD: u128 = 5_000_000;
