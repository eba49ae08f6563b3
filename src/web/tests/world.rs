//! A platform for sessions: clocks, storage, locks, channels and a server, all of the test's own.

use core::time::Duration;

use js_sys::{Array, Function};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Request;

use super::{
    call, function,
    stub::{Clock, Stub},
};
use crate::web::{Options, Session, Tokens, js::get};

pub(super) struct World {
    // Dropped in this order: the clock has timers of its own to put back.
    _stubs: Vec<Stub>,
    pub(super) clock: Clock,
    platform: JsValue,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with_hook(&function(""))
    }

    /// Calls `hook` with the name of whatever is called, before and after.
    pub(super) fn with_hook(hook: &Function) -> Self {
        let clock = Clock::new();
        let platform = function(PLATFORM).call1(&JsValue::UNDEFINED, hook).expect("a platform");
        let mut stubs = Stub::member("navigator", "locks", &get(&platform, "locks"));
        for name in ["localStorage", "sessionStorage", "BroadcastChannel", "fetch"] {
            stubs.push(Stub::global(name, &get(&platform, name)));
        }
        for name in ["setTimeout", "clearTimeout"] {
            let hooked = call(&platform, "wrap", &name.into()).expect("a function");
            stubs.push(Stub::global(name, &hooked));
        }
        stubs.reverse();
        Self { _stubs: stubs, clock, platform }
    }

    /// What the next request gets: an expression of `it`, the request, and `init`.
    pub(super) fn answer(&self, response: &str) {
        let answer = Function::new_with_args("it, init", &format!("return {response}"));
        call(&get(&self.platform, "answers"), "push", &answer).expect("an array");
    }

    /// The next refresh gets this access token, for five minutes.
    pub(super) fn grant(&self, token: &str) {
        let members = format!("access_token: '{token}', refresh_token: 'r', expires_in: 300");
        self.answer(&format!("new Response(JSON.stringify({{ {members} }}))"));
    }

    /// All requests so far: the end of the path, and the token.
    pub(super) fn requests(&self) -> Vec<String> {
        let requests: Array = get(&self.platform, "requests").unchecked_into();
        requests.iter().map(|request| request.as_string().expect("a text")).collect()
    }

    /// Whether the last request to the token endpoint was aborted.
    pub(super) fn is_aborted(&self) -> bool {
        get(&get(&self.platform, "signal"), "aborted").is_truthy()
    }
}

/// The options of a session that refreshes a minute before expiry.
pub(super) fn options(name: &str) -> Options {
    Options::new("https://a.test/token")
        .name(name)
        .jitter(Duration::ZERO)
        .min_interval(Duration::ZERO)
        .origins(["https://a.test"])
}

pub(super) fn session(name: &str) -> Session {
    Session::new(options(name)).expect("good options")
}

/// Tokens for five minutes.
pub(super) fn tokens(token: &str) -> Tokens {
    Tokens {
        access_token: token.to_owned(),
        refresh_token: Some("r".to_owned()),
        expires_in: Some(300.0),
        ..Tokens::default()
    }
}

/// A request of the application's.
pub(super) fn get_request(url: &str) -> Request {
    Request::new_with_str(url).expect("an address")
}

const PLATFORM: &str = "
    const hook = it;
    const hooked = (name, act) => function (...given) {
        hook(name);
        try { return act.apply(this, given) } finally { hook(name) }
    };
    const area = () => {
        const kept = new Map();
        return {
            getItem: hooked('getItem', (key) => kept.get(key) ?? null),
            setItem: hooked('setItem', (key, text) => void kept.set(key, text)),
            removeItem: hooked('removeItem', (key) => void kept.delete(key)),
        };
    };
    class BroadcastChannel {
        constructor() { hook('BroadcastChannel') }
    }
    BroadcastChannel.prototype.postMessage = hooked('postMessage', () => {});
    BroadcastChannel.prototype.close = hooked('close', () => {});
    const platform = {
        wrap: (name) => hooked(name, globalThis[name]),
        localStorage: area(),
        sessionStorage: area(),
        BroadcastChannel,
        locks: { request: hooked('request', async (name, options, hold) => hold()) },
        answers: [],
        requests: [],
        fetch: hooked('fetch', async (input, init) => {
            const { pathname } = new URL(input.url ?? input);
            const headers = new Headers(input.headers ?? init.headers);
            platform.requests.push(`${pathname} ${headers.get('Authorization') ?? ''}`.trim());
            if (init?.signal) {
                platform.signal = init.signal;
                init.signal.addEventListener('abort', () => hook('abort'));
            }
            const answer = platform.answers.shift();
            return answer ? answer(input, init) : new Promise(() => {});
        }),
    };
    return platform;
";
