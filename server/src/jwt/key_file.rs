use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// A file that is replaced as a whole, by one process at a time, and read again when another
/// process has replaced it.
#[derive(Debug)]
pub(super) struct KeyFile {
    path: PathBuf,
    seen: Mutex<Option<(SystemTime, u64)>>,
}

impl KeyFile {
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: Mutex::new(None) }
    }

    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        let mark = self.mark();
        let text = fs::read(&self.path)?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = mark;
        Ok(text)
    }

    pub(super) fn write(&self, text: &[u8]) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut file = private(&beside)?;
        file.set_len(0)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        // Until the folder is on the disk too, a power cut brings the old file back.
        if let Some(folder) = self.path.parent() {
            sync_folder(folder)?;
        }
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = self.mark();
        Ok(())
    }

    /// Whether it is another file than the one that was read or written last.
    pub(super) fn changed(&self) -> bool {
        let mark = self.mark();
        mark.is_some() && mark != *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps other processes from changing the file until the guard is dropped.
    pub(super) fn lock(&self) -> io::Result<File> {
        let guard = private(&self.path.with_extension("lock"))?;
        guard.lock()?;
        Ok(guard)
    }

    /// What tells one version from the next: it is never changed in place.
    fn mark(&self) -> Option<(SystemTime, u64)> {
        let metadata = fs::metadata(&self.path).ok()?;
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let number = metadata.len();
        Some((metadata.modified().ok()?, number))
    }
}

/// Elsewhere than on Unix a folder cannot be opened, and need not be.
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Opens a file for its owner alone, making it if need be.
fn private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
