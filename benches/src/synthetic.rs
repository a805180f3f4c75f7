//! A chain that is computed from its heights: as long as one likes, and no memory.

use core::num::NonZeroU32;

use nodewright_core::{
    BlockHash, BlockHeight, BlockId, BlockPoint, BlockTime, ChainId, Evidence, Extension, Header, NetworkId, Scope,
    Tips, Trust,
};

/// Returns the block at `height`.
pub(crate) fn block(height: u64) -> BlockId {
    let mut hash = [0x5a; 32];
    hash[..8].copy_from_slice(&height.to_le_bytes());
    BlockId { height: BlockHeight(height), hash: BlockHash(hash) }
}

/// Returns whether `id` is a block of the chain.
pub(crate) fn holds(id: BlockId) -> bool {
    id == block(id.height.0)
}

pub(crate) fn scope() -> Scope {
    let network = NetworkId { name: "synthetic".to_owned(), genesis: block(0).hash };
    Scope { chain: ChainId::new("synthetic"), network, shard: None }
}

/// Fills `extension` with what follows the newest point of `locator` on the chain that ends at `head`.
pub(crate) fn extend(locator: &[BlockPoint], max: NonZeroU32, head: u64, extension: &mut Extension) {
    extension.tips = Tips { head: block(head), ..Tips::default() };
    extension.headers.clear();
    extension.from = locator.iter().copied().find(|point| point.id.height.0 <= head && holds(point.id));
    let Some(from) = extension.from else { return };
    let mut parent = from.id.hash;
    for height in (from.id.height.0 + 1..=head).take(max.get() as usize) {
        let id = block(height);
        extension.headers.push(Header { point: id.into(), parent, time: BlockTime(height) });
        parent = id.hash;
    }
}

/// Makes a certificate of the block at `height`, as large as a ChainLock.
pub(crate) fn certificate(height: u64) -> Evidence {
    Evidence::attest(block(height), "certificate", Trust::NodeSet, &[0xc5; 132])
}
