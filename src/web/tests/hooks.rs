//! Functions of an application's own, and what differs from one request to another.

use core::{future::pending, time::Duration};
use std::{cell::RefCell, collections::HashMap, rc::Rc};

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Response;

use super::{
    Seen, in_page, js,
    session::{events, refresh, token},
    settle, until, within,
    world::{World, get_request, options, tokens},
};
use crate::web::{
    Called, Error, Event, Line, Options, RefreshRequest, Sending, Session, SessionBuilder, Status,
    TokenStorage, Tokens,
};

fn begun(builder: SessionBuilder) -> Session {
    let session = builder.build().expect("good options");
    let _ = session.start(tokens("a")).expect("good tokens");
    session
}

async fn sent(session: &Session, sending: Sending) -> Result<u16, &'static str> {
    let (session, request) = (session.clone(), get_request("https://a.test/api"));
    let sent = within("a response", async move { session.fetch_with(request, sending).await });
    sent.await.map(|response| response.status()).map_err(|error| error.code())
}

#[wasm_bindgen_test]
async fn another_status_may_mean_that_the_token_is_no_longer_good() {
    let world = World::new();
    let session =
        begun(Session::builder(options("419")).is_unauthorized(async |response: &Response| {
            let copy = response.clone().expect("a body that was not read");
            let text = JsFuture::from(copy.text().expect("a body")).await;
            text.is_ok_and(|text| text == JsValue::from_str("EXPIRED"))
        }));
    world.answer("new Response('EXPIRED')");
    world.grant("b");
    world.answer("new Response('yes')");
    let (sender, request) = (session.clone(), get_request("https://a.test/api"));
    let response = within("a response", async move { sender.fetch(request).await }).await;
    let text = JsFuture::from(response.expect("a response").text().expect("a body")).await;
    assert_eq!(text, Ok("yes".into()));
    assert_eq!(world.requests(), ["/api Bearer a", "/token", "/api Bearer b"]);
    world.answer("new Response('no', { status: 401 })");
    assert_eq!(sent(&session, Sending::default()).await, Ok(401), "that one is not meant");
}

#[wasm_bindgen_test]
async fn what_is_no_name_of_a_header_is_refused() {
    for name in ["", "X JWT", "X-JWT:"] {
        let refused = Session::builder(options("no header")).renewal_header(name).build();
        let told = format!("option renewal_header cannot be \"{name}\": pass the name of a header");
        assert_eq!(
            refused.expect_err("no header").to_string(),
            "ERR_INVALID_OPTION: ".to_owned() + &told
        );
    }
}

#[wasm_bindgen_test]
async fn a_token_in_a_header_is_adopted() {
    let world = World::new();
    let session = begun(Session::builder(options("header")).renewal_header("X-JWT"));
    // {"exp":1767226200}
    let jwt = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3NjcyMjYyMDAwfQ.c2ln";
    world.answer(&format!("new Response('', {{ headers: {{ 'X-JWT': 'Bearer {jwt}' }} }})"));
    assert_eq!(sent(&session, Sending::default()).await, Ok(200));
    assert_eq!(token(&session).await.expect("a token").as_str(), jwt);
    world.answer("new Response('', { headers: { 'X-JWT': 'no token' } })");
    assert_eq!(sent(&session, Sending::default()).await, Ok(200));
    assert_eq!(token(&session).await.expect("a token").as_str(), jwt, "it cannot be used");
}

#[wasm_bindgen_test]
async fn an_own_transport_sends_everything() {
    let world = World::new();
    let seen = Seen::new();
    let sends = seen.clone();
    let session = begun(Session::builder(options("transport")).transport(move |request| {
        sends.add(format!("{} {}", request.method(), request.url()));
        async move {
            request.headers().set("Authorization", "replaced")?;
            let answer = js("return (it) => fetch(it)");
            let fetch: js_sys::Function = answer.unchecked_into();
            let called = fetch.call1(&JsValue::UNDEFINED, &request)?;
            Ok(JsFuture::from(js_sys::Promise::resolve(&called)).await?.unchecked_into())
        }
    }));
    world.answer("new Response('yes')");
    assert_eq!(sent(&session, Sending::default()).await, Ok(200));
    world.grant("b");
    refresh(&session).await.expect("a refresh");
    assert_eq!(seen.all(), ["GET https://a.test/api", "POST https://a.test/token"]);
    assert_eq!(world.requests(), ["/api replaced", "/token replaced"]);
    world.answer("Promise.reject(new TypeError('no network'))");
    assert_eq!(sent(&session, Sending::default()).await, Err("ERR_NETWORK"));
}

