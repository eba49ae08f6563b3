//! The life of a session in Rust: tokens, requests, refreshes.

use core::{future::pending, time::Duration};

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    Seen, in_page, js, settle,
    stub::Stub,
    until, within,
    world::{World, get_request, options, session, tokens},
};
use crate::{
    core::error::Error as CoreError,
    web::{
        AccessToken, Called, EndReason, Endpoint, Error, Event, Options, Session, Status, Storage,
        Style, Subscription,
        js::{get, global},
    },
};

pub(super) async fn refresh(session: &Session) -> Result<(), Error> {
    let session = session.clone();
    within("a refresh", async move { session.refresh().await }).await
}

pub(super) async fn token(session: &Session) -> Result<AccessToken, Error> {
    let session = session.clone();
    within("a token", async move { session.access_token(Duration::ZERO).await }).await
}

/// The status and the body of a response, or the code of an error.
async fn fetch(session: &Session, url: &str) -> Result<(u16, String), &'static str> {
    let (session, request) = (session.clone(), get_request(url));
    let fetched = within("a response", async move { session.fetch(request).await }).await;
    let response = fetched.map_err(|error| error.code())?;
    let text = JsFuture::from(response.text().expect("a body")).await;
    Ok((response.status(), text.expect("a text").as_string().expect("a text")))
}

pub(super) fn events(session: &Session) -> (Seen<Event>, Subscription) {
    let seen = Seen::new();
    let heard = seen.clone();
    let subscription = session.on_event(move |event, _| heard.add(event.clone()));
    (seen, subscription)
}

#[wasm_bindgen_test]
async fn a_session_lives_and_ends() {
    let (world, session) = (World::new(), session("life"));
    let (seen, _subscription) = events(&session);
    assert_eq!(session.snapshot().status, Status::Unknown);
    assert_eq!(token(&session).await.expect_err("signed out").code(), "ERR_NOT_SIGNED_IN");
    let _start = session.start(tokens("a")).expect("good tokens");
    assert_eq!(session.snapshot().status, Status::Active);
    assert_eq!(token(&session).await.expect("a token").as_str(), "a");

    world.grant("b");
    refresh(&session).await.expect("a refresh");
    assert_eq!(token(&session).await.expect("a token").as_str(), "b");
    assert_eq!(world.requests(), ["/token"]);

    let leaving = session.clone();
    within("the end", async move { leaving.sign_out().await }).await.expect("an end");
    let snapshot = session.snapshot();
    assert_eq!((snapshot.status, snapshot.reason), (Status::SignedOut, Some(EndReason::SignedOut)));
    assert_eq!(token(&session).await.expect_err("signed out").code(), "ERR_NOT_SIGNED_IN");
    let kinds: Vec<_> = seen.all().iter().map(Event::kind).collect();
    assert_eq!(kinds, ["started", "refreshed", "signed-out"]);
}

#[wasm_bindgen_test]
async fn a_timer_refreshes_before_expiry() {
    let (world, session) = (World::new(), session("timer"));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.grant("b");
    world.clock.advance(239_000);
    settle().await;
    assert_eq!(world.requests().len(), 0);
    world.clock.advance(1_000);
    until("the new token", || session.snapshot().generation == 2).await;
    assert_eq!(token(&session).await.expect("a token").as_str(), "b");
}

#[wasm_bindgen_test]
async fn a_request_that_gets_401_is_sent_again_with_a_newer_token() {
    let (world, session) = (World::new(), session("healed"));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.answer("new Response('no', { status: 401 })");
    world.grant("b");
    world.answer("new Response('yes')");
    assert_eq!(fetch(&session, "https://a.test/api").await, Ok((200, "yes".to_owned())));
    assert_eq!(world.requests(), ["/api Bearer a", "/token", "/api Bearer b"]);
}

#[wasm_bindgen_test]
async fn a_401_that_cannot_be_healed_is_handed_on() {
    let (world, session) = (World::new(), session("unhealed"));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.answer("new Response('no', { status: 401 })");
    world.answer("Promise.reject(new TypeError('no network'))");
    assert_eq!(fetch(&session, "https://a.test/api").await, Ok((401, "no".to_owned())));
    assert_eq!(session.snapshot().last_error, Some(CoreError::Unavailable));
}

