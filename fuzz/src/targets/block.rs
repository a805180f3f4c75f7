//! Raw blocks: the walk, the checked walk, and what an observer reads from them.

use nodewright_core::{BlockPoint, WatchItem, WatchRules, WatchSet};
use nodewright_utxo::header::RawHeader;
use nodewright_utxo::merkle::{self, MerkleError};
use nodewright_utxo::observe::{BlockObserver, spend_key};
use nodewright_utxo::script::{OpReturn, ScriptKind, classify};
use nodewright_utxo::special::Special;
use nodewright_utxo::tx::TxView;
use nodewright_utxo::walker::{BlockWalker, Dialect};

use crate::plant::plant;

/// Takes the first byte of `data` as the dialect and the rest as a block.
///
/// The walks agree with one another, what they yield lies in the block without gaps, and a block whose header is
/// mended to commit to its transactions is reported as it is.
pub fn block(data: &[u8]) {
    let Some((&choice, raw)) = data.split_first() else { return };
    let dialect = match choice % 3 {
        0 => Dialect::Bitcoin,
        1 => Dialect::Dash,
        _ => Dialect::Litecoin,
    };
    let Ok(walker) = BlockWalker::new(raw, dialect) else { return };
    assert!(walker.tx_count() > 0 && walker.tx_count() <= raw.len() / TxView::MIN_SIZE);
    assert_eq!(walker.header().to_bytes(), *walker.header_bytes());
    let txids = walk(&walker, dialect);
    let ended = walker.clone().finish();
    assert_eq!(txids.is_ok(), ended.is_ok() || walker_reaches_end(&walker), "the walk says how the block ends");
    let checked = walker.verify_merkle();
    let Ok(txids) = txids else {
        assert!(matches!(checked, Err(MerkleError::Parse(_) | MerkleError::Duplicate { .. })));
        return;
    };
    let mut mended = raw.to_vec();
    match merkle::root(txids.iter().copied()) {
        Ok(root) => {
            let field = mended.get_mut(ROOT).and_then(|place| place.first_chunk_mut::<32>());
            *field.expect("a block has a header") = root;
            let walker = BlockWalker::new(&mended, dialect).expect("only the root was changed");
            assert_eq!(walker.verify_merkle().ok(), ended.ok(), "a header that commits to its transactions");
        }
        Err(error) => assert_eq!(checked, Err(error), "both ways to compute the root fail alike"),
    }
    observe(&mended, dialect);
}

/// Looks at every transaction; returns their ids if all of them parse.
fn walk(start: &BlockWalker<'_>, dialect: Dialect) -> Result<Vec<[u8; 32]>, ()> {
    let mut walker = start.clone();
    let mut txids = Vec::new();
    loop {
        let before = walker.position();
        match walker.next_tx() {
            Ok(Some(tx)) => {
                assert_eq!(tx.raw().len(), walker.position() - before, "transactions lie side by side");
                look_at(&tx, dialect, txids.len());
                txids.push(tx.txid().0);
                assert_eq!(walker.tx_index(), txids.len());
            }
            Ok(None) => {
                assert_eq!(txids.len(), walker.tx_count());
                assert_eq!(start.clone().count(), txids.len());
                return Ok(txids);
            }
            Err(error) => {
                assert_eq!(walker.next_tx().unwrap_err(), error, "an error is repeated");
                assert!(walker.next().is_none());
                assert_eq!(walker.finish(), Err(error));
                return Err(());
            }
        }
    }
}

fn look_at(tx: &TxView<'_>, dialect: Dialect, index: usize) {
    let again = TxView::parse(tx.raw(), dialect).expect("a transaction parses alone as it does in its block");
    assert_eq!(again.txid(), tx.txid());
    assert_eq!(tx.inputs().count(), tx.inputs().len());
    assert_eq!(tx.outputs().count(), tx.outputs().len());
    for (index, output) in tx.outputs().enumerate() {
        assert_eq!(u32::try_from(index), Ok(output.index));
        assert!(i64::try_from(output.value).is_ok());
        let is_data = classify(output.script) == ScriptKind::OpReturn;
        assert_eq!(is_data, !matches!(OpReturn::parse(output.script), Ok(None)), "both tell data by its first byte");
        if let Ok(Some(data)) = OpReturn::parse(output.script) {
            let joined = data.to_vec();
            assert!(joined.len() == data.data_len() && joined.len() < output.script.len());
            assert_eq!(data.single().is_some(), data.pushes().count() == 1);
        }
    }
    if let Some((kind, payload)) = tx.special() {
        assert!(!matches!(Special::parse(kind, payload), Ok(Special::Unknown { kind: 1..=9, .. })));
    }
    plant!(index > 4, index > 9, tx.special().is_some());
    drop(format!("{tx:?}"));
}

/// Whether every transaction parses, so that only what follows the last can be wrong.
fn walker_reaches_end(walker: &BlockWalker<'_>) -> bool {
    walker.clone().all(|tx| tx.is_ok())
}

/// Watches for the block's own first output and first spent output.
fn observe(raw: &[u8], dialect: Dialect) {
    let Ok(walker) = BlockWalker::new(raw, dialect) else { return };
    let txs: Vec<_> = walker.filter_map(Result::ok).collect();
    let script = txs.iter().flat_map(TxView::outputs).map(|output| output.script).next().unwrap_or_default();
    let item = WatchItem { label: "vault".to_owned(), key: script.to_vec() };
    let mut watch = WatchSet::new([item], WatchRules::default());
    if let Some(input) = txs.iter().flat_map(TxView::inputs).last() {
        watch.watch_spend(spend_key(&input.previous));
    }
    let observer = BlockObserver::new(&watch, dialect, |script| Some(format!("{script:?}")));
    let point = BlockPoint::default();
    let Ok(report) = observer.report(point, raw) else { return };
    let paid = txs.iter().flat_map(TxView::outputs).filter(|output| output.script == script).count();
    assert_eq!(report.observations.len() + report.near_misses.len(), paid, "no payment is dropped");
    assert_eq!(report.spends.is_empty(), !watch.wants_spends());
}

/// Is where the merkle root stands in a header.
const ROOT: core::ops::Range<usize> = 36..RawHeader::SIZE;
