//! The calls that look for transactions. The node keeps an index of them, as `-txindex` does.

use nodewright_core::BlockHash;
use nodewright_utxo::hash::Txid;
use nodewright_utxo::tx::{OutPoint, TxView};
use nodewright_utxo::walker::Dialect;
use serde_json::{Value, json};

use super::rpc::{BAD_HASH, Fault};
use super::state::{NodeState, transactions};

/// Answers `getmempoolentry`.
pub(super) fn pool_entry(state: &NodeState, params: &[Value]) -> Result<Value, Fault> {
    if !state.pool.contains_key(&txid(params)?) {
        return Err(NOT_IN_MEMPOOL);
    }
    Ok(json!({ "time": POOL_TIME, "height": state.height() }))
}

/// Answers `getrawtransaction`, in its decoded form.
pub(super) fn raw_transaction(state: &NodeState, params: &[Value]) -> Result<Value, Fault> {
    let txid = txid(params)?;
    if let Some(raw) = state.pool.get(&txid) {
        return Ok(json!({ "txid": txid.to_string(), "hex": hex::encode(raw) }));
    }
    let holds = |hash: &&BlockHash| state.block(hash).is_some_and(|block| block.txids.contains(&txid));
    let hash = state.active().iter().find(holds).ok_or(TX_NOT_FOUND)?;
    let block = state.block(hash).ok_or(TX_NOT_FOUND)?;
    let mut held = transactions(&block.raw).into_iter();
    let (_, raw) = held.find(|(found, _)| *found == txid).ok_or(TX_NOT_FOUND)?;
    let confirmations = state.active().len().saturating_sub(block.height);
    Ok(json!({ "txid": txid.to_string(), "hex": hex::encode(raw), "blockhash": hash.to_reversed_hex(),
        "height": block.height, "confirmations": confirmations, "chainlock": state.is_locked(hash) }))
}

/// Answers `gettxout` for mined transactions, the memory pool left aside. As text: an amount has eight decimals, which no
/// binary fraction keeps.
pub(super) fn unspent(state: &NodeState, params: &[Value]) -> Result<String, Fault> {
    let index = params.get(1).and_then(Value::as_u64).and_then(|index| u32::try_from(index).ok());
    let wanted = OutPoint { txid: txid(params)?, index: index.ok_or(BAD_HASH)? };
    let mut found = "null".to_owned();
    for block in state.active().iter().filter_map(|hash| state.block(hash)) {
        for (txid, raw) in transactions(&block.raw) {
            let Ok(tx) = TxView::parse(&raw, Dialect::Dash) else { continue };
            if tx.inputs().any(|input| input.previous == wanted) {
                return Ok("null".to_owned());
            }
            let output = tx.outputs().find(|output| txid == wanted.txid && output.index == wanted.index);
            let Some(output) = output else { continue };
            let (coins, rest) = (output.value / 100_000_000, output.value % 100_000_000);
            let confirmations = state.active().len().saturating_sub(block.height);
            let best = state.tip().unwrap_or_default().to_reversed_hex();
            found = format!(r#"{{"bestblock":"{best}","confirmations":{confirmations},"value":{coins}.{rest:08}}}"#);
        }
    }
    Ok(found)
}

fn txid(params: &[Value]) -> Result<Txid, Fault> {
    params.first().and_then(Value::as_str).unwrap_or_default().parse().map_err(|_| BAD_HASH)
}

const NOT_IN_MEMPOOL: Fault = (-5, "Transaction not in mempool");
const TX_NOT_FOUND: Fault =
    (-5, "No such mempool or blockchain transaction. Use gettransaction for wallet transactions.");

/// Is when the simulated memory pool got its transactions; any time would do.
const POOL_TIME: u64 = 1_600_000_000;
