//! What every state needs: options, clocks, randomness, and the way out.

use super::{revocations::Revocations, waiters::Waiters};
use crate::core::{
    clock::{Clock, Millis, Moment, Now},
    effect::{Effect, Lease, Outcome},
    entropy::Entropy,
    event::Event,
    ids::{LeaseId, ReadId, WaiterId, WriteId},
    policy::Policy,
    record::Record,
    retry,
    stats::Stats,
};

/// A clock skew below this is not reported, nor is a change by less.
const SKEW_STEP: Millis = 30_000;

#[derive(Clone, Debug)]
pub(super) struct Context<E> {
    pub(super) policy: Policy,
    pub(super) entropy: E,
    pub(super) clock: Clock,
    pub(super) stats: Stats,
    pub(super) waiters: Waiters,
    pub(super) revocations: Revocations,
    pub(super) online: bool,
    /// Continuous inputs under way, whoever is signed in.
    pub(super) holds: u32,
    /// This input is a wake-up: what it begins is begun for that reason.
    pub(super) waking: bool,
    /// What the shell was last told that requests may carry.
    pub(super) leased: Option<Lease>,
    /// Server minus local wall clock, as the last evidence showed it.
    pub(super) skew: Millis,
    /// It is that at most.
    pub(super) skew_is_bound: bool,
    /// When the last token was issued by the server's clock, and when it came.
    pub(super) last_issue: Option<(Millis, Moment)>,
    pub(super) reported_skew: Millis,
    pub(super) degraded: bool,
    /// When to write again what could not be written.
    pub(super) rewrite_at: Moment,
    /// What is to be done: while an input is handled the first thing first, then the last.
    pub(super) effects: Vec<Effect>,
    /// What observers are told after that.
    pub(super) events: Vec<Effect>,
    pub(super) last_id: u32,
    pub(super) last_lease: LeaseId,
}

impl<E: Entropy> Context<E> {
    pub(super) fn new(policy: Policy, entropy: E, now: Now) -> Self {
        Self {
            policy,
            entropy,
            clock: Clock::new(now),
            stats: Stats::default(),
            waiters: Waiters::default(),
            revocations: Revocations::default(),
            online: true,
            holds: 0,
            waking: false,
            leased: None,
            skew: 0,
            skew_is_bound: false,
            last_issue: None,
            reported_skew: 0,
            degraded: false,
            rewrite_at: Moment::NEVER,
            effects: Vec::new(),
            events: Vec::new(),
            last_id: 0,
            last_lease: LeaseId(0),
        }
    }

    pub(super) const fn now(&self) -> Moment {
        self.clock.moment()
    }

    /// Tells the other tabs of a record.
    pub(super) fn tell(&mut self, record: &Record, with_tokens: bool) {
        self.push(Effect::Broadcast(record.encode(with_tokens)));
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.events.push(Effect::Emit(event));
    }

    pub(super) fn settle(&mut self, waiter: WaiterId, outcome: Outcome) {
        self.push(Effect::Settle { waiter, outcome });
    }

    /// The input is handled. Effects first: observers are told when all is done.
    pub(super) fn seal(&mut self) {
        self.effects.append(&mut self.events);
        self.effects.reverse();
    }

    pub(super) fn poll(&mut self) -> Option<Effect> {
        self.effects.pop()
    }

    pub(super) fn is_drained(&self) -> bool {
        self.effects.is_empty()
    }

    /// How long to wait after N failures, at most `longest`; `longest` where the platform says that
    /// there is no network, which is a hint and no more.
    pub(super) fn backoff(&mut self, failures: u32, longest: Millis) -> Millis {
        if self.online { retry::backoff(failures, longest, &mut self.entropy) } else { longest }
    }

    /// A name for a ticket, attempt, read, write or revocation; never used twice.
    pub(super) const fn id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }

    pub(super) const fn lease_id(&mut self) -> LeaseId {
        self.last_lease.0 += 1;
        self.last_lease
    }

    pub(super) fn read(&mut self) -> ReadId {
        let read = ReadId(self.id());
        self.stats.storage.reads += 1;
        self.push(Effect::Read(read));
        read
    }

    pub(super) fn write(&mut self, record: &Record) -> WriteId {
        let write = WriteId(self.id());
        self.stats.storage.writes += 1;
        self.push(Effect::Write { write, record: Box::new(record.clone()) });
        write
    }

    /// Storage failed or never answered: said once, and again only after it has worked.
    pub(super) fn storage_failed(&mut self) {
        self.stats.storage.failures += 1;
        if !self.degraded {
            self.degraded = true;
            self.emit(Event::StorageDegraded);
        }
    }

    pub(super) const fn storage_works(&mut self) {
        self.degraded = false;
    }

    /// Takes a skew for the right one; tells observers when it has changed by a step.
    pub(super) fn learn_skew(&mut self, skew: Millis) {
        self.skew = skew;
        if (skew - self.reported_skew).abs() >= SKEW_STEP {
            self.reported_skew = skew;
            self.emit(Event::ClockSkew { skew });
        }
    }
}
