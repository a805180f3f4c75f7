//! What an earlier run left: half things are deleted, whole things are checked once more.

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::error::RestoreError;
use super::take::{admits_ancillary, check_ancillary};
use super::unpack::UnpackedFile;
use super::workspace::{Workspace, list, sync_folder};
use crate::artifact::{CertifiedDigests, FolderError, HashOptions, ImmutableFolder, hash_file};
use crate::keys::VerificationKey;
use crate::units::ImmutableFileNumber;

/// Deletes what an interrupted run left half done, and makes the folders.
pub(super) fn clean_up(workspace: &Workspace) -> Result<(), RestoreError> {
    for path in list(&workspace.path(""))? {
        let half = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(UNPACK));
        if half {
            workspace.remove(&path, "remove half unpacked files")?;
        }
    }
    let immutable = workspace.immutable();
    fs::create_dir_all(&immutable).map_err(|error| RestoreError::io(&immutable, &error))?;
    sync_folder(&workspace.path(""))
}

/// Is what an earlier run left, all of it checked again.
pub(super) struct Leftovers {
    pub(super) missing: BTreeSet<ImmutableFileNumber>,
    pub(super) ancillary: bool,
    pub(super) bytes: u64,
}

pub(super) fn leftovers(
    workspace: &Workspace,
    digests: &CertifiedDigests,
    key: Option<&VerificationKey>,
    last: ImmutableFileNumber,
) -> Result<Leftovers, RestoreError> {
    let stop = |_| match workspace.stop().load(Ordering::Relaxed) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let options = HashOptions { progress: &stop, ..HashOptions::default() };
    let folder = ImmutableFolder::read(&workspace.database())?;
    let mut missing = BTreeSet::new();
    match folder.compare(digests.digests(), options) {
        Ok(_) => {}
        Err(FolderError::Faults { faults }) => {
            for fault in faults {
                missing.insert(fault.file.number);
                workspace.remove(&workspace.immutable().join(fault.file.to_string()), "remove bad file")?;
            }
        }
        Err(FolderError::Stopped) => return Err(RestoreError::Stopped),
        Err(other) => return Err(other.into()),
    }
    let mut bytes = ImmutableFolder::read(&workspace.database())?.bytes();
    let kept = workspace.path(ANCILLARY);
    let files = match key {
        Some(_) if kept.is_dir() => hash_tree(&kept, last)?,
        _ => Vec::new(),
    };
    let size: u64 = files.iter().map(|file| file.bytes).sum();
    let ancillary = key.is_some_and(|key| !files.is_empty() && check_ancillary(&kept, files, key).is_ok());
    if ancillary {
        bytes = bytes.saturating_add(size);
    } else {
        workspace.remove(&kept, "remove bad ancillary files")?;
    }
    Ok(Leftovers { missing, ancillary, bytes })
}

/// Hashes the files that an earlier run kept; anything that cannot be among them makes the list empty.
fn hash_tree(root: &Path, last: ImmutableFileNumber) -> Result<Vec<UnpackedFile>, RestoreError> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in list(&folder)? {
            let metadata = fs::symlink_metadata(&path).map_err(|error| RestoreError::io(&path, &error))?;
            let name = path.strip_prefix(root).ok().and_then(Path::to_str).map(str::to_owned);
            match name {
                _ if metadata.is_dir() => folders.push(path),
                Some(name) if metadata.is_file() && admits_ancillary(&name, last) => {
                    let sha256 = hash_file(&path).map_err(|error| RestoreError::io(&path, &error))?;
                    files.push(UnpackedFile { name, bytes: metadata.len(), sha256 });
                }
                _ => return Ok(Vec::new()),
            }
        }
    }
    Ok(files)
}

/// The folder with the checked ancillary files.
pub(super) const ANCILLARY: &str = "ancillary";

/// What names of folders start with that hold half of something.
pub(super) const UNPACK: &str = "unpack-";
