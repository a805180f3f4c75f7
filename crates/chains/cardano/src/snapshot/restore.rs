//! Restores a database, part by part, and goes on where an interrupted run ended.
//!
//! ```text
//! target/.restore/journal.json                which snapshot, and whether everything is there
//!                 download/00003              half an archive, with a note of what it is half of
//!                 unpack-00003/               half a trio: never looked at again, deleted by the next run
//!                 db/immutable/00003.chunk    whole and certified: it came here by a rename after its hash was checked
//!                 ancillary/                  whole and signed
//! target/immutable, ledger, clean, protocolMagicId      moved here at the end, in this order
//! ```
//!
//! A node refuses a folder that is not empty and has no `protocolMagicId`, so it cannot start on half a database.

use std::fs;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::download::Patience;
use super::error::{PartError, RestoreError, RestoreEvent, RestorePart};
use super::fetch::ArtifactFetcher;
use super::leftovers::{Leftovers, clean_up, leftovers};
use super::place::{is_placed, place};
use super::plan::RestorePlan;
use super::source::{Consume, Source};
use super::space::{FreeSpace, SystemSpace};
use super::take::{read_digests, take_ancillary, take_trio};
use super::workspace::{FORMAT, Found, Journal, Listener, Phase, Workspace};
use crate::artifact::{CertifiedDigests, DigestList};
use crate::keys::VerificationKey;
use crate::units::ImmutableFileNumber;

/// Restores databases with what it was given to fetch files and to look at the disk.
#[derive(Clone)]
pub struct Restorer {
    fetcher: Arc<dyn ArtifactFetcher>,
    space: Arc<dyn FreeSpace>,
    options: RestoreOptions,
    listener: Listener,
}

/// Says how to restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreOptions {
    /// How many parts are fetched at once.
    pub parallel: NonZeroUsize,
    /// How often a location is tried.
    pub patience: Patience,
    /// The most bytes of a trio once unpacked.
    pub trio_bytes: u64,
    /// The most bytes of the list of digests.
    pub digests_bytes: u64,
}

/// Four parts at once; a trio of at most 1 GiB (those of mainnet have some 50 MB); digests of at most 64 MiB (measured:
/// 116 bytes for each file, so 3 MB for mainnet).
impl Default for RestoreOptions {
    fn default() -> Self {
        Self {
            parallel: NonZeroUsize::new(4).unwrap_or(NonZeroUsize::MIN),
            patience: Patience::default(),
            trio_bytes: 1 << 30,
            digests_bytes: 64 << 20,
        }
    }
}

/// Says what was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The folder from which a node can be started.
    pub database: PathBuf,
    /// The last trio that the certificate signs.
    pub last: ImmutableFileNumber,
    /// Where the ledger state comes from.
    pub ledger: LedgerState,
}

/// Says who vouches for the ledger state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerState {
    /// There is none; the node computes it from its blocks, which takes hours to days.
    Absent,
    /// The network's ancillary key signed it. No stake stands behind it.
    AncillaryKey,
}

impl Restorer {
    /// Makes a restorer that asks the system for room, tells nobody, and has the default options.
    #[must_use]
    pub fn new(fetcher: Arc<dyn ArtifactFetcher>) -> Self {
        let listener: Listener = Arc::new(|_| ControlFlow::Continue(()));
        Self { fetcher, space: Arc::new(SystemSpace), options: RestoreOptions::default(), listener }
    }

    /// Sets who knows how much room there is.
    #[must_use]
    pub fn with_space(mut self, space: Arc<dyn FreeSpace>) -> Self {
        self.space = space;
        self
    }

