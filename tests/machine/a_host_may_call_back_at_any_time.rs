//! A platform calls the engine in the middle of its work: from a listener, a getter, a lock that is
//! granted at once. What it says is dealt with before the call that led to it returns.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap, VecDeque},
    rc::{Rc, Weak},
    sync::Arc,
};

use everfresh::{
    core::{
        clock::{Millis, Now},
        effect::{Lease, Outcome, RefreshRequest},
        entropy::Seeded,
        grant::TokenResponse,
        ids::{Attempt, LeaseId, Ticket, WaiterId},
        input::Input,
        snapshot::{Snapshot, Status},
    },
    engine::{
        Engine, Settings,
        endpoint::{Endpoint, Exchange, Request, Style},
        host::{Host, Line, Load, Loaded, Notice, Place, Store},
        native::NativeFormats,
        records::Storage,
    },
};

use crate::{
    rig::EPOCH,
    wire::{called, granted, jwt, refusal},
};

/// All methods of a host.
const METHODS: [&str; 19] = [
    "now",
    "wake_after",
    "load",
    "store",
    "remove",
    "set_aside",
    "request_lock",
    "release_lock",
    "broadcast",
    "send",
    "call",
    "abort",
    "lead",
    "settle",
    "lease",
    "show",
    "notify",
    "log",
    "close",
];

type Call = fn(&Engine<Caller>);

/// What a host may say at any time.
const CALLS: [(&str, Call); 10] = [
    ("asks", |_| {}),
    ("feeds", |engine| engine.feed(Input::Activity)),
    ("wakes", Engine::wake),
    ("hears", |engine| engine.heard("everfresh 1 ask")),
    ("has another record", Engine::record_changed),
    ("starts", |engine| start(engine, "again")),
    ("adopts", |engine| {
        engine.adopt(tokens("header", 600).access_token, LeaseId(1)).expect("a good token");
    }),
    ("is configured", |engine| engine.configure(Settings::default())),
    ("gives up", |engine| engine.abandon(|waiter| *waiter == 0)),
    ("disposes", |engine| engine.feed(Input::Dispose)),
];

/// A host that calls back, once for each life, from one of its methods.
struct Caller {
    engine: RefCell<Weak<Engine<Self>>>,
    from: &'static str,
    call: Call,
    has_called: Cell<bool>,
    /// Storage answers at once.
    is_quick: bool,
    seen: RefCell<BTreeSet<&'static str>>,
    texts: RefCell<HashMap<Place, String>>,
    todo: RefCell<VecDeque<Todo>>,
    lease: Cell<LeaseId>,
    asked: Cell<u32>,
    /// The waiter that needs nothing but a token that is there.
    at_once: Cell<Option<u32>>,
    settled: RefCell<BTreeSet<u32>>,
}

enum Todo {
    Load(Load),
    Store(Store, String),
    Send(Exchange),
    Call(Attempt),
}

impl Caller {
    fn on(&self, method: &'static str) {
        self.seen.borrow_mut().insert(method);
        let engine = self.engine.borrow().upgrade();
        if let Some(engine) = engine.filter(|_| method == self.from && !self.has_called.get()) {
            self.has_called.set(true);
            (self.call)(&engine);
            self.ask(&engine, |waiter| Input::TokenWanted { waiter, min_validity: 0 });
            let is_active = engine.snapshot().status == Status::Active;
            self.at_once.set(is_active.then(|| self.asked.get()));
            let _ = (engine.snapshot(), engine.stats(), engine.is_closed());
        }
    }

    fn ask(&self, engine: &Engine<Self>, input: impl FnOnce(WaiterId) -> Input) {
        self.asked.set(self.asked.get() + 1);
        engine.ask(self.asked.get(), input);
    }

    fn look(&self, place: Place) -> Loaded {
        self.texts.borrow().get(&place).cloned().map_or(Loaded::Nothing, Loaded::Text)
    }

