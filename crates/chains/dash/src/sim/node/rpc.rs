//! The JSON-RPC interface of a node.

use nodewright_core::BlockHash;
use nodewright_testkit::loopback::Response;
use serde_json::{Value, json};

use super::{NodeState, tx};
use crate::bls::Signature;
use crate::chainlock::{ChainLock, verify_chain_lock};
use crate::quorum::{LlmqType, Network, QuorumSet, ReportedQuorum};

/// Answers a single call, or a batch.
pub(super) fn answer(state: &mut NodeState, body: &[u8]) -> Response {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Array(calls)) => {
            let answers: Vec<_> = calls.iter().map(|call| envelope(state, call).1).collect();
            Response::json(format!("[{}]", answers.join(",")))
        }
        Ok(call @ Value::Object(_)) => {
            let (status, answer) = envelope(state, &call);
            Response { status, ..Response::json(answer) }
        }
        _ => Response { status: 500, ..Response::json(failure(&Value::Null, &PARSE_ERROR)) },
    }
}

/// Is an error of the node: code and message.
pub(super) type Fault = (i64, &'static str);

/// Returns the HTTP status and the body of the answer to one call.
fn envelope(state: &mut NodeState, call: &Value) -> (u16, String) {
    let id = call.get("id").unwrap_or(&Value::Null);
    let method = call.get("method").and_then(Value::as_str).unwrap_or_default();
    let params = call.get("params").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let result = match method {
        _ if state.warm_up > 0 => {
            state.warm_up = state.warm_up.saturating_sub(1);
            Err(WARMING_UP)
        }
        "gettxout" => tx::unspent(state, params),
        "submitchainlock" => submit_lock(state, params).map(|height| height.to_string()),
        _ => dispatch(state, method, params).map(|result| said(state, method, result).to_string()),
    };
    match result {
        Ok(result) => (200, format!(r#"{{"result":{result},"error":null,"id":{id}}}"#)),
        Err(fault) => (if fault == METHOD_NOT_FOUND { 404 } else { 500 }, failure(id, &fault)),
    }
}

/// Puts what the node was told to say into a result.
fn said(state: &NodeState, method: &str, mut result: Value) -> Value {
    for (_, name, value) in state.said.iter().filter(|(said, _, _)| *said == method) {
        let Some(fields) = result.as_object_mut() else { break };
        match value {
            Value::Null => drop(fields.remove(*name)),
            value => drop(fields.insert((*name).to_owned(), value.clone())),
        }
    }
    result
}

fn failure(id: &Value, (code, message): &Fault) -> String {
    json!({ "result": null, "error": { "code": code, "message": message }, "id": id }).to_string()
}

fn dispatch(state: &NodeState, method: &str, params: &[Value]) -> Result<Value, Fault> {
    match method {
        "getbestblockhash" => Ok(json!(state.tip().map(BlockHash::to_reversed_hex))),
        "getbestchainlock" => best_chain_lock(state),
        "getblock" => block(state, params),
        "getblockchaininfo" => Ok(chain_info(state)),
        "getblockcount" => Ok(json!(state.active().len().saturating_sub(1))),
        "getblockhash" => block_hash(state, params),
        "getblockheader" => header(state, params),
        "getchaintips" => Ok(chain_tips(state)),
        "getindexinfo" => {
            let height = state.active().len().saturating_sub(1);
            Ok(json!({ "txindex": { "synced": true, "best_block_height": height } }))
        }
        "getmempoolentry" => tx::pool_entry(state, params),
        "getnetworkinfo" => Ok(json!({ "version": 220_000, "subversion": "/Dash Core:22.0.0(simulated)/",
            "protocolversion": 70_235, "connections": 4, "warnings": "" })),
        "getrawtransaction" => tx::raw_transaction(state, params),
        "getzmqnotifications" => Ok(json!([])),
        "help" => Ok(json!(METHODS.join("\n"))),
        "quorum" => quorum(state, params),
        "spork" => {
            let active = state.chain_locks_enabled();
            Ok(json!({ "SPORK_19_CHAINLOCKS_ENABLED": if active { 0 } else { 4_070_908_800_u64 } }))
        }
        _ => Err(METHOD_NOT_FOUND),
    }
}

pub(super) fn chain_info(state: &NodeState) -> Value {
    let height = state.active().len().saturating_sub(1);
    json!({ "chain": "regtest", "blocks": height, "headers": height,
        "bestblockhash": state.tip().map(BlockHash::to_reversed_hex), "initialblockdownload": false,
        "verificationprogress": 1, "pruned": false, "softforks": soft_forks(), "warnings": "" })
}

/// What Dash Core 22 reports on a regtest whose V20 was activated at once; one more deployment waits for signals.
fn soft_forks() -> Value {
    json!({ "v20": { "active": true, "height": 1, "type": "buried" },
        "withdrawals": { "active": false, "type": "bip9", "bip9": { "ehf": true, "min_activation_height": 0, "since": 0,
            "start_time": 0, "status": "defined", "timeout": i64::MAX } } })
}

fn best_chain_lock(state: &NodeState) -> Result<Value, Fault> {
    let lock = state.lock().ok_or(NO_CHAIN_LOCK)?;
    Ok(json!({ "blockhash": lock.block_hash.to_reversed_hex(), "height": lock.height,
        "signature": hex::encode(lock.signature.as_bytes()), "known_block": state.block(&lock.block_hash).is_some() }))
}

/// Takes a lock that some quorum of the node signed; returns the height of the best one afterwards.
fn submit_lock(state: &mut NodeState, params: &[Value]) -> Result<u32, Fault> {
    let block_hash = hash(params)?;
    let mut signature = [0; Signature::LEN];
    let text = params.get(1).and_then(Value::as_str).unwrap_or_default();
    hex::decode_to_slice(text, &mut signature).map_err(|_| INVALID_LOCK)?;
    let height = params.get(2).and_then(Value::as_u64).and_then(|height| u32::try_from(height).ok());
    let lock = ChainLock { height: height.ok_or(INVALID_LOCK)?, block_hash, signature: Signature::new(signature) };
    let reported = state.quorums().iter().filter_map(|quorum| {
        let reported: ReportedQuorum = serde_json::from_value(quorum.info.clone()).ok()?;
        reported.entry(LlmqType::new(quorum.llmq_type), None).ok()
    });
    let quorums = QuorumSet::from_node(reported).map_err(|_| NO_QUORUM)?;
    verify_chain_lock(&lock, &quorums, Network::Regtest).map_err(|_| INVALID_LOCK)?;
    let best = state.lock().map(|best| best.height).filter(|best| *best >= lock.height);
    if best.is_none() {
        state.set_lock(Some(lock));
    }
    Ok(best.unwrap_or(lock.height))
}

fn chain_tips(state: &NodeState) -> Value {
    let tips = state.tips().into_iter().map(|(hash, height, fork)| {
        let status = match state.lock().map(|lock| usize::try_from(lock.height).unwrap_or(usize::MAX)) {
            _ if state.tip() == Some(hash) => "active",
            Some(locked) if locked > fork => "conflicting",
            _ => "valid-fork",
        };
        let length = height.saturating_sub(fork);
        json!({ "height": height, "hash": hash.to_reversed_hex(), "branchlen": length, "status": status })
    });
    Value::Array(tips.collect())
}

fn block(state: &NodeState, params: &[Value]) -> Result<Value, Fault> {
    let hash = hash(params)?;
    let block = state.block(&hash).ok_or(BLOCK_NOT_FOUND)?;
    match params.get(1).and_then(Value::as_u64) {
        Some(0) => Ok(json!(hex::encode(&block.raw))),
        _ => Err(UNSUPPORTED_VERBOSITY),
    }
}

fn block_hash(state: &NodeState, params: &[Value]) -> Result<Value, Fault> {
    let height = params.first().and_then(Value::as_u64).and_then(|height| usize::try_from(height).ok());
    let hash = height.and_then(|height| state.active().get(height)).ok_or(OUT_OF_RANGE)?;
    Ok(json!(hash.to_reversed_hex()))
}

fn header(state: &NodeState, params: &[Value]) -> Result<Value, Fault> {
    let hash = hash(params)?;
    let block = state.block(&hash).ok_or(BLOCK_NOT_FOUND)?;
    if params.get(1) == Some(&Value::Bool(false)) {
        return Ok(json!(hex::encode(state.header_bytes(block))));
    }
    let depth = state.active().len().saturating_sub(block.height);
    let active = state.is_active(&hash);
    let confirmations = if active { i64::try_from(depth).unwrap_or(i64::MAX) } else { -1 };
    let mut answer = json!({ "hash": hash.to_reversed_hex(), "confirmations": confirmations, "height": block.height,
        "version": block.header.version, "merkleroot": BlockHash(block.header.merkle_root).to_reversed_hex(),
        "time": block.header.time, "nonce": block.header.nonce, "bits": format!("{:08x}", block.header.bits),
        "nTx": block.txids.len(), "chainlock": state.is_locked(&hash) });
    if let Some(fields) = answer.as_object_mut() {
        if block.height > 0 {
            fields.insert("previousblockhash".to_owned(), json!(BlockHash(block.header.prev).to_reversed_hex()));
        }
        if let Some(next) = state.active().get(block.height.saturating_add(1)).filter(|_| active) {
            fields.insert("nextblockhash".to_owned(), json!(next.to_reversed_hex()));
        }
    }
    Ok(answer)
}

fn quorum(state: &NodeState, params: &[Value]) -> Result<Value, Fault> {
    match params.first().and_then(Value::as_str) {
        Some("list") => {
            let mut names = serde_json::Map::new();
            for quorum in state.quorums() {
                let hashes = names.entry(quorum.name.clone()).or_insert_with(|| json!([]));
                if let Some(hashes) = hashes.as_array_mut() {
                    hashes.push(json!(quorum.hash));
                }
            }
            Ok(Value::Object(names))
        }
        Some("info") => {
            let llmq_type = params.get(1).and_then(Value::as_u64);
            let hash = params.get(2).and_then(Value::as_str);
            let asked = |quorum: &&super::state::NodeQuorum| {
                Some(u64::from(quorum.llmq_type)) == llmq_type && Some(quorum.hash.as_str()) == hash
            };
            state.quorums().iter().find(asked).map(|quorum| quorum.info.clone()).ok_or(QUORUM_NOT_FOUND)
        }
        _ => Err(METHOD_NOT_FOUND),
    }
}

fn hash(params: &[Value]) -> Result<BlockHash, Fault> {
    let text = params.first().and_then(Value::as_str).unwrap_or_default();
    BlockHash::from_reversed_hex(text).map_err(|_| BAD_HASH)
}

/// Every method of the node.
const METHODS: &[&str] = &[
    "bestblockhash",
    "getbestblockhash",
    "getbestchainlock",
    "getblock",
    "getblockchaininfo",
    "getblockcount",
    "getblockhash",
    "getblockheader",
    "getchaintips",
    "getindexinfo",
    "getmempoolentry",
    "getnetworkinfo",
    "getrawtransaction",
    "gettxout",
    "getzmqnotifications",
    "help",
    "quorum",
    "signature",
    "spork",
    "submitchainlock",
    "time",
    "verificationprogress",
    "version",
    "withdrawals",
];

pub(super) const BAD_HASH: Fault = (-8, "parameter must be of length 64");
const BLOCK_NOT_FOUND: Fault = (-5, "Block not found");
const INVALID_LOCK: Fault = (-8, "invalid chainlock");
const METHOD_NOT_FOUND: Fault = (-32601, "Method not found");
const NO_CHAIN_LOCK: Fault = (-32603, "Unable to find any ChainLock");
const NO_QUORUM: Fault = (-1, "No quorum found");
const OUT_OF_RANGE: Fault = (-8, "Block height out of range");
const PARSE_ERROR: Fault = (-32700, "Parse error");
const QUORUM_NOT_FOUND: Fault = (-8, "quorum not found");
const UNSUPPORTED_VERBOSITY: Fault = (-8, "only verbosity 0 is simulated");
const WARMING_UP: Fault = (-28, "Loading block index...");
