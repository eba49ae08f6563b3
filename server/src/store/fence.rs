use std::sync::atomic::{AtomicBool, Ordering};

use super::StoreError;

/// Stands between a server and a store whose keys are not the server's own.
#[derive(Debug, Default)]
pub struct Fence(AtomicBool);

impl Fence {
    pub(crate) fn open(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    pub(crate) fn close(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Says so if it is closed.
    pub(crate) fn pass(&self) -> Result<(), StoreError> {
        if self.0.load(Ordering::SeqCst) { Err(StoreError::OtherKeys) } else { Ok(()) }
    }
}
