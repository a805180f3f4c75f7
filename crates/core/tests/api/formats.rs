//! Values of several formats, and the golden files of the checkpoint.

use std::path::{Path, PathBuf};

use nodewright_core::api::{FormatError, FormatTable, FormatTag, UnknownFormat, Version, Versioned, decode};
use nodewright_core::{
    BlockDelta, BlockHash, BlockHeight, BlockId, BlockPoint, ChainId, Checkpoint, EraState, Error, ErrorKind, EventSeq,
    EvidenceClaim, EvidenceKind, NetworkId, Scope, ShardId, Slot, Trust,
};
use nodewright_testkit::check_golden;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn point(height: u64, slot: Option<u64>) -> BlockPoint {
    let mut hash = [0xa5; 32];
    hash[..8].copy_from_slice(&height.to_be_bytes());
    BlockPoint { id: BlockId { height: BlockHeight(height), hash: BlockHash(hash) }, slot: slot.map(Slot) }
}

/// Makes a checkpoint in which no field is empty. Every format's golden file is this one, written in that format.
fn sample() -> Checkpoint {
    let claim = |height, kind, trust, bytes: &[u8]| EvidenceClaim {
        block: point(height, None).id,
        kind,
        trust,
        bytes: bytes.to_vec(),
    };
    let certificate = || EvidenceKind::Certificate("chainlock".into());
    Checkpoint {
        format: Checkpoint::FORMAT,
        scope: Scope {
            chain: ChainId::new("dash"),
            network: NetworkId { name: "regtest".to_owned(), genesis: BlockHash([7; 32]) },
            shard: Some(ShardId(3)),
        },
        next_seq: EventSeq(u64::MAX),
        finalized: point(100, Some(4_000)),
        finality: claim(100, certificate(), Trust::NodeSet, &[0, 1, 255]),
        unfinal: vec![point(101, None), point(102, Some(0))],
        history: vec![point(99, None)],
        pending: vec![
            claim(110, certificate(), Trust::Checkpoint, &[9]),
            claim(111, EvidenceKind::Anchor, Trust::Checkpoint, &[]),
            claim(112, EvidenceKind::Depth(BlockDelta(6)), Trust::NodeWord, &[]),
            claim(113, EvidenceKind::Reported, Trust::NodeWord, &[]),
        ],
        notes: Some("{\"format\":1}".to_owned()),
    }
}

/// Reads a checkpoint as a store does.
fn read(json: &[u8]) -> Result<Checkpoint, FormatError<serde_json::Error>> {
    let FormatTag { format } = serde_json::from_slice(json).unwrap();
    decode(format, &mut serde_json::Deserializer::from_slice(json))
}

#[test]
fn every_format_of_the_checkpoint_is_read_and_the_current_one_is_written_byte_for_byte() {
    let written = serde_json::to_vec(&sample()).unwrap();
    check_golden(golden(&format!("checkpoint-{}.json", Checkpoint::FORMAT)), &written).unwrap();
    for format in <Checkpoint as Versioned>::OLDEST..=Checkpoint::FORMAT {
        let held = std::fs::read(golden(&format!("checkpoint-{format}.json"))).unwrap();
        let read = read(&held).unwrap();
        assert_eq!(read, sample(), "format {format}");
        assert_eq!(serde_json::to_vec(&read).unwrap(), written, "format {format}");
    }
}

