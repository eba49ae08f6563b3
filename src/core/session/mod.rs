//! The session machine.

use super::{
    clock::Now,
    effect::{Deadline, Effect},
    entropy::Entropy,
    input::Input,
    policy::Policy,
    snapshot::Snapshot,
    stats::Stats,
};

/// One session as one tab sees it. See the crate's documentation for the calling contract.
#[derive(Debug)]
pub struct Session<E> {
    entropy: E,
    policy: Policy,
    stats: Stats,
}

impl<E: Entropy> Session<E> {
    /// A session in state `unknown`. Nothing happens before the first input.
    pub fn new(policy: Policy, entropy: E, _now: Now) -> Self {
        Self { entropy, policy, stats: Stats::default() }
    }
    /// Takes one input in. Drain `poll` before the next.
    pub fn handle(&mut self, _input: Input, _now: Now) {}
    /// The next thing to do, until there is none.
    pub fn poll(&mut self) -> Option<Effect> {
        None
    }
    /// When to call again with `TimerFired` if nothing else happens before.
    pub fn next_deadline(&self) -> Option<Deadline> {
        None
    }
    /// How it looks now. Equal as long as nothing changed.
    pub fn snapshot(&self) -> Snapshot {
        todo!()
    }
    /// The counters.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
    /// The payload of the current access token: JSON text, absent for opaque tokens.
    pub fn claims(&self) -> Option<&str> {
        None
    }
    /// Newer options win; times already running keep running.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }
}
