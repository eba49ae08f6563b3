//! A folder of our own, gone with the test.

use std::path::PathBuf;

pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = u64::from_ne_bytes(everfresh_server::secret::random().unwrap());
        let path = std::env::temp_dir().join(format!("everfresh-test-{number:016x}"));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
