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
        replace(&OperatingSystem, &self.path, text)?;
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

/// Replaces a file as a whole: whenever the power is cut, the old one is there or the new one, and the
/// new one once this is done.
fn replace(disk: &impl Disk, path: &Path, text: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    disk.write(&beside, text)?;
    disk.flush(&beside)?;
    disk.rename(&beside, path)?;
    // Until the folder is on the disk too, a power cut brings the old file back.
    disk.flush_folder_of(path)
}

/// What replacing a file asks of the operating system, one at a time.
trait Disk {
    /// Makes a file of this content, for its owner alone.
    fn write(&self, path: &Path, text: &[u8]) -> io::Result<()>;
    /// Sees to it that the content of a file outlives a power cut.
    fn flush(&self, path: &Path) -> io::Result<()>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Sees to it that the names in a file's folder outlive a power cut.
    fn flush_folder_of(&self, path: &Path) -> io::Result<()>;
}

struct OperatingSystem;

impl Disk for OperatingSystem {
    fn write(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        let mut file = private(path)?;
        file.set_len(0)?;
        file.write_all(text)
    }

    fn flush(&self, path: &Path) -> io::Result<()> {
        private(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Elsewhere than on Unix a folder cannot be opened, and need not be.
    fn flush_folder_of(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    }
}

/// Opens a file for its owner alone, making it if need be.
fn private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_power_cut_at_any_step_leaves_the_old_file_or_the_new_one() {
        let path = Path::new("data/keys.json");
        let mut steps = 0;
        loop {
            let disk = Forgetful::holding(path, b"old");
            disk.0.borrow_mut().steps_left = steps;
            let done = replace(&disk, path, b"new").is_ok();
            let found = disk.after_a_power_cut(path);
            if done {
                assert_eq!(found.as_deref(), Some(&b"new"[..]), "what was answered is kept");
                assert_eq!(steps, 4, "each step was the last one once");
                return;
            }
            let whole = [Some(&b"old"[..]), Some(b"new")].contains(&found.as_deref());
            assert!(whole, "after {steps} steps: {found:?}");
            steps += 1;
        }
    }

    /// A disk that loses, when the power is cut, what was not flushed.
    struct Forgetful(RefCell<Contents>);

    #[derive(Default)]
    struct Contents {
        steps_left: usize,
        /// By their number; a file keeps it when it is renamed.
        files: Vec<Vec<u8>>,
        flushed: HashMap<usize, Vec<u8>>,
        names: HashMap<PathBuf, usize>,
        flushed_names: HashMap<PathBuf, usize>,
    }

    impl Forgetful {
        fn holding(path: &Path, text: &[u8]) -> Self {
            let names = HashMap::from([(path.to_owned(), 0)]);
            Self(RefCell::new(Contents {
                files: vec![text.to_owned()],
                flushed: HashMap::from([(0, text.to_owned())]),
                flushed_names: names.clone(),
                names,
                ..Contents::default()
            }))
        }

        fn step(&self, step: impl FnOnce(&mut Contents)) -> io::Result<()> {
            let mut contents = self.0.borrow_mut();
            let left = contents.steps_left.checked_sub(1);
            contents.steps_left = left.ok_or_else(|| io::Error::other("the power is cut"))?;
            step(&mut contents);
            Ok(())
        }

        /// What is in a file then. A name may have got to the disk without being asked to, and it may
        /// not have.
        fn after_a_power_cut(&self, path: &Path) -> Option<Vec<u8>> {
            let contents = self.0.borrow();
            let kept = |number| contents.flushed.get(number).cloned().unwrap_or_default();
            let early = contents.names.get(path).map(kept);
            let late = contents.flushed_names.get(path).map(kept);
            // The worse of the two: nothing, something torn, the old file.
            [early, late].into_iter().min_by_key(|found| match found.as_deref() {
                Some(b"new") => 2,
                Some(b"old") => 1,
                _ => 0,
            })?
        }
    }

    impl Disk for Forgetful {
        fn write(&self, path: &Path, text: &[u8]) -> io::Result<()> {
            self.step(|contents| {
                let number = contents.files.len();
                contents.files.push(text.to_owned());
                contents.names.insert(path.to_owned(), number);
            })
        }

        fn flush(&self, path: &Path) -> io::Result<()> {
            self.step(|contents| {
                let number = contents.names[path];
                contents.flushed.insert(number, contents.files[number].clone());
            })
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.step(|contents| {
                let number = contents.names.remove(from).unwrap();
                contents.names.insert(to.to_owned(), number);
            })
        }

        fn flush_folder_of(&self, _: &Path) -> io::Result<()> {
            self.step(|contents| contents.flushed_names = contents.names.clone())
        }
    }
}
