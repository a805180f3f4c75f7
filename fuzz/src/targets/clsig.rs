//! ChainLocks and InstantSend locks, as messages and as ZMQ bodies.

use nodewright_dash::chainlock::{ChainLock, RawChainLock};
use nodewright_dash::islock::InstantLock;
use nodewright_dash::quorum::{LlmqType, QuorumHash};

use crate::plant::plant;

/// Takes the first byte of `data` as the form, and the rest as a lock in it.
///
/// What is read writes back to the same bytes.
pub fn clsig(data: &[u8]) {
    match data.split_first() {
        Some((0, bytes)) => chain_lock(bytes),
        Some((1, bytes)) => raw_chain_lock(bytes),
        Some((_, bytes)) => instant_lock(bytes),
        None => {}
    }
}

fn chain_lock(bytes: &[u8]) {
    let Ok(lock) = ChainLock::parse(bytes) else { return };
    assert_eq!(lock.to_bytes(), bytes, "what was parsed writes back");
    assert!(i32::try_from(lock.height).is_ok());
    let [a, b, ..] = lock.height.to_le_bytes();
    plant!(a == 0xbb, b == 0x07);
    let signed = lock.sign_hash(LlmqType::LLMQ_400_60, &QuorumHash(lock.block_hash.0));
    assert_ne!(lock.inventory_hash(), signed);
}

fn raw_chain_lock(body: &[u8]) {
    let Ok(raw) = RawChainLock::parse(body) else { return };
    assert_eq!([raw.block, &raw.lock.to_bytes()].concat(), body, "block and lock are all there is");
    assert!(raw.block.len() >= 80);
}

fn instant_lock(bytes: &[u8]) {
    let Ok(lock) = InstantLock::parse(bytes) else { return };
    assert_eq!(lock.to_bytes(), bytes, "what was parsed writes back");
    let signed = lock.sign_hash(LlmqType::LLMQ_60_75, &QuorumHash(lock.cycle_hash.0));
    assert_ne!(lock.request_id(), signed);
}
