//! What is done with a received archive: unpack it aside, check it, and only then put it where whole things are.

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::ancillary::{AncillaryError, AncillaryManifest, MANIFEST};
use super::error::{PartError, RestoreError};
use super::leftovers::{ANCILLARY, UNPACK};
use super::model::Location;
use super::unpack::{UnpackLimits, UnpackedFile, unpack};
use super::workspace::Workspace;
use crate::artifact::{CertifiedDigests, FaultKind, FileFault, ImmutableFile};
use crate::keys::VerificationKey;
use crate::units::ImmutableFileNumber;

/// Unpacks a trio, compares it with its digests, and moves it to the others.
pub(super) fn take_trio(
    workspace: &Workspace,
    archive: &Path,
    number: ImmutableFileNumber,
    digests: &CertifiedDigests,
    limit: u64,
) -> Result<(), PartError> {
    let trio = ImmutableFile::trio(number);
    let name = |file: ImmutableFile| format!("immutable/{file}");
    let admit = |entry: &str| trio.iter().any(|file| name(*file) == entry);
    let folder = workspace.path(&format!("{UNPACK}{:05}", number.0));
    let files = fresh(workspace, archive, &folder, UnpackLimits::of_bytes(limit), &admit)?;
    for file in trio {
        let unpacked = files.iter().find(|unpacked| unpacked.name == name(file));
        let kind = match unpacked {
            Some(unpacked) if digests.digests().digest(file) == Some(&unpacked.sha256) => continue,
            Some(unpacked) => FaultKind::Content { found: hex::encode(unpacked.sha256) },
            None => FaultKind::Missing,
        };
        workspace.remove(&folder, "discard unpacked trio")?;
        return Err(PartError::Location(FileFault { file, kind }.into()));
    }
    for file in trio {
        let to = workspace.immutable().join(file.to_string());
        workspace.rename(&folder.join(name(file)), &to, "keep immutable file")?;
    }
    Ok(workspace.remove(&folder, "remove unpacked trio")?)
}

/// Unpacks the ancillary files, checks their manifest, and keeps them.
pub(super) fn take_ancillary(
    workspace: &Workspace,
    archive: &Path,
    key: &VerificationKey,
    last: ImmutableFileNumber,
    limit: u64,
) -> Result<(), PartError> {
    let admit = |entry: &str| admits_ancillary(entry, last);
    let folder = workspace.path(&format!("{UNPACK}ancillary"));
    let files = fresh(workspace, archive, &folder, UnpackLimits::of_bytes(limit), &admit)?;
    if let Err(fault) = check_ancillary(&folder, files, key) {
        workspace.remove(&folder, "discard ancillary files")?;
        return Err(PartError::Location(fault.into()));
    }
    workspace.remove(&workspace.path(ANCILLARY), "replace ancillary files")?;
    Ok(workspace.rename(&folder, &workspace.path(ANCILLARY), "keep ancillary files")?)
}

pub(super) fn check_ancillary(
    folder: &Path,
    mut files: Vec<UnpackedFile>,
    key: &VerificationKey,
) -> Result<(), AncillaryError> {
    files.retain(|file| file.name != MANIFEST);
    let path = folder.join(MANIFEST);
    let length = fs::metadata(&path).map(|manifest| manifest.len()).unwrap_or_default();
    if length == 0 || length > MANIFEST_BYTES {
        return Err(AncillaryError::Manifest { reason: format!("{length} bytes") });
    }
    let json = fs::read(&path).map_err(|error| AncillaryError::Manifest { reason: error.to_string() })?;
    AncillaryManifest::from_json(&json)?.check(key, &files)
}

/// Says what may be in the archive: the manifest, the ledger, and the trio that follows the certified ones.
pub(super) fn admits_ancillary(entry: &str, last: ImmutableFileNumber) -> bool {
    let next = ImmutableFileNumber(last.0.saturating_add(1));
    entry == MANIFEST
        || entry.starts_with("ledger/")
        || entry
            .strip_prefix("immutable/")
            .is_some_and(|name| name.parse::<ImmutableFile>().is_ok_and(|file| file.number == next))
}

pub(super) fn read_digests(
    workspace: &Workspace,
    file: &Path,
    location: &Location,
    limit: u64,
) -> Result<Vec<u8>, PartError> {
    let read = |path: &Path| fs::read(path).map_err(|error| RestoreError::io(path, &error));
    if matches!(location, Location::Route { .. }) {
        return Ok(read(file)?);
    }
    let folder = workspace.path(&format!("{UNPACK}digests"));
    let admit = |entry: &str| entry.ends_with(".json") && !entry.contains('/');
    let files = fresh(workspace, file, &folder, UnpackLimits { entries: 2, ..UnpackLimits::of_bytes(limit) }, &admit)?;
    let json = match files.first() {
        Some(only) => read(&folder.join(&only.name))?,
        None => Vec::new(),
    };
    workspace.remove(&folder, "remove unpacked digests")?;
    Ok(json)
}

/// Unpacks into a folder that is new; one that the archive spoiled is removed again.
fn fresh(
    workspace: &Workspace,
    archive: &Path,
    folder: &Path,
    limits: UnpackLimits,
    admit: &dyn Fn(&str) -> bool,
) -> Result<Vec<UnpackedFile>, PartError> {
    workspace.remove(folder, "remove earlier unpacked files")?;
    let unpacked = unpack(archive, folder, limits, admit, workspace.stop());
    if unpacked.is_err() && !workspace.stop().load(Ordering::Relaxed) {
        workspace.remove(folder, "discard unpacked files")?;
    }
    Ok(unpacked?)
}

/// The longest manifest: measured, some 1,000 bytes.
const MANIFEST_BYTES: u64 = 1 << 20;
