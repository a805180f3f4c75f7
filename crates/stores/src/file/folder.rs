//! What a store's folder means, and how it changes: each step leaves the old state or the new one.

use nodewright_core::api::{self, FormatError, FormatTag};
use nodewright_core::{Checkpoint, Error, EventSeq, Revision, ScanBatch, Scope, Stored};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::FileError;
use super::files::{Files, Name};
use super::line::{self, Lines};
use crate::plan::{self, Standing};
use crate::record::{LoggedRecord, MAX_PAGE, RecordLine};

/// Reads and commits in one folder.
#[derive(Debug)]
pub(super) struct Folder {
    files: Box<dyn Files>,
    /// Is what the folder holds; `None` after a failed commit, when only reading can tell.
    known: Option<Known>,
}

/// Holds what the folder holds.
#[derive(Clone, Debug)]
struct Known {
    state: State,
    /// Says whether `checkpoint` is there.
    founded: bool,
    /// Holds every [`MARK_EVERY`]th place of the log, to read from.
    marks: Vec<Place>,
}

/// Is the content of `checkpoint`, as it is written.
#[derive(Clone, Debug, Default, Serialize)]
struct State {
    format: u32,
    revision: Revision,
    /// Numbers the first event of the log.
    first: EventSeq,
    /// Is the end of the log.
    log: Place,
    /// Is absent at revision 0 only.
    checkpoint: Option<Checkpoint>,
}

/// Is the content of `checkpoint`, as it is read: the format of the checkpoint inside is its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldState {
    format: u32,
    revision: Revision,
    first: EventSeq,
    log: Place,
    checkpoint: Option<Box<RawValue>>,
}

/// Is a place between two lines of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    lines: u64,
    bytes: u64,
    crc: u32,
}

impl Folder {
    /// Reads and checks what is there.
    pub(super) fn open(files: Box<dyn Files>) -> Result<Self, FileError> {
        let mut folder = Self { files, known: None };
        folder.known()?;
        Ok(folder)
    }

    pub(super) fn load(&mut self, scope: &Scope) -> Result<Option<Stored>, Error> {
        let stored = self.known()?.state.stored();
        if let Some(stored) = &stored {
            stored.checkpoint.check(scope)?;
        }
        Ok(stored)
    }

    pub(super) fn commit(&mut self, expected: Revision, mut batch: ScanBatch) -> Result<Revision, Error> {
        let mut next = self.known()?.clone();
        let standing = next.state.checkpoint.as_ref().map(|checkpoint| Standing {
            scope: checkpoint.scope.clone(),
            revision: next.state.revision,
            next_seq: checkpoint.next_seq,
        });
        plan::admit(standing.as_ref(), expected, &mut batch)?;
        let lines = self.extend(&mut next, batch)?;

        // From here on a failure leaves the folder in the old state or the new one, and only reading it tells which.
        self.known = None;
        if !next.founded {
            self.publish(&State { format: FORMAT, ..State::default() })?;
            next.founded = true;
        }
        self.append(next.state.log.bytes.saturating_sub(lines.len() as u64), &lines)?;
        self.publish(&next.state)?;
        let revision = next.state.revision;
        self.known = Some(next);
        Ok(revision)
    }

    /// Returns a page of the log.
    pub(super) fn records(&mut self, from: EventSeq, limit: usize) -> Result<Vec<LoggedRecord>, Error> {
        let known = self.known()?;
        let State { first, log, .. } = known.state;
        let skip = from.0.saturating_sub(first.0);
        if skip >= log.lines {
            return Ok(Vec::new());
        }
        let after = known.marks.partition_point(|mark| mark.lines <= skip);
        let start = after.checked_sub(1).and_then(|index| known.marks.get(index)).copied().unwrap_or_default();
        let mut lines = self.lines(start, log)?;
        let mut page = Vec::new();
        let mut count = start.lines;
        while page.len() < limit.min(MAX_PAGE) {
            let offset = lines.offset();
            let Some(json) = lines.next()? else { break };
            if count >= skip {
                let path = || self.files.path(Name::Log);
                let record: LoggedRecord = serde_json::from_slice(json).map_err(|error| FileError::Unreadable {
                    path: path(),
                    offset,
                    source: error.into(),
                })?;
                let (expected, found) = (EventSeq(first.0.saturating_add(count)), record.seq);
                if found != expected {
                    return Err(FileError::OutOfOrder { path: path(), offset, expected, found }.into());
                }
                page.push(record);
            }
            count += 1;
        }
        Ok(page)
    }

