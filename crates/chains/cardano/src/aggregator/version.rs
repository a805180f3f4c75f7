//! Which API version is sent to an aggregator, and what it says about it.
//!
//! Until the middle of 2025 aggregators refused a version of another series (0.1, 0.2, …) with status 412 and an empty
//! body; since then they answer all, and clients compare. Both are met: after a 412 the next version is tried, and a
//! server that is ahead is reported as a [`VersionNotice`], not in a log alone.

use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nodewright_core::EraId;
use nodewright_core::api::{
    ApiName, ApiRanges, Attempt, NegotiateError, Silence, TryList, Version, VersionAnswer, VersionRule, VersionVerdict,
};

use super::error::AggregatorError;
use crate::watch::{Finding, Severity};

/// Names the API of aggregators in [`ApiRanges`].
pub const AGGREGATOR_API: ApiName = ApiName::of("mithril-aggregator");

/// Returns the versions that this crate speaks: 0.1, written against 0.1.71 (`mithril-common` 0.8.3), in every era;
/// a server that states none is accepted.
///
/// A program for eras with versions of their own adds them with [`ApiRanges::with_api_in`].
#[must_use]
pub fn aggregator_api() -> ApiRanges {
    ApiRanges::new(Silence::Accept).with_api(AGGREGATOR_API, VersionRule::Series(Version::new(0, 1, 71)))
}

/// Says something about versions that an operator should know. It is told once, until another takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionNotice {
    /// The versions fit.
    Agreed {
        /// What was sent.
        ours: Version,
        /// What the aggregator states.
        theirs: Version,
    },
    /// The aggregator answers, and is later than this program.
    Ahead {
        /// What was sent.
        ours: Version,
        /// What the aggregator states.
        theirs: Version,
    },
    /// The aggregator answers, and is of an earlier series than this program.
    Behind {
        /// What was sent.
        ours: Version,
        /// What the aggregator states.
        theirs: Version,
    },
    /// The aggregator refused a version with status 412; another one is tried if there is one.
    Refused {
        /// What was sent.
        ours: Version,
        /// What the aggregator states, if it does.
        theirs: Option<Version>,
    },
    /// The aggregator, or a proxy before it, states no version.
    Silent {
        /// What was sent.
        ours: Version,
    },
}

impl fmt::Display for VersionNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agreed { ours, theirs } => write!(f, "API {ours} agrees with the aggregator's {theirs}"),
            Self::Ahead { ours, theirs } => {
                write!(f, "the aggregator's API {theirs} is later than ours, {ours}: upgrade this program")
            }
            Self::Behind { ours, theirs } => {
                write!(f, "the aggregator's API {theirs} is of an earlier series than ours, {ours}")
            }
            Self::Refused { ours, theirs: Some(theirs) } => {
                write!(f, "the aggregator, at API {theirs}, refuses {ours}")
            }
            Self::Refused { ours, theirs: None } => write!(f, "the aggregator refuses API {ours}"),
            Self::Silent { ours } => write!(f, "API {ours} was sent, and the aggregator states none"),
        }
    }
}

impl Finding for VersionNotice {
    fn severity(&self) -> Severity {
        match self {
            Self::Agreed { .. } => Severity::Fine,
            Self::Behind { .. } | Self::Silent { .. } => Severity::Notice,
            Self::Ahead { .. } | Self::Refused { .. } => Severity::Warning,
        }
    }
}

/// Is what is known of versions at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionReading {
    /// The version that the next call begins with.
    pub ours: Version,
    /// What the last answer said; `None` before the first.
    pub notice: Option<VersionNotice>,
}

/// The memory of a client about versions.
#[derive(Debug)]
pub(super) struct Versions {
    ranges: ApiRanges,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    era: Option<EraId>,
    list: TryList,
    notice: Option<VersionNotice>,
}

/// What follows from an answer.
pub(super) struct Judged {
    /// With which version to send again; `None` if the answer is one.
    pub(super) again: Option<Attempt>,
    /// What is new.
    pub(super) news: Option<VersionNotice>,
}

impl Versions {
    pub(super) fn try_new(ranges: ApiRanges, era: Option<EraId>) -> Result<Self, NegotiateError> {
        let list = try_list(&ranges, era.as_ref())?;
        Ok(Self { ranges, state: Mutex::new(State { era, list, notice: None }) })
    }

    /// Goes over to the versions of another era.
    pub(super) fn set_era(&self, era: EraId) -> Result<(), NegotiateError> {
        let list = try_list(&self.ranges, Some(&era))?;
        let mut state = self.lock();
        if state.era.as_ref() != Some(&era) {
            *state = State { era: Some(era), list, notice: None };
        }
        Ok(())
    }

    pub(super) fn reading(&self) -> VersionReading {
        let state = self.lock();
        VersionReading { ours: state.list.head().clone(), notice: state.notice.clone() }
    }

    pub(super) fn begin(&self) -> Attempt {
        self.lock().list.begin()
    }

    /// Learns from an answer to `attempt`.
    pub(super) fn judge(&self, attempt: Attempt, answer: VersionAnswer<'_>) -> Result<Judged, AggregatorError> {
        let ours = attempt.version().clone();
        let mut state = self.lock();
        // The era may have changed since the call began; then its version is judged as one of a series.
        let rule =
            self.ranges.spoken(&AGGREGATOR_API, state.era.as_ref())?.into_iter().find(|rule| *rule.own() == ours);
        let rule = rule.cloned().unwrap_or_else(|| VersionRule::Series(ours.clone()));
        let verdict = VersionVerdict::of(&rule, answer, self.ranges.silence())?;
        let (notice, again) = match verdict {
            VersionVerdict::Agreed { theirs } => (VersionNotice::Agreed { ours, theirs }, None),
            VersionVerdict::Accepted { theirs, warn: true } => (VersionNotice::Ahead { ours, theirs }, None),
            VersionVerdict::Accepted { theirs, warn: false } => (VersionNotice::Behind { ours, theirs }, None),
            VersionVerdict::Silent => (VersionNotice::Silent { ours }, None),
            VersionVerdict::TryOther { theirs } => {
                let next = state.list.refused(attempt, theirs.as_ref());
                (VersionNotice::Refused { ours, theirs }, Some(next))
            }
        };
        if again.is_none() {
            let theirs = answer.header.and_then(|header| nodewright_core::api::parse_version_header(header).ok());
            state.list.answered(theirs.as_ref());
        }
        let news = (state.notice.as_ref() != Some(&notice)).then(|| notice.clone());
        state.notice = Some(notice);
        match again.transpose() {
            Ok(again) => Ok(Judged { again, news }),
            Err(exhausted) => Err(AggregatorError::ApiVersion { exhausted }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is replaced field by field, and every mixture of old and new is a lawful state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn try_list(ranges: &ApiRanges, era: Option<&EraId>) -> Result<TryList, NegotiateError> {
    let none = || match era {
        Some(era) => NegotiateError::NotInEra { api: AGGREGATOR_API, era: era.clone() },
        None => NegotiateError::EraUnreported { api: AGGREGATOR_API },
    };
    ranges.try_list(&AGGREGATOR_API, era)?.ok_or_else(none)
}
