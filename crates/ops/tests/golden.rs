//! What the driver has on disk beside the checkpoint: every released form is still read, and the current one is written
//! byte for byte.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};

use nodewright_core::{
    Amount, BlockHash, BlockHeight, BlockId, BlockPoint, BlockReport, BlockTime, Header, Observation, ScanEvent, Slot,
    Spend, SpendKey, TxId,
};
use nodewright_ops::observer::FollowUps;
use nodewright_testkit::check_golden;

fn golden(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("follow-ups-{format}.json"))
}

fn point(height: u64, branch: u8) -> BlockPoint {
    let id = BlockId { height: BlockHeight(height), hash: BlockHash([branch; 32]) };
    BlockPoint { id, slot: (branch == 2).then_some(Slot(height * 20)) }
}

fn apply(follow: &mut FollowUps, point: BlockPoint, paid: &[&str], spent: Option<(&str, &str)>) {
    let observations = paid.iter().map(|txid| Observation {
        block: point,
        txid: TxId((*txid).to_owned()),
        output: 0,
        to: "vault".to_owned(),
        value: Amount(7),
        memo: None,
        sender: None,
        spends: vec![SpendKey(txid.as_bytes().to_vec()), SpendKey(vec![0, 255])],
    });
    let spends = spent.iter().map(|(txid, by)| Spend {
        block: point,
        key: SpendKey(txid.as_bytes().to_vec()),
        by: TxId((*by).to_owned()),
    });
    let report = BlockReport {
        point,
        observations: observations.collect(),
        near_misses: Vec::new(),
        spends: spends.collect(),
        reward: None,
    };
    let header = Header { point, parent: BlockHash([0; 32]), time: BlockTime(0) };
    follow.fold(&ScanEvent::Apply(header), Some(&report));
}

/// Makes a state in which no field is empty. Every form's golden file is this one, written in that form.
fn sample() -> FollowUps {
    let mut follow = FollowUps::default();
    apply(&mut follow, point(4, 1), &["kept"], None);
    apply(&mut follow, point(5, 1), &["awaited", "replaced"], None);
    follow.fold(&ScanEvent::RollBack { to: point(4, 1), dropped: vec![point(5, 1)] }, None);
    apply(&mut follow, point(5, 2), &["new"], Some(("replaced", "other")));
    follow
}

#[test]
fn every_form_of_the_notes_is_read_and_the_current_one_is_written_byte_for_byte() {
    let written = sample().to_notes().unwrap().unwrap();
    check_golden(golden(1), written.as_bytes()).unwrap();
    for format in 0..=1 {
        let held = std::fs::read_to_string(golden(format)).unwrap();
        let read = FollowUps::from_notes(Some(&held)).unwrap();
        assert_eq!(read, sample(), "format {format}");
        assert_eq!(read.to_notes().unwrap().unwrap(), written, "format {format}");
    }
}

#[test]
fn notes_of_a_later_format_are_refused_by_name() {
    let error = FollowUps::from_notes(Some("{\"format\":2,\"more\":[]}")).unwrap_err();
    let line = "list of followed transactions has format 2, this build reads formats 0 to 1";
    assert!(error.to_string().ends_with(line), "{error}");
}