    /// Returns what the folder holds; reads it if that is in doubt.
    fn known(&mut self) -> Result<&Known, FileError> {
        let known = match self.known.take() {
            Some(known) => known,
            None => self.examine()?,
        };
        Ok(self.known.insert(known))
    }

    fn examine(&mut self) -> Result<Known, FileError> {
        // A rename that is visible may still be undone by a loss of power; from here on it is not.
        self.files.sync_folder().map_err(|source| self.io(Name::Checkpoint, "sync the folder", source))?;
        let Some(state) = self.read_state()? else {
            return match self.len(Name::Log)? {
                None => {
                    Ok(Known { state: State { format: FORMAT, ..State::default() }, founded: false, marks: Vec::new() })
                }
                Some(_) => Err(FileError::MissingCheckpoint { path: self.files.path(Name::Checkpoint) }),
            };
        };
        let marks = self.check_log(&state)?;
        Ok(Known { state, founded: true, marks })
    }

    fn read_state(&mut self) -> Result<Option<State>, FileError> {
        let path = self.files.path(Name::Checkpoint);
        let Some(len) = self.len(Name::Checkpoint)? else {
            return Ok(None);
        };
        let input = self.files.read(Name::Checkpoint, 0).map_err(|source| self.io(Name::Checkpoint, "read", source))?;
        let Some(input) = input else {
            return Ok(None);
        };
        let mut lines = Lines::new(input, path.clone(), 0, 0, len);
        let Some(json) = lines.next()? else {
            return Err(FileError::Malformed { path, offset: 0 });
        };
        let unreadable =
            |error: serde_json::Error| FileError::Unreadable { path: path.clone(), offset: 0, source: error.into() };
        let found = serde_json::from_slice::<FormatTag>(json).map_err(unreadable)?.format;
        if found != FORMAT {
            return Err(FileError::UnknownFormat { path, found, supported: FORMAT });
        }
        let HeldState { format, revision, first, log, checkpoint } =
            serde_json::from_slice(json).map_err(unreadable)?;
        let checkpoint = match checkpoint {
            None => None,
            Some(json) => {
                let FormatTag { format } = serde_json::from_str(json.get()).map_err(unreadable)?;
                let decoded = api::decode(format, &mut serde_json::Deserializer::from_str(json.get()));
                Some(decoded.map_err(|error| match error {
                    FormatError::Unknown(source) => FileError::UnknownCheckpoint { path: path.clone(), source },
                    FormatError::Unreadable { source, .. } => unreadable(source),
                })?)
            }
        };
        let state = State { format, revision, first, log, checkpoint };
        match lines.offset() {
            end if end == len => Ok(Some(state)),
            offset => Err(FileError::Trailing { path, offset }),
        }
    }

    /// Checks the log up to the end that `state` gives it, and returns places to read from.
    fn check_log(&mut self, state: &State) -> Result<Vec<Place>, FileError> {
        let path = self.files.path(Name::Log);
        let mismatch = || FileError::Mismatch { path, bytes: state.log.bytes };
        let next = state.checkpoint.as_ref().map_or(state.first, |checkpoint| checkpoint.next_seq);
        if state.first.0.checked_add(state.log.lines) != Some(next.0) {
            return Err(mismatch());
        }
        let mut marks = Vec::new();
        let mut place = Place::default();
        if state.log.bytes > 0 {
            let mut lines = self.lines(place, state.log)?;
            while lines.next()?.is_some() {
                if place.lines.is_multiple_of(MARK_EVERY) {
                    marks.push(place);
                }
                place = Place { lines: place.lines + 1, bytes: lines.offset(), crc: lines.crc() };
            }
        }
        if place == state.log { Ok(marks) } else { Err(mismatch()) }
    }

    /// Reads the log between two places.
    fn lines(&mut self, from: Place, to: Place) -> Result<Lines, FileError> {
        let path = self.files.path(Name::Log);
        let len = self.len(Name::Log)?.unwrap_or(0);
        if len < to.bytes {
            return Err(FileError::Truncated { path, len, expected: to.bytes });
        }
        let input = self.files.read(Name::Log, from.bytes).map_err(|source| self.io(Name::Log, "read", source))?;
        let input = input.unwrap_or_else(|| Box::new(std::io::empty()));
        Ok(Lines::new(input, path, from.bytes, from.crc, to.bytes))
    }

