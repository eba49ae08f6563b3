//! What to do after a failure: how long to wait, and when to stop altogether.

use super::{
    clock::Millis,
    entropy::{self, Entropy},
    record::{SENDS, Sends},
};

/// Doubled with each failure, it is the bound of the wait.
const FIRST: Millis = 500;

/// Bound of the waits that have nothing to do with a token's lifetime, and of those for short ones.
pub(crate) const LONGEST: Millis = 60_000;

/// Bound of every wait.
const LONGEST_OF_ALL: Millis = 180_000;

/// A caller that asks for a refresh itself may probe this long after the last one was sent, whatever
/// the server wished for.
pub(crate) const PROBE: Millis = 30_000;

/// N refreshes in the breaker's window are a loop.
pub(crate) const LOOP: usize = 10;

/// N are one even of those that the application asks for.
pub(crate) const EXPLICIT_LOOP: usize = SENDS;

/// The breaker looks at this long a past.
const WINDOW: Millis = 30_000;

/// Bound of the waits for a token of that lifetime. So clients that try again during an outage, or after
/// it, load the token service at most twice as much as they do when all is well.
pub(crate) fn longest(lifetime: Millis) -> Millis {
    (lifetime / 5 * 3).clamp(LONGEST, LONGEST_OF_ALL)
}

/// How long to wait after the given number of failures in a row, at most `longest`: exponential
/// backoff with equal jitter (Brooker, "Exponential Backoff And Jitter", 2015), from half of a bound
/// that doubles to all of it.
pub(crate) fn backoff(failures: u32, longest: Millis, entropy: &mut impl Entropy) -> Millis {
    let bound = (FIRST << failures.min(16)).min(longest);
    let least = bound / 2;
    least + entropy::below(entropy, bound - least + 1)
}

/// When the next refresh may be sent, given the newest sends of all tabs in ascending order: `most`
/// in thirty seconds are a loop. `None` is at once.
pub(crate) fn breaker(sends: Sends, most: usize, now: Millis) -> Option<Millis> {
    let (oldest, newest) = (sends.0[SENDS - most], sends.0[SENDS - 1]);
    let free = oldest + WINDOW;
    // A send in the future means that the wall clock was set back: then they say nothing.
    (oldest <= now && free > now && newest < free + WINDOW).then_some(free)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{entropy::Seeded, grant::ENDLESS},
        *,
    };

    #[test]
    fn waits_double_up_to_the_longest() {
        for (failures, bound) in [(1, 1_000), (2, 2_000), (6, 32_000), (7, 60_000), (99, 60_000)] {
            let waits = (0..500).map(|seed| backoff(failures, LONGEST, &mut Seeded(seed)));
            let (least, most) = waits.fold((i64::MAX, 0), |(a, b), w| (w.min(a), w.max(b)));
            assert!(least >= bound / 2 && most <= bound, "{failures}: {least} to {most}");
            assert!(most - least > bound / 3, "the draw spreads over the upper half");
        }
    }

    #[test]
    fn every_wait_from_half_of_the_bound_to_the_bound_is_drawn() {
        let mut entropy = Seeded(1);
        let mut waits: Vec<_> = (0..20_000).map(|_| backoff(1, LONGEST, &mut entropy)).collect();
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.into_iter().eq(500..=1_000));
    }

    #[test]
    fn the_longest_wait_is_three_fifths_of_a_lifetime() {
        for (lifetime, wait) in [
            (0, 60_000),
            (60_000, 60_000),
            (200_000, 120_000),
            (300_000, 180_000),
            (ENDLESS, 180_000),
        ] {
            assert_eq!(longest(lifetime), wait, "{lifetime}");
        }
    }

    #[test]
    fn ten_sends_in_thirty_seconds_open_the_breaker() {
        let mut sends = Sends::default();
        let at = |seconds: i64| 1_767_225_600_000 + seconds * 1_000;
        (1..=9).for_each(|second| sends.add(at(second)));
        assert_eq!(breaker(sends, LOOP, at(10)), None);
        sends.add(at(10));
        assert_eq!(breaker(sends, LOOP, at(10)), Some(at(31)));
        assert_eq!(breaker(sends, LOOP, at(31)), None);
        assert_eq!(breaker(sends, LOOP, at(0)), None, "a clock that was set back");
        sends.add(at(60));
        assert_eq!(breaker(sends, LOOP, at(11)), Some(at(32)), "tabs send at their own seconds");
        sends.add(at(63));
        assert_eq!(breaker(sends, LOOP, at(11)), None, "not half a minute after the window");
        sends.add(at(5_000));
        assert_eq!(breaker(sends, LOOP, at(11)), None, "one send before it was");
    }

    #[test]
    fn thirty_sends_stop_those_that_are_asked_for_too() {
        let mut sends = Sends::default();
        let at = |seconds: i64| 1_767_225_600_000 + seconds * 1_000;
        (1..=29).for_each(|second| sends.add(at(second)));
        assert_eq!(breaker(sends, EXPLICIT_LOOP, at(29)), None);
        sends.add(at(30));
        assert_eq!(breaker(sends, EXPLICIT_LOOP, at(30)), Some(at(31)));
    }
}
