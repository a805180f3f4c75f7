//! Markers, payloads and datums against golden values, and the adapters against files and a simulated node.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nodewright_cardano::era::{
    BootstrapMarkers, ChainMarkers, DatumError, DummyMarkers, EraAdapterConfig, FileMarkers, Finding, GenerateError,
    GuardFile, GuardStateError, Marker, MarkerOrigin, MarkerSource, Markers, MarkersChange, MarkersDatum,
    MarkersPayload, MithrilEraReader, NodePositions, PayloadError, Pin, RejectReason, SetPositions, SignedMarkers,
    generate_markers,
};
use nodewright_cardano::keys::{KeyError, SigningKey, VerificationKey};
use nodewright_cardano::network::MithrilNetwork;
use nodewright_cardano::node::{Address, AddressNetwork, ChainReader, NodeSocket, NodeSocketOptions};
use nodewright_cardano::sim::node::{SimDatum, SimLedger, SimNode};
use nodewright_core::{BlockHeight, ChainPosition, Epoch, EraId, EraPositions, EraReader, ErrorKind, SupportedEras};

/// The key that Mithril's deterministic test signer makes (`mithril-common`, `ChaCha20Rng` seeded with zeros).
const SECRET: &str = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7";
const PUBLIC: &str = "20fdbac9b10b7587bba7b5bc163bce69e796d71e4ed44c10fcb4488689f7a144";

/// The signed payload of a golden test of Mithril's chain adapter (`mithril-era`).
const PAYLOAD: &str = concat!(
    r#"{"markers":[{"name":"thales","epoch":1},{"name":"pythagoras","epoch":2}],"signature":""#,
    "c5979e33f1c3b47ca0ab5298e655b1bde25eed08f5b2e56f3ad9b9d7681adf18",
    "e1deebb71aa5aa2cb465dd81229c67ec002dc9f2f5c66df9131d6eac09fee70e",
    r#""}"#
);

/// The datum of a golden test of Mithril's node observer: pieces of 64, 64 and 56 bytes.
const DATUM: &str = concat!(
    "d8799f",
    "58407b226d61726b657273223a5b7b226e616d65223a227468616c6573222c2265706f6368223a307d5d2c227369676e6174757265",
    "223a2238356632326562626164",
    "584033333537633865613264663036323039376639613138306464333564396633626131643236383263373263386431323238386661",
    "643863623864306365656562",
    "5838366134643665383465653865353631376164323037313836366363313930373466326137366538373864663166393733346438",
    "343061227d",
    "ff"
);

/// The same datum as `cardano-cli` prints and takes it.
const CLI_DATUM: &str = concat!(
    r#"{"constructor":0,"fields":[{"bytes":""#,
    "7b226d61726b657273223a5b7b226e616d65223a227468616c6573222c2265706f6368223a307d5d2c227369676e6174757265223a22",
    "38356632326562626164",
    r#""},{"bytes":""#,
    "33333537633865613264663036323039376639613138306464333564396633626131643236383263373263386431323238386661643863",
    "623864306365656562",
    r#""},{"bytes":""#,
    "366134643665383465653865353631376164323037313836366363313930373466326137366538373864663166393733346438343061",
    "227d",
    r#""}]}"#
);

fn secret() -> SigningKey {
    SECRET.parse().unwrap()
}

fn list(markers: &[(&str, Option<u64>)]) -> Markers {
    let marker = |&(name, epoch): &(&str, Option<u64>)| Marker::new(name.try_into().unwrap(), epoch.map(Epoch));
    Markers::try_new(markers.iter().map(marker)).unwrap()
}

fn eras(names: &[&str]) -> SupportedEras {
    SupportedEras::try_new(names.iter().map(|name| EraId::try_new(*name).unwrap())).unwrap()
}

#[test]
fn the_golden_payload_is_read_verified_and_signed_again_byte_by_byte() {
    let key: VerificationKey = PUBLIC.parse().unwrap();
    assert_eq!(secret().verification_key(), key);
    let signed = MarkersPayload::parse(PAYLOAD.as_bytes()).unwrap().verify(&key).unwrap();
    let markers = list(&[("thales", Some(1)), ("pythagoras", Some(2))]);
    assert_eq!((signed.markers(), signed.to_json().as_str()), (&markers, PAYLOAD));
    assert_eq!(SignedMarkers::sign(markers, &secret()), signed);
}

