//! One part from the first location that has it as it should be.

use std::path::Path;
use std::sync::Arc;

use super::download::{Patience, discard, download};
use super::error::{LocationFailure, LocationFault, PartError, RestoreError, RestoreEvent, RestorePart};
use super::fetch::ArtifactFetcher;
use super::model::Location;
use super::workspace::Workspace;

/// Checks a received file and puts what is in it where it belongs; blocks.
pub(super) type Consume<T> = Arc<dyn Fn(&Workspace, &Path, &Location) -> Result<T, PartError> + Send + Sync>;

pub(super) struct Source<'a> {
    pub(super) workspace: &'a Arc<Workspace>,
    pub(super) fetcher: &'a dyn ArtifactFetcher,
    pub(super) patience: Patience,
}

impl Source<'_> {
    /// Gets a part from the first location that has it as it should be.
    pub(super) async fn obtain<T: Send + 'static>(
        &self,
        part: RestorePart,
        locations: &[Location],
        limit: u64,
        consume: Consume<T>,
    ) -> Result<T, RestoreError> {
        let number = match part {
            RestorePart::Immutable(number) => Some(number),
            RestorePart::Ancillary | RestorePart::Digests => None,
        };
        let mut failures = Vec::new();
        for location in locations {
            let fault = match location.uri(number) {
                None => LocationFault::Kind { kind: format!("{location:?}").chars().take(80).collect() },
                Some(uri) => match self.try_location(part, location, &uri, limit, &consume).await {
                    Ok(taken) => {
                        self.workspace.tell(&RestoreEvent::Done { part })?;
                        return Ok(taken);
                    }
                    Err(PartError::Fatal(error)) => return Err(error),
                    Err(PartError::Location(fault)) => fault,
                },
            };
            let failure = LocationFailure { uri: location.uri(number).unwrap_or_default(), fault };
            self.workspace.tell(&RestoreEvent::Failover { part, failure: failure.clone() })?;
            failures.push(failure);
        }
        Err(RestoreError::NoLocation { part, failures })
    }

    async fn try_location<T: Send + 'static>(
        &self,
        part: RestorePart,
        location: &Location,
        uri: &str,
        limit: u64,
        consume: &Consume<T>,
    ) -> Result<T, PartError> {
        loop {
            let received = download(self.workspace, self.fetcher, part, uri, limit, self.patience).await?;
            let (consume, location, path) = (Arc::clone(consume), location.clone(), received.path.clone());
            let taken = self.workspace.blocking(move |workspace| {
                let taken = consume(workspace, &path, &location);
                // Good or bad, the archive has served. A fatal error keeps it for the next run.
                if !matches!(taken, Err(PartError::Fatal(_))) {
                    discard(workspace, part)?;
                }
                taken
            });
            match taken.await {
                // The two halves may not have been of one file: once more from the start.
                Err(PartError::Location(_)) if received.resumed => {}
                other => return other,
            }
        }
    }
}
