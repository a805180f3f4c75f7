//! Damaged bytes are refused with an error: nothing panics, nothing is believed.

use nodewright_dash::chainlock::{ChainLock, CoinbaseLock, RawChainLock, verify_chain_lock};
use nodewright_dash::islock::InstantLock;
use nodewright_dash::mnlist::{CertifiedHeader, MnListDiff, VerifiedList};
use nodewright_dash::quorum::Network;

use crate::corpus::{self, Testnet};

#[test]
fn a_diff_cut_anywhere_is_refused() {
    let Some(testnet) = Testnet::load() else { return };
    let bytes = &testnet.diff_bytes;
    let near_an_end = |len: &usize| *len < 4_000 || bytes.len() - len < 4_000;
    for len in (0..bytes.len()).filter(|len| near_an_end(len) || len % 37 == 0) {
        assert!(MnListDiff::parse(&bytes[..len]).is_err(), "{len} bytes");
    }
}

#[test]
fn a_diff_with_random_damage_is_refused_or_has_other_roots() {
    let Some(testnet) = Testnet::load() else { return };
    let header = CertifiedHeader::anchor(&testnet.headers[0], testnet.diff.block).unwrap();
    // What follows the quorums is not committed to: the ChainLocks that seeded them.
    let locks = testnet.diff.quorum_locks.iter().map(|lock| 97 + 2 * lock.quorums.len());
    let committed = testnet.diff_bytes.len() - 1 - locks.sum::<usize>();
    let mut random = fastrand::Rng::with_seed(0x0da5);
    let (mut refused, mut unread) = (0, 0);
    for _ in 0..1_500 {
        let mut bytes = testnet.diff_bytes.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(2..bytes.len());
            match random.u8(0..4) {
                0 => bytes[at] = 0xff,
                1 => bytes[at] = random.u8(..),
                2 => bytes[at] ^= 1 << random.u8(0..8),
                _ => drop(bytes.splice(at..(at + random.usize(0..9)).min(bytes.len()), [random.u8(..)])),
            }
        }
        if bytes.len() == testnet.diff_bytes.len() && bytes[..committed] == testnet.diff_bytes[..committed] {
            continue;
        }
        match MnListDiff::parse(&bytes) {
            Ok(diff) => {
                assert!(VerifiedList::verify(&testnet.base, &diff, &header).is_err());
                refused += 1;
            }
            Err(_) => unread += 1,
        }
    }
    assert!(refused > 100 && unread > 100, "{refused} refused, {unread} unread");
}

#[test]
fn counts_beyond_the_bytes_are_refused_before_memory_is_taken() {
    let Some(testnet) = Testnet::load() else { return };
    // The number of hashes in the merkle proof stands behind version, two block hashes and total.
    let mut bytes = testnet.diff_bytes.clone();
    bytes.splice(70..71, [0xff; 9]);
    let refused = MnListDiff::parse(&bytes).unwrap_err().to_string();
    assert!(refused.contains("18446744073709551615"), "{refused}");
}

#[test]
fn random_bytes_never_panic() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let len = random.usize(0..400);
        let mut bytes: Vec<u8> = (0..len).map(|_| random.u8(..)).collect();
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        // Whether it parses does not matter here.
        drop(ChainLock::parse(&bytes));
        drop(RawChainLock::parse(&bytes));
        drop(CoinbaseLock::from_block(&bytes));
        drop(CoinbaseLock::from_coinbase(&bytes));
        drop(InstantLock::parse(&bytes));
        drop(MnListDiff::parse(&bytes));
    }
}

#[test]
fn recorded_blocks_with_damaged_coinbases_never_yield_a_valid_lock_of_another_block() {
    let Some(vectors) = corpus::vectors() else { return };
    let quorum = &vectors["quorums"][0];
    let entry = corpus::quorum(Network::Regtest.chain_lock_type(), quorum, None);
    let set = nodewright_dash::quorum::QuorumSet::from_node([entry]).unwrap();
    let locks = corpus::vector_locks(&vectors);
    let block = vectors["blocks"].as_array().unwrap().last().unwrap();
    let raw = hex::decode(block["raw"].as_str().unwrap()).unwrap();
    let parent = locks.iter().find(|lock| lock.height == 938).unwrap();
    let mut random = fastrand::Rng::with_seed(99);
    let mut checked = 0;
    for _ in 0..400 {
        let mut raw = raw.clone();
        let at = random.usize(80..raw.len());
        raw[at] ^= 1 << random.u8(0..8);
        let Ok(Some(carried)) = CoinbaseLock::from_block(&raw) else { continue };
        let lock = carried.with_block(parent.block_hash);
        if verify_chain_lock(&lock, &set, Network::Regtest).is_ok() {
            assert_eq!(lock, *parent);
        }
        checked += 1;
    }
    assert!(checked > 50, "{checked}");
}
