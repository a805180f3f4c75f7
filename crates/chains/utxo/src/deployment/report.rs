//! Reading deployments from what a node answers.
//!
//! Bitcoin Core 0.19 to 22, Litecoin Core 0.21 and Dash Core list them in `getblockchaininfo` under `softforks`; Bitcoin
//! Core from 23 on answers `getdeploymentinfo` with the same entries under `deployments`.

use std::collections::BTreeMap;

use nodewright_core::{BlockDelta, BlockHeight, Error, ErrorKind, Result};
use serde::Deserialize;

use super::stage::{Deployment, Signals, Stage};

/// Holds the deployments that one answer reports, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct DeploymentReport {
    entries: BTreeMap<String, Entry>,
}

impl DeploymentReport {
    /// Is the greatest number of deployments that is read: several times what any chain of the family has had.
    pub const MAX_DEPLOYMENTS: usize = 256;

    /// Makes sense of what the node reported.
    ///
    /// # Errors
    /// `InvalidData`, with the deployment's name, where its type or status is none that is known, or a height is missing;
    /// an unknown word is never taken for "not yet". `Limit` for more than [`Self::MAX_DEPLOYMENTS`].
    pub fn deployments(&self) -> Result<Vec<Deployment>> {
        if self.entries.len() > Self::MAX_DEPLOYMENTS {
            return Err(Error::new(ErrorKind::Limit, OP).with("deployments", self.entries.len()));
        }
        let read = |(name, entry): (&String, &Entry)| {
            let stage = entry
                .stage()
                .map_err(|what| Error::new(ErrorKind::InvalidData, OP).with("deployment", name).with("what", what))?;
            Ok(Deployment { name: name.clone(), stage })
        };
        self.entries.iter().map(read).collect()
    }

    /// Returns the length of the periods that were stated with signals, by the deployment's name.
    pub fn periods(&self) -> impl Iterator<Item = (&str, BlockDelta)> {
        self.entries.iter().filter_map(|(name, entry)| {
            Some((name.as_str(), BlockDelta(entry.bip9.as_ref()?.statistics.as_ref()?.period)))
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    height: Option<u64>,
    #[serde(default)]
    bip9: Option<Bip9>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Bip9 {
    status: String,
    since: u64,
    #[serde(default)]
    min_activation_height: u64,
    #[serde(default)]
    statistics: Option<Statistics>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Statistics {
    period: u64,
    #[serde(default)]
    threshold: Option<u64>,
    elapsed: u64,
    count: u64,
}

impl Entry {
    fn stage(&self) -> core::result::Result<Stage, String> {
        match (self.kind.as_str(), &self.bip9) {
            ("buried", _) => match self.height {
                Some(height) => Ok(Stage::Buried { height: BlockHeight(height) }),
                None => Err("buried without a height".to_owned()),
            },
            ("bip9", Some(bip9)) => bip9.stage(),
            ("bip9", None) => Err("without its state".to_owned()),
            (kind, _) => Err(format!("unknown type {:?}", excerpt(kind))),
        }
    }
}

impl Bip9 {
    fn stage(&self) -> core::result::Result<Stage, String> {
        let since = BlockHeight(self.since);
        Ok(match self.status.as_str() {
            "defined" => Stage::Defined,
            "started" => Stage::Started { signals: self.statistics.as_ref().map(Statistics::signals) },
            "locked_in" => Stage::LockedIn { since, not_before: BlockHeight(self.min_activation_height) },
            "active" => Stage::Active { since },
            "failed" => Stage::Failed,
            status => return Err(format!("unknown status {:?}", excerpt(status))),
        })
    }
}

impl Statistics {
    fn signals(&self) -> Signals {
        Signals {
            period: BlockDelta(self.period),
            threshold: self.threshold,
            elapsed: BlockDelta(self.elapsed),
            count: self.count,
        }
    }
}

fn excerpt(word: &str) -> String {
    word.chars().take(32).collect()
}

const OP: &str = "deployments";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<Deployment>> {
        serde_json::from_str::<DeploymentReport>(json).unwrap().deployments()
    }

    #[test]
    fn every_form_that_nodes_use_is_read() {
        // Litecoin Core 0.21.2 on regtest, and Dash Core 22 with what it adds.
        let report = read(
            r#"{"bip34": {"type": "buried", "active": false, "height": 500},
                "dummy": {"type": "bip9", "bip9": {"status": "started", "bit": 28, "start_time": 0, "timeout": 9, "since": 144,
                    "statistics": {"period": 144, "threshold": 108, "elapsed": 1, "count": 1, "possible": true}}, "active": false},
                "mweb": {"type": "bip9", "bip9": {"status": "locked_in", "start_time": 0, "timeout": 9, "since": 288}, "active": false},
                "taproot": {"type": "bip9", "bip9": {"status": "active", "start_time": -1, "timeout": 9, "since": 0}, "height": 0, "active": true},
                "v24": {"type": "bip9", "active": false, "bip9": {"ehf": true, "ehf_height": 1008, "min_activation_height": 7, "since": 0,
                    "start_time": 0, "status": "defined", "timeout": 9223372036854775807}}}"#,
        )
        .unwrap();
        let signals = Signals { period: BlockDelta(144), threshold: Some(108), elapsed: BlockDelta(1), count: 1 };
        let stages: Vec<_> = report.iter().map(|deployment| (deployment.name.as_str(), deployment.stage)).collect();
        assert_eq!(
            stages,
            [
                ("bip34", Stage::Buried { height: BlockHeight(500) }),
                ("dummy", Stage::Started { signals: Some(signals) }),
                ("mweb", Stage::LockedIn { since: BlockHeight(288), not_before: BlockHeight(0) }),
                ("taproot", Stage::Active { since: BlockHeight(0) }),
                ("v24", Stage::Defined),
            ]
        );
    }

    #[test]
    fn what_is_not_understood_is_an_error_that_names_the_deployment() {
        let cases = [
            (r#"{"x": {"type": "bip8", "active": false}}"#, "unknown type \"bip8\""),
            (r#"{"x": {"type": "buried", "active": true}}"#, "buried without a height"),
            (r#"{"x": {"type": "bip9", "active": true}}"#, "without its state"),
            (
                r#"{"x": {"type": "bip9", "bip9": {"status": "must_signal", "since": 1}}}"#,
                "unknown status \"must_signal\"",
            ),
        ];
        for (json, what) in cases {
            let error = read(json).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.to_string().contains("deployment: x") && error.to_string().contains(what), "{error}");
        }
    }
}
