//! The example `observe` on a real litecoind, killed with SIGKILL at chosen instants while the chain reorganises: its
//! store then holds what an observer holds that was never disturbed.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nodewright::core::{BlockHash, EventSeq};
use nodewright::stores::{LoggedEvent, RowState, SqliteSink, StateFilter};
use nodewright_testkit::Litecoind;
use serde_json::{Value, json};
use support::Observe;

#[test]
fn a_store_killed_at_every_stage_equals_one_that_never_was() {
    let Some(mut play) = Play::start() else { return };
    let mut hits = [0; STAGES.len()];
    for round in 0..KILLS {
        let stage = round % STAGES.len();
        hits[stage] += usize::from(play.round(STAGES[stage], &[]));
    }
    assert!(hits.iter().all(|hits| *hits >= 5), "each of {STAGES:?} is hit five times or more: {hits:?}");
    let (killed, undisturbed) = play.compare(&[]);
    assert_eq!(killed, undisturbed);
    assert_eq!(killed.payments.len(), play.deposits, "every payment that was mined is there once");
}

#[test]
fn a_commit_in_the_wrong_order_does_not_pass() {
    let Some(mut play) = Play::start() else { return };
    let swapped = [("OBSERVE_SWAP_COMMIT", "1")];
    for _ in 0..2 {
        play.round("write", &swapped);
    }
    let (killed, undisturbed) = play.compare(&swapped);
    assert_ne!(killed.payments, undisturbed.payments);
}

/// Runs a node and an observer that is killed again and again.
struct Play {
    node: Litecoind,
    folder: tempfile::TempDir,
    store: PathBuf,
    rng: fastrand::Rng,
    deposits: usize,
    reorganisations: u16,
}

impl Play {
    fn start() -> Option<Self> {
        let node = Litecoind::start(&["-rest=1"]).expect("litecoind starts")?;
        node.mine(220).expect("it mines");
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("killed.sqlite");
        Some(Self { node, folder, store, rng: fastrand::Rng::with_seed(9), deposits: 0, reorganisations: 0 })
    }

    /// Lets the chain move, runs the observer up to `stage`, and kills it there; returns whether the stage was reached.
    fn round(&mut self, stage: &str, variables: &[(&str, &str)]) -> bool {
        if self.rng.bool() {
            self.reorganise();
        }
        let seen = self.pay();
        let failpoint = format!("{stage}:1");
        let variables: Vec<_> = variables.iter().copied().chain([("OBSERVE_FAILPOINT", failpoint.as_str())]).collect();
        let observe = Observe::start(&self.arguments(&self.store), &variables);
        let mut reached = false;
        if stage == "rollback" {
            // It must have applied what the chain is about to drop, unless a rollback was due from the round before.
            let line = observe.wait_for(&[&seen, REACHED], PATIENCE).expect("the observer sees the payment");
            reached = line.contains(REACHED);
            self.reorganise();
        }
        reached = reached || observe.wait_for(&[REACHED], PATIENCE).is_some();
        observe.kill();
        reached
    }

    /// Lets the observer that was killed come to its end, and another one scan from scratch; returns what both hold.
    fn compare(&mut self, variables: &[(&str, &str)]) -> (Standing, Standing) {
        let last = self.pay();
        let undisturbed = self.folder.path().join("undisturbed.sqlite");
        for (store, variables) in [(&self.store, variables), (&undisturbed, &[])] {
            let observe = Observe::start(&self.arguments(store), variables);
            assert!(observe.wait_for(&[&last], PATIENCE).is_some(), "the observer sees {last}");
            assert!(observe.interrupt(), "it ends well on Ctrl-C");
        }
        (standing(&self.store), standing(&undisturbed))
    }

