//! Memos: joined from whatever transaction, and split and joined again.

use nodewright_utxo::observe::{Memo, memo as memos, sender};
use nodewright_utxo::tx::TxView;
use nodewright_utxo::walker::Dialect;

use crate::plant::plant;

/// Takes the first byte of `data` as a dialect, and the rest as a transaction; or the rest as a memo to split, with the
/// byte as how its outputs are made.
pub fn memo(data: &[u8]) {
    match data.split_first() {
        Some((0, tx)) => read(tx, Dialect::Bitcoin),
        Some((1, tx)) => read(tx, Dialect::Dash),
        Some((2, tx)) => read(tx, Dialect::Litecoin),
        Some((&form, memo)) => split_and_join(memo, form),
        None => {}
    }
}

fn read(raw: &[u8], dialect: Dialect) {
    let Ok(tx) = TxView::parse(raw, dialect) else { return };
    let size: usize = tx.outputs().map(|output| output.script.len()).sum();
    for watched in [true, false] {
        let joined = memos::join(&tx, |_| watched);
        if let Some(bytes) = joined.as_bytes() {
            assert!(!bytes.is_empty() && bytes.len() < size, "a memo is said by the scripts");
        }
        if joined == Memo::Absent {
            assert_eq!(memos::join(&tx, |_| !watched), Memo::Absent);
        }
    }
    if let Some(script) = sender::script(&tx) {
        assert!((22..=34).contains(&script.len()), "a sender's script is a payment to a hash");
    }
}

/// Builds the outputs that a payer makes for `memo`, among others, and joins them again.
fn split_and_join(memo: &[u8], form: u8) {
    let Some((head, programs)) = memos::split(memo) else {
        assert!(memo.len() > memos::MAX_LONG_MEMO);
        return;
    };
    assert!(head.len() <= 80 && programs.len() <= 8);
    let (vault, own) = (p2pkh(VAULT), p2pkh([0xbb; 20]));
    let mut scripts = Vec::new();
    if form & 1 == 0 {
        scripts.push(vault.clone());
    }
    scripts.push(op_return(&head, form));
    if form & 1 == 1 {
        scripts.push(vault.clone());
    }
    let by_witness = form & 2 == 0;
    scripts.extend(programs.iter().map(|program| if by_witness { p2wpkh(*program) } else { p2pkh(*program) }));
    scripts.push(own);
    let raw = transaction(&scripts);
    let tx = TxView::parse(&raw, Dialect::Bitcoin).expect("a transaction without witness");
    let joined = memos::join(&tx, |script| script == vault);
    // A program that ends in zeros is the last, one that pays the vault is none, and a short memo that ends in `^` asks
    // for a continuation.
    let told = match memo.get(head.len().saturating_sub(1)..).filter(|_| !programs.is_empty()) {
        Some(tail) => tail.chunks(20).all(|chunk| !chunk.ends_with(&[0]) && chunk != VAULT),
        None => !memo.ends_with(b"^"),
    };
    if told && !memo.is_empty() {
        assert_eq!(joined, Memo::Present(memo.to_vec()), "a memo comes back");
        plant!(memo.starts_with(b"-"), memo.starts_with(b"->"), memo.starts_with(b"->L"));
    }
}

fn op_return(data: &[u8], form: u8) -> Vec<u8> {
    let mut script = vec![0x6a];
    let one = if form & 4 == 0 { data.len().max(1) } else { usize::from(form >> 3).max(1) };
    for push in data.chunks(one) {
        let len = u8::try_from(push.len()).expect("at most 80 bytes");
        if len > 75 {
            script.push(0x4c);
        }
        script.push(len);
        script.extend_from_slice(push);
    }
    script
}

fn p2pkh(hash: [u8; 20]) -> Vec<u8> {
    [&[0x76, 0xa9, 20][..], &hash, &[0x88, 0xac]].concat()
}

fn p2wpkh(hash: [u8; 20]) -> Vec<u8> {
    [&[0x00, 20][..], &hash].concat()
}

/// Makes a transaction of one empty input and outputs of no value.
fn transaction(scripts: &[Vec<u8>]) -> Vec<u8> {
    let mut raw = vec![2, 0, 0, 0, 1];
    raw.extend_from_slice(&[7; 36]);
    raw.extend_from_slice(&[0; 5]);
    raw.push(u8::try_from(scripts.len()).expect("few outputs"));
    for script in scripts {
        raw.extend_from_slice(&[0; 8]);
        match u8::try_from(script.len()).expect("short scripts") {
            len @ 0..=0xfc => raw.push(len),
            len => raw.extend_from_slice(&[0xfd, len, 0]),
        }
        raw.extend_from_slice(script);
    }
    raw.extend_from_slice(&[0; 4]);
    raw
}

/// Is the hash that the watched output pays.
const VAULT: [u8; 20] = [0xaa; 20];
