//! Random play on a simulated network: whatever happens, what is final in the end is the simulator's truth.

use std::collections::BTreeMap;

use nodewright_core::{BlockHeight, BlockId, Header, ScanEvent, TxId};
use nodewright_dash::sim::build::{self, Draft};
use nodewright_dash::sim::{NodeOptions, SimNetwork};
use nodewright_ops::observer::{DepositBook, DepositState};
use nodewright_ops::scan::StartAt;
use nodewright_utxo::walker::{BlockWalker, Dialect};

use crate::scene::{Scan, adapter, quick};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_final_in_the_end_is_the_simulators_truth() {
    let mut turns = [0; 7];
    for seed in nodewright_testkit::seeds(100, 1_000) {
        let mut play = Play::start(seed).await;
        for _ in 0..40 {
            turns[play.turn().await] += 1;
        }
        play.close().await;
    }
    let least = turns.iter().min().copied().unwrap_or_default();
    assert!(least > 50 || std::env::var_os(nodewright_testkit::SEED).is_some(), "a turn is missing: {turns:?}");
}

struct Play {
    seed: u64,
    rng: fastrand::Rng,
    network: SimNetwork,
    scan: Option<Scan>,
    rest: bool,
    /// Holds the payments that the best branch held once and does not now.
    lost: Vec<Draft>,
    paid: Vec<Draft>,
}

impl Play {
    async fn start(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let rest = rng.bool();
        let network = SimNetwork::start(seed, NodeOptions { rest, ..NodeOptions::default() }).unwrap();
        let adapter = adapter(network.node(), quick()).await;
        let scan = Some(Scan::start(adapter, StartAt::Height(BlockHeight(0))));
        Self { seed, rng, network, scan, rest, lost: Vec::new(), paid: Vec::new() }
    }

    /// Does one thing; returns what kind.
    async fn turn(&mut self) -> usize {
        let kind = self.rng.usize(..7);
        match kind {
            0 => self.grow(),
            1 => self.reorganise(),
            2 => self.force_lower(),
            3 => self.lock_something(),
            4 => self.lock_ahead().await,
            5 => {
                let warm_up = self.rng.u32(..3);
                self.network.node_mut().restart(warm_up).await.unwrap();
            }
            _ => self.restart_scan().await,
        }
        if self.rng.u8(..3) > 0 {
            self.scan.as_mut().unwrap().catch_up().await;
        }
        kind
    }

    fn grow(&mut self) {
        for _ in 0..self.rng.usize(1..4) {
            let drafts = self.drafts();
            self.network.mine(&drafts.iter().collect::<Vec<_>>());
        }
    }

    /// Replaces unlocked blocks by a longer branch.
    fn reorganise(&mut self) {
        let unlocked = self.unlocked();
        let depth = self.rng.usize(..=unlocked.min(4));
        self.branch(depth, depth + 1);
    }

    /// Replaces unlocked blocks by a branch that is no longer, because its tip is locked.
    fn force_lower(&mut self) {
        let depth = self.unlocked().min(5);
        if depth == 0 {
            return self.grow();
        }
        let length = self.rng.usize(1..=depth);
        let tip = self.branch(depth, length);
        self.network.lock(tip);
    }

    fn lock_something(&mut self) {
        let depth = self.rng.usize(..=self.unlocked());
        if depth < self.unlocked() {
            self.network.lock(self.network.chain().below_head(depth));
        }
    }

    /// Locks a block that the node does not have yet, and shows it later.
    async fn lock_ahead(&mut self) {
        let drafts = self.drafts();
        let hidden = self.network.mine_on(self.network.chain().head(), &drafts.iter().collect::<Vec<_>>());
        self.network.lock(hidden);
        let before = self.finalized();
        self.scan.as_mut().unwrap().catch_up().await;
        assert!(self.finalized() <= before.max(self.network.chain().head().height), "seed {}", self.seed);
        if self.rng.bool() {
            self.restart_scan().await;
        }
        if self.rng.bool() {
            self.network.node_mut().restart(1).await.unwrap();
        }
        self.network.switch(hidden);
    }

    async fn restart_scan(&mut self) {
        let adapter = adapter(self.network.node(), quick()).await;
        self.scan = self.scan.take().map(|scan| scan.restart(adapter));
    }

    /// Replaces the newest `depth` blocks by `length` others and makes them the best branch.
    fn branch(&mut self, depth: usize, length: usize) -> BlockId {
        let mut tip = self.network.chain().below_head(depth);
        let dropped: Vec<_> = self.network.chain().best().rev().take(depth).map(|block| block.id()).collect();
        let is_dropped = |draft: &&Draft| dropped.iter().any(|id| self.holds(*id, draft));
        let lost: Vec<_> = self.paid.iter().filter(is_dropped).cloned().collect();
        self.lost.extend(lost);
        for _ in 0..length {
            let drafts = self.drafts();
            tip = self.network.mine_on(tip, &drafts.iter().collect::<Vec<_>>());
        }
        self.network.switch(tip);
        tip
    }

