//! A made-up scan whose every event and checkpoint follows from its number, so that a store can be checked against it.

use core::ops::Range;

use nodewright_core::{
    Amount, BlockHash, BlockHeight, BlockId, BlockPoint, BlockReport, BlockTime, ChainId, Checkpoint, EventSeq,
    Evidence, EvidenceClaim, EvidenceKind, Finality, Header, HoldReason, NearMiss, NearMissReason, NetworkId,
    Observation, ScanBatch, ScanEvent, ScanRecord, Scope, ShardId, Slot, Spend, SpendKey, Trust, TxId,
};

/// Makes the events of a scan that goes in rounds of ten: six blocks, two of them taken back, replaced by one, a hold and
/// a resume in between, then finality.
///
/// It is enough for a sink, which must store what it is given; it is not what a `ScanCore` would say of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Play {
    first: u64,
    reports: bool,
}

impl Play {
    /// Makes a scan whose first event has number `first`, with reports of its blocks.
    #[must_use]
    pub fn new(first: EventSeq) -> Self {
        Self { first: first.0, reports: true }
    }

    /// Leaves the reports out.
    #[must_use]
    pub fn without_reports(mut self) -> Self {
        self.reports = false;
        self
    }

    /// Returns the scope: a shard of a chain that does not exist.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let network = NetworkId { name: "regtest".to_owned(), genesis: BlockHash([7; 32]) };
        Scope { chain: ChainId::new("play"), network, shard: Some(ShardId(2)) }
    }

    /// Returns the number of the first event.
    #[must_use]
    pub fn first(&self) -> EventSeq {
        EventSeq(self.first)
    }

    /// Returns the batch with the events of `seqs`.
    #[must_use]
    pub fn batch(&self, seqs: Range<u64>) -> ScanBatch {
        let checkpoint = self.checkpoint(EventSeq(seqs.end));
        ScanBatch { records: self.records(seqs), checkpoint }
    }

    /// Returns the records of `seqs`.
    #[must_use]
    pub fn records(&self, seqs: Range<u64>) -> Vec<ScanRecord> {
        seqs.map(|seq| self.record(seq)).collect()
    }

    /// Returns where the scan stands before event `next`.
    #[must_use]
    pub fn checkpoint(&self, next: EventSeq) -> Checkpoint {
        let base = base(next.0 / ROUND);
        let finalized = point(base, 0);
        let certificate = |block: BlockId| EvidenceClaim {
            block,
            kind: EvidenceKind::Certificate("playlock".into()),
            trust: Trust::NodeSet,
            bytes: vec![0, 255, 7],
        };
        Checkpoint {
            format: Checkpoint::FORMAT,
            scope: self.scope(),
            next_seq: next,
            finalized,
            finality: certificate(finalized.id),
            unfinal: (1..=next.0 % ROUND).map(|above| point(base + above, 0)).collect(),
            history: (base.saturating_sub(3)..base).map(|height| point(height, 0)).collect(),
            pending: vec![certificate(point(base + 99, 0).id)],
            notes: next.0.is_multiple_of(2).then(|| format!("{{\"next\": {next}}}\n")),
        }
    }

    fn record(&self, seq: u64) -> ScanRecord {
        let (round, step) = (seq / ROUND, seq % ROUND);
        let base = base(round);
        let event = match step {
            0..=4 => ScanEvent::Apply(header(base + 1 + step, 0)),
            5 => ScanEvent::Hold(HoldReason::SourceForked),
            6 => ScanEvent::Resume,
            7 => ScanEvent::RollBack { to: point(base + 3, 0), dropped: vec![point(base + 5, 0), point(base + 4, 0)] },
            8 => ScanEvent::Apply(header(base + 4, 1)),
            _ => {
                let point = point(base + 3, 0);
                let evidence = match round % 3 {
                    0 => Evidence::anchor(point.id),
                    1 => Evidence::attest(point.id, "playlock", Trust::NodeSet, &[1, 2, 3, 0]),
                    _ => Evidence::attest(header(base + 4, 1).point.id, "playlock", Trust::Checkpoint, &[]),
                };
                ScanEvent::Finalize(Finality { point, evidence })
            }
        };
        let report = match &event {
            ScanEvent::Apply(header) if self.reports => Some(report(seq, header.point)),
            _ => None,
        };
        ScanRecord { seq: EventSeq(seq), event, report }
    }
}

/// Makes a report with everything that is hard to store somewhere in it.
fn report(seq: u64, point: BlockPoint) -> BlockReport {
    let payment = |output: u32| Observation {
        block: point,
        txid: TxId(format!("tx{seq}")),
        output,
        to: "Adresse \u{1f980} 'quoted' \"twice\"".to_owned(),
        value: Amount(u128::MAX - u128::from(seq)),
        memo: match output {
            0 => None,
            1 => Some(Vec::new()),
            _ => Some(vec![0, 0xff, b'\'', b'\n', 0xc3]),
        },
        sender: (output == 1).then(|| "sender".to_owned()),
        spends: vec![SpendKey(vec![0, output.to_le_bytes()[0]]), SpendKey(Vec::new())],
    };
    let reasons = [NearMissReason::BelowMinimum, NearMissReason::MemoNotText];
    BlockReport {
        point,
        observations: (0..seq % 4).map(|output| payment(u32::try_from(output).unwrap_or(u32::MAX))).collect(),
        near_misses: reasons.map(|reason| NearMiss { observation: payment(u32::MAX), reason }).to_vec(),
        spends: vec![Spend { block: point, key: SpendKey(vec![9; 36]), by: TxId("spender".to_owned()) }],
        reward: (!seq.is_multiple_of(3)).then_some(Amount(5_000_000_000)),
    }
}

fn base(round: u64) -> u64 {
    round.saturating_mul(4)
}

fn header(height: u64, branch: u8) -> Header {
    let parent = point(height.saturating_sub(1), 0).id.hash;
    Header { point: point(height, branch), parent, time: BlockTime(1_600_000_000 + height) }
}

fn point(height: u64, branch: u8) -> BlockPoint {
    let mut hash = [branch; 32];
    for (to, from) in hash.iter_mut().zip(height.to_be_bytes()) {
        *to = from;
    }
    let slot = height.is_multiple_of(2).then_some(Slot(height.saturating_mul(20)));
    BlockPoint { id: BlockId { height: BlockHeight(height), hash: BlockHash(hash) }, slot }
}

/// Counts the events of a round.
const ROUND: u64 = 10;
