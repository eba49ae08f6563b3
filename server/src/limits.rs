//! How much of one thing one party may do: token buckets on the server's clock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::rotation::{Millis, SessionId};

/// How much of each thing one party may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Sign-ins of one user from one address.
    pub login: Rate,
    /// Refreshes of one session.
    pub refresh: Rate,
    /// Questions of one service about tokens.
    pub introspection: Rate,
    /// Failed sign-ins from one address.
    pub failure: Rate,
    /// Forged refresh tokens from one address.
    pub forgery: Rate,
    /// Wrong secrets of one service from one address.
    pub client_secret: Rate,
}

/// N at once, then one each M milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// How many at once.
    pub burst: f64,
    /// Milliseconds until there is one more.
    pub millis_each: f64,
}

impl Default for Rates {
    fn default() -> Self {
        let rate = |burst, millis_each| Rate { burst, millis_each };
        Self {
            login: rate(10.0, 6_000.0),
            refresh: rate(100.0, 100.0),
            introspection: rate(1_000.0, 1.0),
            failure: rate(30.0, 1_000.0),
            forgery: rate(30.0, 1_000.0),
            client_secret: rate(10.0, 1_000.0),
        }
    }
}

/// All buckets. Without any it lets everything pass.
///
/// The usual crate, governor, cannot look into a bucket without taking from it, which sign-ins need
/// because only those that fail count; and a clock that goes back would close its buckets for as
/// long as it went back.
#[derive(Debug)]
pub struct Limits {
    rates: Option<Rates>,
    buckets: Mutex<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    held: HashMap<Limited, Bucket>,
    /// Full buckets are thrown away when there are N.
    many: usize,
}

impl Limits {
    pub(crate) fn new(rates: Option<Rates>) -> Self {
        Self { rates, buckets: Mutex::new(Buckets { held: HashMap::new(), many: MANY }) }
    }

    /// Takes one from a bucket, or says when to come again.
    pub(crate) fn take(&self, what: Limited, now: Millis) -> Result<(), TryLater> {
        self.take_unless(false, what, now)
    }

    /// The same where it is known already whether it was right, which takes nothing. With nothing left
    /// that is refused as well, or one could go on guessing until one is let through.
    pub(crate) fn take_unless(
        &self,
        right: bool,
        what: Limited,
        now: Millis,
    ) -> Result<(), TryLater> {
        let Some(rates) = &self.rates else { return Ok(()) };
        let rate = what.rate(rates);
        let mut buckets = self.buckets();
        let Buckets { held, many } = &mut *buckets;
        if held.len() >= *many {
            held.retain(|what, bucket| bucket.taken(what.rate(rates), now) > 0);
            // Looking through all of them must stay rare, however many are in use.
            *many = MANY.max(2 * held.len());
        }
        let bucket = held.entry(what).or_insert_with(|| Bucket::full(rate, now));
        bucket.take(rate, now).map_err(TryLater)?;
        if right {
            bucket.level += 1.0;
        }
        Ok(())
    }

    /// Puts one back that was taken for what then turned out to be right.
    pub(crate) fn give_back(&self, what: &Limited) {
        let Some(rates) = &self.rates else { return };
        if let Some(bucket) = self.buckets().held.get_mut(what) {
            bucket.level = (bucket.level + 1.0).min(what.rate(rates).burst);
        }
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There is nothing left; there will be after N seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TryLater(pub(crate) u64);

/// What is limited, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// Sign-ins as a user from an address: guessing passwords.
    Login(Option<IpAddr>, String),
    /// Refreshes of a session: a client that has gone wild.
    Refresh(SessionId),
    /// Questions of a service.
    Introspection(String),
    /// Sign-ins that failed, from an address.
    Failure(Option<IpAddr>),
    /// Refresh tokens that look like ours and are not, from an address. A bucket of their own: the
    /// clients of a server that has lost its keys send them in good faith.
    Forgery(Option<IpAddr>),
    /// Wrong secrets of a service, from an address.
    ClientSecret(Option<IpAddr>, String),
}

impl Limited {
    fn rate(&self, rates: &Rates) -> Rate {
        match self {
            Self::Login(..) => rates.login,
            Self::Refresh(_) => rates.refresh,
            Self::Introspection(_) => rates.introspection,
            Self::Failure(_) => rates.failure,
            Self::Forgery(_) => rates.forgery,
            Self::ClientSecret(..) => rates.client_secret,
        }
    }
}

/// What one party has left of one thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    level: f64,
    at: Millis,
}

impl Bucket {
    pub(crate) fn full(rate: Rate, now: Millis) -> Self {
        Self { level: rate.burst, at: now }
    }

    /// Takes one if there is one left, or says after how many seconds there will be.
    pub(crate) fn take(&mut self, rate: Rate, now: Millis) -> Result<(), u64> {
        self.fill_up(rate, now);
        if self.level < 1.0 {
            let missing = (1.0 - self.level) * rate.millis_each / 1_000.0;
            return Err((missing.ceil() as u64).max(1));
        }
        self.level -= 1.0;
        Ok(())
    }

