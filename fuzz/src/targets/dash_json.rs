//! What a Dash node says in JSON: differences between masternode lists, and ChainLocks.

use nodewright_dash::chainlock::{ChainLock, ReportedLock};
use nodewright_dash::mnlist::{MnListDiff, ProtxDiff};
use nodewright_dash::quorum::Network;

use super::mnlist_diff::apply;
use crate::plant::plant;

/// Takes the first byte of `data` as the choice between a difference and a lock; the rest is its JSON.
///
/// Whatever is taken from JSON is what a message could say.
pub fn dash_json(data: &[u8]) {
    match data.split_first() {
        Some((0, json)) => difference(json),
        Some((_, json)) => lock(json),
        None => {}
    }
}

fn difference(json: &[u8]) {
    let Ok(json) = serde_json::from_slice::<ProtxDiff>(json) else { return };
    let Ok(diff) = MnListDiff::try_from(&json) else { return };
    assert_eq!(MnListDiff::parse(&diff.to_bytes()).as_ref(), Ok(&diff), "a message can say the same");
    apply(&diff);
}

fn lock(json: &[u8]) {
    let Ok(report) = serde_json::from_slice::<ReportedLock>(json) else { return };
    plant!(report.height > 9, report.height > 99, report.height > 999, report.height > 9_999);
    for network in [Network::Mainnet, Network::Testnet, Network::Regtest] {
        let Ok(lock) = report.chain_lock(network) else { continue };
        assert_eq!(i64::from(lock.height), report.height);
        assert!(lock.block_hash.to_reversed_hex().eq_ignore_ascii_case(&report.blockhash));
        assert_eq!(ChainLock::parse(&lock.to_bytes()).ok(), Some(lock), "a message can say what a node reports");
    }
}
