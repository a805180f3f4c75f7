//! Resuming from anchors, and what must not pass for one.

use std::fs;

use nodewright_cardano::certificate::{
    AnchorStore, ChainEnd, ChainError, ChainVerifier, FileAnchors, MemoryAnchors, NetworkFingerprint,
};
use nodewright_cardano::network::{CardanoNetwork, MithrilNetwork};
use nodewright_core::Secret;
use serde_json::{Value, json};

use crate::corpus;
use crate::shelf::{Shelf, devnet_network, verifier, verify};

const TIP: &str = "1e2e740710df0ee945d97586133d90e794a887b06739a614b6fac82b04e1b088";
const MIDDLE: &str = "196d68ff255ea4ef0e5cb837ebb91e4686dbcf29a06d6343a39f76999b5d37b0";

fn shelf() -> Option<(Shelf, std::collections::BTreeMap<String, Value>)> {
    let devnet = corpus::devnet()?;
    Some((Shelf::new(devnet.values()), devnet))
}

#[tokio::test]
async fn a_resumed_verification_costs_what_is_new() {
    let Some((shelf, _)) = shelf() else { return };
    let folder = tempfile::tempdir().unwrap();
    let verifier = verifier(devnet_network());
    let path = folder.path().join("anchors.json");
    let first = verify(&verifier, &shelf, MIDDLE, Some(&FileAnchors::new(&path))).await.unwrap();
    assert!(matches!(first.end, ChainEnd::Genesis(_)));
    assert_eq!(shelf.asked(), 10);
    // Another store on the same file, as after a restart.
    let again = verify(&verifier, &shelf, MIDDLE, Some(&FileAnchors::new(&path))).await.unwrap();
    assert_eq!((again.end, again.tip, shelf.asked()), (ChainEnd::Anchor(MIDDLE.parse().unwrap()), first.tip, 1));
    let new = verify(&verifier, &shelf, TIP, Some(&FileAnchors::new(&path))).await.unwrap();
    assert_eq!((new.end, shelf.asked()), (ChainEnd::Anchor(MIDDLE.parse().unwrap()), 2));
    let known = verify(&verifier, &shelf, TIP, Some(&FileAnchors::new(&path))).await.unwrap();
    assert_eq!((known.end, shelf.asked()), (ChainEnd::Anchor(TIP.parse().unwrap()), 1));
}

#[tokio::test]
async fn a_certificate_that_changed_since_is_refused() {
    let Some((mut shelf, devnet)) = shelf() else { return };
    let anchors = MemoryAnchors::default();
    let verifier = verifier(devnet_network());
    verify(&verifier, &shelf, MIDDLE, Some(&anchors)).await.unwrap();
    let edits: [fn(&mut Value); 4] = [
        |json| json["metadata"]["signers"][0]["stake"] = json!(1),
        |json| json["aggregate_verification_key_snark"] = json!("00"),
        |json| json["protocol_message"]["message_parts"]["current_epoch"] = json!("9"),
        |json| json["epoch"] = json!(23),
    ];
    for (index, edit) in edits.iter().enumerate() {
        let mut edited = devnet[MIDDLE].clone();
        edit(&mut edited);
        shelf.put(&edited);
        let refused = verify(&verifier, &shelf, MIDDLE, Some(&anchors)).await.unwrap_err();
        assert!(matches!(refused, ChainError::AnchorMismatch { hash } if hash.to_string() == MIDDLE), "{index}");
    }
}

#[tokio::test]
async fn an_edited_row_is_refused() {
    let Some((shelf, _)) = shelf() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anchors.json");
    let store = FileAnchors::new(&path);
    let verifier = verifier(devnet_network());
    verify(&verifier, &shelf, MIDDLE, Some(&store)).await.unwrap();
    let original = fs::read_to_string(&path).unwrap();
    let row = |file: &mut Value| {
        let rows = file["anchors"].as_array().unwrap();
        rows.iter().position(|row| row["certificate"] == json!(MIDDLE)).unwrap()
    };
    let edits: [&dyn Fn(&mut Value); 2] = [
        &|file| {
            let row = row(file);
            let digest = file["anchors"][row]["digest"].as_str().unwrap().to_owned();
            let first = if digest.starts_with('0') { "1" } else { "0" };
            file["anchors"][row]["digest"] = json!(format!("{first}{}", &digest[1..]));
        },
        &|file| {
            let row = row(file);
            file["anchors"][row]["epoch"] = json!(99);
        },
    ];
    for edit in edits {
        let mut file: Value = serde_json::from_str(&original).unwrap();
        edit(&mut file);
        fs::write(&path, file.to_string()).unwrap();
        let refused = verify(&verifier, &shelf, MIDDLE, Some(&store)).await.unwrap_err();
        assert!(matches!(refused, ChainError::AnchorMismatch { .. }), "{refused:?}");
    }
}

