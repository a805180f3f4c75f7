//! The last step: everything is there and checked, and moves to where the node looks for it.

use std::fs;
use std::path::Path;

use super::ancillary::MANIFEST;
use super::error::RestoreError;
use super::leftovers::ANCILLARY;
use super::workspace::{Workspace, list};
use crate::artifact::{IMMUTABLE, ImmutableFile, ImmutableKind};
use crate::units::ImmutableFileNumber;

/// Moves everything into the target folder and clears the working folder. What an interrupted call has moved already is
/// no longer where it is looked for, so calling it again goes on.
pub(super) fn place(workspace: &Workspace, magic: u64) -> Result<(), RestoreError> {
    let target = workspace.target();
    let immutable = target.join(IMMUTABLE);
    if !immutable.exists() {
        workspace.rename(&workspace.immutable(), &immutable, "place immutable files")?;
    }
    let ancillary = workspace.path(ANCILLARY);
    for file in list(&ancillary.join(IMMUTABLE))? {
        place_into(workspace, &file, &immutable)?;
    }
    for entry in list(&ancillary)? {
        if entry != ancillary.join(IMMUTABLE) && entry != ancillary.join(MANIFEST) {
            place_into(workspace, &entry, target)?;
        }
    }
    workspace.write_whole(&target.join(CLEAN), b"", "place clean marker")?;
    // Last: a node starts only where it finds this.
    workspace.write_whole(&target.join(MAGIC), magic.to_string().as_bytes(), "place network magic")?;
    workspace.clear()
}

/// Says whether the target folder looks as [`place`] leaves it.
pub(super) fn is_placed(target: &Path, magic: u64, last: ImmutableFileNumber) -> bool {
    let chunk = ImmutableFile { number: last, kind: ImmutableKind::Chunk };
    let stated = fs::read(target.join(MAGIC)).ok();
    stated.is_some_and(|stated| stated == magic.to_string().as_bytes())
        && target.join(IMMUTABLE).join(chunk.to_string()).is_file()
}

fn place_into(workspace: &Workspace, from: &Path, folder: &Path) -> Result<(), RestoreError> {
    match from.file_name() {
        Some(name) => workspace.rename(from, &folder.join(name), "place ancillary files"),
        None => Ok(()),
    }
}

/// The marker of a clean shutdown: without it a node checks all of its files before it starts. Mithril's client makes it
/// too (`mithril-client` 0.14).
const CLEAN: &str = "clean";

/// The file by which a node knows to which network a database belongs (`mithril-client` 0.14).
const MAGIC: &str = "protocolMagicId";
