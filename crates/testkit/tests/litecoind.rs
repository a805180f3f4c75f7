//! The harness around a real litecoind.

use nodewright_testkit::Litecoind;
use serde_json::json;

#[test]
fn a_node_mines_restarts_and_keeps_its_chain() {
    let Some(mut node) = Litecoind::start(&["-rest=1"]).expect("it starts") else { return };
    let hashes = node.mine(3).expect("it mines");
    assert_eq!(hashes.len(), 3);
    let cookie = std::fs::read(node.cookie()).expect("a cookie");
    node.restart(&[]).expect("it restarts");
    assert_ne!(std::fs::read(node.cookie()).expect("a cookie"), cookie);
    assert_eq!(node.call("getblockcount", &json!([])).expect("a count"), json!(3));
    assert!(node.call("getblockhash", &json!([4])).is_err());
}
