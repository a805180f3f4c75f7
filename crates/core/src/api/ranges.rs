//! What this build speaks.

use std::collections::BTreeMap;

use semver::Version;

use super::name::{AbilityName, ApiName, ClientKind, MethodName};
use super::negotiate::NegotiateError;
use super::rule::VersionRule;
use super::try_list::TryList;
use crate::era::EraId;

/// Says what to do about something that a node does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It counts as what is needed, and the agreement names it as unseen.
    Accept,
    /// It counts as absent.
    Refuse,
}

/// Holds what this build speaks: node programs, versions of their APIs, and abilities with the methods they need.
///
/// A chain crate has one for each kind of node that it knows; [`negotiate`](super::negotiate) compares it with what a
/// node offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRanges {
    pub(super) silence: Silence,
    pub(super) clients: BTreeMap<ClientKind, Version>,
    pub(super) abilities: BTreeMap<AbilityName, Vec<MethodName>>,
    apis: BTreeMap<ApiName, Vec<Spoken>>,
}

/// Is one version of an API that this build speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spoken {
    rule: VersionRule,
    era: Option<EraId>,
}

impl ApiRanges {
    /// Makes an empty range, which every node meets.
    #[must_use]
    pub fn new(silence: Silence) -> Self {
        Self { silence, clients: BTreeMap::new(), abilities: BTreeMap::new(), apis: BTreeMap::new() }
    }

    /// Supports a kind of node from version `minimum` on. A range that names no kind supports every kind; one that
    /// names some refuses the others.
    #[must_use]
    pub fn with_client(mut self, kind: ClientKind, minimum: Version) -> Self {
        self.clients.insert(kind, minimum);
        self
    }

    /// Speaks a version of `api`, in every era for which no other is stated by [`ApiRanges::with_api_in`].
    #[must_use]
    pub fn with_api(self, api: ApiName, rule: VersionRule) -> Self {
        self.speak(api, Spoken { rule, era: None })
    }

    /// Speaks a version of `api` in `era`; in that era only the versions that are stated for it hold, as Mithril's file
    /// `openapi-<era>.yaml` replaces `openapi.yaml`.
    #[must_use]
    pub fn with_api_in(self, era: EraId, api: ApiName, rule: VersionRule) -> Self {
        self.speak(api, Spoken { rule, era: Some(era) })
    }

    /// States that `ability` needs all of `methods`; one without methods is always there.
    #[must_use]
    pub fn with_ability(mut self, ability: AbilityName, methods: impl IntoIterator<Item = MethodName>) -> Self {
        self.abilities.insert(ability, methods.into_iter().collect());
        self
    }

    /// Returns what is done when a node does not say.
    #[must_use]
    pub fn silence(&self) -> Silence {
        self.silence
    }

    /// Returns the APIs that have versions, in order.
    pub fn apis(&self) -> impl Iterator<Item = &ApiName> {
        self.apis.keys()
    }

    /// Returns the versions of `api` that hold in `era`, newest first; none if this build does not know the API.
    ///
    /// # Errors
    /// `EraUnreported` if they depend on the era and `era` is `None`; `NotInEra` if none holds in that era.
    pub fn spoken(&self, api: &ApiName, era: Option<&EraId>) -> Result<Vec<&VersionRule>, NegotiateError> {
        let Some(spoken) = self.apis.get(api) else {
            return Ok(Vec::new());
        };
        let depends = spoken.iter().any(|it| it.era.is_some());
        if depends && era.is_none() {
            return Err(NegotiateError::EraUnreported { api: api.clone() });
        }
        let own = spoken.iter().any(|it| it.era.is_some() && it.era.as_ref() == era);
        let bound = if own { era } else { None };
        let mut rules: Vec<_> = spoken.iter().filter(|it| it.era.as_ref() == bound).map(|it| &it.rule).collect();
        rules.sort_by(|left, right| right.own().cmp_precedence(left.own()));
        match era {
            Some(era) if rules.is_empty() => Err(NegotiateError::NotInEra { api: api.clone(), era: era.clone() }),
            _ => Ok(rules),
        }
    }

    /// Returns the versions of `api` that hold in `era` as a list to try in turn; `None` if this build does not know the
    /// API.
    ///
    /// # Errors
    /// As [`ApiRanges::spoken`].
    pub fn try_list(&self, api: &ApiName, era: Option<&EraId>) -> Result<Option<TryList>, NegotiateError> {
        let rules = self.spoken(api, era)?;
        Ok(TryList::try_new(rules.into_iter().map(|rule| rule.own().clone())))
    }

    fn speak(mut self, api: ApiName, spoken: Spoken) -> Self {
        self.apis.entry(api).or_default().push(spoken);
        self
    }
}
