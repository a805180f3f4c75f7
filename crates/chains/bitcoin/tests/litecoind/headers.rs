//! Following headers by REST and by RPC: the same answers, whatever happens to the chain.

use core::num::NonZeroU32;
use std::sync::Arc;

use nodewright_bitcoin::{ConnectOptions, UtxoSource};
use nodewright_core::{
    BlockHash, BlockHeight, BlockId, BlockPoint, Extension, HeaderSource as _, HeightIndex as _, Membership,
};

use crate::common::litecoind::Litecoind;
use crate::scan::source;

async fn both(node: &Litecoind) -> [Arc<UtxoSource>; 2] {
    let by_rpc = ConnectOptions { rest: false, ..ConnectOptions::default() };
    [source(node, ConnectOptions::default()).await, source(node, by_rpc).await]
}

fn most(max: u32) -> NonZeroU32 {
    NonZeroU32::new(max).unwrap()
}

/// Asks both ways and requires the same answer.
async fn extend(sources: &[Arc<UtxoSource>; 2], locator: &[BlockPoint], max: u32) -> Extension {
    let [rest, rpc] = sources;
    let extension = rest.extend(locator, most(max)).await.unwrap();
    assert_eq!(rpc.extend(locator, most(max)).await.unwrap(), extension);
    extension
}

#[tokio::test]
async fn extensions_are_linked_whole_and_the_same_by_rest_and_rpc() {
    let Some(mut node) = Litecoind::start(&[]).await else { return };
    node.mine(2_150).await;
    let sources = both(&node).await;
    let all = node.points(0, 2_150).await;
    let head = all[2_150].id;

    for (from, max, expected) in [
        (0, 2_000, 1..=2_000),
        (0, 1_999, 1..=1_999),
        (0, 1, 1..=1),
        (0, 10_000, 1..=2_150),
        (150, 2_000, 151..=2_150),
        (151, 2_000, 152..=2_150),
        (2_149, 5, 2_150..=2_150),
    ] {
        let extension = sources[0].extend(&[all[from]], most(max)).await.unwrap();
        assert_eq!(extension.from, Some(all[from]));
        assert_eq!(extension.tips.head, head);
        let points: Vec<_> = extension.headers.iter().map(|header| header.point).collect();
        assert_eq!(points, all[expected], "{max} after {from}");
        for (index, header) in extension.headers.iter().enumerate() {
            assert_eq!(header.parent, all[from + index].id.hash);
        }
        // By RPC at most 2,000 come at once; that many are the same.
        let by_rpc = sources[1].extend(&[all[from]], most(max)).await.unwrap();
        assert_eq!(by_rpc.headers, extension.headers[..by_rpc.headers.len()]);
        assert_eq!(by_rpc.headers.len(), extension.headers.len().min(2_000));
        assert_eq!(by_rpc.tips, extension.tips);
    }
    let at_head = extend(&sources, &[all[2_150]], 2_000).await;
    assert_eq!((at_head.from, at_head.headers.len(), at_head.tips.head), (Some(all[2_150]), 0, head));

    // The newest point of a locator that is on the best chain counts; a wrong height names no block.
    let nowhere = BlockPoint::from(BlockId { height: BlockHeight(9), hash: BlockHash([9; 32]) });
    let misplaced = BlockPoint::from(BlockId { height: BlockHeight(99), hash: all[100].id.hash });
    let extension = extend(&sources, &[nowhere, misplaced, all[100], all[50]], 3).await;
    assert_eq!(extension.from, Some(all[100]));
    assert_eq!(extension.headers.len(), 3);
    let lost = extend(&sources, &[nowhere, misplaced], 3).await;
    assert_eq!((lost.from, lost.headers.len(), lost.tips.head), (None, 0, head));
    assert_eq!(extend(&sources, &[], 3).await.from, None);

    // Half of the chain is replaced by a shorter branch, and then comes back.
    let stale = node.invalidate(2_100).await;
    node.mine(20).await;
    let branch = node.points(0, 2_119).await;
    let locator: Vec<_> = [2_150, 2_140, 2_120, 2_100, 2_099, 2_000, 0].map(|height| all[height]).into();
    let extension = extend(&sources, &locator, 2_000).await;
    assert_eq!(extension.from, Some(all[2_099]));
    assert_eq!(extension.tips.head, branch[2_119].id);
    assert_eq!(extension.headers.iter().map(|header| header.point).collect::<Vec<_>>(), branch[2_100..]);
    for source in &sources {
        assert_eq!(source.membership(&all[2_099]).await.unwrap(), Membership::Canonical);
        assert_eq!(source.membership(&all[2_100]).await.unwrap(), Membership::Stale);
        assert_eq!(source.membership(&branch[2_100]).await.unwrap(), Membership::Canonical);
        assert_eq!(source.membership(&nowhere).await.unwrap(), Membership::Unknown);
        assert_eq!(source.membership(&misplaced).await.unwrap(), Membership::Unknown);
        assert_eq!(source.point_at(BlockHeight(2_119)).await.unwrap(), Some(branch[2_119]));
        assert_eq!(source.point_at(BlockHeight(2_120)).await.unwrap(), None);
    }
    node.reconsider(stale).await;
    assert_eq!(extend(&sources, &[branch[2_110], all[2_090]], 2_000).await.tips.head, head);
    let tips = sources[0].client().chain_tips().await.unwrap();
    assert_eq!(tips.len(), 2, "{tips:?}");

    // The node comes back without REST: the source goes on by RPC.
    node.restart(&["-rest=0"]).await;
    assert_eq!(extend(&sources, &[all[2_090]], 2_000).await.headers.len(), 60);
}
