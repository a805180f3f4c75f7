//! Archives that a snapshot is unpacked from.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use nodewright_cardano::snapshot::{UnpackLimits, unpack};

use crate::plant::plant;

/// Takes `data` as a tar archive, or, if it begins with 0, the rest of it as what zstd made of one.
///
/// Whatever it says, no file comes to lie outside the folder, and no more is written than the limits allow.
pub fn archive(data: &[u8]) {
    let packed = match data.split_first() {
        Some((0, packed)) => packed.to_vec(),
        _ => zstd::encode_all(with_checksums(data).as_slice(), 1).expect("memory can be compressed"),
    };
    let (archive, into) = (FOLDER.join("archive"), FOLDER.join("root").join("into"));
    drop(fs::remove_dir_all(&into));
    fs::write(&archive, packed).expect("a temporary file");
    let limits = UnpackLimits::of_bytes(LIMIT);
    let Ok(files) = unpack(&archive, &into, limits, &|name| name.len() < 100, &AtomicBool::new(false)) else {
        return stays_inside();
    };
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    assert!(bytes <= LIMIT, "{bytes} bytes");
    plant!(bytes > 10, bytes > 12, bytes > 14);
    stays_inside();
}

/// Puts the right sum into every block that looks like a header, so that a search gets past it.
fn with_checksums(data: &[u8]) -> Vec<u8> {
    let mut archive = data.to_vec();
    for header in archive.chunks_exact_mut(512).filter(|block| block[257..].starts_with(b"ustar")) {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    archive
}

fn stays_inside() {
    let root = fs::read_dir(FOLDER.join("root")).map(|entries| entries.count());
    assert!(root.is_ok_and(|entries| entries <= 1), "something lies beside the folder");
}

/// A folder of this process, in memory where the system has such a place: every file is written through to the disk.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = place.join(format!("nodewright-fuzz-{}", std::process::id()));
    fs::create_dir_all(folder.join("root")).expect("a temporary folder");
    folder
});

const LIMIT: u64 = 64 * 1024;
