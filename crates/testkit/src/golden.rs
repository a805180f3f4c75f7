//! Golden files: what a format's bytes were when it was released.
//!
//! A golden file is named by its format's version and never changes: it stands for what users have on their disks.
//! A test that finds other bytes says that the format changed, which takes a new version and a new file.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Checks that `bytes` are those of the golden file at `path`.
///
/// When [`NEW_GOLDEN`] is set, a file that does not exist is made; one that exists is never overwritten.
///
/// # Errors
/// [`GoldenError`] if they differ, or if there is no such file.
pub fn check_golden(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), GoldenError> {
    let path = path.as_ref();
    let held = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && std::env::var_os(NEW_GOLDEN).is_some() => {
            let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, bytes));
            return made.map_err(|source| GoldenError::Io { path: path.to_path_buf(), source });
        }
        held => held.map_err(|source| GoldenError::Io { path: path.to_path_buf(), source })?,
    };
    if held == bytes {
        return Ok(());
    }
    let at = held.iter().zip(bytes).position(|(held, found)| held != found);
    let at = at.unwrap_or_else(|| held.len().min(bytes.len()));
    Err(GoldenError::Changed { path: path.to_path_buf(), at, held: around(&held, at), found: around(bytes, at) })
}

/// Names the variable that lets a test make the golden file of a new version.
pub const NEW_GOLDEN: &str = "NODEWRIGHT_NEW_GOLDEN";

/// Says why bytes are not those of a golden file.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// The bytes of a format changed without a new version.
    #[error("{}: the format changed at byte {at} without a new version: {held:?} became {found:?}", path.display())]
    Changed {
        /// Names the golden file.
        path: PathBuf,
        /// Counts the bytes before the first that differs.
        at: usize,
        /// Holds some of the golden file around that byte.
        held: String,
        /// Holds some of what was found.
        found: String,
    },
    /// The file cannot be read or made.
    #[error("{}: {source}; a new version makes its file with {NEW_GOLDEN}=1", path.display())]
    Io {
        /// Names the golden file.
        path: PathBuf,
        /// Says why.
        source: io::Error,
    },
}

fn around(bytes: &[u8], at: usize) -> String {
    let shown = bytes.iter().skip(at.saturating_sub(20)).take(60).copied().collect::<Vec<_>>();
    String::from_utf8_lossy(&shown).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_are_named_by_place_and_a_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-1.json");
        assert!(matches!(check_golden(&path, b"{}"), Err(GoldenError::Io { .. })));
        fs::write(&path, b"{\"a\":1}").unwrap();
        assert!(check_golden(&path, b"{\"a\":1}").is_ok());
        for (found, place) in [(&b"{\"a\":2}"[..], 5), (b"{\"a\":1}\n", 7), (b"{\"a\"", 4)] {
            let error = check_golden(&path, found).unwrap_err();
            assert!(matches!(error, GoldenError::Changed { at, .. } if at == place), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"{\"a\":1}");
    }
}
