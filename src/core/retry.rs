//! What to do after a failure: how long to wait, and when to stop altogether.

use super::{
    clock::Millis,
    entropy::{self, Entropy},
    record::{SENDS, Sends},
};

/// Bound of the first wait; it doubles with each failure.
const FIRST: Millis = 1_000;

/// Bound of every wait.
pub(crate) const LONGEST: Millis = 60_000;

/// A caller that asks for a refresh itself may probe this long after the last one was sent, whatever
/// the server wished for.
pub(crate) const PROBE: Millis = 30_000;

/// N refreshes in the breaker's window are a loop.
pub(crate) const LOOP: usize = 10;

/// N are one even of those that the application asks for.
pub(crate) const EXPLICIT_LOOP: usize = SENDS;

/// The breaker looks at this long a past.
const WINDOW: Millis = 30_000;

/// How long to wait after the given number of failures in a row: exponential backoff with full
/// jitter (Brooker, "Exponential Backoff And Jitter", 2015), but at least a tenth of the bound so
/// that a small draw does not make a loop.
pub(crate) fn backoff(failures: u32, entropy: &mut impl Entropy) -> Millis {
    let doublings = failures.saturating_sub(1).min(16);
    let bound = (FIRST << doublings).min(LONGEST);
    let least = bound / 10;
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
    use super::{super::entropy::Seeded, *};

    #[test]
    fn waits_double_up_to_a_minute() {
        for (failures, bound) in [(1, 1_000), (2, 2_000), (6, 32_000), (7, 60_000), (99, 60_000)] {
            let waits = (0..500).map(|seed| backoff(failures, &mut Seeded(seed)));
            let (least, most) = waits.fold((i64::MAX, 0), |(a, b), w| (w.min(a), w.max(b)));
            assert!(least >= bound / 10 && most <= bound, "{failures}: {least} to {most}");
            assert!(most - least > bound / 2, "the draw spreads over the bound");
        }
    }

    #[test]
    fn every_wait_from_a_tenth_of_the_bound_to_the_bound_is_drawn() {
        let mut entropy = Seeded(1);
        let mut waits: Vec<_> = (0..20_000).map(|_| backoff(1, &mut entropy)).collect();
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.into_iter().eq(100..=1_000));
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
