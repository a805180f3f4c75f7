//! The state of payments follows the events, whatever they are.

#![allow(clippy::unwrap_used, clippy::panic)]
#![cfg(feature = "sqlite")]

use std::collections::BTreeMap;
use std::error::Error as _;

use nodewright_core::{
    Amount, BlockHash, BlockHeight, BlockId, BlockPoint, BlockReport, BlockTime, ErrorKind, EventSeq, Evidence,
    EvidenceClaim, Finality, Header, NearMiss, NearMissReason, Observation, Revision, ScanBatch, ScanEvent, ScanRecord,
    ScanSink as _, Spend, SpendKey, Trust, TxId,
};
use nodewright_stores::{Held, RowKey, RowState, SqliteError, SqliteSink, StateFilter};
use nodewright_testkit::conformance::sink::Play;

/// Plays a chain that grows, reorganises and becomes final as chance will have it, and keeps the state of each payment.
struct Model {
    random: fastrand::Rng,
    chain: Vec<(BlockPoint, u64)>,
    finals: usize,
    next: u64,
    names: u64,
    /// Holds the expected state by the number of the Apply event; each block has one payment, one miss and one spend.
    states: BTreeMap<u64, RowState>,
    /// Holds points that once were applied, to be applied again.
    gone: Vec<BlockPoint>,
}

impl Model {
    fn new(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { random, chain: Vec::new(), finals: 0, next: 0, names: 0, states: BTreeMap::new(), gone: Vec::new() }
    }

    fn batch(&mut self) -> ScanBatch {
        let records = (0..self.random.u64(0..6)).map(|_| self.record()).collect();
        ScanBatch { records, checkpoint: Play::new(EventSeq(0)).checkpoint(EventSeq(self.next)) }
    }

    fn record(&mut self) -> ScanRecord {
        let seq = self.next;
        self.next += 1;
        let unfinal = self.chain.len() - self.finals;
        let (event, report) = match self.random.u8(..10) {
            0..=1 if unfinal > 0 => (self.roll_back(seq, unfinal), None),
            2..=3 if unfinal > 0 => (self.finalize(seq, unfinal), None),
            4 => (ScanEvent::Resume, None),
            _ => {
                let (header, report) = self.apply(seq);
                (ScanEvent::Apply(header), Some(report))
            }
        };
        ScanRecord { seq: EventSeq(seq), event, report }
    }

    fn apply(&mut self, seq: u64) -> (Header, BlockReport) {
        let height = BlockHeight(self.chain.len() as u64);
        let again = self.gone.iter().position(|point| point.id.height == height).filter(|_| self.random.bool());
        let point = match again {
            Some(at) => self.gone.swap_remove(at),
            None => {
                self.names += 1;
                let mut hash = [0; 32];
                hash[..8].copy_from_slice(&self.names.to_le_bytes());
                BlockId { height, hash: BlockHash(hash) }.into()
            }
        };
        self.chain.push((point, seq));
        self.states.insert(seq, RowState::Seen);
        (Header { point, parent: BlockHash::default(), time: BlockTime(seq) }, report(point, seq))
    }

    fn roll_back(&mut self, seq: u64, unfinal: usize) -> ScanEvent {
        let depth = self.random.usize(1..=unfinal);
        let mut dropped = Vec::new();
        for _ in 0..depth {
            let (point, applied) = self.chain.pop().unwrap();
            self.states.insert(applied, RowState::Gone { by: EventSeq(seq) });
            self.gone.push(point);
            dropped.push(point);
        }
        let to = self.chain.last().map_or_else(BlockPoint::default, |(point, _)| *point);
        ScanEvent::RollBack { to, dropped }
    }

    fn finalize(&mut self, seq: u64, unfinal: usize) -> ScanEvent {
        let before = self.finals;
        self.finals += self.random.usize(1..=unfinal);
        let point = self.chain[self.finals - 1].0;
        let evidence = match self.random.u8(..3) {
            0 => Evidence::anchor(point.id),
            1 => Evidence::attest(point.id, "chainlock", Trust::NodeSet, &[self.random.u8(..); 96]),
            _ => Evidence::attest(self.chain.last().unwrap().0.id, "chainlock", Trust::Checkpoint, &[]),
        };
        for (_, applied) in &self.chain[before..self.finals] {
            let evidence = Box::new(EvidenceClaim::from(&evidence));
            self.states.insert(*applied, RowState::Final { by: EventSeq(seq), evidence });
        }
        ScanEvent::Finalize(Finality { point, evidence })
    }
}

fn report(point: BlockPoint, seq: u64) -> BlockReport {
    let observation = Observation {
        block: point,
        txid: TxId(format!("tx{seq}")),
        output: 0,
        to: "vault".to_owned(),
        value: Amount(u128::from(seq) << 70),
        memo: Some(seq.to_le_bytes().to_vec()),
        sender: None,
        spends: vec![SpendKey(vec![1])],
    };
    let near_miss = NearMiss { observation: observation.clone(), reason: NearMissReason::MemoMissing };
    let spend = Spend { block: point, key: SpendKey(vec![2]), by: TxId(format!("tx{seq}")) };
    let (observations, near_misses, spends) = (vec![observation], vec![near_miss], vec![spend]);
    BlockReport { point, observations, near_misses, spends, reward: None }
}

