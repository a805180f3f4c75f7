//! What a store gives back: checkpoints and records as JSON.

use nodewright_core::{BlockDelta, Checkpoint, Depth, ScanCore, ScanLimits, ScanRequest, TrustedCheckpoint};
use nodewright_stores::LoggedRecord;

use crate::plant::plant;

/// Takes the first byte of `data` as the choice between a checkpoint and a record; the rest is its JSON.
///
/// What is read writes back to what reads the same; a checkpoint that passes its check is a scan's beginning, and the
/// scan says of itself what the checkpoint says.
pub fn checkpoint(data: &[u8]) {
    match data.split_first() {
        Some((0, json)) => {
            let Ok(record) = serde_json::from_slice::<LoggedRecord>(json) else { return };
            let written = serde_json::to_vec(&record).expect("a record is JSON");
            assert_eq!(serde_json::from_slice::<LoggedRecord>(&written).ok().as_ref(), Some(&record), "comes back");
        }
        Some((&confirmations, json)) => {
            let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(json) else { return };
            let written = serde_json::to_vec(&checkpoint).expect("a checkpoint is JSON");
            assert_eq!(serde_json::from_slice::<Checkpoint>(&written).ok().as_ref(), Some(&checkpoint), "comes back");
            resume(&checkpoint, confirmations);
        }
        None => {}
    }
}

fn resume(checkpoint: &Checkpoint, confirmations: u8) {
    let mut other = checkpoint.scope.clone();
    other.network.name.push('2');
    assert!(checkpoint.check(&other).is_err() && TrustedCheckpoint::anchor(checkpoint, &other).is_err());
    let checked = checkpoint.check(&checkpoint.scope);
    let trusted = TrustedCheckpoint::anchor(checkpoint, &checkpoint.scope);
    assert_eq!(checked.is_ok(), trusted.is_ok(), "an anchor is checked");
    let Ok(trusted) = trusted else { return };
    let hashes = || checkpoint.unfinal.iter().chain(&checkpoint.history).map(|point| point.id.hash.0);
    let rises = |over: usize| hashes().any(|hash| hash.windows(over).any(|bytes| bytes.is_sorted_by(|a, b| a < b)));
    plant!(rises(3), rises(4), rises(5), rises(6), rises(7));
    let policy = Depth::try_new(BlockDelta(u64::from(confirmations).max(1))).expect("not 0");
    let mut core = ScanCore::resume(policy, trusted, ScanLimits::default());
    if core.events().len() == 0 {
        let again = core.checkpoint(None);
        assert_eq!(again.unfinal, checkpoint.unfinal);
        assert_eq!(again.history, checkpoint.history);
        assert_eq!((again.finalized, again.next_seq), (checkpoint.finalized, checkpoint.next_seq));
    }
    let Some((_, ScanRequest::Extend { locator, .. })) = core.poll_request() else { return };
    assert!(locator.contains(&checkpoint.finalized) || core_moved(checkpoint), "the locator names the final block");
}

/// Whether the policy makes blocks of the checkpoint final at once, so that the final block moves on.
fn core_moved(checkpoint: &Checkpoint) -> bool {
    !checkpoint.unfinal.is_empty()
}