/// Plants, for a certificate that was never verified, the digest of another one.
#[tokio::test]
async fn a_digest_serves_one_certificate_only() {
    let Some((shelf, _)) = shelf() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anchors.json");
    let store = FileAnchors::new(&path);
    let verifier = verifier(devnet_network());
    verify(&verifier, &shelf, MIDDLE, Some(&store)).await.unwrap();
    let planted = fs::read_to_string(&path).unwrap().replace(MIDDLE, TIP).replace("\"epoch\": 24", "\"epoch\": 25");
    fs::write(&path, planted).unwrap();
    let refused = verify(&verifier, &shelf, TIP, Some(&store)).await.unwrap_err();
    assert!(matches!(refused, ChainError::AnchorMismatch { .. }), "{refused:?}");
}

/// Saves the anchors of one network as if they were another's.
async fn carry_over(from: &MithrilNetwork, to: &MithrilNetwork, anchors: &MemoryAnchors) {
    let stolen = anchors.load(&NetworkFingerprint::from(from)).await.unwrap();
    assert!(!stolen.is_empty());
    anchors.save(&NetworkFingerprint::from(to), &stolen).await.unwrap();
}

#[tokio::test]
async fn anchors_of_another_genesis_or_network_are_refused() {
    let Some((shelf, _)) = shelf() else { return };
    let devnet = devnet_network();
    let mainnet_key = MithrilNetwork::known("release-mainnet").unwrap().genesis_key;
    let others = [
        MithrilNetwork::custom("other key", CardanoNetwork::devnet(), mainnet_key),
        MithrilNetwork::custom("other magic", CardanoNetwork::custom("devnet", 43), devnet.genesis_key),
    ];
    for other in others {
        let anchors = MemoryAnchors::default();
        verify(&verifier(devnet.clone()), &shelf, MIDDLE, Some(&anchors)).await.unwrap();
        carry_over(&devnet, &other, &anchors).await;
        let refused = verify(&verifier(other), &shelf, MIDDLE, Some(&anchors)).await.unwrap_err();
        assert!(matches!(refused, ChainError::AnchorMismatch { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn anchors_under_a_key_need_that_key() {
    let Some((shelf, _)) = shelf() else { return };
    let keyed = |key: u8| -> ChainVerifier { verifier(devnet_network()).with_anchor_key(Secret::new([key; 32])) };
    let anchors = MemoryAnchors::default();
    verify(&keyed(1), &shelf, MIDDLE, Some(&anchors)).await.unwrap();
    assert!(verify(&keyed(1), &shelf, MIDDLE, Some(&anchors)).await.is_ok());
    for other in [keyed(2), verifier(devnet_network())] {
        let refused = verify(&other, &shelf, MIDDLE, Some(&anchors)).await.unwrap_err();
        assert!(matches!(refused, ChainError::AnchorMismatch { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn the_digest_of_an_anchor_is_the_golden_one() {
    let Some((shelf, _)) = shelf() else { return };
    let anchors = MemoryAnchors::default();
    verify(&verifier(devnet_network()), &shelf, MIDDLE, Some(&anchors)).await.unwrap();
    let stored = anchors.load(&NetworkFingerprint::from(&devnet_network())).await.unwrap();
    let digest = stored.find(&MIDDLE.parse().unwrap()).unwrap().digest;
    // A change here makes every stored anchor worthless: it needs another format number.
    assert_eq!(digest.to_string(), "d4d7a2025c43787f03d34e644629c5567f636e4cbed655e30f10bbff0599e766");
}
