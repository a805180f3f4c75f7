//! Blocks for unit tests: named by their height and by the branch that they are on.

use crate::evidence::{Evidence, Trust};
use crate::header::Header;
use crate::id::{BlockHash, BlockId, BlockPoint, ChainId, NetworkId, Scope};
use crate::time::BlockTime;
use crate::units::BlockHeight;

pub(crate) fn id(height: u64, branch: u8) -> BlockId {
    let mut hash = [branch; 32];
    hash[..8].copy_from_slice(&height.to_le_bytes());
    BlockId { height: BlockHeight(height), hash: BlockHash(hash) }
}

pub(crate) fn point(height: u64, branch: u8) -> BlockPoint {
    id(height, branch).into()
}

pub(crate) fn points(heights: impl IntoIterator<Item = u64>, branch: u8) -> Vec<BlockPoint> {
    heights.into_iter().map(|height| point(height, branch)).collect()
}

/// The headers that follow `from` up to height `to`, one at each height.
pub(crate) fn headers(from: BlockPoint, to: u64, branch: u8) -> Vec<Header> {
    let mut parent = from.id.hash;
    (from.id.height.0 + 1..=to)
        .map(|height| {
            let header = Header { point: point(height, branch), parent, time: BlockTime(height) };
            parent = header.point.id.hash;
            header
        })
        .collect()
}

pub(crate) fn certificate(height: u64, branch: u8) -> Evidence {
    Evidence::attest(id(height, branch), "test", Trust::NodeSet, &[branch])
}

pub(crate) fn scope(genesis: u8) -> Scope {
    let network = NetworkId { name: "test".to_owned(), genesis: BlockHash([genesis; 32]) };
    Scope { chain: ChainId::new("test"), network, shard: None }
}
