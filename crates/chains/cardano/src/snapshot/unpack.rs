//! Unpacks a `tar.zst` that may have been made to do harm.
//!
//! Only regular files under names that the caller expects are written, into a folder that was empty. Links, devices and
//! every extension of the tar format are refused, so nothing can point outside that folder. What comes out is counted
//! against a limit and against what went in. Each file is hashed while it is written and is on the disk when the call
//! returns.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest as _, Sha256};
use tar::EntryType;
use thiserror::Error;

/// Bounds what may come out of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackLimits {
    /// The most bytes of all files together.
    pub bytes: u64,
    /// The most entries, folders included.
    pub entries: u32,
    /// How many bytes may come out for one that goes in, once 16 MiB are out.
    pub ratio: u64,
}

impl UnpackLimits {
    /// Allows `bytes`, at most 4,096 entries and a ratio of 1,000: immutable files shrink to a third or fourth, their
    /// empty indices to a hundredth; zstd itself could reach some 20,000.
    #[must_use]
    pub fn of_bytes(bytes: u64) -> Self {
        Self { bytes, entries: 4096, ratio: 1000 }
    }
}

/// Is a file that was unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpackedFile {
    /// Its name in the archive, with `/` between the parts.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The SHA-256 of its content.
    pub sha256: [u8; 32],
}

/// Says why an archive was refused. What was written until then is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// The archive is cut off or damaged.
    #[error("the archive is damaged after {}: {reason}", entry.as_deref().unwrap_or("its start"))]
    Damaged {
        /// The entry that was read last, if there was one.
        entry: Option<String>,
        /// What the decoder says.
        reason: String,
    },
    /// The archive expands more than anything honest does.
    #[error("{entry:?} expands more than {ratio} times")]
    Dense {
        /// The entry.
        entry: String,
        /// The limit.
        ratio: u64,
    },
    /// An entry comes twice, or is a file and a folder at once.
    #[error("{entry:?} comes twice")]
    Duplicate {
        /// The entry.
        entry: String,
    },
    /// The entry is a link, a device or an extension of the format.
    #[error("{entry:?} is {kind}, not a file")]
    Kind {
        /// The entry.
        entry: String,
        /// What it is.
        kind: &'static str,
    },
    /// The entry's name leads elsewhere or is no name.
    #[error("{entry:?} is refused as a name: {fault}")]
    Name {
        /// The entry, cut to 120 characters, unreadable bytes replaced.
        entry: String,
        /// What is wrong with it.
        fault: NameFault,
    },
    /// The caller stopped the work.
    #[error("stopped before the archive was unpacked")]
    Stopped,
    /// The files have more bytes than is allowed.
    #[error("{entry:?} exceeds the limit of {limit} bytes")]
    TooLarge {
        /// The entry.
        entry: String,
        /// The limit.
        limit: u64,
    },
    /// There are more entries than is allowed.
    #[error("more than {limit} entries")]
    TooMany {
        /// The limit.
        limit: u32,
    },
    /// The archive holds a file that has no business there.
    #[error("{entry:?} does not belong into this archive")]
    Unexpected {
        /// The entry.
        entry: String,
    },
    /// The disk refused a write or the archive could not be opened.
    #[error("{}: {reason}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}

/// Says what is wrong with an entry's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameFault {
    /// It starts at the root of a disk.
    #[error("absolute path")]
    Absolute,
    /// It has a byte that is not printable ASCII, a backslash or a colon.
    #[error("unusual character")]
    Character,
    /// It is empty or has an empty part.
    #[error("empty part")]
    Empty,
    /// It has more than 8 parts or more than 200 bytes.
    #[error("too long")]
    Long,
    /// It leads upwards.
    #[error("part that leads upwards")]
    Parent,
}

