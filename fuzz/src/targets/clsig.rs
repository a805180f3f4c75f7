//! ChainLocks and InstantSend locks: as messages, as ZMQ bodies, as a node reports them.

use nodewright_dash::chainlock::{ChainLock, RawChainLock, ReportedLock};
use nodewright_dash::islock::InstantLock;
use nodewright_dash::quorum::{LlmqType, Network, QuorumHash};

use crate::plant::plant;

/// Takes the first byte of `data` as the form, and the rest as a lock in it.
///
/// What is read writes back to the same bytes; what a node reports is in the range of what its message can say.
pub fn clsig(data: &[u8]) {
    match data.split_first() {
        Some((0, bytes)) => chain_lock(bytes),
        Some((1, bytes)) => raw_chain_lock(bytes),
        Some((2, bytes)) => reported(bytes),
        Some((_, bytes)) => instant_lock(bytes),
        None => {}
    }
}

fn chain_lock(bytes: &[u8]) {
    let Ok(lock) = ChainLock::parse(bytes) else { return };
    assert_eq!(lock.to_bytes(), bytes, "what was parsed writes back");
    assert!(i32::try_from(lock.height).is_ok());
    let [a, b, c, _] = lock.height.to_le_bytes();
    plant!(a == 0xbb, b == 0x07, c == 0x20);
    let signed = lock.sign_hash(LlmqType::LLMQ_400_60, &QuorumHash(lock.block_hash.0));
    assert_ne!(lock.inventory_hash(), signed);
}

fn raw_chain_lock(body: &[u8]) {
    let Ok(raw) = RawChainLock::parse(body) else { return };
    assert_eq!([raw.block, &raw.lock.to_bytes()].concat(), body, "block and lock are all there is");
    assert!(raw.block.len() >= 80);
}

fn reported(json: &[u8]) {
    let Ok(report) = serde_json::from_slice::<ReportedLock>(json) else { return };
    for network in NETWORKS {
        let Ok(lock) = report.chain_lock(network) else { continue };
        assert_eq!(i64::from(lock.height), report.height);
        assert!(lock.block_hash.to_reversed_hex().eq_ignore_ascii_case(&report.blockhash));
        assert_eq!(ChainLock::parse(&lock.to_bytes()).ok(), Some(lock), "a message can say what a node reports");
    }
}

fn instant_lock(bytes: &[u8]) {
    let Ok(lock) = InstantLock::parse(bytes) else { return };
    assert_eq!(lock.to_bytes(), bytes, "what was parsed writes back");
    let signed = lock.sign_hash(LlmqType::LLMQ_60_75, &QuorumHash(lock.cycle_hash.0));
    assert_ne!(lock.request_id(), signed);
}

const NETWORKS: [Network; 3] = [Network::Mainnet, Network::Testnet, Network::Regtest];
