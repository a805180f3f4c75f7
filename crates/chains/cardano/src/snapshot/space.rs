//! How much room a disk has.

use std::io;
use std::path::Path;

/// Says how much can still be written below a folder.
pub trait FreeSpace: Send + Sync {
    /// Returns how many bytes this process may still write below `folder`, which exists.
    ///
    /// # Errors
    /// What the system says.
    fn available(&self, folder: &Path) -> io::Result<u64>;
}

/// Asks the system (`statvfs`), quotas aside.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSpace;

impl FreeSpace for SystemSpace {
    #[cfg(unix)]
    fn available(&self, folder: &Path) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(folder)?;
        // Blocks that only the superuser may use do not count.
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    #[cfg(not(unix))]
    fn available(&self, _folder: &Path) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_system_knows_its_room_and_a_missing_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(SystemSpace.available(folder.path()).unwrap() > 0);
        assert!(SystemSpace.available(&folder.path().join("none")).is_err());
    }
}