    /// Sets the options.
    #[must_use]
    pub fn with_options(mut self, options: RestoreOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets who is told what happens; `Break` stops the work. It is called from several threads.
    #[must_use]
    pub fn with_listener(
        mut self,
        listener: impl Fn(&RestoreEvent) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.listener = Arc::new(listener);
        self
    }

    /// Restores `plan` into `target`, which is empty or holds what an earlier call with the same plan left.
    ///
    /// Every file that is moved into the target was hashed and compared by this very call, unless an earlier one had done
    /// so for all of them and was interrupted while moving.
    ///
    /// # Errors
    /// [`RestoreError`]. After any of them the same call goes on where this one ended.
    ///
    /// # Cancel safety
    /// Dropping the future is safe: the next call waits for threads of this one that still write, and goes on.
    pub async fn run(&self, plan: &RestorePlan, target: &Path) -> Result<Restored, RestoreError> {
        let (workspace, found) = Workspace::open(target, Arc::clone(&self.listener)).await?;
        let _stop = StopOnDrop(Arc::clone(&workspace));
        let restored = Restored {
            database: target.to_owned(),
            last: plan.snapshot.beacon.immutable_file_number,
            ledger: if plan.ancillary.is_some() { LedgerState::AncillaryKey } else { LedgerState::Absent },
        };
        let (magic, last) = (plan.network.magic(), restored.last);
        let mut journal = Journal {
            format: FORMAT,
            snapshot: plan.snapshot.hash.clone(),
            certificate: plan.certificate.hash.to_string(),
            root: plan.snapshot.merkle_root.clone(),
            network: plan.network.name().to_owned(),
            ancillary: plan.ancillary.is_some(),
            phase: Phase::Fetch,
        };
        match found {
            Found::Fresh => {
                let first = journal.clone();
                workspace.blocking(move |workspace| workspace.write_journal(&first)).await?;
            }
            Found::Finished => {
                workspace
                    .blocking(move |workspace| {
                        if is_placed(workspace.target(), magic, last) {
                            return workspace.clear();
                        }
                        Err(RestoreError::NotEmpty { path: workspace.target().to_owned() })
                    })
                    .await?;
                return workspace.vanish().map(|()| restored);
            }
            Found::Unfinished(earlier) => {
                if (Journal { phase: Phase::Fetch, ..earlier.clone() }) != journal {
                    let path = target.to_owned();
                    return Err(RestoreError::OtherRestore { path, found: earlier.snapshot, wanted: journal.snapshot });
                }
                journal.phase = earlier.phase;
            }
        }
        if journal.phase == Phase::Fetch {
            self.fetch(&workspace, plan).await?;
            journal.phase = Phase::Place;
            let all = journal.clone();
            workspace.blocking(move |workspace| workspace.write_journal(&all)).await?;
        }
        workspace.blocking(move |workspace| place(workspace, magic)).await?;
        workspace.vanish().map(|()| restored)
    }

    /// Fetches and checks everything that is not there yet.
    async fn fetch(&self, workspace: &Arc<Workspace>, plan: &RestorePlan) -> Result<(), RestoreError> {
        workspace.blocking(clean_up).await?;
        let digests = Arc::new(self.digests(workspace, plan).await?);
        let left = {
            let (digests, key, last) =
                (Arc::clone(&digests), plan.ancillary, plan.snapshot.beacon.immutable_file_number);
            workspace.blocking(move |workspace| leftovers(workspace, &digests, key.as_ref(), last)).await?
        };
        let trios = plan.snapshot.beacon.immutable_file_number.0.saturating_add(1);
        let missing = u64::try_from(left.missing.len()).unwrap_or(u64::MAX);
        workspace.tell(&RestoreEvent::Resume { trios: trios.saturating_sub(missing), of: trios })?;
        self.check_space(workspace, plan, &left).await?;
        let mut jobs: Vec<Job> = left.missing.into_iter().map(Job::Trio).rev().collect();
        if let Some(key) = plan.ancillary.filter(|_| !left.ancillary) {
            jobs.push(Job::Ancillary(key));
        }
        let context = Arc::new(Context {
            workspace: Arc::clone(workspace),
            fetcher: Arc::clone(&self.fetcher),
            options: self.options,
            plan: plan.clone(),
            digests,
        });
        let mut running = JoinSet::new();
        loop {
            while running.len() < self.options.parallel.get() {
                let Some(job) = jobs.pop() else { break };
                let context = Arc::clone(&context);
                running.spawn(async move { context.run(job).await });
            }
            let Some(outcome) = running.join_next().await else { return Ok(()) };
            outcome.map_err(|_| RestoreError::Stopped).flatten()?;
        }
    }

    /// Returns the certified digests: those that an earlier run kept, or new ones.
    async fn digests(&self, workspace: &Arc<Workspace>, plan: &RestorePlan) -> Result<CertifiedDigests, RestoreError> {
        let certificate = plan.certificate.clone();
        let kept = workspace.blocking(move |workspace| {
            let kept = fs::read(workspace.path(DIGESTS)).ok().and_then(|json| DigestList::from_json(&json).ok());
            Ok::<_, RestoreError>(kept.and_then(|digests| CertifiedDigests::check(digests, &certificate).ok()))
        });
        if let Some(digests) = kept.await? {
            return Ok(digests);
        }
        let (certificate, limit) = (plan.certificate.clone(), self.options.digests_bytes);
        let consume: Consume<CertifiedDigests> = Arc::new(move |workspace, file, location| {
            let json = read_digests(workspace, file, location, limit)?;
            let list = DigestList::from_json(&json).map_err(|error| PartError::Location(error.into()))?;
            let certified =
                CertifiedDigests::check(list, &certificate).map_err(|error| PartError::Location(error.into()))?;
            let json = certified.digests().to_json();
            workspace.write_whole(&workspace.path(DIGESTS), json.as_bytes(), "keep digests")?;
            Ok(certified)
        });
        let source = Source { workspace, fetcher: &*self.fetcher, patience: self.options.patience };
        source.obtain(RestorePart::Digests, &plan.snapshot.digests.locations, limit, consume).await
    }

    async fn check_space(
        &self,
        workspace: &Arc<Workspace>,
        plan: &RestorePlan,
        left: &Leftovers,
    ) -> Result<(), RestoreError> {
        let snapshot = &plan.snapshot;
        let ancillary = if plan.ancillary.is_some() { 0 } else { snapshot.ancillary.size_uncompressed };
        let files = snapshot.total_db_size_uncompressed.saturating_sub(ancillary).saturating_sub(left.bytes);
        let parallel = u64::try_from(self.options.parallel.get()).unwrap_or(u64::MAX);
        let mut archives = snapshot.immutables.average_size_uncompressed.saturating_mul(parallel);
        if plan.ancillary.is_some() && !left.ancillary {
            archives = archives.saturating_add(snapshot.ancillary.size_uncompressed);
        }
        let needed = files.saturating_add(archives);
        let space = Arc::clone(&self.space);
        let available = workspace.blocking(move |workspace| {
            space.available(workspace.target()).map_err(|error| RestoreError::io(workspace.target(), &error))
        });
        let available = available.await?;
        if available < needed { Err(RestoreError::DiskFull { available, needed }) } else { Ok(()) }
    }
}

impl core::fmt::Debug for Restorer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Restorer").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Makes threads stop soon when the future that waits for them is dropped.
struct StopOnDrop(Arc<Workspace>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop().store(true, Ordering::Relaxed);
    }
}

