//! Recomputes every artifact of the corpus and binds it to its real certificate.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;

use nodewright_cardano::artifact::{
    BindError, BlockProofs, CardanoStakeDistribution, CertifiedDigests, CertifiedDigestsError, ChainProofError,
    DigestList, MapError, MapProof, MithrilStakeDistribution, MmrNode, StakeError, TransactionProofs,
    TransactionProofsV2, blocks_transactions_hash, database_hash, transactions_hash,
};
use nodewright_cardano::certificate::{Certificate, MessagePartKey};
use nodewright_cardano::network::CardanoNetwork;
use nodewright_cardano::snapshot::{PlanError, RestorePlan, Snapshot, SnapshotChoice, SnapshotSummary};
use nodewright_cardano::{ImmutableFileNumber, Stake};
use nodewright_core::{BlockHeight, Epoch};
use nodewright_testkit::corpus;
use serde::de::DeserializeOwned;
use serde_json::Value;

type Map<T> = BTreeMap<String, T>;

fn read<T: DeserializeOwned>(path: &str) -> Option<T> {
    let path = corpus(&format!("mithril/{path}"))?;
    Some(serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn root(value: &Value) -> MmrNode {
    MmrNode::new(hex::decode(text(value)).unwrap())
}

fn digests() -> Option<DigestList> {
    let archive = fs::read(corpus("mithril/preprod-2026/digests.tar.zst")?).unwrap();
    let mut archive = tar::Archive::new(zstd::Decoder::new(&archive[..]).unwrap());
    let mut json = Vec::new();
    archive.entries().unwrap().next().unwrap().unwrap().read_to_end(&mut json).unwrap();
    Some(DigestList::from_json(&json).unwrap())
}

#[test]
fn all_digests_of_preprod_give_the_root_that_the_certificate_signs() {
    let (Some(digests), Some(certificate)) =
        (digests(), read::<Certificate>("preprod-2026/cardano_database_certificate.json"))
    else {
        return;
    };
    assert_eq!(digests.len(), 17_433);
    let certified = CertifiedDigests::check(digests.clone(), &certificate).unwrap();
    assert_eq!(certified.root().to_hex(), "260f03a98322e0e1f84ca6f831e82096ba25be3d4398e16b81ca2a7e95d3dbbb");
    assert_eq!(certified.certificate().to_string(), "4f506ee4ae73b0421671f0418edb853a2a064dc8589165b44e76c7a0779ae2c0");
    let detail: Value = read("preprod-2026/cardano_database_detail.json").unwrap();
    assert_eq!(database_hash(certified.beacon().epoch, certified.root()), text(&detail["hash"]));

    let mut wrong = digests.clone();
    let (file, digest) = digests.iter().nth(12_345).map(|(file, digest)| (file, *digest)).unwrap();
    let mut flipped = digest;
    flipped[31] ^= 1;
    wrong.insert(file, flipped);
    let refused = CertifiedDigests::check(wrong, &certificate);
    assert!(matches!(
        refused,
        Err(CertifiedDigestsError::Bind(BindError::Part { part: MessagePartKey::CardanoDatabaseMerkleRoot, .. }))
    ));
}

#[test]
fn real_snapshots_fit_their_certificates_and_no_others() {
    let Some(certificate) = read::<Certificate>("preprod-2026/cardano_database_certificate.json") else { return };
    let snapshot: Snapshot = read("preprod-2026/cardano_database_detail.json").unwrap();
    let list: Vec<SnapshotSummary> = read("preprod-2026/cardano_database_list.json").unwrap();
    assert_eq!(SnapshotChoice::Latest.find(&list).unwrap().hash, snapshot.hash);
    assert_eq!(SnapshotChoice::Hash(snapshot.hash.clone()).find(&list).unwrap().beacon, snapshot.beacon);
    assert_eq!(SnapshotChoice::Epoch(Epoch(1)).find(&list), None);
    let first = snapshot.immutables.locations[0].uri(Some(ImmutableFileNumber(12))).unwrap();
    assert!(first.ends_with("/immutable/00012.tar.zst"), "{first}");
    RestorePlan::try_new(snapshot.clone(), certificate.clone(), CardanoNetwork::preprod()).unwrap();
    let preview = RestorePlan::try_new(snapshot, certificate, CardanoNetwork::preview());
    assert!(matches!(preview, Err(PlanError::Network { .. })));

    let certificates: Map<Certificate> = read("devnet-2026/certificates.json").unwrap();
    let snapshots: Map<Snapshot> = read("devnet-2026/cardano-databases.json").unwrap();
    for snapshot in snapshots.values() {
        for certificate in certificates.values() {
            let plan = RestorePlan::try_new(snapshot.clone(), certificate.clone(), CardanoNetwork::devnet());
            assert_eq!(plan.is_ok(), certificate.hash == snapshot.certificate_hash);
        }
    }
}

#[test]
fn names_of_databases_and_sets_are_recomputed_and_their_roots_signed() {
    let Some(certificates) = read::<Map<Certificate>>("devnet-2026/certificates.json") else { return };
    let signed = |item: &Value, part| {
        certificates[text(&item["certificate_hash"])].protocol_message.part(part).unwrap().to_owned()
    };
    let databases: Map<Value> = read("devnet-2026/cardano-databases.json").unwrap();
    for (hash, item) in &databases {
        let epoch = Epoch(item["beacon"]["epoch"].as_u64().unwrap());
        assert_eq!(&database_hash(epoch, &root(&item["merkle_root"])), hash);
        assert_eq!(signed(item, MessagePartKey::CardanoDatabaseMerkleRoot), text(&item["merkle_root"]));
    }
    let number = |item: &Value, name: &str| BlockHeight(item[name].as_u64().unwrap());
    let transactions: Map<Value> = read("devnet-2026/ctx-snapshots.json").unwrap();
    for (hash, item) in &transactions {
        assert_eq!(&transactions_hash(&root(&item["merkle_root"]), number(item, "block_number")), hash);
    }
    let both: Map<Value> = read("devnet-2026/cardano-blocks-txs-snapshots.json").unwrap();
    for (hash, item) in &both {
        let (last, tip) = (number(item, "block_number_signed"), number(item, "block_number_tip"));
        assert_eq!(&blocks_transactions_hash(&root(&item["merkle_root"]), last, tip), hash);
    }
    assert_eq!((databases.len(), transactions.len(), both.len()), (11, 18, 17));
}

#[test]
fn every_mithril_stake_distribution_of_the_devnet_gives_the_key_that_its_certificate_signs() {
    let Some(certificates) = read::<Map<Certificate>>("devnet-2026/certificates.json") else { return };
    let distributions: Map<MithrilStakeDistribution> = read("devnet-2026/mithril-stake-distributions.json").unwrap();
    assert_eq!(distributions.len(), 9);
    for distribution in distributions.values() {
        let certificate = &certificates[&distribution.certificate_hash.to_string()];
        distribution.check(certificate).unwrap();

        let mut other = distribution.clone();
        other.signers[0].stake = Stake(other.signers[0].stake.0 + 1);
        assert!(matches!(other.check(certificate), Err(StakeError::Hash { .. })));
        other.hash = other.compute_hash();
        assert!(matches!(
            other.check(certificate),
            Err(StakeError::Bind(BindError::Part { part: MessagePartKey::NextAggregateVerificationKey, .. }))
        ));
    }
}

#[test]
fn stake_distributions_of_preprod_give_the_keys_of_112_and_113() {
    let Some(distributions) = read::<Map<MithrilStakeDistribution>>("preprod-2023/mithril-stake-distributions.json")
    else {
        return;
    };
    let certificates: Map<Certificate> = read("preprod-2023/certificates.json").unwrap();
    let key = |epoch| {
        let distribution = distributions.values().find(|distribution| distribution.epoch == Epoch(epoch)).unwrap();
        assert_eq!(distribution.compute_hash(), distribution.hash);
        distribution.aggregate_verification_key().unwrap()
    };
    let signed = certificates.values().find(|certificate| certificate.epoch == Epoch(113)).unwrap();
    assert_eq!(key(112), signed.aggregate_verification_key);
    let next = signed.protocol_message.part(MessagePartKey::NextAggregateVerificationKey);
    assert_eq!(Some(key(113).as_str()), next);
}

#[test]
fn every_cardano_stake_distribution_gives_the_root_that_its_certificate_signs() {
    let Some(certificates) = read::<Map<Certificate>>("devnet-2026/certificates.json") else { return };
    let distributions: Map<CardanoStakeDistribution> = read("devnet-2026/cardano-stake-distributions.json").unwrap();
    assert_eq!(distributions.len(), 9);
    for distribution in distributions.values() {
        let certificate = &certificates[&distribution.certificate_hash.to_string()];
        distribution.check(certificate).unwrap();

        let mut other = distribution.clone();
        let stake = other.stake_distribution.values_mut().next().unwrap();
        *stake = Stake(stake.0 ^ 1);
        other.hash = other.compute_hash();
        assert!(matches!(
            other.check(certificate),
            Err(StakeError::Bind(BindError::Part { part: MessagePartKey::CardanoStakeDistributionMerkleRoot, .. }))
        ));

        // The end of an id moved into the stake gives the same leaf.
        let mut moved = distribution.clone();
        let (pool, stake) = moved.stake_distribution.pop_first().unwrap();
        let joined = format!("{}{stake}", &pool[pool.len() - 1..]);
        if let Ok(joined) = joined.parse() {
            moved.stake_distribution.insert(pool[..pool.len() - 1].to_owned(), Stake(joined));
            assert!(matches!(moved.check(certificate), Err(StakeError::PoolId { .. })));
        }
    }
}

/// Flips bits of a proof's text, one at a time, and returns where it still held.
///
/// A root does not say how many nodes are under it, so several numbers of nodes may lead to it. That proves nothing else,
/// and is left out.
fn held_after_flips(proof: &str, mut holds: impl FnMut(String) -> bool) -> Vec<usize> {
    let bytes = hex::decode(proof).unwrap();
    let step = (bytes.len() / 150).max(1);
    let without_sizes = |text: &str| {
        let mut proof = MapProof::from_hex(text).unwrap();
        proof.master.size = 0;
        proof.ranges.iter_mut().for_each(|(_, part)| part.size = 0);
        proof
    };
    (0..bytes.len())
        .step_by(step)
        .filter(|at| {
            let mut flipped = bytes.clone();
            flipped[*at] ^= 1 << (at % 8);
            let text = hex::encode(flipped);
            holds(text.clone()) && without_sizes(&text) != without_sizes(proof)
        })
        .collect()
}

#[test]
fn proofs_of_transactions_hold_and_break_with_any_bit() {
    let Some(certificates) = read::<Map<Certificate>>("devnet-2026/certificates.json") else { return };
    let answers: Map<TransactionProofs> = read("devnet-2026/ctx-proofs.json").unwrap();
    assert_eq!(answers.len(), 4);
    for (hash, answer) in &answers {
        let certificate = &certificates[&answer.certificate_hash.to_string()];
        assert_eq!(answer.verify(certificate).as_ref(), Ok(&vec![hash.clone()]));

        let mut flipped = answer.clone();
        let held = held_after_flips(&answer.certified_transactions[0].proof, |proof| {
            flipped.certified_transactions[0].proof = proof;
            flipped.verify(certificate).is_ok()
        });
        assert_eq!(held, Vec::<usize>::new());

        let mut other = answer.clone();
        other.certified_transactions[0].transactions_hashes[0].replace_range(0..1, "z");
        assert!(matches!(other.verify(certificate), Err(ChainProofError::NotProven { .. })));
        let mut later = answer.clone();
        later.latest_block_number.0 += 1;
        assert!(matches!(later.verify(certificate), Err(ChainProofError::Bind(BindError::Entity { .. }))));
        let another = certificates.values().find(|other| other.hash != certificate.hash).unwrap();
        assert!(matches!(answer.verify(another), Err(ChainProofError::Bind(BindError::Certificate { .. }))));
    }
}

#[test]
fn proofs_of_the_second_route_hold_and_break_with_any_bit() {
    let Some(certificates) = read::<Map<Certificate>>("devnet-2026/certificates.json") else { return };
    let transactions: Map<TransactionProofsV2> = read("devnet-2026/ctx-proofs-v2.json").unwrap();
    for (hash, answer) in &transactions {
        let certificate = &certificates[&answer.certificate_hash.to_string()];
        assert_eq!(&answer.verify(certificate).unwrap()[0].transaction_hash, hash);
        let set = answer.certified_transactions.as_ref().unwrap();
        let held = held_after_flips(&set.proof, |proof| {
            let mut flipped = answer.clone();
            flipped.certified_transactions.as_mut().unwrap().proof = proof;
            flipped.verify(certificate).is_ok()
        });
        assert_eq!(held, Vec::<usize>::new());
    }
    let blocks: Map<BlockProofs> = read("devnet-2026/cblk-proofs.json").unwrap();
    for (hash, answer) in &blocks {
        let certificate = &certificates[&answer.certificate_hash.to_string()];
        assert_eq!(&answer.verify(certificate).unwrap()[0].block_hash, hash);
        let set = answer.certified_blocks.as_ref().unwrap();
        let held = held_after_flips(&set.proof, |proof| {
            let mut flipped = answer.clone();
            flipped.certified_blocks.as_mut().unwrap().proof = proof;
            flipped.verify(certificate).is_ok()
        });
        assert_eq!(held, Vec::<usize>::new());

        let mut other = answer.clone();
        other.certified_blocks.as_mut().unwrap().items[0].slot_number.0 += 1;
        assert!(matches!(other.verify(certificate), Err(ChainProofError::NotProven { .. })));
    }
    assert_eq!((transactions.len(), blocks.len()), (4, 20));
}

#[test]
fn a_second_leaf_at_a_proven_position_proves_nothing() {
    let Some(certificates) = read::<Map<Certificate>>("devnet-2026/certificates.json") else { return };
    let answers: Map<TransactionProofs> = read("devnet-2026/ctx-proofs.json").unwrap();
    let mut forged = answers.into_values().next().unwrap();
    let certificate = &certificates[&forged.certificate_hash.to_string()];
    let set = &mut forged.certified_transactions[0];
    let invented = "0123456789abcdef".repeat(4);
    let mut proof: Value = serde_json::from_slice(&hex::decode(&set.proof).unwrap()).unwrap();
    let leaves = proof["sub_proofs"][0][1]["master_proof"]["inner_leaves"].as_array_mut().unwrap();
    leaves.push(serde_json::json!([leaves[0][0], { "hash": invented.as_bytes() }]));
    set.proof = hex::encode(proof.to_string());
    set.transactions_hashes = vec![invented];
    assert!(matches!(forged.verify(certificate), Err(ChainProofError::Proof(MapError::Part { .. }))));
}
