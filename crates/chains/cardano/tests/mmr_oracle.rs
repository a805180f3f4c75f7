//! Holds the mountain range against Mithril's own library.
#![allow(clippy::panic, clippy::unwrap_used)]

use mithril_common::crypto_helper::{MKMap, MKMapNode, MKProof, MKTree, MKTreeNode, MKTreeStoreInMemory};
use mithril_common::entities::{BlockNumber, BlockRange};
use nodewright_cardano::artifact::{LeafForm, MapProof, MmrAccumulator, MmrNode, MmrProof, MmrTree};

fn leaves(rng: &mut fastrand::Rng, count: usize) -> Vec<Vec<u8>> {
    let mut leaf = |index: usize| {
        let noise: Vec<u8> = (0..rng.usize(0..80)).map(|_| rng.u8(..)).collect();
        // Mithril finds leaves by their bytes, so they must differ.
        [&index.to_be_bytes()[..], &noise].concat()
    };
    (0..count).map(&mut leaf).collect()
}

fn theirs(leaves: &[Vec<u8>]) -> MKTree<MKTreeStoreInMemory> {
    MKTree::new_from_iter(leaves.iter().cloned().map(MKTreeNode::new)).unwrap()
}

/// Reads Mithril's proof through its own JSON.
fn ours(proof: &MKProof) -> MmrProof {
    let json = serde_json::to_value(proof).unwrap();
    let node =
        |value: &serde_json::Value| MmrNode::new(serde_json::from_value::<Vec<u8>>(value["hash"].clone()).unwrap());
    MmrProof {
        root: node(&json["inner_root"]),
        leaves: json["inner_leaves"]
            .as_array()
            .unwrap()
            .iter()
            .map(|leaf| (leaf[0].as_u64().unwrap(), node(&leaf[1])))
            .collect(),
        size: json["inner_proof_size"].as_u64().unwrap(),
        items: json["inner_proof_items"].as_array().unwrap().iter().map(node).collect(),
    }
}

#[test]
fn roots_equal_those_of_mithril_for_every_number_of_leaves() {
    let mut rng = fastrand::Rng::with_seed(1);
    for count in 1..=200 {
        let leaves = leaves(&mut rng, count);
        let expected = theirs(&leaves).compute_root().unwrap().to_hex();
        assert_eq!(leaves.iter().collect::<MmrAccumulator>().root().unwrap().to_hex(), expected, "{count} leaves");
    }
}

#[test]
fn proofs_of_mithril_hold_and_equal_ours() {
    let mut rng = fastrand::Rng::with_seed(2);
    for count in (1..=40).chain([63, 64, 65, 100, 150, 200]) {
        let leaves = leaves(&mut rng, count);
        let theirs = theirs(&leaves);
        let tree: MmrTree = leaves.iter().cloned().collect();
        for _ in 0..3 {
            let mut indices: Vec<usize> = (0..rng.usize(1..=count.min(9))).map(|_| rng.usize(0..count)).collect();
            indices.sort_unstable();
            indices.dedup();
            let chosen: Vec<MKTreeNode> = indices.iter().map(|index| MKTreeNode::new(leaves[*index].clone())).collect();
            let proof = ours(&theirs.compute_proof(&chosen).unwrap());
            proof.verify(LeafForm::Any).unwrap();
            assert_eq!(proof, tree.prove(&indices).unwrap(), "{count} leaves, {indices:?}");
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_breaks_a_proof() {
    let mut rng = fastrand::Rng::with_seed(3);
    for count in [2, 3, 7, 11, 50] {
        let tree: MmrTree = leaves(&mut rng, count).into_iter().collect();
        let good = tree.prove(&[rng.usize(0..count)]).unwrap();
        for _ in 0..50 {
            let mut bad = good.clone();
            let targets = 2 + bad.items.len();
            let target = match rng.usize(0..targets) {
                0 => &mut bad.root,
                1 => &mut bad.leaves[0].1,
                item => &mut bad.items[item - 2],
            };
            let mut bytes = target.as_bytes().to_vec();
            let at = rng.usize(0..bytes.len());
            bytes[at] ^= 1 << rng.u8(0..8);
            *target = MmrNode::new(bytes);
            bad.verify(LeafForm::Any).unwrap_err();
        }
    }
}

#[test]
fn proofs_in_two_storeys_read_and_write_as_mithril_does() {
    type Store = MKTreeStoreInMemory;
    let mut rng = fastrand::Rng::with_seed(4);
    for ranges in [1_u64, 2, 3, 5, 16, 40] {
        let mut entries = Vec::new();
        let mut hashes = Vec::new();
        for range in 0..ranges {
            let count = rng.usize(1..6);
            let mine: Vec<String> = (0..count).map(|_| format!("{:032x}{:032x}", rng.u128(..), rng.u128(..))).collect();
            let tree = MKTree::<Store>::new(&mine).unwrap();
            entries.push((BlockRange::from_block_number(BlockNumber(range * 15 * 7)), MKMapNode::from(tree)));
            hashes.extend(mine);
        }
        let map: MKMap<BlockRange, MKMapNode<BlockRange, Store>, Store> = MKMap::new(&entries).unwrap();
        rng.shuffle(&mut hashes);
        let chosen = &hashes[..hashes.len().min(4)];
        let theirs = map.compute_proof(chosen).unwrap();
        let json = hex::encode(serde_json::to_vec(&theirs).unwrap());
        let bincode = hex::encode(theirs.to_bytes().unwrap());
        let ours = MapProof::from_hex(&bincode).unwrap();
        assert_eq!(MapProof::from_hex(&json).unwrap(), ours);
        assert_eq!(ours.to_bincode_hex(), bincode);
        let again: mithril_common::crypto_helper::MKMapProof<BlockRange> =
            serde_json::from_slice(&hex::decode(ours.to_json_hex()).unwrap()).unwrap();
        assert_eq!(again, theirs);
        ours.verify(LeafForm::HashText).unwrap();
        assert_eq!(ours.root_hex(), map.compute_root().unwrap().to_hex());
        assert!(chosen.iter().all(|hash| ours.find(hash.as_bytes()).is_some()));
        assert_eq!(ours.find("0".repeat(64).as_bytes()), None);
    }
}
