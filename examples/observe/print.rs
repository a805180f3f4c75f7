//! What a person reads, or a program.

use indicatif::ProgressBar;
use nodewright::core::{Amount, BlockHash, BlockPoint, EvidenceKind, Trust};
use nodewright::ops::observer::{Deposit, DepositState, Fate, Weighed};
use serde_json::{Value, json};

/// Prints lines, as text or as JSON, around a progress bar if there is one.
#[derive(Debug)]
pub(crate) struct Printer {
    json: bool,
    ticker: &'static str,
    hash_text: fn(&BlockHash) -> String,
    bar: Option<ProgressBar>,
}

impl Printer {
    pub(crate) fn new(json: bool, ticker: &'static str, hash_text: fn(&BlockHash) -> String) -> Self {
        Self { json, ticker, hash_text, bar: None }
    }

    pub(crate) fn with_bar(self, bar: ProgressBar) -> Self {
        Self { bar: Some(bar), ..self }
    }

    pub(crate) fn bar(&self) -> Option<&ProgressBar> {
        self.bar.as_ref()
    }

    /// Prints a headline of the play.
    pub(crate) fn headline(&self, text: &str) {
        if self.json {
            self.line(&json!({ "event": "note", "text": text }).to_string());
        } else {
            self.line(&format!("\n{text}"));
        }
    }

    /// Prints a remark.
    pub(crate) fn remark(&self, text: &str) {
        if self.json {
            self.line(&json!({ "event": "note", "text": text }).to_string());
        } else {
            self.line(&format!("         {text}"));
        }
    }

    /// Prints a deposit whose state changed.
    pub(crate) fn deposit(&self, deposit: &Deposit, weighed: Option<Weighed>) {
        if self.json {
            let fields = json!({ "event": "deposit", "deposit": deposit,
                "finalise_height": weighed.map(|weighed| weighed.finalise_height) });
            return self.line(&fields.to_string());
        }
        let seen = &deposit.observation;
        let name = format!("{} {} tx {}:{}", self.amount(seen.value), self.ticker, short(&seen.txid.0), seen.output);
        let line = match (&deposit.state, &deposit.near_miss) {
            (DepositState::Seen, None) => {
                format!("seen     {name}  block {}{}", seen.block.id.height, self.tail(deposit, weighed))
            }
            (DepositState::Seen, Some(reason)) => {
                format!("missed   {name}  block {}  does not count: {reason}", seen.block.id.height)
            }
            (DepositState::Final { .. }, Some(_)) => return,
            (DepositState::Final { point, evidence }, None) => {
                let why = match &evidence.kind {
                    EvidenceKind::Anchor => "the operator's anchor".to_owned(),
                    EvidenceKind::Certificate(name) => {
                        format!("{name} at height {}{}", evidence.block.height, trust(evidence.trust))
                    }
                    EvidenceKind::Depth(depth) => format!("{} blocks on top of block {}", depth, point.id.height),
                    EvidenceKind::Reported => format!("the node's word at height {}", evidence.block.height),
                    other => format!("{other:?}"),
                };
                format!("final    {name}  block {}  by {why}", seen.block.id.height)
            }
            (DepositState::Gone { fate }, _) => format!("gone     {name}  {}", fate_text(fate)),
        };
        self.line(&line);
    }

    /// Prints a reorganisation.
    pub(crate) fn reorganisation(&self, to: &BlockPoint, dropped: &[BlockPoint]) {
        if self.json {
            let hashes: Vec<_> = dropped.iter().map(|point| (self.hash_text)(&point.id.hash)).collect();
            return self.line(&json!({ "event": "reorganisation", "to": to.id.height, "dropped": hashes }).to_string());
        }
        let tip =
            dropped.first().map(|point| format!("{} {}", point.id.height, short(&(self.hash_text)(&point.id.hash))));
        self.line(&format!(
            "reorg    back to block {}: {} dropped, tip was {}",
            to.id.height,
            dropped.len(),
            tip.unwrap_or_default()
        ));
    }

    /// Prints one line of data in JSON mode, or `text`.
    pub(crate) fn data(&self, fields: &Value, text: &str) {
        self.line(if self.json { fields.to_string() } else { text.to_owned() }.as_str());
    }

    pub(crate) fn amount(&self, amount: Amount) -> String {
        let coin = 10_u128.pow(DECIMALS);
        format!("{}.{:08}", amount.0 / coin, amount.0 % coin)
    }

    fn tail(&self, deposit: &Deposit, weighed: Option<Weighed>) -> String {
        let memo =
            deposit.observation.memo.as_deref().map(|memo| format!("  memo {:?}", String::from_utf8_lossy(memo)));
        let moved = deposit.moved_from.map(|point| format!("  (was in block {})", point.id.height));
        let counts = weighed.map(|weighed| format!("  counts at height {}", weighed.finalise_height));
        [memo, moved, counts].into_iter().flatten().collect()
    }

    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| println!("{line}")),
            None => println!("{line}"),
        }
    }
}

/// Shortens a hash to what a person compares.
pub(crate) fn short(text: &str) -> String {
    match (text.get(..8), text.get(text.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) if text.len() > 16 => format!("{head}…{tail}"),
        _ => text.to_owned(),
    }
}

pub(crate) fn fate_text(fate: &Fate) -> String {
    match fate {
        Fate::Awaited => "its block left the chain".to_owned(),
        Fate::Mempool => "back in the memory pool".to_owned(),
        Fate::Replaced { by, .. } => format!("replaced by tx {}", short(&by.0)),
        Fate::Unknown => "the node no longer knows it".to_owned(),
    }
}

fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Checkpoint => ", proved from a checkpoint",
        Trust::NodeSet => ", signature checked",
        Trust::NodeWord => ", on the node's word",
    }
}

/// Is how many decimal places a coin of the Bitcoin family has.
const DECIMALS: u32 = 8;
