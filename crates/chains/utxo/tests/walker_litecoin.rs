//! The walker on Litecoin blocks with an extension block, as a node serves them with and without it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, unreachable_pub)]

use nodewright_utxo::bytes::ParseError;
use nodewright_utxo::hash::{parse_reversed, sha256d};
use nodewright_utxo::tx::TxView;
use nodewright_utxo::walker::{BlockEnd, BlockWalker, Dialect};

const BLOCKS: [[&str; 3]; 2] = [
    [
        include_str!("data/litecoin-mweb/block-433.hex"),
        include_str!("data/litecoin-mweb/block-433-serialversion-1.hex"),
        include_str!("data/litecoin-mweb/block-433.ids"),
    ],
    [
        include_str!("data/litecoin-mweb/block-434.hex"),
        include_str!("data/litecoin-mweb/block-434-serialversion-1.hex"),
        include_str!("data/litecoin-mweb/block-434.ids"),
    ],
];

#[test]
fn reads_the_same_transactions_with_and_without_the_extension() {
    for [full, stripped, ids] in BLOCKS {
        let mut ids = ids.lines().map(|id| parse_reversed(id).unwrap());
        let block_id = ids.next().unwrap();
        let txids: Vec<_> = ids.collect();
        for raw in [bytes(full), bytes(stripped)] {
            let walker = BlockWalker::new(&raw, Dialect::Litecoin).unwrap();
            assert_eq!(walker.header().id(|bytes| sha256d(bytes)), block_id);
            assert_eq!(walker.clone().map(|tx| tx.unwrap().txid().0).collect::<Vec<_>>(), txids);
            assert!(walker.verify_merkle().is_ok());
        }
    }
}

#[test]
fn reports_the_extension_only_where_there_is_one() {
    for [full, stripped, _] in BLOCKS {
        let full = bytes(full);
        let mut walker = BlockWalker::new(&full, Dialect::Litecoin).unwrap();
        let last = walker.by_ref().last().unwrap().unwrap();
        assert!(last.is_hog_ex() && !last.has_witness());
        assert_eq!(last.outputs().len(), 1);
        let len = full.len() - walker.position() - 1;
        assert!(len > 100);
        assert_eq!(walker.finish(), Ok(BlockEnd::Extension { len }));

        let stripped = bytes(stripped);
        let walker = BlockWalker::new(&stripped, Dialect::Litecoin).unwrap();
        assert!(!walker.clone().any(|tx| tx.unwrap().is_hog_ex()));
        assert_eq!(walker.finish(), Ok(BlockEnd::Transactions));
        let long = [stripped.as_slice(), &[1, 2]].concat();
        let at = stripped.len();
        assert_eq!(
            BlockWalker::new(&long, Dialect::Litecoin).unwrap().finish(),
            Err(ParseError::TrailingBytes { at, len: 2 })
        );
    }
}

#[test]
fn refuses_extension_data_it_cannot_step_over() {
    let [full, _, _] = BLOCKS[1];
    let raw = bytes(full);
    let mut walker = BlockWalker::new(&raw, Dialect::Litecoin).unwrap();
    let hog_ex = walker.by_ref().last().unwrap().unwrap().raw().to_vec();
    // The integrating transaction ends with its empty extension part and the lock time.
    let mut carrying = hog_ex.clone();
    let at = carrying.len() - 5;
    carrying[at] = 1;
    assert_eq!(
        TxView::parse(&carrying, Dialect::Litecoin).unwrap_err(),
        ParseError::Unsupported { what: "transaction extension", value: 1, at }
    );
    for dialect in [Dialect::Bitcoin, Dialect::Litecoin] {
        for flags in (0..=0xff).filter(|flags| ![1, 8, 9].contains(flags)) {
            let mut other = hog_ex.clone();
            other[5] = flags;
            assert_eq!(
                TxView::parse(&other, dialect).unwrap_err(),
                ParseError::Unsupported { what: "transaction flag", value: flags.into(), at: 5 }
            );
        }
    }
    assert!(matches!(TxView::parse(&hog_ex, Dialect::Bitcoin), Err(ParseError::Unsupported { value: 8, .. })));
}

#[test]
fn refuses_a_block_that_ends_within_its_extension_announcement() {
    let [full, _, _] = BLOCKS[1];
    let raw = bytes(full);
    let mut walker = BlockWalker::new(&raw, Dialect::Litecoin).unwrap();
    assert!(walker.by_ref().all(|tx| tx.is_ok()));
    let end = walker.position();
    let finish = |raw: &[u8]| BlockWalker::new(raw, Dialect::Litecoin).unwrap().finish();
    assert!(matches!(finish(&raw[..end]), Err(ParseError::Truncated { .. })));
    assert!(matches!(finish(&raw[..=end]), Err(ParseError::Truncated { .. })));
    assert_eq!(finish(&[&raw[..end], &[0]].concat()), Ok(BlockEnd::Extension { len: 0 }));
    assert!(matches!(finish(&[&raw[..end], &[0, 0]].concat()), Err(ParseError::TrailingBytes { .. })));
    assert!(matches!(finish(&[&raw[..end], &[2, 0]].concat()), Err(ParseError::Unsupported { value: 2, .. })));
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.trim()).unwrap()
}
