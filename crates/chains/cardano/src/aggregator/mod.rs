//! A client of Mithril's aggregators: every route of their HTTP API, their version regimes, and several of them together.
//!
//! Nothing that an aggregator serves is trusted: certificates go to [`crate::certificate::ChainVerifier`], artifacts to
//! [`crate::artifact`]. What is done here is to ask, to bound every reply, and to say exactly what went wrong.
//!
//! - `client`, `options`: one aggregator, and what every call to it carries;
//! - `route`: each route with its path and the most that its reply may have;
//! - `read`, `submit`: the routes as typed calls; `message`, `artifact_message`: what they answer;
//! - `version`: which API version is sent, and what the aggregator says about it;
//! - `error`: every way in which a call fails, and its place among core's errors;
//! - `adapt`, `evidence`, `fetch`: core's and this crate's traits over a client;
//! - `many`, `networks`: several aggregators of one network, and where they are found.

mod adapt;
mod artifact_message;
mod client;
mod error;
mod evidence;
mod fetch;
mod many;
mod message;
mod networks;
mod options;
mod read;
mod route;
mod submit;
mod version;

pub use artifact_message::{BlocksTransactionsSnapshot, StakeDistributionSummary, TransactionsSnapshot};
pub use client::AggregatorClient;
pub use error::{AggregatorError, Attempted, GoneReason};
pub use evidence::MithrilBlocks;
pub use fetch::AggregatorFetcher;
pub use many::{AggregatorEvent, Aggregators, Discovery, Unusable};
pub use message::{
    AggregatorStatus, Capabilities, EpochSettings, Features, PoolTicker, ProtocolConfiguration, ProverLimits,
    RegisteredSigner, SignerRegistrations, SignerTickers, SigningPace,
};
pub use networks::{ListedNetwork, NetworksError, listed_networks};
pub use options::{AggregatorListener, AggregatorOptions, ClientType};
pub use route::{EpochChoice, Route};
pub use submit::{RestoreStatistic, SignatureAnswer, SignatureMessage, SignerMessage};
pub use version::{AGGREGATOR_API, VersionNotice, VersionReading, aggregator_api};
