//! Runs blocking work on what one sink owns, one call at a time, in order.

use std::sync::{Arc, Mutex, PoisonError};

use nodewright_core::{Error, ErrorKind, Result};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Holds a value that only one call at a time may use, on a blocking thread.
///
/// Clones share the value.
#[derive(Debug)]
pub(crate) struct Exclusive<T> {
    value: Arc<Mutex<T>>,
    turns: Arc<Semaphore>,
}

impl<T: Send + 'static> Exclusive<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Arc::new(Mutex::new(value)), turns: Arc::new(Semaphore::new(1)) }
    }

    /// Runs `work` on a blocking thread, after the calls that came before.
    ///
    /// # Errors
    /// `Config` outside a Tokio runtime; `Storage` if `work` panics or the runtime shuts down; what `work` returns.
    ///
    /// # Cancel safety
    /// Dropping the future before its turn comes does nothing. Dropping it later leaves `work` running: the next call
    /// waits for its end.
    pub(crate) async fn run<R, F>(&self, op: &'static str, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(&mut T) -> Result<R> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(|error| Error::new(ErrorKind::Config, op).because(error))?;
        let permit = Arc::clone(&self.turns).acquire_owned().await;
        let permit = permit.map_err(|error| Error::new(ErrorKind::Storage, op).because(error))?;
        let turn = Turn { value: Arc::clone(&self.value), _permit: permit };
        match runtime.spawn_blocking(move || turn.use_for(work)).await {
            Ok(result) => result,
            Err(error) => Err(Error::new(ErrorKind::Storage, op).because(error)),
        }
    }
}

impl<T> Clone for Exclusive<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), turns: Arc::clone(&self.turns) }
    }
}

/// Is the right to use the value.
///
/// The fields go in this order: whoever comes next finds that nobody before it still holds the value, so that dropping
/// the sink then closes the store at once.
struct Turn<T> {
    value: Arc<Mutex<T>>,
    _permit: OwnedSemaphorePermit,
}

impl<T> Turn<T> {
    fn use_for<R>(self, work: impl FnOnce(&mut T) -> R) -> R {
        // Work that panicked has left the value as usable as work that failed.
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut value)
    }
}

/// Runs `work`, which opens a store, on a blocking thread.
///
/// # Errors
/// As [`Exclusive::run`].
///
/// # Cancel safety
/// Dropping the future may leave `work` running; what it opened is closed at its end.
pub(crate) async fn open<R, F>(op: &'static str, work: F) -> Result<R>
where
    R: Send + 'static,
    F: FnOnce() -> Result<R> + Send + 'static,
{
    Exclusive::new(()).run(op, move |()| work()).await
}
