//! What becomes of deposits, record by record, and which keys are watched meanwhile.
#![allow(clippy::unwrap_used, clippy::panic)]

use nodewright_core::{
    Amount, BlockDelta, BlockHash, BlockHeight, BlockId, BlockPoint, BlockReport, EventSeq, Evidence, EvidenceClaim,
    Finality, Header, NearMiss, NearMissReason, Observation, ScanEvent, ScanRecord, Spend, SpendKey, Trust, TxFate,
    TxId, WatchSet,
};
use nodewright_ops::observer::{Deposit, DepositBook, DepositKey, DepositState, Fate, FollowUps, ValueWeight};

/// Names the block at `height` on branch `branch`.
fn block(height: u64, branch: u8) -> BlockPoint {
    BlockId { height: BlockHeight(height), hash: BlockHash([branch; 32]) }.into()
}

fn observation(block: BlockPoint, txid: &str, output: u32, value: u128, spends: &[&str]) -> Observation {
    let (to, memo, sender) = ("vault".to_owned(), None, None);
    let spends = spends.iter().map(|key| key_of(key)).collect();
    Observation { block, txid: TxId(txid.to_owned()), output, to, value: Amount(value), memo, sender, spends }
}

fn key_of(text: &str) -> SpendKey {
    SpendKey(text.as_bytes().to_vec())
}

fn report(point: BlockPoint) -> BlockReport {
    BlockReport { point, reward: Some(Amount(100)), ..BlockReport::default() }
}

fn paying(point: BlockPoint, txid: &str, spends: &[&str]) -> BlockReport {
    BlockReport { observations: vec![observation(point, txid, 0, 250, spends)], ..report(point) }
}

fn spent(point: BlockPoint, key: &str, by: &str) -> BlockReport {
    let spend = Spend { block: point, key: key_of(key), by: TxId(by.to_owned()) };
    BlockReport { spends: vec![spend], ..report(point) }
}

fn apply(report: BlockReport) -> (ScanEvent, Option<BlockReport>) {
    let header = Header { point: report.point, ..Header::default() };
    (ScanEvent::Apply(header), Some(report))
}

fn roll_back(to: BlockPoint, dropped: &[BlockPoint]) -> (ScanEvent, Option<BlockReport>) {
    (ScanEvent::RollBack { to, dropped: dropped.to_vec() }, None)
}

fn finalize(point: BlockPoint) -> (ScanEvent, Option<BlockReport>) {
    let evidence = Evidence::attest(point.id, "lock", Trust::NodeSet, b"signature");
    (ScanEvent::Finalize(Finality { point, evidence }), None)
}

/// Folds into a book and into follow-ups, as a driver's user and a driver do.
#[derive(Default)]
struct World {
    book: DepositBook,
    follow: FollowUps,
}

impl World {
    fn take(&mut self, (event, report): (ScanEvent, Option<BlockReport>)) -> Vec<DepositKey> {
        let before = self.follow.clone();
        let concerns = self.follow.concerns(&event, report.as_ref());
        self.follow.fold(&event, report.as_ref());
        assert!(concerns || self.follow == before, "a change was not announced: {event:?}");
        // A restart between any two events changes nothing.
        let notes = self.follow.to_notes().unwrap();
        assert_eq!(FollowUps::from_notes(notes.as_deref()).unwrap(), self.follow);
        self.book.fold(&ScanRecord { seq: EventSeq(0), event, report })
    }

    fn deposit(&self, txid: &str) -> &Deposit {
        self.book.deposit(&DepositKey { txid: TxId(txid.to_owned()), output: 0 }).unwrap()
    }

    fn watches(&self, key: &str) -> bool {
        self.follow.watch(&WatchSet::default()).wants_spend(&key_of(key))
    }

    fn open(&self) -> Vec<String> {
        self.follow.open().map(ToString::to_string).collect()
    }
}

fn gone(fate: Fate) -> DepositState {
    DepositState::Gone { fate }
}

