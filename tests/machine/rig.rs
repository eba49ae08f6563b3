//! One tab with the real machine in it; everything around it is a model. Time is virtual.
#![allow(dead_code, reason = "each test file uses its own part of the rig")]

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use everfresh::core::{
    clock::{Millis, Now},
    effect::{
        Attempt, Effect, Lease, Outcome, ReadId, RefreshRequest, RevokeId, Ticket, WaiterId,
        WriteId,
    },
    entropy::Seeded,
    error::Error,
    event::Event,
    grant::{Grant, TokenResponse},
    input::{Answer, Found, Input, Written},
    peers::Message,
    policy::Policy,
    reason::EndReason,
    record::Record,
    session::Session,
    snapshot::{Snapshot, Status},
};

/// More steps than this in one drive are a livelock.
const MAX_STEPS: u32 = 10_000;

/// 2026-01-01, in milliseconds.
pub(crate) const EPOCH: Millis = 1_767_225_600_000;

/// The storage that the tabs of one browser share, as text, as a browser keeps it.
pub(crate) type Store = Rc<RefCell<Option<String>>>;

pub(crate) struct Tab {
    pub(crate) session: Session<Seeded>,
    pub(crate) now: Now,
    pub(crate) store: Store,
    /// Refreshes that nobody has answered yet.
    pub(crate) sent: VecDeque<(Attempt, RefreshRequest)>,
    /// Every refresh request that ever left.
    pub(crate) requests: Vec<(Millis, RefreshRequest)>,
    pub(crate) aborted: Vec<Attempt>,
    pub(crate) settled: Vec<(WaiterId, Outcome)>,
    pub(crate) events: Vec<Event>,
    pub(crate) said: VecDeque<String>,
    pub(crate) revokes: Vec<RevokeId>,
    /// For each revocation, whether it is about all of the user's sessions.
    pub(crate) everywhere: Vec<bool>,
    pub(crate) lease: Option<Lease>,
    /// How often the shell was told of another lease, or that there is none.
    pub(crate) leases: u32,
    pub(crate) locks_held: u32,
    /// The request for the lock that nobody has answered yet, or that somebody else grants.
    pub(crate) ticket: Option<Ticket>,
    /// What this tab alone stores, where tabs have a place of their own.
    pub(crate) own: Option<String>,
    /// Such a place is there.
    pub(crate) own_place: bool,
    /// How often the tab was told to drop what only it stores.
    pub(crate) forgotten: u32,
    /// Locks are granted at once; else they are left waiting.
    pub(crate) grants_locks: bool,
    pub(crate) storage_works: bool,
    /// Storage answers nothing until it is told to.
    pub(crate) slow_storage: bool,
    /// What slow storage was asked for, in order.
    pub(crate) reads: VecDeque<ReadId>,
    pub(crate) writes: VecDeque<(WriteId, Record)>,
    /// Tokens stay out of storage.
    pub(crate) memory: bool,
    waiters: WaiterId,
    tokens: u32,
}

impl Tab {
    pub(crate) fn new(policy: Policy) -> Self {
        Self::with_store(policy, 1, Store::default())
    }

    pub(crate) fn with_store(policy: Policy, seed: u64, store: Store) -> Self {
        let now = Now { wall: EPOCH, monotonic: 0 };
        Self {
            session: Session::new(policy, Seeded(seed), now),
            now,
            store,
            sent: VecDeque::new(),
            requests: Vec::new(),
            aborted: Vec::new(),
            settled: Vec::new(),
            events: Vec::new(),
            said: VecDeque::new(),
            revokes: Vec::new(),
            everywhere: Vec::new(),
            lease: None,
            leases: 0,
            locks_held: 0,
            ticket: None,
            own: None,
            own_place: false,
            forgotten: 0,
            grants_locks: true,
            storage_works: true,
            slow_storage: false,
            reads: VecDeque::new(),
            writes: VecDeque::new(),
            memory: false,
            waiters: 0,
            tokens: 0,
        }
    }

    /// Signed in with a fresh five-minute token.
    pub(crate) fn signed_in(policy: Policy) -> Self {
        let mut tab = Self::new(policy);
        tab.start(300);
        tab
    }

    pub(crate) fn start(&mut self, seconds: u32) {
        let grant = self.grant(seconds);
        self.feed(Input::Start { grant, start: 1 });
    }

