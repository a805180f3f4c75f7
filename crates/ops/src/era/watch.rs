//! Reads eras, tells, stores, and runs what is to run before an edge.

use core::fmt::Debug;
use core::future::Future;
use core::pin::pin;
use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use nodewright_core::{EraMarker, EraPositions, EraReader, EraSchedule, Error, ErrorKind, Result, Retry};
use tokio::time::timeout;

use crate::era::book::EraBook;
use crate::era::event::EraEvent;
use crate::era::hook::EraHook;
use crate::era::ladder;
use crate::era::state::EraBookState;
use crate::scan::clock::Clock;

/// Is told what happens to eras. Called between two readings: it must be quick and must not block.
pub trait EraListener: Debug + Send + Sync + 'static {
    /// Takes one event.
    fn event(&self, event: &EraEvent);
}

/// Stores what a watch remembers.
#[async_trait]
pub trait EraStore: Debug + Send + Sync + 'static {
    /// Replaces what was stored by `state`: all of it, or nothing.
    ///
    /// # Errors
    /// When it could not be stored; the watch tells, and calls no hook that it could not note.
    ///
    /// # Cancel safety
    /// A dropped future leaves the old state or the new one.
    async fn save(&self, state: &EraBookState) -> Result<()>;
}

/// Watches the eras of one chain.
///
/// It decides nothing itself: it goes on after failed readings, after readings that cannot be, and after a halt, and tells.
/// Must be used inside a tokio runtime with its timer enabled.
///
/// # Cancel safety
/// A run may be dropped at any await; the next one goes on. A hook that was running then is not called again for its edge.
#[derive(Debug)]
pub struct EraWatch {
    reader: Arc<dyn EraReader>,
    listener: Arc<dyn EraListener>,
    hook: Option<Arc<dyn EraHook>>,
    store: Option<Arc<dyn EraStore>>,
    options: EraWatchOptions,
    book: EraBook,
    saved: Option<EraBookState>,
    /// Counts the attempts to store that failed in a row.
    unsaved: u32,
    clock: Clock,
}

/// Says how to watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EraWatchOptions {
    /// Is the time between two readings. Default one minute; when an estimate says that an edge is nearer than four
    /// minutes, a quarter of what is left, but not less than 5 seconds.
    pub interval: Duration,
    /// Is how long one reading, or one attempt to store, may take. Default 30 seconds.
    pub timeout: Duration,
}

impl Default for EraWatchOptions {
    fn default() -> Self {
        Self { interval: Duration::from_secs(60), timeout: Duration::from_secs(30) }
    }
}

impl EraWatchOptions {
    /// Sets the time between two readings.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets how long one reading may take.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl EraWatch {
    /// Makes a watch. Nothing is read yet.
    #[must_use]
    pub fn new(
        reader: Arc<dyn EraReader>,
        book: EraBook,
        listener: Arc<dyn EraListener>,
        options: EraWatchOptions,
    ) -> Self {
        Self {
            reader,
            listener,
            hook: None,
            store: None,
            options,
            book,
            saved: None,
            unsaved: 0,
            clock: Clock::start(),
        }
    }

    /// Runs `hook` before each edge; how long before, the book says: [`EraBook::with_hook`].
    #[must_use]
    pub fn with_hook(mut self, hook: Arc<dyn EraHook>) -> Self {
        self.hook = Some(hook);
        self
    }