#[wasm_bindgen_test]
async fn one_request_may_differ() {
    let world = World::new();
    let session = Session::new(options("differs")).expect("good options");
    let _start = session.start(tokens("a")).expect("good tokens");
    world.answer("new Response('no', { status: 401 })");
    let sending = Sending { heal: false, ..Sending::default() };
    assert_eq!(sent(&session, sending).await, Ok(401));
    assert_eq!(world.requests(), ["/api Bearer a"]);

    world.clock.advance(400_000);
    world.answer("new Response('yes')");
    let sending = Sending { wait: false, ..Sending::default() };
    let (sender, request) = (session.clone(), get_request("https://a.test/other"));
    let other = within("a response", async move { sender.fetch_with(request, sending).await });
    let _ = other.await.map(|response| response.status());
    assert!(world.requests().contains(&"/other Bearer a".to_owned()), "{:?}", world.requests());
}

/// A place that answers at once, or later.
#[derive(Clone, Default)]
struct Kept {
    texts: Rc<RefCell<HashMap<String, String>>>,
    slow: bool,
}

impl Kept {
    async fn delay(&self) {
        if self.slow {
            super::turn().await;
        }
    }
}

impl TokenStorage for Kept {
    async fn get(&self, key: &str) -> Result<Option<String>, JsValue> {
        self.delay().await;
        Ok(self.texts.borrow().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &str) -> Result<(), JsValue> {
        self.delay().await;
        self.texts.borrow_mut().insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), JsValue> {
        self.delay().await;
        self.texts.borrow_mut().remove(key);
        Ok(())
    }
}

#[wasm_bindgen_test]
async fn an_own_place_keeps_the_session() {
    for slow in [false, true] {
        let world = World::new();
        let kept = Kept { slow, ..Kept::default() };
        let open = || {
            let builder = Session::builder(options("place"));
            builder.token_storage(kept.clone()).build().expect("good options")
        };
        let session = open();
        let _ = session.start(tokens("a")).expect("good tokens");
        let texts = Rc::clone(&kept.texts);
        until("the record", move || texts.borrow().contains_key("everfresh:place")).await;
        settle().await;
        drop(session);
        let session = open();
        let restoring = session.clone();
        let found = within("a session", async move { restoring.restore().await }).await;
        assert_eq!(found.map(|snapshot| snapshot.status), Ok(Status::Active), "slow: {slow}");
        assert_eq!(token(&session).await.expect("a token").as_str(), "a");
        assert_eq!(world.requests().len(), 0);
    }
}

#[wasm_bindgen_test]
async fn a_text_that_is_far_too_long_is_not_read() {
    for slow in [false, true] {
        let world = World::new();
        let kept = Kept { slow, ..Kept::default() };
        let key = "everfresh:long".to_owned();
        kept.texts.borrow_mut().insert(key.clone(), "x".repeat((4 << 20) + 1));
        let builder = Session::builder(options("long")).token_storage(kept.clone());
        let session = builder.build().expect("good options");
        let (seen, _subscription) = events(&session);
        let (restoring, found) = (session.clone(), Seen::new());
        let told = found.clone();
        wasm_bindgen_futures::spawn_local(async move { told.add(restoring.restore().await) });
        // Other tabs may know more than a place that cannot be read.
        settle().await;
        world.clock.advance(1_000);
        until("no session", || found.count() == 1).await;
        assert_eq!(session.snapshot().status, Status::SignedOut);
        assert_eq!(seen.all(), [Event::StorageDegraded]);
        assert_eq!(kept.texts.borrow().keys().collect::<Vec<_>>(), [&key], "nothing is set aside");
    }
}

#[wasm_bindgen_test]
async fn without_a_page_a_session_without_a_name_is_shared_with_none() {
    let _world = World::new();
    let kept = Kept::default();
    let open = || {
        let options = Options::new("https://a.test/token").origins(["https://a.test"]);
        let builder = Session::builder(options).token_storage(kept.clone());
        builder.build().expect("good options")
    };
    let (first, second) = (open(), open());
    assert_eq!(first == second, in_page());
    let _start = first.start(tokens("a")).expect("good tokens");
    assert_eq!(second.snapshot().is_signed_in(), in_page());
    // It finds again what is kept, under the name that it would have in a page.
    assert!(kept.texts.borrow().contains_key("everfresh:default"));
    assert_eq!(first.snapshot().idle_at.is_some(), in_page(), "there is no input without a DOM");
}

#[wasm_bindgen_test]
async fn the_lead_may_depend_on_the_claims() {
    #[derive(serde::Deserialize)]
    struct Claims {
        exp: u64,
        role: Option<String>,
    }
    let world = World::new();
    let builder = Session::builder(options("lead").jitter(Duration::ZERO));
    let session = builder.lead_for(|claims: Claims| Duration::from_secs(claims.exp % 1_000));
    let session = session.build().expect("good options");
    let exp = (js_sys::Date::now() / 1_000.0) as u64 / 1_000 * 1_000 + 2_100;
    let claims = format!("btoa(JSON.stringify({{ exp: {exp}, role: null }}))");
    let jwt = js(&format!("return ['e30', {claims}, 'c2ln'].join('.').replace(/=/g, '')"));
    let jwt = jwt.as_string().expect("a text");
    let token = Tokens { access_token: jwt, refresh_token: Some("r".into()), ..Tokens::default() };
    let _start = session.start(token).expect("good tokens");
    let snapshot = session.snapshot();
    let lead = snapshot.expires_at.expect("an end") - snapshot.refresh_at.expect("a time");
    assert_eq!(lead, 100_000);
    let claims: Claims = session.claims().expect("claims");
    assert_eq!((claims.exp, claims.role), (exp, None));
    assert!(session.claims::<Vec<u8>>().is_none());
    assert_eq!(world.requests().len(), 0);
}

#[wasm_bindgen_test]
async fn a_log_hears_what_the_endpoint_said() {
    let world = World::new();
    let seen = Seen::new();
    let heard = seen.clone();
    let session = begun(Session::builder(options("log")).log(move |line| heard.add(line)));
    world.answer("Response.json({ error: 'slow_down', error_description: 'd' }, { status: 400 })");
    refresh(&session).await.expect_err("a failure");
    let Some(Line::Refused(refused)) = seen.all().pop() else { panic!("{:?}", seen.all()) };
    let said = (refused.status, refused.error.as_str(), refused.description.as_str());
    assert_eq!(said, (400, "slow_down", "d"));
    assert_eq!(session.stats().outcomes.transient, 1);
}

#[wasm_bindgen_test]
async fn a_refresh_function_is_given_the_claims_and_a_signal() {
    #[derive(serde::Deserialize)]
    struct Claims {
        tenant: String,
    }
    let world = World::new();
    let seen = Seen::new();
    let told = seen.clone();
    let function = move |request: RefreshRequest| {
        assert!(!format!("{request:?}").contains("e30"), "it may be printed");
        let tenant = request.claims().map(|Claims { tenant }| tenant);
        assert!(request.claims::<Vec<u8>>().is_none());
        told.add((tenant, request.last_activity_at, request.signal));
        pending::<Called>()
    };
    let builder = Session::builder(options("given")).refresh(function);
    let session = builder.build().expect("good options");
    let claims = "return `e30.${btoa(JSON.stringify({ tenant: 'b' })).replace(/=/g, '')}.c2ln`";
    let jwt = js(claims).as_string().expect("a text");
    let began = js_sys::Date::now() as i64;
    let _start = session.start(Tokens { access_token: jwt, ..tokens("a") }).expect("good tokens");
    world.clock.advance(100);
    let asking = session.clone();
    wasm_bindgen_futures::spawn_local(async move { drop(asking.refresh().await) });
    until("the call", || seen.count() == 1).await;
    let (tenant, last_activity_at, signal) = seen.all().remove(0);
    assert_eq!((tenant.as_deref(), last_activity_at), (Some("b"), began));
    let signal = signal.expect("a signal");
    assert!(!signal.aborted());
    session.cancel();
    assert!(signal.aborted());
    settle().await;
}

#[wasm_bindgen_test]
async fn a_refresh_function_that_is_no_longer_wanted_is_dropped() {
    struct Noted(Seen<&'static str>);
    impl Drop for Noted {
        fn drop(&mut self) {
            self.0.add("dropped");
        }
    }
    let _world = World::new();
    let seen = Seen::new();
    let notes = seen.clone();
    let session = begun(Session::builder(options("dropped")).refresh(move |_| {
        let noted = Noted(notes.clone());
        async move {
            let _noted = noted;
            pending::<Called>().await
        }
    }));
    let asking = session.clone();
    let asked = Seen::new();
    let told = asked.clone();
    wasm_bindgen_futures::spawn_local(async move {
        told.add(asking.refresh().await.map_err(|error: Error| error.code()));
    });
    settle().await;
    assert_eq!((seen.count(), asked.count()), (0, 0));
    session.cancel();
    until("the end", || seen.count() == 1 && asked.count() == 1).await;
    assert_eq!(asked.all(), [Err("ERR_NOT_SIGNED_IN")]);
}