    fn keep(&self, place: Place, text: &str) {
        self.texts.borrow_mut().insert(place, text.to_owned());
    }

    fn later(&self, todo: Todo) {
        self.todo.borrow_mut().push_back(todo);
    }
}

impl Host for Caller {
    type Formats = NativeFormats;
    type Entropy = Seeded;
    type Waiter = u32;

    fn now(&self) -> Now {
        self.on("now");
        Now { wall: EPOCH, monotonic: 0 }
    }

    fn wake_after(&self, _delay: Option<Millis>) {
        self.on("wake_after");
    }

    fn load(&self, load: Load) -> Option<Loaded> {
        self.on("load");
        if !self.is_quick {
            self.later(Todo::Load(load));
        }
        self.is_quick.then(|| self.look(load.place))
    }

    fn store(&self, store: Store, text: &str) -> Option<bool> {
        self.on("store");
        match self.is_quick {
            true => self.keep(store.place, text),
            false => self.later(Todo::Store(store, text.to_owned())),
        }
        self.is_quick.then_some(true)
    }

    fn remove(&self, place: Place) {
        self.on("remove");
        self.texts.borrow_mut().remove(&place);
    }

    fn set_aside(&self, _place: Place, _text: &str) {
        self.on("set_aside");
    }

    fn request_lock(&self, ticket: Ticket) {
        self.on("request_lock");
        let engine = self.engine.borrow().upgrade();
        engine.expect("an engine").feed(Input::LockGranted(ticket));
    }

    fn release_lock(&self, _ticket: Ticket) {
        self.on("release_lock");
    }

    fn broadcast(&self, _text: &str) {
        self.on("broadcast");
    }

    fn send(&self, exchange: Exchange, _request: Request) {
        self.on("send");
        self.later(Todo::Send(exchange));
    }

    fn call(&self, attempt: Attempt, _request: RefreshRequest) {
        self.on("call");
        self.later(Todo::Call(attempt));
    }

    fn abort(&self, _attempt: Attempt) {
        self.on("abort");
    }

    fn lead(&self, _claims: Option<&Arc<serde_json::Value>>) -> Option<Millis> {
        self.on("lead");
        None
    }

    fn settle(&self, waiter: u32, _outcome: Outcome) {
        assert!(self.settled.borrow_mut().insert(waiter), "settled once");
        self.on("settle");
    }

    fn lease(&self, lease: Option<Lease>) {
        self.lease.set(lease.map_or(LeaseId(0), |lease| lease.id));
        self.on("lease");
    }

    fn show(&self, _snapshot: &Snapshot, _claims: Option<&Arc<serde_json::Value>>) {
        self.on("show");
    }

    fn notify(&self, _notice: &Notice) {
        self.on("notify");
    }

    fn log(&self, _line: Line) {
        self.on("log");
    }

    fn close(&self) {
        self.on("close");
    }
}

