//! InstantSend locks. The recorded network kept no signature of one (its node had no call for
//! it), so these are signed by quorums that the tests hold.

use nodewright_core::{BlockHash, Trust};
use nodewright_dash::bls::Signature;
use nodewright_dash::islock::{InstantLock, InstantLockError, verify_instant_lock};
use nodewright_dash::quorum::{Choice, LlmqType, Network, QuorumEntry, QuorumSet, SignerError, rotation_slot};
use nodewright_utxo::bytes::ParseError;
use nodewright_utxo::hash::Txid;
use nodewright_utxo::tx::OutPoint;

use crate::corpus::{self, flipped};
use crate::small_chain::Quorum;

const LLMQ: LlmqType = LlmqType::LLMQ_60_75;
const MAIN: Network = Network::Mainnet;

/// A whole cycle of 32 rotated quorums.
fn cycle() -> Vec<Quorum> {
    (0..32)
        .map(|slot| {
            let mut quorum = Quorum::new(LLMQ, u8::try_from(slot + 1).unwrap());
            quorum.commitment.index = Some(slot);
            quorum
        })
        .collect()
}

fn entries(cycle: &[Quorum], mined: Option<u32>) -> Vec<QuorumEntry> {
    cycle.iter().map(|quorum| QuorumEntry { mined_height: mined, ..quorum.commitment.entry() }).collect()
}

/// A lock for transaction `txid`, signed by the quorum of the right slot.
fn signed(cycle: &[Quorum], txid: u8) -> InstantLock {
    let input = |index| OutPoint { txid: Txid([txid; 32]), index };
    let mut lock = InstantLock {
        inputs: vec![input(0), input(7)],
        txid: Txid([txid ^ 0xff; 32]),
        cycle_hash: BlockHash([1; 32]),
        signature: Signature::new([0; 96]),
    };
    let slot = rotation_slot(32, &lock.request_id());
    lock.signature = cycle[usize::from(slot)].sign(&lock.request_id(), lock.txid.as_bytes());
    lock
}

#[test]
fn a_lock_verifies_with_the_quorum_of_its_slot() {
    let cycle = cycle();
    let set = QuorumSet::from_node(entries(&cycle, None)).unwrap();
    let mut slots = std::collections::BTreeSet::new();
    for txid in 0..12 {
        let lock = signed(&cycle, txid);
        let verified = verify_instant_lock(&lock, &set, MAIN, None).unwrap();
        assert_eq!((verified.trust(), verified.choice()), (Trust::NodeSet, Choice::Tried));
        assert_eq!(verified.txid(), lock.txid);
        slots.insert(verified.quorum_hash());
    }
    assert!(slots.len() > 4, "{slots:?}");
}

#[test]
fn a_quorum_of_another_slot_cannot_sign() {
    let cycle = cycle();
    let set = QuorumSet::from_node(entries(&cycle, None)).unwrap();
    let mut lock = signed(&cycle, 1);
    let slot = usize::from(rotation_slot(32, &lock.request_id()));
    lock.signature = cycle[(slot + 1) % 32].sign(&lock.request_id(), lock.txid.as_bytes());
    assert_eq!(
        verify_instant_lock(&lock, &set, MAIN, None),
        Err(InstantLockError::Unsigned {
            txid: lock.txid,
            source: SignerError::NoneMatches { llmq_type: LLMQ, tried: 1 }
        })
    );
}

#[test]
fn with_mined_heights_the_newest_quorum_of_the_slot_is_the_only_one() {
    let (new, mut old) = (cycle(), cycle());
    for quorum in &mut old {
        quorum.commitment.quorum_hash.0[31] ^= 0x80;
    }
    let all = [entries(&old, Some(712)), entries(&new, Some(1_000))].concat();
    let set = QuorumSet::from_node(all).unwrap().complete_at(1_300);
    let lock = signed(&new, 3);
    // The cycle began at 960: at 960 + 288 - 1 - 8 its own quorums are the newest.
    let verified = verify_instant_lock(&lock, &set, MAIN, Some(960)).unwrap();
    assert_eq!(verified.choice(), Choice::Selected);
    // One cycle earlier they were not there yet.
    let refused = verify_instant_lock(&lock, &set, MAIN, Some(672)).unwrap_err();
    assert!(matches!(refused, InstantLockError::Unsigned { source: SignerError::Mismatch { .. }, .. }), "{refused:?}");
    let old_lock = signed(&old, 3);
    verify_instant_lock(&old_lock, &set, MAIN, Some(672)).unwrap();
    // Without the cycle's height both are tried.
    for lock in [lock, old_lock] {
        let verified = verify_instant_lock(&lock, &set, MAIN, None).unwrap();
        assert_eq!(verified.choice(), Choice::Tried);
    }
}

#[test]
fn one_changed_field_is_refused() {
    let cycle = cycle();
    let set = QuorumSet::from_node(entries(&cycle, None)).unwrap();
    let lock = signed(&cycle, 9);
    let refused = |change: &dyn Fn(&mut InstantLock)| {
        let mut lock = lock.clone();
        change(&mut lock);
        verify_instant_lock(&lock, &set, MAIN, None).unwrap_err()
    };
    let unsigned = |error| matches!(error, InstantLockError::Unsigned { .. });
    assert!(unsigned(refused(&|lock| lock.txid.0[3] ^= 1)));
    assert!(unsigned(refused(&|lock| lock.inputs[0].txid.0[0] ^= 1)));
    assert!(unsigned(refused(&|lock| lock.inputs[1].index += 1)));
    assert!(unsigned(refused(&|lock| lock.inputs.swap(0, 1))));
    assert!(unsigned(refused(&|lock| lock.signature = flipped(&lock.signature, 700))));
    assert_eq!(refused(&|lock| lock.inputs.clear()), InstantLockError::NoInputs { txid: lock.txid });
    let other = QuorumSet::from_node([Quorum::new(LlmqType::LLMQ_50_60, 1).commitment.entry()]);
    assert_eq!(
        verify_instant_lock(&lock, &other.unwrap(), MAIN, None),
        Err(InstantLockError::Unsigned { txid: lock.txid, source: SignerError::NoQuorum { llmq_type: LLMQ } })
    );
}

#[test]
fn messages_are_read_back_and_refused_when_damaged() {
    let lock = signed(&cycle(), 5);
    let bytes = lock.to_bytes();
    assert_eq!(InstantLock::parse(&bytes), Ok(lock));
    for len in 0..bytes.len() {
        assert!(InstantLock::parse(&bytes[..len]).is_err(), "{len} bytes");
    }
    let mut version = bytes.clone();
    version[0] = 0;
    assert!(matches!(InstantLock::parse(&version), Err(ParseError::Unsupported { value: 0, .. })));
    let mut many = bytes.clone();
    many[1] = 200;
    assert!(matches!(InstantLock::parse(&many), Err(ParseError::TooMany { .. })));
    let mut long = bytes;
    long.push(0);
    assert!(matches!(InstantLock::parse(&long), Err(ParseError::TrailingBytes { .. })));
}

#[test]
fn the_recording_still_holds_no_signature_of_an_instant_lock() {
    let Some(records) = corpus::recording("instantlock") else { return };
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert!(record["islocks"]["result"].is_null(), "there is data now: verify it here");
    assert_eq!(record["verbose"]["instantlock_internal"], true);
}
