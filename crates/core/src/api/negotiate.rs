//! What this build and one node can do together, decided from data alone.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::agreement::{AgreedApi, Agreement, Lack, MissingAbility, Terms, Unseen};
use super::name::{AbilityName, ApiName};
use super::offer::{Client, NodeOffer};
use super::ranges::{ApiRanges, Silence};
use super::rule::VersionRule;
use crate::era::EraId;
use crate::error::{Error, ErrorKind};

/// Compares what this build speaks with what a node offers in `era`, the era in force if the chain has eras.
///
/// Each API is agreed on at the newest version of ours that accepts the node's. More methods on the node's side never
/// give fewer abilities.
///
/// # Errors
/// `NodeTooOld`, `NodeTooNew` or `UnknownClient` when the two cannot talk; `Unreported` when the node does not say what
/// must be known; `EraUnreported` and `NotInEra` when no version can be chosen. The client is looked at first, then the
/// APIs in the order of their names.
pub fn negotiate(ranges: &ApiRanges, offer: &NodeOffer, era: Option<&EraId>) -> Result<Agreement, NegotiateError> {
    let mut unseen = Vec::new();
    check_client(ranges, &offer.client, &mut unseen)?;
    let mut apis = BTreeMap::new();
    for api in ranges.apis() {
        let rules = ranges.spoken(api, era)?;
        if let Some(agreed) = agree(ranges.silence, api, &rules, offer.apis.get(api), &mut unseen)? {
            apis.insert(api.clone(), agreed);
        }
    }
    let (abilities, missing) = abilities(ranges, offer, &mut unseen);
    let terms = Terms { client: offer.client.clone(), apis, abilities, unseen };
    Ok(if missing.is_empty() { Agreement::Full { terms } } else { Agreement::Limited { terms, missing } })
}

fn check_client(ranges: &ApiRanges, client: &Client, unseen: &mut Vec<Unseen>) -> Result<(), NegotiateError> {
    if ranges.clients.is_empty() {
        return Ok(());
    }
    let Some(minimum) = ranges.clients.get(&client.kind) else {
        let known = ranges.clients.keys().map(ToString::to_string).collect();
        return Err(NegotiateError::UnknownClient { client: Box::new(client.clone()), known: Listed(known) });
    };
    match &client.version {
        Some(found) if found.cmp_precedence(minimum).is_lt() => Err(NegotiateError::NodeTooOld {
            subject: Subject::Client(Box::new(client.clone())),
            found: found.clone(),
            ours: Listed(vec![format!("{minimum} or later")]),
        }),
        Some(_) => Ok(()),
        None => pass(ranges.silence, Unseen::ClientVersion, unseen),
    }
}

fn agree(
    silence: Silence,
    api: &ApiName,
    rules: &[&VersionRule],
    theirs: Option<&Version>,
    unseen: &mut Vec<Unseen>,
) -> Result<Option<AgreedApi>, NegotiateError> {
    let Some(newest) = rules.first() else {
        return Ok(None);
    };
    let Some(theirs) = theirs else {
        pass(silence, Unseen::ApiVersion(api.clone()), unseen)?;
        return Ok(Some(AgreedApi { ours: newest.own().clone(), theirs: None }));
    };
    if let Some(rule) = rules.iter().find(|rule| rule.accepts(theirs)) {
        return Ok(Some(AgreedApi { ours: rule.own().clone(), theirs: Some(theirs.clone()) }));
    }
    let (subject, found) = (Subject::Api(api.clone()), theirs.clone());
    let ours = Listed(rules.iter().map(ToString::to_string).collect());
    Err(if theirs.cmp_precedence(newest.own()).is_gt() {
        NegotiateError::NodeTooNew { subject, found, ours }
    } else {
        NegotiateError::NodeTooOld { subject, found, ours }
    })
}

fn abilities(
    ranges: &ApiRanges,
    offer: &NodeOffer,
    unseen: &mut Vec<Unseen>,
) -> (BTreeSet<AbilityName>, Vec<MissingAbility>) {
    let (mut present, mut missing) = (BTreeSet::new(), Vec::new());
    for (ability, needs) in &ranges.abilities {
        let lack = match (&offer.methods, ranges.silence) {
            _ if needs.is_empty() => None,
            (Some(methods), _) => {
                let lacks: Vec<_> = needs.iter().filter(|method| !methods.contains(*method)).cloned().collect();
                (!lacks.is_empty()).then_some(Lack::Methods(lacks))
            }
            (None, Silence::Refuse) => Some(Lack::Unreported(needs.clone())),
            (None, Silence::Accept) => {
                unseen.push(Unseen::Methods(ability.clone()));
                None
            }
        };
        match lack {
            None => drop(present.insert(ability.clone())),
            Some(lack) => missing.push(MissingAbility { ability: ability.clone(), lack }),
        }
    }
    (present, missing)
}

fn pass(silence: Silence, what: Unseen, unseen: &mut Vec<Unseen>) -> Result<(), NegotiateError> {
    match silence {
        Silence::Accept => {
            unseen.push(what);
            Ok(())
        }
        Silence::Refuse => Err(NegotiateError::Unreported { what }),
    }
}

/// Says why this build and a node cannot talk, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NegotiateError {
    /// The versions of an API depend on the era, and none was given.
    #[error("version of API {api} depends on the era, which is not known: read the era first")]
    EraUnreported {
        /// Names the API.
        api: ApiName,
    },
    /// The node is newer than anything that this build speaks.
    #[error("{subject} is at {found}, this build speaks {ours}: upgrade this program")]
    NodeTooNew {
        /// Says whose version it is.
        subject: Subject,
        /// Is the node's version.
        found: Version,
        /// Holds what this build speaks, newest first.
        ours: Listed,
    },
    /// The node is older than what this build needs.
    #[error("{subject} is at {found}, this build speaks {ours}: upgrade the node")]
    NodeTooOld {
        /// Says whose version it is.
        subject: Subject,
        /// Is the node's version.
        found: Version,
        /// Holds what this build speaks, newest first.
        ours: Listed,
    },
    /// This build speaks no version of an API in the era that is in force.
    #[error("this build speaks no version of API {api} in era {era}: upgrade this program")]
    NotInEra {
        /// Names the API.
        api: ApiName,
        /// Names the era.
        era: EraId,
    },
    /// The node runs a program that this build does not know.
    #[error("node runs {client}, this build supports {known}: run one of these")]
    UnknownClient {
        /// Says what the node runs.
        client: Box<Client>,
        /// Holds the kinds that are supported, in order.
        known: Listed,
    },
    /// The node does not say what must be known.
    #[error("node does not state {what}: let it state that, or accept silence")]
    Unreported {
        /// Says what is not known.
        what: Unseen,
    },
}

impl From<NegotiateError> for Error {
    fn from(error: NegotiateError) -> Self {
        Self::new(ErrorKind::Unsupported, "negotiate").because(error)
    }
}

/// Says whose version is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An API of the node.
    Api(ApiName),
    /// The node's program.
    Client(Box<Client>),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(api) => write!(f, "API {api}"),
            Self::Client(client) => write!(f, "node {client}"),
        }
    }
}

/// Holds words in order; prints them with commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed(pub Vec<String>);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}
