//! The one place that knows what time it is.

#[cfg(feature = "control")]
mod movable;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::rotation::Millis;

/// The server's time; clones share it. With the feature `control` it can be moved, so that tests
/// need not wait.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    #[cfg(feature = "control")]
    moved: movable::Moved,
}

impl Clock {
    /// A clock that shows the system's time.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// The time it shows.
    #[must_use]
    pub fn now(&self) -> Millis {
        #[cfg(feature = "control")]
        return self.moved.now();
        #[cfg(not(feature = "control"))]
        system().unsigned_abs()
    }
}

/// Never below zero.
fn system() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
