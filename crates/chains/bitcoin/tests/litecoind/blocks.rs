//! Blocks: the same bytes by every way, in order, inside the byte budget.

use core::num::NonZeroUsize;

use nodewright_bitcoin::{ConnectOptions, FetchOptions};
use nodewright_core::{BlockHash, BlockHeight, BlockId, BlockPoint, BlockSource as _, ErrorKind, ScanBlock as _};
use nodewright_utxo::walker::{BlockWalker, Dialect};

use crate::common::litecoind::Litecoind;
use crate::common::tx::{Tx, key_script};
use crate::scan::source;

const BY_REST: FetchOptions = FetchOptions { rest_from: 0, ..SMALL };
const BY_RPC: FetchOptions = FetchOptions { rest_from: usize::MAX, ..SMALL };

const SMALL: FetchOptions = FetchOptions {
    requests: NonZeroUsize::new(4).unwrap(),
    budget: 48 << 20,
    max_block: 8 << 20,
    batch: NonZeroUsize::new(32).unwrap(),
    batch_bytes: 2 << 20,
    rest_from: 256 << 10,
};

fn fetching(fetch: FetchOptions) -> ConnectOptions {
    ConnectOptions { fetch, ..ConnectOptions::default() }
}

/// Mines a block with some `kib` KiB of payments.
async fn mine_bulk(node: &Litecoind, coin_at: u64, kib: usize) -> BlockHash {
    let coin = node.coin(coin_at).await;
    let paid = (0..kib * 33).fold(Tx::spending(&[coin]), |tx, n| tx.pay(1_000, &key_script((n % 250) as u8)));
    node.mine_with(&[paid.change(0)]).await
}

#[tokio::test]
async fn blocks_come_whole_and_in_order_by_rest_and_rpc_inside_the_budget() {
    let Some(node) = Litecoind::start(&[]).await else { return };
    node.mine(400).await;
    for (index, kib) in [300, 1, 60, 60, 500, 20].into_iter().enumerate() {
        mine_bulk(&node, 1 + index as u64, kib).await;
        node.mine(30).await;
    }
    let height = node.height().await;
    let points = node.points(1, height).await;
    let expected = source(&node, fetching(BY_REST)).await.blocks(&points).await.unwrap();
    assert!(expected.iter().map(nodewright_core::ScanBlock::point).eq(points.iter().copied()));
    for index in [0, 399, 400, 431] {
        assert_eq!(expected[index].bytes(), &node.raw_block(points[index].id.hash).await);
    }

    // Whatever the bounds, the blocks are the same, and memory stays below them; the second bound is smaller than the
    // largest block.
    let tight = FetchOptions { budget: 1 << 20, ..SMALL };
    let tiny = FetchOptions { budget: 120_000, batch: NonZeroUsize::new(7).unwrap(), ..SMALL };
    for (name, fetch, peak) in [
        ("rpc", BY_RPC, BY_RPC.budget),
        ("mixed", FetchOptions { rest_from: 50_000, ..SMALL }, SMALL.budget),
        ("tight", FetchOptions { rest_from: usize::MAX, ..tight }, 1_600_000),
        ("tiny", FetchOptions { rest_from: usize::MAX, ..tiny }, 1_600_000),
        ("tiny rest", FetchOptions { rest_from: 1, ..tiny }, 600_000),
    ] {
        let source = source(&node, fetching(fetch)).await;
        let mut stream = source.fetcher().stream(&points);
        let mut blocks = Vec::new();
        while let Some(block) = stream.next().await.unwrap() {
            // A slow consumer: the runtime does everything that can be done before the next block is taken.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            blocks.push(block);
        }
        assert!(blocks == expected, "{name}");
        drop(stream);
        let stats = source.fetcher().stats();
        assert!(stats.peak <= peak && stats.peak > 10_000 && stats.held == 0, "{name}: {stats:?}");
        assert!(stats.blocks >= height && stats.requests < stats.blocks + 10, "{name}: {stats:?}");
    }

    // Reading in place sees the same bytes and holds no more than the answers.
    let source = source(&node, fetching(tight)).await;
    let lengths = source.fetcher().read_all(&points, |_, raw| Ok(raw.len())).await.unwrap();
    assert!(lengths.iter().copied().eq(expected.iter().map(|block| block.bytes().len())));

    // A block above the stated size is refused by name.
    let strict = FetchOptions { max_block: 400_000, budget: 100_000, ..SMALL };
    let source = crate::scan::source(&node, fetching(strict)).await;
    let error = source.blocks(&points).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains(&points[400 + 4 * 31].id.hash.to_reversed_hex()), "{error}");

    // A block that the node does not have is named; the stream goes on asking for it.
    let nowhere = BlockPoint::from(BlockId { height: BlockHeight(2), hash: BlockHash([7; 32]) });
    let wanted = [points[0], nowhere, points[1]];
    let mut stream = source.fetcher().stream(&wanted);
    assert_eq!(stream.next().await.unwrap().unwrap().point(), points[0]);
    for _ in 0..2 {
        let error = stream.next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(&nowhere.id.hash.to_reversed_hex()), "{error}");
    }

    // A stale block is still served, and the one asked for.
    let mut node = node;
    node.invalidate(height - 3).await;
    node.mine(6).await;
    let stale = points[points.len() - 1];
    assert_eq!(source.blocks(&[stale]).await.unwrap()[0].bytes(), expected[points.len() - 1].bytes());
}

#[tokio::test]
async fn blocks_with_an_extension_are_read_without_it() {
    let Some(node) = Litecoind::start(&[]).await else { return };
    node.mine(5).await;
    let points = node.points(0, 5).await;
    for block in source(&node, fetching(BY_REST)).await.blocks(&points).await.unwrap() {
        let walker = BlockWalker::new(block.bytes(), Dialect::Litecoin).unwrap();
        walker.verify_merkle().unwrap();
    }
}
