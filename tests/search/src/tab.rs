//! One tab: the real machine, and what it waits for.

use std::{
    cell::Cell,
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use everfresh::{
    core::{
        clock::{Millis, Now},
        entropy::Entropy,
        ids::{Attempt, LeaseId, RevokeId, Ticket, WaiterId},
        session::Session,
        snapshot::{Snapshot, Status},
    },
    engine::{
        Engine,
        canonical::Kind,
        host::Load,
        virtual_host::{VirtualHost, Want},
    },
};

use crate::{
    server::{EPOCH, Reply, Request},
    setup::{Deed, Setup},
};

/// What runs in every tab.
pub(crate) type TabEngine = Engine<VirtualHost<Drawn>>;

/// A tab, running or not.
#[derive(Debug)]
pub struct Tab {
    /// Shared by the cores that go on from the same state, and never waited for for long.
    engine: Mutex<TabEngine>,
    /// How often its page was loaded.
    pub(crate) loads: u8,
    pub(crate) frozen: bool,
    /// The lock that it asked for or holds.
    pub(crate) ticket: Option<Ticket>,
    /// What it asked of storage; answered in this order.
    pub(crate) storage: VecDeque<Errand>,
    /// Storage will fail the next time.
    pub(crate) storage_fails: bool,
    pub(crate) flight: Option<Flight>,
    pub(crate) belated: Option<Belated>,
    pub(crate) revokes: Vec<Revoke>,
    pub(crate) calls: Vec<Call>,
    /// What its requests may carry.
    pub(crate) lease: Option<LeaseId>,
    /// Between a `started` and a `signed-out` event.
    pub(crate) signed_in: bool,
    /// The hash of all this.
    pub(crate) print: u64,
}

/// What a tab asked of storage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Errand {
    /// Waits for an answer.
    Load(Load),
    /// A text that is still on its way, though the tab was told that it is stored.
    Store(Arc<str>),
}

/// A refresh that the tab waits for.
#[derive(Clone, Debug, Hash)]
pub struct Flight {
    pub(crate) attempt: Attempt,
    pub(crate) stage: Stage,
}

/// How far it has come.
#[derive(Clone, Debug, Hash)]
pub enum Stage {
    /// On the way to the server.
    Asked(Request),
    /// On the way back.
    Answered(Reply),
    /// Nothing will come.
    Lost,
}

/// The server's answer to an attempt that the tab has given up. It may come at any later moment, or
/// never.
#[derive(Clone, Debug, Hash)]
pub struct Belated {
    pub(crate) attempt: Attempt,
    pub(crate) reply: Reply,
}

/// A revocation under way.
#[derive(Clone, Debug, Hash)]
pub struct Revoke {
    pub(crate) id: RevokeId,
    /// The server has heard it.
    pub(crate) heard: bool,
}

/// Somebody who waits for the machine.
#[derive(Clone, Debug, Hash)]
pub struct Call {
    pub(crate) waiter: WaiterId,
    pub(crate) what: What,
    pub(crate) until: Millis,
}

/// For what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// To know whether anybody is signed in.
    Restore,
    /// The outcome of a deed.
    Deed(Deed),
}

impl Tab {
    pub(crate) fn new(loads: u8, now: Millis, setup: &Setup) -> Self {
        Self {
            engine: Mutex::new(Engine::new(VirtualHost::new(clocks(now)), Drawn, setup.settings())),
            loads,
            frozen: false,
            ticket: None,
            storage: VecDeque::new(),
            storage_fails: false,
            flight: None,
            belated: None,
            revokes: Vec::new(),
            calls: Vec::new(),
            lease: None,
            signed_in: false,
            print: 0,
        }
    }

    /// The engine does something at this time.
    pub(crate) fn turn(
        &mut self,
        id: usize,
        now: Millis,
        repeat: bool,
        act: impl FnOnce(&TabEngine),
    ) {
        let moment = if repeat { 0 } else { now };
        draw_from((id, self.loads, moment, if repeat { 0 } else { self.generation() }));
        let engine = self.engine.get_mut().unwrap_or_else(PoisonError::into_inner);
        engine.host.set_now(clocks(now));
        act(engine);
    }

    /// What the engine wants done next.
    pub(crate) fn next_want(&self) -> Option<Want> {
        self.engine().host.next()
    }

    fn engine(&self) -> MutexGuard<'_, TabEngine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A caller begins to wait.
    pub(crate) fn call(&mut self, what: What, now: Millis) -> WaiterId {
        let taken = |id: &WaiterId| self.calls.iter().any(|call| call.waiter == *id);
        let waiter = (1..).map(WaiterId).find(|id| !taken(id)).unwrap_or(WaiterId(1));
        let policy = Setup::policy();
        let bound = match what {
            What::Deed(Deed::SignOut) => policy.timeout,
            _ => policy.wait.unwrap_or(0),
        };
        self.calls.push(Call { waiter, what, until: now + bound });
        waiter
    }