#[test]
fn the_golden_datum_is_read_and_written_in_both_forms() {
    let datum = MarkersDatum::from_cbor(&hex::decode(DATUM).unwrap()).unwrap();
    assert_eq!(datum.payload().len(), 184);
    assert_eq!(hex::encode(datum.to_cbor()), DATUM);
    assert_eq!(datum.to_cli_json(), CLI_DATUM);
    assert_eq!(MarkersDatum::from_cli_json(CLI_DATUM).unwrap(), datum);
    let payload = MarkersPayload::parse(datum.payload()).unwrap();
    assert_eq!(payload.unverified(), &list(&[("thales", Some(0))]));
}

#[test]
fn every_flipped_bit_of_a_payload_makes_it_unreadable_or_unsigned() {
    let key: VerificationKey = PUBLIC.parse().unwrap();
    let mut refused = 0;
    for bit in 0..PAYLOAD.len() * 8 {
        let mut bytes = PAYLOAD.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match MarkersPayload::parse(&bytes).and_then(|payload| payload.verify(&key)) {
            Err(_) => refused += 1,
            // The case of a hex digit, and a field's name, are not signed; the markers are what they were.
            Ok(signed) => assert_eq!(signed.to_json(), PAYLOAD, "bit {bit}"),
        }
    }
    assert!(refused > PAYLOAD.len() * 7, "{refused}");
}

