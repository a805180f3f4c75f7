//! A node behind a proxy that delays, truncates, resets, refuses and lies: nothing is missed, nothing wrong is taken.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nodewright::core::{BlockHeight, BlockPoint, ScanEvent, ScanLimits, ScanSink, WatchRules, WatchSet};
use nodewright::dash::sim::build::op_return;
use nodewright::dash::sim::{NodeOptions, SimNetwork};
use nodewright::dash::{self, DashOptions};
use nodewright::ops::observer::{DepositBook, DepositState};
use nodewright::ops::scan::{Notice, ScanDriver, ScanError, ScanListener, ScanOptions, StartAt};
use nodewright::rpc::Auth;
use nodewright::stores::MemorySink;
use nodewright_testkit::fault_proxy::{Fault, FaultPlan, FaultProxy};
use nodewright_testkit::seeds;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_and_nothing_wrong_is_taken() {
    let mut done = BTreeMap::new();
    for rest in [true, false] {
        for seed in seeds(2, 40) {
            for (fault, hits) in follow(seed, rest).await {
                *done.entry(fault).or_insert(0) += hits;
            }
        }
    }
    assert_eq!(done.len(), 6, "every kind of fault was done: {done:?}");
}

async fn follow(seed: u64, rest: bool) -> BTreeMap<&'static str, u64> {
    let mut network = SimNetwork::start(seed, NodeOptions { rest, ..NodeOptions::default() }).expect("a network");
    let mut rng = fastrand::Rng::with_seed(seed);
    let upstream = network.node().url().trim_start_matches("http://").parse().expect("an address");
    let proxy = FaultProxy::start(upstream, FaultPlan::default()).expect("a proxy");
    let mut paid = 0;
    grow(&mut network, &mut rng, &mut paid, 30);
    let adapter = dash::connect(&proxy.url(), Auth::None, DashOptions::default()).await.expect("an adapter");
    let vault = adapter.observations.as_ref().expect("it observes").watch(VAULT).expect("an address");
    let told = Arc::new(Told::default());
    let options = ScanOptions {
        start: StartAt::Height(BlockHeight(0)),
        watch: WatchSet::new([vault], WatchRules::default()),
        limits: ScanLimits {
            poll: Duration::from_millis(10),
            poll_max: Duration::from_millis(40),
            ..ScanLimits::default()
        },
        listener: Some(Arc::<Told>::clone(&told)),
        ..ScanOptions::default()
    };
    let sink: Arc<dyn ScanSink> = Arc::new(MemorySink::new());
    proxy.set_plan(FaultPlan { seed, percent: 25, faults: faults() });
    for _ in 0..6 {
        for _ in 0..4 {
            let mut driver = ScanDriver::new(adapter.clone(), Arc::clone(&sink), options.clone());
            stop_or_go_on(driver.run_to_idle().await);
        }
        grow(&mut network, &mut rng, &mut paid, 8);
        let fork = network.chain().below_head(2);
        if rng.bool() && network.chain().locks().iter().all(|locked| locked.height <= fork.height) {
            let mut tip = network.mine_on(fork, &[]);
            for _ in 0..3 {
                tip = network.mine_on(tip, &[]);
            }
            // Payments of the two dropped blocks are gone with them.
            network.switch(tip);
        }
    }
    let head = network.chain().head();
    network.lock(head);
    proxy.set_plan(FaultPlan::default());
    let hits = proxy.hits();
    for _ in 0..3 {
        let mut driver = ScanDriver::new(adapter.clone(), Arc::clone(&sink), options.clone());
        driver.run_to_idle().await.expect("an honest node is followed");
    }

    let told = told.0.lock().unwrap_or_else(PoisonError::into_inner);
    let truth: Vec<_> = network.chain().best().skip(1).map(|block| block.id()).collect();
    assert_eq!(told.chain.iter().map(|point| point.id).collect::<Vec<_>>(), truth, "seed {seed}");
    let finals = told.book.deposits().iter().filter(|deposit| matches!(deposit.state, DepositState::Final { .. }));
    for deposit in finals.clone() {
        assert!(truth.contains(&deposit.observation.block.id), "seed {seed}: {deposit:?}");
    }
    let gone = told.book.deposits().iter().filter(|deposit| matches!(deposit.state, DepositState::Gone { .. })).count();
    assert_eq!(told.book.deposits().len(), finals.count() + gone, "seed {seed}: nothing is left open");
    assert!(told.book.deposits().len() <= paid, "seed {seed}: nothing is invented");
    hits
}

