//! Real blocks of every era.

use nodewright_cardano::network::CardanoNetwork;
use nodewright_cardano::node::{BlockError, BlockHead, Genesis, LedgerEra};
use nodewright_core::{BlockHash, BlockHeight, HeaderSource, Membership, Slot};

use crate::world::{World, extend};
use nodewright_cardano::sim::node::SimChain;

/// Is the length of an epoch of Byron on every public network.
const EPOCH: u64 = 21_600;

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.trim()).unwrap()
}

struct Real {
    era: LedgerEra,
    text: &'static str,
    height: u64,
    slot: u64,
    hash: &'static str,
    parent: &'static str,
}

/// Blocks of mainnet (Byron) and of test networks. The two of Byron are the first of mainnet, by the ids of every explorer;
/// of the boundary block only the header is real, because the body is large and not hashed here.
const REAL: &[Real] = &[
    Real {
        era: LedgerEra::Byron,
        text: include_str!("blocks/byron-boundary.hex"),
        height: 0,
        slot: 0,
        hash: "89d9b5a5b8ddc8d7e5a6795e9774d97faf1efea59b2caf7eaf9f8c5b32059df4",
        parent: "5f20df933584822601f9e3f8c024eb5eb252fe8cefb24d1317dc3d432e940ebb",
    },
    Real {
        era: LedgerEra::Byron,
        text: include_str!("blocks/byron-1.hex"),
        height: 1,
        slot: 0,
        hash: "f0f7892b5c333cffc4b3c4344de48af4cc63f55e44936196f365a9ef2244134f",
        parent: "89d9b5a5b8ddc8d7e5a6795e9774d97faf1efea59b2caf7eaf9f8c5b32059df4",
    },
    Real {
        era: LedgerEra::Shelley,
        text: include_str!("blocks/shelley.hex"),
        height: 4_500_427,
        slot: 4_691_580,
        hash: "11e0449e3a0a785f07ad3c8e6a1f4a4763262b4c304c584d318452c5f8a06f20",
        parent: "2398f79031da6f550bae3f1b632dd4bb368c27c12e32e6bd61f52edfc6eaae7d",
    },
    Real {
        era: LedgerEra::Allegra,
        text: include_str!("blocks/allegra.hex"),
        height: 5_192_804,
        slot: 18_748_707,
        hash: "f23a7dc9c587fc056a25ff88c8a4d0f8a3f86a799b931672ccbc02edbcc63c98",
        parent: "08d4d3e0caf55d66233e1e3421f97ea7423c2a82666e22ae216e464ff431a850",
    },
    Real {
        era: LedgerEra::Mary,
        text: include_str!("blocks/mary.hex"),
        height: 2_475_377,
        slot: 23_475_099,
        hash: "1002afa1ca0cec270f0a022e72df696ecf85f1008b512407afe3880f7552cd32",
        parent: "910ba37352a06e5e159b82d487ad708267cdf57bb8121d13c244ebcf2b0ab9ab",
    },
    Real {
        era: LedgerEra::Alonzo,
        text: include_str!("blocks/alonzo.hex"),
        height: 2_973_734,
        slot: 39_258_667,
        hash: "1aacdf09a7be1bfb000c4506854ca7fce49a798c64535ff99968516391acbe89",
        parent: "fac5eed79d1e1c780539d480ff073b7f122e133229a54beeaf737586354b6912",
    },
    Real {
        era: LedgerEra::Babbage,
        text: include_str!("blocks/babbage.hex"),
        height: 1_009_191,
        slot: 23_003_798,
        hash: "3dbcf36ba32937fa8aa3bfd91b1c5b74aa11abb0ea52a81acd22ba2df3a17513",
        parent: "7105cb0f1936464a3e2cc7dfea06b2a34b16c2bf866d6214d98eacf2e7834ca5",
    },
    Real {
        era: LedgerEra::Conway,
        text: include_str!("blocks/conway.hex"),
        height: 1_183_499,
        slot: 23_971_491,
        hash: "320ec30a40690a14b8f8eaac3d0b4774e5850b1dfb5bd7ab2477090573769496",
        parent: "758bc1310101e0f7936f86fd98c107fd8afed20a6834995ed4c24ed142c13182",
    },
];