#[test]
fn markers_without_a_signature_and_with_another_keys_are_told_apart() {
    let key = secret().verification_key();
    let unsigned = MarkersPayload::parse(br#"{"markers":[{"name":"thales","epoch":1}]}"#).unwrap();
    assert_eq!(unsigned.verify(&key), Err(PayloadError::Unsigned));
    let signed = SignedMarkers::sign(list(&[("thales", Some(1))]), &SigningKey::from_bytes(&[7; 32])).to_json();
    let foreign = MarkersPayload::parse(signed.as_bytes()).unwrap().verify(&key);
    assert!(matches!(foreign, Err(PayloadError::Signature(KeyError::Signature { .. }))));
    let spaced = PAYLOAD.replace(",", " ,\n");
    assert!(MarkersPayload::parse(spaced.as_bytes()).unwrap().verify(&key).is_ok(), "the compact form is signed");
}

#[test]
fn any_payload_goes_through_both_forms_of_a_datum_unchanged() {
    let mut random = fastrand::Rng::with_seed(11);
    for length in (0..200).chain([6_399, 16_384]) {
        let payload: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
        let datum = MarkersDatum::try_new(payload.clone()).unwrap();
        assert_eq!(MarkersDatum::from_cbor(&datum.to_cbor()).unwrap().payload(), payload);
        assert_eq!(MarkersDatum::from_cli_json(&datum.to_cli_json()).unwrap().payload(), payload);
    }
    assert_eq!(MarkersDatum::try_new(vec![0; 16_385]), Err(DatumError::TooLong));
}

#[test]
fn a_datum_cut_changed_or_filled_with_noise_is_refused_without_harm() {
    let golden = hex::decode(DATUM).unwrap();
    for length in 0..golden.len() {
        assert!(MarkersDatum::from_cbor(&golden[..length]).is_err(), "{length}");
    }
    let mut random = fastrand::Rng::with_seed(12);
    for _ in 0..20_000 {
        let mut bytes = golden.clone();
        for _ in 0..random.usize(1..6) {
            let place = random.usize(..bytes.len());
            bytes[place] = random.u8(..);
        }
        if let Ok(datum) = MarkersDatum::from_cbor(&bytes) {
            assert!(datum.payload().len() <= bytes.len());
        }
    }
    let hex = |text: &str| MarkersDatum::from_cbor(&hex::decode(text).unwrap());
    assert_eq!(hex("d8799f4161ffff"), Err(DatumError::Trailing));
    assert_eq!(hex("d87a9f4161ff"), Err(DatumError::Constructor));
    assert_eq!(hex("d8799f01ff"), Err(DatumError::Field));
    assert_eq!(hex(&format!("d8799f5841{}ff", "61".repeat(65))), Err(DatumError::Piece { length: 65 }));
    assert!(matches!(hex("d8799b7fffffffffffffff"), Err(DatumError::Cbor { .. })), "a length beyond the bytes");
    assert!(matches!(hex("4161"), Err(DatumError::Cbor { .. })));
    assert_eq!(hex("d879824161425f62").unwrap().payload(), b"a_b", "a list of stated length");
    assert_eq!(hex("d8799f5f41614162ffff").unwrap().payload(), b"ab", "a byte string in parts");
}

#[test]
fn a_datum_in_json_of_another_shape_is_refused() {
    let read = MarkersDatum::from_cli_json;
    assert_eq!(read(r#"{"constructor":1,"fields":[]}"#), Err(DatumError::Constructor));
    let piece = format!(r#"{{"constructor":0,"fields":[{{"bytes":"{}"}}]}}"#, "61".repeat(65));
    assert_eq!(read(&piece), Err(DatumError::Piece { length: 65 }));
    assert_eq!(read(&" ".repeat(70_000)), Err(DatumError::TooLong));
    for json in
        ["", "[]", "{}", r#"{"constructor":0,"fields":[{"int":1}]}"#, r#"{"constructor":0,"fields":[{"bytes":"6"}]}"#]
    {
        assert!(matches!(read(json), Err(DatumError::Json { .. })), "{json}");
    }
}

#[test]
fn markers_are_made_as_the_operators_tool_makes_them() {
    let two = eras(&["pythagoras", "lagrange"]);
    let made = |next: Option<u64>| generate_markers(&two, Epoch(5), next.map(Epoch));
    assert_eq!(made(None), Ok(list(&[("pythagoras", Some(5)), ("lagrange", None)])));
    assert_eq!(made(Some(6)), Ok(list(&[("pythagoras", Some(5)), ("lagrange", Some(6))])));
    for next in [4, 5] {
        assert_eq!(made(Some(next)), Err(GenerateError::NotLater { current: Epoch(5), next: Epoch(next) }));
    }
    let one = eras(&["pythagoras"]);
    assert_eq!(generate_markers(&one, Epoch(5), None), Ok(list(&[("pythagoras", Some(5))])));
    assert!(matches!(generate_markers(&one, Epoch(5), Some(Epoch(6))), Err(GenerateError::NoNextEra { .. })));
    let three = generate_markers(&eras(&["a", "b", "c"]), Epoch(5), None);
    assert_eq!(three, Err(GenerateError::TooManyEras { count: 3 }));
}

#[test]
fn mithrils_own_library_names_the_same_eras_and_reads_the_same_keys() {
    let names: Vec<_> = mithril_common::entities::SupportedEra::eras().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["pythagoras", "lagrange"]);
    let network = MithrilNetwork::known("release-preprod").unwrap();
    let key = network.era.unwrap().verification_key;
    for text in [key.to_json_hex(), key.to_bytes_hex()] {
        let theirs: mithril_common::crypto_helper::EraMarkersVerifierVerificationKey =
            text.as_str().try_into().unwrap();
        assert_eq!(theirs.to_bytes_hex().unwrap(), key.to_bytes_hex());
    }
}

fn at(epoch: u64) -> EraPositions {
    let head = ChainPosition { epoch: Some(Epoch(epoch)), ..ChainPosition::at(BlockHeight(epoch)) };
    EraPositions { head, finalized: Some(head) }
}

fn write(path: &Path, markers: &str) {
    std::fs::write(path, markers).unwrap();
}

#[tokio::test]
async fn the_demo_of_the_logbook_goes_through_the_file_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("markers.json");
    let clock = Arc::new(SetPositions::new(at(3)));
    let reader = MithrilEraReader::new(Arc::new(FileMarkers::new(&file)), clock.clone());
    assert_eq!(reader.schedule().await.unwrap_err().kind(), ErrorKind::Storage);

    // Thales is activated, Pythagoras announced, then activated with the next epoch, then Thales removed.
    write(&file, "[\n\t{\"name\": \"thales\", \"epoch\": 1}\n]\n");
    let schedule = reader.schedule().await.unwrap();
    assert_eq!(schedule.at(&at(3).head).unwrap().era.as_str(), "thales");
    assert_eq!(reader.last().unwrap().change, MarkersChange::First);

    write(&file, "[\n\t{\"name\": \"thales\", \"epoch\": 1},\n\t{\"name\": \"pythagoras\", \"epoch\": null}\n]\n");
    let schedule = reader.schedule().await.unwrap();
    assert_eq!((schedule.next(&at(3).head), schedule.announced().len()), (Ok(None), 1));

    clock.set(at(5));
    write(&file, "[\n\t{\"name\": \"thales\", \"epoch\": 1},\n\t{\"name\": \"pythagoras\", \"epoch\": 6}\n]\n");
    let schedule = reader.schedule().await.unwrap();
    assert_eq!(schedule.next(&at(5).head).unwrap().unwrap().era.as_str(), "pythagoras");
    assert_eq!(schedule.at(&at(6).head).unwrap().era.as_str(), "pythagoras");

    clock.set(at(7));
    write(&file, "[\n\t{\"name\": \"pythagoras\", \"epoch\": 6}\n]\n");
    let schedule = reader.schedule().await.unwrap();
    assert_eq!((schedule.scheduled().len(), reader.last().unwrap().change), (1, MarkersChange::Replaced));
    assert_eq!(reader.positions().await.unwrap(), at(7));

    write(&file, "[{\"name\": \"thales\", \"epoch\": 1}]");
    assert_eq!(reader.schedule().await.unwrap_err().kind(), ErrorKind::Unverified, "the first step again");
    write(&file, "[{\"name\": \"pythag");
    assert_eq!(reader.schedule().await.unwrap_err().kind(), ErrorKind::InvalidData, "a file half written");
    write(&file, &" ".repeat(20_000));
    assert_eq!(reader.schedule().await.unwrap_err().kind(), ErrorKind::InvalidData, "a file too large");
}

#[tokio::test]
async fn the_settings_of_mithrils_nodes_choose_the_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let sim = SimNode::start(folder.path(), SimLedger::new(42, Epoch(3))).unwrap();
    let node: Arc<dyn ChainReader> = Arc::new(NodeSocket::new(NodeSocketOptions::new(sim.socket(), 42)));
    let build = eras(&["pythagoras", "lagrange"]);
    let read = async |adapter: &str, params: Option<&str>| {
        EraAdapterConfig::parse(adapter, params).unwrap().build(&node, &build).read().await.unwrap()
    };
    let first = read("bootstrap", None).await;
    assert_eq!(first.candidates[0].markers, list(&[("pythagoras", Some(0))]));
    assert_eq!(read("bootstrap-latest", None).await.candidates[0].markers, list(&[("lagrange", Some(0))]));
    let dummy = read("dummy", Some(r#"{"markers":[{"name":"thales","epoch":1}]}"#)).await;
    assert_eq!(dummy.candidates[0].markers, list(&[("thales", Some(1))]));
    let chain = format!(r#"{{"address":"{}","verification_key":"{PUBLIC}"}}"#, address());
    let chain = read("cardano-chain", Some(&chain)).await;
    assert_eq!((chain.candidates.len(), chain.tip.unwrap().epoch), (0, Epoch(3)));
    let reading = BootstrapMarkers::latest(&build).read().await.unwrap();
    assert_eq!(reading.candidates[0].origin, MarkerOrigin::Build);
}

fn address() -> Address {
    Address::enterprise(AddressNetwork::Testnet, [1; 28])
}

fn datum(markers: &[(&str, Option<u64>)], key: &SigningKey) -> SimDatum {
    let signed = SignedMarkers::sign(list(markers), key);
    SimDatum::Inline(MarkersDatum::try_new(signed.to_json()).unwrap().to_cbor())
}

fn chain_reader(sim: &SimNode) -> (Arc<NodeSocket>, MithrilEraReader) {
    let now = Duration::from_millis(1);
    let options = NodeSocketOptions::new(sim.socket(), 42).with_attempts(3, now, now);
    let node = Arc::new(NodeSocket::new(options));
    let source = ChainMarkers::new(node.clone(), address(), secret().verification_key());
    let reader = MithrilEraReader::new(Arc::new(source), Arc::new(NodePositions::new(node.clone())));
    (node, reader)
}

const ANNOUNCED: &[(&str, Option<u64>)] = &[("thales", Some(1)), ("pythagoras", None)];
const SCHEDULED: &[(&str, Option<u64>)] = &[("thales", Some(1)), ("pythagoras", Some(6))];

#[tokio::test]
async fn of_two_valid_datums_with_the_old_one_first_the_newer_holds_and_both_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = SimLedger::new(42, Epoch(3));
    ledger.pay(1, 0, &address(), datum(ANNOUNCED, &secret()));
    ledger.pay(2, 0, &address(), datum(SCHEDULED, &secret()));
    ledger.pay(3, 0, &address(), datum(&[("evil", Some(1))], &SigningKey::from_bytes(&[9; 32])));
    ledger.pay(4, 0, &address(), SimDatum::Inline(vec![0x01]));
    ledger.pay(5, 0, &address(), SimDatum::Hash([1; 32]));
    let unsigned = MarkersDatum::try_new(r#"{"markers":[]}"#).unwrap().to_cbor();
    ledger.pay(6, 0, &address(), SimDatum::Inline(unsigned));
    let sim = SimNode::start(folder.path(), ledger).unwrap();
    let (node, reader) = chain_reader(&sim);

    let reading = reader.read().await.unwrap();
    assert_eq!((reading.markers, reading.epoch, reading.change), (list(SCHEDULED), Epoch(3), MarkersChange::First));
    assert_eq!(reading.findings.len(), 2, "{:?}", reading.findings);
    assert!(matches!(&reading.findings[0], Finding::SeveralValid { origins } if origins.len() == 2));
    assert!(matches!(&reading.findings[1],
        Finding::UpstreamDiffers { origin: MarkerOrigin::Output(output) } if output.tx == [1; 32]));
    let reasons: Vec<_> = reading.rejected.iter().map(|rejected| &rejected.reason).collect();
    assert!(matches!(
        reasons[..],
        [
            RejectReason::Payload(PayloadError::Signature(_)),
            RejectReason::Datum(DatumError::Cbor { .. }),
            RejectReason::Payload(PayloadError::Unsigned),
        ]
    ));
    node.close().await.unwrap();
}

#[tokio::test]
async fn markers_on_chain_are_followed_through_a_switch_and_a_restart_of_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = SimLedger::new(42, Epoch(3));
    ledger.pay(9, 0, &address(), datum(ANNOUNCED, &secret()));
    let mut sim = SimNode::start(folder.path(), ledger).unwrap();
    let (_node, reader) = chain_reader(&sim);
    assert_eq!(reader.schedule().await.unwrap().announced().len(), 1);

    sim.stop().await;
    sim.update(|ledger| {
        ledger.spend(9);
        ledger.pay(8, 0, &address(), datum(SCHEDULED, &secret()));
        ledger.enter(Epoch(6));
    });
    assert_eq!(reader.schedule().await.unwrap_err().kind(), ErrorKind::Unreachable);
    sim.restart().unwrap();
    let schedule = reader.schedule().await.unwrap();
    let here = reader.positions().await.unwrap();
    assert_eq!(schedule.at(&here.head).unwrap().era.as_str(), "pythagoras");

    // Somebody sends the old announcement again, before the true datum in the node's order.
    sim.update(|ledger| ledger.pay(1, 0, &address(), datum(ANNOUNCED, &secret())));
    let reading = reader.read().await.unwrap();
    assert_eq!((reading.markers, reading.change), (list(SCHEDULED), MarkersChange::Same));
    assert_eq!(reading.findings.len(), 3);
    sim.update(|ledger| ledger.spend(8));
    assert_eq!(reader.schedule().await.unwrap_err().kind(), ErrorKind::Unverified, "the replay alone");
    sim.update(|ledger| ledger.spend(1));
    assert_eq!(reader.schedule().await.unwrap_err().kind(), ErrorKind::Unverified, "nothing at all");
}

#[tokio::test]
async fn the_guard_remembers_across_restarts_and_refuses_a_file_that_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("era-guard.json");
    let key = secret().verification_key();
    let mut ledger = SimLedger::new(42, Epoch(7));
    ledger.pay(9, 0, &address(), datum(SCHEDULED, &secret()));
    let sim = SimNode::start(folder.path(), ledger).unwrap();
    let file = GuardFile::new(&path, "devnet", Some(key));
    let reader = chain_reader(&sim).1.with_file(file.clone()).unwrap();
    reader.schedule().await.unwrap();

    sim.update(|ledger| {
        ledger.spend(9);
        ledger.pay(9, 0, &address(), datum(ANNOUNCED, &secret()));
    });
    let reader = chain_reader(&sim).1.with_file(file.clone()).unwrap();
    assert_eq!(reader.schedule().await.unwrap_err().kind(), ErrorKind::Unverified);
    assert_eq!(file.load().unwrap().accepted().unwrap().markers, list(SCHEDULED), "a refusal changes nothing");
    chain_reader(&sim).1.schedule().await.unwrap();

    let mut state = file.load().unwrap();
    let signed = SignedMarkers::sign(list(ANNOUNCED), &secret());
    state.trust(list(ANNOUNCED), Some(*signed.signature()), Epoch(7));
    file.save(&state).unwrap();
    let reader = chain_reader(&sim).1.with_file(file.clone()).unwrap();
    assert_eq!(reader.read().await.unwrap().change, MarkersChange::Same, "a person has decided");

    let other = GuardFile::new(&path, "release-preprod", Some(key)).load();
    assert!(matches!(other, Err(GuardStateError::Scope { .. })));
    let text = std::fs::read_to_string(&path).unwrap();
    write(&path, &text.replace("\"epoch\": 1", "\"epoch\": 2"));
    assert!(matches!(file.load(), Err(GuardStateError::Signature(_))));
    write(&path, &text.replace("\"format\": 1", "\"format\": 2"));
    let error = file.load().unwrap_err().to_string();
    assert_eq!(error, "era guard state has format 2, this build reads format 1");
    write(&path, &text.replace("\"replaced\"", "\"unknown\": 1, \"replaced\""));
    assert!(matches!(file.load(), Err(GuardStateError::Format(_))));
    write(&path, "{}");
    assert!(matches!(file.load(), Err(GuardStateError::Json(_))));
    write(&path, &" ".repeat(300_000));
    assert!(matches!(file.load(), Err(GuardStateError::TooLarge { .. })));
}

#[test]
fn the_file_of_the_guard_is_byte_by_byte_the_golden_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("era-guard.json");
    let file = GuardFile::new(&path, "devnet", Some(secret().verification_key()));
    let mut state = file.load().unwrap();
    for (markers, epoch) in [(ANNOUNCED, 3), (SCHEDULED, 4)] {
        let signed = SignedMarkers::sign(list(markers), &secret());
        state.trust(list(markers), Some(*signed.signature()), Epoch(epoch));
    }
    file.save(&state).unwrap();
    let golden = include_str!("golden/era-guard-1.json");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), golden.trim_end());
    assert_eq!(file.load().unwrap(), state);
}

#[tokio::test]
async fn published_facts_tell_a_payload_of_another_network_at_the_first_reading() {
    let preprod = list(&[("pythagoras", Some(186))]);
    let preview = list(&[("pythagoras", Some(759))]);
    let old = list(&[("thales", Some(1))]);
    for (network, epoch, good) in [("release-preprod", 316, &preprod), ("pre-release-preview", 1_100, &preview)] {
        for markers in [&preprod, &preview, &old] {
            let source = Arc::new(DummyMarkers::new(markers.clone()));
            let clock = Arc::new(SetPositions::new(at(epoch)));
            let reader = MithrilEraReader::new(source, clock).with_pins(Pin::known(network));
            let answer = reader.schedule().await;
            assert_eq!(answer.is_ok(), markers == good, "{network} {markers:?}");
        }
    }
}
