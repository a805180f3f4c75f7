//! Mithril's certificates of blocks as evidence of finality: real ones of a devnet.

use std::collections::BTreeMap;
use std::fs;

use nodewright_cardano::artifact::{
    BindError, BlockEvidenceError, BlockProofs, ChainProofError, TransactionProofs, block_evidence, verify_block_claim,
};
use nodewright_cardano::certificate::{Certificate, VerifiedCertificate};
use nodewright_cardano::network::CardanoNetwork;
use nodewright_cardano::node::Genesis;
use nodewright_core::{BlockHash, BlockTime, Evidence, EvidenceClaim, Slot, Trust};
use nodewright_testkit::corpus;
use serde::de::DeserializeOwned;

type Map<T> = BTreeMap<String, T>;

fn read<T: DeserializeOwned>(name: &str) -> Option<Map<T>> {
    let path = corpus(&format!("mithril/devnet-2026/{name}"))?;
    Some(serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
}

/// Takes a certificate of the corpus as verified; other tests verify all of them.
fn verified(certificate: &Certificate) -> VerifiedCertificate {
    VerifiedCertificate::attest(certificate.clone())
}

fn devnet(certificate: &Certificate) -> Genesis {
    let network = CardanoNetwork::custom(certificate.metadata.network.clone(), 42);
    Genesis::custom(network, BlockHash([1; 32]), BlockTime(0))
}

#[test]
fn each_proven_block_of_the_devnet_is_evidence_of_its_hash_and_verifies_again_from_its_bytes() {
    let Some(certificates) = read::<Certificate>("certificates.json") else { return };
    let proofs = read::<BlockProofs>("cblk-proofs.json").unwrap();
    for (hash, answer) in &proofs {
        let certificate = &certificates[&answer.certificate_hash.to_string()];
        let genesis = devnet(certificate);
        let found = block_evidence(&verified(certificate), answer, &genesis).unwrap();
        let one: &Evidence = &found[0];
        assert_eq!((found.len(), one.block().hash.to_hex()), (1, hash.clone()));
        assert_eq!((one.block().height, one.trust()), (item(answer).block_number, Trust::Checkpoint));
        assert!(one.is_certificate());

        let claim = EvidenceClaim::from(one);
        assert_eq!(verify_block_claim(&claim, &verified(certificate), &genesis).as_ref(), Ok(one));
        let other =
            EvidenceClaim { block: nodewright_core::BlockId { hash: BlockHash([2; 32]), ..claim.block }, ..claim };
        let refused = verify_block_claim(&other, &verified(certificate), &genesis);
        assert_eq!(refused, Err(BlockEvidenceError::Missing { block: other.block }));
    }
    assert_eq!(proofs.len(), 20);
}

#[test]
fn a_changed_block_another_certificate_and_another_network_are_no_evidence() {
    let Some(certificates) = read::<Certificate>("certificates.json") else { return };
    let proofs = read::<BlockProofs>("cblk-proofs.json").unwrap();
    let answer = proofs.values().next().unwrap();
    let certificate = &certificates[&answer.certificate_hash.to_string()];
    let genesis = devnet(certificate);
    let evidence = |answer: &BlockProofs, certificate: &Certificate, genesis: &Genesis| {
        block_evidence(&verified(certificate), answer, genesis)
    };

    let mut higher = answer.clone();
    higher.certified_blocks.as_mut().unwrap().items[0].block_number.0 += 1;
    let refused = evidence(&higher, certificate, &genesis);
    assert!(matches!(refused, Err(BlockEvidenceError::Proof(ChainProofError::NotProven { .. }))), "{refused:?}");

    let another = certificates.values().find(|other| other.hash != certificate.hash).unwrap();
    let refused = evidence(answer, another, &genesis);
    let bound = BlockEvidenceError::Proof(ChainProofError::Bind(BindError::Certificate {
        given: another.hash,
        stated: certificate.hash,
    }));
    assert_eq!(refused, Err(bound));

    let elsewhere = Genesis::custom(CardanoNetwork::preview(), BlockHash([1; 32]), BlockTime(0));
    assert!(matches!(evidence(answer, certificate, &elsewhere), Err(BlockEvidenceError::Network { .. })));

    let byron = genesis.with_byron_end(Slot(item(answer).slot_number.0 + 1));
    assert_eq!(evidence(answer, certificate, &byron), Ok(Vec::new()));
}

#[test]
fn a_certificate_of_transactions_names_no_block() {
    let Some(certificates) = read::<Certificate>("certificates.json") else { return };
    let transactions = read::<TransactionProofs>("ctx-proofs.json").unwrap().into_values().next().unwrap();
    let certificate = &certificates[&transactions.certificate_hash.to_string()];
    let mut answer = read::<BlockProofs>("cblk-proofs.json").unwrap().into_values().next().unwrap();
    answer.certificate_hash = transactions.certificate_hash;
    let refused = block_evidence(&verified(certificate), &answer, &devnet(certificate));
    let is_of_another_kind =
        matches!(refused, Err(BlockEvidenceError::Proof(ChainProofError::Bind(BindError::Entity { .. }))));
    assert!(is_of_another_kind, "{refused:?}");
}

fn item(answer: &BlockProofs) -> &nodewright_cardano::artifact::CertifiedBlock {
    &answer.certified_blocks.as_ref().unwrap().items[0]
}