    /// How many have been taken that are not there again.
    pub(crate) fn taken(&mut self, rate: Rate, now: Millis) -> u32 {
        self.fill_up(rate, now);
        (rate.burst - self.level).ceil() as u32
    }

    /// A clock that was put back gives nothing, but counts on from where it is then.
    fn fill_up(&mut self, rate: Rate, now: Millis) {
        let refilled = now.saturating_sub(self.at) as f64 / rate.millis_each;
        *self = Self { level: (self.level + refilled).min(rate.burst), at: now };
    }
}

/// As many full buckets do no harm.
const MANY: usize = 50_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_bucket_empties_and_refills() {
        let limits = Limits::new(Some(Rates::default()));
        let login = || Limited::Login(None, "ann".to_owned());
        for _ in 0..10 {
            assert_eq!(limits.take(login(), 0), Ok(()));
        }
        assert_eq!(limits.take(login(), 0), Err(TryLater(6)));
        assert_eq!(limits.take(login(), 5_999), Err(TryLater(1)));
        assert_eq!(limits.take(Limited::Login(None, "ben".to_owned()), 0), Ok(()));
        assert_eq!(limits.take(login(), 6_000), Ok(()));
        assert!(limits.take(login(), 6_000).is_err());
        assert_eq!(Limits::new(None).take(login(), 0), Ok(()));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_never_makes_a_bucket_larger() {
        let limits = Limits::new(Some(Rates::default()));
        let login = Limited::Login(None, "ann".to_owned());
        limits.give_back(&login);
        for _ in 0..10 {
            assert_eq!(limits.take(login.clone(), 0), Ok(()));
        }
        limits.give_back(&login);
        assert_eq!(limits.take(login.clone(), 0), Ok(()));
        assert!(limits.take(login.clone(), 0).is_err());
        for _ in 0..20 {
            limits.give_back(&login);
        }
        let taken = (0..20).filter(|_| limits.take(login.clone(), 0).is_ok()).count();
        assert_eq!(taken, 10);
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten() {
        let limits = Limits::new(Some(Rates::default()));
        let held = || limits.buckets().held.len();
        let failure = |number: u32| Limited::Failure(Some(IpAddr::from(number.to_be_bytes())));
        for number in 0..120_000 {
            assert_eq!(limits.take(failure(number), 0), Ok(()));
        }
        assert_eq!(held(), 120_000, "each of them is in use");
        for number in 0..90_000 {
            assert_eq!(limits.take(failure(number), 1_000), Ok(()));
        }
        assert!(held() <= 120_000);
        for number in 200_000..300_000 {
            assert_eq!(limits.take(failure(number), 2_000), Ok(()));
        }
        assert!(held() < 200_000, "{}", held());
    }

    #[test]
    fn buckets_are_forgotten_after_a_clock_went_back_too() {
        let limits = Limits::new(Some(Rates::default()));
        let clock = Clock::frozen_at(1_000_000_000);
        let failure = |number: u32| Limited::Failure(Some(IpAddr::from(number.to_be_bytes())));
        for number in 0..50_000 {
            assert_eq!(limits.take(failure(number), clock.now()), Ok(()));
        }
        clock.advance(-900_000_000);
        assert_eq!(limits.take(failure(50_000), clock.now()), Ok(()));
        clock.advance(60_000);
        for number in 100_000..150_000 {
            assert_eq!(limits.take(failure(number), clock.now()), Ok(()));
        }
        let held = limits.buckets().held.len();
        assert!(held <= 50_001, "{held}");
    }

    #[test]
    fn what_is_right_takes_nothing_and_gets_nothing_where_nothing_is_left() {
        let limits = Limits::new(Some(Rates::default()));
        let secret = || Limited::ClientSecret(None, "gateway".to_owned());
        for _ in 0..20 {
            assert_eq!(limits.take_unless(true, secret(), 0), Ok(()));
        }
        for _ in 0..10 {
            assert_eq!(limits.take_unless(false, secret(), 0), Ok(()));
        }
        assert_eq!(limits.take_unless(false, secret(), 0), Err(TryLater(1)));
        assert_eq!(limits.take_unless(true, secret(), 0), Err(TryLater(1)));
        assert_eq!(limits.take_unless(true, secret(), 1_000), Ok(()));
        assert_eq!(limits.take_unless(false, secret(), 1_000), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out_for_long() {
        let limits = Limits::new(Some(Rates::default()));
        for _ in 0..10 {
            assert_eq!(limits.take(Limited::Login(None, String::new()), 1_000_000), Ok(()));
        }
        assert!(limits.take(Limited::Login(None, String::new()), 0).is_err());
        assert_eq!(limits.take(Limited::Login(None, String::new()), 6_000), Ok(()));
    }
}
