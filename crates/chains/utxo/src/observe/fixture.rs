//! Transactions and blocks built for tests.

use crate::bytes::Reader;
use crate::hash::{Txid, sha256d};
use crate::header::RawHeader;
use crate::merkle;
use crate::tx::TxView;
use crate::walker::Dialect;

/// Is a transaction under construction; without inputs, it gets one that says nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Built {
    inputs: Vec<([u8; 32], u32, Vec<u8>)>,
    witness: Vec<Vec<Vec<u8>>>,
    outputs: Vec<(u64, Vec<u8>)>,
}

impl Built {
    /// Makes the transaction that pays a miner.
    pub(crate) fn coinbase() -> Self {
        Self { inputs: vec![([0; 32], u32::MAX, vec![1, 7])], witness: vec![vec![]], ..Self::default() }
    }

    /// Adds an input that spends output `index` of `txid`.
    pub(crate) fn spend(mut self, txid: [u8; 32], index: u32) -> Self {
        self.inputs.push((txid, index, Vec::new()));
        self.witness.push(Vec::new());
        self
    }

    /// Adds an input unlocked by a script and witness items.
    pub(crate) fn unlocked_by(mut self, script_sig: &[u8], witness: &[&[u8]]) -> Self {
        let index = u32::try_from(self.inputs.len()).unwrap();
        self.inputs.push(([0x11; 32], index, script_sig.to_vec()));
        self.witness.push(witness.iter().map(|item| item.to_vec()).collect());
        self
    }

    /// Adds an output.
    pub(crate) fn pay(mut self, value: u64, script: &[u8]) -> Self {
        self.outputs.push((value, script.to_vec()));
        self
    }

    /// Builds an OP_RETURN script with these pushes.
    pub(crate) fn op_return(pushes: &[&[u8]]) -> Vec<u8> {
        let mut script = vec![0x6a];
        for push in pushes {
            match u8::try_from(push.len()).unwrap() {
                len @ 0..=75 => script.push(len),
                len => script.extend([0x4c, len]),
            }
            script.extend_from_slice(push);
        }
        script
    }

    /// Parses the transaction and shows it to `look`.
    pub(crate) fn view<T>(&self, look: impl FnOnce(&TxView<'_>) -> T) -> T {
        look(&TxView::parse(&self.to_bytes(), Dialect::Bitcoin).unwrap())
    }

    pub(crate) fn txid(&self) -> Txid {
        self.view(|tx| tx.txid())
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut built = self.clone();
        if built.inputs.is_empty() {
            built = built.spend([0x22; 32], 0);
        }
        let has_witness = built.witness.iter().any(|items| !items.is_empty());
        let mut bytes = 2_i32.to_le_bytes().to_vec();
        if has_witness {
            bytes.extend([0, 1]);
        }
        compact(&mut bytes, built.inputs.len());
        for (txid, index, script_sig) in &built.inputs {
            bytes.extend(txid);
            bytes.extend(index.to_le_bytes());
            compact(&mut bytes, script_sig.len());
            bytes.extend(script_sig);
            bytes.extend([0xff; 4]);
        }
        compact(&mut bytes, built.outputs.len());
        for (value, script) in &built.outputs {
            bytes.extend(value.to_le_bytes());
            compact(&mut bytes, script.len());
            bytes.extend(script);
        }
        for items in built.witness.iter().filter(|_| has_witness) {
            compact(&mut bytes, items.len());
            for item in items {
                compact(&mut bytes, item.len());
                bytes.extend(item);
            }
        }
        bytes.extend([0; 4]);
        bytes
    }
}

/// Builds a block of these transactions with the right merkle root.
pub(crate) fn block(txs: &[Built]) -> Vec<u8> {
    let ids: Vec<_> = txs.iter().map(|tx| tx.txid().0).collect();
    let merkle_root = merkle::root(ids).unwrap();
    let header = RawHeader { version: 4, prev: [1; 32], merkle_root, time: 1_700_000_000, bits: 0, nonce: 0 };
    let mut bytes = header.to_bytes().to_vec();
    compact(&mut bytes, txs.len());
    txs.iter().for_each(|tx| bytes.extend(tx.to_bytes()));
    bytes
}

/// Returns the id of a block in Bitcoin's way.
pub(crate) fn id(block: &[u8]) -> [u8; 32] {
    sha256d(Reader::new(block).take(RawHeader::SIZE).unwrap())
}

fn compact(bytes: &mut Vec<u8>, value: usize) {
    match u16::try_from(value).unwrap() {
        small @ 0..=0xfc => bytes.push(u8::try_from(small).unwrap()),
        value => {
            bytes.push(0xfd);
            bytes.extend(value.to_le_bytes());
        }
    }
}