/// Unpacks `archive` into the empty folder `into`, creating it; returns the files in the order of the archive.
///
/// `admit` says which names belong into the archive. `stop` ends the work early. The call blocks and holds at most
/// 128 MiB, what zstd needs for its largest usual window.
///
/// # Errors
/// Any [`UnpackError`]; `into` then holds whatever was written before.
pub fn unpack(
    archive: &Path,
    into: &Path,
    limits: UnpackLimits,
    admit: &dyn Fn(&str) -> bool,
    stop: &AtomicBool,
) -> Result<Vec<UnpackedFile>, UnpackError> {
    let on_archive = |error: io::Error| write_error(archive, &error);
    let state =
        State { limits, read: Cell::new(0), written: Cell::new(0), entry: RefCell::new(None), trip: Cell::default() };
    let input = Counted { inner: File::open(archive).map_err(on_archive)?, count: &state.read };
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(BUFFER, input)).map_err(on_archive)?;
    decoder.window_log_max(WINDOW_LOG).map_err(on_archive)?;
    fs::create_dir_all(into).map_err(|error| write_error(into, &error))?;
    let mut archive = tar::Archive::new(Guarded { inner: decoder, given: 0, state: &state });
    let mut files = Vec::new();
    let mut names = BTreeSet::new();
    let mut buffer = vec![0; BUFFER];
    let entries = archive.entries().map_err(|error| state.fault(&error))?;
    // Raw: long names, links to long names and other extensions come as entries, and are refused as such.
    for (index, entry) in entries.raw(true).enumerate() {
        if stop.load(Ordering::Relaxed) {
            return Err(UnpackError::Stopped);
        }
        let mut entry = entry.map_err(|error| state.fault(&error))?;
        if u32::try_from(index).is_ok_and(|index| index >= limits.entries) {
            return Err(UnpackError::TooMany { limit: limits.entries });
        }
        let name = checked_name(&entry.path_bytes())?;
        state.entry.replace(Some(name.clone()));
        match entry.header().entry_type() {
            EntryType::Regular => {}
            EntryType::Directory => continue,
            other => return Err(UnpackError::Kind { entry: name, kind: kind(other) }),
        }
        if !admit(&name) {
            return Err(UnpackError::Unexpected { entry: name });
        }
        if !names.insert(name.clone()) {
            return Err(UnpackError::Duplicate { entry: name });
        }
        if entry.size() > limits.bytes.saturating_sub(state.written.get()) {
            return Err(UnpackError::TooLarge { entry: name, limit: limits.bytes });
        }
        let mut file = create(&into.join(&name), &name)?;
        let mut hasher = Sha256::new();
        let mut bytes = 0;
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(UnpackError::Stopped);
            }
            let read = entry.read(&mut buffer).map_err(|error| state.fault(&error))?;
            let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
            file.write_all(chunk).map_err(|error| write_error(&into.join(&name), &error))?;
            hasher.update(chunk);
            bytes += u64::try_from(read).unwrap_or(u64::MAX);
        }
        if bytes != entry.size() {
            return Err(UnpackError::Damaged { entry: Some(name), reason: "the file ends early".to_owned() });
        }
        file.sync_all().map_err(|error| write_error(&into.join(&name), &error))?;
        state.written.set(state.written.get().saturating_add(bytes));
        files.push(UnpackedFile { name, bytes, sha256: hasher.finalize().into() });
    }
    // Read on to the end: only there a cut or damaged stream shows.
    let mut rest = archive.into_inner();
    loop {
        match rest.read(&mut buffer) {
            Ok(0) => return Ok(files),
            Ok(_) => {}
            Err(error) => return Err(state.fault(&error)),
        }
    }
}

/// Returns the name of an entry if it stays inside the folder; a leading `./` and a folder's last `/` are dropped.
fn checked_name(raw: &[u8]) -> Result<String, UnpackError> {
    let refuse = |fault| {
        let entry = String::from_utf8_lossy(raw).chars().take(120).collect();
        Err(UnpackError::Name { entry, fault })
    };
    if raw.first() == Some(&b'/') {
        return refuse(NameFault::Absolute);
    }
    let odd = |byte: &u8| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b':');
    let Some(text) = core::str::from_utf8(raw).ok().filter(|text| !text.as_bytes().iter().any(odd)) else {
        return refuse(NameFault::Character);
    };
    if matches!(text, "." | "./") {
        return Ok(".".to_owned());
    }
    let text = text.strip_prefix("./").unwrap_or(text);
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.len() > 200 || text.split('/').count() > 8 {
        return refuse(NameFault::Long);
    }
    if text.split('/').any(|part| part == "..") {
        return refuse(NameFault::Parent);
    }
    if text.split('/').any(|part| part.is_empty() || part == ".") {
        return refuse(NameFault::Empty);
    }
    Ok(text.to_owned())
}

fn kind(entry: EntryType) -> &'static str {
    match entry {
        EntryType::Link => "a hard link",
        EntryType::Symlink => "a symbolic link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::GNUSparse => "a sparse file",
        EntryType::GNULongName | EntryType::GNULongLink | EntryType::XGlobalHeader | EntryType::XHeader => {
            "an extension header"
        }
        _ => "of an unknown kind",
    }
}

fn create(path: &Path, name: &str) -> Result<File, UnpackError> {
    let clash = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            UnpackError::Duplicate { entry: name.to_owned() }
        }
        _ => write_error(path, &error),
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(clash)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path).map_err(clash)
}

fn write_error(path: &Path, error: &io::Error) -> UnpackError {
    UnpackError::Write { path: path.to_owned(), reason: error.to_string() }
}