    /// Mines a block with a payment to the watched address; returns the transaction's id.
    fn pay(&mut self) -> String {
        self.deposits += 1;
        let coinbase = self.node.call("getblockhash", &json!([self.deposits])).expect("a hash");
        let block = self.node.call("getblock", &json!([coinbase])).expect("a block");
        let memo = hex::encode(format!("payment {}", self.deposits));
        let raw = self.call(
            "createrawtransaction",
            &json!([[{ "txid": block["tx"][0], "vout": 0 }],
            [{ WATCHED: format!("1.{:08}", self.deposits) }, { "data": memo }]]),
        );
        let decoded = self.call("decoderawtransaction", &json!([raw]));
        self.node.mine_with(&[raw.as_str().expect("hex").to_owned()]).expect("it mines");
        decoded["txid"].as_str().expect("a txid").to_owned()
    }

    /// Replaces one to four blocks by one more than that; payments in them are mined again.
    fn reorganise(&mut self) {
        let depth = self.rng.u32(1..=4);
        let height = self.call("getblockcount", &json!([])).as_u64().expect("a height");
        let hash = self.call("getblockhash", &json!([height + 1 - u64::from(depth)]));
        self.call("invalidateblock", &json!([hash]));
        // Another coinbase each time, or the first new block might be the old one again.
        self.reorganisations += 1;
        self.call("generatetodescriptor", &json!([depth + 1, format!("raw(02{:04x}7551)", self.reorganisations)]));
    }

    fn call(&self, method: &str, params: &Value) -> Value {
        self.node.call(method, params).expect("the node answers")
    }

    fn arguments(&self, store: &Path) -> Vec<String> {
        let cookie = self.node.cookie();
        let (cookie, store) = (cookie.to_string_lossy(), store.to_string_lossy());
        let url = self.node.url();
        [
            "--chain", "litecoin", "--url", &url, "--cookie", &cookie, "--watch", WATCHED, "--from", "1", "--store",
            &store,
        ]
        .into_iter()
        .chain(["--policy", "depth:6", "--json"])
        .map(str::to_owned)
        .collect()
    }
}

/// Holds what a store says of the chain and its payments, whatever detours led there.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    chain: Vec<BlockHash>,
    /// Holds each payment's height, transaction, output, value and memo.
    payments: BTreeSet<Payment>,
}

type Payment = (u64, String, u32, u128, Option<Vec<u8>>);

/// Reads a store; its events must be without gap, and its rows must agree with its events.
fn standing(store: &Path) -> Standing {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let sink = SqliteSink::open(store).await.expect("the store opens");
        let (mut chain, mut next) = (Vec::new(), EventSeq::default());
        loop {
            let page = sink.records(next, 500).await.expect("records");
            if page.is_empty() {
                break;
            }
            for record in page {
                assert_eq!(record.seq, next, "no event is missing or doubled");
                next = record.seq.next();
                match record.event {
                    LoggedEvent::Apply(header) => chain.push(header.point.id.hash),
                    LoggedEvent::RollBack { dropped, .. } => chain.truncate(chain.len() - dropped.len()),
                    _ => {}
                }
            }
        }
        let mut payments = BTreeSet::new();
        let mut after = None;
        loop {
            let page = sink.observations(StateFilter::Any, after, 100).await.expect("rows");
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            for row in page.iter().filter(|row| !matches!(row.state, RowState::Gone { .. })) {
                let seen = &row.item;
                assert!(chain.contains(&seen.block.id.hash), "a row that stands is in a block that stands");
                let height = seen.block.id.height.0;
                let new = payments.insert((height, seen.txid.0.clone(), seen.output, seen.value.0, seen.memo.clone()));
                assert!(new, "no payment stands twice: {seen:?}");
            }
        }
        Standing { chain, payments }
    })
}

/// Is an address whose key nobody has, on Litecoin's regtest.
const WATCHED: &str = "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8";

/// Is what the observer says when it stands at the chosen stage.
const REACHED: &str = "failpoint reached";

/// Is how often the observer is killed.
const KILLS: usize = 52;

/// Names every stage at which the observer is killed.
const STAGES: [&str; 4] = ["fetch", "write", "commit", "rollback"];

/// Is how long the observer may take to get somewhere.
const PATIENCE: Duration = Duration::from_secs(40);
