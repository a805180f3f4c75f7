//! A typed client of one node: the RPC calls and REST paths that a scan needs, each with its types and bounds.
//!
//! [`NodeClient`] says what each answer means (a height above the tip is `None`, not an error) and leaves transport,
//! retries and error kinds to `nodewright-rpc`. [`Abilities`] holds what a node was found to offer; nothing is assumed
//! from its version.

mod abilities;
mod calls;
mod reply;
mod rest;

use nodewright_core::{BlockHash, Error, ErrorKind, Result};
use nodewright_rpc::{CallLimits, RpcClient};

pub use self::abilities::Abilities;
pub use self::reply::{
    ChainInfo, ChainTip, HeaderInfo, IndexInfo, MempoolEntry, NetworkInfo, Sats, TipStatus, TxInfo, UnspentOutput,
    ZmqNotification,
};
pub use self::rest::MAX_REST_HEADERS;

/// Asks one node of the Bitcoin family. Clones share connections, limits and retry budget.
#[derive(Clone, Debug)]
pub struct NodeClient {
    rpc: RpcClient,
    limits: CallLimits,
}

impl NodeClient {
    /// Makes a client whose calls, those for blocks excepted, keep to [`CallLimits::default`].
    #[must_use]
    pub fn new(rpc: RpcClient) -> Self {
        Self { rpc, limits: CallLimits::default() }
    }

    /// Returns the client with other limits for its calls.
    #[must_use]
    pub fn with_limits(self, limits: CallLimits) -> Self {
        Self { limits, ..self }
    }

    /// Returns the RPC client, for calls that only one chain has.
    #[must_use]
    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// Returns the limits of its calls.
    #[must_use]
    pub fn limits(&self) -> CallLimits {
        self.limits
    }
}

/// Reads a block hash that the node printed.
pub(crate) fn block_hash(op: &'static str, text: &str) -> Result<BlockHash> {
    BlockHash::from_reversed_hex(text).map_err(|error| Error::new(ErrorKind::InvalidData, op).because(error))
}

/// Turns one kind of failure into absence.
fn absent<T>(result: Result<T>, kind: ErrorKind) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == kind => Ok(None),
        Err(error) => Err(error),
    }
}