struct State {
    limits: UnpackLimits,
    /// Bytes that went in.
    read: Cell<u64>,
    /// Bytes of files that were written whole.
    written: Cell<u64>,
    entry: RefCell<Option<String>>,
    trip: Cell<Option<Trip>>,
}

#[derive(Clone, Copy)]
enum Trip {
    Dense,
    TooLarge,
}

impl State {
    /// Turns an error of the decoders into what really happened.
    fn fault(&self, error: &io::Error) -> UnpackError {
        let entry = self.entry.borrow().clone();
        let named = entry.clone().unwrap_or_default();
        match self.trip.get() {
            Some(Trip::Dense) => UnpackError::Dense { entry: named, ratio: self.limits.ratio },
            Some(Trip::TooLarge) => UnpackError::TooLarge { entry: named, limit: self.limits.bytes },
            None => UnpackError::Damaged { entry, reason: error.to_string() },
        }
    }
}

/// Counts what goes in.
struct Counted<'a, R> {
    inner: R,
    count: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get().saturating_add(u64::try_from(read).unwrap_or(u64::MAX)));
        Ok(read)
    }
}

/// Stops when too much comes out.
struct Guarded<'a, R> {
    inner: R,
    given: u64,
    state: &'a State,
}

impl<R: Read> Read for Guarded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let State { limits, read: taken, trip, .. } = self.state;
        self.given = self.given.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        let given = self.given;
        let frame = FRAME_BYTES.saturating_mul(u64::from(limits.entries));
        if given > limits.bytes.saturating_add(frame) {
            trip.set(Some(Trip::TooLarge));
        } else if given > RATIO_FROM && given / taken.get().max(1) > limits.ratio {
            trip.set(Some(Trip::Dense));
        } else {
            return Ok(read);
        }
        Err(io::Error::other("limit"))
    }
}

/// What is read and written at once.
const BUFFER: usize = 64 * 1024;

/// How many bytes of the tar format itself are allowed for each entry: its header, and padding to a full block.
const FRAME_BYTES: u64 = 1024;

/// How many bytes may come out before the ratio counts: a small archive of empty indices may shrink to almost nothing.
const RATIO_FROM: u64 = 16 * 1024 * 1024;

/// The largest window that is accepted, as a power of two: 128 MiB, the most that zstd's own tool accepts unasked.
const WINDOW_LOG: u32 = 27;

#[cfg(test)]
mod tests {
    use super::*;

    type Entry<'a> = (&'a str, EntryType, &'a [u8]);

    /// Writes raw headers: the builder of `tar` would refuse most of these names itself.
    fn archive(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(u64::try_from(content.len()).unwrap());
            header.set_mode(0o644);
            if *kind == EntryType::Symlink || *kind == EntryType::Link {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            tar.extend_from_slice(header.as_bytes());
            tar.extend_from_slice(content);
            tar.resize(tar.len().next_multiple_of(512), 0);
        }
        tar.resize(tar.len() + 1024, 0);
        zstd::encode_all(&tar[..], 3).unwrap()
    }

