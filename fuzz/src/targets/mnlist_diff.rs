//! Differences between Dash's masternode lists, and what they lead to.

use nodewright_core::BlockHash;
use nodewright_dash::mnlist::{CertifiedHeader, MasternodeList, MnListDiff, VerifiedList};
use nodewright_dash::x11;
use nodewright_utxo::header::RawHeader;
use nodewright_utxo::merkle::PartialTree;

use crate::plant::plant;

/// Takes `data` as a message, which writes back to the same bytes.
pub fn mnlist_diff(data: &[u8]) {
    let Ok(diff) = MnListDiff::parse(data) else { return };
    assert_eq!(diff.to_bytes(), data, "what was parsed writes back");
    apply(&diff);
}

/// Applies the difference to an empty list, and has it verified by a header that commits to its coinbase.
pub(super) fn apply(diff: &MnListDiff) {
    let base = MasternodeList::empty(diff.base_block);
    let Ok(list) = base.apply(diff) else { return };
    assert_eq!(list.block(), diff.block);
    assert_eq!(list.masternodes().len(), diff.updated_masternodes.len(), "into an empty list all are new");
    assert_eq!(list.quorums().len(), diff.new_quorums.len());
    let roots = (list.masternode_root(), list.quorum_root());
    drop(list.node_quorum_set());
    let proof = PartialTree::parse(&diff.merkle_proof).expect("parsed before");
    let Ok(root) = proof.root(|_, _| {}) else { return };
    let header = RawHeader::parse(&[&[0; 36][..], &root, &[0; 12]].concat()).expect("80 bytes");
    let block = BlockHash(x11(&header.to_bytes()));
    let certified = CertifiedHeader::anchor(&header, block).expect("its own id");
    let diff = MnListDiff { block, ..diff.clone() };
    let Ok(verified) = VerifiedList::verify(&base, &diff, &certified) else { return };
    assert!(roots.0.is_ok() && roots.1.is_ok(), "a verified list has both roots");
    assert_eq!(verified.list().masternodes().len(), list.masternodes().len());
    drop(verified.quorum_set());
    let rises = |over: usize| diff.base_block.0.windows(over).any(|bytes| bytes.is_sorted_by(|a, b| a < b));
    plant!(rises(3), rises(4), rises(5), rises(6));
}