#[test]
fn there_is_no_golden_file_of_a_checkpoint_format_that_this_build_does_not_know() {
    let known: Vec<_> = (<Checkpoint as Versioned>::OLDEST..=Checkpoint::FORMAT)
        .map(|format| format!("checkpoint-{format}.json"))
        .collect();
    for entry in std::fs::read_dir(golden("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = !name.starts_with("checkpoint-") || known.contains(&name);
        assert!(known, "{name}: a format that users may have on disk is no longer read");
    }
}

#[test]
fn a_checkpoint_of_an_older_or_later_format_is_refused_by_name_whatever_else_is_in_it() {
    let current = serde_json::to_string(&sample()).unwrap();
    for found in [0, 2, u32::MAX] {
        let line = format!("checkpoint has format {found}, this build reads format 1");
        let unknown = UnknownFormat { what: "checkpoint", found, known: 1..=1 };
        let changed = current.replacen("\"format\":1", &format!("\"format\":{found}"), 1);
        for json in [changed, format!("{{\"format\":{found},\"eras\":[1,2]}}")] {
            let error = read(json.as_bytes()).unwrap_err();
            assert!(matches!(&error, FormatError::Unknown(it) if *it == unknown), "{error}");
            assert_eq!(error.to_string(), line);
            assert_eq!(Error::from(error).kind(), ErrorKind::InvalidData);
            // Whoever reads it without asking for the format first is stopped too.
            let error = serde_json::from_str::<Checkpoint>(&json).unwrap_err();
            assert!(error.to_string().starts_with(&line), "{error}");
        }
    }
}

#[test]
fn a_state_of_eras_is_read_by_its_format_too() {
    let state = EraState::new(sample().scope);
    let json = serde_json::to_string(&state).unwrap();
    let read = |format: u32, json: &str| decode::<EraState, _>(format, &mut serde_json::Deserializer::from_str(json));
    assert_eq!(read(1, &json).unwrap(), state);
    for found in [0, 2] {
        let line = format!("state of eras has format {found}, this build reads format 1");
        assert_eq!(read(found, &json).unwrap_err().to_string(), line);
        let changed = json.replacen("\"format\":1", &format!("\"format\":{found}"), 1);
        let error = serde_json::from_str::<EraState>(&changed).unwrap_err();
        assert!(error.to_string().starts_with(&line), "{error}");
    }
}

#[test]
fn a_checkpoint_of_a_known_format_with_another_shape_is_refused() {
    let error = read(b"{\"format\":1,\"eras\":[1,2]}").unwrap_err();
    assert!(matches!(error, FormatError::Unreadable { what: "checkpoint", format: 1, .. }), "{error}");
    assert!(error.to_string().starts_with("checkpoint of format 1 cannot be read: unknown field `eras`"), "{error}");
}

#[test]
fn the_format_is_found_wherever_it_stands_and_only_in_a_map() {
    let tag = |json: &str| serde_json::from_str::<FormatTag>(json).map(|tag| tag.format).map_err(|e| e.to_string());
    assert_eq!(tag(r#"{"a":{"format":9},"b":[1],"format":7}"#), Ok(7));
    assert_eq!(tag(r#"{"\u0066ormat":7}"#), Ok(7));
    for (json, line) in [
        ("[7]", "invalid type: sequence, expected a map with the field `format`"),
        ("7", "invalid type: integer `7`, expected a map with the field `format`"),
        (r#"{"formats":7}"#, "missing field `format`"),
        (r#"{"format":7,"format":8}"#, "duplicate field `format`"),
        (r#"{"format":-1}"#, "invalid value: integer `-1`, expected u32"),
        (r#"{"format":4294967296}"#, "invalid value: integer `4294967296`, expected u32"),
        (r#"{"format":null}"#, "invalid type: null, expected u32"),
    ] {
        assert!(tag(json).is_err_and(|error| error.starts_with(line)), "{json}: {:?}", tag(json));
    }
}

/// Is a list of trusted keys: format 1 had one key, format 2 several, format 3 says since when.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    key: String,
    since: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys2 {
    keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys1 {
    key: String,
}

impl From<Keys1> for Keys2 {
    fn from(old: Keys1) -> Self {
        Self { keys: vec![old.key] }
    }
}

impl From<Keys2> for Keys {
    fn from(old: Keys2) -> Self {
        Self { keys: old.keys.into_iter().map(|key| Key { key, since: 0 }).collect() }
    }
}

impl Versioned for Keys {
    const NAME: &'static str = "list of keys";
    const OLDEST: u32 = 1;
    const FORMAT: u32 = 3;

    fn read<'de, D: Deserializer<'de>>(format: u32, input: D) -> Result<Self, D::Error> {
        match format {
            1 => Keys1::deserialize(input).map(Keys2::from).map(Self::from),
            2 => Keys2::deserialize(input).map(Self::from),
            3 => Self::deserialize(input),
            _ => Err(D::Error::custom(UnknownFormat::of::<Self>(format))),
        }
    }
}

fn keys(format: u32, json: &str) -> Result<Keys, FormatError<serde_json::Error>> {
    decode(format, &mut serde_json::Deserializer::from_str(json))
}

#[test]
fn an_old_value_comes_through_two_migrations() {
    let key = |since| Key { key: "ab".to_owned(), since };
    assert_eq!(keys(1, r#"{"key":"ab"}"#).unwrap(), Keys { keys: vec![key(0)] });
    assert_eq!(keys(2, r#"{"keys":["ab"]}"#).unwrap(), Keys { keys: vec![key(0)] });
    let current = r#"{"keys":[{"key":"ab","since":9}]}"#;
    assert_eq!(keys(3, current).unwrap(), Keys { keys: vec![key(9)] });
    assert_eq!(serde_json::to_string(&keys(3, current).unwrap()).unwrap(), current);
}

#[test]
fn the_format_decides_and_not_what_the_bytes_look_like() {
    for (format, json) in [(1, r#"{"keys":["ab"]}"#), (2, r#"{"key":"ab"}"#), (3, r#"{"keys":["ab"]}"#)] {
        let error = keys(format, json).unwrap_err();
        assert!(matches!(error, FormatError::Unreadable { format: found, .. } if found == format), "{error}");
    }
    for found in [0, 4] {
        let error = keys(found, "not even JSON").unwrap_err();
        assert_eq!(error.to_string(), format!("list of keys has format {found}, this build reads formats 1 to 3"));
    }
}

#[test]
fn the_version_of_an_api_tells_the_format_of_a_message() {
    static ENTRIES: &[(Version, u32)] =
        &[(Version::new(0, 2, 0), 3), (Version::new(0, 1, 10), 1), (Version::new(0, 1, 70), 2)];
    let table = FormatTable::new(ENTRIES);
    for (version, format) in [
        ("0.1.9", None),
        ("0.1.10", Some(1)),
        ("0.1.69+abc", Some(1)),
        ("0.1.70", Some(2)),
        ("0.2.0-rc.1", Some(2)),
        ("0.2.0", Some(3)),
        ("9.0.0", Some(3)),
    ] {
        assert_eq!(table.at(&super::version(version)), format, "{version}");
    }
}
