//! Writes Dash transactions and blocks as bytes.

use nodewright_utxo::hash::{Txid, sha256d};
use nodewright_utxo::merkle::{self, MerkleError};

use crate::chainlock::ChainLock;

/// Is a transaction to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Holds what it spends: transaction, output index, unlocking script.
    pub inputs: Vec<(Txid, u32, Vec<u8>)>,
    /// Holds what it pays: value in duffs, script.
    pub outputs: Vec<(u64, Vec<u8>)>,
    /// Holds type and payload of a special transaction.
    pub special: Option<(u16, Vec<u8>)>,
}

impl Draft {
    /// Writes the transaction.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let (version, kind) = self.special.as_ref().map_or((2_u16, 0_u16), |(kind, _)| (3, *kind));
        out.extend_from_slice(&version.to_le_bytes());
        out.extend_from_slice(&kind.to_le_bytes());
        compact(&mut out, self.inputs.len());
        for (txid, index, script) in &self.inputs {
            out.extend_from_slice(txid.as_bytes());
            out.extend_from_slice(&index.to_le_bytes());
            var_bytes(&mut out, script);
            out.extend_from_slice(&u32::MAX.to_le_bytes());
        }
        compact(&mut out, self.outputs.len());
        for (value, script) in &self.outputs {
            out.extend_from_slice(&value.to_le_bytes());
            var_bytes(&mut out, script);
        }
        out.extend_from_slice(&0_u32.to_le_bytes());
        if let Some((_, payload)) = &self.special {
            var_bytes(&mut out, payload);
        }
        out
    }
}

/// Returns the id of a serialized transaction.
#[must_use]
pub fn txid(raw: &[u8]) -> Txid {
    Txid(sha256d(raw))
}

/// Writes the script that pays to a public key hash.
#[must_use]
pub fn pay_to(hash: [u8; 20]) -> Vec<u8> {
    [&[0x76, 0xa9, 20][..], &hash, &[0x88, 0xac]].concat()
}

/// Writes an OP_RETURN script with one push for each of `pushes`, each in its shortest form.
#[must_use]
pub fn op_return(pushes: &[&[u8]]) -> Vec<u8> {
    let mut script = vec![0x6a];
    for push in pushes {
        match u8::try_from(push.len()) {
            Ok(len @ 0..=75) => script.push(len),
            Ok(len) => script.extend([76, len]),
            Err(_) => {
                let len = u16::try_from(push.len()).unwrap_or(u16::MAX);
                script.push(77);
                script.extend(len.to_le_bytes());
            }
        }
        script.extend_from_slice(push);
    }
    script
}

/// Writes the unlocking script of a spend from a public key hash, with a made-up signature.
#[must_use]
pub fn unlock(key: &[u8; 33], salt: u8) -> Vec<u8> {
    let mut signature = [salt; 71];
    signature[0] = 0x30;
    [&[71][..], &signature, &[33], key].concat()
}

/// Writes the coinbase of the block at `height`: it pays `outputs`, and carries `lock` the way cbTx version 3 does.
#[must_use]
pub fn coinbase(height: u32, salt: u64, outputs: Vec<(u64, Vec<u8>)>, lock: Option<&ChainLock>) -> Vec<u8> {
    let mut payload = Vec::with_capacity(175);
    payload.extend(3_u16.to_le_bytes());
    payload.extend(height.to_le_bytes());
    payload.extend([0x11; 32]);
    payload.extend([0x22; 32]);
    match lock.and_then(|lock| Some((height.checked_sub(lock.height)?.checked_sub(1)?, lock))) {
        Some((diff, lock)) => {
            compact(&mut payload, usize::try_from(diff).unwrap_or_default());
            payload.extend_from_slice(lock.signature.as_bytes());
        }
        None => {
            compact(&mut payload, 0);
            payload.extend([0; 96]);
        }
    }
    payload.extend(0_i64.to_le_bytes());
    let mut script = vec![4];
    script.extend(height.to_le_bytes());
    script.push(8);
    script.extend(salt.to_le_bytes());
    let inputs = vec![(Txid::default(), u32::MAX, script)];
    Draft { inputs, outputs, special: Some((5, payload)) }.to_bytes()
}

/// Writes a block of `transactions`.
///
/// # Errors
/// [`MerkleError`] if there is none.
pub fn block(prev: [u8; 32], time: u32, nonce: u32, transactions: &[Vec<u8>]) -> Result<Vec<u8>, MerkleError> {
    let root = merkle::root(transactions.iter().map(|raw| sha256d(raw)))?;
    let mut out = Vec::new();
    out.extend(0x2000_0000_u32.to_le_bytes());
    out.extend(prev);
    out.extend(root);
    out.extend(time.to_le_bytes());
    out.extend(REGTEST_BITS.to_le_bytes());
    out.extend(nonce.to_le_bytes());
    compact(&mut out, transactions.len());
    transactions.iter().for_each(|raw| out.extend_from_slice(raw));
    Ok(out)
}

/// Is the difficulty of a regtest (Dash Core `src/chainparams.cpp`, `CRegTestParams`).
const REGTEST_BITS: u32 = 0x207f_ffff;

fn var_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    compact(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn compact(out: &mut Vec<u8>, count: usize) {
    match (u8::try_from(count), u16::try_from(count)) {
        (Ok(count @ 0..=0xfc), _) => out.push(count),
        (_, Ok(count)) => {
            out.push(0xfd);
            out.extend(count.to_le_bytes());
        }
        _ => {
            out.push(0xfe);
            out.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
        }
    }
}
