//! What every call to an aggregator carries, and how a client behaves.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use nodewright_core::EraId;
use nodewright_core::api::ApiRanges;
use nodewright_rpc::HttpOptions;

use super::many::AggregatorEvent;
use super::version::aggregator_api;

/// States how a client talks to an aggregator.
#[derive(Clone)]
#[non_exhaustive]
pub struct AggregatorOptions {
    /// Says which versions of the API are spoken. Default [`aggregator_api`].
    pub apis: ApiRanges,
    /// Names the era that decides about the version, where it does. Default none.
    pub era: Option<EraId>,
    /// Bounds the time of one call, retries included. Default 30 s, as Mithril's signer has it.
    pub timeout: Duration,
    /// Says how HTTP is spoken.
    pub http: HttpOptions,
    /// Names where the requests come from, in `mithril-origin-tag`. Aggregators count names they do not know as `NA`.
    pub origin: String,
    /// Names the kind of this client, in `mithril-client-type`.
    pub client_type: ClientType,
    /// Is told what happens to versions and between aggregators.
    pub events: Option<AggregatorListener>,
}

impl Default for AggregatorOptions {
    fn default() -> Self {
        Self {
            apis: aggregator_api(),
            era: None,
            timeout: Duration::from_secs(30),
            http: HttpOptions::default(),
            origin: "NODEWRIGHT".to_owned(),
            client_type: ClientType::Library,
            events: None,
        }
    }
}

impl AggregatorOptions {
    /// Sets which versions of the API are spoken.
    #[must_use]
    pub fn with_apis(self, apis: ApiRanges) -> Self {
        Self { apis, ..self }
    }

    /// Sets the era that decides about the version.
    #[must_use]
    pub fn with_era(self, era: EraId) -> Self {
        Self { era: Some(era), ..self }
    }

    /// Sets the time of one call.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sets how HTTP is spoken.
    #[must_use]
    pub fn with_http(self, http: HttpOptions) -> Self {
        Self { http, ..self }
    }

    /// Sets the name of where the requests come from.
    #[must_use]
    pub fn with_origin(self, origin: impl Into<String>) -> Self {
        Self { origin: origin.into(), ..self }
    }

    /// Sets the kind of this client.
    #[must_use]
    pub fn with_client_type(self, client_type: ClientType) -> Self {
        Self { client_type, ..self }
    }

    /// Sets who is told of events. It is called in the task of the call, so it must not block.
    #[must_use]
    pub fn with_events(self, events: impl Fn(&AggregatorEvent) + Send + Sync + 'static) -> Self {
        Self { events: Some(Arc::new(events)), ..self }
    }

    pub(super) fn tell(&self, event: &AggregatorEvent) {
        if let Some(events) = &self.events {
            events(event);
        }
    }
}

impl fmt::Debug for AggregatorOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AggregatorOptions")
            .field("apis", &self.apis)
            .field("era", &self.era)
            .field("timeout", &self.timeout)
            .field("origin", &self.origin)
            .field("client_type", &self.client_type)
            .finish_non_exhaustive()
    }
}

/// Is told of events, in the task of the call; it must not block.
pub type AggregatorListener = Arc<dyn Fn(&AggregatorEvent) + Send + Sync>;

/// Names the kind of a client, as aggregators count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientType {
    /// A command-line program.
    Cli,
    /// A program that uses a library.
    Library,
    /// None of these.
    Other,
    /// A page in a browser.
    Wasm,
}

impl ClientType {
    /// Returns the value of the header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cli => "CLI",
            Self::Library => "LIBRARY",
            Self::Other => "NA",
            Self::Wasm => "WASM",
        }
    }
}
