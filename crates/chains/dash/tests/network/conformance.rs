//! The suite that every source must pass.

use nodewright_dash::sim::{NodeOptions, SimBuilder};
use nodewright_testkit::conformance::source;

#[tokio::test]
async fn the_adapter_conforms_over_rest() {
    source::run_all(&SimBuilder { seed: 1, ..SimBuilder::default() }).await;
}

#[tokio::test]
async fn the_adapter_conforms_over_rpc_alone() {
    let node = NodeOptions { rest: false, ..NodeOptions::default() };
    source::run_all(&SimBuilder { node, seed: 2, ..SimBuilder::default() }).await;
}