#[wasm_bindgen_test]
async fn a_stubborn_401_costs_one_refresh() {
    let (world, session) = (World::new(), session("stubborn"));
    let _start = session.start(tokens("a")).expect("good tokens");
    for round in 0..5 {
        world.answer("new Response('no', { status: 401 })");
        if round == 0 {
            world.grant("b");
            world.answer("new Response('no', { status: 401 })");
        }
        let url = format!("https://a.test/api?{round}");
        assert_eq!(fetch(&session, &url).await, Ok((401, "no".to_owned())));
    }
    assert_eq!(world.requests().len(), 7);
    world.grant("c");
    refresh(&session).await.expect("a refresh");
    world.answer("new Response('no', { status: 401 })");
    world.grant("d");
    world.answer("new Response('yes')");
    let healed = fetch(&session, "https://a.test/api").await;
    assert_eq!(healed, Ok((200, "yes".to_owned())), "another token is another chance");
}

#[wasm_bindgen_test]
async fn a_401_for_want_of_scope_costs_no_refresh() {
    let (world, session) = (World::new(), session("scope"));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.answer(
        "new Response('no', { status: 401, headers: { 'WWW-Authenticate': 'Bearer \
         error=\"insufficient_scope\"' } })",
    );
    assert_eq!(fetch(&session, "https://a.test/api").await, Ok((401, "no".to_owned())));
    assert_eq!(world.requests(), ["/api Bearer a"]);
}

#[wasm_bindgen_test]
async fn a_token_is_given_for_an_address() {
    let (_world, session) = (World::new(), session("address"));
    let authorize = |url: &'static str| {
        let session = session.clone();
        within("an answer", async move { session.authorize(url).await })
    };
    assert_eq!(authorize("https://a.test/api").await, Ok(None), "no user is signed in");
    let _start = session.start(tokens("a")).expect("good tokens");
    let token = authorize("https://a.test/api").await.expect("an answer");
    assert_eq!(token.as_ref().map(AccessToken::as_str), Some("a"));
    for other in ["https://b.test/", "https://a:b@a.test/", "wss://a.test/", "nonsense://"] {
        assert_eq!(authorize(other).await, Ok(None), "{other}");
    }
}

#[wasm_bindgen_test]
async fn a_token_goes_nowhere_else_and_over_no_other() {
    let (world, session) = (World::new(), session("elsewhere"));
    let _start = session.start(tokens("a")).expect("good tokens");
    for url in ["https://b.test/api", "http://a.test/api", "https://a.test:8443/api"] {
        world.answer("new Response('', { status: 401 })");
        assert_eq!(fetch(&session, url).await, Ok((401, String::new())), "{url}");
    }
    assert_eq!(world.requests(), ["/api"; 3]);
    let request = get_request("https://a.test/own");
    request.headers().set("Authorization", "Basic c").expect("a header");
    world.answer("new Response('')");
    let sender = session.clone();
    let response = within("a response", async move { sender.fetch(request).await }).await;
    assert!(response.is_ok_and(|response| response.ok()));
    assert_eq!(world.requests()[3..], ["/own Basic c"]);
}

#[wasm_bindgen_test]
async fn an_origin_matches_however_it_is_written() {
    for origin in ["https://A.test", "https://a.test:443", "https://a.test/"] {
        let _world = World::new();
        let session = Session::new(options(origin).origins([origin])).expect("good options");
        let _start = session.start(tokens("a")).expect("good tokens");
        let asked = session.clone();
        let token = within("a token", async move { asked.authorize("https://a.test/").await });
        assert!(token.await.expect("an answer").is_some(), "{origin}");
    }
}

#[wasm_bindgen_test]
async fn an_address_that_leads_nowhere_is_refused() {
    let refused = |url: &str, revoke_url: Option<&str>| {
        let revoke_url = revoke_url.map(str::to_owned);
        let endpoint = Endpoint { url: url.to_owned(), revoke_url, ..Endpoint::default() };
        let error = Session::new(Options::default().endpoint(endpoint)).expect_err("no address");
        assert_eq!(error.code(), "ERR_INVALID_OPTION");
        error.to_string()
    };
    let remedy = "pass an http or https URL, whole where there is no page";
    for url in ["ftp://a.test/token", "https://", "blob:https://a.test/1", "http://a:b:c/"] {
        let told = format!("ERR_INVALID_OPTION: option endpoint.url cannot be \"{url}\": {remedy}");
        assert_eq!(refused(url, None), told);
        let told = refused("https://a.test/token", Some(url));
        assert!(told.contains("option endpoint.revoke_url cannot be \""), "{told}");
    }
    let relative = Session::new(Options::new("/token").name("relative"));
    assert_eq!(
        relative.map(drop).map_err(|error| error.code()),
        match in_page() {
            true => Ok(()),
            false => Err("ERR_INVALID_OPTION"),
        }
    );
    // It has no address, so none is looked at.
    let function = Session::with_refresh(Options::default(), |_| pending::<Called>());
    function.map(drop).expect("good options");
}