fn replaced(by: &str, block: Option<BlockPoint>, settled: bool) -> DepositState {
    gone(Fate::Replaced { by: TxId(by.to_owned()), block, settled })
}

#[test]
fn a_deposit_is_seen_then_final_with_the_evidence_of_the_block_that_made_it_so() {
    let mut world = World::default();
    let key = DepositKey { txid: TxId("a".to_owned()), output: 0 };
    assert_eq!(world.take(apply(paying(block(1, 1), "a", &["k"]))), std::slice::from_ref(&key));
    assert_eq!(world.deposit("a").state, DepositState::Seen);
    assert!(!world.watches("k"), "nothing is looked for while the block is on the chain");
    assert_eq!(world.take(apply(report(block(2, 1)))), []);
    assert_eq!(world.take(finalize(block(2, 1))), [key]);
    let DepositState::Final { point, evidence } = &world.deposit("a").state else { panic!("not final") };
    assert_eq!(*point, block(2, 1));
    let expected = Evidence::attest(block(2, 1).id, "lock", Trust::NodeSet, b"signature");
    assert_eq!(*evidence, EvidenceClaim::from(&expected));
    assert!(world.follow.is_empty());
    assert_eq!(world.take(finalize(block(3, 1))), [], "final is told once");
}

#[test]
fn a_removed_transaction_that_is_mined_again_has_moved() {
    let mut world = World::default();
    world.take(apply(paying(block(5, 1), "a", &["k"])));
    world.take(roll_back(block(4, 1), &[block(5, 1)]));
    assert_eq!(world.deposit("a").state, gone(Fate::Awaited));
    assert!(world.watches("k"));
    assert_eq!(world.open(), ["a"]);
    world.take(apply(paying(block(5, 2), "a", &["k"])));
    assert_eq!(world.deposit("a").state, DepositState::Seen);
    assert_eq!(world.deposit("a").moved_from, Some(block(5, 1)));
    assert_eq!(world.deposit("a").observation.block, block(5, 2));
    assert!(!world.watches("k"));
    assert_eq!(world.open(), Vec::<String>::new());
    world.take(finalize(block(5, 2)));
    assert!(world.deposit("a").is_settled());
    assert_eq!(world.book.deposits().len(), 1);
    assert!(world.follow.is_empty());
}

#[test]
fn a_removed_transaction_whose_key_another_one_consumes_is_replaced_and_settled_when_that_is_final() {
    let mut world = World::default();
    world.take(apply(paying(block(5, 1), "a", &["k", "l"])));
    world.take(roll_back(block(4, 1), &[block(5, 1)]));
    world.take(apply(spent(block(5, 2), "l", "thief")));
    assert_eq!(world.deposit("a").state, replaced("thief", Some(block(5, 2)), false));
    assert!(world.watches("k"), "the replacement may be removed too");
    assert_eq!(world.open(), Vec::<String>::new());
    world.take(finalize(block(5, 2)));
    assert_eq!(world.deposit("a").state, replaced("thief", Some(block(5, 2)), true));
    assert!(world.deposit("a").is_settled());
    assert!(!world.watches("k"));
    assert!(world.follow.is_empty());
}

#[test]
fn a_replacement_that_is_removed_makes_the_fate_open_again() {
    let mut world = World::default();
    world.take(apply(paying(block(5, 1), "a", &["k"])));
    world.take(roll_back(block(4, 1), &[block(5, 1)]));
    world.take(apply(spent(block(5, 2), "k", "thief")));
    world.take(roll_back(block(4, 1), &[block(5, 2)]));
    assert_eq!(world.deposit("a").state, gone(Fate::Awaited));
    assert!(world.watches("k"));
    assert_eq!(world.open(), ["a"]);
    world.take(apply(paying(block(5, 3), "a", &["k"])));
    world.take(finalize(block(5, 3)));
    assert!(matches!(world.deposit("a").state, DepositState::Final { .. }));
}

