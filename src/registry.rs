//! The chains of this build, by name: for tools that choose a chain at run time.

use core::fmt;
use core::future::Future;
use core::pin::Pin;

use nodewright_core::{ChainAdapter, Result};
use nodewright_rpc::Auth;

/// Holds one chain of this build.
#[derive(Clone, Copy)]
pub struct Chain {
    name: &'static str,
    connect: fn(String, Auth) -> Connecting,
}

type Connecting = Pin<Box<dyn Future<Output = Result<ChainAdapter>> + Send>>;

impl Chain {
    /// Returns the chain's word, such as `dash`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Connects to the node at `url` with the chain's default options; a user and password in the URL are used unless
    /// `auth` says otherwise.
    ///
    /// # Errors
    /// As the chain's own `connect`.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn connect(&self, url: &str, auth: Auth) -> Result<ChainAdapter> {
        (self.connect)(url.to_owned(), auth).await
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chain").field(&self.name).finish()
    }
}

/// Returns the chain named `name`, if this build has it.
#[must_use]
pub fn find(name: &str) -> Option<Chain> {
    CHAINS.iter().find(|chain| chain.name == name).copied()
}

/// Holds every chain of this build, in the order of their names.
pub const CHAINS: &[Chain] = &[
    #[cfg(feature = "bitcoin")]
    Chain {
        name: "bitcoin",
        connect: |url, auth| {
            Box::pin(async move { nodewright_bitcoin::bitcoin::connect(&url, auth, Default::default()).await })
        },
    },
    #[cfg(feature = "dash")]
    Chain {
        name: "dash",
        connect: |url, auth| Box::pin(async move { nodewright_dash::connect(&url, auth, Default::default()).await }),
    },
    #[cfg(feature = "bitcoin")]
    Chain {
        name: "litecoin",
        connect: |url, auth| {
            Box::pin(async move { nodewright_bitcoin::litecoin::connect(&url, auth, Default::default()).await })
        },
    },
];
