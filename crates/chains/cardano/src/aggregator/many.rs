//! Several aggregators of one network: the next one is asked when one is out, and the one that answers is kept.

use core::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use nodewright_core::{Error, ErrorKind};

use super::client::AggregatorClient;
use super::error::{AggregatorError, Attempted};
use super::options::AggregatorOptions;
use super::version::VersionNotice;
use crate::certificate::EntityKind;
use crate::network::MithrilNetwork;

/// Asks the aggregators of one network, one after another.
///
/// Another one is asked only when one is out (see [`AggregatorError::is_outage`]). What an aggregator says is taken for
/// its answer, also when it says no; and what does not verify is for the verifier to report, so a liar is never passed
/// over silently.
#[derive(Debug)]
pub struct Aggregators {
    clients: Vec<AggregatorClient>,
    good: AtomicUsize,
    options: AggregatorOptions,
}

impl Aggregators {
    /// Makes clients for the aggregators at `urls`, in the order in which they are preferred.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if there is none; otherwise as [`AggregatorClient::try_new`].
    pub fn try_new<'a>(
        urls: impl IntoIterator<Item = &'a str>,
        options: &AggregatorOptions,
    ) -> nodewright_core::Result<Self> {
        let clients = urls.into_iter().map(|url| AggregatorClient::try_new(url, options.clone()));
        Self::of(clients.collect::<nodewright_core::Result<_>>()?, options)
    }

    /// Makes clients for the published aggregators of a network.
    ///
    /// # Errors
    /// As [`Aggregators::try_new`].
    pub fn of_network(network: &MithrilNetwork, options: &AggregatorOptions) -> nodewright_core::Result<Self> {
        Self::try_new(network.aggregators.iter().map(String::as_str), options)
    }

    /// Asks every aggregator at `urls` what it offers, and takes those that sign all of `kinds`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if none is left; [`Unusable`] in its text says why each is not.
    ///
    /// # Cancel safety
    /// Nothing is lost but the answers.
    pub async fn discover<'a>(
        urls: impl IntoIterator<Item = &'a str>,
        kinds: &[EntityKind],
        options: &AggregatorOptions,
    ) -> nodewright_core::Result<Discovery> {
        let (mut clients, mut unusable) = (Vec::new(), Vec::new());
        for client in urls.into_iter().map(|url| AggregatorClient::try_new(url, options.clone())) {
            let client = client?;
            let endpoint = client.endpoint().to_string();
            match client.features().await {
                Err(error) => unusable.push(Unusable::Failed(Attempted { endpoint, error })),
                Ok(features) => {
                    let offered = features.capabilities.kinds();
                    let missing: Vec<_> = kinds.iter().copied().filter(|kind| !offered.contains(kind)).collect();
                    if missing.is_empty() {
                        clients.push(client);
                    } else {
                        unusable.push(Unusable::Incapable { endpoint, missing });
                    }
                }
            }
        }
        if clients.is_empty() {
            let reasons: Vec<_> = unusable.iter().map(ToString::to_string).collect();
            return Err(no_aggregator().with("unusable", reasons.join("; ")));
        }
        Ok(Discovery { aggregators: Self::of(clients, options)?, unusable })
    }

    /// Returns the aggregator that the next call begins with.
    #[must_use]
    pub fn current(&self) -> Option<&AggregatorClient> {
        self.clients.get(self.good.load(Ordering::Relaxed)).or_else(|| self.clients.first())
    }

    /// Returns all of them, in the order in which they are preferred.
    #[must_use]
    pub fn clients(&self) -> &[AggregatorClient] {
        &self.clients
    }

    /// Asks the aggregator that answered last, and the others in turn while they are out. The one that answers is
    /// remembered.
    ///
    /// ```no_run
    /// # use nodewright_cardano::aggregator::{AggregatorError, Aggregators};
    /// # async fn run(aggregators: &Aggregators) -> Result<(), AggregatorError> {
    /// let status = aggregators.ask(|client| async move { client.status().await }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the aggregator says; [`AggregatorError::AllFailed`] if all are out.
    ///
    /// # Cancel safety
    /// As that of what is asked.
    pub async fn ask<T, F, A>(&self, question: F) -> Result<T, AggregatorError>
    where
        F: Fn(AggregatorClient) -> A + Send,
        A: Future<Output = Result<T, AggregatorError>> + Send,
        T: Send,
    {
        let start = self.good.load(Ordering::Relaxed);
        let mut attempts: Vec<Attempted> = Vec::new();
        for offset in 0..self.clients.len() {
            let index = start.wrapping_add(offset) % self.clients.len();
            let Some(client) = self.clients.get(index) else { break };
            let endpoint = client.endpoint().to_string();
            if let Some(last) = attempts.last() {
                let (from, reason) = (last.endpoint.clone(), last.error.to_string());
                tracing::debug!(from, to = endpoint, reason, "aggregator failover");
                self.options.tell(&AggregatorEvent::Failover { from, to: endpoint.clone(), reason });
            }
            match question(client.clone()).await {
                Err(error) if error.is_outage() => attempts.push(Attempted { endpoint, error }),
                answer => {
                    self.good.store(index, Ordering::Relaxed);
                    return answer;
                }
            }
        }
        Err(AggregatorError::AllFailed { attempts })
    }

    fn of(clients: Vec<AggregatorClient>, options: &AggregatorOptions) -> nodewright_core::Result<Self> {
        if clients.is_empty() {
            return Err(no_aggregator());
        }
        Ok(Self { clients, good: AtomicUsize::new(0), options: options.clone() })
    }
}

/// Is what was found when aggregators were asked what they offer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Discovery {
    /// Are those that can be used.
    pub aggregators: Aggregators,
    /// Are the others.
    pub unusable: Vec<Unusable>,
}

/// Says why an aggregator is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// It did not say what it offers.
    #[error("{}: {}", .0.endpoint, .0.error)]
    Failed(Attempted),
    /// It does not sign everything that is needed.
    #[error("{endpoint} does not sign {missing:?}")]
    Incapable {
        /// Names the aggregator.
        endpoint: String,
        /// Is what it does not sign.
        missing: Vec<EntityKind>,
    },
}

/// Tells what happens between a program and its aggregators.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AggregatorEvent {
    /// An aggregator is out; another one is asked.
    Failover {
        /// Names the one that is out.
        from: String,
        /// Names the next one.
        to: String,
        /// Says why.
        reason: String,
    },
    /// Something new is known about versions.
    Version {
        /// Names the aggregator.
        endpoint: String,
        /// Says what.
        notice: VersionNotice,
    },
}

fn no_aggregator() -> Error {
    Error::new(ErrorKind::Config, "choose an aggregator").with("reason", "there is none")
}
