//! The one place that knows what time it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::rotation::Millis;

/// The server's time, movable so that tests need not wait. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<Hands>>);

impl Clock {
    /// A clock that shows the system's time.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still until it is advanced.
    #[must_use]
    pub fn frozen_at(now: Millis) -> Self {
        Self(Arc::new(Mutex::new(Hands { offset: 0, frozen: Some(now) })))
    }

    /// The time it shows.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.hands().now()
    }

    /// Puts it forward, or back.
    pub fn advance(&self, millis: i64) {
        let mut hands = self.hands();
        match &mut hands.frozen {
            Some(now) => *now = now.saturating_add_signed(millis),
            None => hands.offset = hands.offset.saturating_add(millis),
        }
    }

    /// Lets it run at a fixed distance from the system's time.
    pub fn skew(&self, millis: i64) {
        *self.hands() = Hands { offset: millis, frozen: None };
    }

    /// Stops it where it is.
    pub fn freeze(&self) {
        let mut hands = self.hands();
        hands.frozen = Some(hands.now());
    }

    /// Lets it run on from where it is.
    pub fn run(&self) {
        let mut hands = self.hands();
        if let Some(now) = hands.frozen.take() {
            hands.offset = i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(system());
        }
    }

    /// Whether it stands still.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.hands().frozen.is_some()
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Hands {
    offset: i64,
    frozen: Option<Millis>,
}

impl Hands {
    fn now(&self) -> Millis {
        let running = || system().saturating_add(self.offset).max(0).unsigned_abs();
        self.frozen.unwrap_or_else(running)
    }
}

fn system() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
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
