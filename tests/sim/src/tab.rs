//! One tab: the engine, and what it is waiting for.

use std::collections::HashMap;

use everfresh::{
    core::{
        clock::{Millis, Now},
        effect::Lease,
        entropy::Seeded,
        ids::{Attempt, LeaseId, WaiterId},
        reason::EndReason,
        session::Session,
        snapshot::{Snapshot, Status},
        stats::Refreshes,
    },
    engine::{Engine, Settings, virtual_host::VirtualHost},
};

use crate::{
    browser::{Shelf, TabId},
    world::Event,
};

/// What runs in every tab.
pub(crate) type TabEngine = Engine<VirtualHost<Seeded, Shelf>>;

/// A tab, running or not.
#[derive(Debug)]
pub struct Tab {
    pub(crate) id: TabId,
    pub(crate) engine: TabEngine,
    /// When its page was loaded, and how much of the time since its monotonic clock missed.
    pub(crate) loaded_at: Millis,
    /// The same in felt time; for a page that could not read storage, when it gave that up.
    pub(crate) loaded_felt: Millis,
    /// Whether it looked for the session without storage.
    pub(crate) is_blind: bool,
    pub(crate) missed: Millis,
    pub(crate) running: Running,
    pub(crate) hidden: bool,
    /// Until when it was hidden or frozen.
    pub(crate) held_back_at: Millis,
    pub(crate) lease: Option<Lease>,
    /// The access token that observers know of, and its generation.
    pub(crate) token: Option<String>,
    pub(crate) generation: i64,
    /// The generations that it went through at once, and observers have still to be told of.
    pub(crate) untold: i64,
    /// The last access token that the application's server refused.
    pub(crate) denied: Option<String>,
    /// What observers were last told of its end and of its token.
    pub(crate) warned: Option<(EndReason, Millis)>,
    pub(crate) stale: bool,
    /// Since when it was seen without the token that it should have.
    pub(crate) lacks_since: Option<Millis>,
    /// Input that came while storage was being asked whether the session is over, in felt time.
    pub(crate) undecided_input: Option<Millis>,
    /// Something counts as input all the time.
    pub(crate) held: bool,
    /// The refresh that it waits for.
    pub(crate) attempt: Option<Attempt>,
    pub(crate) calls: HashMap<WaiterId, Call>,
    /// What came for it while it stood still.
    pub(crate) parked: Vec<Event>,
    pub(crate) overdue: bool,
    /// How often it has asked what storage holds, and when it last did.
    pub(crate) reads: u32,
    pub(crate) read_at: Millis,
    /// The refreshes that it has begun, by reason, when it sent the last one; and whether the
    /// application had asked for that.
    pub(crate) begun: Refreshes,
    pub(crate) asked_for: bool,
    last_waiter: WaiterId,
    /// Between a `started` and a `signed-out` event.
    pub(crate) signed_in: bool,
    /// Its page was told of a session, by storage or another tab, or by the user who signed in there.
    pub(crate) told: bool,
    /// What would have told it was lost or came late.
    pub(crate) missed_news: bool,
}

/// Whether the page's code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Running {
    Yes,
    Frozen,
    Gone,
}

/// Somebody who waits for the machine.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) what: What,
    pub(crate) asked_at: Millis,
}

/// For what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A request of the application, made as this user.
    Request {
        user: Option<String>,
        resent: bool,
    },
    Refresh,
    Restore,
    SignOut,
}

impl Tab {
    pub(crate) fn new(
        shelf: Shelf,
        settings: Settings,
        seed: u64,
        wall: Millis,
        now: Millis,
    ) -> Self {
        let clocks = Now { wall, monotonic: 0 };
        Self {
            id: shelf.tab,
            engine: Engine::new(VirtualHost::with_places(clocks, shelf), Seeded(seed), settings),
            loaded_at: now,
            loaded_felt: now,
            is_blind: false,
            missed: 0,
            running: Running::Yes,
            hidden: false,
            held_back_at: -1,
            lease: None,
            token: None,
            generation: 0,
            untold: 0,
            denied: None,
            warned: None,
            stale: false,
            lacks_since: None,
            undecided_input: None,
            held: false,
            attempt: None,
            calls: HashMap::new(),
            parked: Vec::new(),
            overdue: false,
            reads: 0,
            read_at: now,
            begun: Refreshes::default(),
            asked_for: false,
            last_waiter: WaiterId(0),
            signed_in: false,
            told: false,
            missed_news: false,
        }
    }

    pub(crate) const fn clocks(&self, now: Millis, wall: Millis) -> Now {
        Now { wall, monotonic: now - self.loaded_at - self.missed }
    }

    pub(crate) fn call(&mut self, what: What, now: Millis) -> WaiterId {
        self.last_waiter.0 += 1;
        self.calls.insert(self.last_waiter, Call { what, asked_at: now });
        self.last_waiter
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running == Running::Yes
    }

    pub(crate) fn status(&self) -> Status {
        self.engine.session(Session::status)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.engine.snapshot()
    }

    /// The access token in use, valid or not.
    pub(crate) fn access_token(&self) -> Option<String> {
        self.engine.session(|session| session.access_token().map(str::to_owned))
    }

    /// Whether that is its access token.
    pub(crate) fn has_token(&self, token: Option<&str>) -> bool {
        self.engine.session(|session| session.access_token() == token)
    }

    pub(crate) fn is_live(&self) -> bool {
        matches!(self.status(), Status::Active | Status::Stale | Status::Warning)
    }

    /// The token that a request may carry without asking, as the fetch wrapper would see it.
    pub(crate) fn unasked(&self, wall: Millis) -> Option<(LeaseId, String)> {
        let lease = self.lease.as_ref()?;
        (lease.from <= wall && wall < lease.until).then(|| (lease.id, lease.access_token.clone()))
    }
}
