//! How much of one thing one party may do: token buckets on the server's clock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::config::{Rate, Rates};
use crate::error::ApiError;
use crate::rotation::{Millis, SessionId};

/// All buckets. Without any it lets everything pass.
#[derive(Debug)]
pub struct Limits {
    rates: Option<Rates>,
    buckets: Mutex<HashMap<Limited, Bucket>>,
}

impl Limits {
    pub(crate) fn new(rates: Option<Rates>) -> Self {
        Self { rates, buckets: Mutex::default() }
    }

    /// Takes one from a bucket, or says when to come again.
    pub(crate) fn take(&self, what: Limited, now: Millis) -> Result<(), ApiError> {
        self.draw(what, now, 1.0)
    }

    /// Only looks whether there is one left.
    pub(crate) fn check(&self, what: Limited, now: Millis) -> Result<(), ApiError> {
        self.draw(what, now, 0.0)
    }

    fn draw(&self, what: Limited, now: Millis, amount: f64) -> Result<(), ApiError> {
        let Some(rates) = &self.rates else { return Ok(()) };
        let rate = what.rate(rates);
        let mut buckets = self.buckets();
        if buckets.len() >= MANY {
            buckets.retain(|what, bucket| {
                let rate = what.rate(rates);
                bucket.level(rate, now) < rate.burst
            });
        }
        let bucket = buckets.entry(what).or_insert(Bucket { level: rate.burst, at: now });
        *bucket = Bucket { level: bucket.level(rate, now), at: now };
        if bucket.level < 1.0 {
            let missing = (1.0 - bucket.level) * rate.millis_each / 1_000.0;
            return Err(ApiError::TooManyRequests((missing.ceil() as u64).max(1)));
        }
        bucket.level -= amount;
        Ok(())
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<Limited, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is limited, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// Sign-ins as a user from an address: guessing passwords.
    Login(Option<IpAddr>, String),
    /// Refreshes of a session: a client that has gone wild.
    Refresh(SessionId),
    /// Questions of a service.
    Introspection(String),
    /// Forged tokens and failed sign-ins from an address.
    Failure(Option<IpAddr>),
}

impl Limited {
    fn rate(&self, rates: &Rates) -> Rate {
        match self {
            Self::Login(..) => rates.login,
            Self::Refresh(_) => rates.refresh,
            Self::Introspection(_) => rates.introspection,
            Self::Failure(_) => rates.failure,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: f64,
    at: Millis,
}

impl Bucket {
    fn level(&self, rate: Rate, now: Millis) -> f64 {
        let refilled = now.saturating_sub(self.at) as f64 / rate.millis_each;
        (self.level + refilled).min(rate.burst)
    }
}

/// From here on full buckets are thrown away before another is made.
const MANY: usize = 50_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_refills() {
        let limits = Limits::new(Some(Rates::default()));
        let login = || Limited::Login(None, "ann".to_owned());
        for _ in 0..10 {
            assert_eq!(limits.take(login(), 0), Ok(()));
        }
        assert_eq!(limits.take(login(), 0), Err(ApiError::TooManyRequests(6)));
        assert_eq!(limits.check(login(), 5_999), Err(ApiError::TooManyRequests(1)));
        assert_eq!(limits.take(Limited::Login(None, "ben".to_owned()), 0), Ok(()));
        assert_eq!(limits.take(login(), 6_000), Ok(()));
        assert!(limits.take(login(), 6_000).is_err());
        assert_eq!(Limits::new(None).take(login(), 0), Ok(()));
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