enum Job {
    Ancillary(VerificationKey),
    Trio(ImmutableFileNumber),
}

struct Context {
    workspace: Arc<Workspace>,
    fetcher: Arc<dyn ArtifactFetcher>,
    options: RestoreOptions,
    plan: RestorePlan,
    digests: Arc<CertifiedDigests>,
}

impl Context {
    async fn run(&self, job: Job) -> Result<(), RestoreError> {
        let snapshot = &self.plan.snapshot;
        let source = Source { workspace: &self.workspace, fetcher: &*self.fetcher, patience: self.options.patience };
        match job {
            Job::Trio(number) => {
                let (digests, limit) = (Arc::clone(&self.digests), self.options.trio_bytes);
                let consume: Consume<()> =
                    Arc::new(move |workspace, file, _| take_trio(workspace, file, number, &digests, limit));
                source.obtain(RestorePart::Immutable(number), &snapshot.immutables.locations, limit, consume).await
            }
            Job::Ancillary(key) => {
                let size = snapshot.ancillary.size_uncompressed;
                let limit = size.saturating_add(size / 10).saturating_add(ANCILLARY_SLACK);
                let last = snapshot.beacon.immutable_file_number;
                let consume: Consume<()> =
                    Arc::new(move |workspace, file, _| take_ancillary(workspace, file, &key, last, limit));
                source.obtain(RestorePart::Ancillary, &snapshot.ancillary.locations, limit, consume).await
            }
        }
    }
}

/// The file with the certified digests.
const DIGESTS: &str = "digests.json";

/// What ancillary files may have beyond a tenth more than announced.
const ANCILLARY_SLACK: u64 = 16 << 20;