/// Holds every fault. The lie gives the results of a batch to one another, and for a call or a file what the node answered
/// to one before: another block for a hash, another header, another lock.
fn faults() -> Vec<Fault> {
    let before: Mutex<Vec<Vec<u8>>> = Mutex::default();
    let lie = Fault::rewrite(move |body, rng| {
        let mut before = before.lock().unwrap_or_else(PoisonError::into_inner);
        let said = body.clone();
        if let Some(lie) = mix_up(body, before.get(rng.usize(..before.len().max(1))).map(Vec::as_slice)) {
            *body = lie;
        }
        before.push(said);
        before.truncate(50);
    });
    let (busy, rate_limited) = (Fault::Status(503, None), Fault::Status(429, Some(0)));
    vec![
        Fault::Delay(Duration::from_millis(80)),
        Fault::Reset,
        Fault::ResetAfter,
        Fault::Truncate,
        busy,
        rate_limited,
        lie,
    ]
}

fn mix_up(body: &[u8], before: Option<&[u8]>) -> Option<Vec<u8>> {
    match (serde_json::from_slice(body), before.map(serde_json::from_slice)) {
        (Ok(Value::Array(mut items)), _) if items.len() > 1 => {
            let first = items.first()?.get("result")?.clone();
            let last = core::mem::replace(items.last_mut()?.get_mut("result")?, first);
            *items.first_mut()?.get_mut("result")? = last;
            serde_json::to_vec(&items).ok()
        }
        (Ok(Value::Object(mut answer)), Some(Ok(Value::Object(before)))) => {
            answer.insert("result".to_owned(), before.get("result")?.clone());
            serde_json::to_vec(&answer).ok()
        }
        (Err(_), Some(Err(_))) => before.map(<[u8]>::to_vec),
        _ => None,
    }
}

/// A lie may end a run: the source has then said something that only a person can judge. It must never be believed.
fn stop_or_go_on(outcome: Result<nodewright::ops::scan::Stop, ScanError>) {
    if let Err(error) = outcome {
        assert!(!error.to_string().is_empty());
    }
}

fn grow(network: &mut SimNetwork, rng: &mut fastrand::Rng, paid: &mut usize, blocks: usize) {
    for _ in 0..blocks {
        let payment = network.payment(VAULT_HASH, rng.u64(1..1_000_000), |pay| vec![pay, (0, op_return(&[b"noop"]))]);
        let block = if rng.u8(..3) == 0 {
            *paid += 1;
            network.mine(&[&payment])
        } else {
            network.mine(&[])
        };
        if rng.u8(..4) == 0 {
            network.lock(block);
        }
    }
}

#[derive(Debug, Default)]
struct Told(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    chain: Vec<BlockPoint>,
    book: DepositBook,
}

impl ScanListener for Told {
    fn notice(&self, notice: Notice<'_>) {
        let Notice::Committed(record) = notice else { return };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &record.event {
            ScanEvent::Apply(header) => state.chain.push(header.point),
            ScanEvent::RollBack { dropped, .. } => {
                let kept = state.chain.len() - dropped.len();
                state.chain.truncate(kept);
            }
            _ => {}
        }
        state.book.fold(record);
    }
}

/// Is an address on Dash's test networks, and the public key hash that it pays.
const VAULT: &str = "yZJAKchDbbmYdCCxttRifr7F9QKoSJeCqs";
const VAULT_HASH: [u8; 20] = [
    0x8e, 0x5b, 0x6c, 0x42, 0x08, 0xb8, 0x1c, 0x5a, 0x53, 0xf1, 0xa0, 0x10, 0xd1, 0x75, 0x70, 0x0a, 0xdb, 0xf3, 0xf7,
    0x1e,
];
