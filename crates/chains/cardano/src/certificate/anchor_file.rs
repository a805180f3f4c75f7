//! Verified anchors in a file.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::anchor::{AnchorError, AnchorStore, Anchors, NetworkFingerprint, decode, encode};

/// Keeps the anchors of one network in a JSON file.
///
/// A save writes a file beside it (the name with `.new` at the end), synchronises it and renames it, so that a crash
/// leaves the old file or the new one. One process at a time may use the file.
#[derive(Clone, Debug)]
pub struct FileAnchors {
    path: PathBuf,
}

impl FileAnchors {
    /// Names the file. It need not exist yet, but its folder must.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl AnchorStore for FileAnchors {
    async fn load(&self, network: &NetworkFingerprint) -> Result<Anchors, AnchorError> {
        let path = self.path.clone();
        let bytes = blocking(&self.path, move || read(&path)).await?;
        bytes.map_or_else(|| Ok(Anchors::default()), |bytes| decode(network, &bytes))
    }

    async fn save(&self, network: &NetworkFingerprint, anchors: &Anchors) -> Result<(), AnchorError> {
        let bytes = encode(network, anchors)?;
        let path = self.path.clone();
        blocking(&self.path, move || replace(&path, &bytes)).await
    }
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, AnchorError> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|source| AnchorError::Io { path: path.to_owned(), source })
}

/// `None` if there is no file.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more bytes than anchors take"));
    }
    Ok(Some(bytes))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)?;
    // The rename itself lasts only once the folder is synchronised.
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// Bounds the file: 1024 rows of about 220 bytes, and as much again.
const MAX_BYTES: u64 = 512 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: NetworkFingerprint = NetworkFingerprint([7; 32]);

    #[tokio::test]
    async fn a_file_keeps_what_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileAnchors::new(folder.path().join("anchors.json"));
        assert!(store.load(&NETWORK).await.unwrap().is_empty());
        store.save(&NETWORK, &Anchors::default()).await.unwrap();
        assert!(store.load(&NETWORK).await.unwrap().is_empty());
        assert!(matches!(store.load(&NetworkFingerprint([8; 32])).await, Err(AnchorError::OtherNetwork { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the file stays");
    }

    #[tokio::test]
    async fn what_was_left_of_an_interrupted_save_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("anchors.json.new"), b"half").unwrap();
        let store = FileAnchors::new(folder.path().join("anchors.json"));
        assert!(store.load(&NETWORK).await.unwrap().is_empty());
        store.save(&NETWORK, &Anchors::default()).await.unwrap();
        assert!(store.load(&NETWORK).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_used_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchors.json");
        fs::write(&path, vec![b' '; 600 << 10]).unwrap();
        let store = FileAnchors::new(&path);
        assert!(matches!(store.load(&NETWORK).await, Err(AnchorError::Io { .. })));
        fs::write(&path, b"{").unwrap();
        assert!(matches!(store.load(&NETWORK).await, Err(AnchorError::Damaged { .. })));
        let nowhere = FileAnchors::new(folder.path().join("no/anchors.json"));
        assert!(matches!(nowhere.save(&NETWORK, &Anchors::default()).await, Err(AnchorError::Io { .. })));
    }
}
