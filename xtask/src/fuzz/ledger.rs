//! The ledger of searches: how long each target was fuzzed, how far it got, what was found.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::libfuzzer::Campaign;
use crate::Outcome;

/// The searches of every target, added up.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    targets: BTreeMap<String, Record>,
}

/// The searches of one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Record {
    seconds: u64,
    executions: u64,
    /// Seconds since something was found last.
    clean_seconds: u64,
    findings: u64,
    /// These three are of the latest search: they change with the code.
    edges: u64,
    edges_in_all: u64,
    features: u64,
}

impl Ledger {
    /// Reads the ledger; there is none before the first search.
    pub(super) fn load(path: &Path) -> Result<Self, String> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut targets = BTreeMap::new();
        for entry in value.as_array().ok_or("is no list")? {
            let name = entry["target"].as_str().ok_or("an entry has no target")?;
            let number = |key: &str| entry[key].as_u64().ok_or_else(|| format!("{name} has no {key}"));
            let record = Record {
                seconds: number("seconds")?,
                executions: number("executions")?,
                clean_seconds: number("clean_seconds")?,
                findings: number("findings")?,
                edges: number("edges")?,
                edges_in_all: number("edges_in_all")?,
                features: number("features")?,
            };
            targets.insert(name.to_owned(), record);
        }
        Ok(Self { targets })
    }

    pub(super) fn add(&mut self, target: &str, campaign: &Campaign) {
        let record = self.targets.entry(target.to_owned()).or_default();
        record.seconds += campaign.seconds;
        record.executions += campaign.executions;
        if campaign.finding.is_some() {
            record.findings += 1;
            record.clean_seconds = 0;
        } else {
            record.clean_seconds += campaign.seconds;
        }
        record.edges = campaign.edges;
        record.edges_in_all = campaign.edges_in_all;
        record.features = campaign.features;
    }

    pub(super) fn save(&self, path: &Path) -> Outcome {
        fs::write(path, self.text()).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// One line for each target, so that a change shows as one line.
    fn text(&self) -> String {
        let line = |(name, record): (&String, &Record)| {
            let Record { seconds, executions, clean_seconds, findings, edges, edges_in_all, features } = record;
            json!({
                "target": name, "executions": executions, "edges": edges, "edges_in_all": edges_in_all,
                "features": features, "seconds": seconds, "clean_seconds": clean_seconds, "findings": findings,
            })
            .to_string()
        };
        let lines: Vec<String> = self.targets.iter().map(line).collect();
        format!("[\n  {}\n]\n", lines.join(",\n  "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::libfuzzer::Campaign;
    use super::*;

    #[test]
    fn searches_add_up_and_survive_the_file() {
        let mut ledger = Ledger::default();
        let campaign = |seconds, edges| Campaign { executions: 1_000, seconds, edges, ..Campaign::default() };
        ledger.add("walker", &campaign(600, 70));
        ledger.add("walker", &campaign(60, 71));
        ledger.add("clsig", &campaign(10, 5));
        let read = Ledger::parse(&ledger.text()).unwrap();
        assert_eq!(read, ledger);
        let record = read.targets.get("walker").copied().unwrap_or_default();
        assert_eq!((record.executions, record.seconds, record.clean_seconds, record.edges), (2_000, 660, 660, 71));
    }

    #[test]
    fn a_damaged_ledger_is_refused() {
        assert!(Ledger::parse("{}").is_err());
        assert!(Ledger::parse("[{\"target\": \"walker\"}]").is_err());
    }
}
