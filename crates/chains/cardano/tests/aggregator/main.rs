//! The client of aggregators against a simulated one: with real data, in every version regime, with every fault.
#![allow(clippy::panic, clippy::unwrap_used)]

mod chain;
mod corpus;
mod devnet;
mod evidence;
mod failover;
mod headers;
mod refusals;
mod versions;

use std::time::Duration;

use nodewright_cardano::aggregator::{AggregatorClient, AggregatorOptions};
use nodewright_cardano::sim::aggregator::SimServer;
use nodewright_rpc::{HttpOptions, RetryOptions};

/// Never retries, so that each fault is seen at once.
fn options() -> AggregatorOptions {
    let http = HttpOptions::default().with_retry(RetryOptions::never());
    AggregatorOptions::default().with_http(http).with_timeout(Duration::from_secs(20))
}

fn client(server: &SimServer) -> AggregatorClient {
    AggregatorClient::try_new(&server.url(), options()).unwrap()
}