    /// Makes payments to the vault, new ones and ones that a branch lost.
    fn drafts(&mut self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        if !self.lost.is_empty() && self.rng.bool() {
            drafts.push(self.lost.swap_remove(self.rng.usize(..self.lost.len())));
        }
        for _ in 0..self.rng.usize(..3) {
            let value = self.rng.u64(1_000..1_000_000);
            let memo = (0, build::op_return(&[b"=:c:maya1x"]));
            let first = self.rng.bool();
            let draft =
                self.network.payment(VAULT_HASH, value, |pay| if first { vec![pay, memo] } else { vec![memo, pay] });
            self.paid.push(draft.clone());
            drafts.push(draft);
        }
        drafts
    }

    /// Counts the blocks above the newest locked one.
    fn unlocked(&self) -> usize {
        let chain = self.network.chain();
        let locked = chain.locks().iter().filter(|id| chain.is_best(id)).map(|id| id.height).max().unwrap_or_default();
        usize::try_from(chain.head().height.0 - locked.0).unwrap()
    }

    fn holds(&self, id: BlockId, draft: &Draft) -> bool {
        let block = self.network.chain().block(&id.hash).unwrap();
        let mut walker = BlockWalker::new(&block.body().raw, Dialect::Dash).unwrap();
        let txid = build::txid(&draft.to_bytes());
        walker.any(|tx| tx.unwrap().txid() == txid)
    }

    fn finalized(&self) -> BlockHeight {
        let stored = self.scan.as_ref().unwrap().sink.stored();
        stored.map_or(BlockHeight(0), |stored| stored.checkpoint.finalized.id.height)
    }

    /// Locks the head, lets the scan finish, and compares.
    async fn close(mut self) {
        let seed = self.seed;
        self.network.mine(&[]);
        self.network.lock(self.network.chain().head());
        let mut scan = self.scan.take().unwrap();
        scan.catch_up().await;
        let records = scan.sink.records(Default::default(), usize::MAX);

        let (mut chain, mut finals) = (Vec::<Header>::new(), 0);
        let mut book = DepositBook::new();
        for (number, record) in (0..).zip(&records) {
            assert_eq!(record.seq.0, number, "seed {seed}");
            drop(book.fold(record));
            match &record.event {
                ScanEvent::Apply(header) => {
                    assert_eq!(header.parent, tip(&chain, &self.network), "seed {seed}");
                    chain.push(*header);
                }
                ScanEvent::RollBack { dropped, .. } => {
                    chain.truncate(chain.len() - dropped.len());
                    assert!(chain.len() >= finals, "seed {seed}: a final block was rolled back");
                }
                ScanEvent::Finalize(finality) => {
                    finals = 1 + chain.iter().position(|header| header.point == finality.point).unwrap();
                    let by = finality.evidence.block();
                    assert!(self.network.chain().locks().contains(&by), "seed {seed}: {by:?} was never locked");
                }
                ScanEvent::Hold(_) | ScanEvent::Resume => {}
            }
        }
        assert_eq!(finals, chain.len(), "seed {seed}: rest {}", self.rest);
        let truth = self.network.chain().best().skip(1).map(|block| block.id());
        assert!(truth.eq(chain.iter().map(|header| header.point.id)), "seed {seed}");
        self.compare(&book);
    }

    fn compare(&self, book: &DepositBook) {
        let seed = self.seed;
        let mut expected = BTreeMap::new();
        for block in self.network.chain().best() {
            let mut walker = BlockWalker::new(&block.body().raw, Dialect::Dash).unwrap();
            while let Some(tx) = walker.next_tx().unwrap() {
                if tx.outputs().any(|output| output.script == build::pay_to(VAULT_HASH)) {
                    let twin = expected.insert(TxId(tx.txid().to_string()), block.id());
                    assert_eq!(twin, None, "seed {seed}: the play mined a payment twice");
                }
            }
        }
        let mut found = BTreeMap::new();
        for deposit in book.deposits() {
            match &deposit.state {
                DepositState::Final { .. } => {
                    found.insert(deposit.observation.txid.clone(), deposit.observation.block.id);
                }
                DepositState::Gone { .. } => {}
                DepositState::Seen => panic!("seed {seed}: {deposit:?} is neither final nor gone"),
            }
        }
        assert_eq!(found, expected, "seed {seed}");
    }
}

fn tip(chain: &[Header], network: &SimNetwork) -> nodewright_core::BlockHash {
    chain.last().map_or(network.chain().genesis().id.hash, |header| header.point.id.hash)
}

/// Is the public key hash that the vault's address pays.
const VAULT_HASH: [u8; 20] = [
    0x8e, 0x5b, 0x6c, 0x42, 0x08, 0xb8, 0x1c, 0x5a, 0x53, 0xf1, 0xa0, 0x10, 0xd1, 0x75, 0x70, 0x0a, 0xdb, 0xf3, 0xf7,
    0x1e,
];