#[test]
fn ids_heights_slots_and_parents_of_real_blocks_of_every_era_are_read() {
    for real in REAL {
        let head = BlockHead::read(&bytes(real.text), EPOCH).unwrap();
        let id = head.point.id;
        assert_eq!(id.hash.to_hex(), real.hash, "{:?}", real.era);
        assert_eq!((head.era, id.height, head.point.slot), (real.era, BlockHeight(real.height), Some(Slot(real.slot))));
        assert_eq!(head.parent.map(BlockHash::to_hex).as_deref(), Some(real.parent));
        assert_eq!(head.boundary, real.height == 0);
    }
}

#[test]
fn no_changed_bit_of_a_header_or_of_a_later_body_keeps_both_id_and_body() {
    for real in REAL {
        let good = bytes(real.text);
        let id = BlockHead::read(&good, EPOCH).unwrap().point.id;
        let byron = real.era == LedgerEra::Byron;
        // The era, which is not hashed, may be changed into one of the same form; the bodies of Byron are not checked.
        let end = if byron { 80 } else { good.len() };
        for place in 3..end {
            let mut bad = good.clone();
            bad[place] ^= 1;
            if let Ok(head) = BlockHead::read(&bad, EPOCH) {
                assert_ne!(head.point.id.hash, id.hash, "{:?}, byte {place}", real.era);
            }
        }
    }
}

#[test]
fn a_body_of_another_block_is_told_from_a_header_that_cannot_be_read() {
    let real = &REAL[REAL.len() - 1];
    let mut bad = bytes(real.text);
    let last = bad.len() - 1;
    bad[last] = 0x81;
    bad.push(0x00);
    let refused = BlockHead::read(&bad, EPOCH);
    assert!(matches!(refused, Err(BlockError::Body { block, .. }) if block.hash.to_hex() == real.hash), "{refused:?}");
    assert!(matches!(BlockHead::read(&bad[..last], EPOCH), Err(BlockError::Malformed { .. })));
    let mut later = bytes(real.text);
    later[1] = 8;
    assert_eq!(BlockHead::read(&later, EPOCH), Err(BlockError::Era { index: 7 }));
}

#[test]
fn no_prefix_and_no_random_bytes_panic() {
    let mut random = fastrand::Rng::with_seed(7);
    for real in REAL {
        let good = bytes(real.text);
        for length in (0..good.len()).step_by(3) {
            assert!(BlockHead::read(&good[..length], EPOCH).is_err());
        }
        for _ in 0..200 {
            let mut bad = good.clone();
            for _ in 0..4 {
                let place = random.usize(..bad.len().min(400));
                bad[place] = random.u8(..);
            }
            drop(BlockHead::read(&bad, EPOCH));
        }
    }
}

#[tokio::test]
async fn the_first_blocks_of_mainnet_follow_its_genesis_and_keep_its_time() {
    let mainnet = Genesis::known(&CardanoNetwork::mainnet()).unwrap();
    // The simulated node speaks for another magic; the rest is mainnet's.
    let genesis = Genesis { network: CardanoNetwork::custom("mainnet", crate::world::MAGIC), ..mainnet };
    let mut chain = SimChain::new(genesis.clone());
    for real in &REAL[..2] {
        assert!(chain.push(bytes(real.text)));
    }
    let world = World::of(chain);
    assert_eq!(world.source.scope().await.unwrap(), genesis.scope());
    let answer = extend(&world.source, &[genesis.origin()], 10).await.unwrap();
    let seen: Vec<_> = (answer.headers.iter())
        .map(|header| (header.point.id.height.0, header.point.id.hash.to_hex(), header.time.0))
        .collect();
    assert_eq!(seen, [(0, REAL[0].hash.to_owned(), 1_506_203_091), (1, REAL[1].hash.to_owned(), 1_506_203_091)]);
    assert_eq!(answer.headers[0].parent, genesis.hash);
    // Both blocks have slot 0; the node tells them apart by their hashes.
    for header in &answer.headers {
        assert_eq!(world.source.membership(&header.point).await.unwrap(), Membership::Canonical);
    }
}
