//! What a person reads, or a program.

use nodewright::cardano::certificate::ChainEnd;
use serde_json::{Map, Value, json};

use crate::check::Report;
use crate::rules::RULES;
use crate::verdict::Finding;

/// Prints lines, as text or as JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    json: bool,
}

impl Printer {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a headline.
    pub(crate) fn headline(&self, text: &str) {
        self.data(&json!({ "event": "note", "text": text }), &format!("\n{text}"));
    }

    /// Prints a remark.
    pub(crate) fn remark(&self, text: &str) {
        self.data(&json!({ "event": "note", "text": text }), &format!("           {text}"));
    }

    /// Prints one line of data in JSON mode, or `text`.
    pub(crate) fn data(&self, fields: &Value, text: &str) {
        println!("{}", if self.json { fields.to_string() } else { text.to_owned() });
    }

    /// Prints what a verification counted, with the rules if `rules`.
    pub(crate) fn verified(&self, report: &Report, rules: bool) {
        let tip = report.chain.tip.certificate();
        let (end, stop, text) = match report.chain.end {
            ChainEnd::Genesis(hash) => ("genesis", hash, "genesis"),
            ChainEnd::Anchor(hash) => ("anchor", hash, "anchor"),
        };
        let stop = stop.to_string();
        if self.json {
            let counts: Map<_, _> = RULES.iter().map(|rule| (rule.name.to_owned(), json!(rule.held(report)))).collect();
            let last = report.signed.first();
            return println!(
                "{}",
                json!({ "event": "verified", "certificate": tip.hash, "certifies": tip.signed_entity.kind().to_string(),
                    "end": end, "end_certificate": stop, "first_epoch": report.epochs.0, "last_epoch": report.epochs.1,
                    "fetched": report.chain.fetched, "checked": report.checked, "rules": counts,
                    "signers": last.map(|signed| signed.signers), "stake": last.map(|signed| signed.stake),
                    "total_stake": last.map(|signed| signed.total), "threads": report.threads,
                    "milliseconds": report.elapsed.as_millis() })
            );
        }
        let (hash, kind) = (short(&tip.hash.to_string()), tip.signed_entity.kind());
        println!("verified   certificate {hash}, which certifies: {kind}");
        println!("           epochs {} to {}, down to the {text} {}", report.epochs.1, report.epochs.0, short(&stop));
        println!("checked    {}", self.cost(report));
        if let Some(line) = signers(report) {
            println!("signed     {line}");
        }
        if rules && report.checked > 0 {
            println!("rules");
            for rule in RULES.iter().filter(|rule| rule.held(report) > 0) {
                println!("  {:<18} {:>5} {:<13} {}", rule.name, rule.held(report), rule.on(), rule.says);
            }
        }
    }

    /// Prints why a chain was not verified.
    pub(crate) fn refused(&self, finding: &Finding) {
        let Finding { verdict, rule, text, advice } = finding;
        let fields = json!({ "event": "refused", "verdict": verdict.as_str(), "rule": rule, "text": text,
            "advice": advice });
        let head = rule.map_or_else(|| "UNDECIDED ".to_owned(), |rule| format!("BROKEN     rule: {rule}\n          "));
        self.data(&fields, &format!("{head} {text}\n           what to do: {advice}"));
    }

    fn cost(&self, report: &Report) -> String {
        let seconds = report.elapsed.as_secs_f64();
        match u32::try_from(report.checked) {
            Ok(checked @ 1..) => {
                let each = report.elapsed.as_secs_f64() * 1e3 / f64::from(checked);
                let signatures = u32::try_from(report.multi_signatures).unwrap_or(u32::MAX).max(1);
                let signature = report.signature_time.as_secs_f64() * 1e3 / f64::from(signatures);
                format!(
                    "{checked} certificates in {seconds:.2} s on {} threads: {each:.1} ms each ({signature:.1} ms of one \
                     thread for a multi-signature)",
                    report.threads
                )
            }
            _ => format!("0 certificates: this one was verified before ({seconds:.2} s)"),
        }
    }
}

/// Says who signed: the fewest and the most of any certificate.
fn signers(report: &Report) -> Option<String> {
    let signed = &report.signed;
    let count = |pick: fn(usize, usize) -> usize| signed.iter().map(|one| one.signers).reduce(pick);
    let share =
        |pick: fn(u64, u64) -> u64| signed.iter().map(|one| one.stake.0 / (one.total.0 / 100).max(1)).reduce(pick);
    let last = signed.first()?;
    let (few, many) = (count(usize::min)?, count(usize::max)?);
    let (low, high) = (share(u64::min)?, share(u64::max)?);
    let counts = if few == many { few.to_string() } else { format!("{few} to {many}") };
    let shares = if low == high { low.to_string() } else { format!("{low} to {high}") };
    Some(format!(
        "each by {counts} signers with {shares} % of the stake; in epoch {} that is {} of {} ada",
        last.epoch,
        last.stake.0 / LOVELACE,
        last.total.0 / LOVELACE
    ))
}

/// Shortens a hash to what a person compares.
pub(crate) fn short(text: &str) -> String {
    match (text.get(..8), text.get(text.len().saturating_sub(4)..)) {
        (Some(head), Some(tail)) if text.len() > 16 => format!("{head}…{tail}"),
        _ => text.to_owned(),
    }
}

/// Is how many lovelace an ada has.
const LOVELACE: u64 = 1_000_000;
