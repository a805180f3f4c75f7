//! The real chain of a devnet, to its genesis.

use nodewright_cardano::certificate::rules::check_genesis_signature;
use nodewright_cardano::certificate::{BrokenRule, ChainEnd, ChainError, ChainEvent, MemoryAnchors};
use nodewright_cardano::keys::{Signature, VerificationKey};
use nodewright_cardano::network::MithrilNetwork;

use crate::corpus;
use crate::shelf::{Shelf, devnet_network, network, verifier, verify};

const GENESIS: &str = "57c16dc2";
/// The latest certificate of the epoch after which none comes.
const TIP: &str = "3e2956f8d42accfc4efbea02773737d745dfceff8013d96bc3db04aa506c65f3";

#[tokio::test]
async fn all_43_devnet_certificates_verify_to_the_genesis() {
    let Some(devnet) = corpus::devnet() else { return };
    let shelf = Shelf::new(devnet.values());
    let verifier = verifier(devnet_network());
    let anchors = MemoryAnchors::default();
    let mut checked = 0;
    for (tip, json) in &devnet {
        let chain = verifier
            .verify(&shelf, tip.parse().unwrap(), Some(&anchors), &mut |event| {
                checked += usize::from(matches!(event, ChainEvent::Checked { .. }));
            })
            .await
            .unwrap();
        assert_eq!(chain.tip.certificate(), &corpus::parse(json));
    }
    assert_eq!(checked, 43, "each certificate once: then it is an anchor");
}

#[tokio::test]
async fn the_chain_of_the_tip_goes_through_every_epoch_to_the_genesis() {
    let Some(devnet) = corpus::devnet() else { return };
    let shelf = Shelf::new(devnet.values());
    let mut epochs = Vec::new();
    let (mut fetched, mut checked) = (0, 0);
    let chain = verifier(devnet_network())
        .verify(&shelf, TIP.parse().unwrap(), None, &mut |event| match event {
            ChainEvent::Fetched { epoch, fetched: count, .. } => {
                epochs.push(epoch.0);
                fetched = count;
            }
            ChainEvent::Checked { checked: count, .. } => checked = count,
            other => panic!("{other:?}"),
        })
        .await
        .unwrap();
    assert!(matches!(chain.end, ChainEnd::Genesis(hash) if hash.to_string().starts_with(GENESIS)));
    assert_eq!(epochs, [25, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15].map(|epoch: u64| epoch));
    assert_eq!((chain.fetched, fetched, checked), (12, 12, 12));
}

#[tokio::test]
async fn another_genesis_key_or_network_is_refused() {
    let Some(devnet) = corpus::devnet() else { return };
    let shelf = Shelf::new(devnet.values());
    let mainnet = MithrilNetwork::known("release-mainnet").unwrap().genesis_key;
    match verify(&verifier(network("devnet", mainnet)), &shelf, TIP, None).await {
        Err(ChainError::Rule { certificate, rule: BrokenRule::GenesisSignature(_) }) => {
            assert!(certificate.to_string().starts_with(GENESIS));
        }
        other => panic!("{other:?}"),
    }
    let preprod = network("preprod", devnet_network().genesis_key);
    match verify(&verifier(preprod), &shelf, TIP, None).await {
        Err(ChainError::Rule { certificate, rule: BrokenRule::Network { expected, found } }) => {
            assert_eq!((certificate.to_string().as_str(), &*expected, &*found), (TIP, "preprod", "devnet"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_genesis_signature_of_preview_verifies_with_the_published_key() {
    let Some(golden) = corpus::json("preview-2023/golden-certificates.json") else { return };
    let genesis = &golden["genesis"];
    let signature: Signature = genesis["genesis_signature"].as_str().unwrap().parse().unwrap();
    let message = genesis["signed_message"].as_str().unwrap().as_bytes();
    let key = |name| -> VerificationKey { MithrilNetwork::known(name).unwrap().genesis_key };
    assert!(key("pre-release-preview").verify(message, &signature).is_ok());
    assert!(key("release-mainnet").verify(message, &signature).is_err());
    assert!(key("pre-release-preview").verify(&message[1..], &signature).is_err());
}

#[test]
fn a_flipped_bit_in_the_genesis_signature_is_refused() {
    let Some(devnet) = corpus::devnet() else { return };
    let json = devnet.iter().find(|(hash, _)| hash.starts_with(GENESIS)).unwrap().1;
    let key = devnet_network().genesis_key;
    assert_eq!(check_genesis_signature(&corpus::parse(json), &key), Ok(()));
    let signature: Signature = json["genesis_signature"].as_str().unwrap().parse().unwrap();
    for bit in (0..512_usize).step_by(13) {
        let mut bytes = signature.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut flipped = json.clone();
        flipped["genesis_signature"] = Signature::from_bytes(bytes).to_bytes_hex().into();
        let refused = check_genesis_signature(&corpus::parse(&flipped), &key);
        assert!(matches!(refused, Err(BrokenRule::GenesisSignature(_))), "bit {bit}");
    }
}
