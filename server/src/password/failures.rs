//! Where wrong passwords came from lately.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Party;
use crate::limits::{Bucket, Rate};
use crate::rotation::Millis;

/// Counts wrong passwords, for each address and for the network around it. A count goes down by one
/// a minute, so there are never more of them than passwords that could be hashed in a few minutes.
#[derive(Debug)]
pub(super) struct Failures {
    counts: HashMap<Origin, Bucket>,
    /// Counts that have gone down to nothing are thrown away when there are N.
    many: usize,
    now: Millis,
}

/// How many passwords were wrong lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// From the address itself.
    own: u32,
    /// From the network around it, where an attacker may have many addresses.
    near: u32,
}

impl Record {
    /// What an address is judged by: its own failures, and an eighth of those around it. So a fresh
    /// address of a network that guesses does not come before a user who mistyped once.
    fn weight(self) -> u32 {
        self.own.max(self.near / 8)
    }
}

impl Ord for Record {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |it: &Self| (it.weight(), it.own, it.near);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Record {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Origin {
    Address(Party),
    Around(IpAddr),
}

impl Failures {
    pub(super) fn new() -> Self {
        Self { counts: HashMap::new(), many: MANY, now: 0 }
    }

    /// Says what time it is, in milliseconds of the server's clock.
    pub(super) fn tell(&mut self, now: Millis) {
        self.now = now;
    }

    /// Counts one more from an address.
    pub(super) fn add(&mut self, party: Party) {
        let Self { counts, many, now } = self;
        if counts.len() >= *many {
            counts.retain(|_, count| count.taken(COUNT, *now) > 0);
            // Looking through all of them must stay rare.
            *many = MANY.max(2 * counts.len());
        }
        for origin in [Some(Origin::Address(party)), around(party)].into_iter().flatten() {
            let count = counts.entry(origin).or_insert_with(|| Bucket::full(COUNT, *now));
            // Beyond the highest count it stays there.
            let _ = count.take(COUNT, *now);
        }
    }

    /// Counts that are looked at run on from now, also when the clock was put back.
    pub(super) fn of(&mut self, party: Party) -> Record {
        let Self { counts, now, .. } = self;
        let mut count =
            |origin| counts.get_mut(&origin).map_or(0, |count| count.taken(COUNT, *now));
        Record { own: count(Origin::Address(party)), near: around(party).map_or(0, count) }
    }
}

/// A network in which one party easily has many addresses: a /24, or the /48 of an IPv6 site.
fn around(party: Party) -> Option<Origin> {
    party
        .map(|address| match address {
            IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) & (u32::MAX << 8)).into(),
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & (u128::MAX << 80)).into(),
        })
        .map(Origin::Around)
}

/// Up to 60, and one less each minute.
const COUNT: Rate = Rate { burst: 60.0, millis_each: 60_000.0 };
/// N counts that have gone down to nothing do no harm.
const MANY: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn what_was_wrong_is_forgotten_by_and_by() {
        let mut failures = Failures::new();
        let at = |text: &str| Some(text.parse().unwrap());
        failures.tell(1_000);
        (0..3).for_each(|_| failures.add(at("192.0.2.1")));
        assert_eq!(failures.of(at("192.0.2.1")), Record { own: 3, near: 3 });
        assert_eq!(failures.of(at("192.0.2.2")), Record { own: 0, near: 3 });
        assert_eq!(failures.of(at("192.0.3.1")), Record::default());
        failures.tell(61_000);
        assert_eq!(failures.of(at("192.0.2.1")), Record { own: 2, near: 2 });
        failures.tell(181_000);
        assert_eq!(failures.of(at("192.0.2.1")), Record::default());
        (0..100).for_each(|_| failures.add(at("2001:db8:1:2::")));
        assert_eq!(failures.of(at("2001:db8:1:3::")), Record { own: 0, near: 60 });
        assert_eq!(failures.of(at("2001:db8:2::")), Record::default());
        failures.add(None);
        assert_eq!(failures.of(None), Record { own: 1, near: 0 });
    }

    #[test]
    fn what_was_wrong_is_forgotten_by_and_by_after_a_clock_went_back_too() {
        let (mut failures, clock) = (Failures::new(), Clock::frozen_at(1_000_000_000));
        let party = Some(IpAddr::from([192, 0, 2, 1]));
        failures.tell(clock.now());
        (0..3).for_each(|_| failures.add(party));
        clock.advance(-900_000_000);
        failures.tell(clock.now());
        assert_eq!(failures.of(party), Record { own: 3, near: 3 });
        clock.advance(60_000);
        failures.tell(clock.now());
        assert_eq!(failures.of(party), Record { own: 2, near: 2 });
        clock.advance(120_000);
        failures.tell(clock.now());
        assert_eq!(failures.of(party), Record::default());
    }

    #[test]
    fn what_is_over_is_not_kept() {
        let mut failures = Failures::new();
        for number in 0..100_000_u32 {
            failures.tell(Millis::from(number) * 40);
            failures.add(Some(IpAddr::from((number * 256).to_be_bytes())));
        }
        assert!(failures.counts.len() <= 2 * MANY, "{}", failures.counts.len());
    }
}