#[test]
fn a_replacement_that_pays_too_is_a_deposit_of_its_own() {
    let mut world = World::default();
    world.take(apply(paying(block(5, 1), "a", &["k"])));
    world.take(roll_back(block(4, 1), &[block(5, 1)]));
    let mut both = spent(block(5, 2), "k", "b");
    both.observations = paying(block(5, 2), "b", &["k"]).observations;
    world.take(apply(both));
    assert_eq!(world.deposit("a").state, replaced("b", Some(block(5, 2)), false));
    assert_eq!(world.deposit("b").state, DepositState::Seen);
    // And back again: now the second is gone and the first is mined.
    world.take(roll_back(block(4, 1), &[block(5, 2)]));
    let mut both = spent(block(5, 3), "k", "a");
    both.observations = paying(block(5, 3), "a", &["k"]).observations;
    world.take(apply(both));
    assert_eq!(world.deposit("a").state, DepositState::Seen);
    assert_eq!(world.deposit("b").state, replaced("a", Some(block(5, 3)), false));
}

#[test]
fn a_key_consumed_by_the_removed_transaction_itself_is_no_replacement() {
    let mut world = World::default();
    world.take(apply(paying(block(5, 1), "a", &["k"])));
    world.take(roll_back(block(4, 1), &[block(5, 1)]));
    // It is mined, but no longer observed: the rules changed in between.
    world.take(apply(spent(block(5, 2), "k", "a")));
    assert_eq!(world.deposit("a").state, gone(Fate::Awaited));
    assert!(!world.watches("k"));
    world.take(roll_back(block(4, 1), &[block(5, 2)]));
    assert!(world.watches("k"), "it is removed again");
}

#[test]
fn a_nodes_word_fills_the_time_until_a_block_tells() {
    let mut world = World::default();
    let a = TxId("a".to_owned());
    world.take(apply(paying(block(5, 1), "a", &["k"])));
    assert_eq!(world.book.tell(&a, &TxFate::Mempool), [], "its block is on the chain");
    world.take(roll_back(block(4, 1), &[block(5, 1)]));
    assert_eq!(world.book.tell(&a, &TxFate::Mempool).len(), 1);
    assert_eq!(world.book.tell(&a, &TxFate::Mempool), [], "nothing new");
    assert_eq!(world.deposit("a").state, gone(Fate::Mempool));
    world.book.tell(&a, &TxFate::Unknown);
    assert_eq!(world.deposit("a").state, gone(Fate::Unknown));
    world.book.tell(&a, &TxFate::Replaced(TxId("x".to_owned())));
    assert_eq!(world.deposit("a").state, replaced("x", None, false));
    world.take(apply(spent(block(5, 2), "k", "thief")));
    assert_eq!(world.deposit("a").state, replaced("thief", Some(block(5, 2)), false));
    assert_eq!(world.book.tell(&a, &TxFate::Mempool), [], "a block's word counts more");
}

#[test]
fn near_misses_keep_their_reason_and_are_not_followed() {
    let mut world = World::default();
    let point = block(5, 1);
    let miss = NearMiss { observation: observation(point, "m", 3, 1, &["k"]), reason: NearMissReason::BelowMinimum };
    world.take(apply(BlockReport { near_misses: vec![miss], ..report(point) }));
    let key = DepositKey { txid: TxId("m".to_owned()), output: 3 };
    assert_eq!(world.book.deposit(&key).unwrap().near_miss, Some(NearMissReason::BelowMinimum));
    assert!(world.follow.is_empty());
    let weight = ValueWeight { multiplier_bps: 10_000, min: BlockDelta(0), max: None };
    assert_eq!(world.book.weigh(&key, &weight), None);
    world.take(roll_back(block(4, 1), &[point]));
    assert_eq!(world.book.deposit(&key).unwrap().state, gone(Fate::Awaited));
    assert!(!world.watches("k"));
}

