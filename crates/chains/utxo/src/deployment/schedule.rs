//! Deployments as eras.

use std::collections::BTreeMap;

use nodewright_core::{
    Activation, BlockDelta, BlockHeight, EraError, EraId, EraMarker, EraSchedule, Error, ErrorKind, SupportedEras,
};

use super::stage::{Deployment, Stage};

/// Names the era of a chain before its first deployment.
pub const BASE_ERA: &str = "genesis";

/// Stands between the names of deployments that come at one height: they make one era.
pub const SEPARATOR: char = '+';

/// Makes the schedule: [`BASE_ERA`] from the genesis block on, one era at each height where rules change, and what waits
/// for signals as announced. A deployment that failed is left out.
///
/// `period` answers how long the periods of a deployment are, in blocks; only what is locked in asks.
///
/// # Errors
/// [`DeploymentError`].
pub fn era_schedule(
    deployments: &[Deployment],
    period: impl Fn(&str) -> Option<BlockDelta>,
) -> Result<EraSchedule, DeploymentError> {
    let mut edges = BTreeMap::from([(BlockHeight(0), vec![BASE_ERA])]);
    let mut announced = Vec::new();
    for Deployment { name, stage } in deployments {
        match stage.height(period(name)) {
            Some(height) => edges.entry(height).or_default().push(name),
            None if matches!(stage, Stage::Failed) => {}
            None if matches!(stage, Stage::LockedIn { .. }) => {
                return Err(DeploymentError::PeriodUnknown { name: name.clone() });
            }
            None => announced.push(EraMarker::new(EraId::try_new(name.as_str())?, Activation::Unscheduled)),
        }
    }
    let mut markers = announced;
    for (height, mut names) in edges {
        names.sort_by_key(|name| (*name != BASE_ERA, *name));
        let era = EraId::try_new(names.join(&SEPARATOR.to_string()))?;
        markers.push(EraMarker::new(era, Activation::Height(height)));
    }
    Ok(EraSchedule::try_new(markers)?)
}

/// Returns the eras of `schedule` whose every deployment is in `known`, which is what a build supports of them.
///
/// # Errors
/// [`EraError::NoEras`] if that is none at all.
pub fn supported_eras(schedule: &EraSchedule, known: &[&str]) -> Result<SupportedEras, EraError> {
    let is_known = |era: &EraId| era.as_str().split(SEPARATOR).all(|part| part == BASE_ERA || known.contains(&part));
    let eras = schedule.scheduled().iter().chain(schedule.announced()).map(|marker| marker.era.clone());
    SupportedEras::try_new(eras.filter(is_known))
}

/// Says why deployments make no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeploymentError {
    /// A deployment is locked in and nobody says how long its periods are, so that its height is not known.
    #[error("{name} is locked in, and the length of its periods is not known, so neither is its height")]
    PeriodUnknown {
        /// Names the deployment.
        name: String,
    },
    /// The names or heights make no schedule.
    #[error(transparent)]
    Schedule(#[from] EraError),
}

impl From<DeploymentError> for Error {
    fn from(error: DeploymentError) -> Self {
        match error {
            DeploymentError::Schedule(error) => error.into(),
            error @ DeploymentError::PeriodUnknown { .. } => Self::new(ErrorKind::Inconsistent, "eras").because(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use nodewright_core::ChainPosition;

    use super::*;

    fn deployment(name: &str, stage: Stage) -> Deployment {
        Deployment { name: name.to_owned(), stage }
    }

    fn buried(name: &str, height: u64) -> Deployment {
        deployment(name, Stage::Buried { height: BlockHeight(height) })
    }

    fn some() -> Vec<Deployment> {
        vec![
            buried("bip65", 1351),
            buried("bip34", 500),
            buried("segwit", 0),
            buried("csv", 500),
            deployment("failed", Stage::Failed),
            deployment("taproot", Stage::LockedIn { since: BlockHeight(1440), not_before: BlockHeight(0) }),
            deployment("next", Stage::Defined),
        ]
    }

    #[test]
    fn deployments_at_one_height_make_one_era_and_what_waits_is_announced() {
        let schedule = era_schedule(&some(), |_| Some(BlockDelta(144))).unwrap();
        let eras: Vec<_> = schedule.scheduled().iter().map(ToString::to_string).collect();
        assert_eq!(
            eras,
            ["genesis+segwit (height 0)", "bip34+csv (height 500)", "bip65 (height 1351)", "taproot (height 1584)"]
        );
        assert_eq!(schedule.announced().iter().map(|marker| marker.era.as_str()).collect::<Vec<_>>(), ["next"]);
        assert_eq!(schedule.at(&ChainPosition::at(BlockHeight(499))).unwrap().era.as_str(), "genesis+segwit");
    }

    #[test]
    fn a_period_that_nobody_knows_is_an_error_not_a_later_date() {
        let error = era_schedule(&some(), |_| None).unwrap_err();
        assert_eq!(error, DeploymentError::PeriodUnknown { name: "taproot".to_owned() });
        assert_eq!(Error::from(error).kind(), ErrorKind::Inconsistent);
    }

    #[test]
    fn an_era_is_supported_if_all_its_deployments_are() {
        let schedule = era_schedule(&some(), |_| Some(BlockDelta(144))).unwrap();
        let supported = supported_eras(&schedule, &["bip34", "bip65", "csv", "segwit", "next"]).unwrap();
        let names: Vec<_> = supported.as_slice().iter().map(EraId::as_str).collect();
        assert_eq!(names, ["genesis+segwit", "bip34+csv", "bip65", "next"]);
        let fewer = supported_eras(&schedule, &["bip34", "segwit"]).unwrap();
        assert!(!fewer.supports(&EraId::try_new("bip34+csv").unwrap()));
    }
}
