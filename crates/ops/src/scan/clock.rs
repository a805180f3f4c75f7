//! The driver's monotonic clock. It is tokio's, so a test that pauses time moves it.

use core::time::Duration;

use nodewright_core::Moment;
use tokio::time::Instant;

/// Counts milliseconds since it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { origin: Instant::now() }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment(u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Waits until `moment`; for ever if it is `None`.
    pub(crate) async fn until(&self, moment: Option<Moment>) {
        match moment {
            Some(moment) => tokio::time::sleep(moment.since(self.now())).await,
            None => core::future::pending().await,
        }
    }

    pub(crate) fn after(&self, wait: Duration) -> Moment {
        self.now().after(wait)
    }
}
