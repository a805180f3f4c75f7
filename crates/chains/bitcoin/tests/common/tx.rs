//! Transactions built by hand: inputs that anyone may spend, outputs of any kind.

#![allow(dead_code)]

use nodewright_utxo::hash::{Txid, sha256d};

/// Is an output that can be spent without a signature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coin {
    pub(crate) txid: Txid,
    pub(crate) index: u32,
    pub(crate) value: u64,
}

/// Is an unsigned transaction.
#[derive(Clone, Debug)]
pub(crate) struct Tx {
    inputs: Vec<Coin>,
    outputs: Vec<(u64, Vec<u8>)>,
    sequence: u32,
}

impl Tx {
    pub(crate) fn spending(coins: &[Coin]) -> Self {
        Self { inputs: coins.to_vec(), outputs: Vec::new(), sequence: 0xffff_fffd }
    }

    /// Adds an output.
    pub(crate) fn pay(mut self, value: u64, script: &[u8]) -> Self {
        self.outputs.push((value, script.to_vec()));
        self
    }

    /// Adds an output without value.
    pub(crate) fn data(self, script: &[u8]) -> Self {
        self.pay(0, script)
    }

    /// Adds an output that anyone may spend, of what is left after `fee`.
    pub(crate) fn change(self, fee: u64) -> Self {
        let spent: u64 = self.inputs.iter().map(|coin| coin.value).sum();
        let paid: u64 = self.outputs.iter().map(|(value, _)| value).sum();
        self.pay(spent - paid - fee, ANYONE)
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.outputs.len()).unwrap()
    }

    pub(crate) fn txid(&self) -> Txid {
        Txid(sha256d(&self.to_bytes()))
    }

    /// Returns output `index` as something to spend, if anyone may.
    pub(crate) fn coin(&self, index: u32) -> Coin {
        let (value, script) = &self.outputs[index as usize];
        assert_eq!(script, ANYONE);
        Coin { txid: self.txid(), index, value: *value }
    }

    pub(crate) fn to_hex(&self) -> String {
        hex::encode(self.to_bytes())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = 2_i32.to_le_bytes().to_vec();
        compact(&mut bytes, self.inputs.len());
        for coin in &self.inputs {
            bytes.extend(coin.txid.0);
            bytes.extend(coin.index.to_le_bytes());
            bytes.push(0);
            bytes.extend(self.sequence.to_le_bytes());
        }
        compact(&mut bytes, self.outputs.len());
        for (value, script) in &self.outputs {
            bytes.extend(value.to_le_bytes());
            compact(&mut bytes, script.len());
            bytes.extend(script);
        }
        bytes.extend([0; 4]);
        bytes
    }
}

fn compact(bytes: &mut Vec<u8>, value: usize) {
    match value {
        0..=0xfc => bytes.push(value as u8),
        0xfd..=0xffff => {
            bytes.push(0xfd);
            bytes.extend((value as u16).to_le_bytes());
        }
        _ => {
            bytes.push(0xfe);
            bytes.extend((value as u32).to_le_bytes());
        }
    }
}

/// Builds an OP_RETURN script that pushes each of `pushes` in the shortest form.
pub(crate) fn op_return(pushes: &[&[u8]]) -> Vec<u8> {
    let mut script = vec![0x6a];
    for push in pushes {
        match push.len() {
            0..=75 => script.push(push.len() as u8),
            76..=255 => script.extend([0x4c, push.len() as u8]),
            _ => {
                script.push(0x4d);
                script.extend((push.len() as u16).to_le_bytes());
            }
        }
        script.extend_from_slice(push);
    }
    script
}

/// Builds the script of a payment to a witness key hash; each `n` another.
pub(crate) fn key_script(n: u8) -> Vec<u8> {
    [&[0x00, 20][..], &[n; 20]].concat()
}

/// Is a script that anyone may spend: `OP_1`.
pub(crate) const ANYONE: &[u8] = &[0x51];
