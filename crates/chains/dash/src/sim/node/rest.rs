//! The REST interface of a node.

use nodewright_core::BlockHash;
use nodewright_testkit::loopback::Response;

use super::{NodeState, rpc};

/// Answers `path`, which stands after `/rest/`.
pub(super) fn answer(state: &mut NodeState, path: &str) -> Response {
    if state.warm_up > 0 {
        state.warm_up = state.warm_up.saturating_sub(1);
        return Response::new(503, "Service temporarily unavailable: Loading block index...");
    }
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<_> = path.split('/').collect();
    match parts.as_slice() {
        ["headers", count, file] => headers(state, count, file),
        ["block", file] => block(state, file),
        ["blockhashbyheight", file] => hash_at(state, file),
        ["chaininfo.json"] => Response::json(rpc::chain_info(state).to_string()),
        _ => Response::new(404, "Not found"),
    }
}

fn headers(state: &NodeState, count: &str, file: &str) -> Response {
    let Some(hash) = hash_of(file) else { return Response::new(400, format!("Invalid hash: {file}")) };
    let Ok(count @ 1..=2_000) = count.parse::<usize>() else {
        return Response::new(400, format!("Header count out of range: {count}"));
    };
    let from = state.block(&hash).filter(|_| state.is_active(&hash)).map(|block| block.height);
    let hashes = from.map(|from| state.active().iter().skip(from).take(count)).into_iter().flatten();
    let bytes = hashes.filter_map(|hash| state.block(hash)).flat_map(|block| state.header_bytes(block));
    Response::new(200, bytes.collect::<Vec<u8>>())
}

fn block(state: &NodeState, file: &str) -> Response {
    match hash_of(file).and_then(|hash| state.block(&hash)) {
        Some(block) => Response::new(200, block.raw.clone()),
        None => Response::new(404, format!("{file} not found")),
    }
}

fn hash_at(state: &NodeState, file: &str) -> Response {
    let height = file.split('.').next().and_then(|height| height.parse::<usize>().ok());
    match height.and_then(|height| state.active().get(height)) {
        Some(hash) if file.ends_with(".bin") => Response::new(200, hash.0.to_vec()),
        Some(hash) if file.ends_with(".hex") => Response::new(200, format!("{}\n", hash.to_reversed_hex())),
        Some(hash) => Response::json(serde_json::json!({ "blockhash": hash.to_reversed_hex() }).to_string()),
        None => Response::new(404, "Block height out of range"),
    }
}

fn hash_of(file: &str) -> Option<BlockHash> {
    BlockHash::from_reversed_hex(file.strip_suffix(".bin")?).ok()
}
