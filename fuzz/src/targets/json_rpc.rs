//! JSON-RPC bodies, single and batched, and the texts of HTTP that come with them.

use nodewright_rpc::fuzzing;

use crate::plant::plant;

/// Takes the first byte of `data` as the choice of parser and the count of a batch; the rest is its text.
pub fn json_rpc(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else { return };
    let Ok(text) = core::str::from_utf8(text) else { return };
    match choice {
        0 => fuzzing::text(text),
        1 => {
            fuzzing::reply(text);
            plant!(id(text) > Some(3), id(text) > Some(5), id(text) > Some(7));
        }
        count => fuzzing::batch(text, count - 2),
    }
}

/// Reads the number that a reply answers.
fn id(text: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(text).ok()?.get("id")?.as_u64()
}
