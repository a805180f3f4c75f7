//! What one node says of itself.

use core::fmt::{self, Debug};
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use semver::Version;

use super::name::{ApiName, ClientKind, MethodName};
use crate::error::Result;

/// Asks one node what it speaks.
///
/// # Behaviour
/// - AP-1: the answer is the node's own; nothing is filled in by guessing.
/// - AP-2: `None` and an absent entry mean that the node does not say, which is no error.
/// - AP-3: an answer that cannot be read is an `InvalidData` error with the text, never a silence.
#[async_trait]
pub trait ApiProbe: Debug + Send + Sync + 'static {
    /// Returns what the node says of itself now; it may say something else after an upgrade.
    ///
    /// # Errors
    /// When the node cannot be asked, or answers against its own format.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing but the answer.
    async fn offer(&self) -> Result<NodeOffer>;
}

/// Holds what a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeOffer {
    /// Says which program it is.
    pub client: Client,
    /// Holds the version of each API that the node states; an API that it keeps silent about is absent.
    pub apis: BTreeMap<ApiName, Version>,
    /// Holds every method that the node has; `None` if it cannot say, which is not the same as having none.
    pub methods: Option<BTreeSet<MethodName>>,
}

impl NodeOffer {
    /// Returns the offer of a node that says no more than which program it is.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, apis: BTreeMap::new(), methods: None }
    }

    /// Adds the version of an API.
    #[must_use]
    pub fn with_api(mut self, api: ApiName, version: Version) -> Self {
        self.apis.insert(api, version);
        self
    }

    /// States every method that the node has.
    #[must_use]
    pub fn with_methods(mut self, methods: impl IntoIterator<Item = MethodName>) -> Self {
        self.methods = Some(methods.into_iter().collect());
        self
    }
}

/// Names the program that a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Says which kind of program it is.
    pub kind: ClientKind,
    /// Holds its name and version as the node prints them, such as `/LitecoinCore:0.21.2/`.
    pub printed: String,
    /// Is its version; `None` if the node does not say.
    pub version: Option<Version>,
}

/// Prints the kind, and the beginning of what the node prints, escaped: it is the node's text, and a log has lines.
impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.printed.chars().take(SHOWN).collect();
        write!(f, "{} {shown:?}", self.kind)
    }
}

/// Is how many characters of a node's own text are shown: more than any program's name and version take.
const SHOWN: usize = 80;
