//! The play: what happens on the simulated network, act by act, and what must become of each payment.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use nodewright::core::{BlockId, NearMissReason};
use nodewright::dash::sim::SimNetwork;
use nodewright::dash::sim::build::{Draft, op_return, pay_to};
use nodewright::utxo::observe::memo;
use tokio::time::{Instant, sleep};

use crate::truth::{Expected, Outcome, txid};
use crate::view::View;

/// Plays on a network in front of an observer, and keeps the truth.
pub(crate) struct Play {
    pub(crate) network: SimNetwork,
    pub(crate) truth: Vec<Expected>,
    view: Arc<View>,
    rng: fastrand::Rng,
    /// Names the newest block that must be final once the observer has caught up.
    locked: Option<BlockId>,
}

impl Play {
    pub(crate) fn new(network: SimNetwork, view: Arc<View>, seed: u64) -> Self {
        Self { network, truth: Vec::new(), view, rng: fastrand::Rng::with_seed(seed), locked: None }
    }

    /// Plays every act.
    pub(crate) async fn run(&mut self) -> Result<(), String> {
        self.growth().await?;
        self.memos().await?;
        self.locked_child().await?;
        self.losing_branch().await?;
        self.lock_first().await?;
        self.amnesia().await.map_err(|error| format!("the simulated node did not restart: {error}"))?;
        self.settle().await
    }

    async fn growth(&mut self) -> Result<(), String> {
        self.headline("1. The chain grows, and each block is locked.");
        for _ in 0..self.rng.usize(2..5) {
            let draft = self.deposit(&[]);
            let block = self.network.mine(&[&draft]);
            self.truth.push(Expected::new(&draft, 0, None, block));
            self.lock(block);
            self.settle().await?;
        }
        Ok(())
    }

    async fn memos(&mut self) -> Result<(), String> {
        self.headline("2. Memos stand in every position; two are broken, and one payment is for somebody else.");
        let mut cases = self.memo_cases();
        self.rng.shuffle(&mut cases);
        while !cases.is_empty() {
            let some: Vec<_> = cases.drain(..cases.len().min(self.rng.usize(2..5))).collect();
            let drafts: Vec<_> = some.iter().map(|case| &case.draft).collect();
            let block = self.network.mine(&drafts);
            for case in &some {
                let Some(output) = case.output else { continue };
                let expected = Expected::new(&case.draft, output, case.memo.as_deref(), block);
                self.truth.push(Expected { near_miss: case.near_miss.clone(), ..expected });
            }
            self.settle().await?;
        }
        self.lock(self.network.chain().head());
        self.settle().await
    }

    async fn locked_child(&mut self) -> Result<(), String> {
        self.headline("3. Five blocks get no lock of their own; then their child is locked.");
        for _ in 0..5 {
            let draft = self.deposit(&[b"=:MAYA.CACAO:maya1unlocked"]);
            let block = self.network.mine(&[&draft]);
            self.truth.push(Expected::new(&draft, 0, Some(b"=:MAYA.CACAO:maya1unlocked"), block));
            self.settle().await?;
        }
        let child = self.network.mine(&[]);
        self.lock(child);
        self.settle().await
    }

    async fn losing_branch(&mut self) -> Result<(), String> {
        self.headline("4. A branch of four blocks loses to one of three that is locked.");
        let fork = self.network.chain().head();
        let [moved, replaced, waiting] = [(); 3].map(|()| self.deposit(&[]));
        let rival = Draft { outputs: vec![(replaced.outputs[0].0, pay_to([0x77; 20]))], ..replaced.clone() };
        self.network.mine(&[&moved, &replaced, &waiting]);
        for _ in 0..3 {
            self.network.mine(&[]);
            self.settle().await?;
        }
        let mut tip = self.network.mine_on(fork, &[&rival]);
        tip = self.network.mine_on(tip, &[&moved]);
        self.truth.push(Expected::new(&moved, 0, None, tip));
        tip = self.network.mine_on(tip, &[]);
        let gone = |draft, outcome| Expected { outcome, ..Expected::new(draft, 0, None, tip) };
        self.truth.push(gone(&replaced, Outcome::Replaced(txid(&rival))));
        self.truth.push(gone(&waiting, Outcome::Mempool));
        self.lock(tip);
        self.network.announce(&waiting);
        self.network.switch(tip);
        self.settle().await
    }

    async fn lock_first(&mut self) -> Result<(), String> {
        self.headline("5. A lock comes before its block.");
        let draft = self.deposit(&[b"noop"]);
        let parent = self.network.mine(&[]);
        self.settle().await?;
        let hidden = self.network.mine_on(parent, &[&draft]);
        self.truth.push(Expected::new(&draft, 0, Some(b"noop"), hidden));
        self.network.lock(hidden);
        self.view.printer().remark(&format!("the node knows a lock for block {}, and not the block", hidden.height));
        sleep(PAUSE * 5).await;
        self.locked = Some(hidden);
        self.network.switch(hidden);
        self.settle().await
    }

    async fn amnesia(&mut self) -> io::Result<()> {
        self.headline("6. The node restarts and has forgotten every lock; the coinbases have not.");
        let draft = self.deposit(&[b"d:b"]);
        let block = self.network.mine(&[&draft]);
        self.truth.push(Expected::new(&draft, 0, Some(b"d:b"), block));
        self.settle().await.map_err(io::Error::other)?;
        self.network.lock(block);
        self.network.node_mut().restart(self.rng.u32(2..5)).await?;
        self.network.mine(&[]);
        self.locked = Some(block);
        self.settle().await.map_err(io::Error::other)?;
        let last = self.network.mine(&[]);
        self.lock(last);
        Ok(())
    }