    /// Stores in `store` what the watch remembers, after each reading that changed it.
    #[must_use]
    pub fn with_store(mut self, store: Arc<dyn EraStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Returns the book.
    #[must_use]
    pub fn book(&self) -> &EraBook {
        &self.book
    }

    /// Watches until `shutdown` completes; a hook that runs then is awaited.
    ///
    /// # Cancel safety
    /// See [`EraWatch`].
    pub async fn run_until(&mut self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        let mut hook: Option<Running> = None;
        let mut ended = None;
        'watch: loop {
            {
                let mut reading = pin!(self.read());
                loop {
                    tokio::select! {
                        biased;
                        () = shutdown.as_mut() => break 'watch,
                        outcome = running(&mut hook) => (hook, ended) = (None, Some(outcome)),
                        () = reading.as_mut() => break,
                    }
                }
            }
            let wake = self.clock.after(self.wait());
            loop {
                if let Some((next, outcome)) = ended.take() {
                    self.end_hook(next, outcome).await;
                }
                if hook.is_none() {
                    hook = self.begin_hook().await;
                }
                tokio::select! {
                    biased;
                    () = shutdown.as_mut() => break 'watch,
                    outcome = running(&mut hook) => (hook, ended) = (None, Some(outcome)),
                    () = self.clock.until(Some(wake)) => break,
                }
            }
        }
        if let Some(hook) = hook {
            ended = Some(hook.await);
        }
        if let Some((next, outcome)) = ended {
            self.end_hook(next, outcome).await;
        }
    }

    /// Reads once, tells what is new, and stores.
    ///
    /// # Cancel safety
    /// Dropping the future loses the reading, or leaves it to be stored with the next.
    pub async fn read(&mut self) {
        let reading = match timeout(self.options.timeout, read(self.reader.as_ref())).await {
            Ok(reading) => reading,
            Err(_) => Err(late("era reading", self.options.timeout)),
        };
        let now = self.clock.now();
        let events = match reading {
            Ok((schedule, positions)) => self.book.observe(now, &schedule, &positions),
            Err(error) => self.book.fail(now, error).into_iter().collect(),
        };
        for event in &events {
            self.listener.event(event);
        }
        self.save().await;
    }

    /// Calls the hook for the edge that is due, once that it is called has been stored.
    async fn begin_hook(&mut self) -> Option<Running> {
        let hook = Arc::clone(self.hook.as_ref()?);
        let edge = self.book.due()?.clone();
        let before = self.book.state();
        self.book.begin_hook(&edge.next);
        if !self.save().await {
            self.book.restore_hooks(before.hooks);
            return None;
        }
        Some(Box::pin(async move {
            let outcome = hook.before_edge(&edge).await;
            (edge.next, outcome)
        }))
    }

    async fn end_hook(&mut self, next: EraMarker, outcome: Result<()>) {
        let event = self.book.end_hook(next, outcome);
        self.listener.event(&event);
        self.save().await;
    }

    /// Stores what the watch remembers, if it changed; returns whether it is stored.
    async fn save(&mut self) -> bool {
        let Some(store) = &self.store else { return true };
        let state = self.book.state();
        if self.saved.as_ref() == Some(&state) {
            return true;
        }
        let saved = match timeout(self.options.timeout, store.save(&state)).await {
            Ok(saved) => saved,
            Err(_) => Err(late("era store", self.options.timeout)),
        };
        match saved {
            Ok(()) => {
                (self.saved, self.unsaved) = (Some(state), 0);
                true
            }
            Err(error) => {
                (self.saved, self.unsaved) = (None, self.unsaved.saturating_add(1));
                if self.unsaved.is_power_of_two() {
                    self.listener.event(&EraEvent::Unstored { error });
                }
                false
            }
        }
    }

    /// Returns how long to wait before the next reading.
    fn wait(&self) -> Duration {
        let nearest = self.book.ahead().first();
        nearest.map_or(self.options.interval, |edge| ladder::next_look(&edge.left, self.options.interval))
    }
}

/// Is a hook that runs, and the era that it runs for.
type Running = BoxFuture<'static, (EraMarker, Result<()>)>;

/// Waits for the hook; for ever if none runs.
async fn running(hook: &mut Option<Running>) -> (EraMarker, Result<()>) {
    match hook {
        Some(hook) => hook.await,
        None => core::future::pending().await,
    }
}

async fn read(reader: &dyn EraReader) -> Result<(EraSchedule, EraPositions)> {
    Ok((reader.schedule().await?, reader.positions().await?))
}

fn late(op: &'static str, limit: Duration) -> Error {
    Error::new(ErrorKind::Timeout, op).with("seconds", limit.as_secs()).with_retry(Retry::After(None))
}
