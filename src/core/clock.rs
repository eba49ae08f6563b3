//! Time as an argument: what the shell reads, and the one time line the machine lives on.

use core::ops::{Add, Sub};

use serde::{Serialize, Serializer};

/// Milliseconds: a duration, or a wall-clock time since the Unix epoch where a name says `wall`.
/// What comes from outside is clamped to less than 2^60, so that sums do not overflow.
pub type Millis = i64;

/// A time or a count as the number that JavaScript has for it. serde-wasm-bindgen also knows what to
/// do with 64 bits that are too many for one, which these never are: 360 bytes.
pub(super) fn as_number<S: Serializer>(
    value: &(impl Copy + Into<Option<i64>>),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    (*value).into().map(|value| value as f64).serialize(serializer)
}

/// A wall clock that gained or lost this much against the monotonic one has jumped; less is noise.
const JUMP: Millis = 1_000;

/// Both clocks of the platform, read together by the shell just before it calls the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Now {
    /// Milliseconds since the Unix epoch (`Date.now()`); may jump either way.
    pub wall: Millis,
    /// Milliseconds on a clock that never goes back (`performance.now()`); may stand still while
    /// the machine sleeps.
    pub monotonic: Millis,
}

/// A point on the session's own time line. Only differences mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub Millis);

impl Moment {
    /// After every moment that comes, even when a duration is taken from it.
    pub const NEVER: Self = Self(1 << 62);

    /// The moment, unless it never comes.
    #[must_use]
    pub fn comes(self) -> Option<Self> {
        (self.0 < Self::NEVER.0 >> 1).then_some(self)
    }
}

impl Add<Millis> for Moment {
    type Output = Self;

    fn add(self, duration: Millis) -> Self {
        Self(self.0 + duration)
    }
}

impl Sub<Millis> for Moment {
    type Output = Self;

    fn sub(self, duration: Millis) -> Self {
        Self(self.0 - duration)
    }
}

impl Sub for Moment {
    type Output = Millis;

    fn sub(self, earlier: Self) -> Millis {
        self.0 - earlier.0
    }
}

/// The monotonic clock plus every sleep that it missed.
///
/// A wall clock that leaps ahead means that the device slept or that somebody set the clock. The
/// two cannot be told apart, and taking it for sleep is the safe side: it costs an early refresh,
/// never a session that outlives its limit. A wall clock set back changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clock {
    moment: Moment,
    /// What the wall clock shows at moment 0 if it runs on undisturbed.
    origin: Millis,
    last: Now,
}

impl Clock {
    /// A clock that starts at `now`.
    #[must_use]
    pub const fn new(now: Now) -> Self {
        Self { moment: Moment(now.monotonic), origin: now.wall - now.monotonic, last: now }
    }

    /// Takes a reading in; a monotonic time before the last one counts as the last one.
    pub fn observe(&mut self, now: Now) -> Moment {
        let monotonic = now.monotonic.max(self.last.monotonic);
        self.moment = self.moment + (monotonic - self.last.monotonic);
        self.last = Now { wall: now.wall, monotonic };
        let leap = now.wall - self.wall_at(self.moment);
        if leap > JUMP {
            self.moment = self.moment + leap;
        } else if leap < -JUMP {
            self.origin += leap;
        }
        self.moment
    }

    /// All but the last reading, which the next one replaces.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) const fn steady(&self) -> (Millis, Millis) {
        (self.origin, self.moment.0 - self.last.monotonic)
    }

    /// The present, as of the last reading.
    #[must_use]
    pub const fn moment(&self) -> Moment {
        self.moment
    }

    /// The wall clock, as of the last reading.
    #[must_use]
    pub const fn wall(&self) -> Millis {
        self.last.wall
    }

    /// The wall time at which `moment` falls if the clock runs on undisturbed. The same from one
    /// reading to the next unless the wall clock jumps.
    #[must_use]
    pub const fn wall_at(&self, moment: Moment) -> Millis {
        moment.0 + self.origin
    }

    /// The moment at which the wall clock will show `wall`.
    #[must_use]
    pub const fn at_wall(&self, wall: Millis) -> Moment {
        Moment(wall - self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Now = Now { wall: 1_000_000, monotonic: 50 };

    fn after(wall: Millis, monotonic: Millis) -> Millis {
        let mut clock = Clock::new(START);
        let start = clock.moment();
        clock.observe(Now { wall: START.wall + wall, monotonic: START.monotonic + monotonic })
            - start
    }

    #[test]
    fn runs_with_the_monotonic_clock() {
        assert_eq!(after(5_000, 5_000), 5_000);
        assert_eq!(after(6_000, 5_000), 5_000, "a second apart is noise");
    }

    #[test]
    fn counts_a_sleep_that_the_monotonic_clock_missed() {
        assert_eq!(after(8 * 3_600_000, 200), 8 * 3_600_000);
    }

    #[test]
    fn ignores_a_wall_clock_set_back() {
        assert_eq!(after(-86_400_000, 5_000), 5_000);
    }

    #[test]
    fn moves_wall_times_along_with_a_wall_clock_set_back() {
        let shown = |wall| {
            let mut clock = Clock::new(Now { wall: 100_000, monotonic: 0 });
            let moment = clock.observe(Now { wall, monotonic: 5_000 });
            clock.wall_at(moment)
        };
        assert_eq!(shown(104_000), 105_000, "a second apart is noise");
        assert_eq!(shown(103_999), 103_999);
    }

    #[test]
    fn tells_what_comes_from_what_never_does() {
        assert_eq!((Moment::NEVER - (1 << 60)).comes(), None);
        assert_eq!(Moment(Moment::NEVER.0 / 2).comes(), None);
        let last = Moment(Moment::NEVER.0 / 2 - 1);
        assert_eq!(last.comes(), Some(last));
    }

    #[test]
    fn never_runs_backwards() {
        assert_eq!(after(0, -40), 0);
    }

    #[test]
    fn counts_each_sleep_once() {
        let mut clock = Clock::new(Now { wall: 0, monotonic: 0 });
        clock.observe(Now { wall: 10_000, monotonic: 0 });
        clock.observe(Now { wall: 11_000, monotonic: 1_000 });
        assert_eq!(clock.moment(), Moment(11_000));
        assert_eq!(clock.wall_at(Moment(12_000)), 12_000);
        assert_eq!(clock.at_wall(12_500), Moment(12_500));
    }
}
