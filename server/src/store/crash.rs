//! Where a test has the process die: at the two moments of a step that only a store knows.

#[cfg(feature = "control")]
use std::sync::atomic::{AtomicU8, Ordering};

/// A moment in a step that writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Point {
    /// All is decided, nothing is kept.
    BeforeCommit = 1,
    /// All is kept, nobody knows.
    AfterCommit = 2,
}

/// Has the process die when the next step comes to this point. Only the test harness does this.
#[cfg(feature = "control")]
pub(crate) fn arm(point: Point) {
    ARMED.store(point as u8, Ordering::SeqCst);
}

/// Says that a step is here. Nothing is flushed or closed if it dies, just as at a kill.
#[cfg(feature = "control")]
pub(super) fn pass(point: Point) {
    if ARMED.load(Ordering::Relaxed) == point as u8 {
        std::process::abort();
    }
}

#[cfg(not(feature = "control"))]
pub(super) fn pass(_: Point) {}

#[cfg(feature = "control")]
static ARMED: AtomicU8 = AtomicU8::new(0);