#[test]
fn a_reorganisation_removes_only_what_stood_on_it_and_every_output_of_it() {
    let mut world = World::default();
    world.take(apply(paying(block(4, 1), "old", &["o"])));
    let point = block(5, 1);
    let outputs = (0..3).map(|output| observation(point, "a", output, 10, &["k"])).collect();
    world.take(apply(BlockReport { observations: outputs, ..report(point) }));
    let changed = world.take(roll_back(block(4, 1), &[point]));
    assert_eq!(changed.len(), 3);
    assert_eq!(world.deposit("old").state, DepositState::Seen);
    assert_eq!(world.open(), ["a"], "one transaction is followed once");
}

#[test]
fn a_block_that_repeats_a_height_is_final_only_with_the_next_one() {
    let mut world = World::default();
    world.take(apply(paying(block(7, 1), "a", &["k"])));
    world.take(apply(paying(block(7, 2), "b", &["l"])));
    world.take(finalize(block(7, 1)));
    assert!(world.deposit("a").is_settled());
    assert_eq!(world.deposit("b").state, DepositState::Seen);
    world.take(roll_back(block(7, 1), &[block(7, 2)]));
    assert_eq!(world.open(), ["b"]);
    world.take(apply(paying(block(7, 3), "b", &["l"])));
    world.take(finalize(block(8, 3)));
    assert!(world.deposit("b").is_settled());
    assert!(world.follow.is_empty());
}

#[test]
fn deposits_of_one_block_are_weighed_together_and_removed_ones_not_at_all() {
    let mut world = World::default();
    let point = block(50, 1);
    let observations = vec![observation(point, "a", 0, 150, &["k"]), observation(point, "b", 0, 160, &["l"])];
    world.take(apply(BlockReport { observations, ..report(point) }));
    let weight = ValueWeight { multiplier_bps: 10_000, min: BlockDelta(1), max: None };
    let weighed = world.book.weigh(&world.deposit("b").key(), &weight).unwrap().unwrap();
    assert_eq!((weighed.required, weighed.finalise_height), (BlockDelta(3), BlockHeight(53)));
    assert!(!weighed.enough(BlockHeight(52)));
    assert!(weighed.enough(BlockHeight(53)));
    world.take(roll_back(block(49, 1), &[point]));
    assert_eq!(world.book.weigh(&world.deposit("b").key(), &weight), None);
}

#[test]
fn settled_deposits_can_be_taken_out_and_the_rest_still_changes() {
    let mut world = World::default();
    world.take(apply(paying(block(1, 1), "a", &["k"])));
    world.take(finalize(block(1, 1)));
    world.take(apply(paying(block(2, 1), "b", &["l"])));
    let settled: Vec<_> = world.book.take_settled().iter().map(|deposit| deposit.observation.txid.0.clone()).collect();
    assert_eq!(settled, ["a"]);
    assert_eq!(world.book.deposits().len(), 1);
    world.take(finalize(block(2, 1)));
    assert!(world.deposit("b").is_settled());
}

#[test]
fn so_many_removed_transactions_are_followed_and_no_more() {
    let mut follow = FollowUps::default();
    let mut dropped = Vec::new();
    for height in 1..=11 {
        let point = block(height, 1);
        let many = (0..1_000).map(|n| observation(point, &format!("{height}-{n}"), 0, 1, &["k"])).collect();
        let (event, report) = apply(BlockReport { observations: many, ..report(point) });
        follow.fold(&event, report.as_ref());
        dropped.insert(0, point);
    }
    follow.fold(&ScanEvent::RollBack { to: block(0, 1), dropped }, None);
    assert_eq!(follow.open().count(), 10_000);
    assert_eq!(follow.open().next().unwrap().0, "2-0", "the oldest are given up");
}

#[test]
fn notes_of_another_form_are_refused() {
    for notes in ["", "{", "[1]", r#"{"unfinal":[],"more":1}"#, r#"{"removed":[{}]}"#] {
        let error = FollowUps::from_notes(Some(notes)).unwrap_err();
        assert_eq!(error.kind(), nodewright_core::ErrorKind::InvalidData, "{notes}");
    }
    assert!(FollowUps::from_notes(None).unwrap().is_empty());
}