    /// Takes `batch` into `known` and returns the lines that the log needs for it.
    fn extend(&self, known: &mut Known, batch: ScanBatch) -> Result<Vec<u8>, FileError> {
        let State { revision, first, log, checkpoint, .. } = &mut known.state;
        if checkpoint.is_none() {
            *first = batch.records.first().map_or(batch.checkpoint.next_seq, |record| record.seq);
        }
        let before = log.bytes;
        let mut lines = Vec::new();
        for record in &batch.records {
            if log.lines.is_multiple_of(MARK_EVERY) {
                known.marks.push(*log);
            }
            let crc = line::push(&mut lines, log.crc, &RecordLine::from(record));
            let unwritable =
                |source| FileError::Unwritable { path: self.files.path(Name::Log), seq: record.seq, source };
            log.crc = crc.map_err(unwritable)?;
            log.lines += 1;
            log.bytes = before.saturating_add(lines.len() as u64);
        }
        *revision = revision.next();
        *checkpoint = Some(batch.checkpoint);
        Ok(lines)
    }

    /// Makes the log `lines` longer than `len`, whatever a failed commit left behind that.
    fn append(&mut self, len: u64, lines: &[u8]) -> Result<(), FileError> {
        let held = self.len(Name::Log)?;
        if held.is_some_and(|held| held > len) {
            self.files.cut(Name::Log, len).map_err(|source| self.io(Name::Log, "cut", source))?;
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.files.append(Name::Log, lines).map_err(|source| self.io(Name::Log, "append", source))?;
        self.files.sync(Name::Log).map_err(|source| self.io(Name::Log, "sync", source))?;
        if held.is_none() {
            self.files.sync_folder().map_err(|source| self.io(Name::Log, "sync the folder", source))?;
        }
        Ok(())
    }

    /// Puts `state` in the place of the old one, in one step.
    fn publish(&mut self, state: &State) -> Result<(), FileError> {
        let mut line = Vec::new();
        let seq = state.checkpoint.as_ref().map_or(state.first, |checkpoint| checkpoint.next_seq);
        line::push(&mut line, 0, state).map_err(|source| FileError::Unwritable {
            path: self.files.path(Name::Checkpoint),
            seq,
            source,
        })?;
        // A loss of power amid a rename may leave both names with one file: writing to it would destroy the checkpoint.
        if self.len(Name::Temporary)?.is_some() {
            self.files.remove(Name::Temporary).map_err(|source| self.io(Name::Temporary, "remove", source))?;
        }
        self.files.append(Name::Temporary, &line).map_err(|source| self.io(Name::Temporary, "write", source))?;
        self.files.sync(Name::Temporary).map_err(|source| self.io(Name::Temporary, "sync", source))?;
        self.files
            .rename(Name::Temporary, Name::Checkpoint)
            .map_err(|source| self.io(Name::Temporary, "rename", source))?;
        self.files.sync_folder().map_err(|source| self.io(Name::Checkpoint, "sync the folder", source))
    }

    fn len(&mut self, name: Name) -> Result<Option<u64>, FileError> {
        self.files.len(name).map_err(|source| self.io(name, "look at", source))
    }

    fn io(&self, name: Name, action: &'static str, source: std::io::Error) -> FileError {
        FileError::Io { path: self.files.path(name), action, source }
    }
}

impl State {
    fn stored(&self) -> Option<Stored> {
        let checkpoint = self.checkpoint.clone()?;
        Some(Stored { checkpoint, revision: self.revision })
    }
}

/// Is the version of the folder's format that this build reads and writes.
const FORMAT: u32 = 1;

/// Counts the lines between two places that are remembered: 24 bytes of memory for so many lines, and a page begins at
/// most so many lines late.
const MARK_EVERY: u64 = 1_024;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::files::DiskFiles;
    use super::*;
    use crate::memory::tests::batch;

    #[test]
    fn a_checkpoint_of_another_format_in_a_known_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Folder::open(Box::new(DiskFiles::open(folder.path()).unwrap()));
        open().unwrap().commit(Revision(0), batch(0..3)).unwrap();
        let path = folder.path().join(Name::Checkpoint.as_str());
        let line = fs::read_to_string(&path).unwrap();
        let json: String = line.chars().skip(9).collect();
        for found in [0, Checkpoint::FORMAT + 1] {
            let inner = format!("\"checkpoint\":{{\"format\":{found}");
            let changed = json.replacen("\"checkpoint\":{\"format\":1", &inner, 1);
            let mut bytes = Vec::new();
            let changed: Box<RawValue> = RawValue::from_string(changed.trim_end().to_owned()).unwrap();
            line::push(&mut bytes, 0, &changed).unwrap();
            fs::write(&path, bytes).unwrap();
            match open().unwrap_err() {
                FileError::UnknownCheckpoint { source, .. } => assert_eq!((source.found, source.known), (found, 1..=1)),
                other => panic!("{other}"),
            }
        }
        fs::write(&path, line).unwrap();
        assert!(open().is_ok());
    }
}