    /// Another tab said this.
    pub(crate) fn hear(&mut self, text: &str) {
        if let Some(message) = Message::decode(text) {
            self.feed(Input::PeerMessage(message));
        }
    }

    pub(crate) fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        let mut steps = 0;
        while let Some(input) = inputs.pop_front() {
            let stays = !matches!(input, Input::Leaving);
            steps += 1;
            assert!(steps < MAX_STEPS, "livelock: one input leads to the next without an end");
            self.session.handle(input, self.now);
            while let Some(effect) = self.session.poll() {
                inputs.extend(self.perform(effect));
            }
            let overdue =
                self.session.next_deadline().filter(|deadline| stays && deadline.after <= 0);
            assert_eq!(overdue, None, "a deadline that has passed must have been dealt with");
        }
    }

    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::SendRefresh { attempt, request } => {
                assert!(self.sent.is_empty(), "one refresh at a time");
                self.requests.push((self.now.monotonic, request.clone()));
                self.sent.push_back((attempt, request));
            }
            Effect::AbortRefresh(attempt) => {
                self.aborted.push(attempt);
                self.sent.retain(|(sent, _)| *sent != attempt);
            }
            Effect::AcquireLock(ticket) => {
                if self.grants_locks {
                    self.locks_held += 1;
                    return Some(Input::LockGranted(ticket));
                }
                self.ticket = Some(ticket);
            }
            Effect::ReleaseLock(ticket) => {
                self.locks_held = self.locks_held.saturating_sub(1);
                self.ticket = self.ticket.filter(|asked| *asked != ticket);
            }
            Effect::Read(read) if self.slow_storage => self.reads.push_back(read),
            Effect::Write { write, record } if self.slow_storage => {
                self.writes.push_back((write, *record));
            }
            Effect::Read(read) => {
                let found = self.look();
                return Some(Input::RecordRead { read, found });
            }
            Effect::Write { write, record } => {
                let written = self.write(*record);
                return Some(Input::RecordWritten { write, written });
            }
            Effect::Forget => {
                self.forgotten += 1;
                self.own = None;
            }
            Effect::Broadcast(text) => self.said.push_back(text),
            Effect::Settle { waiter, outcome } => {
                assert!(self.settled.iter().all(|(id, _)| *id != waiter), "settled once");
                self.settled.push((waiter, outcome));
            }
            Effect::Lease(lease) => {
                self.leases += 1;
                self.lease = lease;
            }
            Effect::Revoke { revoke, request } => {
                self.revokes.push(revoke);
                self.everywhere.push(request.everywhere);
            }
            Effect::Emit(event) => self.events.push(event),
        }
        None
    }

    /// Slow storage answers the read that was asked for at this place in the line.
    pub(crate) fn answer_read(&mut self, place: usize) {
        let read = self.reads.remove(place).expect("a read was asked for");
        let found = self.look();
        self.feed(Input::RecordRead { read, found });
    }

    /// Slow storage answers the write that was asked for at this place in the line.
    pub(crate) fn answer_write(&mut self, place: usize) {
        let (write, record) = self.writes.remove(place).expect("a write was asked for");
        let written = self.write(record);
        self.feed(Input::RecordWritten { write, written });
    }

    fn look(&self) -> Found {
        if !self.storage_works {
            return Found::Unavailable;
        }
        let own = self.own.as_deref().and_then(Record::decode);
        match (&*self.store.borrow(), own) {
            (None, None) => Found::Nothing,
            (None, Some(own)) => Found::Record(Box::new(own)),
            (Some(text), own) => Record::decode(text).map_or(Found::Corrupt, |mut record| {
                own.into_iter().for_each(|own| record.join(own));
                Found::Record(Box::new(record))
            }),
        }
    }

    fn write(&mut self, record: Record) -> Written {
        let joined = match self.look() {
            Found::Unavailable => return Written::Failed,
            Found::Record(mut stored) => {
                stored.join(record);
                *stored
            }
            Found::Nothing | Found::Corrupt => record,
        };
        if self.own_place {
            self.own = Some(joined.encode(true));
        }
        *self.store.borrow_mut() = Some(joined.encode(!self.memory && !self.own_place));
        Written::Stored(Box::new(joined))
    }

    /// A token set whose access token lives this long from now.
    pub(crate) fn grant(&mut self, seconds: u32) -> Grant {
        self.grant_for("ana", seconds)
    }

    pub(crate) fn grant_for(&mut self, subject: &str, seconds: u32) -> Grant {
        self.grant_saying(&format!(r#""sub":"{subject}""#), seconds)
    }

    /// A token set whose access token says this, and its times.
    pub(crate) fn grant_saying(&mut self, claims: &str, seconds: u32) -> Grant {
        self.tokens += 1;
        let iat = self.now.wall / 1_000;
        let exp = iat + i64::from(seconds);
        let claims = format!(r#"{{{claims},"iat":{iat},"exp":{exp},"jti":"{}"}}"#, self.tokens);
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        Grant::parse(TokenResponse {
            access_token: format!("{}.{}.{}", part("{}"), part(&claims), part("signature")),
            refresh_token: Some(format!("refresh-{}", self.tokens)),
            expires_in: Some(f64::from(seconds)),
            ..TokenResponse::default()
        })
        .expect("a good grant")
    }

    /// Lets time pass, waking the machine whenever it wants to be woken.
    pub(crate) fn advance(&mut self, seconds: f64) {
        let end = self.now.monotonic + (seconds * 1_000.0) as Millis;
        for _ in 0..MAX_STEPS {
            let wait = self.session.next_deadline().map(|deadline| deadline.after);
            let wait = wait.unwrap_or(Millis::MAX).min(end - self.now.monotonic);
            self.pass(wait);
            if self.now.monotonic >= end {
                return self.feed(Input::TimerFired);
            }
            self.feed(Input::TimerFired);
        }
        panic!("livelock: {MAX_STEPS} wake-ups without an end");
    }

    /// Lets time pass until a refresh is sent.
    pub(crate) fn advance_to_refresh(&mut self) {
        for _ in 0..MAX_STEPS {
            if !self.sent.is_empty() {
                return;
            }
            let deadline = self.session.next_deadline().expect("a refresh is scheduled");
            self.pass(deadline.after);
            self.feed(Input::TimerFired);
        }
        panic!("livelock: {MAX_STEPS} wake-ups without a refresh");
    }

    /// Both clocks move, and the machine is not told.
    pub(crate) fn pass(&mut self, millis: Millis) {
        self.now.monotonic += millis;
        self.now.wall += millis;
    }

    /// The device sleeps: only the wall clock moves.
    pub(crate) fn sleep(&mut self, seconds: i64) {
        self.now.wall += seconds * 1_000;
    }

    pub(crate) fn answer(&mut self, answer: Answer) {
        let (attempt, _) = self.sent.pop_front().expect("a refresh was sent");
        self.feed(Input::RefreshAnswered { attempt, answer });
    }

    pub(crate) fn answer_granted(&mut self, seconds: u32) {
        let grant = self.grant(seconds);
        self.answer(Answer::Granted(grant));
    }

    pub(crate) fn answer_status(&mut self, status: u16, error: &str, error_code: &str) {
        self.answer(Answer::Refused {
            status,
            error: error.to_owned(),
            error_code: error_code.to_owned(),
            retry_after: None,
        });
    }

    pub(crate) fn waiter(&mut self) -> WaiterId {
        self.waiters += 1;
        self.waiters
    }

    pub(crate) fn want_token(&mut self) -> WaiterId {
        let waiter = self.waiter();
        self.feed(Input::TokenWanted { waiter, min_validity: 0 });
        waiter
    }

    pub(crate) fn want_refresh(&mut self) -> WaiterId {
        let waiter = self.waiter();
        self.feed(Input::RefreshWanted { waiter });
        waiter
    }

    pub(crate) fn unauthorized(&mut self, lease: u32) -> WaiterId {
        let waiter = self.waiter();
        self.feed(Input::Unauthorized { waiter: Some(waiter), lease });
        waiter
    }

    pub(crate) fn outcome(&self, waiter: WaiterId) -> Option<&Outcome> {
        self.settled.iter().find(|(id, _)| *id == waiter).map(|(_, outcome)| outcome)
    }

    pub(crate) fn failed_with(&self, waiter: WaiterId) -> Option<Error> {
        match self.outcome(waiter) {
            Some(Outcome::Failed(error)) => Some(*error),
            _ => None,
        }
    }

    pub(crate) fn lease_id(&self) -> u32 {
        self.lease.as_ref().expect("a lease").id
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.session.snapshot()
    }

    pub(crate) fn status(&self) -> Status {
        self.snapshot().status
    }

    pub(crate) fn ended(&self) -> Option<EndReason> {
        self.snapshot().reason
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.events.iter().filter(|event| event.kind() == kind).count()
    }
}