#[wasm_bindgen_test]
async fn a_refresh_goes_where_the_page_was_when_the_session_was_made() {
    let world = World::new();
    let page = js("return { baseURI: 'https://a.test/shop/' }");
    let base = in_page().then(|| Stub::new(&global("document"), "baseURI", &get(&page, "baseURI")));
    let document = (!in_page()).then(|| Stub::global("document", &page));
    let endpoint =
        Endpoint { style: Style::Cookie, url: "token".to_owned(), ..Endpoint::default() };
    let options = options("whole").endpoint(endpoint).idle(None);
    let session = Session::new(options).expect("good options");
    drop((base, document));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.answer(
        "(globalThis.asked = [it, init], Response.json({ access_token: 'b', expires_in: 9 }))",
    );
    refresh(&session).await.expect("a refresh");
    assert_eq!(js("return asked[0]"), JsValue::from_str("https://a.test/shop/token"));
    // To another origin than the page's no header of ours goes along; where there is no page each is
    // as good as another.
    let marked = get(&js("return asked[1].headers"), "X-Everfresh").is_string();
    assert_eq!(marked, !in_page());
}

#[wasm_bindgen_test]
async fn a_request_that_was_aborted_is_not_sent() {
    let (world, session) = (World::new(), session("aborted"));
    let _start = session.start(tokens("a")).expect("good tokens");
    let request = js("const controller = new AbortController(); controller.abort();
        return new Request('https://a.test/api', { signal: controller.signal })");
    let sender = session.clone();
    let request = request.unchecked_into();
    let response = within("a failure", async move { sender.fetch(request).await }).await;
    assert_eq!(response.expect_err("a failure").code(), "ERR_NETWORK");
    assert_eq!(world.requests().len(), 0);
}

#[wasm_bindgen_test]
async fn those_who_wait_share_one_refresh() {
    let (world, session) = (World::new(), session("shared"));
    let _start = session.start(tokens("a")).expect("good tokens");
    let refused = token(&session).await.expect("a token");
    world.grant("b");
    let replaced = Seen::new();
    for _ in 0..10 {
        let (session, refused, replaced) = (session.clone(), refused.clone(), replaced.clone());
        spawn_local(async move {
            let newer = session.replace(&refused).await.expect("a newer token");
            replaced.add(newer.as_str().to_owned());
        });
    }
    until("ten tokens", || replaced.count() == 10).await;
    assert_eq!(replaced.all(), ["b"; 10]);
    assert_eq!(world.requests(), ["/token"]);
}

#[wasm_bindgen_test]
async fn a_reload_finds_the_session_in_storage() {
    let world = World::new();
    let open = || Session::new(options("reload").storage(Storage::Local)).expect("good options");
    let session = open();
    let _ = session.start(tokens("a")).expect("good tokens");
    drop(session);
    let session = open();
    let restoring = session.clone();
    let snapshot = within("a session", async move { restoring.restore().await }).await;
    assert_eq!(snapshot.map(|snapshot| snapshot.status), Ok(Status::Active));
    assert_eq!(token(&session).await.expect("a token").as_str(), "a");
    assert_eq!(world.requests().len(), 0);
}

#[wasm_bindgen_test]
async fn an_own_refresh_function_is_asked() {
    let _world = World::new();
    let calls = Seen::new();
    let called = calls.clone();
    let session = Session::with_refresh(options("function"), move |request| {
        called.add(request.refresh_token.clone());
        let first = called.count() == 1;
        async move {
            if first {
                return Called::Failed { terminal: false };
            }
            Called::Tokens(Some(tokens("b")))
        }
    })
    .expect("good options");
    let _start = session.start(tokens("a")).expect("good tokens");
    assert_eq!(refresh(&session).await.expect_err("a failure").code(), "ERR_REFRESH_UNAVAILABLE");
    refresh(&session).await.expect("a refresh");
    assert_eq!(token(&session).await.expect("a token").as_str(), "b");
    assert_eq!(calls.count(), 2);
}

#[wasm_bindgen_test]
async fn another_client_is_healed_too() {
    let (world, session) = (World::new(), session("client"));
    let _start = session.start(tokens("a")).expect("good tokens");
    world.grant("b");
    let caller = session.clone();
    let answer = within("an answer", async move {
        let send = async |token: &AccessToken| token.as_str().to_owned();
        caller.call(send, |token| token == "a").await
    });
    assert_eq!(answer.await, Ok("b".to_owned()));
}
