//! What the clients of a fleet sent and lost, added up.

use everfresh::core::clock::Millis;

use crate::scenario::{Course, Trouble};

/// Steps of time in one lifetime of an access token.
pub const STEPS: i64 = 30;

/// The sum over many clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// How long one step is.
    step: Millis,
    /// Refreshes that reached the token service, or were sent to where it should be, by step.
    pub refreshes: Vec<u64>,
    /// Clients that got back what they lacked since the trouble, by step.
    pub recovered: Vec<u64>,
    /// Requests of the applications.
    pub requests: u64,
    /// Those that failed for want of a token, or with one that is refused.
    pub lost: u64,
    /// Sessions that ended, or that nothing but a new sign-in would bring back.
    pub sign_outs: u64,
}

impl Load {
    /// Nothing yet, from 0 to `end`.
    #[must_use]
    pub fn new(lifetime: Millis, end: Millis) -> Self {
        let step = lifetime / STEPS;
        let steps = vec![0; (end / step + 1).unsigned_abs() as usize];
        Self { step, refreshes: steps.clone(), recovered: steps, ..Self::default() }
    }

    /// A refresh was sent.
    pub fn refresh(&mut self, at: Millis) {
        let step = self.at(at);
        self.refreshes[step] += 1;
    }

    /// A client has what it lacked.
    pub fn recover(&mut self, at: Millis) {
        let step = self.at(at);
        self.recovered[step] += 1;
    }

    /// The step of a time.
    #[must_use]
    pub fn at(&self, at: Millis) -> usize {
        ((at / self.step).unsigned_abs() as usize).min(self.refreshes.len() - 1)
    }

    /// Adds another client's, or fleet's.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in
            [(&mut self.refreshes, &other.refreshes), (&mut self.recovered, &other.recovered)]
        {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        self.requests += other.requests;
        self.lost += other.lost;
        self.sign_outs += other.sign_outs;
    }
}

/// The access token that a client got last.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// When it was issued.
    pub issued: Millis,
    /// Another one has come since the trouble was over.
    recovered: bool,
}

impl Token {
    /// One that was issued then.
    #[must_use]
    pub const fn issued(issued: Millis) -> Self {
        Self { issued, recovered: false }
    }

    /// Whether requests may carry it.
    #[must_use]
    pub fn is_good(&self, at: Millis, course: &Course) -> bool {
        at < self.issued + course.lifetime && course.accepts(self.issued, at)
    }

    /// A new one has come.
    pub fn renew(&mut self, at: Millis, course: &Course, load: &mut Load) {
        let over = course.scenario.trouble != Trouble::None && at >= course.until;
        if over && !self.recovered {
            self.recovered = true;
            if !self.is_good(at, course) {
                load.recover(at);
            }
        }
        self.issued = at;
    }
}
