//! Certified blocks of a real devnet as evidence, from an aggregator that may lie.

use std::fs;
use std::sync::Arc;

use nodewright_cardano::aggregator::{Aggregators, MithrilBlocks};
use nodewright_cardano::artifact::BlockProofs;
use nodewright_cardano::certificate::{ChainVerifier, MemoryAnchors};
use nodewright_cardano::keys::VerificationKey;
use nodewright_cardano::network::{CardanoNetwork, MithrilNetwork};
use nodewright_cardano::node::Genesis;
use nodewright_cardano::sim::aggregator::{SimAggregator, SimServer};
use nodewright_core::{
    BlockHash, BlockId, BlockPoint, BlockTime, ErrorKind, EvidenceClaim, EvidenceSource as _, Trust,
};

use crate::{corpus, options};

/// Is the devnet's genesis key, a published test key: 32 bytes as the hex of JSON.
const KEY: &str = "5b33322c3235332c3138362c3230312c3137372c31312c3131372c3133352c3138372c3136372c3138312c3138382c32322c35392c3230362c3130352c3233312c3135302c3231352c33302c37382c3231322c37362c31362c3235322c3138302c37322c3133342c3133372c3234372c3136312c36385d";

/// The proven blocks, oldest first.
fn points() -> Option<Vec<BlockPoint>> {
    let path = nodewright_testkit::corpus("mithril/devnet-2026/cblk-proofs.json")?;
    let proofs: std::collections::BTreeMap<String, BlockProofs> =
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let blocks = proofs.values().flat_map(|proofs| &proofs.certified_blocks.as_ref().unwrap().items);
    let mut points: Vec<_> = blocks
        .map(|block| BlockPoint {
            id: BlockId { height: block.block_number, hash: BlockHash::from_hex(&block.block_hash).unwrap() },
            slot: Some(block.slot_number),
        })
        .collect();
    points.sort_by_key(|point| point.id.height);
    Some(points)
}

fn source(server: &SimServer) -> MithrilBlocks {
    let cardano = CardanoNetwork::custom("devnet", 42);
    let network = MithrilNetwork::custom("devnet", cardano.clone(), KEY.parse::<VerificationKey>().unwrap());
    let aggregators = Arc::new(Aggregators::try_new([server.url().as_str()], &options()).unwrap());
    let genesis = Genesis::custom(cardano, BlockHash([1; 32]), BlockTime(0));
    MithrilBlocks::new(aggregators, ChainVerifier::new(network), Arc::new(MemoryAnchors::default()), genesis)
}

#[tokio::test]
async fn the_newest_certified_block_of_the_window_is_evidence_once_and_verifies_again() {
    let (Some(points), Some(contents)) = (points(), corpus::devnet()) else { return };
    let server = SimAggregator::new(contents).serve().unwrap();
    let source = source(&server);
    let unknown =
        BlockPoint { id: BlockId { height: nodewright_core::BlockHeight(9_999), ..points[0].id }, slot: None };

    assert_eq!(source.evidence(&[]).await.unwrap(), [], "nothing waits");
    assert_eq!(source.evidence(&[unknown]).await.unwrap(), [], "nothing that waits is certified yet");
    let window: Vec<_> = points.iter().copied().chain([unknown]).collect();
    let found = source.evidence(&window).await.unwrap();
    let newest = points.last().unwrap().id;
    assert_eq!(found.iter().map(|evidence| evidence.block()).collect::<Vec<_>>(), [newest]);
    assert!(found[0].is_certificate() && found[0].trust() == Trust::Checkpoint);
    assert_eq!(source.evidence(&window).await.unwrap(), [], "it was told");
    assert_eq!(source.evidence(&window[..3]).await.unwrap()[0].block(), points[2].id, "another block waits");

    let claim = EvidenceClaim::from(&found[0]);
    assert_eq!(source.verify(&claim).await.unwrap(), found[0]);
    let other = EvidenceClaim { block: points[0].id, ..claim };
    assert_eq!(source.verify(&other).await.unwrap_err().kind(), ErrorKind::Unverified);
}

#[tokio::test]
async fn a_proof_under_a_changed_certificate_is_no_evidence() {
    let (Some(points), Some(contents)) = (points(), corpus::devnet()) else { return };
    let sim = SimAggregator::new(contents);
    let server = sim.serve().unwrap();
    let honest = source(&server).evidence(&points).await.unwrap();
    let named: BlockProofs = serde_json::from_slice(EvidenceClaim::from(&honest[0]).bytes.as_ref()).unwrap();
    sim.update(|contents| {
        let mut changed = contents.certificate(&named.certificate_hash.to_string()).unwrap().clone();
        changed["metadata"]["sealed_at"] = "2026-05-21T14:42:30Z".into();
        contents.put_certificate(changed);
    });
    let error = source(&server).evidence(&points).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unverified, "{error}");
}