    /// When its timer is to fire.
    pub(crate) fn alarm(&self) -> Option<Millis> {
        self.engine().session(Session::next_deadline).map(|deadline| deadline.at.0)
    }

    pub(crate) fn generation(&self) -> i64 {
        self.snapshot().generation
    }

    pub(crate) fn status(&self) -> Status {
        self.engine().session(Session::status)
    }

    fn snapshot(&self) -> Snapshot {
        self.engine().snapshot()
    }

    /// The machine waits to hear what storage holds.
    pub(crate) fn is_reading(&self) -> bool {
        self.engine().is_reading()
    }

    pub(crate) fn over(&self) -> bool {
        self.status() == Status::SignedOut
    }

    /// Holds a token that is still good by its own clock.
    pub(crate) fn has_valid_token(&self, now: Millis) -> bool {
        self.snapshot().expires_at.is_some_and(|at| at > EPOCH + now)
    }

    /// How it looks, in a few words.
    pub(crate) fn line(&self) -> String {
        let picture = self.snapshot();
        let frozen = if self.frozen { " frozen" } else { "" };
        let reason = picture.reason.map_or("", |reason| reason.as_str());
        format!("{} {} {reason}{frozen}", picture.status.as_str(), picture.generation)
    }

    /// Renames everything that is under way in the order in which it stands, and takes the hash.
    pub(crate) fn tidy(&mut self) {
        let mut names: Vec<(Kind, u32)> = Vec::new();
        let mut rename = |kind: Kind, old: u32| {
            let at = names.iter().position(|name| *name == (kind, old)).unwrap_or_else(|| {
                names.push((kind, old));
                names.len() - 1
            });
            at as u32 + 1
        };
        for errand in &mut self.storage {
            if let Errand::Load(load) = errand {
                load.id = rename(Kind::Storage, load.id);
            }
        }
        if let Some(ticket) = &mut self.ticket {
            ticket.0 = rename(Kind::Machine, ticket.0);
        }
        if let Some(flight) = &mut self.flight {
            flight.attempt.0 = rename(Kind::Machine, flight.attempt.0);
        }
        if let Some(belated) = &mut self.belated {
            belated.attempt.0 = rename(Kind::Machine, belated.attempt.0);
        }
        for revoke in &mut self.revokes {
            revoke.id.0 = rename(Kind::Machine, revoke.id.0);
        }
        // The engine may remember more than is under way, but not more than this.
        let last = MOST_NAMES;
        let engine = self.engine.get_mut().unwrap_or_else(PoisonError::into_inner);
        engine.rename(last, &mut rename);
        let mut hasher = DefaultHasher::new();
        engine.hash(&mut hasher);
        assert!(names.len() <= last as usize, "too many names for one tab");
        (self.loads, self.frozen, self.ticket, &self.storage).hash(&mut hasher);
        (&self.flight, &self.belated, &self.revokes, &self.calls).hash(&mut hasher);
        (self.lease, self.signed_in, self.storage_fails).hash(&mut hasher);
        self.print = hasher.finish();
    }
}

impl Clone for Tab {
    fn clone(&self) -> Self {
        Self {
            engine: Mutex::new(self.engine().clone()),
            ticket: self.ticket,
            storage: self.storage.clone(),
            flight: self.flight.clone(),
            belated: self.belated.clone(),
            revokes: self.revokes.clone(),
            calls: self.calls.clone(),
            ..*self
        }
    }
}

/// More than one tab ever has under way.
const MOST_NAMES: u32 = 64;

pub(crate) const fn clocks(now: Millis) -> Now {
    Now { wall: EPOCH + now, monotonic: now }
}

/// Randomness that follows from where and when it is drawn, so that states that are alike stay
/// alike. Its high half is the same for all draws of a tab: waits are a fixed part of their bound,
/// while rotation keys, which use every bit, differ.
#[derive(Clone, Debug, Hash)]
pub struct Drawn;

thread_local! {
    static SOURCE: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

fn draw_from(place: (usize, u8, Millis, i64)) {
    let mut hasher = DefaultHasher::new();
    place.hash(&mut hasher);
    let part = [0x4000_0000, 0xc000_0000, 0x8000_0000_u64][place.0 % 3];
    SOURCE.set((hasher.finish(), part << 32));
}

impl Entropy for Drawn {
    fn next(&mut self) -> u64 {
        let (seed, part) = SOURCE.get();
        let seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        SOURCE.set((seed, part));
        part | (seed >> 32)
    }
}
