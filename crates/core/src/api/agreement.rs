//! What was agreed on with a node, and what is missing.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::name::{AbilityName, ApiName, MethodName};
use super::offer::Client;
use crate::error::{Error, ErrorKind};

/// Says what this build and one node can do together. Made by [`negotiate`](super::negotiate).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Everything that this build can do.
    Full {
        /// Says on what.
        terms: Terms,
    },
    /// Some of what this build can do.
    Limited {
        /// Says on what.
        terms: Terms,
        /// Holds what is missing, in the order of the names; never empty.
        missing: Vec<MissingAbility>,
    },
}

impl Agreement {
    /// Returns what was agreed on.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        match self {
            Self::Full { terms } | Self::Limited { terms, .. } => terms,
        }
    }

    /// Returns what is missing.
    #[must_use]
    pub fn missing(&self) -> &[MissingAbility] {
        match self {
            Self::Full { .. } => &[],
            Self::Limited { missing, .. } => missing,
        }
    }

    /// Checks that `ability` is there.
    ///
    /// # Errors
    /// [`MissingAbility`], which says why it is not.
    pub fn require(&self, ability: &AbilityName) -> Result<(), MissingAbility> {
        if self.terms().abilities.contains(ability) {
            return Ok(());
        }
        let missing = self.missing().iter().find(|missing| missing.ability == *ability);
        Err(missing.cloned().unwrap_or_else(|| MissingAbility { ability: ability.clone(), lack: Lack::Unnamed }))
    }
}

/// Prints one line for operators: the node, the versions, what is missing, what was taken unseen.
impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Terms { client, apis, unseen, .. } = self.terms();
        write!(f, "{client}")?;
        for (api, agreed) in apis {
            write!(f, ", {api} {}", agreed.ours)?;
        }
        for missing in self.missing() {
            write!(f, "; without {missing}")?;
        }
        for what in unseen {
            write!(f, "; unseen: {what}")?;
        }
        Ok(())
    }
}

/// Holds what was agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// Says which program the node runs.
    pub client: Client,
    /// Holds the version of each API that this build speaks.
    pub apis: BTreeMap<ApiName, AgreedApi>,
    /// Holds what can be done.
    pub abilities: BTreeSet<AbilityName>,
    /// Holds what was taken for given because silence is accepted: the client first, then APIs, then methods.
    pub unseen: Vec<Unseen>,
}

/// Holds both sides' version of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedApi {
    /// Is the version that this build is to speak.
    pub ours: Version,
    /// Is the node's version; `None` if it does not say.
    pub theirs: Option<Version>,
}

/// Names something that a node does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unseen {
    /// The version of an API.
    ApiVersion(ApiName),
    /// The version of the node's program.
    ClientVersion,
    /// Whether the node has the methods of an ability.
    Methods(AbilityName),
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiVersion(api) => write!(f, "the version of API {api}"),
            Self::ClientVersion => f.write_str("the version of its program"),
            Self::Methods(ability) => write!(f, "the methods for {ability}"),
        }
    }
}

/// Names an ability that a node lacks, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{ability} ({lack})")]
pub struct MissingAbility {
    /// Names the ability.
    pub ability: AbilityName,
    /// Says why it is missing.
    pub lack: Lack,
}

impl From<MissingAbility> for Error {
    fn from(missing: MissingAbility) -> Self {
        Self::new(ErrorKind::Unsupported, "ability").because(missing)
    }
}

/// Says why an ability is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lack {
    /// The node lacks these methods; never empty.
    Methods(Vec<MethodName>),
    /// This build names no such ability.
    Unnamed,
    /// The node does not say whether it has these methods, and silence is refused.
    Unreported(Vec<MethodName>),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, methods) = match self {
            Self::Methods(methods) => ("node lacks", methods),
            Self::Unnamed => return f.write_str("unknown to this build"),
            Self::Unreported(methods) => ("node does not state", methods),
        };
        f.write_str(words)?;
        for (index, method) in methods.iter().enumerate() {
            write!(f, "{} {method}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}