fn states<T>(rows: &[Held<T>]) -> BTreeMap<u64, RowState> {
    rows.iter().map(|row| (row.key.seq.0, row.state.clone())).collect()
}

#[tokio::test]
async fn every_payment_miss_and_spend_has_the_state_that_the_events_give_it() {
    for seed in nodewright_testkit::seeds(12, 400) {
        let folder = tempfile::tempdir().unwrap();
        let sink = SqliteSink::open(folder.path().join("store.db")).await.unwrap();
        let mut model = Model::new(seed);
        for revision in 0..30 {
            sink.commit(Revision(revision), model.batch()).await.unwrap();
            let any = StateFilter::Any;
            assert_eq!(states(&sink.observations(any, None, 999).await.unwrap()), model.states, "seed {seed}");
            assert_eq!(states(&sink.near_misses(any, None, 999).await.unwrap()), model.states, "seed {seed}");
            assert_eq!(states(&sink.spends(any, None, 999).await.unwrap()), model.states, "seed {seed}");
        }
        for (filter, wanted) in [(StateFilter::Seen, 0), (StateFilter::Final, 1), (StateFilter::Gone, 2)] {
            let mut expected = model.states.clone();
            expected.retain(|_, state| {
                wanted
                    == match state {
                        RowState::Seen => 0,
                        RowState::Final { .. } => 1,
                        RowState::Gone { .. } => 2,
                    }
            });
            assert_eq!(states(&sink.observations(filter, None, 999).await.unwrap()), expected, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn pages_of_payments_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let sink = SqliteSink::open(folder.path().join("store.db")).await.unwrap();
    let play = Play::new(EventSeq(0));
    sink.commit(Revision(0), play.batch(0..400)).await.unwrap();
    let mut expected = Vec::new();
    for record in play.records(0..400) {
        let observations = record.report.map(|report| report.observations).unwrap_or_default();
        for (index, observation) in (0..).zip(observations) {
            expected.push((RowKey { seq: record.seq, index }, observation));
        }
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = sink.observations(StateFilter::Any, after, 7).await.unwrap();
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        found.extend(page.into_iter().map(|row| (row.key, row.item)));
    }
    assert!(found.len() > 200);
    assert_eq!(found, expected);
    let beyond = Some(RowKey { seq: EventSeq(u64::MAX), index: 0 });
    assert_eq!(sink.observations(StateFilter::Any, beyond, 7).await.unwrap(), []);
}

#[tokio::test]
async fn finality_of_another_block_of_the_same_height_makes_no_payment_final() {
    let folder = tempfile::tempdir().unwrap();
    let sink = SqliteSink::open(folder.path().join("store.db")).await.unwrap();
    let mut model = Model::new(0);
    let (header, report) = model.apply(50);
    let mut rival = header.point;
    rival.id.hash = BlockHash([0xcc; 32]);
    let finality = Finality { point: rival, evidence: Evidence::anchor(rival.id) };
    let roll_back = ScanEvent::RollBack { to: BlockPoint::default(), dropped: vec![rival] };
    let records = vec![
        ScanRecord { seq: EventSeq(50), event: ScanEvent::Apply(header), report: Some(report) },
        ScanRecord { seq: EventSeq(51), event: ScanEvent::Finalize(finality), report: None },
        ScanRecord { seq: EventSeq(52), event: roll_back, report: None },
    ];
    let checkpoint = Play::new(EventSeq(50)).checkpoint(EventSeq(53));
    sink.commit(Revision(0), ScanBatch { records, checkpoint }).await.unwrap();
    let rows = sink.observations(StateFilter::Any, None, 9).await.unwrap();
    assert_eq!(states(&rows), BTreeMap::from([(50, RowState::Seen)]));
}

#[tokio::test]
async fn a_rollback_of_a_block_with_a_final_payment_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sink = SqliteSink::open(folder.path().join("store.db")).await.unwrap();
    let mut model = Model::new(0);
    let (header, report) = model.apply(0);
    let records = vec![
        ScanRecord { seq: EventSeq(0), event: ScanEvent::Apply(header), report: Some(report) },
        ScanRecord { seq: EventSeq(1), event: model.finalize(1, 1), report: None },
    ];
    let checkpoint = |next| Play::new(EventSeq(0)).checkpoint(EventSeq(next));
    sink.commit(Revision(0), ScanBatch { records, checkpoint: checkpoint(2) }).await.unwrap();
    let event = ScanEvent::RollBack { to: BlockPoint::default(), dropped: vec![header.point] };
    let records = vec![ScanRecord { seq: EventSeq(2), event, report: None }];
    let error = sink.commit(Revision(1), ScanBatch { records, checkpoint: checkpoint(3) }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Inconsistent);
    let cause = error.source().and_then(|source| source.downcast_ref());
    assert!(matches!(cause, Some(SqliteError::FinalRolledBack { seq: EventSeq(2) })), "{error}");
    assert_eq!(sink.records(EventSeq(0), 9).await.unwrap().len(), 2);
}