    fn try_bytes(bytes: &[u8], limits: UnpackLimits) -> Result<Vec<UnpackedFile>, UnpackError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar.zst");
        fs::write(&path, bytes).unwrap();
        let admit = |name: &str| !name.starts_with("other");
        unpack(&path, &folder.path().join("into"), limits, &admit, &AtomicBool::new(false))
    }

    fn try_entries(entries: &[Entry<'_>]) -> Result<Vec<UnpackedFile>, UnpackError> {
        try_bytes(&archive(entries), UnpackLimits::of_bytes(1 << 20))
    }

    #[test]
    fn files_come_out_with_length_and_hash() {
        let files = try_entries(&[
            ("./", EntryType::Directory, b""),
            ("./immutable/", EntryType::Directory, b""),
            ("./immutable/00000.chunk", EntryType::Regular, b"abc"),
            ("immutable/00000.primary", EntryType::Regular, b""),
        ])
        .unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((files[0].name.as_str(), files[0].bytes), ("immutable/00000.chunk", 3));
        assert_eq!(hex::encode(files[0].sha256), abc);
        assert_eq!(files.len(), 2);
    }

    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        for (name, expected) in [
            ("/etc/passwd", NameFault::Absolute),
            ("../x", NameFault::Parent),
            ("immutable/../../x", NameFault::Parent),
            ("./../x", NameFault::Parent),
            ("a//b", NameFault::Empty),
            ("a/./b", NameFault::Empty),
            ("", NameFault::Empty),
            ("a\\..\\b", NameFault::Character),
            ("c:x", NameFault::Character),
            ("a\nb", NameFault::Character),
            ("é", NameFault::Character),
            ("1/2/3/4/5/6/7/8/9", NameFault::Long),
        ] {
            let refused = try_entries(&[(name, EntryType::Regular, b"x")]);
            let Err(UnpackError::Name { entry, fault }) = refused else { panic!("{name:?}: {refused:?}") };
            assert_eq!((entry.as_str(), fault), (name, expected));
        }
    }

    #[test]
    fn links_devices_and_extensions_are_refused_by_name() {
        for kind in [
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Char,
            EntryType::Block,
            EntryType::Fifo,
            EntryType::GNUSparse,
            EntryType::GNULongName,
            EntryType::XHeader,
            EntryType::Continuous,
        ] {
            let refused = try_entries(&[("good", EntryType::Regular, b"x"), ("bad", kind, b"")]);
            assert!(matches!(&refused, Err(UnpackError::Kind { entry, .. }) if entry == "bad"), "{kind:?} {refused:?}");
        }
    }

    #[test]
    fn strangers_duplicates_and_clashes_are_refused_by_name() {
        let stranger = try_entries(&[("other", EntryType::Regular, b"x")]);
        assert_eq!(stranger, Err(UnpackError::Unexpected { entry: "other".to_owned() }));
        for second in ["a", "./a", "a/b"] {
            let twice = try_entries(&[("a", EntryType::Regular, b"x"), (second, EntryType::Regular, b"y")]);
            assert!(matches!(twice, Err(UnpackError::Duplicate { .. })), "{second}");
        }
    }

    #[test]
    fn bombs_are_refused_before_they_fill_the_disk() {
        let zeros = vec![0; 40 << 20];
        let bomb = archive(&[("a", EntryType::Regular, &zeros)]);
        assert!(bomb.len() < 10_000);
        let limits = UnpackLimits::of_bytes(1 << 30);
        assert_eq!(try_bytes(&bomb, limits), Err(UnpackError::Dense { entry: "a".to_owned(), ratio: 1000 }));
        let limits = UnpackLimits { bytes: 1 << 20, ..limits };
        assert_eq!(try_bytes(&bomb, limits), Err(UnpackError::TooLarge { entry: "a".to_owned(), limit: 1 << 20 }));
        let limits = UnpackLimits { ratio: 1 << 20, ..UnpackLimits::of_bytes(1 << 30) };
        assert!(try_bytes(&bomb, limits).is_ok());
        // Nothing but zeros after the end of the archive.
        let mut tail = vec![0; 20 << 20];
        tail[0] = 1;
        let mut tar = zstd::decode_all(&archive(&[("a", EntryType::Regular, b"x")])[..]).unwrap();
        tar.extend_from_slice(&tail);
        let limits = UnpackLimits::of_bytes(1 << 20);
        let tailed = try_bytes(&zstd::encode_all(&tar[..], 3).unwrap(), limits);
        assert_eq!(tailed, Err(UnpackError::TooLarge { entry: "a".to_owned(), limit: 1 << 20 }));
    }

    #[test]
    fn more_entries_than_allowed_are_refused() {
        let names: Vec<String> = (0..5).map(|index| index.to_string()).collect();
        let entries: Vec<Entry<'_>> = names.iter().map(|name| (name.as_str(), EntryType::Regular, &b""[..])).collect();
        let limits = UnpackLimits { entries: 4, ..UnpackLimits::of_bytes(100) };
        assert_eq!(try_bytes(&archive(&entries), limits), Err(UnpackError::TooMany { limit: 4 }));
    }

    #[test]
    fn an_archive_cut_anywhere_or_damaged_is_refused() {
        let noise: Vec<u8> = (0..5000_u32).flat_map(|index| index.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        let whole = archive(&[("a", EntryType::Regular, &noise), ("b", EntryType::Regular, b"x")]);
        let limits = UnpackLimits::of_bytes(1 << 20);
        try_bytes(&whole, limits).unwrap();
        for length in (0..whole.len()).step_by(whole.len() / 97).chain([whole.len() - 1]) {
            let cut = try_bytes(&whole[..length], limits);
            assert!(matches!(cut, Err(UnpackError::Damaged { .. })), "{length}: {cut:?}");
        }
        assert!(matches!(try_bytes(b"<html>", limits), Err(UnpackError::Damaged { .. })));
    }

    #[test]
    fn work_stops_when_the_caller_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar.zst");
        fs::write(&path, archive(&[("a", EntryType::Regular, b"x")])).unwrap();
        let limits = UnpackLimits::of_bytes(100);
        let stopped = unpack(&path, &folder.path().join("into"), limits, &|_| true, &AtomicBool::new(true));
        assert_eq!(stopped, Err(UnpackError::Stopped));
    }
}
