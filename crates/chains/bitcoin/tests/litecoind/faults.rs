//! A node that has too much to do.

use nodewright_bitcoin::{ConnectOptions, FetchOptions};
use nodewright_core::{BlockSource as _, ErrorKind};
use nodewright_rpc::{HttpOptions, RetryOptions, RpcClient};
use serde_json::json;

use crate::common::litecoind::{LIMITS, Litecoind};
use crate::scan::source;

#[tokio::test]
async fn a_full_work_queue_delays_a_fetch_and_loses_nothing() {
    let Some(node) = Litecoind::start(&["-rpcworkqueue=1", "-rpcthreads=1"]).await else { return };
    node.mine(600).await;
    let points = node.points(1, 600).await;

    // Forty connections keep the one thread busy, and take what comes.
    let (endpoint, _) = nodewright_rpc::Endpoint::parse(&node.url()).unwrap();
    let options = HttpOptions::default()
        .with_max_connections(core::num::NonZeroU32::new(40).unwrap())
        .with_retry(RetryOptions::never());
    let crowd = RpcClient::try_new(endpoint, node.auth(), options).unwrap();
    let hash = points[0].id.hash.to_reversed_hex();
    let noise = async {
        let mut refused = 0;
        for _ in 0..15 {
            let calls = (0..40).map(|_| {
                let params = [json!(hash), json!(2)];
                let crowd = crowd.clone();
                async move { crowd.call::<serde_json::Value>("getblock", &params, LIMITS).await }
            });
            for answer in futures_util::future::join_all(calls).await {
                match answer {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::Busy => refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        refused
    };
    let patient = HttpOptions::default().with_retry(RetryOptions::default().with_budget(1_000, 100, 100));
    let source = source(&node, ConnectOptions { http: patient, ..ConnectOptions::default() }).await;
    let fetch = async { source.blocks(&points).await.unwrap() };
    let (refused, blocks) = tokio::join!(noise, fetch);
    assert!(refused > 0, "nobody was refused: the queue was never full");
    assert!(blocks.iter().map(nodewright_core::ScanBlock::point).eq(points.iter().copied()));
}

#[tokio::test]
async fn the_default_window_never_fills_the_default_work_queue() {
    let Some(node) = Litecoind::start(&[]).await else { return };
    node.mine(700).await;
    let points = node.points(1, 700).await;
    // Without a single retry allowed, every request must be admitted at once.
    for rest_from in [0, usize::MAX] {
        let options = ConnectOptions {
            http: HttpOptions::default().with_retry(RetryOptions::never()),
            fetch: FetchOptions { rest_from, ..FetchOptions::default() },
            ..ConnectOptions::default()
        };
        let source = source(&node, options).await;
        let (some, others) = tokio::join!(source.blocks(&points), source.blocks(&points));
        assert_eq!(some.unwrap(), others.unwrap());
    }
}
