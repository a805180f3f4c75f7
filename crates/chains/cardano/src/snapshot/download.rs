//! Gets one file into the working folder, going on where an earlier attempt ended.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{PartError, RestoreError, RestoreEvent, RestorePart};
use super::fetch::{ArtifactFetcher, FetchError, OpenArtifact, Resume};
use super::workspace::Workspace;

/// Says how often a location is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How many attempts may fail in a row without a byte of progress.
    pub attempts: u32,
    /// How long to wait after the first failed attempt; the wait doubles with each one, up to a minute.
    pub pause: Duration,
}

/// Four attempts, half a second after the first.
impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 4, pause: Duration::from_millis(500) }
    }
}

/// Is a file that was received whole, as far as the server says.
pub(super) struct Downloaded {
    pub(super) path: PathBuf,
    /// Whether some of it came from an earlier attempt.
    pub(super) resumed: bool,
}

/// Is what must be known of a half-received file to go on with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    uri: String,
    validator: Option<String>,
    total: Option<u64>,
}

/// Receives `uri`, at most `limit` bytes of it.
pub(super) async fn download(
    workspace: &Arc<Workspace>,
    fetcher: &dyn ArtifactFetcher,
    part: RestorePart,
    uri: &str,
    limit: u64,
    patience: Patience,
) -> Result<Downloaded, PartError> {
    let mut resumed = false;
    let (mut failed, mut total_failed) = (0, 0);
    loop {
        let wanted = uri.to_owned();
        let (have, note) =
            workspace.blocking(move |workspace| Partial::of(workspace, part).state(workspace, &wanted)).await?;
        if have > 0 && note.total == Some(have) {
            return Ok(Downloaded { path: Partial::of(workspace, part).file, resumed });
        }
        let mut receiver = Receiver { workspace, part, note, have, limit };
        let outcome = receiver.attempt(fetcher, uri).await;
        resumed |= have > 0;
        let error = match outcome {
            Ok(()) => return Ok(Downloaded { path: Partial::of(workspace, part).file, resumed }),
            Err(PartError::Location(super::error::LocationFault::Fetch(error))) => error,
            Err(other) => return Err(other),
        };
        total_failed += 1;
        failed = if receiver.have > have { 1 } else { failed + 1 };
        if !error.is_passing() || failed >= patience.attempts || total_failed >= MOST_ATTEMPTS {
            return Err(fetch_fault(error));
        }
        let wait = patience.pause.saturating_mul(1 << (failed - 1).min(16)).min(LONGEST_PAUSE);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// Deletes what was received of a part.
pub(super) fn discard(workspace: &Workspace, part: RestorePart) -> Result<(), RestoreError> {
    let partial = Partial::of(workspace, part);
    workspace.remove(&partial.file, "discard download")?;
    workspace.remove(&partial.note, "discard download note")
}

/// Names the two files of a download.
struct Partial {
    file: PathBuf,
    note: PathBuf,
}

impl Partial {
    fn of(workspace: &Workspace, part: RestorePart) -> Self {
        let folder = workspace.path("download");
        Self { file: folder.join(part.to_string()), note: folder.join(format!("{part}.json")) }
    }

    /// Returns how much is there of the file at `uri`. Anything else that is there is deleted.
    fn state(&self, workspace: &Workspace, uri: &str) -> Result<(u64, Note), RestoreError> {
        let folder = workspace.path("download");
        fs::create_dir_all(&folder).map_err(|error| RestoreError::io(&folder, &error))?;
        let note = fs::read(&self.note).ok().and_then(|json| serde_json::from_slice::<Note>(&json).ok());
        match (fs::metadata(&self.file), note) {
            (Ok(file), Some(note)) if note.uri == uri => Ok((file.len(), note)),
            _ => {
                workspace.remove(&self.file, "discard download")?;
                workspace.remove(&self.note, "discard download note")?;
                Ok((0, Note { uri: uri.to_owned(), ..Note::default() }))
            }
        }
    }
}

struct Receiver<'a> {
    workspace: &'a Arc<Workspace>,
    part: RestorePart,
    note: Note,
    /// How many bytes are in the file.
    have: u64,
    limit: u64,
}

impl Receiver<'_> {
    async fn attempt(&mut self, fetcher: &dyn ArtifactFetcher, uri: &str) -> Result<(), PartError> {
        let resume = Resume { offset: self.have, validator: self.note.validator.clone() };
        let opened = fetcher.open(uri, (self.have > 0).then_some(&resume)).await;
        let mut artifact = match opened {
            Err(FetchError::Range { total }) if self.have > 0 => {
                if total == Some(self.have) {
                    return Ok(());
                }
                // The file there is another one, or shorter: start again.
                return self.start_again(uri).await;
            }
            other => other.map_err(fetch_fault)?,
        };
        let other_version = matches!((&artifact.validator, &self.note.validator), (Some(new), Some(old)) if new != old);
        if artifact.start != 0 && (artifact.start != self.have || other_version) {
            return self.start_again(uri).await;
        }
        self.check_room(artifact.total.unwrap_or_default())?;
        let note = Note { uri: uri.to_owned(), validator: artifact.validator.take(), total: artifact.total };
        let (part, fresh) = (self.part, artifact.start == 0);
        let file = self
            .workspace
            .blocking(move |workspace| {
                let partial = Partial::of(workspace, part);
                if fresh {
                    // The note first: a file without its note is deleted, a note without its file is harmless.
                    workspace.remove(&partial.file, "discard download")?;
                    let json = serde_json::json!(note).to_string();
                    fs::write(&partial.note, json).map_err(|error| RestoreError::io(&partial.note, &error))?;
                }
                let opened = OpenOptions::new().create(true).append(true).open(&partial.file);
                opened.map(Arc::new).map_err(|error| RestoreError::io(&partial.file, &error))
            })
            .await?;
        self.have = artifact.start;
        self.receive(&mut artifact, &file).await
    }

    /// Deletes what is there, and fails so that the next attempt is made.
    async fn start_again(&mut self, uri: &str) -> Result<(), PartError> {
        let part = self.part;
        self.workspace.blocking(move |workspace| discard(workspace, part)).await?;
        self.note = Note { uri: uri.to_owned(), ..Note::default() };
        self.have = 0;
        Err(fetch_fault(FetchError::Transport { reason: "the file changed while it was fetched".to_owned() }))
    }

    async fn receive(&mut self, artifact: &mut OpenArtifact, file: &Arc<File>) -> Result<(), PartError> {
        let mut buffer = Vec::new();
        loop {
            let next = artifact.body.chunk().await;
            let ended = !matches!(next, Ok(Some(_)));
            if let Ok(Some(chunk)) = &next {
                buffer.extend_from_slice(chunk);
                self.check_room(self.have.saturating_add(length(&buffer)))?;
            }
            if buffer.len() >= WRITE || (ended && !buffer.is_empty()) {
                let bytes = core::mem::take(&mut buffer);
                self.have = self.have.saturating_add(length(&bytes));
                let (file, part) = (Arc::clone(file), self.part);
                self.workspace.blocking(move |workspace| append(workspace, &file, &bytes, part)).await?;
                let event = RestoreEvent::Download { part: self.part, bytes: self.have, of: artifact.total };
                self.workspace.tell(&event)?;
            }
            match next {
                Ok(Some(_)) => {}
                Ok(None) if artifact.total.is_none_or(|total| total == self.have) => return Ok(()),
                Ok(None) => {
                    let reason = format!("the connection ended after {} bytes", self.have);
                    return Err(fetch_fault(FetchError::Transport { reason }));
                }
                Err(error) => return Err(fetch_fault(error)),
            }
        }
    }

    fn check_room(&self, bytes: u64) -> Result<(), PartError> {
        if bytes > self.limit { Err(fetch_fault(FetchError::Long { limit: self.limit })) } else { Ok(()) }
    }
}

fn append(workspace: &Workspace, mut file: &File, bytes: &[u8], part: RestorePart) -> Result<(), RestoreError> {
    let written: io::Result<()> = file.write_all(bytes);
    let path: &Path = &Partial::of(workspace, part).file;
    written.map_err(|error| RestoreError::io(path, &error))
}

fn fetch_fault(error: FetchError) -> PartError {
    PartError::Location(error.into())
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// How much is gathered before it is written.
const WRITE: usize = 1024 * 1024;

/// The most attempts at one location, with progress or without: a server that gives a byte each time is no use.
const MOST_ATTEMPTS: u32 = 1000;

const LONGEST_PAUSE: Duration = Duration::from_secs(60);
