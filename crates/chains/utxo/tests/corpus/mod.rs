//! Finds the corpus of real data, and says so where there is none.

use std::path::PathBuf;

/// Returns the bytes of a file of the corpus, or `None` after saying that its test is skipped.
///
/// # Panics
/// If the file is missing while `CI` is set.
pub fn file(path: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("NODEWRIGHT_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"), PathBuf::from);
    let full = root.join(path);
    match std::fs::read(&full) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{}: {error}", full.display());
            println!("skipped: {}: {error}", full.display());
            None
        }
    }
}
