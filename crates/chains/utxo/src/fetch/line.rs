//! The requests under way, oldest first.

use core::fmt;
use std::collections::VecDeque;
use std::vec;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use nodewright_core::{BlockPoint, Result};
use tokio::sync::OwnedSemaphorePermit;

use super::FetchOptions;
use super::gauge::Held;
use super::load::{Load, Loader};

/// Keeps requests under way for `points`, and delivers what they bring in that order.
pub(super) struct Line<'a, T> {
    loader: Loader<T>,
    /// What was not delivered yet; the first of them are asked for.
    points: &'a [BlockPoint],
    /// How many of `points` are asked for.
    asked: usize,
    /// The sizes of the requests under way.
    sizes: VecDeque<usize>,
    under_way: FuturesOrdered<BoxFuture<'static, Result<Load<T>>>>,
    /// The most blocks to ask for at once; halved when an answer does not fit its place, doubled when one does.
    most: usize,
    /// A block that does not fit a place, being fetched alone.
    alone: Option<BoxFuture<'static, Result<Delivery<T>>>>,
    options: FetchOptions,
}

impl<'a, T: Send + 'static> Line<'a, T> {
    pub(super) fn new(loader: Loader<T>, points: &'a [BlockPoint], options: FetchOptions) -> Self {
        Self {
            loader,
            points,
            asked: 0,
            sizes: VecDeque::new(),
            under_way: FuturesOrdered::new(),
            most: options.batch.get(),
            alone: None,
            options,
        }
    }

    /// Returns what the oldest request brought; `None` after the last point. After an error it begins again there.
    ///
    /// Cancel-safe: what is under way stays under way.
    pub(super) async fn next(&mut self) -> Result<Option<Delivery<T>>> {
        loop {
            if let Some(alone) = &mut self.alone {
                let outcome = alone.await;
                self.alone = None;
                let delivery = outcome?;
                self.points = self.points.get(1..).unwrap_or_default();
                return Ok(Some(delivery));
            }
            self.fill();
            let Some(outcome) = self.under_way.next().await else { return Ok(None) };
            let size = self.sizes.pop_front().unwrap_or_default();
            match outcome {
                Ok(Load::Done(delivery)) => {
                    self.points = self.points.get(size..).unwrap_or_default();
                    self.asked = self.asked.saturating_sub(size);
                    self.most = self.most.saturating_mul(2).min(self.options.batch.get());
                    return Ok(Some(delivery));
                }
                Ok(Load::TooLarge) => {
                    self.recall();
                    self.most = (size / 2).max(1);
                    if let (1, Some(point)) = (size, self.points.first()) {
                        self.alone = Some(Box::pin(self.loader.clone().load_alone(*point)));
                    }
                }
                Err(error) => {
                    self.recall();
                    return Err(error);
                }
            }
        }
    }

    /// Sends requests until as many as allowed are under way.
    fn fill(&mut self) {
        // Two more than there are places: they wait for one, so that none is idle while an answer is read.
        while self.sizes.len() < self.options.places() + 2 {
            let left = self.points.get(self.asked..).unwrap_or_default();
            // Near the end the rest is divided, so that all connections finish together.
            let share = left.len().div_ceil(2 * self.options.places());
            let size = self.loader.batch().min(self.most).min(share.max(LEAST)).min(left.len());
            let Some(points) = left.get(..size).filter(|points| !points.is_empty()) else { break };
            self.under_way.push_back(Box::pin(self.loader.clone().load(points.to_vec())));
            self.sizes.push_back(size);
            self.asked += size;
        }
    }

    /// Gives up what is under way; it will be asked for again.
    fn recall(&mut self) {
        self.under_way = FuturesOrdered::new();
        self.sizes.clear();
        self.asked = 0;
    }
}

impl<T> fmt::Debug for Line<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("left", &self.points.len())
            .field("asked", &self.asked)
            .field("requests", &self.sizes.len())
            .finish_non_exhaustive()
    }
}

/// Holds what one request brought, oldest first, and the place that it occupies.
#[derive(Debug)]
pub(super) struct Delivery<T> {
    pub(super) items: vec::IntoIter<T>,
    /// Given back when the delivery is dropped.
    _place: Option<(Held, OwnedSemaphorePermit)>,
}

impl<T> Delivery<T> {
    pub(super) fn new(items: Vec<T>, place: Option<(Held, OwnedSemaphorePermit)>) -> Self {
        Self { items: items.into_iter(), _place: place }
    }
}

impl<T> Default for Delivery<T> {
    fn default() -> Self {
        Self::new(Vec::new(), None)
    }
}

/// Is the fewest blocks of a batch that is not the last: fewer cost more in requests than they save in waiting.
const LEAST: usize = 8;