    /// Waits until the observer has seen everything that the node can tell.
    async fn settle(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            {
                let known = self.view.known();
                let at_head = known.tip.is_some_and(|tip| tip.id == self.network.chain().head());
                let finalized = known.audit.finalized().map(|point| point.id.height);
                if at_head && self.locked.is_none_or(|locked| finalized >= Some(locked.height)) {
                    return Ok(());
                }
                if self.view.is_broken() && at_head || Instant::now() > deadline {
                    return if self.view.is_broken() { Ok(()) } else { Err("the observer stands still".to_owned()) };
                }
            }
            sleep(PAUSE).await;
        }
    }

    fn lock(&mut self, block: BlockId) {
        self.network.lock(block);
        self.locked = Some(block);
    }

    fn headline(&self, text: &str) {
        self.view.printer().headline(text);
    }

    /// Makes a payment to the vault in output 0, with an OP_RETURN output for each of `memos` behind it.
    fn deposit(&mut self, memos: &[&[u8]]) -> Draft {
        let value = self.value();
        self.network.payment(VAULT_HASH, value, |pay| {
            core::iter::once(pay).chain(memos.iter().map(|memo| (0, op_return(&[memo])))).collect()
        })
    }

    fn value(&mut self) -> u64 {
        self.rng.u64(1_000_000..5_000_000_000)
    }

    fn memo_cases(&mut self) -> Vec<Case> {
        let swap: &[u8] = b"=:MAYA.CACAO:maya1gv85v0jvc0rsjunku3qxempax6kmrg5jqh8vmg";
        let long = [swap, b":0/1/0:affiliate:50|".as_slice(), &[b'x'; 60]].concat();
        let change = (700_000, pay_to([0x55; 20]));
        let (values, rng) = ((0..11).map(|_| self.value()).collect::<Vec<_>>(), self.rng.u8(1..=200));
        let mut make = {
            let mut values = values.into_iter();
            move |network: &mut SimNetwork, place: &dyn Fn(Output) -> Vec<Output>| {
                network.payment(VAULT_HASH, values.next().unwrap_or(1), place)
            }
        };
        let network = &mut self.network;
        let memo = || (0, op_return(&[swap]));
        let good = |draft, output, memo: &[u8]| Case {
            draft,
            output: Some(output),
            memo: Some(memo.to_vec()),
            near_miss: None,
        };
        let (head, programs) = memo::split(&long).unwrap_or_default();
        let mut cases = vec![
            good(make(network, &|pay| vec![pay, memo()]), 0, swap),
            good(make(network, &|pay| vec![memo(), pay]), 1, swap),
            good(make(network, &|pay| vec![change.clone(), memo(), pay]), 2, swap),
            good(make(network, &|pay| vec![(0, op_return(&[b"tcy+"])), change.clone(), pay]), 2, b"tcy+"),
            good(make(network, &|pay| vec![pay, (0, op_return(&[b"add:", b"DASH.DASH"]))]), 0, b"add:DASH.DASH"),
            good(make(network, &|pay| vec![(0, op_return(&[b"add:"])), pay, (0, op_return(&[b"d:b"]))]), 1, b"add:d:b"),
        ];
        let fakes = programs.iter().map(|program| (1_000, pay_to(*program)));
        let fakes: Vec<_> = fakes.collect();
        cases.push(good(make(network, &|pay| [vec![pay, (0, op_return(&[&head]))], fakes.clone()].concat()), 0, &long));
        let binary = [0xff, rng, 0xfe];
        let not_text = make(network, &|pay| vec![pay, (0, op_return(&[&binary]))]);
        let truncated = make(network, &|pay| vec![pay, (0, vec![0x6a, 0x4c, 80, b'x'])]);
        let near = |draft, memo: Option<&[u8]>, reason| Case {
            draft,
            output: Some(0),
            memo: memo.map(<[u8]>::to_vec),
            near_miss: Some(reason),
        };
        cases.push(near(not_text, Some(&binary), NearMissReason::MemoNotText));
        cases.push(near(truncated, None, NearMissReason::MemoMalformed));
        let elsewhere = network.payment([0x66; 20], 4_200_000, |pay| vec![pay, memo()]);
        cases.push(Case { draft: elsewhere, output: None, memo: None, near_miss: None });
        cases
    }
}

/// Is an output to be written: its value and its script.
type Output = (u64, Vec<u8>);

/// Holds one transaction of the second act.
struct Case {
    draft: Draft,
    /// Is the output that pays the vault; `None` if none does.
    output: Option<u32>,
    memo: Option<Vec<u8>>,
    near_miss: Option<NearMissReason>,
}

/// Is the address that the observer watches, on Dash's test networks.
pub(crate) const VAULT: &str = "yZJAKchDbbmYdCCxttRifr7F9QKoSJeCqs";

/// Is the public key hash that [`VAULT`] pays.
const VAULT_HASH: [u8; 20] = [
    0x8e, 0x5b, 0x6c, 0x42, 0x08, 0xb8, 0x1c, 0x5a, 0x53, 0xf1, 0xa0, 0x10, 0xd1, 0x75, 0x70, 0x0a, 0xdb, 0xf3, 0xf7,
    0x1e,
];

/// Is how long the play waits between two looks at the observer.
const PAUSE: Duration = Duration::from_millis(25);

/// Is how long the play waits for the observer before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);
