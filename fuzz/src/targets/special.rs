//! The payloads of Dash's special transactions.

use nodewright_utxo::hash::sha256d;
use nodewright_utxo::special::{FinalCommitment, ServiceAddress, Special};

use crate::plant::plant;

/// Takes the first byte of `data` as the type and the rest as a payload.
///
/// A payload of a known type ends where it ends: one byte less or more is none.
pub fn special(data: &[u8]) {
    let Some((&kind, payload)) = data.split_first() else { return };
    let kind = u16::from(kind);
    let Ok(special) = Special::parse(kind, payload) else { return };
    drop(format!("{special:?}"));
    match special {
        Special::Unknown { kind: unread, payload: rest } => {
            assert_eq!((unread, rest), (kind, payload));
            return;
        }
        Special::ProRegTx(tx) => look_at(tx.service),
        Special::ProUpServTx(tx) => look_at(tx.service),
        Special::AssetLock(lock) => {
            assert_eq!(lock.credit_outputs.count(), lock.credit_outputs.len());
            let value = lock.credit_outputs.last().map_or(0, |output| output.value);
            let [a, b, c, ..] = value.to_le_bytes();
            plant!(a == 0x47, b == 0x10, c == 0x04);
        }
        Special::QuorumCommitment(tx) => {
            let commitment = tx.commitment;
            assert!(commitment.signers.count_ones() <= commitment.signers.len());
            assert_eq!(commitment.hash(), sha256d(commitment.as_bytes()));
            assert_eq!(FinalCommitment::parse(commitment.as_bytes()), Ok(commitment), "parses alone as in its payload");
            assert!(!commitment.is_null() || commitment.public_key == [0; 48]);
            drop(format!("{:02x?}", commitment.commitment_hash()));
        }
        _ => {}
    }
    if let Some((_, shorter)) = payload.split_last() {
        assert!(Special::parse(kind, shorter).is_err(), "type {kind} ends before its end");
    }
    let longer = [payload, &[0]].concat();
    assert!(Special::parse(kind, &longer).is_err(), "type {kind} has bytes behind its end");
}

fn look_at(service: ServiceAddress) {
    if let Some(address) = service.to_socket_addr() {
        assert_eq!(address.port(), service.port);
    }
}
