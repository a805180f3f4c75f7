//! What a scan does with a block's bytes: find every OP_RETURN payload and every output that pays a watched script, in
//! mainnet block 702861, beside `bitcoin::consensus::deserialize` and a walk over what it made.

use std::collections::HashSet;
use std::hint::black_box;

use bitcoin::Block;
use bitcoin::consensus::deserialize;
use bitcoin::script::Instruction;
use nodewright_utxo::script::{OpReturn, ScriptMap};
use nodewright_utxo::tx::TxView;
use nodewright_utxo::walker::{BlockWalker, Dialect};

use crate::measure::{Scale, versus};
use crate::report::Row;

pub(crate) fn run(scale: Scale) -> Result<Vec<Row>, String> {
    let raw: &[u8] = bitcoin_test_data::blocks::mainnet_702861();
    let block: Block = deserialize(raw).map_err(|error| error.to_string())?;
    let scripts = block.txdata.iter().flat_map(|tx| &tx.output).map(|output| output.script_pubkey.as_bytes());
    let watched: HashSet<Vec<u8>> = scripts.step_by(WATCHED_EVERY).map(<[u8]>::to_vec).collect();
    let map: ScriptMap<()> = watched.iter().map(|script| (script, ())).collect();

    let found = [ours(raw, &map)?, ours_checked(raw, &map)?, peer(raw, &watched, false)?, peer(raw, &watched, true)?];
    if found[0].payload_bytes == 0 || found[0].payments == 0 || found.iter().any(|other| *other != found[0]) {
        return Err(format!("ours, ours checked, peer and peer checked found {found:?}"));
    }

    let plain = versus(scale, 1, || _ = black_box(ours(raw, &map)), || _ = black_box(peer(raw, &watched, false)));
    let checked =
        versus(scale, 1, || _ = black_box(ours_checked(raw, &map)), || _ = black_box(peer(raw, &watched, true)));
    Ok(vec![
        Row::more_is_better("b_extract", "blocks/s", plain.0, plain.1).at_least_times_peer(5.0),
        Row::more_is_better("b_extract-merkle", "blocks/s", checked.0, checked.1).at_least_times_peer(1.5),
    ])
}

/// What was found, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    /// Counts the OP_RETURN outputs whose script is nothing but pushes.
    payloads: u64,
    /// Counts the bytes that they push.
    payload_bytes: u64,
    /// Counts the outputs to watched scripts.
    payments: u64,
    /// Adds up their values, in satoshi.
    value: u64,
}

fn ours(raw: &[u8], watched: &ScriptMap<()>) -> Result<Found, String> {
    let mut walker = BlockWalker::new(raw, Dialect::Bitcoin).map_err(|error| error.to_string())?;
    let mut found = Found::default();
    while let Some(tx) = walker.next_tx().map_err(|error| error.to_string())? {
        look(&tx, watched, &mut found);
    }
    walker.finish().map_err(|error| error.to_string())?;
    Ok(found)
}

fn ours_checked(raw: &[u8], watched: &ScriptMap<()>) -> Result<Found, String> {
    let mut walker = BlockWalker::new(raw, Dialect::Bitcoin).map_err(|error| error.to_string())?.checked();
    let mut found = Found::default();
    while let Some((_, tx)) = walker.next_tx().map_err(|error| error.to_string())? {
        look(&tx, watched, &mut found);
    }
    walker.finish().map_err(|error| error.to_string())?;
    Ok(found)
}

#[inline]
fn look(tx: &TxView<'_>, watched: &ScriptMap<()>, found: &mut Found) {
    for output in tx.outputs() {
        match OpReturn::parse(output.script) {
            Ok(Some(payload)) => {
                found.payloads += 1;
                found.payload_bytes += payload.pushes().map(|push| push.len() as u64).sum::<u64>();
            }
            Ok(None) if watched.get(output.script).is_some() => {
                found.payments += 1;
                found.value += output.value;
            }
            Ok(None) | Err(_) => {}
        }
    }
}

fn peer(raw: &[u8], watched: &HashSet<Vec<u8>>, checked: bool) -> Result<Found, String> {
    let block: Block = deserialize(raw).map_err(|error| error.to_string())?;
    if checked && !block.check_merkle_root() {
        return Err("the peer refuses the merkle root".to_owned());
    }
    let mut found = Found::default();
    for output in block.txdata.iter().flat_map(|tx| &tx.output) {
        if output.script_pubkey.is_op_return() {
            let pushed =
                output.script_pubkey.instructions().skip(1).try_fold(0, |sum, instruction| match instruction {
                    Ok(Instruction::PushBytes(push)) => Some(sum + push.len() as u64),
                    // A number opcode pushes one byte.
                    Ok(Instruction::Op(op)) if (0x4f..=0x60).contains(&op.to_u8()) && op.to_u8() != 0x50 => {
                        Some(sum + 1)
                    }
                    Ok(Instruction::Op(_)) | Err(_) => None,
                });
            if let Some(bytes) = pushed {
                found.payloads += 1;
                found.payload_bytes += bytes;
            }
        } else if watched.contains(output.script_pubkey.as_bytes()) {
            found.payments += 1;
            found.value += output.value.to_sat();
        }
    }
    Ok(found)
}

/// Every so manieth output's script is watched: some that are there, as a scan of one operator's addresses meets them.
const WATCHED_EVERY: usize = 500;
