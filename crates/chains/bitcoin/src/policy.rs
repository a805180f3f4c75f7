//! Finality on a chain that has only proof of work.

use std::sync::Arc;

use nodewright_core::{BlockDelta, Depth, FinalityPolicy};

/// Returns the recommended policy: [`CONFIRMATIONS`] linked blocks.
#[must_use]
pub fn default_policy() -> Arc<dyn FinalityPolicy> {
    Arc::new(Depth::try_new(CONFIRMATIONS).expect("six is not zero"))
}

/// Is how many confirmations make a block final by default, itself included.
///
/// Six are what the field takes for settled: Bitcoin Core's wallet has called a transaction confirmed from six on since
/// its first version (`TransactionRecord::RecommendedNumConfirmations`, `src/qt/transactionrecord.h`), because an attacker
/// with a tenth of the work then replaces it with a probability below 0.1 % (S. Nakamoto, "Bitcoin: A Peer-to-Peer
/// Electronic Cash System", section 11: 0.09 % with five blocks on top). It suits ordinary deposits; weigh large ones by
/// their value on top of it.
pub const CONFIRMATIONS: BlockDelta = BlockDelta(6);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_counts_blocks_and_wants_no_certificates() {
        let policy = default_policy();
        assert!(!policy.wants_evidence());
        assert_eq!(format!("{policy:?}"), format!("{:?}", Depth::try_new(BlockDelta(6)).unwrap()));
    }
}