fn tokens(id: &str, seconds: i64) -> TokenResponse {
    let (iat, exp) = (EPOCH / 1_000, EPOCH / 1_000 + seconds);
    let claims = format!(r#"{{"sub":"ana","iat":{iat},"exp":{exp},"jti":"{id}"}}"#);
    TokenResponse {
        access_token: jwt(&claims),
        refresh_token: Some(id.to_owned()),
        ..TokenResponse::default()
    }
}

fn start(engine: &Engine<Caller>, id: &str) {
    engine.start(tokens(id, 300)).expect("good tokens");
}

/// A host, its engine, and the name of what it does, for a failure to tell.
struct Life {
    engine: Rc<Engine<Caller>>,
    name: String,
}

impl Life {
    fn new(from: &'static str, (does, call): (&str, Call), style: Style, is_quick: bool) -> Self {
        let caller = Caller {
            engine: RefCell::default(),
            from,
            call,
            has_called: Cell::new(false),
            is_quick,
            seen: RefCell::default(),
            texts: RefCell::default(),
            todo: RefCell::default(),
            lease: Cell::new(LeaseId(0)),
            asked: Cell::new(0),
            at_once: Cell::new(None),
            settled: RefCell::default(),
        };
        let endpoint = Endpoint { style, ..Endpoint::default() };
        let settings = Settings { endpoint, storage: Storage::Session, ..Settings::default() };
        let engine = Rc::new(Engine::new(caller, Seeded(7), settings));
        *engine.host.engine.borrow_mut() = Rc::downgrade(&engine);
        Self { engine, name: format!("{from} {does}, {style:?}, quick: {is_quick}") }
    }

    /// Calls the engine and answers its questions.
    fn run(&self, act: impl FnOnce(&Engine<Caller>)) {
        act(&self.engine);
        let host = &self.engine.host;
        let heard =
            host.at_once.take().is_none_or(|at_once| host.settled.borrow().contains(&at_once));
        assert!(heard, "dealt with before the call returns: {}", self.name);
        loop {
            let todo = self.engine.host.todo.borrow_mut().pop_front();
            match todo {
                Some(Todo::Load(load)) => {
                    self.engine.loaded(load, self.engine.host.look(load.place));
                }
                Some(Todo::Store(store, text)) => {
                    self.engine.host.keep(store.place, &text);
                    self.engine.stored(store, true);
                }
                Some(Todo::Send(exchange)) => {
                    self.engine.responded(exchange, granted(&tokens("sent", 300)));
                }
                Some(Todo::Call(attempt)) => {
                    self.engine.called(attempt, called(granted(&tokens("called", 300))));
                }
                None => break,
            }
        }
        let (asked, settled) = (self.engine.host.asked.get(), &self.engine.host.settled);
        assert_eq!(settled.borrow().len(), asked as usize, "all are settled: {}", self.name);
    }

    /// One of everything that happens to a session.
    fn live(&self) {
        let ask = |input: fn(WaiterId) -> Input| {
            move |engine: &Engine<Caller>| engine.host.ask(engine, input)
        };
        self.run(ask(|waiter| Input::Restore { waiter }));
        self.run(|engine| start(engine, "first"));
        self.run(ask(|waiter| Input::RefreshWanted { waiter }));
        let lease = self.engine.host.lease.get();
        self.run(|engine| {
            engine.host.ask(engine, |waiter| Input::Unauthorized { waiter: Some(waiter), lease });
        });
        self.run(|engine| engine.heard("everfresh 1 ask"));
        self.engine.host.keep(Place::Local, "?");
        self.run(Engine::record_changed);
        // A refusal of a refresh that nobody asked for is still told.
        self.run(|engine| engine.responded(Exchange::Refresh(Attempt(99)), refusal(503, "", "")));
        self.run(|engine| {
            engine.host.ask(engine, |waiter| Input::RefreshWanted { waiter });
            engine.host.ask(engine, |waiter| Input::SignOut { waiter, everywhere: true });
        });
        self.run(|engine| start(engine, "second"));
        self.run(|engine| engine.feed(Input::Cancel(None)));
        self.run(|engine| engine.feed(Input::Dispose));
        self.run(ask(|waiter| Input::RefreshWanted { waiter }));
    }
}

#[test]
fn from_every_method_with_every_call_nothing_is_swallowed() {
    let mut seen = BTreeSet::new();
    for from in METHODS {
        for call in CALLS {
            let mut called = false;
            for style in [Style::OAuth2, Style::Function] {
                for is_quick in [true, false] {
                    let life = Life::new(from, call, style, is_quick);
                    life.live();
                    let host = &life.engine.host;
                    called |= host.has_called.get();
                    seen.append(&mut host.seen.borrow_mut());
                }
            }
            assert!(called, "{from} {}", call.0);
        }
    }
    assert_eq!(seen.len(), METHODS.len(), "each was called");
}
