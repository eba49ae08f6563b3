//! A clock that tests put forward, back, and to a halt.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Clock, system};
use crate::rotation::Millis;

/// How far a clock and all its clones are from the system's.
#[derive(Clone, Debug, Default)]
pub(super) struct Moved(Arc<Mutex<ClockState>>);

#[derive(Debug, Default)]
struct ClockState {
    offset: i64,
    frozen: Option<Millis>,
}

impl Clock {
    /// A clock that stands still until it is advanced.
    #[must_use]
    pub fn frozen_at(now: Millis) -> Self {
        let state = ClockState { offset: 0, frozen: Some(now) };
        Self { moved: Moved(Arc::new(Mutex::new(state))) }
    }

    /// Puts it forward, or back.
    pub fn advance(&self, millis: i64) {
        let mut state = self.moved.state();
        match &mut state.frozen {
            Some(now) => *now = now.saturating_add_signed(millis),
            None => state.offset = state.offset.saturating_add(millis),
        }
    }

    /// Lets it run at a fixed distance from the system's time.
    pub fn skew(&self, millis: i64) {
        *self.moved.state() = ClockState { offset: millis, frozen: None };
    }

    /// Stops it where it is.
    pub fn freeze(&self) {
        let mut state = self.moved.state();
        state.frozen = Some(state.now());
    }

    /// Lets it run on from where it is.
    pub fn run(&self) {
        let mut state = self.moved.state();
        if let Some(now) = state.frozen.take() {
            state.offset = i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(system());
        }
    }

    /// Whether it stands still.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.moved.state().frozen.is_some()
    }
}

impl Moved {
    pub(super) fn now(&self) -> Millis {
        self.state().now()
    }

    fn state(&self) -> MutexGuard<'_, ClockState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClockState {
    fn now(&self) -> Millis {
        let running = || system().saturating_add(self.offset).max(0).unsigned_abs();
        self.frozen.unwrap_or_else(running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_still_advances_and_runs_on() {
        let clock = Clock::frozen_at(1_000);
        clock.advance(500);
        assert_eq!((clock.now(), clock.is_frozen()), (1_500, true));
        clock.advance(-5_000);
        assert_eq!(clock.now(), 0);
        clock.run();
        assert!(clock.now() < 60_000 && !clock.is_frozen());
    }

    #[test]
    fn keeps_its_distance_from_the_system() {
        let clock = Clock::system();
        clock.skew(-3_600_000);
        let before = system() - 3_600_000;
        assert!(clock.now().abs_diff(before.unsigned_abs()) < 60_000);
        clock.freeze();
        assert_eq!(clock.now(), clock.now());
    }
}
